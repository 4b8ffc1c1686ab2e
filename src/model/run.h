/*
 * run.h: one occurrence on its way: its states, its attempts, and what follows from an attempt's result.
 *
 * Words: a run is one occurrence of one schedule; an attempt is one try at it; `attempt` counts the tries
 * handed out (1 is the first); `failures` counts the tries known to have failed, which is what retry limits
 * count: a try lost with a crashed instance is not the target's fault.
 */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"
#include "model/schedule.h"

#define RUN_STATE_LIST(X)                                                                                    \
    X(RUN_PENDING, "pending")   /* made, leased to nobody: waits for its time or for its predecessor */      \
    X(RUN_RUNNING, "running")   /* leased to an instance, which holds it or is delivering it */              \
    X(RUN_RETRYING, "retrying") /* an attempt failed, the next waits for due_at */                           \
    X(RUN_SUCCEEDED, "succeeded")                                                                            \
    X(RUN_FAILED, "failed")                                                                                  \
    X(RUN_DEAD, "dead")           /* kept until redriven or discarded by hand */                             \
    X(RUN_SKIPPED, "skipped")     /* never attempted: too late when its turn came */                         \
    X(RUN_CANCELLED, "cancelled") /* deleted, paused, replaced or given up before it ended */
#define X(value, text) value,
enum run_state { RUN_STATE_LIST(X) };
#undef X
const char *run_state_name(enum run_state s);
CHECKED bool run_state_parse(struct str s, enum run_state *ret);
/* The table of allowed steps. */
bool run_step_allowed(enum run_state from, enum run_state to);
bool run_state_open(enum run_state s); /* pending, running, retrying */

struct run {
    struct uuid id;
    struct uuid schedule_id;
    int64_t schedule_version; /* of the definition it was made from */
    struct wall scheduled_at; /* nominal; with schedule_id the run's identity */
    struct wall due_at;       /* when to start the next attempt; WALL_NEVER: waits for its predecessor */
    enum run_state state;
    int64_t attempt;
    int64_t failures;
    uint64_t lease_token; /* 0 when leased to nobody; never above INT64_MAX */
    struct wall lease_until;
    /* When it was made (trigger, backfill) or redriven by hand; {0}: its schedule's plan made it. */
    struct wall by_hand_at;
    /* By claims: attempts were handed out, but none is known to have begun: their holder was lost first. */
    bool unseen;
};

enum { ATTEMPT_TEXT_MAX = 192, ATTEMPT_ANSWER_MAX = 4096 };

/* The beginning of what a target answered, kept for the history alone. Immutable and counted. */
struct attempt_answer {
    unsigned refs; /* atomic; attempt_answer_ref() and _unref() only */
    bool cut;      /* the target said more */
    size_t n;
    char text[];
};
/* A copy; whatever bytes the target sent. */
CHECKED enum err attempt_answer_new(struct str text, bool cut, struct attempt_answer **ret,
                                    struct error *err);
struct attempt_answer *attempt_answer_ref(struct attempt_answer *a); /* NULL is fine */
void attempt_answer_unref(struct attempt_answer *a);                 /* NULL is fine; the last one frees */

/* What came of an attempt. Made by a deliverer, read by policy and store. A value. */
struct attempt_result {
    bool ok;
    /* Nothing was sent, and that is not the target's doing: this instance lacks descriptors or memory. It was
     * no attempt and no failure: the run is handed back and started again later. `error` says why. */
    bool not_sent;
    int status;             /* HTTP status, 0 when there was none */
    int64_t retry_after_us; /* what the target asked for; -1: nothing. With not_sent: how long to wait; -1: as
                             * the core thinks fit */
    int64_t took_us;
    char error[ATTEMPT_TEXT_MAX]; /* "" when ok; never holds a secret */
    /* NULL: none was kept. A reference of whoever made the result; who keeps a copy takes one of its own. */
    struct attempt_answer *answer;
};

struct verdict {
    enum run_state to;  /* succeeded, retrying, failed, dead */
    struct wall due_at; /* of the next attempt, for retrying */
};

/*
 * What becomes of a run in state running whose attempt ended at `now` with `r`. `run->failures` counts
 * earlier failures. The next attempt waits retry_wait times retry_backoff for each earlier failure, at most
 * retry_wait_max; a Retry-After on 429 and 503 makes that longer, up to retry_wait_max. At least 0.1 s,
 * whatever the definition says. No retry starts later than retry_for after scheduled_at; of a run by hand,
 * after that was done.
 */
struct verdict run_judge(const struct schedule *s, const struct run *run, const struct attempt_result *r,
                         struct wall now);
/* True when the run must not start any more: max_lateness passed since its acting time. Of its first attempt
 * only, and never of a run by hand: whoever wanted it knew what time it was. */
bool run_too_late(const struct schedule *s, const struct run *run, struct wall now);

/* The latest moment at which its next attempt may begin, by max_lateness or retry_for; WALL_NEVER: any. */
struct wall run_last_chance(const struct schedule *s, const struct run *run);
/*
 * True when a retry that was due in time has waited until later than retry_for after scheduled_at. One that
 * was made due by hand after that is not meant.
 */
bool run_retry_too_late(const struct schedule *s, const struct run *run, struct wall now);
/* How a run ends that is not tried again: failed or dead. */
enum run_state run_given_up(const struct schedule *s);

/* "<schedule id>/<scheduled_at>": the Idempotency-Key of every attempt. */
enum { RUN_KEY_MAX = 96 };
void run_key(const struct run *run, char ret[RUN_KEY_MAX]);

#endif
