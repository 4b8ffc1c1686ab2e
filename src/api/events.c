/*
 * events.c: see events.h. All but constants is under one lock; what is done under it is short: copying a
 * piece of text, or telling libmicrohttpd to wake a connection, which never calls back.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "api/events_internal.h"
#include "base/alloc.h"
#include "base/clock.h"

enum { RING_EVENTS = 1024, RING_BYTES = 1 << 20 };
#define BEAT_US (15 * US_PER_S)
#define LINGER_US (60 * US_PER_S)

bool events_listened(void *events)
{
    return atomic_load(&((struct events *)events)->listened);
}

void events_publish(void *events, const struct journal *j)
{
    struct events *e = events;

    events_lock(e);
    /* What began while somebody listened and ends when nobody does: after it there would be a hole. */
    for (size_t i = 0; i < j->n && atomic_load(&e->listened); i++)
        event_ring_add(&e->ring, j, &j->items[i]);
    e->news = true;
    MUST(pthread_cond_signal(&e->changed) == 0);
    events_unlock(e);
}

void events_lost(void *events)
{
    struct events *e = events;

    events_lock(e);
    event_ring_lose(&e->ring);
    e->news = true;
    MUST(pthread_cond_signal(&e->changed) == 0);
    events_unlock(e);
}

/* --- the thread --- */

static void wake(struct stream *s)
{
    s->paused = false;
    s->link.wake(s->link.connection);
}

static void wake_all(struct events *e, bool beat)
{
    for (struct list *n = e->streams.next; n != &e->streams; n = n->next) {
        struct stream *s = CONTAINER_OF(n, struct stream, node);

        s->beat = s->beat || beat;
        if (s->paused)
            wake(s);
        else if (s->attached && !s->ended && stream_is_over(s)) {
            /* Overtaken in the middle of sending: it would hold its place until it is cut off for silence. */
            s->ended = true;
            s->link.cut(s->link.connection);
        }
    }
}

static struct mono next_time(const struct events *e)
{
    if (e->streams_n > 0)
        return e->beat_at;
    return atomic_load(&e->listened) ? e->forget_at : (struct mono){INT64_MAX};
}

static void sleep_until(struct events *e, struct mono at)
{
    int64_t left = at.us - clock_mono().us;
    struct timespec t;
    int status;

    if (at.us == INT64_MAX) {
        MUST(pthread_cond_wait(&e->changed, &e->lock) == 0);
        return;
    }
    if (left <= 0)
        return;
    MUST(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    t.tv_sec += left / US_PER_S;
    t.tv_nsec += left % US_PER_S * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    status = pthread_cond_timedwait(&e->changed, &e->lock, &t);
    MUST(status == 0 || status == ETIMEDOUT);
}

static void *events_main(void *arg)
{
    struct events *e = arg;

    events_lock(e);
    while (!e->closing) {
        struct mono now = clock_mono();
        bool beat = e->streams_n > 0 && now.us >= e->beat_at.us;

        if (beat)
            e->beat_at = mono_add(now, e->options.beat_us);
        if (e->streams_n == 0 && atomic_load(&e->listened) && now.us >= e->forget_at.us) {
            atomic_store(&e->listened, false);
            event_ring_forget(&e->ring);
        }
        if (e->news || beat)
            wake_all(e, beat);
        e->news = false;
        if (!e->closing)
            sleep_until(e, next_time(e));
    }
    events_unlock(e);
    return NULL;
}

/* --- making and ending --- */

static enum err start(struct events *e, struct error *err)
{
    sigset_t all;
    sigset_t before;
    int status;

    MUST(sigfillset(&all) == 0);
    MUST(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    status = pthread_create(&e->thread, NULL, events_main, e);
    MUST(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (status != 0)
        return error_set(err, ERR_IO, "server", "a thread cannot be started (error %d)", status);
    (void)pthread_setname_np(e->thread, "events");
    e->started = true;
    return ERR_NONE;
}

enum err events_new(const struct events_options *options, struct events **ret, struct error *err)
{
    CLEANUP(events_free_p) struct events *e = alloc_new(struct events);
    pthread_condattr_t attr;
    enum err failed;

    e->options = *options;
    if (e->options.ring_events == 0)
        e->options.ring_events = RING_EVENTS;
    if (e->options.ring_bytes == 0)
        e->options.ring_bytes = RING_BYTES;
    if (e->options.beat_us == 0)
        e->options.beat_us = BEAT_US;
    if (e->options.linger_us == 0)
        e->options.linger_us = LINGER_US;
    list_init(&e->streams);
    MUST(pthread_mutex_init(&e->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&e->changed, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    failed = event_ring_init(&e->ring, e->options.ring_events, e->options.ring_bytes, err);
    if (failed)
        return failed;
    failed = start(e, err);
    if (failed)
        return failed;
    *ret = TAKE(e);
    return ERR_NONE;
}

void events_close(struct events *e)
{
    if (!e)
        return;
    events_lock(e);
    e->closing = true;
    for (struct list *n = e->streams.next; n != &e->streams; n = n->next) {
        struct stream *s = CONTAINER_OF(n, struct stream, node);

        s->ended = true;
        if (s->paused)
            wake(s);
    }
    MUST(pthread_cond_signal(&e->changed) == 0);
    events_unlock(e);
    if (e->started)
        MUST(pthread_join(e->thread, NULL) == 0);
    e->started = false;
}

void events_free(struct events *e)
{
    if (!e)
        return;
    events_close(e);
    MUST(list_empty(&e->streams));
    MUST(pthread_cond_destroy(&e->changed) == 0);
    MUST(pthread_mutex_destroy(&e->lock) == 0);
    event_ring_done(&e->ring);
    alloc_free(e);
}

size_t events_streams(struct events *e)
{
    size_t n;

    events_lock(e);
    n = e->streams_n;
    events_unlock(e);
    return n;
}
