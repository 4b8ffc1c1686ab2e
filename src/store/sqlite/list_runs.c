/*
 * list_runs.c: runs as people look at them: open and dead ones from `run`, ended ones from `run_log`, as one
 * list.
 */
#include "base/str.h"
#include "store/choose.h"
#include "store/grow.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

static enum err read_one(struct sqlite_store *s, enum sql id, const struct uuid *run, bool *ret_there,
                         struct run_record *ret, struct error *err)
{
    QUERY(q, s, id);
    enum err e;

    bind_uuid(&q, run);
    e = query_step(&q, ret_there, err);
    if (!e && *ret_there)
        (void)col_run_record(&q, ret);
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

static const enum sql sql_of_source[RUN_SOURCES] = {
    [SOURCE_OPEN_OF] = Q_RUNS_OPEN_OF, [SOURCE_DEAD_OF] = Q_RUNS_DEAD_OF, [SOURCE_LOG_OF] = Q_LOG_OF,
    [SOURCE_RUNS] = Q_RUNS_ALL,        [SOURCE_WAITING] = Q_RUNS_WAITING, [SOURCE_RUNNING] = Q_RUNS_RUNNING,
    [SOURCE_DEAD] = Q_RUNS_DEAD,       [SOURCE_LOG] = Q_LOG_ALL,          [SOURCE_LOG_OTHER] = Q_LOG_OTHER,
};

static enum err read_page(struct sqlite_store *s, enum sql id, const struct run_filter *f,
                          struct run_record_list *ret, struct error *err)
{
    struct uuid before = run_page_before(f);
    QUERY(q, s, id);
    bool row = false;
    enum err e;

    bind_uuid(&q, &before);
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
        (void)col_run_record(&q, &ret->items[ret->n++]);
    }
    return e;
}

enum err sqlite_list_runs(struct store *store, const struct run_filter *f, struct run_record_list *ret,
                          struct error *err)
{
    struct run_sources from = choose_sources(f);
    size_t first = ret->n;
    struct sqlite_store *s = sqlite_of(store);

    for (size_t i = 0; i < from.n; i++) {
        enum err e = read_page(s, sql_of_source[from.items[i]], f, ret, err);

        if (e)
            return e;
    }
    run_pages_merge(ret, first, f->limit);
    return ERR_NONE;
}
