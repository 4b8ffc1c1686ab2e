/*
 * core.h: the scheduler as a pure state machine. Inputs: the time, what was claimed, how attempts ended, what
 * changed. Outputs: actions for its loop to carry out. No libuv, no clock, no database, no thread in it: the
 * simulation in tests/sim drives the very same code.
 *
 * It holds the runs that are leased to this engine: those whose moment has not come (in a heap by due time),
 * those being delivered, those whose outcome is being recorded. Each is in one state (enum held in
 * core_internal.h). At most one claim, one renewal at a time; outcomes are gathered while a record action is
 * out, so records group themselves.
 *
 * One thread. `now` must not decrease in mono; wall may step.
 */
#ifndef ENGINE_CORE_H
#define ENGINE_CORE_H

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"
#include "model/run.h"
#include "model/schedule.h"

struct core;

/*
 * Asked right before each start: may an attempt at the target of `s` begin? A time not after `now`: yes, and
 * it will (CORE_START follows). A later time: no; the target's runs wait until then, or until one of its
 * attempts ends, and are asked for again. Must not call the core.
 */
typedef struct mono (*core_admit_fn)(void *arg, const struct schedule *s, struct mono now);

enum { CORE_TARGET_KINDS = TASK_REDIS + 1 };

struct core_options {
    int64_t horizon_us;     /* how far ahead a claim looks; default 1 s */
    int64_t lease_us;       /* default 30 s; renewed at a third of it */
    bool never_claims;      /* nothing is claimed: its instance is no worker */
    int64_t safety_poll_us; /* a claim at least this often, whatever the notices say; default 30 s */
    size_t claim_limit;     /* runs a claim takes at most; default 1,000 */
    size_t held_max;        /* runs held at most, in all states: no claim when full; default 10,000 */
    size_t held_bytes_max;  /* of their definitions, as text; default 64 MiB */
    size_t in_flight_max;   /* attempts under way at most; default 1,000 */
    /*
     * Attempts under way at one target (model/target.h), by the task's type. Default: in_flight_max, of which
     * no target takes it all (core_target.c).
     */
    size_t target_max[CORE_TARGET_KINDS];
    size_t record_limit; /* outcomes a record action carries at most; default 1,000 */
    int64_t backoff_us;  /* wait after a failed claim or record: doubled up to 30 times this; default 1 s */
    core_admit_fn admit; /* NULL: always yes */
    void *admit_arg;
};

struct core_now {
    struct wall wall; /* the cluster's clock: the store's, by the measured offset */
    struct mono mono;
};

/* A held run. Opaque to others but for what delivering it needs. Lives from claim to its last action. */
struct held;
const struct run *held_run(const struct held *h);
struct schedule *held_schedule(const struct held *h);
/* The loop's own pointer (its delivery), NULL at first. */
void held_set_user(struct held *h, void *user);
void *held_user(const struct held *h);

/* --- inputs; each appends to the actions to be read by core_next_action() --- */

CHECKED enum err core_new(const struct core_options *options, struct core **ret, struct error *err);
void core_free(struct core *c); /* whatever it holds is let go: leases will run out */
CLEANUP_FN(struct core, core_free)

/* Time passed. Must be called whenever core_wake_at() is reached; may be called any time. */
void core_tick(struct core *c, struct core_now now);

/* What a claim brought. `schedule` references pass to the core. */
struct core_claimed {
    struct run run;
    struct schedule *schedule;
    size_t bytes; /* about what the definition takes, as text */
};
struct core_claim_answer {
    struct core_claimed *items;
    size_t n;
    const struct uuid *replaced; /* schedules whose older runs were given up (not those in items) */
    size_t replaced_n;
    struct wall next_due; /* the earliest thing still unclaimed */
    bool more;            /* the claim got on with what is due, and there is more: the next follows at once */
};
void core_on_claimed(struct core *c, struct core_now now, const struct core_claim_answer *a);
void core_on_claim_failed(struct core *c, struct core_now now);

/* An attempt that CORE_START began has ended. */
void core_on_attempt_ended(struct core *c, struct core_now now, struct held *h,
                           const struct attempt_result *r);

/* The record action's outcomes are durable; stale[i] says that the i-th was refused because its lease had
 * passed on. */
void core_on_recorded(struct core *c, struct core_now now, const bool *stale, size_t n);
void core_on_record_failed(struct core *c,
                           struct core_now now); /* unknown: all of them will be recorded again */

void core_on_renewed(struct core *c, struct core_now now, struct wall until, const struct uuid *lost,
                     size_t lost_n);
void core_on_renew_failed(struct core *c, struct core_now now);

/* Something became due at `earliest` that is leased to nobody. */
void core_on_due(struct core *c, struct core_now now, struct wall earliest);
/* A schedule changed: runs of versions before `version` that have not started will not start (they are
 * recorded as cancelled). 0: a newer run took the place of some of its runs; the store is asked of which. */
