/*
 * sim.h: a world in which the shipped scheduler runs: its core, its claim and its operations over a store in
 * memory, with simulated instances, clocks, targets and clients, and faults. Deterministic by seed.
 *
 *   world.c     time, the queue of events, the seed's configuration, the settling at the end
 *   fault.c     crashes, stalls, clock steps, outages, drains
 *   instance.c  one instance: a core, and what the engine's loop would do for it
 *   open.c      the database: in memory, or SQLite in a folder of its own
 *   db.c        calls to the store: latency, outages, lost answers, sabotage
 *   target.c    attempts: what the target does, when the answer comes
 *   client.c    registrations, replacements, deletions, pauses, triggers
 *   def.c       random definitions, and when they must fire by a reckoning that shares no code with src/
 *   check.c     invariants while it runs        (the checker knows what happened, not what the store thinks)
 *   account*.c  the accounts at the end: every nominal occurrence, every run
 *   trace.c     the last things that happened, told when an invariant breaks
 *
 * Two times: `t`, true time since the beginning, which nobody in the world can see; and the cluster's clock,
 * a struct wall, which may step and of which each instance has its own idea. One thread.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "base/base.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"
#include "calendar/zones.h"
#include "engine/core.h"

#include "store/ops_engine.h"
#include "store/ops_instance.h"
#include "store/ops_schedule.h"

struct world;

/* --- def.c: a definition, as the checker understands it --- */

/* Targets: definitions are spread over so many hosts. */
enum { HOSTS_N = 4 };

enum { SECONDS_OR_MINUTES = 60, DEF_TEXT_MAX = 1536 };

struct def {
    enum schedule_type type;
    uint64_t seconds; /* cron: bit i: fires at second i */
    uint64_t minutes;
    int64_t zone_s; /* cron: east of Greenwich; the zones used have no daylight saving */
    int64_t delay_us;
    struct wall date;
    struct wall start_at; /* {INT64_MIN}: none */
    struct wall end_at;   /* WALL_NEVER: none */
    int64_t max_runs;     /* -1: none */
    int64_t jitter_us;
    int64_t max_lateness_us; /* -1: none */
    enum misfire misfire;
    enum overlap overlap;
    enum failed_policy failed_policy;
    int64_t retry_wait_us;
    int64_t retry_wait_max_us;
    int64_t max_retry_count;
    int64_t retry_for_us;
    int64_t timeout_us;
    bool paused;
    /* the target's habits */
    int64_t answer_us; /* about how long it takes */
    unsigned fail_permille;
    unsigned host;
    char text[DEF_TEXT_MAX]; /* JSON */
};

/* Random, around cluster time `now`; `slot` is the client's identity. */
void def_make(struct rng *rng, size_t slot, struct wall now, struct def *ret);
bool def_recurs(const struct def *d);
/* The first nominal cron occurrence after `after`, within the window; never: none within `span_us`. */
struct wall def_next(const struct def *d, struct wall after, int64_t span_us);

/* --- what the checker remembers --- */

struct pause {
    struct wall from;
    struct wall until; /* never: still paused */
};

/* One definition of one schedule, from its registration until it was replaced or deleted. */
struct epoch {
    struct def def;
    int64_t version_from;
    int64_t version_to;
    struct wall registered_at;
    struct wall closed_at; /* never: in force */
    struct timer at_close; /* its timer then, or at the end of the world */
    struct pause *pauses;
    size_t pauses_n;
    struct wall *resumed; /* when, and nothing else */
    size_t resumed_n;
};

enum { INSTANCES_MAX = 4 };

struct sched {
    size_t no;
    size_t slot;
    struct uuid id;
    struct epoch *epochs;
    size_t epochs_n;
    bool deleted;
    struct wall deleted_at;
    int64_t version;             /* the current one; INT64_MAX when deleted */
    int64_t told[INSTANCES_MAX]; /* the version of the last change that the instance was told of */
    struct list runs;            /* struct srun.in_sched, by first sight */
    size_t in_flight;            /* attempts */
};

