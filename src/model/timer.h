/*
 * timer.h: when a schedule acts next, and what became of each of its occurrences.
 *
 * Pure. The store keeps a struct timer per schedule and asks timer_plan() inside its claim transaction; every
 * rule about misfires, overlap, lateness, jitter, windows and max_runs is here and nowhere else. Two times
 * are told apart: `occurs_at`, the nominal occurrence (a run's scheduled_at), and `next_at`, when to act on
 * it (nominal plus jitter).
 */
#ifndef MODEL_TIMER_H
#define MODEL_TIMER_H

#include "base/base.h"
#include "base/error.h"
#include "model/schedule.h"

#define SCHEDULE_STATE_LIST(X)                                                                               \
    X(SCHEDULE_ACTIVE, "active")                                                                             \
    X(SCHEDULE_PAUSED, "paused")                                                                             \
    X(SCHEDULE_FINISHED, "finished")
#define X(value, text) value,
enum schedule_state { SCHEDULE_STATE_LIST(X) };
#undef X
const char *schedule_state_name(enum schedule_state s);
CHECKED bool schedule_state_parse(struct str s, enum schedule_state *ret);

/* Why a nominal occurrence did not become a run of its own. */
#define MISSED_LIST(X)                                                                                       \
    X(MISSED_COALESCED, "coalesced") /* misfire once: folded into the latest */                              \
    X(MISSED_OVERLAP, "overlap")     /* the previous run was still open */                                   \
    X(MISSED_MISFIRE, "misfire")     /* misfire skip, or over the thousand of misfire all */                 \
    X(MISSED_LATE, "late")           /* max_lateness */                                                      \
    X(MISSED_PAUSED, "paused")                                                                               \
    X(MISSED_WINDOW, "window") /* a one-shot outside start_at..end_at */
#define X(value, text) value,
enum missed { MISSED_LIST(X) MISSED_N };
#undef X
const char *missed_name(enum missed m);

struct timer {
    enum schedule_state state;
    struct wall next_at;    /* WALL_NEVER: nothing to do until a run ends or somebody acts */
    struct wall occurs_at;  /* nominal time of that occurrence; meaningless when next_at is never */
    struct wall started_at; /* registration, replacement or resumption: what delays count from */
    int64_t runs;           /* made so far; what max_runs counts */
    int64_t missed[MISSED_N];
};

/* The timer of a schedule registered (or replaced) at `now`. `paused` schedules start as SCHEDULE_PAUSED. */
void timer_start(const struct schedule *s, struct wall now, struct timer *ret);
void timer_pause(struct timer *t, struct wall now);
/* Counts what passed meanwhile (bounded work) and computes the next occurrence after `now`. A one-shot whose
 * time passed fires at once. */
void timer_resume(const struct schedule *s, struct timer *t, struct wall now);
/* The zone's rules changed: the next occurrence after max(last occurrence, now - nothing missed is lost)
 * anew. */
void timer_recompute(const struct schedule *s, struct timer *t, struct wall now);

struct timer_rules {
    /* An occurrence planned later than this after its time is a misfire. */
    int64_t misfire_grace_us;
};
enum { TIMER_ALL_MAX = 1000 }; /* runs one plan may make */

/* One run to be made. */
struct plan_run {
    struct wall scheduled_at; /* nominal */
    struct wall due_at;       /* when to start: nominal plus jitter, or now for missed ones */
    bool waits;               /* queued behind the open run; due when that ended */
};

struct plan {
    struct timer after;
    struct plan_run *runs; /* owned; oldest first */
    size_t runs_n;
    bool replace; /* overlap replace: the open runs are given up */
};

/*
 * What is to be done with all occurrences due by `until` (now plus the claim's horizon).
 * `open_runs`: runs of this schedule that have not ended; `waiting_runs`: those of them that wait in a queue.
 * Bounded work whatever the time that passed. On success plan_done() must follow.
 */
CHECKED enum err timer_plan(const struct schedule *s, const struct timer *before, size_t open_runs,
                            size_t waiting_runs, struct wall now, struct wall until,
                            const struct timer_rules *rules, struct plan *ret, struct error *err);
void plan_done(struct plan *p);

/*
 * A run of this schedule ended at `ended_at` and `open_runs` remain: the next of a delay-recur, the end of a
 * one-shot or of a schedule that reached max_runs or end_at. True when *t changed.
 */
bool timer_run_ended(const struct schedule *s, struct timer *t, size_t open_runs, struct wall ended_at);

/* The next `max` fire times after `from`, for previews. Returns how many. delay-recur counts from `from` as
 * though runs took no time. */
size_t timer_preview(const struct schedule *s, struct wall from, struct wall *ret, size_t max);

#endif
