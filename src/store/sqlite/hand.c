/*
 * hand.c: what is done to runs by hand: redriven, discarded, made for times that passed.
 */
#include "base/str.h"
#include "store/choose.h"
#include "store/grow.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

static enum err version_of(struct sqlite_store *s, const struct uuid *schedule, bool *ret_there, int64_t *ret,
                           struct error *err)
{
    QUERY(q, s, Q_FIND_BY_ID);
    enum err e;

    bind_uuid(&q, schedule);
    e = query_step(&q, ret_there, err);
    if (!e && *ret_there)
        *ret = col_i64(&q, 1);
    return e;
}

static enum err is_taken(struct sqlite_store *s, const struct run *run, bool *ret, struct error *err)
{
    QUERY(q, s, Q_IDENTITY_OPEN);

    bind_uuid(&q, &run->schedule_id);
    bind_i64(&q, run->scheduled_at.us);
    return query_step(&q, ret, err);
}

static enum err set_pending(struct sqlite_store *s, const struct uuid *run, int64_t version, struct wall now,
                            struct error *err)
{
    QUERY(q, s, Q_REDRIVE);

    bind_uuid(&q, run);
    bind_i64(&q, now.us);
    bind_i64(&q, version);
    return query_run(&q, NULL, err);
}

static enum err redrive(struct sqlite_store *s, struct run_act *a, struct wall now, struct error *err)
{
    const struct run *run = &a->ret.run;
    int64_t version = 0;
    bool there;
    bool taken;
    enum err e;

    a->result = RUN_NOT_NOW;
    if (run->state != RUN_DEAD)
        return ERR_NONE;
    e = version_of(s, &run->schedule_id, &there, &version, err);
    if (!e)
        e = is_taken(s, run, &taken, err);
    if (e)
        return e;
    a->result = !there ? RUN_ORPHAN : RUN_TAKEN;
    if (!there || taken)
        return ERR_NONE;
    a->result = RUN_ACTED;
    a->made_due = now;
    return set_pending(s, &a->id, version, now, err);
}

static enum err discard(struct sqlite_store *s, struct run_act *a, struct wall now, struct error *err)
{
    const struct run_record *r = &a->ret;
    struct run_end end = {
        .state = RUN_CANCELLED,
        .attempt = r->run.attempt,
        .failures = r->run.failures,
        .started_at = r->started_at,
        .ended_at = now,
        .took_us = r->took_us,
        .status = r->status,
        .error = str_of(r->error),
    };
    struct run_gone gone = {.run = &r->run, .state = RUN_CANCELLED, .delivered = true, .ended_at = now};
    bool waits = r->run.state == RUN_PENDING || r->run.state == RUN_RETRYING;
    enum err e;

    a->result = RUN_NOT_NOW;
    if (!waits && r->run.state != RUN_DEAD)
        return ERR_NONE;
    a->result = RUN_ACTED;
    e = run_move_to_log(s, &r->run, &end, err);
    if (e || !waits)
        return e;
    return schedule_run_ended(s, &gone, now, &a->made_due, err);
}

static enum err act(struct store *store, enum run_act_kind kind, struct run_act *a, struct wall now,
                    struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    enum err e;

    a->made_due = WALL_NEVER;
    a->result = RUN_UNKNOWN;
    e = sqlite_get_run(store, a->id, &a->ret, err);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_NONE : e;
    e = kind == RUN_REDRIVE ? redrive(s, a, now, err) : discard(s, a, now, err);
    if (e || a->result != RUN_ACTED)
        return e;
    return sqlite_get_run(store, a->id, &a->ret, err);
}

enum err sqlite_act_runs(struct store *store, enum run_act_kind kind, struct run_act *acts, size_t n,
                         struct wall now, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        enum err e = act(store, kind, &acts[i], now, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err add_times(struct sqlite_store *s, enum sql id, const struct uuid *schedule, struct wall from,
                          struct wall to, struct wall_list *ret, struct error *err)
{
    struct uuid first = run_id_floor(from);
    QUERY(q, s, id);
    bool row = false;
    enum err e;

    bind_uuid(&q, schedule);
    bind_i64(&q, from.us);
    bind_i64(&q, to.us);
    if (id == Q_TIMES_LOG)
        bind_uuid(&q, &first);
    while (!(e = query_step(&q, &row, err)) && row) {
        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        ret->items[ret->n++] = (struct wall){col_i64(&q, 0)};
    }
    return e;
}

enum err sqlite_times_run(struct store *store, struct uuid schedule_id, struct wall from, struct wall to,
                          struct wall_list *ret, struct error *err)
{
    static const enum sql sources[] = {Q_TIMES_OPEN, Q_TIMES_DEAD, Q_TIMES_LOG};
    struct sqlite_store *s = sqlite_of(store);

    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        enum err e = add_times(s, sources[i], &schedule_id, from, to, ret, err);

        if (e)
            return e;
    }
    wall_list_sort(ret);
    return ERR_NONE;
}

enum err sqlite_release(struct store *store, struct uuid schedule_id, struct wall now, bool *ret,
                        struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    int64_t open = 0;
    int64_t waiting = 0;

    {
        QUERY(q, s, Q_OPEN_COUNT);
        bool row = false;
        enum err e;

        bind_uuid(&q, &schedule_id);
        e = query_step(&q, &row, err);
        if (e)
            return e;
        if (row)
            col_open(&q, 0, &open, &waiting);
    }
    *ret = waiting > 0 && waiting == open;
    return *ret ? release_waiting(s, &schedule_id, now, err) : ERR_NONE;
}
