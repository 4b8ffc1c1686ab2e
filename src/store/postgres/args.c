/*
 * args.c: see args.h. The form is that of array_recv() and its kin: big-endian lengths and values.
 */
#include "store/postgres/args.h"

#include <endian.h>
#include <string.h>

/* Larger than any group of definitions that the lane lets together; PostgreSQL's own limit is 1 GiB. */
enum { ARG_BYTES_MAX = 512 << 20, ARG_BYTES_KEPT = 1 << 18 };
/* An array's head: dimensions, whether there are NULLs, type of elements, length, lower bound. */
enum { HEAD_BYTES = 20, EMPTY_HEAD_BYTES = 12 };

void args_init(struct args *a)
{
    a->n = 0;
    for (size_t i = 0; i < ARGS_MAX; i++)
        buf_init(&a->items[i].bytes, ARG_BYTES_MAX);
}

void args_done(struct args *a)
{
    for (size_t i = 0; i < ARGS_MAX; i++)
        buf_done(&a->items[i].bytes);
}

void args_clear(struct args *a)
{
    for (size_t i = 0; i < a->n; i++) {
        struct buf *b = &a->items[i].bytes;

        if (b->cap > ARG_BYTES_KEPT)
            buf_done(b);
        buf_clear(b);
    }
    a->n = 0;
}

/* Fixed numbers of PostgreSQL's catalog: pg_type.dat. */
static unsigned element_oid(enum arg_type type)
{
    switch (type) {
    case ARG_I64:
        return 20;
    case ARG_UUID:
        return 2950;
    case ARG_TEXT:
        return 25;
    }
    return 0;
}

unsigned args_oid(const struct arg *a)
{
    if (!a->array)
        return element_oid(a->type);
    switch (a->type) {
    case ARG_I64:
        return 1016;
    case ARG_UUID:
        return 2951;
    case ARG_TEXT:
        return 1009;
    }
    return 0;
}

static struct arg *next(struct args *a, enum arg_type type)
{
    struct arg *arg;

    MUST(a->n < ARGS_MAX);
    arg = &a->items[a->n++];
    arg->type = type;
    arg->array = false;
    arg->null = false;
    arg->holds_null = false;
    arg->elements = 0;
    buf_clear(&arg->bytes);
    return arg;
}

static void add_u32(struct buf *b, uint32_t v)
{
    uint32_t be = htobe32(v);

    buf_add(b, (struct str){(const char *)&be, sizeof(be)});
}

static void add_i64(struct buf *b, int64_t v)
{
    uint64_t be = htobe64((uint64_t)v);

    buf_add(b, (struct str){(const char *)&be, sizeof(be)});
}

static void add_uuid(struct buf *b, const struct uuid *u)
{
    buf_add(b, (struct str){(const char *)u->b, sizeof(u->b)});
}

void args_null(struct args *a, enum arg_type type)
{
    next(a, type)->null = true;
}

void args_i64(struct args *a, int64_t v)
{
    add_i64(&next(a, ARG_I64)->bytes, v);
}

void args_wall(struct args *a, struct wall t)
{
    if (wall_is_never(t))
        args_null(a, ARG_I64);
    else
        args_i64(a, t.us);
}

void args_uuid(struct args *a, struct uuid u)
{
    add_uuid(&next(a, ARG_UUID)->bytes, &u);
}

void args_str(struct args *a, struct str s)
{
    struct arg *arg = next(a, ARG_TEXT);

    arg->null = !s.p;
    if (s.p)
        buf_add(&arg->bytes, s);
}

size_t args_array(struct args *a, enum arg_type type)
{
    static const char head[HEAD_BYTES];
    struct arg *arg = next(a, type);

    arg->array = true;
    buf_add(&arg->bytes, (struct str){head, sizeof(head)}); /* filled in by args_check() */
    return a->n - 1;
}

static struct buf *element(struct args *a, size_t at, enum arg_type type)
{
    struct arg *arg = &a->items[at];

    MUST(arg->array && arg->type == type);
    arg->elements++;
    return &arg->bytes;
}

void args_add_i64(struct args *a, size_t at, int64_t v)
{
    struct buf *b = element(a, at, ARG_I64);

    add_u32(b, sizeof(v));
    add_i64(b, v);
}

void args_add_wall(struct args *a, size_t at, struct wall t)
{
    if (wall_is_never(t)) {
        add_u32(element(a, at, ARG_I64), UINT32_MAX); /* length -1 */
        a->items[at].holds_null = true;
    } else {
        args_add_i64(a, at, t.us);
    }
}

void args_add_uuid(struct args *a, size_t at, struct uuid u)
{
    struct buf *b = element(a, at, ARG_UUID);

    add_u32(b, sizeof(u.b));
    add_uuid(b, &u);
}

void args_add_str(struct args *a, size_t at, struct str s)
{
    struct buf *b = element(a, at, ARG_TEXT);

    if (s.n > ARG_BYTES_MAX) {
        b->failed = ERR_TOO_LARGE;
        return;
    }
    add_u32(b, (uint32_t)s.n);
    buf_add(b, s);
}

void args_uuids(struct args *a, const struct uuid *ids, size_t n)
{
    size_t at = args_array(a, ARG_UUID);

    for (size_t i = 0; i < n; i++)
        args_add_uuid(a, at, ids[i]);
}

static void put_u32(char *p, uint32_t v)
{
    uint32_t be = htobe32(v);

    memcpy(p, &be, sizeof(be));
}

static void fill_head(struct arg *a)
{
    char *p = a->bytes.p;

    put_u32(p, a->elements > 0);
    put_u32(p + 4, a->holds_null);
    put_u32(p + 8, element_oid(a->type));
    put_u32(p + 12, a->elements);
    put_u32(p + 16, 1);
    if (a->elements == 0)
        a->bytes.n = EMPTY_HEAD_BYTES;
}

enum err args_check(struct args *a, const char *where, struct error *err)
{
    for (size_t i = 0; i < a->n; i++) {
        enum err e = buf_check(&a->items[i].bytes, where, err);

        if (e)
            return e;
        if (a->items[i].array)
            fill_head(&a->items[i]);
    }
    return ERR_NONE;
}
