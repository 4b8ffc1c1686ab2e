/*
 * timer.c: a timer's life beside its plans: registration, pause, resumption, the end of a run. See timer.h;
 * what happens when a timer is due is in timer_plan.c.
 */
#include "model/timer.h"

#include "model/occurrence.h"
#include "model/timer_internal.h"

void timer_set_next(const struct schedule *s, struct timer *t, struct wall occurrence)
{
    t->occurs_at = occurrence;
    t->next_at = wall_is_never(occurrence) ? WALL_NEVER : occurrence_act(s, occurrence);
}

struct wall timer_recur_next(const struct schedule *s, struct wall ended_at)
{
    struct wall next = wall_max(wall_add(ended_at, s->delay_us), s->start_at);

    return next.us > s->end_at.us ? WALL_NEVER : next;
}

struct wall timer_first(const struct schedule *s, struct wall now)
{
    switch (s->type) {
    case SCHEDULE_NOW:
        return now;
    case SCHEDULE_DELAY:
        return wall_add(now, s->delay_us);
    case SCHEDULE_DATE:
        return s->date;
    case SCHEDULE_DELAY_RECUR:
        return timer_recur_next(s, now);
    case SCHEDULE_CRON:
        return occurrence_next(s, now);
    }
    return WALL_NEVER;
}

bool timer_eq(const struct timer *a, const struct timer *b)
{
    for (size_t i = 0; i < MISSED_N; i++) {
        if (a->missed[i] != b->missed[i])
            return false;
    }
    return a->state == b->state && a->next_at.us == b->next_at.us && a->occurs_at.us == b->occurs_at.us &&
           a->started_at.us == b->started_at.us && a->runs == b->runs;
}

void timer_start(const struct schedule *s, struct wall now, struct timer *ret)
{
    struct timer t = {.state = SCHEDULE_ACTIVE, .started_at = now};
    struct wall first = timer_first(s, now);

    if (!schedule_recurs(s) && !occurrence_in_window(s, first)) {
        timer_count(&t, MISSED_WINDOW, 1);
        first = WALL_NEVER;
    }
    timer_set_next(s, &t, first);
    if (wall_is_never(first)) {
        t.state = SCHEDULE_FINISHED;
    } else if (s->paused) {
        t.state = SCHEDULE_PAUSED;
        t.next_at = WALL_NEVER;
    }
    *ret = t;
}

void timer_pause(struct timer *t, struct wall now)
{
    (void)now;
    if (t->state != SCHEDULE_ACTIVE)
        return;
    t->state = SCHEDULE_PAUSED;
    if (wall_is_never(t->next_at) && !timer_is_in_doubt(t))
        t->occurs_at = WALL_NEVER;
    t->next_at = WALL_NEVER;
}

void timer_take_back(const struct schedule *s, struct timer *t, struct wall scheduled_at, struct wall now)
{
    /* Behind one that passed there are others, which may have run. */
    if (schedule_recurs(s) && occurrence_act(s, scheduled_at).us <= now.us)
        return;
    t->occurs_at = wall_min(t->occurs_at, scheduled_at);
    if (t->runs > 0)
        t->runs--;
}

void timer_doubt(const struct schedule *s, struct timer *t, struct wall scheduled_at)
{
    if (schedule_recurs(s) || t->state != SCHEDULE_PAUSED || t->runs == 0)
        return;
    t->occurs_at = scheduled_at;
    t->started_at = wall_add(scheduled_at, 1);
}

struct wall timer_still_ahead(const struct schedule *s, const struct timer *t)
{
    if (!schedule_recurs(s))
        return t->runs > 0 ? WALL_NEVER : t->occurs_at;
    if (s->type == SCHEDULE_CRON && t->occurs_at.us <= t->started_at.us)
        return occurrence_next(s, t->started_at);
    return t->occurs_at;
}

/* The occurrence to go on with after a pause, those that passed in it counted. */
static struct wall after_pause(const struct schedule *s, struct timer *t, struct wall now)
{
    struct wall from = timer_still_ahead(s, t);
    struct wall last;

    if (!schedule_recurs(s))
        return from;
    if (wall_is_never(from))
        return s->type == SCHEDULE_DELAY_RECUR ? timer_recur_next(s, now) : WALL_NEVER;
    if (occurrence_act(s, from).us > now.us)
        return from;
    last = occurrence_last_due(s, from, now);
    timer_count(t, MISSED_PAUSED, occurrence_count(s, from, last));
    return s->type == SCHEDULE_DELAY_RECUR ? timer_recur_next(s, now) : occurrence_next(s, last);
}

