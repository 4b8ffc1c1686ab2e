/*
 * reader.c: see reader.h. The buffer grows to the longest line that is let in, and no further.
 */
#include "move/reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { FIRST_BYTES = 64 * 1024 };

void reader_init(struct reader *r, int fd, size_t line_max)
{
    *r = (struct reader){.fd = fd, .line_max = line_max};
}

void reader_done(struct reader *r)
{
    alloc_free(TAKE(r->p));
}

/* Room for more behind .to: what was handed out is dropped, or the buffer grows. */
static enum err make_room(struct reader *r, struct error *err)
{
    size_t cap = r->cap > 0 ? r->cap * 2 : FIRST_BYTES;
    void *p = r->p;
    enum err e;

    if (r->from > 0) {
        memmove(r->p, r->p + r->from, r->to - r->from);
        r->to -= r->from;
        r->from = 0;
    }
    if (r->to < r->cap)
        return ERR_NONE;
    e = alloc_resize(&p, cap, 1, err);
    if (e)
        return e;
    r->p = p;
    r->cap = cap;
    return ERR_NONE;
}

static enum err read_more(struct reader *r, struct error *err)
{
    enum err e = make_room(r, err);
    ssize_t n;

    if (e)
        return e;
    do {
        n = read(r->fd, r->p + r->to, r->cap - r->to);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_errno(err, "", "cannot read the file");
    r->ended = n == 0;
    r->to += (size_t)n;
    return ERR_NONE;
}

/* The end of the line that begins at .from, NULL when it has not come yet; `looked` bytes have none. */
static const char *find_end(const struct reader *r, size_t looked)
{
    size_t from = r->from + looked;

    return r->to > from ? memchr(r->p + from, '\n', r->to - from) : NULL;
}

static void hand_out(struct reader *r, const char *end, bool too_long, struct str *ret, bool *ret_long,
                     bool *ret_there)
{
    const char *at = r->p ? r->p + r->from : "";
    size_t n = end ? (size_t)(end - at) : r->to - r->from;

    *ret_there = end || n > 0 || too_long;
    *ret_long = too_long || n > r->line_max;
    *ret = (struct str){at, *ret_long ? 0 : n};
    r->from += n + (end ? 1 : 0);
    r->line += *ret_there;
}

enum err reader_next(struct reader *r, struct str *ret, bool *ret_long, bool *ret_there, struct error *err)
{
    size_t looked = 0; /* behind .from */
    bool too_long = false;

    for (;;) {
        const char *end = find_end(r, looked);
        enum err e;

        if (end || r->ended) {
            hand_out(r, end, too_long, ret, ret_long, ret_there);
            return ERR_NONE;
        }
        looked = r->to - r->from;
        if (looked > r->line_max) { /* passed over as it comes */
            too_long = true;
            r->from = r->to;
            looked = 0;
        }
        e = read_more(r, err);
        if (e)
            return e;
    }
}
