/*
 * put.h: the two halves of registration: put.c (what is new) and put_replace.c (what is there).
 */
#ifndef STORE_POSTGRES_PUT_H
#define STORE_POSTGRES_PUT_H

#include "store/postgres/conn.h"

struct put_list {
    struct put **items; /* borrowed */
    size_t n;
    size_t cap;
};
CHECKED enum err put_list_add(struct put_list *l, struct put *p, struct error *err);
void put_list_done(struct put_list *l);

struct uuid put_hash(const struct put *p);
/* Begins Q_PUT_NEW or Q_PUT_OVER: $1 `now` and the arrays, empty. */
struct args *put_args(struct postgres_store *s, struct wall now);
/* A row of them. */
void put_args_schedule(struct args *a, struct uuid id, const struct put *p);

/*
 * Replaces what is there, or judges that it is not (put.result). Stops before one that changes an identity,
 * or behind it when it is the first; *ret_n are done, at least one. Those that ask for neither an id nor a
 * version and are not there are left to the caller, in their order: in `ret_gone`.
 */
CHECKED enum err put_replace(struct postgres_store *s, struct put **puts, size_t n, struct wall now,
                             size_t *ret_n, struct put_list *ret_gone, struct error *err);
/* ERR_BUSY. */
enum err put_changed_meanwhile(struct error *err);

#endif
