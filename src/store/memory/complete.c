/*
 * complete.c: outcomes recorded, leases prolonged.
 */
#include <string.h>

#include "store/grow.h"
#include "store/memory/ops.h"
#include "store/outcome.h"

/* --- what follows from the end of a run --- */

static enum err set_last(struct memory_db *db, struct timer_row **t, enum run_state state,
                         struct wall ended_at, struct error *err)
{
    struct timer_row *after;
    enum err e = rows_copy_timer(*t, &after, err);

    if (e)
        return e;
    after->last_state = state;
    after->last_at = ended_at;
    e = rows_swap(db, &(*t)->row, &after->row, err);
    if (!e)
        *t = after;
    return e;
}

/*
 * Without the definition in force the timer that waited for this end is only woken: the next claim reads the
 * definition and decides.
 */
static bool advance_timer(const struct schedule *definition, const struct run_row *r, struct timer *timer,
                          int64_t open)
{
    struct doomed_end end = {
        .scheduled_at = r->run.scheduled_at,
        /* An attempt whose holder was lost is not known. */
        .delivered = !wall_is_never(r->started_at) || r->run.failures > 0,
        .by_hand = r->run.by_hand_at.us != 0,
        .ended_at = r->ended_at,
        .open_runs = (size_t)open,
    };

    if (definition && !r->doomed)
        return timer_run_ended(definition, timer, (size_t)open, r->ended_at);
    return timer_doomed_ended(timer, &end);
}

static struct run_row *oldest_waiting(const struct memory_db *db, struct uuid schedule_id)
{
    struct run_row *r = rows_first_open(db, schedule_id);

    while (r && !rows_run_waits(r))
        r = rows_next_open(r);
    return r;
}

static enum err release(struct memory_db *db, struct run_row *r, struct wall due_at, struct error *err)
{
    struct run_row *after;
    enum err e = rows_copy_run(r, &after, err);

    if (e)
        return e;
    after->run.due_at = due_at;
    return rows_swap(db, &r->row, &after->row, err);
}

enum err memory_release_waiting(struct memory_db *db, struct uuid schedule_id, struct wall now,
                                struct error *err)
{
    return release(db, oldest_waiting(db, schedule_id), now, err);
}

enum err memory_after_end(struct memory_db *db, const struct run_row *r, const struct schedule *definition,
                          struct wall now, struct wall *made_due, struct error *err)
{
    struct uuid schedule_id = r->run.schedule_id;
    enum run_state state = r->run.state;
    struct timer_row *t = rows_timer(db, schedule_id);
    struct open_count count = memory_count_open(db, schedule_id, WALL_NEVER);
    struct timer timer;
    enum err e;

    if (!t)
        return ERR_NONE; /* deleted meanwhile */
    e = set_last(db, &t, state, r->ended_at, err);
    if (e)
        return e;
    timer = t->timer;
    if (advance_timer(definition, r, &timer, count.open) && timer.state == SCHEDULE_ACTIVE)
        *made_due = wall_min(*made_due, timer.next_at);
    /* A doomed run's lateness is none of the newer definition's. */
    if (state == RUN_SKIPPED && definition && !r->doomed)
        timer.missed[MISSED_LATE]++;
    e = memory_write_timer(db, &t, &timer, now, err);
    if (e)
        return e;
    if (count.open == 0 || count.waiting < count.open)
        return ERR_NONE;
    *made_due = wall_min(*made_due, now);
    return release(db, oldest_waiting(db, schedule_id), now, err);
}

/* --- outcomes --- */

static void apply(struct run_row *r, const struct outcome *o)
{
    MUST(run_step_allowed(r->run.state, o->became));
    r->run.state = o->became;
    r->run.failures = o->failures;
    r->run.due_at = run_state_open(o->became) ? o->due_at : WALL_NEVER;
    r->run.lease_token = 0;
    r->run.lease_until = (struct wall){0};
    if (!o->attempted && o->became == RUN_PENDING)
        r->run.attempt--;
    if (!run_state_open(o->became))
        r->ended_at = o->ended_at;
    if (!o->attempted)
        return;
    if (wall_is_never(r->started_at))
        r->started_at = wall_add(o->ended_at, -o->result.took_us);
    r->took_us = o->result.took_us;
    r->status = o->result.status;
    memcpy(r->error, o->result.error, sizeof(r->error));
}

static enum err record(struct memory_db *db, struct outcome *o, struct wall now, struct error *err)
{
    struct run_row *r = rows_run(db, o->run_id);
    struct run_row *after;
    enum err e;

    o->made_due = WALL_NEVER;
    o->stale = !r || r->run.state != RUN_RUNNING || r->run.lease_token != o->token;
    o->became = r ? r->run.state : o->to;
    if (o->stale)
        return ERR_NONE;
    outcome_become(o,
                   &(struct outcome_run){.doomed = r->doomed,
                                         .owed = r->owed,
                                         .begun = !wall_is_never(r->started_at) || r->run.failures > 0},
                   now);
    e = rows_copy_run(r, &after, err);
    if (e)
        return e;
    apply(after, o);
    if (r->doomed && o->became == RUN_PENDING) {
        after->run.schedule_version = rows_timer(db, r->run.schedule_id)->version;
        after->doomed = after->owed = false;
    }
    e = rows_swap(db, &r->row, &after->row, err);
    if (e)
        return e;
    if (run_state_open(o->became)) {
        o->made_due = after->run.due_at;
        return ERR_NONE;
    }
    return memory_after_end(db, after, o->schedule, now, &o->made_due, err);
}

enum err memory_complete(struct store *s, struct outcome *outcomes, size_t n, struct wall now,
                         struct error *err)
{
    struct memory_db *db = memory_write(s);

    for (size_t i = 0; i < n; i++) {
        enum err e = record(db, &outcomes[i], now, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

/* --- leases --- */

static enum err prolong(struct memory_db *db, struct run_row *r, struct wall until, struct error *err)
{
    struct run_row *after;
    enum err e = rows_copy_run(r, &after, err);

    if (e)
        return e;
    after->run.lease_until = until;
    return rows_swap(db, &r->row, &after->row, err);
}

static enum err name(struct uuid run, struct uuid_list *ret, struct error *err)
{
    enum err e = LIST_RESERVE(ret, err);

    if (!e)
        ret->items[ret->n++] = run;
    return e;
}

enum err memory_doomed(struct store *s, const struct uuid *runs, size_t n, struct uuid_list *ret,
                       struct uuid_list *ret_replaced, struct error *err)
{
    struct memory_db *db = memory_read(s);
    enum err e = ERR_NONE;

    for (size_t i = 0; i < n && !e; i++) {
        const struct run_row *r = rows_run(db, runs[i]);

        if (!r || !r->doomed)
            continue;
        e = name(runs[i], ret, err);
        if (!e && r->replaced)
            e = name(runs[i], ret_replaced, err);
    }
    return e;
}

enum err memory_renew(struct store *s, const struct uuid *runs, const uint64_t *tokens, size_t n,
                      struct wall until, struct uuid_list *ret_lost, struct error *err)
{
    struct memory_db *db = memory_write(s);
    enum err e = ERR_NONE;

    for (size_t i = 0; i < n && !e; i++) {
        struct run_row *r = rows_run(db, runs[i]);

        if (r && r->run.state == RUN_RUNNING && r->run.lease_token == tokens[i]) {
            e = prolong(db, r, until, err);
            continue;
        }
        e = name(runs[i], ret_lost, err);
    }
    return e;
}
