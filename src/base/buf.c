/*
 * buf.c: growing by doubling, never past the limit; the first failure sticks and later appends do nothing.
 */
#include "base/buf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

enum { BUF_FIRST = 64 };

void buf_init(struct buf *b, size_t limit_bytes)
{
    /* One byte is kept for the terminator, so that n + 1 never overflows. */
    *b = (struct buf){.limit = limit_bytes < SIZE_MAX / 2 ? limit_bytes : SIZE_MAX / 2};
}

void buf_done(struct buf *b)
{
    alloc_free(b->p);
    *b = (struct buf){.limit = b->limit};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = ERR_NONE;
    if (b->p)
        b->p[0] = '\0';
}

/* Makes room for `more` bytes and the terminator; false when failed, now or before. */
static bool reserve(struct buf *b, size_t more)
{
    size_t need;
    size_t cap = b->cap > 0 ? b->cap : BUF_FIRST;
    void *p = b->p;

    if (b->failed)
        return false;
    if (more > b->limit - b->n) {
        b->failed = ERR_TOO_LARGE;
        return false;
    }
    need = b->n + more + 1;
    if (need <= b->cap)
        return true;
    while (cap < need)
        cap *= 2;
    if (cap > b->limit + 1)
        cap = b->limit + 1;
    if (alloc_resize(&p, cap, 1, NULL)) {
        b->failed = ERR_MEMORY;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, struct str s)
{
    if (!reserve(b, s.n))
        return;
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    b->p[b->n] = '\0';
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, (struct str){&c, 1});
}

void buf_add_cstr(struct buf *b, const char *s)
{
    buf_add(b, str_of(s));
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v > 0);
    buf_add(b, (struct str){digits + at, sizeof(digits) - at});
}

void buf_add_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_add_char(b, '-');
    /* 0 - (uint64_t)v is the magnitude even of INT64_MIN. */
    buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_list again;
    int n;

    if (!reserve(b, 0))
        return;
    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(b->p + b->n, b->cap - b->n, format, args);
    if (n < 0) {
        b->failed = ERR_MEMORY;
    } else if (reserve(b, (size_t)n)) {
        /* Cheap to repeat, and right whether or not it fitted the first time. */
        (void)vsnprintf(b->p + b->n, b->cap - b->n, format, again);
        b->n += (size_t)n;
    }
    /* What did not fit is not left half-written behind the end. */
    b->p[b->n] = '\0';
    va_end(again);
    va_end(args);
}

static void add_json_escape(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char unnamed[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
        if ((unsigned char)named[i] == c) {
            buf_add(b, (struct str){(char[2]){'\\', named[i + 1]}, 2});
            return;
        }
    }
    buf_add(b, (struct str){unnamed, sizeof(unnamed)});
}

void buf_add_json(struct buf *b, struct str s)
{
    size_t plain = 0; /* where the bytes that need no change begin */
    size_t i = 0;

    buf_add_char(b, '"');
    while (i < s.n && buf_ok(b)) {
        unsigned char c = (unsigned char)s.p[i];
        size_t width = c < 0x80 ? 1 : str_utf8_char((struct str){s.p + i, s.n - i});

        if (width > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += width;
            continue;
        }
        buf_add(b, (struct str){s.p + plain, i - plain});
        if (width == 0 || c == '\0') /* which no reader of ours, nor PostgreSQL's, takes */
            buf_add(b, STR("\xEF\xBF\xBD"));
        else
            add_json_escape(b, c);
        plain = ++i;
    }
    if (i > plain)
        buf_add(b, (struct str){s.p + plain, i - plain});
    buf_add_char(b, '"');
}

enum err buf_check(const struct buf *b, const char *where, struct error *err)
{
    if (buf_ok(b))
        return ERR_NONE;
    if (b->failed == ERR_TOO_LARGE)
        return error_set(err, ERR_TOO_LARGE, where, "longer than %zu bytes", b->limit);
    return error_set(err, b->failed, where, "out of memory for text");
}

const char *buf_cstr(const struct buf *b)
{
    return b->p ? b->p : "";
}

enum err buf_take(struct buf *b, char **ret, size_t *ret_n, struct error *err)
{
    enum err e;

    buf_add(b, STR("")); /* an empty text is a terminated one too */
    e = buf_check(b, NULL, err);
    if (e)
        return e;
    *ret = TAKE(b->p);
    if (ret_n)
        *ret_n = b->n;
    b->n = 0;
    b->cap = 0;
    return ERR_NONE;
}