struct srun {
    struct list in_sched;
    size_t no;
    struct uuid id;
    struct sched *sched;
    int64_t version;
    struct wall scheduled_at;
    bool triggered;
    int64_t seen_t;
    size_t first_inst; /* who claimed it first, in which life */
    uint64_t first_boot;
    /* the lease that stands, by what the store was seen to hand out */
    bool leased;
    uint64_t token;
    struct wall lease_until;
    int64_t granted_t;    /* when it was given or prolonged last */
    bool ended;           /* an outcome that ends it was accepted */
    bool replaced;        /* a newer run took its place */
    struct list attempts; /* struct attempt.in_run, oldest first */
    /* at the end: as the store has it */
    bool stored;
    struct run_record last;
};

enum fate {
    FATE_OK,
    FATE_REFUSED, /* answered with a status that is not success */
    FATE_LATER,   /* 429 with Retry-After */
    FATE_NO_CONNECTION,
    FATE_NO_ANSWER, /* delivered, and the answer got lost */
    FATE_NOT_SENT,  /* for want of a descriptor: no attempt at all */
};

struct attempt {
    struct list in_run;
    struct list in_flight; /* world.in_flight */
    struct srun *run;
    struct held *held;
    size_t inst;
    uint64_t boot;
    enum fate fate;
    int64_t started_t;
    int64_t ended_t;    /* -1: under way */
    bool delivered;     /* the target got the request */
    bool aborted;       /* given up by the core */
    bool crashed;       /* its instance is no more */
    int64_t replaced_t; /* when a newer run took its place; 0: none has */
    bool answered;      /* the instance got the target's answer */
    struct attempt_result result;
    int64_t answer_t;
};

/* --- events --- */

enum event_kind {
    EV_WAKE,    /* an instance's timer */
    EV_EXEC,    /* a call reaches the store */
    EV_ANSWER,  /* its answer reaches the instance */
    EV_DUE,     /* a notice: something is due */
    EV_CHANGED, /* a notice: a schedule changed */
    EV_MISSED,  /* a notice: there may have been others that got lost */
    EV_CLOCK,   /* the instance learns of a clock step */
    EV_ARRIVE,  /* a request reaches its target */
    EV_END,     /* an attempt ends, for its instance */
    EV_ABORTED, /* the same, because it was given up */
    EV_CLIENT,  /* somebody does something with schedules */
    EV_REPLACE, /* somebody registers the same definition again, right before it fires */
    EV_FAULT,
    EV_BOOT,
    EV_GRACE, /* a drain's grace is over */
    EV_KILL,  /* a drain that did not come to its end */
};

enum { NO_INSTANCE = -1 };

struct event {
    struct heap_node node; /* key: t */
    enum event_kind kind;
    int inst;      /* whose process it happens in, or NO_INSTANCE */
    uint64_t boot; /* of that instance: an event of an earlier life is dropped */
    void *p;       /* struct call, attempt or sched */
    struct wall wall;
    int64_t version;
};

/* Schedules it; `inst` of the present boot. */
struct event *event_add(struct world *w, int64_t t, enum event_kind kind, int inst, void *p);

/* --- instances --- */

enum instance_state { INST_DOWN, INST_UP, INST_DRAINING };

struct inst {
    size_t no;
    enum instance_state state;
    uint64_t boot;
    struct uuid id;
    struct core *core;
    struct claim_cache *cache;
    int64_t mono_base_us;
    int64_t clock_error_us; /* its idea of the cluster's clock, wrong by this */
    int64_t known_step_us;  /* what it knows of the clock's steps */
    int64_t stalled_until;  /* t */
    int64_t postponed;      /* events that wait for that, to keep their order */
    bool calls_go_on;       /* the stall does not hold what was sent to the store already */
    int64_t cut_off_until;  /* t; from the store */
    int64_t exec_t;         /* calls are done and answered in order */
    int64_t answer_t;
    size_t at_host[HOSTS_N];      /* attempts under way */
    int64_t host_full_t[HOSTS_N]; /* when there were last as many as are allowed */
    uint64_t put_back;            /* core_stats.put_back at the last look */
    size_t queueing;
    int64_t trouble_t; /* when it last crashed, stalled, lost an answer, was cut off */
    int64_t second;    /* of t, in which claims that brought nothing are counted */
    size_t empty_claims;
    size_t notices;
    size_t idle_wakes; /* in a row, that led to nothing */
    struct event *wake;
};

/* --- the store's calls --- */

