/*
 * retake.c: runs that wait for nobody any more, and runs whose holder is gone, get a new lease.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "store/grow.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

/* Doomed, or left without a definition: not to be tried again. */
struct ended_list {
    struct ended {
        struct run run;
        char *label; /* owned */
        size_t label_n;
    } * items;
    size_t n;
    size_t cap;
};

static void ended_list_done(struct ended_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        alloc_free(l->items[i].label);
    alloc_free(l->items);
}

static enum err add_ended(struct query *q, const struct run *run, int label_at, struct ended_list *l,
                          struct error *err)
{
    struct ended ended = {.run = *run};
    enum err e = LIST_RESERVE(l, err);

    if (!e)
        e = col_copy(q, label_at, &ended.label, &ended.label_n, err);
    if (e)
        return e;
    l->items[l->n++] = ended;
    return ERR_NONE;
}

static enum err add_taken(struct query *q, const struct run *run, int definition_at, struct taken_list *ret,
                          struct error *err)
{
    struct taken t = {.run = *run};
    enum err e;

    e = LIST_RESERVE(ret, err);
    if (!e)
        e = col_copy(q, definition_at, &t.definition, &t.definition_n, err);
    if (e)
        return e;
    ret->items[ret->n++] = t;
    ret->bytes += t.definition_n;
    return ERR_NONE;
}

static enum err gather(struct query *q, struct taken_list *ret, struct ended_list *ended, struct error *err)
{
    bool row = false;
    enum err e = ERR_NONE;

    while (!taken_list_is_full(ret) && !(e = query_step(q, &row, err)) && row) {
        struct run run = {0};
        int at = col_run(q, 0, &run);
        bool doomed;

        run.unseen = col_i64(q, at + 3) != 0;
        doomed = col_i64(q, at) == 1 || sqlite3_column_type(q->stmt, at + 1) == SQLITE_NULL;

        if (!doomed && col_i64(q, at) != 0) /* owed */
            run.schedule_version = col_i64(q, at + 4);
        e = doomed ? add_ended(q, &run, at + 2, ended, err) : add_taken(q, &run, at + 1, ret, err);
        if (e)
            return e;
    }
    return e;
}

static enum err collect(struct sqlite_store *s, enum sql id, struct wall until, size_t limit,
                        struct taken_list *ret, struct ended_list *ended, struct error *err)
{
    QUERY(q, s, id);

    bind_i64(&q, until.us);
    bind_i64(&q, (int64_t)limit);
    return gather(&q, ret, ended, err);
}

static enum err take(struct sqlite_store *s, const struct lease *lease, struct run *run, struct error *err)
{
    QUERY(q, s, Q_RETAKE);
    enum err e;

    bind_i64(&q, run->schedule_version);
    bind_uuid(&q, &lease->instance);
    bind_i64(&q, (int64_t)lease->token);
    bind_i64(&q, lease->until.us);
    bind_uuid(&q, &run->id);
    e = query_run(&q, NULL, err);
    if (e)
        return e;
    run->state = RUN_RUNNING;
    run->attempt++;
    run->lease_token = lease->token;
    run->lease_until = lease->until;
    return ERR_NONE;
}

static enum err cancel(struct sqlite_store *s, const struct ended *ended, struct wall now, struct error *err)
{
    const struct run *run = &ended->run;
    struct run_end end = {
        .state = RUN_CANCELLED,
        .attempt = run->attempt,
        .failures = run->failures,
        .started_at = WALL_NEVER,
        .ended_at = now,
        .error = STR("its holder was lost after its schedule had changed"),
    };
    /* Whether its holder began an attempt nobody knows. */
    struct run_gone gone = {
        .run = run, .state = RUN_CANCELLED, .delivered = run->failures > 0, .ended_at = now};
    struct wall due;
    enum err e;

    e = run_move_to_log(s, run, &end, err);
    if (!e)
        e = journal_trace_cancelled(s->store.journal, run, (struct str){ended->label, ended->label_n}, err);
    if (e)
        return e;
    return schedule_run_ended(s, &gone, now, &due, err);
}

enum err sqlite_retake(struct store *store, const struct lease *lease, struct wall now, struct wall until,
                       size_t limit, struct taken_list *ret, struct error *err)
{
    CLEANUP(ended_list_done) struct ended_list ended = {0};
    struct sqlite_store *s = sqlite_of(store);
    size_t first = ret->n;
    enum err e;

    e = collect(s, Q_RETAKE_LOST, now, limit, ret, &ended, err);
    if (!e && ret->n - first < limit)
        e = collect(s, Q_RETAKE_DUE, until, limit - (ret->n - first), ret, &ended, err);
    for (size_t i = first; !e && i < ret->n; i++)
        e = take(s, lease, &ret->items[i].run, err);
    for (size_t i = 0; !e && i < ended.n; i++)
        e = cancel(s, &ended.items[i], now, err);
    return e;
}
