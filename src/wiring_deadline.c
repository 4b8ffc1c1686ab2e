/*
 * wiring_deadline.c: the moment by which the process is gone, whatever hangs: a locked database, a file
 * system or server that does not answer. Any thread's work may be cut off anywhere: that is a crash, from
 * which everything recovers; what was open is taken up again when its lease ends.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "wiring.h"

struct wiring_deadline {
    pthread_t thread;
    struct log *log;
    struct mono at;
    int status; /* of the exit */
    pthread_mutex_t lock;
    pthread_cond_t met;
    bool over; /* under .lock */
};

static struct timespec timespec_of(struct mono at)
{
    return (struct timespec){.tv_sec = at.us / US_PER_S, .tv_nsec = at.us % US_PER_S * 1000};
}

static void *watch(void *arg)
{
    struct wiring_deadline *d = arg;
    struct timespec at = timespec_of(d->at);
    int e = 0;

    MUST(pthread_mutex_lock(&d->lock) == 0);
    while (!d->over && e == 0)
        e = pthread_cond_timedwait(&d->met, &d->lock, &at);
    MUST(e == 0 || e == ETIMEDOUT);
    if (!d->over) {
        log_plain(d->log, LOG_WARN, "main",
                  "something hangs: stopped without it; what is open is taken up again when its lease ends");
        _exit(d->status);
    }
    MUST(pthread_mutex_unlock(&d->lock) == 0);
    return NULL;
}

struct wiring_deadline *wiring_deadline_new(struct mono at, int status, struct log *log)
{
    struct wiring_deadline *d = alloc_new(struct wiring_deadline);
    pthread_condattr_t attr;

    d->log = log;
    d->at = at;
    d->status = status;
    MUST(pthread_mutex_init(&d->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&d->met, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    /* Without a thread to spare it goes without. */
    if (pthread_create(&d->thread, NULL, watch, d) == 0)
        return d;
    d->over = true;
    wiring_deadline_met(d);
    return NULL;
}

void wiring_deadline_met(struct wiring_deadline *d)
{
    bool watched;

    if (!d)
        return;
    MUST(pthread_mutex_lock(&d->lock) == 0);
    watched = !d->over;
    d->over = true;
    MUST(pthread_cond_signal(&d->met) == 0);
    MUST(pthread_mutex_unlock(&d->lock) == 0);
    if (watched)
        MUST(pthread_join(d->thread, NULL) == 0);
    MUST(pthread_cond_destroy(&d->met) == 0);
    MUST(pthread_mutex_destroy(&d->lock) == 0);
    alloc_free(d);
}
