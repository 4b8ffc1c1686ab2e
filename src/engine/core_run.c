/*
 * core_run.c: what moves a held run: its moment, the end of its attempt, a change of its schedule, the drain.
 */
#include <stdio.h>

#include "engine/core_internal.h"

/* --- before the start --- */

static void end_waiting(struct core *c, struct held *h, enum run_state to)
{
    h->outcome = (struct core_outcome){
        .to = to,
        .due_at = h->run.due_at,
        .ended_at = c->now.wall,
        .failures = h->run.failures,
        .result = {.retry_after_us = -1},
    };
    held_set_state(c, h, HELD_ENDED);
}

bool held_may_start(const struct core *c)
{
    return c->phase == CORE_RUNNING &&
           c->count[HELD_IN_FLIGHT] + c->count[HELD_ABORTING] < c->options.in_flight_max;
}

bool held_is_fit(struct core *c, struct held *h)
{
    if (!leases_good(c, h)) {
        held_drop(c, h); /* somebody may have it by now */
        return false;
    }
    if (h->run.due_at.us > c->now.wall.us) { /* the clock was set back */
        held_wait(c, h);
        return false;
    }
    if (run_too_late(h->schedule, &h->run, c->now.wall)) {
        end_waiting(c, h, RUN_SKIPPED);
        return false;
    }
    if (run_retry_too_late(h->schedule, &h->run, c->now.wall)) {
        end_waiting(c, h, run_given_up(h->schedule));
        (void)snprintf(h->outcome.result.error, sizeof(h->outcome.result.error),
                       "no place at its target came free within retry_for");
        return false;
    }
    return true;
}

void held_hand_back(struct core *c, struct held *h, struct wall due_at)
{
    struct wall last = run_last_chance(h->schedule, &h->run);

    end_waiting(c, h, RUN_PENDING);
    /* Not so late that nobody would see in time that it is too late. */
    h->outcome.due_at = last.us > c->now.wall.us ? wall_min(due_at, last) : due_at;
    c->stats.put_back++;
}

/* --- after the start --- */

static struct core_outcome judge(const struct core *c, const struct held *h, const struct attempt_result *r)
{
    struct verdict v = run_judge(h->schedule, &h->run, r, c->now.wall);

    return (struct core_outcome){
        .to = v.to,
        .due_at = v.due_at,
        .failures = h->run.failures + !r->ok,
    };
}

/* The attempt's end is of our making: the target is not to blame, and may have seen the request or not. */
static struct core_outcome give_up(const struct core *c, const struct held *h)
{
    return (struct core_outcome){
        .to = h->aborted == ABORT_REPLACED ? RUN_CANCELLED : RUN_PENDING,
        .due_at = c->now.wall,
        .failures = h->run.failures,
    };
}

/*
 * What could not be made is tried again when the pause is over, here or elsewhere: all of it at the same
 * time, however many fail in one turn; it grows only when trying again failed too.
 */
static struct wall want_over(struct core *c, int64_t asked_us)
{
    struct core_want *w = &c->want;

    if (asked_us >= 0)
        return wall_add(c->now.wall, asked_us);
    if (w->backoff_us == 0 || c->now.mono.us >= w->until.us) {
        w->backoff_us = core_next_backoff(c, w->backoff_us);
        w->until = mono_add(c->now.mono, w->backoff_us);
    }
    return wall_add(c->now.wall, w->until.us - c->now.mono.us);
}

static struct core_outcome put_off(struct core *c, const struct held *h, const struct attempt_result *r)
{
    struct core_outcome o = give_up(c, h);

    if (h->aborted == ABORT_NONE)
        o.due_at = want_over(c, r->retry_after_us);
    return o;
}

static void count_end(struct core *c, const struct attempt_result *r)
{
    if (r->not_sent) {
        c->stats.not_sent++;
        return;
    }
    c->want.backoff_us = 0;
    if (r->ok)
        c->stats.ended_ok++;
    else
        c->stats.ended_failed++;
}

void core_on_attempt_ended(struct core *c, struct core_now now, struct held *h,
                           const struct attempt_result *r)
{
    /* An answer that came before the abort did counts as any other. */
    bool answered = r->ok || r->status != 0;

    core_enter(c, now);
    if (r->not_sent)
        h->outcome = put_off(c, h, r);
    else
        h->outcome = h->aborted == ABORT_NONE || answered ? judge(c, h, r) : give_up(c, h);
    h->outcome.ended_at = now.wall;
    h->outcome.attempted = !r->not_sent;
    h->outcome.result = *r;
    (void)attempt_answer_ref(r->answer); /* until the run is let go */
    count_end(c, r);
    held_set_state(c, h, HELD_ENDED);
    core_step(c);
}

void held_abort(struct core *c, struct held *h, enum abort_reason why)
{
    if (h->state == HELD_ABORTING) {
        if (why == ABORT_REPLACED)
            h->aborted = why;
    } else if (h->state == HELD_IN_FLIGHT) {
        h->aborted = why;
        held_set_state(c, h, HELD_ABORTING);
    }
}

/* --- all of one schedule, all --- */

/* Will not start: recorded so, or (its run being in a record that is out) left to its lease. */
static void refuse_start(struct core *c, struct held *h, enum run_state to)
{
    if (h->state == HELD_WAITING || h->state == HELD_DUE)
        end_waiting(c, h, to);
    else if (h->state == HELD_BEHIND)
        held_drop(c, h);
}

static void change_one(struct core *c, struct held *h, int64_t version)
{
    if (h->run.schedule_version < version)
        refuse_start(c, h, RUN_CANCELLED);
}

void held_refuse_start(struct core *c, struct held *h)
{
    refuse_start(c, h, RUN_CANCELLED);
}

void held_apply_change(struct core *c, struct uuid schedule_id, int64_t version)
{
    held_each_of_schedule(c, schedule_id, version, change_one);
}

static void replace_one(struct core *c, struct held *h, int64_t unused)
{
    (void)unused;
    if (h->claim_no == c->claims.no) {
        h->replaces = true;
        return;
    }
    refuse_start(c, h, RUN_CANCELLED);
    held_abort(c, h, ABORT_REPLACED);
}

void held_replace(struct core *c, struct uuid schedule_id)
{
    held_each_of_schedule(c, schedule_id, 0, replace_one);
}

static void hand_back(struct core *c, struct held *h)
{
    if (h->state == HELD_WAITING || h->state == HELD_DUE)
        end_waiting(c, h, RUN_PENDING);
}

void held_drain(struct core *c)
{
    if (c->count[HELD_WAITING] + c->count[HELD_DUE] > 0)
        held_each(c, hand_back);
}

/* One whose run is in a record that is out is left to its lease. */
static void hand_back_if_new(struct core *c, struct held *h)
{
    if (h->claim_no == c->claims.no)
        refuse_start(c, h, RUN_PENDING);
}

void held_hand_back_claim(struct core *c)
{
    held_each(c, hand_back_if_new);
}

static void abort_for_drain(struct core *c, struct held *h)
{
    held_abort(c, h, ABORT_DRAIN);
}

void held_abort_all(struct core *c)
{
    held_each(c, abort_for_drain);
}
