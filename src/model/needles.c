/*
 * needles.c: see needles.h.
 */
#include "model/needles.h"

#include <string.h>

#include "base/alloc.h"

/* Bytes of all needles together: far beyond what a schedule's headers are for. */
enum { NODES_MAX = 1024 * 1024, NODES_FIRST = 256 };

/* A beginning of a needle. */
struct needle_node {
    uint32_t child; /* the first one; 0: none */
    uint32_t sibling;
    uint32_t fail; /* its longest end that is a beginning, too */
    uint32_t ended;
    uint32_t depth;
    unsigned char byte;
};

void needles_init(struct needles *l)
{
    *l = (struct needles){0};
}

void needles_done(struct needles *l)
{
    alloc_free(l->nodes);
    *l = (struct needles){0};
}

static unsigned char folded(char c)
{
    return c == '+' ? ' ' : (unsigned char)c;
}

/* 0: there is none. The root's are looked up, since most of a text begins nothing. */
static uint32_t child_of(const struct needles *l, uint32_t at, unsigned char byte)
{
    uint32_t c;

    if (at == 0)
        return l->first[byte];
    c = l->nodes[at].child;
    while (c != 0 && l->nodes[c].byte != byte)
        c = l->nodes[c].sibling;
    return c;
}

static bool has_room(struct needles *l)
{
    size_t cap = l->cap > 0 ? l->cap * 2 : NODES_FIRST;
    void *p = l->nodes;

    if (l->n < l->cap)
        return true;
    l->failed = l->n >= NODES_MAX ? ERR_TOO_LARGE : alloc_resize(&p, cap, sizeof(*l->nodes), NULL);
    if (l->failed)
        return false;
    l->nodes = p;
    l->cap = cap;
    return true;
}

static uint32_t grow(struct needles *l, uint32_t at, unsigned char byte)
{
    uint32_t made = (uint32_t)l->n;

    if (!has_room(l))
        return 0;
    l->n++;
    l->nodes[made] =
        (struct needle_node){.sibling = l->nodes[at].child, .depth = l->nodes[at].depth + 1, .byte = byte};
    l->nodes[at].child = made;
    if (at == 0)
        l->first[byte] = made;
    return made;
}

void needles_add(struct needles *l, struct str s)
{
    uint32_t at = 0;

    if (s.n == 0 || l->failed)
        return;
    if (l->n == 0) {
        if (!has_room(l))
            return;
        l->nodes[l->n++] = (struct needle_node){0};
    }
    for (size_t i = 0; i < s.n; i++) {
        uint32_t next = child_of(l, at, folded(s.p[i]));

        at = next != 0 ? next : grow(l, at, folded(s.p[i]));
        if (at == 0)
            return;
    }
    l->nodes[at].ended = l->nodes[at].depth;
}

/* Where a text goes on that came as far as `at` and has `byte` next. */
static uint32_t follow(const struct needles *l, uint32_t at, unsigned char byte)
{
    uint32_t next = child_of(l, at, byte);

    while (next == 0 && at != 0) {
        at = l->nodes[at].fail;
        next = child_of(l, at, byte);
    }
    return next;
}

/* Shorter ones first, so that what a node falls back to is known. */
static void link_all(struct needles *l, uint32_t *queue)
{
    size_t n = 0;

    queue[n++] = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = queue[i];

        for (uint32_t c = l->nodes[at].child; c != 0; c = l->nodes[c].sibling) {
            struct needle_node *node = &l->nodes[c];

            node->fail = at == 0 ? 0 : follow(l, l->nodes[at].fail, node->byte);
            if (node->ended == 0)
                node->ended = l->nodes[node->fail].ended;
            queue[n++] = c;
        }
    }
    MUST(n == l->n);
}

enum err needles_ready(struct needles *l, struct error *err)
{
    CLEANUP(alloc_free_p) void *queue = NULL;
    enum err e;

    if (l->failed)
        return error_set(err, l->failed, NULL, "too many hidden values");
    if (l->n == 0)
        return ERR_NONE;
    e = alloc_array(l->n, sizeof(uint32_t), &queue, err);
    if (!e)
        link_all(l, queue);
    return e;
}

uint32_t needles_step(const struct needles *l, uint32_t at, char c)
{
    return follow(l, at, folded(c));
}

size_t needles_ended(const struct needles *l, uint32_t at)
{
    return l->nodes[at].ended;
}

size_t needles_begun(const struct needles *l, uint32_t at)
{
    return l->nodes[at].depth;
}
