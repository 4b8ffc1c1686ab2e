/*
 * queue.c: a mutex, a condition variable and a singly linked list.
 *
 * Under the lock the list changes and nothing else happens; whoever is to be woken is woken after it.
 */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"

struct queue {
    /* constant */
    size_t limit;
    queue_wake_fn wake;
    void *wake_arg;

    pthread_mutex_t lock;
    pthread_cond_t filled;

    /* under .lock */
    struct queue_node *first;
    struct queue_node *last;
    size_t n;
    bool closed;
};

struct queue *queue_new(size_t limit, queue_wake_fn wake, void *wake_arg)
{
    struct queue *q = alloc_new(struct queue);
    pthread_condattr_t attr;

    q->limit = limit;
    q->wake = wake;
    q->wake_arg = wake_arg;
    MUST(pthread_mutex_init(&q->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&q->filled, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    return q;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    MUST(!q->first);
    MUST(pthread_cond_destroy(&q->filled) == 0);
    MUST(pthread_mutex_destroy(&q->lock) == 0);
    alloc_free(q);
}

static void lock(struct queue *q)
{
    MUST(pthread_mutex_lock(&q->lock) == 0);
}

static void unlock(struct queue *q)
{
    MUST(pthread_mutex_unlock(&q->lock) == 0);
}

/* False when closed, or full and not `always`. */
static bool push(struct queue *q, struct queue_node *node, bool always)
{
    /* Copied: once the lock is let go, the consumer may take the node, finish and free the queue. */
    queue_wake_fn wake = q->wake;
    void *wake_arg = q->wake_arg;
    bool was_empty;

    lock(q);
    if (q->closed || (!always && q->n >= q->limit)) {
        unlock(q);
        return false;
    }
    was_empty = !q->first;
    node->next = NULL;
    if (was_empty)
        q->first = node;
    else
        q->last->next = node;
    q->last = node;
    q->n++;
    /* One consumer, and it never sleeps while something waits: one signal per filling is enough. */
    if (was_empty)
        MUST(pthread_cond_signal(&q->filled) == 0);
    unlock(q);
    if (was_empty && wake)
        wake(wake_arg);
    return true;
}

enum err queue_push(struct queue *q, struct queue_node *node, struct error *err)
{
    if (push(q, node, false))
        return ERR_NONE;
    return error_set(err, ERR_BUSY, NULL, "the queue is full or closed, try again later");
}

bool queue_push_always(struct queue *q, struct queue_node *node)
{
    return push(q, node, true);
}

/* Unlinks the first `max` (0: all). Under .lock. */
static struct queue_node *take(struct queue *q, size_t max)
{
    struct queue_node *first = q->first;
    struct queue_node *last = first;

    if (!first)
        return NULL;
    if (max == 0 || max >= q->n) {
        q->first = q->last = NULL;
        q->n = 0;
        return first;
    }
    for (size_t i = 1; i < max; i++)
        last = last->next;
    q->first = last->next;
    q->n -= max;
    last->next = NULL;
    return first;
}

struct queue_node *queue_take(struct queue *q, size_t max)
{
    struct queue_node *taken;

    lock(q);
    taken = take(q, max);
    unlock(q);
    return taken;
}

/*
 * Sleeps until signalled or until `until`; false when that has passed. Condition variables know no
 * CLOCK_BOOTTIME, so what is left of it is slept on CLOCK_MONOTONIC. Under .lock.
 */
static bool sleep_until(struct queue *q, struct mono until)
{
    struct timespec at;
    struct mono now;
    int64_t left_us;
    int64_t at_us;
    int status;

    if (until.us == INT64_MAX) {
        MUST(pthread_cond_wait(&q->filled, &q->lock) == 0);
        return true;
    }
    now = clock_mono();
    if (until.us <= now.us)
        return false;
    left_us = until.us - now.us;
    MUST(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    at_us = at.tv_sec * US_PER_S + at.tv_nsec / 1000;
    if (__builtin_add_overflow(at_us, left_us, &at_us))
        at_us = INT64_MAX;
    /* Up by the lost part of a microsecond, or a wait for the very last one would turn into a spin. */
    at.tv_sec = (time_t)(at_us / US_PER_S);
    at.tv_nsec = (long)(at_us % US_PER_S) * 1000 + 999;
    status = pthread_cond_timedwait(&q->filled, &q->lock, &at);
    MUST(status == 0 || status == ETIMEDOUT);
    return true;
}

struct queue_node *queue_wait(struct queue *q, size_t max, struct mono until)
{
    struct queue_node *taken;

    lock(q);
    while (!q->first && !q->closed) {
        if (!sleep_until(q, until))
            break;
    }
    taken = take(q, max);
    unlock(q);
    return taken;
}

void queue_close(struct queue *q)
{
    lock(q);
    q->closed = true;
    MUST(pthread_cond_broadcast(&q->filled) == 0);
    unlock(q);
}

bool queue_closed(struct queue *q)
{
    bool closed;

    lock(q);
    closed = q->closed;
    unlock(q);
    return closed;
}

size_t queue_size(struct queue *q)
{
    size_t n;

    lock(q);
    n = q->n;
    unlock(q);
    return n;
}
