/*
 * rows.c: reading and writing of timers and runs that more than one call needs.
 */
#include "store/sqlite/rows.h"

#include <string.h>

int col_timer(struct query *q, int at, struct timer *ret)
{
    ret->state = (enum schedule_state)col_i64(q, at);
    ret->next_at = col_wall(q, at + 1);
    ret->occurs_at = col_wall(q, at + 2);
    ret->started_at = (struct wall){col_i64(q, at + 3)};
    ret->runs = col_i64(q, at + 4);
    for (int i = 0; i < (int)MISSED_N; i++)
        ret->missed[i] = col_i64(q, at + 5 + i);
    return at + 5 + (int)MISSED_N;
}

void col_open(struct query *q, int at, int64_t *ret_open, int64_t *ret_waiting)
{
    int64_t both = col_i64(q, at);

    *ret_open = both & UINT32_MAX;
    *ret_waiting = both >> 32;
}

int col_run(struct query *q, int at, struct run *ret)
{
    ret->id = col_uuid(q, at);
    ret->schedule_id = col_uuid(q, at + 1);
    ret->schedule_version = col_i64(q, at + 2);
    ret->scheduled_at = (struct wall){col_i64(q, at + 3)};
    ret->due_at = col_wall(q, at + 4);
    ret->state = (enum run_state)col_i64(q, at + 5);
    ret->attempt = col_i64(q, at + 6);
    ret->failures = col_i64(q, at + 7);
    ret->lease_token = (uint64_t)col_i64(q, at + 8);
    ret->lease_until = (struct wall){col_i64(q, at + 9)};
    ret->by_hand_at = (struct wall){col_i64(q, at + 10)};
    return at + 11;
}

int col_run_record(struct query *q, struct run_record *ret)
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
    return at + 5;
}

void tally_move(struct sqlite_store *s, int from, int to)
{
    if (from == to)
        return;
    if (from >= 0)
        s->tally[from]--;
    if (to >= 0)
        s->tally[to]++;
    s->tallied = true;
}

enum err timer_write(struct sqlite_store *s, enum sql id, const struct uuid *schedule, const struct timer *t,
                     int before, struct wall now, struct error *err)
{
    QUERY(q, s, id);
    enum err e;

    bind_i64(&q, (int64_t)t->state);
    bind_wall(&q, t->next_at);
    bind_wall(&q, t->occurs_at);
    bind_i64(&q, t->started_at.us);
    bind_i64(&q, t->runs);
    for (size_t i = 0; i < MISSED_N; i++)
        bind_i64(&q, t->missed[i]);
    bind_i64(&q, now.us);
    bind_uuid(&q, schedule);
    e = query_run(&q, NULL, err);
    if (e)
        return e;
    tally_move(s, before, (int)t->state);
    return ERR_NONE;
}

enum err timer_set_last(struct sqlite_store *s, const struct uuid *schedule, enum run_state state,
                        struct wall ended_at, struct error *err)
{
    QUERY(q, s, Q_TIMER_LAST);

    bind_i64(&q, (int64_t)state);
    bind_i64(&q, ended_at.us);
    bind_uuid(&q, schedule);
    return query_run(&q, NULL, err);
}

static enum err has_open_runs(struct sqlite_store *s, const struct uuid *schedule, bool *ret,
                              struct error *err)
{
    QUERY(q, s, Q_OPEN_ANY);

    bind_uuid(&q, schedule);
    return query_step(&q, ret, err);
}

static enum err on_schedule(struct sqlite_store *s, enum sql id, const struct uuid *schedule,
                            struct error *err)
{
    QUERY(q, s, id);

    bind_uuid(&q, schedule);
    return query_run(&q, NULL, err);
}

/* For the journal, before they go. */
static enum err trace_cancelled(struct sqlite_store *s, const struct uuid *schedule, struct error *err)
{
    QUERY(q, s, Q_CANCEL_TRACE);
    bool row = false;
    enum err e;

    bind_uuid(&q, schedule);
    bind_i64(&q, s->store.journal->listened);
    while (!(e = query_step(&q, &row, err)) && row) {
        struct run run = {.id = col_uuid(&q, 0),
                          .schedule_id = *schedule,
                          .scheduled_at = col_wall(&q, 1),
                          .attempt = col_i64(&q, 2)};

        e = journal_trace_cancelled(s->store.journal, &run, col_str(&q, 3), err);
        if (e)
            return e;
    }
    return e;
}

