/*
 * events_internal.h: what events.c (the instance's events and their thread) and stream.c (those who read
 * them) share.
 */
#ifndef API_EVENTS_INTERNAL_H
#define API_EVENTS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/event_ring.h"
#include "api/events.h"
#include "base/list.h"

enum { STREAM_HEAD_MAX = 256, STREAM_NEEDLES = 5 };

struct events {
    struct events_options options;
    pthread_t thread;
    bool started;
    atomic_bool listened;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under .lock */
    bool closing;
    bool news; /* since the thread last woke the streams */
    struct event_ring ring;
    struct list streams;
    size_t streams_n;
    struct mono beat_at;
    struct mono forget_at; /* while recording without streams */
};

struct stream {
    struct events *events;
    struct list node;
    struct stream_link link;
    bool attached;
    struct stream_reader reader; /* .read NULL: none */
    struct uuid schedule_id;
    uint32_t kinds;
    struct buf needles[STREAM_NEEDLES]; /* members as they stand in an event's text; empty: any */
    /* under the lock of .events */
    bool paused;
    bool beat; /* a comment is due */
    bool ended;
    uint64_t at; /* the next one to look at */
    struct frame *current;
    size_t sent; /* of the current one */
    char head[STREAM_HEAD_MAX];
    size_t head_n;
    size_t head_at;
};

static inline void events_lock(struct events *e)
{
    MUST(pthread_mutex_lock(&e->lock) == 0);
}

static inline void events_unlock(struct events *e)
{
    MUST(pthread_mutex_unlock(&e->lock) == 0);
}

/* Under the lock: overtaken, or ended. What it has not got is gone; it may come again and is told of the gap.
 */
static inline bool stream_is_over(const struct stream *s)
{
    return s->ended || s->at < s->events->ring.first;
}

#endif
