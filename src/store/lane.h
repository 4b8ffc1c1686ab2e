/*
 * lane.h: a thread that owns one store and commits in groups.
 *
 * Operations are handed over whole by lane_submit() from any thread. The lane takes everything that waits,
 * runs it as one transaction, commits, reports what changed (notice), and only then answers all of it:
 * op->done() is called on the lane's thread, in order of submission, after the commit, and must not block. A
 * group that fails is rolled back and replayed one by one, so that an operation fails alone; a group is never
 * half answered. When the database cannot be reached the lane reconnects with backoff; operations that may be
 * repeated wait for it up to a limit, the others are answered ERR_UNAVAILABLE.
 */
#ifndef STORE_LANE_H
#define STORE_LANE_H

#include "base/base.h"
#include "base/error.h"
#include "base/log.h"
#include "base/queue.h"
#include "store/store.h"

struct journal;
struct lane;
struct op;

struct op_type {
    const char *name; /* for metrics and logs */
    bool writes;
    /*
     * Waits for a lost connection and runs again, also when the outcome of its commit is unknown: run() must
     * then recognise what it did already. Others are answered ERR_UNAVAILABLE at once.
     */
    bool repeatable;
    /*
     * It is one statement, which a database makes a transaction of by itself: it runs before the group it
     * came with, without begin and commit. `now` is not known to it, and it has no notice.
     */
    bool alone;
    /*
     * Runs n >= 1 operations of this type that were submitted one after another, in order. Sets op->err of
     * each (an operation may fail alone by its own judgement: not found, precondition). Returning an error
     * fails the group: all of it is rolled back and replayed one by one.
     */
    CHECKED enum err (*run)(struct store *s, struct op **ops, size_t n, struct wall now,
                            struct notice *notice, struct error *err);
};

typedef void (*op_done_fn)(struct op *op);

/* The first member of every operation. Owned by the lane between lane_submit() and done(). */
struct op {
    struct queue_node node;
    const struct op_type *type;
    op_done_fn done;
    struct error err; /* code ERR_NONE: it was done and is durable */
    void *arg;        /* the submitter's own; the lane does not look at it */
    bool unfinished;  /* set by run(): what it did so far is to be committed, then it runs again in the next
                         group */
    size_t weight;    /* rows it writes, about; 0: a few. Heavy ones share a transaction with few others */
    uint64_t parts;   /* how many such parts are committed; the lane's */
};

/* Opens a connection anew after a loss; called on the lane's thread. */
typedef enum err (*lane_open_fn)(void *arg, struct store **ret, struct error *err);
/* After a commit, before its answers. The lists in *n are the lane's. */
typedef void (*lane_notice_fn)(void *arg, const struct notice *n);

struct lane_options {
    const char *name; /* "writer", "reader" */
    lane_open_fn open;
    void *open_arg;
    lane_notice_fn notice; /* NULL: nobody asks */
    void *notice_arg;
    size_t queue_limit; /* operations that may wait; beyond it lane_submit() is ERR_BUSY */
    size_t group_limit; /* operations a transaction takes at most */
    /*
     * Set: the lane keeps a journal (journal.h). `listened` says whether somebody wants all events; those of
     * a transaction are handed to `events` after its commit, before its answers. Both may be NULL.
     */
    bool journal;
    bool (*listened)(void *arg);
    void (*events)(void *arg, const struct journal *j);
    void (*events_lost)(void *arg); /* some may have come to pass that nobody can tell of; may be NULL */
    void *events_arg;
    bool may_be_away;   /* the first connection may fail: it is tried again as after a loss */
    int64_t give_up_us; /* how long what may be repeated waits for a lost connection; 0: 10 s */
    struct log *log;    /* info: connection lost and found */
};

struct lane_stats {
    uint64_t operations;
    uint64_t groups;
    uint64_t failures;
    uint64_t commit_us; /* summed */
    size_t waiting;
    bool connected;
};

/* Opens the store (the first connection must succeed, unless it may be away) and starts the thread. */
CHECKED enum err lane_new(const struct lane_options *options, struct lane **ret, struct error *err);
/* Any thread. On an error the operation is still the caller's and done() is not called. */
CHECKED enum err lane_submit(struct lane *l, struct op *op, struct error *err);
/* The same past the queue's limit, for the engine's outcomes, whose number its own claims bound. */
CHECKED enum err lane_submit_always(struct lane *l, struct op *op, struct error *err);
/* Any thread. */
void lane_stats(struct lane *l, struct lane_stats *ret);
/* No more submissions; what waits is done, then the thread ends and the store is closed. */
void lane_free(struct lane *l);
CLEANUP_FN(struct lane, lane_free)

/* For tests and tools: submits and waits for the answer. */
CHECKED enum err lane_call(struct lane *l, struct op *op, struct error *err);

#endif
