/*
 * reading.h: what a text says when its escapes or its base64 are undone, and where in the text each byte of
 * that stands. Pure; for the model room itself.
 *
 * One pass undoes what JSON, JavaScript and Python (\u00e9, \/, \x2b), URLs (%2B) or HTML (&amp; &#43;
 * &#x2b;) escape, or all of that mixed; what looks like an escape and is none stays as it is. Linear, and
 * never longer than what was read.
 */
#ifndef MODEL_READING_H
#define MODEL_READING_H

#include "base/base.h"
#include "base/error.h"

/* The texts that can be read: positions are kept in 32 bits. */
enum { READING_MAX = 16 * 1024 * 1024 };

struct reading {
    char *p;
    uint32_t *from; /* of each byte, where in the text what says it begins, and ends */
    uint32_t *to;
    size_t n;
    size_t cap;
    bool open; /* the text was cut off where this ends, but for what may be the beginning of an escape */
};

/* Room for what is read of a text of `cap` bytes. */
CHECKED enum err reading_init(struct reading *r, size_t cap, struct error *err);
void reading_done(struct reading *r);

/* The text itself; `cut`: it goes on. */
void reading_plain(struct reading *ret, struct str text, bool cut);
enum reading_kind {
    READING_BACKSLASH = 1, /* JSON, JavaScript, Python */
    READING_PERCENT = 2,
    READING_ENTITY = 4, /* HTML */
    READING_MIXED = READING_BACKSLASH | READING_PERCENT | READING_ENTITY,
};
/* `in` with its escapes of these kinds undone. Yields the kinds there were; 0: none, and *ret says nothing.
 */
CHECKED unsigned reading_unescape(const struct reading *in, unsigned kinds, struct reading *ret);
enum { READING_PHASES = 4, READING_RUN_MIN = 6 };
/* Whether there is anything that reading_base64() would read. */
bool reading_has_base64(const struct reading *in);
/*
 * The base64 (either alphabet, lines broken or not) of `in`, each run of READING_RUN_MIN characters or more
 * without its first `phase`: whoever put it there may have put something of that alphabet before it. A NUL
 * stands between runs.
 */
void reading_base64(const struct reading *in, unsigned phase, struct reading *ret);

#endif
