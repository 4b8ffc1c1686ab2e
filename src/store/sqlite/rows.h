/*
 * rows.h: timers and runs as columns, and what several calls do to them.
 */
#ifndef STORE_SQLITE_ROWS_H
#define STORE_SQLITE_ROWS_H

#include "store/sqlite/conn.h"

/* TIMER_COLUMNS from column `at` on; returns the column behind them. */
int col_timer(struct query *q, int at, struct timer *ret);
/* OPEN_AND_WAITING in column `at`. */
void col_open(struct query *q, int at, int64_t *ret_open, int64_t *ret_waiting);
/* RUN_COLUMNS from column `at` on; returns the column behind them. */
int col_run(struct query *q, int at, struct run *ret);
/* RUN_RECORD_COLUMNS or LOG_RECORD_COLUMNS from the first column on; the same. */
int col_run_record(struct query *q, struct run_record *ret);

/* Q_TIMER_INSERT or Q_TIMER_UPDATE. `before` -1: there was none. Keeps the tally. */
CHECKED enum err timer_write(struct sqlite_store *s, enum sql id, const struct uuid *schedule,
                             const struct timer *t, int before, struct wall now, struct error *err);
CHECKED enum err timer_set_last(struct sqlite_store *s, const struct uuid *schedule, enum run_state state,
                                struct wall ended_at, struct error *err);
void tally_move(struct sqlite_store *s, int from, int to); /* -1: none */

/* Pending and retrying runs are cancelled, running ones doomed. *ret_cancelled (may be NULL): how many were
 * cancelled. */
CHECKED enum err end_open_runs(struct sqlite_store *s, const struct uuid *schedule, struct wall now,
                               int64_t *ret_cancelled, struct error *err);

/* How a run ended, for its line in run_log. */
struct run_end {
    enum run_state state;
    int64_t attempt;
    int64_t failures;
    struct wall started_at;
    struct wall ended_at;
    int64_t took_us;
    int status;
    struct str error;
};
/* Moves a run from `run` to `run_log`. */
CHECKED enum err run_move_to_log(struct sqlite_store *s, const struct run *run, const struct run_end *end,
                                 struct error *err);
/* The oldest run of this schedule that waits is due now. */
CHECKED enum err release_waiting(struct sqlite_store *s, const struct uuid *schedule, struct wall now,
                                 struct error *err);
/* A run that has left the open ones. */
struct run_gone {
    const struct run *run;             /* as it was */
    const struct schedule *definition; /* its own; NULL: not at hand */
    bool doomed;                       /* .definition is not the one in force */
    enum run_state state;              /* what it became */
    bool delivered;                    /* an attempt of it is known */
    struct wall ended_at;
};
/*
 * What follows for its schedule: releases the run that waits, or tells the timer. *ret_due: what became due,
 * WALL_NEVER nothing. See complete() in store.h.
 */
CHECKED enum err schedule_run_ended(struct sqlite_store *s, const struct run_gone *gone, struct wall now,
                                    struct wall *ret_due, struct error *err);

#endif
