/*
 * patience.c: see patience.h. A socket is shut down under the lock, so that it is still that connection's
 * own.
 */
#include "api/patience.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"

struct owing {
    struct list node; /* in .owing, or by itself */
    struct patience *p;
    int fd;
    struct mono deadline;
};

struct patience {
    int64_t patience_us;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is a first one, or closing */
    /* under .lock */
    struct list owing;
    bool closing;
};

static void lock(struct patience *p)
{
    MUST(pthread_mutex_lock(&p->lock) == 0);
}

static void unlock(struct patience *p)
{
    MUST(pthread_mutex_unlock(&p->lock) == 0);
}

/* Under the lock: ends those whose time is over. The deadline of the next, INT64_MAX when there is none. */
static struct mono end_late(struct patience *p)
{
    while (!list_empty(&p->owing)) {
        struct owing *o = CONTAINER_OF(p->owing.next, struct owing, node);

        if (o->deadline.us > clock_mono().us)
            return o->deadline;
        list_remove(&o->node);
        (void)shutdown(o->fd, SHUT_RDWR); /* fails when the client has gone: that is the same */
    }
    return (struct mono){INT64_MAX};
}

static void *watch(void *arg)
{
    struct patience *p = arg;

    lock(p);
    while (!p->closing) {
        struct mono next = end_late(p);
        struct timespec until = {.tv_sec = (time_t)(next.us / US_PER_S),
                                 .tv_nsec = (long)(next.us % US_PER_S * 1000)};
        int rc;

        if (next.us == INT64_MAX)
            rc = pthread_cond_wait(&p->changed, &p->lock);
        else
            rc = pthread_cond_timedwait(&p->changed, &p->lock, &until);
        MUST(rc == 0 || rc == ETIMEDOUT);
    }
    unlock(p);
    return NULL;
}

static void init(struct patience *p)
{
    pthread_condattr_t attr;

    list_init(&p->owing);
    MUST(pthread_mutex_init(&p->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&p->changed, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
}

static void done(struct patience *p)
{
    MUST(pthread_cond_destroy(&p->changed) == 0);
    MUST(pthread_mutex_destroy(&p->lock) == 0);
    alloc_free(p);
}

enum err patience_new(int64_t patience_us, struct patience **ret, struct error *err)
{
    struct patience *p = alloc_new(struct patience);

    p->patience_us = patience_us;
    init(p);
    if (pthread_create(&p->thread, NULL, watch, p) != 0) {
        done(p);
        return error_set(err, ERR_IO, "server", "cannot start the thread that watches slow clients");
    }
    *ret = p;
    return ERR_NONE;
}

void patience_free(struct patience *p)
{
    if (!p)
        return;
    lock(p);
    MUST(list_empty(&p->owing));
    p->closing = true;
    MUST(pthread_cond_signal(&p->changed) == 0);
    unlock(p);
    MUST(pthread_join(p->thread, NULL) == 0);
    done(p);
}

/* Under the lock. Behind it come only answers that may take longer, so its place is near the end. */
static void stand_in_line(struct owing *o, int64_t extra_us)
{
    struct patience *p = o->p;
    struct list *before = &p->owing;

    o->deadline = (struct mono){clock_mono().us + p->patience_us + extra_us};
    while (before->prev != &p->owing &&
           CONTAINER_OF(before->prev, struct owing, node)->deadline.us > o->deadline.us)
        before = before->prev;
    list_push_back(before, &o->node);
    if (p->owing.next == &o->node)
        MUST(pthread_cond_signal(&p->changed) == 0);
}

struct owing *owing_new(struct patience *p, int fd)
{
    struct owing *o;
    void *memory;

    if (alloc_array(1, sizeof(*o), &memory, NULL))
        return NULL;
    o = memory;
    o->p = p;
    o->fd = fd;
    list_init(&o->node);
    lock(p);
    stand_in_line(o, 0);
    unlock(p);
    return o;
}

void owing_met(struct owing *o)
{
    lock(o->p);
    list_remove(&o->node);
    unlock(o->p);
}

void owing_taking(struct owing *o, int64_t extra_us)
{
    lock(o->p);
    list_remove(&o->node);
    stand_in_line(o, extra_us);
    unlock(o->p);
}

void owing_again(struct owing *o)
{
    owing_taking(o, 0);
}

void owing_free(struct owing *o)
{
    struct patience *p;

    if (!o)
        return;
    p = o->p;
    lock(p);
    list_remove(&o->node);
    unlock(p);
    alloc_free(o);
}
