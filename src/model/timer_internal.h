/*
 * timer_internal.h: what timer.c and timer_plan.c share.
 */
#ifndef MODEL_TIMER_INTERNAL_H
#define MODEL_TIMER_INTERNAL_H

#include "model/timer.h"

/* The next of a delay-recur whose run ended at `ended_at`; never when that lies beyond end_at. */
struct wall timer_recur_next(const struct schedule *s, struct wall ended_at);

/* Sets the next occurrence, or that there is none for now. */
void timer_set_next(const struct schedule *s, struct timer *t, struct wall occurrence);

/* A run ended at `ended_at` and the timer, which is active, has nothing else to wait for: what follows. */
void timer_after_run(const struct schedule *s, struct timer *t, size_t open_runs, struct wall ended_at);

/* What is left to be made from t->occurs_at on, or never. */
struct wall timer_still_ahead(const struct schedule *s, const struct timer *t);

/* See timer_doubt(). */
static inline bool timer_is_in_doubt(const struct timer *t)
{
    return t->runs > 0 && wall_is_never(t->next_at) && !wall_is_never(t->occurs_at) &&
           t->started_at.us == t->occurs_at.us + 1 && t->state != SCHEDULE_FINISHED;
}

/* Up to the most that can be counted: what a file says that was imported may be near it. */
static inline void timer_count(struct timer *t, enum missed why, int64_t n)
{
    int64_t *count = &t->missed[why];

    *count = *count > INT64_MAX - n ? INT64_MAX : *count + n;
}

static inline bool timer_runs_left(const struct schedule *s, const struct timer *t)
{
    return s->max_runs < 0 || t->runs < s->max_runs;
}

#endif
