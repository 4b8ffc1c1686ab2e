/*
 * timer_plan.c: what becomes of the occurrences that are due. See timer.h for the rules.
 *
 * Occurrences are taken in their order, the oldest first: those beyond max_lateness, then those missed, then
 * the others one by one. The first two may be millions: they are counted, not stepped through.
 */
#include "model/timer.h"

#include "base/alloc.h"
#include "model/missed.h"
#include "model/occurrence.h"
#include "model/timer_internal.h"

/* Occurrences that one plan looks at singly; what is left is due at once and planned by the next call. */
enum { PLAN_STEPS_MAX = 10000 };

/* How long runs that were given up may take to end. It is looked whether they have, ever more seldom. */
#define LEAVING_MAX_US (1500 * US_PER_MS)
#define LEAVING_STEP_US (20 * US_PER_MS)

struct planner {
    const struct schedule *s;
    struct wall now;
    struct wall until;
    const struct timer_rules *rules;
    size_t open_before;
    size_t open;          /* with the runs of this plan */
    size_t waiting;       /* with the runs of this plan */
    struct wall at;       /* the first occurrence not yet considered; never: none is left */
    bool put_off;         /* it cannot be judged before its time */
    struct wall again_at; /* put off: not before that */
    size_t cap;
    struct plan *plan;
    struct error *err;
};

/* n occurrences from `first` to `last` are no runs of their own. */
static enum err count(struct planner *p, enum missed why, struct wall first, struct wall last, int64_t n)
{
    timer_count(&p->plan->after, why, n);
    if (!p->rules->list_missed)
        return ERR_NONE;
    return missed_list_add(&p->plan->missed, p->s, why, first, last, n, p->err);
}

/* The occurrence before `at`, which is not the first. */
static struct wall one_before(const struct planner *p, struct wall at)
{
    struct wall prev;

    return p->s->cron && cron_prev(p->s->cron, p->s->zone, at, &prev) ? prev : at;
}

static enum err add_run(struct planner *p, struct wall occurrence, struct wall due, bool waits)
{
    struct plan *plan = p->plan;
    size_t cap = p->cap > 0 ? p->cap * 2 : 4;
    void *runs = plan->runs;

    if (plan->runs_n == p->cap) {
        enum err e = alloc_resize(&runs, cap, sizeof(*plan->runs), p->err);

        if (e)
            return e;
        plan->runs = runs;
        p->cap = cap;
    }
    plan->runs[plan->runs_n++] = (struct plan_run){.scheduled_at = occurrence, .due_at = due, .waits = waits};
    plan->after.runs++;
    p->open++;
    p->waiting += waits;
    return ERR_NONE;
}

/* Gives up what is open, runs of this very plan included: those were never made, so they are counted. */
static enum err replace_open(struct planner *p)
{
    struct plan *plan = p->plan;

    for (size_t i = 0; i < plan->runs_n; i++) {
        struct wall at = plan->runs[i].scheduled_at;
        enum err e = count(p, MISSED_OVERLAP, at, at, 1);

        if (e)
            return e;
    }
    plan->after.runs -= (int64_t)plan->runs_n;
    plan->runs_n = 0;
    plan->replace = p->open_before > 0;
    p->open = 0;
    p->waiting = 0;
    return ERR_NONE;
}

/* One occurrence whose time has come, or will while nothing is open. */
static enum err plan_one(struct planner *p, struct wall occurrence, struct wall due)
{
    enum err e;

    if (p->open == 0)
        return add_run(p, occurrence, due, false);
    if (!schedule_recurs(p->s))
        return add_run(p, occurrence, due, true);
    switch (p->s->overlap) {
    case OVERLAP_SKIP:
        break;
    case OVERLAP_ALLOW:
        return add_run(p, occurrence, due, false);
    case OVERLAP_QUEUE:
        if (p->waiting == 0)
            return add_run(p, occurrence, due, true);
        break;
    case OVERLAP_REPLACE:
        e = replace_open(p);
        return e ? e : add_run(p, occurrence, due, false);
    }
    return count(p, MISSED_OVERLAP, occurrence, occurrence, 1);
}

