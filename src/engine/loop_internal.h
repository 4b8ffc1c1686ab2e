/*
 * loop_internal.h: what the files of the engine's loop share. Nobody else includes it.
 *
 *   engine.c        the public door: making, starting, stopping; what other threads leave for the loop
 *   loop.c          the thread, its turns, its clocks
 *   loop_ask.c      what is asked of the writer lane, and its answers
 *   loop_deliver.c  attempts begun, given up and ended
 *   loop_monitor.c  this instance among the others
 *
 * A turn takes what happened, feeds the pure core, carries out its actions and sleeps until the core wants to
 * be woken or something happens. Nothing in a turn blocks.
 */
#ifndef ENGINE_LOOP_INTERNAL_H
#define ENGINE_LOOP_INTERNAL_H

#include <pthread.h>
#include <uv.h>

#include "base/list.h"
#include "base/queue.h"
#include "engine/core.h"
#include "engine/engine.h"
#include "engine/monitor.h"
#include "engine/uv_reactor.h"
#include "store/ops_engine.h"
#include "store/ops_instance.h"

enum {
    NOTICE_CHANGES =
        4096, /* changes kept between two turns; a lane that has more to tell waits for the turn */
    CACHE_SCHEDULES = 4096, /* decoded definitions kept */
    UPKEEP_LIMIT = 500,     /* rows an upkeep removes at once */
    TASK_KINDS = TASK_REDIS + 1,
};
/* While nothing is fired and nothing was to be removed, upkeep comes ever less often, down to this. */
enum { UPKEEP_SELDOM = 10 };
/* Between two upkeeps of which the first left work: others get their turn on the lane. */
#define UPKEEP_AGAIN_US (100 * US_PER_MS)
/* After a step of our clock: starts wait so long for a word of the store's. */
#define DOUBT_US US_PER_S
/* After the grace: how long the last records may take. */
#define STOP_RECORDS_US (5 * US_PER_S)

/* What is asked of the lane: at most one of each is out. */
enum asked_kind {
    ASKED_CLAIM,
    ASKED_RECORD,
    ASKED_RENEW,
    ASKED_DOOMED,
    ASKED_UPKEEP,
    ASKED_BEAT,
    ASKED_NEXT,
    ASKED_LEAVE
};
enum { ASKED_KINDS = ASKED_LEAVE + 1 };

struct asked {
    struct engine *engine;
    enum asked_kind kind;
    bool refused;         /* the lane did not take it; told to the core in the next turn */
    struct error refusal; /* why */
    uint64_t failures;    /* in a row: the first is logged, the others counted */
};

enum loop_phase {
    LOOP_IDLE, /* made, not started */
    LOOP_RUNNING,
    LOOP_DRAINING, /* until .phase_end: what is in flight may end */
    LOOP_ABORTING, /* until .phase_end: the last outcomes are recorded */
    LOOP_OVER,
};

/* What other threads leave for the loop. */
struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t emptied;
    /* under .lock */
    bool open;    /* the loop can be woken */
    bool running; /* changes are of interest: runs may be held */
    bool stop;
    int64_t grace_us;
    int64_t look_us; /* > 0: told anew */
    struct wall earliest;
    bool missed;            /* there may have been changes that nobody named */
    struct change *changes; /* NOTICE_CHANGES */
    size_t changes_n;
    struct engine_stats stats; /* as of the last turn */
    struct mono monitor_until; /* the same */
};

struct engine {
    /* constant once started */
    struct engine_options options;
    struct lane *writer;
    pthread_t thread;
    struct mailbox mail;
    struct queue *answers; /* from the lane: its operations, done */

    /* the lane's thread, while a claim is out; the loop's otherwise */
    struct claim_cache *cache;

