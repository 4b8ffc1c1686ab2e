/*
 * put.c: registration and replacement, sets at a time.
 *
 * A group's registrations are cut into stretches. Those by identity are inserted, by one statement; what that
 * found taken replaces. Those by id or of a version only replace. To replace means: lock what is wanted, read
 * it, judge one after the other on what was read and what the ones before made of it, write what is left of
 * each schedule.
 *
 * A replacement that changes an identity is a stretch of its own: those behind it are judged on what it left
 * in the database. What another instance deletes in between is inserted after all; what else it changes,
 * which the unique index or the locks show, is ERR_BUSY: the group is run again.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/str.h"
#include "store/grow.h"
#include "store/postgres/ops.h"
#include "store/postgres/put.h"
#include "store/postgres/timers.h"

/* A stretch: as much as one statement shall carry. */
enum { STRETCH_ROWS = 2000, STRETCH_BYTES = 16 << 20 };
/* Of what is deleted under our hands. */
enum { TRIES = 5 };

struct uuid put_hash(const struct put *p)
{
    struct uuid u;

    _Static_assert(sizeof(u.b) == CLIENT_HASH_BYTES, "a hash fits a uuid");
    for (size_t i = 0; i < sizeof(u.b); i++)
        u.b[i] = p->schedule->hash.b[i];
    return u;
}

enum err put_list_add(struct put_list *l, struct put *p, struct error *err)
{
    enum err e = LIST_RESERVE(l, err);

    if (e)
        return e;
    l->items[l->n++] = p;
    return ERR_NONE;
}

void put_list_done(struct put_list *l)
{
    alloc_free(l->items);
}

/* --- new ones --- */

/* Who inserts several identities does so in one order, so that no two wait for each other. */
static int by_identity(const void *a, const void *b)
{
    const struct put *x = *(struct put *const *)a;
    const struct put *y = *(struct put *const *)b;
    int order = str_cmp(x->schedule->client.key, y->schedule->client.key);

    return order != 0 ? order : uuid_cmp(put_hash(x), put_hash(y));
}

void put_args_schedule(struct args *a, struct uuid id, const struct put *p)
{
    const struct schedule *s = p->schedule;

    args_add_uuid(a, 1, id);
    args_add_uuid(a, 2, put_hash(p));
    args_add_str(a, 3, s->client.operation);
    args_add_str(a, 4, s->client.application);
    args_add_str(a, 5, s->client.group);
    args_add_str(a, 6, s->client.key);
    args_add_str(a, 7, s->client.type);
    args_add_str(a, 8, s->name);
    args_add_str(a, 9, p->definition);
}

struct args *put_args(struct postgres_store *s, struct wall now)
{
    struct args *a = link_args(&s->link);

    args_i64(a, now.us);
    for (size_t i = 0; i < 2; i++)
        (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < 7; i++)
        (void)args_array(a, ARG_TEXT);
    return a;
}

static enum err insert(struct postgres_store *s, struct put *const *puts, size_t n, struct wall now,
                       PGresult **ret, struct error *err)
{
    struct args *a = put_args(s, now);
    enum err e;

    for (size_t i = 0; i < n; i++)
        put_args_schedule(a, puts[i]->id, puts[i]);
    e = link_send(&s->link, Q_PUT_NEW, ret, err);
    if (e)
        return e;
    a = timer_args(s, now);
    for (size_t i = 0; i < n; i++)
        timer_args_add(a, puts[i]->id, &puts[i]->timer);
    return link_ask(&s->link, Q_PUT_NEW_TIMERS, NULL, err);
}

static void mark_created(struct postgres_store *s, struct put *p)
{
    p->result = ERR_NONE;
    p->ret_id = p->id;
    p->ret_created = true;
    p->ret_version = 1;
    postgres_tally(s, -1, (int)p->timer.state);
}

/* The ids that were inserted, as a set. */
static enum err created_ids(const PGresult *r, struct map *ret, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < row_n(r); i++)
        e = map_put(ret, row_uuid(r, i, 0), ret, err); /* any value says that it is there */
    return e;
}

/* Those of `puts` that were inserted are done; the others are kept in `left`, in their order. */
static enum err sort_out(struct postgres_store *s, const PGresult *made, struct put **puts, size_t n,
                         struct put_list *left, struct error *err)
{
    struct map created;
    enum err e;