/* Goes on behind `last`. A delay-recur has one occurrence at a time; what follows it is settled at the end.
 */
static void go_behind(struct planner *p, struct wall last)
{
    p->at = occurrence_next(p->s, last);
}

static bool at_is_before(const struct planner *p, struct wall limit)
{
    return !wall_is_never(p->at) && occurrence_act(p->s, p->at).us < limit.us;
}

/* What can no longer start within max_lateness. */
static enum err pass_late(struct planner *p)
{
    struct wall limit = wall_add(p->now, -p->s->max_lateness_us);
    struct wall last;
    enum err e;

    if (p->s->max_lateness_us < 0 || !at_is_before(p, limit))
        return ERR_NONE;
    last = occurrence_last_due(p->s, p->at, wall_add(limit, -1));
    e = count(p, MISSED_LATE, p->at, last, occurrence_count(p->s, p->at, last));
    go_behind(p, last);
    return e;
}

/* The first of the thousand that end with `last`, or .at when there are fewer. */
static struct wall oldest_kept(const struct planner *p, struct wall last)
{
    struct wall oldest = last;
    struct wall prev;

    for (size_t n = 1; n < TIMER_ALL_MAX && oldest.us > p->at.us; n++) {
        if (!cron_prev(p->s->cron, p->s->zone, oldest, &prev) || prev.us < p->at.us)
            return p->at;
        oldest = prev;
    }
    return oldest;
}

/*
 * A run for each, up to `last`. They were asked for one each, so an open run makes them wait in a row instead
 * of being skipped or limited to one; replace still leaves the newest alone.
 */
static enum err catch_up_all(struct planner *p, struct wall last)
{
    struct wall oldest = oldest_kept(p, last);
    bool in_a_row = p->s->overlap == OVERLAP_SKIP || p->s->overlap == OVERLAP_QUEUE;
    enum err e = ERR_NONE;

    if (oldest.us > p->at.us)
        e = count(p, MISSED_MISFIRE, p->at, one_before(p, oldest), occurrence_count(p->s, p->at, oldest) - 1);
    p->at = oldest;
    while (!e && !wall_is_never(p->at) && p->at.us <= last.us && timer_runs_left(p->s, &p->plan->after)) {
        e = in_a_row ? add_run(p, p->at, p->now, p->open > 0) : plan_one(p, p->at, p->now);
        go_behind(p, p->at);
    }
    return e;
}

/* What was missed: planned more than the grace after its time, or after registration when that came later. */
static enum err pass_missed(struct planner *p)
{
    struct wall limit = wall_add(p->now, -p->rules->misfire_grace_us);
    struct wall last;
    int64_t n;
    enum err e = ERR_NONE;

    if (!at_is_before(p, limit) || p->plan->after.started_at.us >= limit.us)
        return ERR_NONE;
    switch (p->s->misfire) {
    case MISFIRE_ONCE:
        last = occurrence_last_due(p->s, p->at, p->now);
        n = occurrence_count(p->s, p->at, last) - 1;
        if (n > 0)
            e = count(p, MISSED_COALESCED, p->at, one_before(p, last), n);
        go_behind(p, last);
        return e ? e : plan_one(p, last, p->now);
    case MISFIRE_ALL:
        return catch_up_all(p, occurrence_last_due(p->s, p->at, p->now));
    case MISFIRE_SKIP:
        last = occurrence_last_due(p->s, p->at, wall_add(limit, -1));
        e = count(p, MISSED_MISFIRE, p->at, last, occurrence_count(p->s, p->at, last));
        go_behind(p, last);
        return e;
    }
    return ERR_NONE;
}

/*
 * Whether an occurrence ahead of `now` must wait for its time before it is judged: the run that is open may
 * well have ended by then. Judging a second early would let `* * * * * *` fire every other second.
 */
static bool depends_on_open(const struct planner *p)
{
    return p->open > 0 && !(schedule_recurs(p->s) && p->s->overlap == OVERLAP_ALLOW);
}