void timer_resume(const struct schedule *s, struct timer *t, struct wall now)
{
    struct wall next;

    if (t->state != SCHEDULE_PAUSED)
        return;
    if (!schedule_recurs(s) && timer_is_in_doubt(t)) {
        t->state = SCHEDULE_ACTIVE;
        return;
    }
    next = timer_runs_left(s, t) ? after_pause(s, t, now) : WALL_NEVER;
    /* An occurrence that its jitter delays beyond `now` is still this timer's. */
    t->started_at = schedule_recurs(s) ? wall_min(now, wall_add(next, -1)) : now;
    timer_set_next(s, t, next);
    t->state = wall_is_never(next) ? SCHEDULE_FINISHED : SCHEDULE_ACTIVE;
}

bool timer_recompute(const struct schedule *s, struct timer *t, struct wall made, struct wall now)
{
    struct wall next;

    if (t->state == SCHEDULE_FINISHED || wall_is_never(t->occurs_at) || timer_is_in_doubt(t))
        return false;
    if (t->state == SCHEDULE_ACTIVE && wall_is_never(t->next_at))
        return false;
    if (s->type == SCHEDULE_DATE)
        next = s->date;
    /* What was due already stays due: it happened by the rules of its time. */
    else if (s->type == SCHEDULE_CRON && t->occurs_at.us > now.us)
        next = occurrence_next(s, wall_max(now, made));
    else
        return false;
    if (next.us == t->occurs_at.us)
        return false;
    timer_set_next(s, t, next);
    if (t->state == SCHEDULE_PAUSED)
        t->next_at = WALL_NEVER;
    else if (wall_is_never(next))
        t->next_at = now; /* as after a run's end: the next plan finds that nothing follows */
    return true;
}

bool timer_has_lost_its_next(const struct schedule *s, const struct timer *t, struct wall made,
                             struct wall now)
{
    struct wall from = wall_max(now, made);

    if (t->state == SCHEDULE_FINISHED || !wall_is_never(t->occurs_at))
        return false;
    if (!schedule_recurs(s))
        return t->runs == 0;
    /* What follows a delay-recur is known when its run ends. */
    if (s->type != SCHEDULE_CRON || !timer_runs_left(s, t))
        return false;
    /* The last of it may have been made a little ahead: its run has ended at next_at. */
    if (!wall_is_never(t->next_at))
        from = wall_max(from, t->next_at);
    return !wall_is_never(occurrence_next(s, from));
}

void timer_after_run(const struct schedule *s, struct timer *t, size_t open_runs, struct wall ended_at)
{
    struct wall next = WALL_NEVER;

    if (s->type == SCHEDULE_DELAY_RECUR && open_runs == 0 && timer_runs_left(s, t))
        next = timer_recur_next(s, ended_at);
    timer_set_next(s, t, next);
    if (wall_is_never(next) && open_runs == 0)
        t->state = SCHEDULE_FINISHED;
}

bool timer_run_ended(const struct schedule *s, struct timer *t, size_t open_runs, struct wall ended_at)
{
    struct wall act;

    if (t->state != SCHEDULE_ACTIVE || open_runs > 0)
        return false;
    if (wall_is_never(t->next_at)) {
        timer_after_run(s, t, 0, ended_at);
        return true;
    }
    /* Woken by the store for an earlier run's end: the next plan decides. */
    if (wall_is_never(t->occurs_at))
        return false;
    /* Put off because of the run that has ended now: it can be prepared ahead of its time again. */
    act = occurrence_act(s, t->occurs_at);
    if (act.us == t->next_at.us)
        return false;
    t->next_at = act;
    return true;
}

size_t timer_preview(const struct schedule *s, struct wall from, struct wall *ret, size_t max)
{
    struct wall at = timer_first(s, from);
    size_t n = 0;

    if (!schedule_recurs(s) && !occurrence_in_window(s, at))
        return 0;
    if (s->max_runs >= 0 && (uint64_t)s->max_runs < max)
        max = (size_t)s->max_runs;
    while (n < max && !wall_is_never(at) && at.us <= WALL_MAX_US) {
        /* A date that has passed fires at once. */
        ret[n] = wall_max(occurrence_act(s, at), from);
        at = s->type == SCHEDULE_DELAY_RECUR ? timer_recur_next(s, ret[n]) : occurrence_next(s, at);
        n++;
    }
    return n;
}

size_t timer_occurrences(const struct schedule *s, struct wall from, struct wall to, struct wall *ret,
                         size_t max)
{
    struct wall at = occurrence_next(s, wall_add(from, -1));
    size_t n = 0;

    while (n < max && at.us < to.us && at.us <= WALL_MAX_US) {
        ret[n++] = at;
        at = occurrence_next(s, at);
    }
    return n;
}
