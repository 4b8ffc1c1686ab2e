/*
 * chores.c: see chores.h.
 *
 * The threads are detached: one that hangs in a resolver must not hang the way down too. Whoever leaves last,
 * the loop or a thread, frees the struct.
 */
#include "deliver/chores.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { THREADS_MAX = 4 };

struct chores {
    /* loop's thread only */
    struct reactor *reactor;
    struct reactor_watch *watch;
    size_t open; /* added, done() not yet called */
    /* set once */
    int event_fd;
    /* any thread, under .lock */
    pthread_mutex_t lock;
    pthread_cond_t ended_some;
    struct list todo;
    struct list ended;
    size_t threads;
    bool closed;
};

static void chores_free(struct chores *all)
{
    MUST(pthread_cond_destroy(&all->ended_some) == 0);
    MUST(pthread_mutex_destroy(&all->lock) == 0);
    if (all->event_fd >= 0)
        (void)close(all->event_fd);
    alloc_free(all);
}

static void lock(struct chores *all)
{
    MUST(pthread_mutex_lock(&all->lock) == 0);
}

static void unlock(struct chores *all)
{
    MUST(pthread_mutex_unlock(&all->lock) == 0);
}

static void tell_loop(const struct chores *all)
{
    const uint64_t one = 1;

    /* It can only fail because the counter is full, and then the loop knows. */
    if (write(all->event_fd, &one, sizeof(one)) < 0)
        MUST(errno == EAGAIN);
}

/* Under the lock. */
static void put_away(struct chores *all, struct chore *c)
{
    if (all->closed) {
        unlock(all);
        c->done(c, true);
        lock(all);
        return;
    }
    list_push_back(&all->ended, &c->node);
    tell_loop(all);
    MUST(pthread_cond_signal(&all->ended_some) == 0);
}

static void *run_thread(void *arg)
{
    struct chores *all = arg;
    struct list *node;
    bool last;

    lock(all);
    while ((node = list_pop_front(&all->todo)) != NULL) {
        struct chore *c = CONTAINER_OF(node, struct chore, node);

        unlock(all);
        c->work(c);
        lock(all);
        put_away(all, c);
    }
    all->threads--;
    last = all->closed && all->threads == 0;
    unlock(all);
    if (last)
        chores_free(all);
    return NULL;
}

/* Calls done() of all that have ended. Loop's thread. */
static void collect(struct chores *all)
{
    struct list *node;

    for (;;) {
        lock(all);
        node = list_pop_front(&all->ended);
        unlock(all);
        if (!node)
            return;
        all->open--;
        struct chore *c = CONTAINER_OF(node, struct chore, node);
        c->done(c, false);
    }
}

static void on_event(void *arg, int fd, int events)
{
    uint64_t n;

    (void)events;
    /* Nothing to read: somebody has collected already. */
    if (read(fd, &n, sizeof(n)) < 0)
        MUST(errno == EAGAIN || errno == EINTR);
    collect(arg);
}

enum err chores_open(struct reactor *reactor, struct chores **ret, struct error *err)
{
    struct chores *all = alloc_new(struct chores);
    pthread_condattr_t attr;
    enum err e = ERR_NONE;

    all->reactor = reactor;
    MUST(pthread_mutex_init(&all->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&all->ended_some, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    list_init(&all->todo);
    list_init(&all->ended);
    all->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (all->event_fd < 0)
        e = error_errno(err, "eventfd", "cannot be made");
    if (!e)
        e = reactor->ops->watch(reactor, all->event_fd, REACTOR_READ, on_event, all, &all->watch, err);
    if (e) {
        chores_free(all);
        return e;
    }
    *ret = all;
    return ERR_NONE;
}

static bool start_thread(struct chores *all)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool ok;

    MUST(pthread_attr_init(&attr) == 0);
    MUST(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
    ok = pthread_create(&thread, &attr, run_thread, all) == 0;
    MUST(pthread_attr_destroy(&attr) == 0);
    return ok;
}

void chores_add(struct chores *all, struct chore *c)
{
    bool alone;

    all->open++;
    lock(all);
    list_push_back(&all->todo, &c->node);
    if (all->threads < THREADS_MAX) {
        all->threads++;
        if (!start_thread(all))
            all->threads--;
    }
    alone = all->threads == 0;
    unlock(all);
    /* Rather late than never: no thread is to be had, so the loop does it. */
    if (alone) {
        lock(all);
        all->threads++;
        unlock(all);
        (void)run_thread(all);
    }
}

void chores_drain(struct chores *all, struct mono until)
{
    for (;;) {
        struct timespec at;
        int64_t left_us;
        int waited = 0;

        collect(all);
        left_us = until.us - clock_mono().us;
        if (all->open == 0 || left_us <= 0)
            return;
        MUST(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
        at.tv_sec += (time_t)(left_us / US_PER_S) + 1;
        lock(all);
        while (list_empty(&all->ended) && waited == 0)
            waited = pthread_cond_timedwait(&all->ended_some, &all->lock, &at);
        unlock(all);
    }
}

void chores_close(struct chores *all)
{
    struct list left;
    struct list *node;
    bool last;

    if (!all)
        return;
    list_init(&left);
    all->reactor->ops->unwatch(all->reactor, all->watch);
    lock(all);
    all->closed = true;
    while ((node = list_pop_front(&all->ended)) != NULL || (node = list_pop_front(&all->todo)) != NULL)
        list_push_back(&left, node);
    last = all->threads == 0;
    unlock(all);
    while ((node = list_pop_front(&left)) != NULL) {
        struct chore *c = CONTAINER_OF(node, struct chore, node);
        c->done(c, true);
    }
    if (last)
        chores_free(all);
}
