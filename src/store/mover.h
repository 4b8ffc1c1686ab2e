/*
 * mover.h: events are moved from the outbox to the history database, by a thread of their own.
 *
 * A batch is read from the outbox, added to the history and committed there, and only then removed from the
 * outbox. Whatever stops in between, the batch is moved again, and what the history has already (by id) is
 * left as it is: every event is there once in the end. On a store that instances share the batch stays locked
 * meanwhile, so several movers share the work and take over each other's leftovers.
 *
 * A history database that is away delays events and nothing else: they stay in the outbox. The thread is
 * woken by commits that wrote events, and looks by itself at its start and every `sweep_us`.
 */
#ifndef STORE_MOVER_H
#define STORE_MOVER_H

#include "base/base.h"
#include "base/error.h"
#include "base/log.h"
#include "store/lane.h"

struct mover;

struct mover_options {
    lane_open_fn open; /* a connection to the store that has the outbox; writing, when it is shared */
    void *open_arg;
    bool shared;        /* other instances have the same outbox */
    size_t batch;       /* events moved at once; 0: 1,000 */
    int64_t linger_us;  /* after being woken, for more to come; < 0: none, 0: 50 ms */
    int64_t sweep_us;   /* also how often retention looks; 0: 60 s */
    int64_t backoff_us; /* behind the first failure, then doubled up to 25 times this; 0: 200 ms */
    int64_t keep_us;    /* older events are removed from the history; 0: none */
    struct log *log;
};

/* Makes it; nothing runs yet, but it may be woken. */
struct mover *mover_new(const struct mover_options *options);
/* `writer`: where the outbox is written, used when it is not shared. Both outlive mover_stop(). */
CHECKED enum err mover_start(struct mover *m, struct lane *writer, struct lane *history, struct error *err);
/* Any thread: events were written. */
void mover_wake(struct mover *m);

struct mover_stats {
    uint64_t moved;
    uint64_t failures;     /* tries that came to nothing */
    int64_t waiting;       /* events in the outbox when last looked at, about */
    struct wall oldest_at; /* of those; WALL_NEVER: none */
};
/* Any thread. */
void mover_get_stats(struct mover *m, struct mover_stats *ret);

/* One last pass, unless the history is away; then the thread ends. Nothing when never started. */
void mover_stop(struct mover *m);
void mover_free(struct mover *m); /* stopped before, or never started */
CLEANUP_FN(struct mover, mover_free)

#endif