enum call_kind { CALL_CLAIM, CALL_RECORD, CALL_RENEW, CALL_DOOMED };
struct call {
    enum call_kind kind;
    bool failed;
    int64_t step_us; /* of the clock when it was done */
    struct op_claim *claim;
    struct op_complete *record;
    struct op_renew *renew;
    struct op_doomed *doomed;
    uint64_t *sent_tokens; /* SABOTAGE_ACCEPT_STALE: what the outcomes' tokens were */
};

/* --- the world --- */

/* What the world does wrong on purpose: the checker must find it. */
#define SABOTAGE_LIST(X)                                                                                     \
    X(SABOTAGE_NONE, "none")                                                                                 \
    X(SABOTAGE_DROP_RECORD, "drop-record")         /* a record is answered, but not done */                  \
    X(SABOTAGE_ACCEPT_STALE, "accept-stale")       /* the store does not look at lease tokens */             \
    X(SABOTAGE_STEAL_LEASE, "steal-lease")         /* a claim takes what another holds */                    \
    X(SABOTAGE_SKIP_OCCURRENCE, "skip-occurrence") /* a timer moves on without a run or a count */           \
    X(SABOTAGE_LOSE_NOTICE, "lose-notice")         /* an instance is not told what became due */             \
    X(SABOTAGE_NO_DELIVERY, "no-delivery")         /* an attempt is called a success and was never sent */   \
    X(SABOTAGE_IGNORE_CHANGE, "ignore-change")     /* an instance is told of changes, and its core is not */ \
    X(SABOTAGE_COUNT_TWICE, "count-twice")         /* a missed occurrence is counted twice */
#define X(value, text) value,
enum sabotage { SABOTAGE_LIST(X) };
#undef X

struct config {
    size_t instances;
    struct core_options core;
    int64_t span_us;        /* with clients and faults */
    int64_t clock_error_us; /* of an instance, at most */
    int64_t call_us;        /* about how long a call to the store takes */
    unsigned lost_permille; /* calls whose answer gets lost */
    unsigned deaf_permille; /* notices that never reach the other instances */
    unsigned mute_permille; /* notices of which others hear only that they missed some */
    unsigned poor_permille; /* claims' answers that meet a lack of memory */
    size_t faults;
    size_t schedules; /* at most at a time */
    int64_t client_every_us;
    bool tight;         /* limits so small that runs wait for room: lateness is not judged */
    bool told_of_steps; /* at once, not by the next claim */
};

/* From when until when things may be late, run twice or be missed: a fault and the time to get over it. */
struct disturbance {
    int64_t t_from;
    int64_t t_until;
    struct wall wall_from;
    struct wall wall_until;
};

struct trace {
    struct trace_entry {
        int64_t t;
        const char *what;
        int inst;
        int64_t sched;
        int64_t run;
        int64_t a;
        int64_t b;
    } * ring;
    size_t n;
    uint64_t fingerprint; /* of all that happened */
    bool live;
};

struct world {
    uint64_t seed;
    enum sabotage sabotage;
    bool sabotaged; /* it has been done (once is enough for some) */
    bool failed;    /* an invariant broke; the rest of the events is not looked at */
    struct rng rng;
    struct config config;
    int64_t t;
    int64_t end_t;   /* clients and faults stop */
    int64_t until_t; /* the world stops */
    struct heap events;
    struct wall wall_base;
    int64_t step_us;         /* all steps of the cluster's clock */
    bool stepped_back;       /* one of them at least */
    int64_t step_t;          /* of the last one; INT64_MIN / 2: none yet */
    struct wall latest_wall; /* before the last one */
    int64_t store_down_until;
    int64_t targets_down_until;
    int64_t host_dead_until[HOSTS_N];
    struct inst inst[INSTANCES_MAX];
    struct zones *zones;
    struct schedule_rules rules;
    struct sim_db *db;
    struct store *store;
    struct sched **scheds;
    size_t scheds_n;
    struct map sched_by_id;
    struct srun **runs;
    size_t runs_n;
    struct map run_by_id;
    struct list in_flight; /* struct attempt.in_flight */
    size_t attempts_n;
    size_t deliveries;
    size_t doubles;
    struct disturbance *disturbances;
    size_t disturbances_n;
    struct trace trace;
};

