/*
 * needles.h: many texts looked for at once in another (Aho and Corasick), in one pass over it however many
 * they are and however they overlap. Pure; for the model room itself.
 *
 * A '+' and a blank are the same here: forms write the one for the other.
 */
#ifndef MODEL_NEEDLES_H
#define MODEL_NEEDLES_H

#include "base/base.h"
#include "base/error.h"

struct needle_node;

struct needles {
    struct needle_node *nodes; /* the first is the root; NULL before the first needle */
    size_t n;
    size_t cap;
    enum err failed; /* sticks, as a buf's does */
    uint32_t first[256];
};

void needles_init(struct needles *l);
void needles_done(struct needles *l);
/* "" is none. */
void needles_add(struct needles *l, struct str s);
/* After the last needle, before the first step. ERR_TOO_LARGE or ERR_MEMORY: not all could be taken. */
CHECKED enum err needles_ready(struct needles *l, struct error *err);

static inline bool needles_empty(const struct needles *l)
{
    return l->n <= 1;
}

/* How far a text has come: 0 at its beginning, then what this yields for each of its bytes. */
uint32_t needles_step(const struct needles *l, uint32_t at, char c);
/* Bytes of the longest needle that ends here; 0: none does. */
size_t needles_ended(const struct needles *l, uint32_t at);
/* Bytes of the longest beginning of a needle that ends here, a whole one included. */
size_t needles_begun(const struct needles *l, uint32_t at);

#endif
