/*
 * due.c: timers whose moment comes.
 */
#include "store/grow.h"
#include "store/postgres/ops.h"
#include "store/postgres/timers.h"

/* Locks those that nobody else has. *ret stays NULL when there are none. */
static enum err lock_due(struct postgres_store *s, struct wall until, size_t limit, PGresult **ret,
                         struct error *err)
{
    struct args *a = link_args(&s->link);

    args_i64(a, until.us);
    args_i64(a, (int64_t)limit);
    return link_ask(&s->link, Q_DUE_LOCK, ret, err);
}

static enum err add_due(const PGresult *r, size_t row, struct due_list *ret, struct error *err)
{
    struct due d = {.id = row_uuid(r, row, 0), .version = row_i64(r, row, 1)};
    int at = row_timer(r, row, 3, &d.timer);
    enum err e = LIST_RESERVE(ret, err);

    d.open_runs = row_i64(r, row, at);
    d.waiting_runs = row_i64(r, row, at + 1);
    d.leaving_runs = row_i64(r, row, at + 2);
    d.held_at = row_wall(r, row, at + 3);
    if (!e)
        e = row_copy(r, row, 2, &d.definition, &d.definition_n, err);
    if (e)
        return e;
    ret->items[ret->n++] = d;
    return ERR_NONE;
}

enum err postgres_due(struct store *store, struct wall until, size_t limit, struct due_list *ret,
                      struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(locked);
    RESULT(r);
    struct args *a;
    size_t ids;
    enum err e;

    e = lock_due(s, until, limit, &locked, err);
    if (e || row_n(locked) == 0)
        return e;
    a = link_args(&s->link);
    ids = args_array(a, ARG_UUID);
    for (size_t i = 0; i < row_n(locked); i++)
        args_add_uuid(a, ids, row_uuid(locked, i, 0));
    args_i64(a, ret->max_bytes > 0 ? (int64_t)ret->max_bytes : INT64_MAX);
    e = link_ask(&s->link, Q_DUE_READ, &r, err);
    if (!e)
        ret->cut = row_n(locked) == limit || row_n(r) < row_n(locked);
    for (size_t i = 0; !e && i < row_n(r); i++)
        e = add_due(r, i, ret, err);
    return e;
}

static enum err end_replaced(struct postgres_store *s, const struct advance *a, size_t n, struct wall now,
                             struct error *err)
{
    CLEANUP(uuid_list_done) struct uuid_list replaced = {0};

    for (size_t i = 0; i < n; i++) {
        enum err e;

        if (!a[i].replace)
            continue;
        e = LIST_RESERVE(&replaced, err);
        if (e)
            return e;
        replaced.items[replaced.n++] = a[i].id;
    }
    return timers_end_runs(s, replaced.items, replaced.n, END_REPLACED, now, err);
}

static enum err owe(struct postgres_store *s, const struct advance *a, size_t n, struct error *err)
{
    struct args *args = link_args(&s->link);
    size_t ids = args_array(args, ARG_UUID);
    size_t at = args_array(args, ARG_I64);
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (a[i].owed_at.us == 0)
            continue;
        args_add_uuid(args, ids, a[i].id);
        args_add_i64(args, at, a[i].owed_at.us);
        any = true;
    }
    return any ? link_send(&s->link, Q_OWE, NULL, err) : ERR_NONE;
}

enum err postgres_advance(struct store *store, const struct advance *a, size_t n, struct wall now,
                          struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *args;
    enum err e;

    if (n == 0)
        return ERR_NONE;
    args = timer_args(s, now);
    for (size_t i = 0; i < n; i++) {
        timer_args_add(args, a[i].id, &a[i].after);
        postgres_tally(s, (int)a[i].before, (int)a[i].after.state);
    }
    e = link_send(&s->link, Q_TIMERS_UPDATE, NULL, err);
    if (!e)
        e = owe(s, a, n, err);
    return e ? e : end_replaced(s, a, n, now, err);
}

enum err postgres_next_due(struct store *store, struct wall *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct wall next = WALL_NEVER;
    RESULT(r);
    enum err e;

    (void)link_args(&s->link);
    e = link_ask(&s->link, Q_NEXT_DUE, &r, err);
    if (e)
        return e;
    for (int i = 0; i < 3; i++)
        next = wall_min(next, row_wall(r, 0, i));
    *ret = next;
    return ERR_NONE;
}
