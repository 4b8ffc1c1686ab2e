/*
 * timers.h: what several calls do to timers and to the open runs of schedules, as sets.
 */
#ifndef STORE_POSTGRES_TIMERS_H
#define STORE_POSTGRES_TIMERS_H

#include "store/postgres/conn.h"

/* Begins Q_TIMERS_UPDATE, Q_TIMERS_ENDED or Q_PUT_NEW_TIMERS: $1 `now` and the arrays, empty. */
struct args *timer_args(struct postgres_store *s, struct wall now);
/* A row of them. */
void timer_args_add(struct args *a, struct uuid id, const struct timer *t);

/*
 * Pending and retrying runs of these schedules, whose timers are locked, are cancelled, running ones doomed.
 */
enum timers_end {
    END_REMOVED,  /* their schedules are deleted */
    END_CHANGED,  /* replaced or paused: that one was cancelled becomes their schedule's last outcome */
    END_REPLACED, /* newer runs take their place */
};
CHECKED enum err timers_end_runs(struct postgres_store *s, const struct uuid *ids, size_t n,
                                 enum timers_end why, struct wall now, struct error *err);

/* Tells the journal of runs: id, schedule, scheduled_at, attempt, label. */
CHECKED enum err timers_trace_runs(struct postgres_store *s, const PGresult *r, struct error *err);

#endif
