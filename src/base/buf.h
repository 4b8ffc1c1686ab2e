/*
 * buf.h: text under construction, growable up to a limit given at its start.
 *
 * A failure (limit, memory) sticks: a formatter appends freely and asks buf_ok() once at the end. One
 * owner, one thread.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"
#include "base/error.h"

struct buf {
    char *p; /* always terminated once anything was appended; NULL before */
    size_t n;
    size_t cap;
    size_t limit;
    enum err failed; /* ERR_NONE, ERR_TOO_LARGE or ERR_MEMORY */
};

/* No memory is taken yet. At most `limit_bytes` of text. */
void buf_init(struct buf *b, size_t limit_bytes);
void buf_done(struct buf *b);  /* frees; b may be initialised again */
void buf_clear(struct buf *b); /* empties, keeps the memory, forgets a failure */

void buf_add(struct buf *b, struct str s);
void buf_add_char(struct buf *b, char c);
void buf_add_cstr(struct buf *b, const char *s);
void buf_add_i64(struct buf *b, int64_t v);
void buf_add_u64(struct buf *b, uint64_t v);
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* `s` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void buf_add_json(struct buf *b, struct str s);

static inline bool buf_ok(const struct buf *b)
{
    return b->failed == ERR_NONE;
}
/* ERR_NONE, or fills *err with why the text is not whole. */
CHECKED enum err buf_check(const struct buf *b, const char *where, struct error *err);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p ? b->p : "", b->n};
}
/* The terminated text, "" when empty; b's. */
const char *buf_cstr(const struct buf *b);
/* Hands the text on (never NULL unless failed): the caller's, for alloc_free(). b is empty afterwards. */
CHECKED enum err buf_take(struct buf *b, char **ret, size_t *ret_n, struct error *err);

UNUSED static inline void buf_done_p(struct buf *b)
{
    buf_done(b);
}

#endif
