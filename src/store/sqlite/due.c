/*
 * due.c: timers whose moment comes.
 */
#include "store/grow.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

static enum err col_due(struct query *q, struct due *ret, struct error *err)
{
    struct due d = {0};
    enum err e;
    int at;

    d.id = col_uuid(q, 0);
    d.version = col_i64(q, 1);
    at = col_timer(q, 3, &d.timer);
    col_open(q, at, &d.open_runs, &d.waiting_runs);
    d.leaving_runs = col_i64(q, at + 1);
    d.held_at = col_wall(q, at + 2);
    e = col_copy(q, 2, &d.definition, &d.definition_n, err);
    if (e)
        return e;
    *ret = d;
    return ERR_NONE;
}

enum err sqlite_due(struct store *store, struct wall until, size_t limit, struct due_list *ret,
                    struct error *err)
{
    QUERY(q, sqlite_of(store), Q_DUE);
    size_t first = ret->n;
    size_t bytes = 0;
    bool row = false;
    enum err e;

    /* One writer: BEGIN IMMEDIATE has locked the rows already. */
    bind_i64(&q, until.us);
    bind_i64(&q, (int64_t)limit);
    while (!(e = query_step(&q, &row, err)) && row) {
        e = LIST_RESERVE(ret, err);
        if (!e)
            e = col_due(&q, &ret->items[ret->n], err);
        if (e)
            return e;
        bytes += ret->items[ret->n++].definition_n;
        ret->cut = ret->n - first == limit || (ret->max_bytes > 0 && bytes >= ret->max_bytes);
        if (ret->cut)
            break;
    }
    return e;
}

static enum err owe(struct sqlite_store *s, const struct uuid *schedule, struct wall scheduled_at,
                    struct error *err)
{
    QUERY(q, s, Q_OWE);

    bind_uuid(&q, schedule);
    bind_i64(&q, scheduled_at.us);
    return query_run(&q, NULL, err);
}

enum err sqlite_advance(struct store *store, const struct advance *a, size_t n, struct wall now,
                        struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);

    for (size_t i = 0; i < n; i++) {
        enum err e = timer_write(s, Q_TIMER_UPDATE, &a[i].id, &a[i].after, (int)a[i].before, now, err);

        if (!e && a[i].owed_at.us != 0)
            e = owe(s, &a[i].id, a[i].owed_at, err);
        if (!e && a[i].replace)
            e = end_open_runs(s, &a[i].id, now, NULL, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err sqlite_next_due(struct store *store, struct wall *ret, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_NEXT_DUE);
    struct wall next = WALL_NEVER;
    bool row = false;
    enum err e;

    e = query_step(&q, &row, err);
    if (e)
        return e;
    for (int i = 0; row && i < 3; i++)
        next = wall_min(next, col_wall(&q, i));
    *ret = next;
    return ERR_NONE;
}