enum err end_open_runs(struct sqlite_store *s, const struct uuid *schedule, struct wall now,
                       int64_t *ret_cancelled, struct error *err)
{
    int64_t cancelled = 0;
    bool any;
    enum err e;

    e = has_open_runs(s, schedule, &any, err);
    if (!e && any && s->store.journal)
        e = trace_cancelled(s, schedule, err);
    if (e)
        return e;
    if (any) {
        QUERY(q, s, Q_CANCEL_LOG);

        bind_uuid(&q, schedule);
        bind_i64(&q, now.us);
        e = query_run(&q, &cancelled, err);
        if (!e && cancelled > 0)
            e = on_schedule(s, Q_CANCEL_DELETE, schedule, err);
        if (!e)
            e = on_schedule(s, Q_DOOM, schedule, err);
        if (e)
            return e;
    }
    if (ret_cancelled)
        *ret_cancelled = cancelled;
    return ERR_NONE;
}

enum err run_move_to_log(struct sqlite_store *s, const struct run *run, const struct run_end *end,
                         struct error *err)
{
    QUERY(q, s, Q_LOG_INSERT);
    QUERY(gone, s, Q_RUN_DELETE);
    enum err e;

    bind_uuid(&q, &run->id);
    bind_uuid(&q, &run->schedule_id);
    bind_i64(&q, run->schedule_version);
    bind_i64(&q, run->scheduled_at.us);
    bind_i64(&q, (int64_t)end->state);
    bind_i64(&q, end->attempt);
    bind_i64(&q, end->failures);
    bind_wall(&q, end->started_at);
    bind_i64(&q, end->ended_at.us);
    bind_i64(&q, end->took_us);
    bind_i64(&q, end->status);
    bind_str(&q, end->error);
    bind_i64(&q, run->by_hand_at.us);
    e = query_run(&q, NULL, err);
    if (e)
        return e;
    bind_uuid(&gone, &run->id);
    return query_run(&gone, NULL, err);
}

struct at_end {
    bool found;
    struct timer timer;
    int64_t open_runs;
    int64_t waiting_runs;
};

static enum err read_at_end(struct sqlite_store *s, const struct uuid *schedule, struct at_end *ret,
                            struct error *err)
{
    QUERY(q, s, Q_TIMER_AT_END);
    enum err e;
    int at;

    bind_uuid(&q, schedule);
    e = query_step(&q, &ret->found, err);
    if (e || !ret->found)
        return e;
    at = col_timer(&q, 0, &ret->timer);
    col_open(&q, at, &ret->open_runs, &ret->waiting_runs);
    return ERR_NONE;
}

enum err release_waiting(struct sqlite_store *s, const struct uuid *schedule, struct wall now,
                         struct error *err)
{
    QUERY(q, s, Q_RELEASE);

    bind_uuid(&q, schedule);
    bind_i64(&q, now.us);
    return query_run(&q, NULL, err);
}

/* The timer after a run ended; false: as it was. */
static bool timer_after(const struct run_gone *gone, const struct at_end *at, struct timer *ret)
{
    struct doomed_end end = {
        .scheduled_at = gone->run->scheduled_at,
        .delivered = gone->delivered,
        .by_hand = gone->run->by_hand_at.us != 0,
        .ended_at = gone->ended_at,
        .open_runs = (size_t)at->open_runs,
    };
    bool late = gone->state == RUN_SKIPPED;

    *ret = at->timer;
    /* The counts are those of the definition in force: they began anew when it came. */
    if (!gone->definition || gone->doomed)
        return timer_doomed_ended(ret, &end);
    if (late)
        ret->missed[MISSED_LATE]++;
    return timer_run_ended(gone->definition, ret, (size_t)at->open_runs, gone->ended_at) || late;
}

enum err schedule_run_ended(struct sqlite_store *s, const struct run_gone *gone, struct wall now,
                            struct wall *ret_due, struct error *err)
{
    const struct uuid *schedule = &gone->run->schedule_id;
    struct wall due = WALL_NEVER;
    struct at_end at;
    struct timer after;
    enum err e;

    e = read_at_end(s, schedule, &at, err);
    if (e)
        return e;
    if (!at.found) { /* the schedule was deleted meanwhile */
        *ret_due = due;
        return ERR_NONE;
    }
    if (at.waiting_runs > 0 && at.waiting_runs == at.open_runs) {
        e = release_waiting(s, schedule, now, err);
        if (e)
            return e;
        due = now;
    }
    if (timer_after(gone, &at, &after)) {
        e = timer_write(s, Q_TIMER_UPDATE, schedule, &after, (int)at.timer.state, now, err);
        if (e)
            return e;
        if (after.state == SCHEDULE_ACTIVE && after.next_at.us != at.timer.next_at.us)
            due = wall_min(due, after.next_at);
    }
    e = timer_set_last(s, schedule, gone->state, gone->ended_at, err);
    if (e)
        return e;
    *ret_due = due;
    return ERR_NONE;
}
