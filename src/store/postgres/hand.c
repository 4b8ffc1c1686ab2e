/*
 * hand.c: what is done to runs by hand: redriven, discarded, made for times that passed.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "store/choose.h"
#include "store/grow.h"
#include "store/postgres/ops.h"

static void args_acts(struct args *a, const struct run_act *acts, size_t n)
{
    size_t ids = args_array(a, ARG_UUID);

    for (size_t i = 0; i < n; i++)
        args_add_uuid(a, ids, acts[i].id);
}

/* Timers first, as everywhere. Those that come out are of schedules that are there. */
static enum err lock_schedules(struct postgres_store *s, const struct run_act *acts, size_t n,
                               PGresult **ret_timers, struct error *err)
{
    RESULT(runs);
    struct args *a;
    size_t ids;
    enum err e;

    args_acts(link_args(&s->link), acts, n);
    e = link_ask(&s->link, Q_ORPHANS, &runs, err);
    if (e)
        return e;
    a = link_args(&s->link);
    ids = args_array(a, ARG_UUID);
    for (size_t i = 0; i < row_n(runs); i++)
        args_add_uuid(a, ids, row_uuid(runs, i, 1));
    return link_ask(&s->link, Q_TIMERS_LOCK, ret_timers, err);
}

/* Every act's run as it is; a result of RUN_UNKNOWN for those that are not. Others keep theirs. */
static enum err read_acts(struct postgres_store *s, struct run_act *acts, size_t n, struct error *err)
{
    RESULT(open);
    RESULT(ended);
    enum err e;

    args_acts(link_args(&s->link), acts, n);
    e = link_send(&s->link, Q_RUNS_OPEN_MANY, &open, err);
    if (e)
        return e;
    args_acts(link_args(&s->link), acts, n);
    e = link_ask(&s->link, Q_RUNS_LOG_MANY, &ended, err);
    if (e)
        return e;
    for (size_t i = 0; i < n; i++) {
        size_t at;

        if (row_find(open, 0, acts[i].id, &at))
            row_run_record(open, at, &acts[i].ret);
        else if (row_find(ended, 0, acts[i].id, &at))
            row_run_record(ended, at, &acts[i].ret);
        else
            acts[i].result = RUN_UNKNOWN;
    }
    return ERR_NONE;
}

static enum err mark_done(const PGresult *done, struct run_act *acts, size_t n, struct wall now,
                          struct error *err)
{
    struct map ids;
    enum err e = ERR_NONE;

    map_init(&ids);
    for (size_t i = 0; !e && i < row_n(done); i++)
        e = map_put(&ids, row_uuid(done, i, 0), &ids, err); /* any value says that it is there */
    for (size_t i = 0; !e && i < n; i++) {
        if (!map_get(&ids, acts[i].id))
            continue;
        acts[i].result = RUN_ACTED;
        acts[i].made_due = now;
    }
    map_done(&ids);
    return e;
}

static enum err redrive(struct postgres_store *s, struct run_act *acts, size_t n, struct wall now,
                        struct error *err)
{
    struct args *a = link_args(&s->link);
    RESULT(done);
    enum err e;

    args_acts(a, acts, n);
    args_i64(a, now.us);
    e = link_ask(&s->link, Q_REDRIVE, &done, err);
    return e ? e : mark_done(done, acts, n, now, err);
}

static void explain(struct run_act *acts, size_t n, const PGresult *timers)
{
    for (size_t i = 0; i < n; i++) {
        size_t at;

        if (acts[i].result != RUN_NOT_NOW || acts[i].ret.run.state != RUN_DEAD)
            continue;
        acts[i].result = row_find(timers, 0, acts[i].ret.run.schedule_id, &at) ? RUN_TAKEN : RUN_ORPHAN;
    }
}

