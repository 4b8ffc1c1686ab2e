/*
 * run.c: runs are made, and their leases prolonged.
 */
#include "base/alloc.h"
#include "base/map.h"
#include "store/grow.h"
#include "store/postgres/ops.h"

/* How often identities may be moved: each step is an open run that has one, and they are few. */
enum { NUDGE_MAX = 10000 };

static void add_run(struct args *a, const struct run_insert *in)
{
    const struct run *r = &in->run;

    args_add_uuid(a, 0, r->id);
    args_add_uuid(a, 1, r->schedule_id);
    args_add_i64(a, 2, r->schedule_version);
    args_add_i64(a, 3, r->scheduled_at.us);
    args_add_wall(a, 4, r->due_at);
    args_add_i64(a, 5, (int64_t)r->state);
    args_add_i64(a, 6, r->attempt);
    args_add_i64(a, 7, r->failures);
    args_add_i64(a, 8, (int64_t)r->lease_token);
    args_add_i64(a, 9, r->lease_until.us);
    args_add_i64(a, 10, r->by_hand_at.us);
    args_add_str(a, 11, in->label);
}

static enum err insert(struct postgres_store *s, struct run_insert *const *runs, size_t n, PGresult **ret,
                       struct error *err)
{
    struct args *a = link_args(&s->link);

    (void)args_array(a, ARG_UUID);
    (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < 9; i++)
        (void)args_array(a, ARG_I64);
    (void)args_array(a, ARG_TEXT);
    for (size_t i = 0; i < n; i++)
        add_run(a, runs[i]);
    return link_ask(&s->link, Q_RUNS_INSERT, ret, err);
}

static enum err made_map(const PGresult *r, struct map *ret, struct error *err)
{
    for (size_t i = 0; i < row_n(r); i++) {
        enum err e = map_put(ret, row_uuid(r, i, 0), ret, err); /* any value says that it is there */

        if (e)
            return e;
    }
    return ERR_NONE;
}

/* Of the first *n, keeps those that were not made, their identity moved on by 1 µs. */
static enum err keep_unmade(const PGresult *made, struct run_insert **runs, size_t *n, struct error *err)
{
    struct map is_made;
    size_t left = 0;
    enum err e;

    map_init(&is_made);
    e = made_map(made, &is_made, err);
    for (size_t i = 0; !e && i < *n; i++) {
        if (map_get(&is_made, runs[i]->run.id))
            continue;
        runs[i]->run.scheduled_at = wall_add(runs[i]->run.scheduled_at, 1);
        runs[left++] = runs[i];
    }
    map_done(&is_made);
    if (!e)
        *n = left;
    return e;
}

/* `runs` is changed. */
static enum err insert_all(struct postgres_store *s, struct run_insert **runs, size_t n, struct error *err)
{
    for (int i = 0; n > 0 && i < NUDGE_MAX; i++) {
        RESULT(made);
        enum err e = insert(s, runs, n, &made, err);

        if (!e && row_n(made) == n)
            return ERR_NONE;
        if (!e)
            e = keep_unmade(made, runs, &n, err);
        if (e)
            return e;
    }
    if (n > 0)
        return error_set(err, ERR_INTERNAL, NULL, "too many open runs at one time of one schedule");
    return ERR_NONE;
}

enum err postgres_insert_runs(struct store *store, struct run_insert *runs, size_t n, struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct run_insert **all;
    enum err e;

    if (n == 0)
        return ERR_NONE;
    e = alloc_array(n, sizeof(struct run_insert *), &p, err);
    if (e)
        return e;
    all = p;
    for (size_t i = 0; i < n; i++)
        all[i] = &runs[i];
    return insert_all(postgres_of(store), all, n, err);
}

enum err postgres_insert_run(struct store *store, struct run_insert *run, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    RESULT(timer);
    enum err e;

    /* The number of open runs changes: see postgres.h. */
    args_uuid(a, run->run.schedule_id);
    e = link_ask(&s->link, Q_GET_LOCK, &timer, err);
    if (e)
        return e;
    if (row_n(timer) == 0)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    return insert_all(s, &run, 1, err);
}

static enum err name_lost(const struct uuid *runs, const bool *renewed, size_t n, struct uuid_list *ret,
                          struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        enum err e;

        if (renewed[i])
            continue;
        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        ret->items[ret->n++] = runs[i];
    }
    return ERR_NONE;
}

enum err postgres_renew(struct store *store, const struct uuid *runs, const uint64_t *tokens, size_t n,
                        struct wall until, struct uuid_list *ret_lost, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    CLEANUP(alloc_free_p) void *renewed = NULL;
    struct args *a;
    RESULT(r);
    enum err e;

    if (n == 0)
        return ERR_NONE;
    e = alloc_array(n, sizeof(bool), &renewed, err);
    if (e)
        return e;
    a = link_args(&s->link);
    args_uuids(a, runs, n);
    (void)args_array(a, ARG_I64);
    for (size_t i = 0; i < n; i++)
        args_add_i64(a, 1, (int64_t)tokens[i]);
    args_i64(a, until.us);
    e = link_ask(&s->link, Q_RENEW, &r, err);
    if (e)
        return e;
    for (size_t i = 0; i < row_n(r); i++)
        ((bool *)renewed)[(size_t)row_i64(r, i, 0) - 1] = true;
    return name_lost(runs, renewed, n, ret_lost, err);
}

static enum err name(struct uuid run, struct uuid_list *ret, struct error *err)
{
    enum err e = LIST_RESERVE(ret, err);

    if (!e)
        ret->items[ret->n++] = run;
    return e;
}

enum err postgres_doomed(struct store *store, const struct uuid *runs, size_t n, struct uuid_list *ret,
                         struct uuid_list *ret_replaced, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    args_uuids(a, runs, n);
    e = link_ask(&s->link, Q_DOOMED, &r, err);
    for (size_t i = 0; !e && i < row_n(r); i++) {
        e = name(row_uuid(r, i, 0), ret, err);
        if (!e && row_i64(r, i, 1) != 0)
            e = name(row_uuid(r, i, 0), ret_replaced, err);
    }
    return e;
}
