/*
 * queue.h: values handed from any thread to one: a bounded, locked list of intrusive nodes.
 *
 * The consumer either blocks in queue_wait_all() (a lane) or is woken by the `wake` callback (an event
 * loop), which is called after the lock is let go and only when the queue turns from empty to not empty.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/base.h"
#include "base/error.h"

struct queue;

struct queue_node {
    struct queue_node *next;
};

typedef void (*queue_wake_fn)(void *arg);

/* `limit`: nodes it holds at most. `wake` may be NULL. */
struct queue *queue_new(size_t limit, queue_wake_fn wake, void *wake_arg);
void queue_free(struct queue *q); /* must be empty */
CLEANUP_FN(struct queue, queue_free)

/* Hands the node on. ERR_BUSY: full or closed, the node is still the caller's. */
CHECKED enum err queue_push(struct queue *q, struct queue_node *node, struct error *err);
/* The same past the limit: for answers, whose number their questions already bound. False only when closed.
 */
CHECKED bool queue_push_always(struct queue *q, struct queue_node *node);
/* All that waits, oldest first, at most `max` (0: all); NULL when empty. Never blocks. */
struct queue_node *queue_take(struct queue *q, size_t max);
/* Blocks until something waits or the queue is closed or `until` passed (mono; {INT64_MAX}: for ever). NULL:
 * closed and empty, or time. */
struct queue_node *queue_wait(struct queue *q, size_t max, struct mono until);
/* No more pushes; what waits can still be taken. Wakes the waiter. */
void queue_close(struct queue *q);
bool queue_closed(struct queue *q);
size_t queue_size(struct queue *q);

#endif
