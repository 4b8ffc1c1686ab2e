/*
 * engine.h: the public door of the engine: a thread with an event loop that claims what is due from the
 * writer lane, delivers it on time and records what came of it.
 *
 * No globals: several engines can run in one process, each with its own claims.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/base.h"
#include "base/error.h"
#include "base/log.h"
#include "base/uuid.h"
#include "deliver/deliver.h"
#include "engine/core.h"
#include "store/lane.h"

struct engine;

struct engine_options {
    struct uuid instance;
    struct core_options core;
    struct timer_rules timer_rules;
    const struct schedule_rules *schedule_rules; /* outlives the engine */
    struct deliver_options deliver;
    struct log *log;
    /* what the others are told of this instance; NULL is "" */
    const char *name;
    const char *roles;
    const char *version;
    bool monitor; /* it may be elected: the monitor alone does upkeep, which is retention in small batches */
    /* Called by the monitor with what it finds to be due next, when that is another time than before. On the
     * engine's thread; must not block. NULL: nobody asks. */
    void (*next_due)(void *arg, struct wall at);
    void *next_due_arg;
    int64_t upkeep_every_us; /* default 60 s */
    int64_t keep_finished_us;
    int64_t keep_ok_us;
    int64_t keep_failed_us;
};

/* Makes the loop and its deliverers. The lane comes later, since lane and engine know each other. */
CHECKED enum err engine_new(const struct engine_options *options, struct engine **ret, struct error *err);
/*
 * Starts the thread, which claims at once. `writer` outlives engine_stop(); it is freed before engine_free(),
 * since what it still answers then goes to the engine.
 */
CHECKED enum err engine_start(struct engine *e, struct lane *writer, struct error *err);

/* Any thread: what a lane's notice says. Coalesced: many calls between two turns of the loop cost one wake.
 * May be called before engine_start(). */
void engine_notice(struct engine *e, const struct notice *n);

/* Any thread, any time: how often to look at the database from now on, whatever notices say. */
void engine_look_every(struct engine *e, int64_t us);

struct engine_stats {
    struct core_stats core;
    uint64_t wakeups;
    uint64_t claim_us_sum;
    uint64_t delivery_us_sum;
    uint64_t delivery_us_buckets[16]; /* bounds as core_stats.lateness_buckets */
    uint64_t attempts_ok[3];          /* by enum task_type */
    uint64_t attempts_failed[3];
    struct deliver_stats deliver[3]; /* the same */
    size_t instances;                /* that live, by the last heartbeat's answer; 0: not known yet */
    size_t workers;                  /* of those: they have the role worker */
    size_t monitors;                 /* of those: 1, or 0 while nobody looks after the cluster */
    bool is_monitor;
    int64_t clock_offset_us; /* the store's clock minus ours, as far as it is known */
};
/* Any thread: a copy as of the loop's last turn. */
void engine_get_stats(struct engine *e, struct engine_stats *ret);
/*
 * Any thread: whether this instance is the one that looks after the cluster. Never true of two at once; but
 * what somebody begins on the strength of it may end when another is.
 */
bool engine_is_monitor(struct engine *e);

/* The same without waiting for it: engine_stop() must follow, whose grace is this one then. */
void engine_begin_stop(struct engine *e, int64_t grace_us);
/*
 * Stops claiming, finishes what is in flight within `grace_us`, then aborts it, hands back the rest and joins
 * the thread. Blocks, for the grace and 5 s at most, whatever targets and lane do. Nothing when never
 * started.
 */
void engine_stop(struct engine *e, int64_t grace_us);
void engine_free(struct engine *e); /* stopped before, or never started */
CLEANUP_FN(struct engine, engine_free)

#endif