    map_init(&created);
    e = created_ids(made, &created, err);
    for (size_t i = 0; !e && i < n; i++) {
        if (map_get(&created, puts[i]->id))
            mark_created(s, puts[i]);
        else
            e = put_list_add(left, puts[i], err);
    }
    map_done(&created);
    return e;
}

/* The first of each identity; further ones replace it. */
static enum err first_ones(const struct put_list *puts, struct put_list *first, struct put_list *left,
                           struct error *err)
{
    struct map seen;
    enum err e = ERR_NONE;

    map_init(&seen);
    for (size_t i = 0; !e && i < puts->n; i++) {
        struct uuid hash = put_hash(puts->items[i]);
        bool again = map_get(&seen, hash) != NULL;

        if (!again)
            e = map_put(&seen, hash, &seen, err);
        if (!e)
            e = put_list_add(again ? left : first, puts->items[i], err);
    }
    map_done(&seen);
    return e;
}

static int by_place(const void *a, const void *b)
{
    const struct put *x = *(struct put *const *)a;
    const struct put *y = *(struct put *const *)b;

    return (x > y) - (x < y);
}

/* Those in `ret_gone` were found by the insertion, and were deleted before they could be replaced. */
static enum err insert_or_replace(struct postgres_store *s, const struct put_list *puts, struct wall now,
                                  struct put_list *ret_gone, struct error *err)
{
    CLEANUP(put_list_done) struct put_list first = {0};
    CLEANUP(put_list_done) struct put_list left = {0};
    RESULT(made);
    size_t replaced;
    enum err e;

    e = first_ones(puts, &first, &left, err);
    if (e)
        return e;
    qsort(first.items, first.n, sizeof(struct put *), by_identity);
    e = insert(s, first.items, first.n, now, &made, err);
    if (!e)
        e = sort_out(s, made, first.items, first.n, &left, err);
    if (e || left.n == 0)
        return e;
    qsort(left.items, left.n, sizeof(struct put *), by_place);
    e = put_replace(s, left.items, left.n, now, &replaced, ret_gone, err);
    MUST(e || replaced == left.n); /* by identity, none changes one */
    return e;
}

static enum err put_by_identity(struct postgres_store *s, struct put_list *puts, struct wall now,
                                struct error *err)
{
    for (int i = 0; i < TRIES; i++) {
        struct put_list gone = {0};
        enum err e = insert_or_replace(s, puts, now, &gone, err);

        put_list_done(puts);
        *puts = gone;
        if (e || gone.n == 0)
            return e;
    }
    return put_changed_meanwhile(err);
}

static enum err put_over(struct postgres_store *s, struct put_list *puts, struct wall now, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t at = 0; !e && at < puts->n;) {
        CLEANUP(put_list_done) struct put_list gone = {0};
        size_t done = 0;

        e = put_replace(s, puts->items + at, puts->n - at, now, &done, &gone, err);
        MUST(gone.n == 0); /* they are judged not to be there */
        at += done;
    }
    return e;
}

/* By id, or of a version: what is not there is not made. */
static bool only_replaces(const struct put *p)
{
    return p->by_id || p->if_version != 0;
}

static size_t stretch(const struct put *puts, size_t n)
{
    size_t bytes = 0;
    size_t i = 0;

    while (i < n && i < STRETCH_ROWS && bytes < STRETCH_BYTES &&
           only_replaces(&puts[i]) == only_replaces(&puts[0]))
        bytes += puts[i++].definition.n;
    return i;
}

static enum err put_stretch(struct postgres_store *s, struct put *puts, size_t n, struct wall now,
                            struct error *err)
{
    CLEANUP(put_list_done) struct put_list list = {0};
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < n; i++)
        e = put_list_add(&list, &puts[i], err);
    if (e)
        return e;
    return only_replaces(&puts[0]) ? put_over(s, &list, now, err) : put_by_identity(s, &list, now, err);
}

enum err postgres_put(struct store *store, struct put *puts, size_t n, struct wall now, struct error *err)
{
    for (size_t at = 0; at < n;) {
        size_t some = stretch(puts + at, n - at);
        enum err e = put_stretch(postgres_of(store), puts + at, some, now, err);

        if (e)
            return e;
        at += some;
    }
    return ERR_NONE;
}