/* world.c */
struct sim_options {
    uint64_t seed;
    enum sabotage sabotage;
    bool verbose;
    bool sqlite; /* the shipped embedded store instead of the one in memory */
};
struct sim_result {
    bool failed;
    size_t runs;
    size_t attempts;
    size_t doubles;
    uint64_t fingerprint; /* equal when the same happened at the same times */
};
void world_run(const struct sim_options *o, struct sim_result *ret);
struct wall world_wall(const struct world *w);        /* the cluster's clock */
struct wall world_latest_wall(const struct world *w); /* the latest that it ever showed */
bool world_settling(const struct world *w);
/* How long after a fault its effects may be seen. */
int64_t world_margin_us(const struct world *w);
void world_disturb(struct world *w, int64_t until_t);
void world_shift_disturbances(struct world *w, int64_t us); /* the cluster's clock was just set by that */
bool world_quiet(const struct world *w);
bool world_disturbed_at(const struct world *w, struct wall from, struct wall until);
uint64_t pick(struct world *w, uint64_t below);
int64_t between(struct world *w, int64_t least, int64_t most);
bool chance(struct world *w, unsigned permille);

/* fault.c */
void fault_plan(struct world *w);
void fault_happen(struct world *w);
void fault_heal_all(struct world *w);

/* instance.c */
void instance_boot(struct world *w, struct inst *i);
void instance_down(struct world *w, struct inst *i); /* the process is gone */
void instance_drain(struct world *w, struct inst *i);
void instance_handle(struct world *w, struct inst *i, struct event *e);
struct core_now instance_now(const struct world *w, const struct inst *i);
void instance_trouble(struct world *w, struct inst *i);
struct inst *instance_any_up(struct world *w); /* NULL: none */

/* open.c: the database, which outlives every instance; `clock` is the world's */
struct sim_db *sim_db_new(bool sqlite, struct wall (*clock)(void *arg), void *clock_arg, struct store **ret);
void sim_db_free(struct sim_db *db, struct store *s);

/* db.c */
void call_send(struct world *w, struct inst *i, struct call *c);
void call_exec(struct world *w, struct inst *i, struct call *c);
void call_free(struct call *c);
CHECKED bool db_reachable(const struct world *w, const struct inst *i);
/* Tells of what a committed operation changed; `self` at once, the others later or never. */
void db_notify(struct world *w, struct inst *self, const struct notice *n);

/* target.c */
struct attempt *attempt_start(struct world *w, struct inst *i, struct held *h);
void attempt_arrive(struct world *w, struct attempt *a);
void attempt_end(struct world *w, struct attempt *a);
void attempt_free(struct attempt *a);

/* client.c */
void client_begin(struct world *w);
void client_act(struct world *w);
/* The same definition again. */
void client_replace(struct world *w, struct sched *s);

/* check.c */
PRINTF_LIKE(2, 3) void check_failed(struct world *w, const char *format, ...);
struct sched *sched_of(const struct world *w, struct uuid id);
const struct epoch *epoch_of(const struct sched *s, int64_t version); /* never NULL */
struct srun *srun_of(const struct world *w, struct uuid id);
struct srun *srun_see(struct world *w, const struct run *run);
void check_claimed(struct world *w, const struct inst *i, const struct run *run);
void check_outcome(struct world *w, const struct inst *i, const struct outcome *o);
void check_renewed(struct world *w, const struct op_renew *o);
void check_start(struct world *w, const struct inst *i, struct attempt *a);
/* It asked to be woken, was, and `acted`, or it had nothing to do. */
void check_wake(struct world *w, struct inst *i, bool acted);
/* An attempt ends: had a newer run taken its place long before? */
void check_replaced(struct world *w, const struct attempt *a);
void check_abort(struct world *w, const struct inst *i, const struct attempt *a);
void check_empty_claim(struct world *w, struct inst *i);

/* account.c */
void account_all(struct world *w);
/* Late by more than can be, at the end. */
bool account_is_overdue(const struct world *w, struct wall due);
bool account_is_open(const struct srun *r);
/* A change of its schedule or a newer run may have ended it. */
bool account_may_be_given_up(const struct srun *r);

/* account_epoch.c */
void account_epoch(struct world *w, const struct sched *s, const struct epoch *e);

/* trace.c */
enum { NOTHING = -1 };
void trace_init(struct trace *t, bool live);
void trace_done(struct trace *t);
void trace_add(struct world *w, const char *what, int inst, const struct sched *s, const struct srun *r,
               int64_t a, int64_t b);
void trace_print(const struct world *w, size_t most);

#endif
