/*
 * lane_internal.h: a lane's inside, shared by lane.c (groups) and lane_link.c (the connection and its loss).
 */
#ifndef STORE_LANE_INTERNAL_H
#define STORE_LANE_INTERNAL_H

#include <pthread.h>

#include "store/journal.h"
#include "store/lane.h"

struct lane {
    /* constant */
    struct lane_options options;
    struct queue *queue;
    pthread_t thread;
    bool started;

    /* lane thread only */
    struct store *store; /* NULL: disconnected */
    struct journal journal;
    struct op **group; /* room for group_limit */
    struct queue_node
        *kept; /* begun or waiting for a connection, oldest first; before what is in the queue */
    struct queue_node *kept_last;
    size_t kept_n;
    int64_t commit_us;   /* of the current group */
    bool undecided;      /* its commit failed: it may be there all the same */
    struct notice owed;  /* what such groups would have told */
    bool proven;         /* the connection has carried a transaction */
    struct mono lost_at; /* when the connection went, or the first of several that carried nothing */
    int64_t backoff_us;
    struct mono retry_at;
    struct error lost_err;

    pthread_mutex_t lock;
    /* under .lock */
    struct lane_stats stats;
};

void lane_keep(struct lane *l, struct op *op);
/* In front of all that is kept, in their order. */
void lane_keep_first(struct lane *l, struct op **ops, size_t n);
/* Takes at most `max` kept operations. */
size_t lane_take_kept(struct lane *l, struct op **ret, size_t max);

/* Opens a connection. */
CHECKED enum err lane_open(struct lane *l, struct error *err);
/* There is none from the beginning. */
void lane_begin_away(struct lane *l, const struct error *err);
/* Closes a connection that failed with `err`. */
void lane_unlink(struct lane *l, const struct error *err);
/*
 * One step on the way back: tries to open, or waits for the next try and looks after what arrives meanwhile.
 * True when there is a connection, or none will come and the lane is closing.
 */
bool lane_relink(struct lane *l);
/* Answers them all ERR_UNAVAILABLE. */
void lane_refuse_all(struct lane *l, struct op **ops, size_t n);

#endif