/* While their holders may still hear of it. */
static bool waits_for_leaving(const struct planner *p)
{
    struct wall act = wall_is_never(p->at) ? WALL_NEVER : occurrence_act(p->s, p->at);

    return p->rules->leaving && p->open > 0 && schedule_recurs(p->s) && p->s->overlap == OVERLAP_SKIP &&
           act.us <= p->now.us && p->now.us < wall_add(act, LEAVING_MAX_US).us;
}

static enum err pass_due(struct planner *p)
{
    for (size_t steps = 0; steps < PLAN_STEPS_MAX && p->plan->runs_n < TIMER_ALL_MAX; steps++) {
        struct wall act;
        enum err e;

        if (wall_is_never(p->at) || !timer_runs_left(p->s, &p->plan->after))
            return ERR_NONE;
        act = occurrence_act(p->s, p->at);
        if (act.us > p->until.us)
            return ERR_NONE;
        p->put_off = act.us > p->now.us && depends_on_open(p);
        if (p->put_off)
            return ERR_NONE;
        e = plan_one(p, p->at, act);
        if (e)
            return e;
        go_behind(p, p->at);
    }
    return ERR_NONE;
}

/* Until when a claim will not see the occurrence, if it is sent lead_us ahead of next_at. */
static struct wall put_off_until(const struct planner *p, struct wall act)
{
    int64_t horizon_us = p->until.us - p->now.us;
    int64_t lead_us = p->rules->lead_us;

    /* Claims look no farther than their horizon: more than that, and the occurrence would be found late. */
    return wall_add(act, lead_us < horizon_us ? lead_us : horizon_us);
}

/* Writes down where the timer stands now. */
static void settle(struct planner *p)
{
    struct timer *t = &p->plan->after;
    bool runs_left = timer_runs_left(p->s, t);

    /* A delay-recur counted instead of run, and nothing open whose end would bring the next one. */
    if (p->s->type == SCHEDULE_DELAY_RECUR && wall_is_never(p->at) && p->open == 0)
        p->at = timer_recur_next(p->s, p->now);
    timer_set_next(p->s, t, runs_left ? p->at : WALL_NEVER);
    if (p->put_off)
        t->next_at = put_off_until(p, wall_max(t->next_at, p->again_at));
    if (wall_is_never(t->next_at) && p->open == 0)
        t->state = SCHEDULE_FINISHED;
}

static enum err plan_all(struct planner *p)
{
    enum err e;

    if (waits_for_leaving(p)) {
        p->put_off = true;
        p->again_at = wall_add(p->now, LEAVING_STEP_US + (p->now.us - occurrence_act(p->s, p->at).us) / 2);
        settle(p);
        return ERR_NONE;
    }
    e = pass_late(p);
    if (!e)
        e = pass_missed(p);
    if (!e)
        e = pass_due(p);
    if (!e)
        settle(p);
    return e;
}

static bool is_due(const struct timer *t, struct wall until)
{
    return t->state == SCHEDULE_ACTIVE && !wall_is_never(t->next_at) && t->next_at.us <= until.us;
}

enum err timer_plan(const struct schedule *s, const struct timer *before, size_t open_runs,
                    size_t waiting_runs, struct wall now, struct wall until, const struct timer_rules *rules,
                    struct plan *ret, struct error *err)
{
    struct plan plan = {.after = *before};
    struct planner p = {
        .s = s,
        .now = now,
        .until = wall_max(now, until),
        .rules = rules,
        .open_before = open_runs,
        .open = open_runs,
        .again_at = {INT64_MIN},
        .waiting = waiting_runs,
        .plan = &plan,
        .err = err,
    };

    if (is_due(before, p.until) && wall_is_never(before->occurs_at))
        timer_after_run(s, &plan.after, open_runs, before->next_at);
    if (is_due(&plan.after, p.until)) {
        enum err e;

        p.at = timer_still_ahead(s, &plan.after);
        e = plan_all(&p);
        if (e) {
            plan_done(&plan);
            return e;
        }
    }
    *ret = plan;
    return ERR_NONE;
}

void plan_done(struct plan *p)
{
    alloc_free(p->runs);
    p->runs = NULL;
    p->runs_n = 0;
    missed_list_done(&p->missed);
}