    /* the loop's thread; before its start and after its end, whoever calls engine_new() and engine_free() */
    uv_loop_t loop;
    bool loop_made;
    bool shut;     /* all handles are closed or closing */
    bool turn_due; /* something happened that the core may have to hear of */
    uv_async_t wake;
    uv_prepare_t before_sleep;
    struct uv_reactor *reactor;
    struct reactor_timer *mono_timer;
    struct reactor_timer *upkeep_timer;
    struct reactor_watch *wall_watch;
    int wall_fd;          /* a timerfd on CLOCK_REALTIME */
    struct wall wall_set; /* what it is set to, by our own clock; INT64_MIN: not set */
    struct mono mono_set; /* what .mono_timer is set to; INT64_MAX: not set */
    bool clock_was_set;
    bool upkeep_due;
    int64_t upkeep_wait_us; /* until the next one */
    bool fired_since_upkeep;
    struct monitor monitor;
    struct wall started_at; /* by the store's clock; {0}: the first beat asks for it */
    uint64_t started_before;
    struct wall told_next; /* to options.next_due */
    int64_t look_us;       /* core.safety_poll_us, or what was told since */
    struct mono look_at;   /* who never claims looks then for what is due next; {INT64_MAX}: it is out */
    enum loop_phase phase;
    struct mono phase_end;
    struct core *core;
    struct core_now now;         /* of this turn */
    struct wall own_wall;        /* the same by our own clock */
    int64_t offset_us;           /* the store's clock minus ours */
    struct mono clock_set_at;    /* our own clock was set then at the latest; {INT64_MIN}: never */
    struct wall claim_sent_wall; /* our own clock when the claim was sent */
    struct mono claim_sent;
    struct wall beat_sent_wall; /* the same of the beat */
    struct mono beat_sent;
    struct asked asked[ASKED_KINDS];
    bool *stale;                              /* core.record_limit */
    struct change *changes;                   /* the mailbox's other half: they are swapped */
    struct deliverer *deliverers[TASK_KINDS]; /* NULL: this build has none */
    size_t flights;                           /* attempts that have not ended */
    bool in_want;                             /* the last that ended could not be made */
    struct list ended;                        /* flights whose end the core has not heard of */
    struct engine_stats stats;                /* but .core, which is asked for each time */
};

/* loop.c */
CHECKED enum err loop_init(struct engine *e, struct error *err);
void loop_done(struct engine *e); /* of whatever loop_init() made */
void *loop_main(void *engine);
/* Any thread: one more turn. */
void loop_wake(struct engine *e);
void loop_wake_locked(struct engine *e); /* under mail.lock; nothing once the loop is over */

/* loop_ask.c */
void loop_ask_claim(struct engine *e, const struct core_action *a);
void loop_ask_record(struct engine *e, const struct core_action *a);
void loop_ask_doomed(struct engine *e, const struct core_action *a);
void loop_ask_renew(struct engine *e, const struct core_action *a);
void loop_ask_upkeep(struct engine *e);
/* Something is fired: there will be something to remove. */
void loop_hurry_upkeep(struct engine *e);
void loop_ask_beat(struct engine *e, const struct heartbeat *h);
void loop_ask_leave(struct engine *e, const struct heartbeat *h);
void loop_ask_next(struct engine *e);
/* The store's clock said so at some moment since `sent`. */
void loop_measure_clock(struct engine *e, struct wall store_now, struct mono sent, struct wall sent_wall);
/* Feeds the core with what the lane answered, or refused to take, since the last turn. */
void loop_take_answers(struct engine *e);
/* Frees answers that came after the loop's end. */
void loop_drop_answers(struct engine *e);

/* loop_deliver.c */
CHECKED enum err loop_open_deliverers(struct engine *e, struct error *err);
void loop_close_deliverers(struct engine *e);
/* core_admit_fn, of an engine. */
struct mono loop_admit(void *engine, const struct schedule *s, struct mono now);
void loop_start_flight(struct engine *e, struct held *h);
void loop_abort_flight(struct engine *e, struct held *h);
void loop_take_ended(struct engine *e);
void loop_deliver_stats(const struct engine *e, struct deliver_stats ret[TASK_KINDS]);

/* loop_monitor.c */
void loop_init_monitor(struct engine *e, struct mono now);
/* Beats when it is time, and does what the monitor has to do. Once a turn. */
void loop_tend_monitor(struct engine *e);
void loop_take_beat(struct engine *e, const struct op_heartbeat *o);
void loop_fail_beat(struct engine *e, const struct error *err);
struct mono loop_monitor_wake_at(const struct engine *e);
void loop_look_every(struct engine *e, int64_t us);
/* What is due next, by a claim or by a look: the monitor tells it. */
void loop_tell_next(struct engine *e, struct wall at);
void loop_took_look(struct engine *e);
/* The last word: the others need not wait until we are missed. */
void loop_leave(struct engine *e);

#endif
