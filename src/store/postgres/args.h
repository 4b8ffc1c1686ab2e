/*
 * args.h: the parameters of one statement in PostgreSQL's binary form: single values, and arrays that carry a
 * column of many rows each.
 *
 * A failure (memory, size) sticks and is told by args_check(). The buffers are kept from statement to
 * statement, large ones excepted.
 */
#ifndef STORE_POSTGRES_ARGS_H
#define STORE_POSTGRES_ARGS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"

enum arg_type { ARG_I64, ARG_UUID, ARG_TEXT };

struct arg {
    enum arg_type type;
    bool array;
    bool null;         /* a single NULL */
    bool holds_null;   /* array: some element is */
    uint32_t elements; /* array */
    struct buf bytes;
};

enum { ARGS_MAX = 24 };
struct args {
    struct arg items[ARGS_MAX];
    size_t n;
};

void args_init(struct args *a);
void args_done(struct args *a);
void args_clear(struct args *a); /* for the next statement */

/* The next parameter, a single value. */
void args_i64(struct args *a, int64_t v);
void args_wall(struct args *a, struct wall t); /* never is NULL */
void args_uuid(struct args *a, struct uuid u);
void args_str(struct args *a, struct str s); /* p NULL is NULL */
void args_null(struct args *a, enum arg_type type);

/* The next parameter, an array, empty yet. Yields its place, for the args_add functions. */
size_t args_array(struct args *a, enum arg_type type);
void args_add_i64(struct args *a, size_t at, int64_t v);
void args_add_wall(struct args *a, size_t at, struct wall t); /* never is NULL */
void args_add_uuid(struct args *a, size_t at, struct uuid u);
void args_add_str(struct args *a, size_t at, struct str s); /* p NULL is "" */

/* Arrays of whole lists. */
void args_uuids(struct args *a, const struct uuid *ids, size_t n);

/* Completes the arrays; ERR_NONE when everything is whole. Once, before the statement is sent. */
CHECKED enum err args_check(struct args *a, const char *where, struct error *err);
unsigned args_oid(const struct arg *a); /* of its type */

#endif