/* Waiting ones end as any run does; `acts` says how they are. */
static enum err end_waiting(struct postgres_store *s, struct run_act *acts, size_t n, struct wall now,
                            struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct outcome *o;
    size_t at = 0;
    enum err e;

    e = alloc_array(n, sizeof(*o), &p, err);
    if (e)
        return e;
    o = p;
    for (size_t i = 0; i < n; i++) {
        const struct run *run = &acts[i].ret.run;

        if (acts[i].result == RUN_UNKNOWN || (run->state != RUN_PENDING && run->state != RUN_RETRYING))
            continue;
        acts[i].result = RUN_ACTED;
        o[at] = (struct outcome){.run_id = run->id,
                                 .schedule_id = run->schedule_id,
                                 .to = RUN_CANCELLED,
                                 .due_at = WALL_NEVER,
                                 .ended_at = now,
                                 .failures = run->failures};
        o[at].result.took_us = acts[i].ret.took_us;
        o[at].result.status = acts[i].ret.status;
        _Static_assert(sizeof(o[at].result.error) == sizeof(acts[i].ret.error), "one text");
        memcpy(o[at].result.error, acts[i].ret.error, sizeof(acts[i].ret.error));
        at++;
    }
    e = postgres_end(s, o, at, now, err);
    for (size_t i = 0, k = 0; !e && i < n && k < at; i++) {
        if (uuid_eq(acts[i].id, o[k].run_id))
            acts[i].made_due = o[k++].made_due;
    }
    return e;
}

static enum err discard(struct postgres_store *s, struct run_act *acts, size_t n, struct wall now,
                        struct error *err)
{
    struct args *a;
    RESULT(locked);
    enum err e;

    args_acts(link_args(&s->link), acts, n);
    e = link_ask(&s->link, Q_ENDS_RUNS, &locked, err);
    if (!e)
        e = read_acts(s, acts, n, err);
    if (!e)
        e = end_waiting(s, acts, n, now, err);
    if (e)
        return e;
    a = link_args(&s->link);
    args_acts(a, acts, n);
    args_i64(a, now.us);
    e = link_send(&s->link, Q_DISCARD, NULL, err);
    for (size_t i = 0; !e && i < n; i++) {
        if (acts[i].result != RUN_UNKNOWN && acts[i].ret.run.state == RUN_DEAD)
            acts[i].result = RUN_ACTED;
    }
    return e;
}

enum err postgres_act_runs(struct store *store, enum run_act_kind kind, struct run_act *acts, size_t n,
                           struct wall now, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(timers);
    enum err e;

    if (n == 0)
        return ERR_NONE;
    for (size_t i = 0; i < n; i++) {
        acts[i].result = RUN_NOT_NOW;
        acts[i].made_due = WALL_NEVER;
    }
    e = lock_schedules(s, acts, n, &timers, err);
    if (!e)
        e = kind == RUN_REDRIVE ? redrive(s, acts, n, now, err) : discard(s, acts, n, now, err);
    if (!e)
        e = read_acts(s, acts, n, err);
    if (!e && kind == RUN_REDRIVE)
        explain(acts, n, timers);
    return e;
}

enum err postgres_times_run(struct store *store, struct uuid schedule_id, struct wall from, struct wall to,
                            struct wall_list *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    args_uuid(a, schedule_id);
    args_i64(a, from.us);
    args_i64(a, to.us);
    args_uuid(a, run_id_floor(from));
    e = link_ask(&s->link, Q_TIMES_RUN, &r, err);
    for (size_t i = 0; !e && i < row_n(r); i++) {
        e = LIST_RESERVE(ret, err);
        if (!e)
            ret->items[ret->n++] = (struct wall){row_i64(r, i, 0)};
    }
    return e;
}

enum err postgres_release(struct store *store, struct uuid schedule_id, struct wall now, bool *ret,
                          struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a;
    RESULT(timer);
    RESULT(open);
    enum err e;

    *ret = false;
    args_uuids(link_args(&s->link), &schedule_id, 1);
    e = link_ask(&s->link, Q_TIMERS_LOCK, &timer, err);
    if (e || row_n(timer) == 0)
        return e;
    args_uuids(link_args(&s->link), &schedule_id, 1);
    e = link_ask(&s->link, Q_ENDS_OPEN, &open, err);
    if (e || row_n(open) == 0 || row_i64(open, 0, 1) != row_i64(open, 0, 2))
        return e;
    *ret = true;
    a = link_args(&s->link);
    args_uuids(a, &schedule_id, 1);
    args_i64(a, now.us);
    return link_send(&s->link, Q_RUNS_RELEASE, NULL, err);
}
