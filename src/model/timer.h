/*
 * timer.h: when a schedule acts next, and what became of each of its occurrences.
 *
 * Pure. The store keeps a struct timer per schedule and asks timer_plan() inside its claim transaction; every
 * rule about misfires, overlap, lateness, jitter, windows and max_runs is here and nowhere else. Two times
 * are told apart: `occurs_at`, the nominal occurrence (a run's scheduled_at), and when it is acted on
 * (nominal plus jitter), which is `next_at` but for what is said at timer_rules.lead_us.
 *
 * The rules, in words for users in docs/policies.md:
 *
 * Jitter: made from identity and occurrence, 0 to `jitter`, never past the next occurrence. So occurrences
 * are acted on in their own order. Late: an occurrence planned more than max_lateness after its acting time
 * is counted, whatever misfire says. Missed: planned more than misfire_grace after its acting time. Once one
 * is missed, `once` makes one run of all that are due by now, the latest; `all` one run each, the newest
 * TIMER_ALL_MAX; `skip` counts the missed ones and lets those within the grace be. Where nothing was missed
 * each occurrence is a run of its own. Overlap, for recurring schedules with a run open (runs of the same
 * plan count): skip counts the occurrence, allow starts it, queue lets one wait and counts the others,
 * replace gives up what is open and counts what never was made. Catching up with `all` under skip or queue
 * makes all the runs wait in a row instead. It is judged at the occurrence's time: one that lies ahead of
 * `now` while a run is open is put off. One-shots: one whose time passed before it was registered (or
 * resumed) fires at once and is not missed; it is never skipped for an open run but waits behind it. Outside
 * the window it is counted and the schedule finished. delay-recur: the next one is set when the last open run
 * ended; counted instead of run, it counts as ended now. max_runs counts runs made. A schedule is finished
 * when nothing follows and no run is open.
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
    struct wall next_at; /* WALL_NEVER: nothing to do until a run ends or somebody acts */
    /*
     * Nominal time of the next occurrence. Paused: kept, WALL_NEVER when none was set. Active without
     * next_at: meaningless, but for what is said at timer_doubt(). Active with next_at and WALL_NEVER here:
     * the store says that a run ended at next_at, and the plan does what timer_run_ended() would have done.
     */
    struct wall occurs_at;
    /* Registration, replacement or resumption. Occurrences of a cron up to here are none of this timer's:
     * past, or made by the definition before it (timer_doomed_ended()). */
    struct wall started_at;
    int64_t runs; /* made so far; what max_runs counts; a one-shot with one has nothing left */
    int64_t missed[MISSED_N];
};

/* Nothing to be written where a plan leaves a timer as it was. */
bool timer_eq(const struct timer *a, const struct timer *b);

/*
 * The timer of a schedule registered (or replaced) at `now`. A paused one starts as SCHEDULE_PAUSED with its
 * first occurrence kept; one without any occurrence as SCHEDULE_FINISHED.
 */
void timer_start(const struct schedule *s, struct wall now, struct timer *ret);
/* The nominal time of the first occurrence of a schedule registered at `now`, inside its window or not. */
struct wall timer_first(const struct schedule *s, struct wall now);
/* An active timer stops; others stay as they are. What was a run already is the store's to cancel. */
void timer_pause(struct timer *t, struct wall now);
/*
 * Before a pause, for each run of the definition in force that is never attempted and not begun: cancelled,
 * its occurrence is still to come, as if no run had been made of it, when its time is still ahead or it is a
 * one-shot's only one.
 */
void timer_take_back(const struct schedule *s, struct timer *t, struct wall scheduled_at, struct wall now);
/*
 * The same for a run that may have begun, of which no attempt is known: a one-shot's only occurrence is in
 * doubt until that run ends, which tells timer_doomed_ended(). Until then, paused or resumed, the timer has
 * no next_at, and started_at is a µs behind occurs_at.
 */
void timer_doubt(const struct schedule *s, struct timer *t, struct wall scheduled_at);
/*
 * Counts what passed meanwhile (exactly, in bounded work) and goes on with the first occurrence after `now`.
 * A one-shot keeps its time, and fires at once when that has passed; one whose run was made before is
 * finished. A delay-recur whose time passed starts anew from `now`. Only for paused timers.
 */
void timer_resume(const struct schedule *s, struct timer *t, struct wall now);
/*
 * The zone's rules may have changed: an occurrence ahead of `now` is computed anew, behind `made`, the latest
 * occurrence that is an open run already (WALL_NONE_YET: there is none). One that is due stays due, and what
 * follows it is computed by the new rules anyway. True when *t changed: a timer that stands where it stood is
 * not touched.
 */
#define WALL_NONE_YET ((struct wall){INT64_MIN})
bool timer_recompute(const struct schedule *s, struct timer *t, struct wall made, struct wall now);

/*
 * It goes on, and something is to come of it, but it does not say what: it would end at its next step without
 * that. No timer of ours is ever so, only what others wrote. `made` as above.
 */
