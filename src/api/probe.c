/*
 * probe.c: who waits stands in a list in order of asking, which is the order of their bounds.
 */
#include "api/probe.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "api/api_internal.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "store/ops_run.h"

struct probe {
    struct lane *lane;
    struct op_ping *ping; /* the lane's while `asking` */
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    struct probe_wait *first;
    struct probe_wait **last;
    bool asking;
    bool closing;
};

static void lock(struct probe *p)
{
    MUST(pthread_mutex_lock(&p->lock) == 0);
}

static void unlock(struct probe *p)
{
    MUST(pthread_mutex_unlock(&p->lock) == 0);
}

static struct probe_wait *take_first(struct probe *p)
{
    struct probe_wait *w = p->first;

    p->first = w->next;
    if (!p->first)
        p->last = &p->first;
    w->next = NULL;
    return w;
}

/* The lane's thread. */
static void answered_ping(struct op *op)
{
    struct probe *p = op->arg;
    struct error outcome = op->err;
    struct probe_wait *all;

    lock(p);
    all = p->first;
    p->first = NULL;
    p->last = &p->first;
    p->asking = false;
    MUST(pthread_cond_broadcast(&p->changed) == 0);
    unlock(p);
    while (all) {
        struct probe_wait *w = all;

        /* Gone with its request as soon as that is back. */
        all = w->next;
        w->err = outcome;
        request_back(w->r);
    }
}

/* True when the lane must be asked: nobody has done so before. */
static bool join(struct probe *p, struct probe_wait *w)
{
    bool ask;

    lock(p);
    ask = !p->asking;
    p->asking = true;
    *p->last = w;
    p->last = &w->next;
    MUST(pthread_cond_broadcast(&p->changed) == 0);
    unlock(p);
    return ask;
}

enum err probe_ask(struct request *r, struct error *err)
{
    struct probe *p = r->api->probe;
    struct probe_wait *w = r->work;
    struct error refused;

    (void)err;
    w->r = r;
    w->until = mono_add(clock_mono(), (int64_t)PROBE_BOUND_MS * US_PER_MS);
    /* From here on the request may be back already. */
    if (!join(p, w))
        return ERR_NONE;
    p->ping->op.err.code = ERR_NONE;
    if (lane_submit(p->lane, &p->ping->op, &refused)) {
        /* Not taken: this one and all who came meanwhile are told at once. */
        p->ping->op.err = refused;
        answered_ping(&p->ping->op);
    }
    return ERR_NONE;
}

static struct timespec at_mono(struct mono t)
{
    int64_t left = t.us - clock_mono().us;
    struct timespec at;

    /* The condition's clock is not the one of struct mono, which goes on while the machine sleeps. */
    MUST(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
    left = left > 0 ? left : 0;
    at.tv_sec += left / US_PER_S;
    at.tv_nsec += left % US_PER_S * 1000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static void give_up(struct probe *p)
{
    struct probe_wait *w = take_first(p);

    unlock(p);
    (void)error_set(&w->err, ERR_TIMEOUT, NULL, "the database did not answer within %d ms", PROBE_BOUND_MS);
    request_back(w->r);
    lock(p);
}

static void *watch(void *arg)
{
    struct probe *p = arg;

    lock(p);
    while (!p->closing) {
        if (!p->first) {
            MUST(pthread_cond_wait(&p->changed, &p->lock) == 0);
        } else if (clock_mono().us >= p->first->until.us) {
            give_up(p);
        } else {
            struct timespec at = at_mono(p->first->until);
            int e = pthread_cond_timedwait(&p->changed, &p->lock, &at);

            MUST(e == 0 || e == ETIMEDOUT);
        }
    }
    unlock(p);
    return NULL;
}

enum err probe_new(struct lane *lane, struct probe **ret, struct error *err)
{
    struct probe *p = alloc_new(struct probe);
    pthread_condattr_t attr;

    p->lane = lane;
    p->last = &p->first;
    p->ping = op_ping_new(answered_ping);
    p->ping->op.arg = p;
    MUST(pthread_mutex_init(&p->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&p->changed, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    if (pthread_create(&p->thread, NULL, watch, p)) {
        op_ping_free(p->ping);
        MUST(pthread_cond_destroy(&p->changed) == 0);
        MUST(pthread_mutex_destroy(&p->lock) == 0);
        alloc_free(p);
        return error_set(err, ERR_IO, "server", "a thread cannot be started");
    }
    *ret = p;
    return ERR_NONE;
}

void probe_free(struct probe *p)
{
    if (!p)
        return;
    lock(p);
    p->closing = true;
    MUST(pthread_cond_broadcast(&p->changed) == 0);
    while (p->asking)
        MUST(pthread_cond_wait(&p->changed, &p->lock) == 0);
    MUST(!p->first);
    unlock(p);
    MUST(pthread_join(p->thread, NULL) == 0);
    op_ping_free(p->ping);
    MUST(pthread_cond_destroy(&p->changed) == 0);
    MUST(pthread_mutex_destroy(&p->lock) == 0);
    alloc_free(p);
}