void core_on_changed(struct core *c, struct core_now now, struct uuid schedule_id, int64_t version);
/* How often to claim from now on whatever the notices say: more often while notices may be missed. */
void core_set_safety_poll(struct core *c, struct core_now now, int64_t safety_poll_us);
/*
 * Changes may have happened of which nobody told us: which of the held runs were given up is asked for
 * (CORE_ASK_DOOMED), and it is looked for what is due.
 */
void core_on_missed_changes(struct core *c, struct core_now now);
/* Of the runs asked for, those that were given up: they do not start, nor start again; and of these, those
 * whose place a newer run took: their attempt is given up too, where others end. */
struct core_doomed {
    const struct uuid *runs;
    size_t n;
    const struct uuid *replaced;
    size_t replaced_n;
};
void core_on_doomed(struct core *c, struct core_now now, const struct core_doomed *doomed);
void core_on_ask_doomed_failed(struct core *c, struct core_now now);
/* The wall clock was set: everything by wall time is looked at again. */
void core_on_clock_set(struct core *c, struct core_now now);
/*
 * How far the wall clock is from the cluster's is not known: nothing starts until it is again, or until that
 * moment. What starts too early cannot be taken back. Both take effect with the next input.
 */
void core_doubt_clock(struct core *c, struct mono until);
void core_trust_clock(struct core *c);
/* Stop claiming and starting; hand back what has not started (recorded as pending), finish what is in flight.
 */
void core_drain(struct core *c, struct core_now now);
/* The grace is over: abort what is in flight; it is handed back too. */
void core_drain_now(struct core *c, struct core_now now);

/* --- outputs --- */

enum core_action_kind {
    CORE_CLAIM,      /* claim up to .limit runs within .horizon_us; answer by core_on_claimed or
                        core_on_claim_failed */
    CORE_START,      /* begin the attempt .held; answer by core_on_attempt_ended */
    CORE_ABORT,      /* give up the attempt .held; core_on_attempt_ended still follows */
    CORE_RECORD,     /* write .outcomes; answer by core_on_recorded or core_on_record_failed */
    CORE_ASK_DOOMED, /* which of .runs were given up? answer by core_on_doomed or core_on_ask_doomed_failed */
    CORE_RENEW, /* prolong the leases of .runs/.tokens; answer by core_on_renewed or core_on_renew_failed */
};

struct core_outcome { /* what store's struct outcome needs; core knows no store */
    struct run run;   /* as claimed: id, schedule_id, version, lease_token */
    enum run_state to;
    struct wall due_at;
    struct wall ended_at;
    int64_t failures;
    bool attempted;
    struct attempt_result result;
    const struct schedule *schedule; /* borrowed until the record is answered */
};

struct core_action {
    enum core_action_kind kind;
    size_t limit;                        /* CORE_CLAIM */
    int64_t horizon_us;                  /* CORE_CLAIM */
    struct held *held;                   /* CORE_START, CORE_ABORT */
    const struct core_outcome *outcomes; /* CORE_RECORD; the core's until answered */
    const struct uuid *runs;             /* CORE_RENEW, CORE_ASK_DOOMED; the core's until answered */
    const uint64_t *tokens;              /* CORE_RENEW */
    size_t n;                            /* CORE_RECORD, CORE_RENEW, CORE_ASK_DOOMED */
};

/* The next action, oldest first; false when there is none. Carrying one out may call inputs again only from
 * later turns of the loop. */
bool core_next_action(struct core *c, struct core_action *ret);

/* When core_tick() must be called at the latest if nothing else happens. Two clocks: both may be never. */
struct core_wake {
    struct wall wall; /* WALL_NEVER: no need */
    struct mono mono; /* {INT64_MAX}: no need */
};
struct core_wake core_wake_at(const struct core *c);

/* Draining and nothing is held any more. */
bool core_is_drained(const struct core *c);

struct core_stats {
    size_t held;
    size_t waiting;  /* for their moment, or for a place at their target */
    size_t queueing; /* of those: for a place */
    size_t in_flight;
    size_t recording; /* ended, not yet durable */
    uint64_t started;
    uint64_t ended_ok;
    uint64_t ended_failed;
    uint64_t not_sent; /* attempts that this instance had no means to make: handed back */
    uint64_t stale;
    uint64_t claims;
    uint64_t put_back;        /* to the store, for later: too many waited for one target */
    uint64_t lateness_us_sum; /* start minus due, over `started` */
    uint64_t lateness_us_max;
    uint64_t
        dropped; /* let go of unrecorded: no memory, or the lease may have run out; they are claimed again */
    uint64_t lateness_buckets[16]; /* cumulative counts at <= 1,2,5,10,20,50,100,200,500 ms, 1,2,5,10,30,60 s,
                                      +Inf */
};
void core_get_stats(const struct core *c, struct core_stats *ret);

#endif