bool timer_has_lost_its_next(const struct schedule *s, const struct timer *t, struct wall made,
                             struct wall now);

struct timer_rules {
    /* An occurrence planned later than this after its time is a misfire. */
    int64_t misfire_grace_us;
    /*
     * How long before a timer's next_at claims are sent for it (engine/core: half the horizon). An occurrence
     * that is put off until its time gets a next_at that much later than its time, so that the claim comes at
     * its time. 0 is right, but lets claims find it early and ask again.
     */
    int64_t lead_us;
    bool list_missed; /* plan.missed is wanted */
    /*
     * Of this call: all runs that are open were given up (replaced, paused) before they were due. They end
     * unstarted as soon as their holder has heard of it, so nothing is skipped for them, but put off a
     * little.
     */
    bool leaving;
};
enum { TIMER_ALL_MAX = 1000 }; /* runs one plan may make */

/* One run to be made. */
struct plan_run {
    struct wall scheduled_at; /* nominal */
    struct wall due_at;       /* when to start: nominal plus jitter, or now for missed ones */
    bool waits;               /* queued behind the open run; due when that ended */
};

struct missed_span;
struct missed_list {
    struct missed_span *items; /* model/missed.h */
    size_t n;
    size_t cap;
};

struct plan {
    struct timer after;
    struct plan_run *runs; /* owned; oldest first */
    size_t runs_n;
    bool replace;              /* overlap replace: the open runs are given up */
    struct missed_list missed; /* what this plan counted, when rules.list_missed */
};

/*
 * What is to be done with all occurrences due by `until` (now plus the claim's horizon).
 * `open_runs`: runs of this schedule that have not ended; `waiting_runs`: those of them that wait in a queue.
 * Bounded work whatever the time that passed: at most TIMER_ALL_MAX runs; what is left stays due for the next
 * plan. On success plan_done() must follow.
 */
CHECKED enum err timer_plan(const struct schedule *s, const struct timer *before, size_t open_runs,
                            size_t waiting_runs, struct wall now, struct wall until,
                            const struct timer_rules *rules, struct plan *ret, struct error *err);
void plan_done(struct plan *p);

/*
 * Runs that outlive the definition or the state that they were made by (replaced, paused, resumed) are
 * doomed: dropped unless their attempt is under way. Until the one or the other is known, nobody can say
 * whether an occurrence that was made ahead of its time, and is one of the new definition's too, is still to
 * be made.
 */

/* Whether an open doomed run of `held_at` puts t->occurs_at in doubt. */
static inline bool timer_is_held(const struct timer *t, struct wall held_at)
{
    return !wall_is_never(held_at) && held_at.us == t->occurs_at.us && held_at.us > t->started_at.us;
}
/*
 * Such a run is open at `now`. True: *t is put off until that run ends, or until a
 * moment after its time when an attempt must be under way; a one-shot is in doubt then, as at timer_doubt().
 * False: that moment has passed, and *t says that the occurrence was made: by that run, which is owed
 * (store.h, advance.owed_at): if it ends unattempted after all, it goes on as a run of the definition in
 * force.
 */
bool timer_hold(const struct schedule *s, struct timer *t, struct wall now, struct wall until,
                const struct timer_rules *rules);

/* How a doomed run ended. */
struct doomed_end {
    struct wall scheduled_at;
    bool delivered; /* an attempt of it is known */
    bool by_hand;   /* it was none of the schedule's occurrences */
    struct wall ended_at;
    size_t open_runs; /* that remain */
};
/*
 * What of it concerns *t, whose definition need not be at hand: an occurrence that it has still ahead is
 * made, or is due again; one that was in doubt is made, or is due at once; a timer that waited for this end
 * is woken. True when *t changed.
 */
bool timer_doomed_ended(struct timer *t, const struct doomed_end *e);

/*
 * A run of this schedule ended at `ended_at`, however it ended, and `open_runs` remain: the next of a
 * delay-recur, the end of a one-shot or of a schedule that reached max_runs or end_at, or the return of an
 * occurrence that was put off because of this run (to be called for cron schedules too). True when *t
 * changed.
 */
bool timer_run_ended(const struct schedule *s, struct timer *t, size_t open_runs, struct wall ended_at);

/*
 * The next `max` fire times after `from`, jitter included, for previews; `paused` is not looked at. Returns
 * how many. delay-recur counts from `from` as though runs took no time; a date that has passed fires at
 * `from`.
 */
size_t timer_preview(const struct schedule *s, struct wall from, struct wall *ret, size_t max);

/*
 * The nominal occurrences of a cron schedule in from <= t < to and within its window, in order, at most
 * `max`; returns how many. Other types have none that can be told without knowing their runs.
 */
size_t timer_occurrences(const struct schedule *s, struct wall from, struct wall to, struct wall *ret,
                         size_t max);

#endif
