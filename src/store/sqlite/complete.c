/*
 * complete.c: outcomes are recorded.
 */
#include "base/str.h"
#include "store/outcome.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

struct held {
    bool there;
    bool doomed;
    bool owed;
    struct run run;
    struct wall started_at; /* of its first attempt; never: none has ended yet */
};

static enum err read_run(struct sqlite_store *s, const struct uuid *id, struct held *ret, struct error *err)
{
    QUERY(q, s, Q_RUN_GET);
    enum err e;
    int at;

    bind_uuid(&q, id);
    e = query_step(&q, &ret->there, err);
    if (e || !ret->there)
        return e;
    at = col_run(&q, 0, &ret->run);
    ret->doomed = col_i64(&q, at) != 0;
    ret->owed = col_i64(&q, at) == 2;
    ret->started_at = col_wall(&q, at + 1);
    return ERR_NONE;
}

/* Stays in `run`: it goes on later, or is dead. */
static enum err keep(struct sqlite_store *s, const struct outcome *o, const struct held *h,
                     struct wall started_at, struct error *err)
{
    QUERY(q, s, Q_RUN_KEEP);
    bool handed_back = o->became == RUN_PENDING && !o->attempted && h->run.attempt > 0;

    bind_i64(&q, (int64_t)o->became);
    bind_wall(&q, o->became == RUN_DEAD ? h->run.due_at : o->due_at);
    bind_i64(&q, handed_back ? h->run.attempt - 1 : h->run.attempt);
    bind_i64(&q, o->failures);
    bind_wall(&q, started_at);
    bind_wall(&q, o->became == RUN_DEAD ? o->ended_at : WALL_NEVER);
    bind_i64(&q, o->attempted);
    bind_i64(&q, o->result.took_us);
    bind_i64(&q, o->result.status);
    bind_str(&q, str_of(o->result.error));
    bind_uuid(&q, &o->run_id);
    return query_run(&q, NULL, err);
}

static enum err end(struct sqlite_store *s, const struct outcome *o, const struct held *h,
                    struct wall started_at, struct error *err)
{
    struct run_end ended = {
        .state = o->became,
        .attempt = h->run.attempt,
        .failures = o->failures,
        .started_at = started_at,
        .ended_at = o->ended_at,
        .took_us = o->result.took_us,
        .status = o->result.status,
        .error = str_of(o->result.error),
    };

    return run_move_to_log(s, &h->run, &ended, err);
}

static enum err record(struct sqlite_store *s, struct outcome *o, struct wall now, struct error *err)
{
    struct held h = {0};
    struct run_gone gone;
    struct wall started_at;
    bool open;
    enum err e;

    o->made_due = WALL_NEVER;
    e = read_run(s, &o->run_id, &h, err);
    if (e)
        return e;
    o->stale = !h.there || h.run.state != RUN_RUNNING || h.run.lease_token != o->token;
    if (o->stale)
        return ERR_NONE;
    outcome_become(o,
                   &(struct outcome_run){.doomed = h.doomed,
                                         .owed = h.owed,
                                         .begun = !wall_is_never(h.started_at) || h.run.failures > 0},
                   now);
    started_at = h.started_at;
    if (wall_is_never(started_at) && o->attempted)
        started_at = wall_add(o->ended_at, -o->result.took_us);
    open = run_state_open(o->became);
    if (open || o->became == RUN_DEAD)
        e = keep(s, o, &h, started_at, err);
    else
        e = end(s, o, &h, started_at, err);
    if (e)
        return e;
    if (open) {
        o->made_due = o->due_at;
        return ERR_NONE;
    }
    gone = (struct run_gone){
        .run = &h.run,
        .definition = o->schedule,
        .doomed = h.doomed,
        .state = o->became,
        .delivered = o->attempted || !wall_is_never(h.started_at) || h.run.failures > 0,
        .ended_at = o->ended_at,
    };
    return schedule_run_ended(s, &gone, now, &o->made_due, err);
}

enum err sqlite_complete(struct store *store, struct outcome *outcomes, size_t n, struct wall now,
                         struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);

    for (size_t i = 0; i < n; i++) {
        enum err e = record(s, &outcomes[i], now, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}
