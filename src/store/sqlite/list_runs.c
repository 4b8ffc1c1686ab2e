/*
 * list_runs.c: runs as people look at them: open and dead ones from `run`, ended ones from `run_log`, as one
 * list.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/grow.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

static void col_run_record(struct query *q, struct run_record *ret)
{
    struct run_record r = {0};
    struct str error;
    int at = col_run(q, 0, &r.run);

    r.started_at = col_wall(q, at);
    r.ended_at = col_wall(q, at + 1);
    r.took_us = col_i64(q, at + 2);
    r.status = (int)col_i64(q, at + 3);
    error = col_str(q, at + 4);
    if (error.n >= sizeof(r.error))
        error.n = sizeof(r.error) - 1;
    memcpy(r.error, error.p, error.n);
    *ret = r;
}

static enum err read_one(struct sqlite_store *s, enum sql id, const struct uuid *run, bool *ret_there,
                         struct run_record *ret, struct error *err)
{
    QUERY(q, s, id);
    enum err e;

    bind_uuid(&q, run);
    e = query_step(&q, ret_there, err);
    if (!e && *ret_there)
        col_run_record(&q, ret);
    return e;
}

enum err sqlite_get_run(struct store *store, struct uuid id, struct run_record *ret, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    bool there;
    enum err e;

    e = read_one(s, Q_RUN_OPEN_ONE, &id, &there, ret, err);
    if (!e && !there)
        e = read_one(s, Q_RUN_LOG_ONE, &id, &there, ret, err);
    if (e)
        return e;
    return there ? ERR_NONE : error_set(err, ERR_NOT_FOUND, NULL, "no such run");
}

/* The statements that together hold what a filter asks for. */
struct sources {
    enum sql ids[3];
    size_t n;
};

static struct sources sources_of_schedule(int state)
{
    if (state < 0)
        return (struct sources){{Q_RUNS_OPEN_OF, Q_RUNS_DEAD_OF, Q_LOG_OF}, 3};
    if (run_state_open((enum run_state)state))
        return (struct sources){{Q_RUNS_OPEN_OF}, 1};
    return (struct sources){{state == (int)RUN_DEAD ? Q_RUNS_DEAD_OF : Q_LOG_OF}, 1};
}

static struct sources sources_of_all(int state)
{
    if (state < 0)
        return (struct sources){{Q_RUNS_ALL, Q_LOG_ALL}, 2};
    switch ((enum run_state)state) {
    case RUN_PENDING:
    case RUN_RETRYING:
        return (struct sources){{Q_RUNS_WAITING}, 1};
    case RUN_RUNNING:
        return (struct sources){{Q_RUNS_RUNNING}, 1};
    case RUN_DEAD:
        return (struct sources){{Q_RUNS_DEAD}, 1};
    case RUN_SUCCEEDED:
        return (struct sources){{Q_LOG_ALL}, 1};
    case RUN_FAILED:
    case RUN_SKIPPED:
    case RUN_CANCELLED:
        return (struct sources){{Q_LOG_OTHER}, 1};
    }
    return (struct sources){{Q_LOG_ALL}, 1}; /* no such state: no such row */
}

static enum err read_page(struct sqlite_store *s, enum sql id, const struct run_filter *f,
                          struct run_record_list *ret, struct error *err)
{
    static const struct uuid last = {
        {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}};
    QUERY(q, s, id);
    bool row = false;
    enum err e;

    bind_uuid(&q, uuid_is_nil(f->before) ? &last : &f->before);
    if (f->state >= 0)
        bind_i64(&q, f->state);
    else
        bind_null(&q);
    bind_i64(&q, (int64_t)f->limit);
    if (!uuid_is_nil(f->schedule_id))
        bind_uuid(&q, &f->schedule_id);
    while (!(e = query_step(&q, &row, err)) && row) {
        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        col_run_record(&q, &ret->items[ret->n++]);
    }
    return e;
}

static int newest_first(const void *a, const void *b)
{
    const struct run_record *x = a;
    const struct run_record *y = b;

    return uuid_cmp(y->run.id, x->run.id);
}

enum err sqlite_list_runs(struct store *store, const struct run_filter *f, struct run_record_list *ret,
                          struct error *err)
{
    struct sources from =
        uuid_is_nil(f->schedule_id) ? sources_of_all(f->state) : sources_of_schedule(f->state);
    struct sqlite_store *s = sqlite_of(store);

    for (size_t i = 0; i < from.n; i++) {
        enum err e = read_page(s, from.ids[i], f, ret, err);

        if (e)
            return e;
    }
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof(ret->items[0]), newest_first);
    if (ret->n > f->limit)
        ret->n = f->limit;
    return ERR_NONE;
}
