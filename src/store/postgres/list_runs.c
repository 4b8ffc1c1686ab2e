/*
 * list_runs.c: runs as people look at them: open and dead ones from `run`, ended ones from `run_log`, as one
 * list. A reading transaction sees one moment (REPEATABLE READ), so no run is in both or in neither.
 */
#include "store/choose.h"
#include "store/each.h"
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

static void args_page(struct args *a, const struct run_filter *f)
{
    args_uuid(a, run_page_before(f));
    if (f->state >= 0)
        args_i64(a, f->state);
    else
        args_null(a, ARG_I64);
    args_i64(a, (int64_t)f->limit);
}

static enum err read_rows(const PGresult *r, struct run_record_list *ret, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < row_n(r); i++) {
        e = LIST_RESERVE(ret, err);
        if (!e)
            row_run_record(r, i, &ret->items[ret->n++]);
    }
    return e;
}

static enum err read_page(struct postgres_store *s, enum sql id, const struct run_filter *f,
                          struct run_record_list *ret, struct error *err)
{
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    args_page(a, f);
    if (!uuid_is_nil(f->schedule_id))
        args_uuid(a, f->schedule_id);
    e = link_ask(&s->link, id, &r, err);
    return e ? e : read_rows(r, ret, err);
}

enum err postgres_list_runs(struct store *store, const struct run_filter *f, struct run_record_list *ret,
                            struct error *err)
{
    struct run_sources from = choose_sources(f);
    size_t first = ret->n;

    for (size_t i = 0; i < from.n; i++) {
        enum err e = read_page(postgres_of(store), sql_of_source[from.items[i]], f, ret, err);

        if (e)
            return e;
    }
    run_pages_merge(ret, first, f->limit);
    return ERR_NONE;
}

/* One statement, whatever is asked for. */
static enum sql sql_of_many(const struct run_filter *f)
{
    struct run_filter of_one = *f;
    struct run_sources from;

    of_one.schedule_id = (struct uuid){{1}}; /* any but nil */
    from = choose_sources(&of_one);
    if (from.n > 1)
        return Q_RUNS_OF_EACH;
    switch (from.items[0]) {
    case SOURCE_OPEN_OF:
        return Q_RUNS_OPEN_OF_EACH;
    case SOURCE_DEAD_OF:
        return Q_RUNS_DEAD_OF_EACH;
    case SOURCE_LOG_OF:
    case SOURCE_RUNS:
    case SOURCE_WAITING:
    case SOURCE_RUNNING:
    case SOURCE_DEAD:
    case SOURCE_LOG:
    case SOURCE_LOG_OTHER:
    case RUN_SOURCES:
        break;
    }
    return Q_LOG_OF_EACH;
}

enum err postgres_list_runs_of(struct store *store, const struct uuid *ids, size_t n,
                               const struct run_filter *f, size_t most, struct run_record_list *ret,
                               struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    size_t first = ret->n;
    RESULT(r);
    enum err e;

    args_page(a, f);
    args_uuids(a, ids, n);
    args_i64(a, (int64_t)most + 1);
    e = link_ask(&s->link, sql_of_many(f), &r, err);
    if (e)
        return e;
    if (row_n(r) > most)
        return each_too_many(most, err);
    e = read_rows(r, ret, err);
    run_pages_sort(ret, first);
    return e;
}
