/*
 * list_runs.c: runs as people look at them: open and dead ones from `run`, ended ones from `run_log`, as one
 * list. A reading transaction sees one moment (REPEATABLE READ), so no run is in both or in neither.
 */
#include "store/choose.h"
#include "store/grow.h"
#include "store/postgres/ops.h"

enum err postgres_get_run(struct store *store, struct uuid id, struct run_record *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(open);
    RESULT(ended);
    enum err e;

    args_uuid(link_args(&s->link), id);
    e = link_send(&s->link, Q_RUN_OPEN_ONE, &open, err);
    if (e)
        return e;
    args_uuid(link_args(&s->link), id);
    e = link_ask(&s->link, Q_RUN_LOG_ONE, &ended, err);
    if (e)
        return e;
    if (row_n(open) + row_n(ended) == 0)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such run");
    row_run_record(row_n(open) > 0 ? open : ended, 0, ret);
    return ERR_NONE;
}

static const enum sql sql_of_source[RUN_SOURCES] = {
    [SOURCE_OPEN_OF] = Q_RUNS_OPEN_OF, [SOURCE_DEAD_OF] = Q_RUNS_DEAD_OF, [SOURCE_LOG_OF] = Q_LOG_OF,
    [SOURCE_RUNS] = Q_RUNS_ALL,        [SOURCE_WAITING] = Q_RUNS_WAITING, [SOURCE_RUNNING] = Q_RUNS_RUNNING,
    [SOURCE_DEAD] = Q_RUNS_DEAD,       [SOURCE_LOG] = Q_LOG_ALL,          [SOURCE_LOG_OTHER] = Q_LOG_OTHER,
};

static enum err read_page(struct postgres_store *s, enum sql id, const struct run_filter *f,
                          struct run_record_list *ret, struct error *err)
{
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    args_uuid(a, run_page_before(f));
    if (f->state >= 0)
        args_i64(a, f->state);
    else
        args_null(a, ARG_I64);
    args_i64(a, (int64_t)f->limit);
    if (!uuid_is_nil(f->schedule_id))
        args_uuid(a, f->schedule_id);
    e = link_ask(&s->link, id, &r, err);
    for (size_t i = 0; !e && i < row_n(r); i++) {
        e = LIST_RESERVE(ret, err);
        if (!e)
            row_run_record(r, i, &ret->items[ret->n++]);
    }
    return e;
}

enum err postgres_list_runs(struct store *store, const struct run_filter *f, struct run_record_list *ret,
                            struct error *err)
{
    struct run_sources from = choose_sources(f);

    for (size_t i = 0; i < from.n; i++) {
        enum err e = read_page(postgres_of(store), sql_of_source[from.items[i]], f, ret, err);

        if (e)
            return e;
    }
    run_pages_merge(ret, f->limit);
    return ERR_NONE;
}
