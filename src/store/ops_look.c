/*
 * ops_look.c: see ops_look.h. A question is owned by its asker and by the lane, and freed by whoever lets go
 * of it last.
 */
#include "store/ops_look.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/op.h"

struct op_look {
    struct op op;
    struct looked looked;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    /* under .lock */
    bool done;
    bool dropped; /* nobody waits for it any more */
};

static enum err ask(struct store *s, struct looked *l, struct error *err)
{
    switch (l->look) {
    case LOOK_EXAMINE:
        return store_examine(s, &l->examination, &l->breaches, err);
    case LOOK_INSPECT:
        return store_inspect(s, l->inspection, &l->inspected, err);
    case LOOK_CLOCK:
        return ERR_NONE;
    case LOOK_ZONES:
        return zones_seen(s, l->release, err);
    case LOOK_INSTANCES:
        instance_list_done(&l->instances);
        return store_instances(s, l->now, &l->instances, err);
    case LOOK_OUTBOX:
        return store_outbox_size(s, &l->waiting, err);
    case LOOK_SCHEDULES:
        record_list_done(&l->schedules);
        return store_list(s, &(struct filter){.state = -1, .after = l->after, .limit = l->limit},
                          &l->schedules, err);
    }
    return error_set(err, ERR_INTERNAL, NULL, "no such question");
}

static enum err run_look(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *ret)
{
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_look *o = OP_AS(ops[i], struct op_look);
        struct error err = {0};
        enum err e;

        o->looked.now = now;
        e = op_judge(ops[i], ask(s, &o->looked, &err), &err, ret);
        if (e)
            return e;
    }
    return ERR_NONE;
}

/* Not repeatable: whoever asks wants to hear now why there is no answer. */
static const struct op_type look_type = {.name = "look", .run = run_look};

void looked_done(struct looked *l)
{
    instance_list_done(&l->instances);
    record_list_done(&l->schedules);
}

static void free_look(struct op_look *o)
{
    looked_done(&o->looked);
    MUST(pthread_cond_destroy(&o->answered) == 0);
    MUST(pthread_mutex_destroy(&o->lock) == 0);
    alloc_free(o);
}

static void answered(struct op *op)
{
    struct op_look *o = OP_AS(op, struct op_look);
    bool dropped;

    MUST(pthread_mutex_lock(&o->lock) == 0);
    o->done = true;
    dropped = o->dropped;
    /* Under the lock: the waiter owns it, and frees it as soon as it is let in. */
    MUST(pthread_cond_signal(&o->answered) == 0);
    MUST(pthread_mutex_unlock(&o->lock) == 0);
    if (dropped)
        free_look(o);
}

static void disown(struct looked *l)
{
    l->instances = (struct instance_list){0};
    l->schedules = (struct record_list){0};
}

static struct op_look *new_look(const struct looked *l)
{
    struct op_look *o = alloc_new(struct op_look);
    pthread_condattr_t attr;

    o->op.type = &look_type;
    o->op.done = answered;
    o->looked = *l;
    disown(&o->looked);
    MUST(pthread_mutex_init(&o->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&o->answered, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    return o;
}

/* The condition's clock is not the one of struct mono, which goes on while the machine sleeps. */
static struct timespec at_mono(struct mono t)
{
    int64_t left = t.us - clock_mono().us;
    struct timespec at;

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

/* False: not in time; it is the lane's now. */
static bool await_answer(struct op_look *o, struct mono until)
{
    struct timespec at = at_mono(until);
    bool done;

    MUST(pthread_mutex_lock(&o->lock) == 0);
    while (!o->done) {
        int e = pthread_cond_timedwait(&o->answered, &o->lock, &at);

        MUST(e == 0 || e == ETIMEDOUT);
        if (e == ETIMEDOUT)
            break;
    }
    done = o->done;
    o->dropped = !done;
    MUST(pthread_mutex_unlock(&o->lock) == 0);
    return done;
}

enum err lane_look(struct lane *lane, struct looked *l, struct mono until, struct error *err)
{
    int64_t patience_us = until.us - clock_mono().us;
    struct op_look *o = new_look(l);
    enum err e = lane_submit(lane, &o->op, err);

    if (e) {
        free_look(o);
        return e;
    }
    if (!await_answer(o, until))
        return error_set(err, ERR_TIMEOUT, NULL, "no answer within %lld ms",
                         (long long)(patience_us > 0 ? patience_us / US_PER_MS : 0));
    e = o->op.err.code;
    if (e && err)
        *err = o->op.err;
    if (!e) {
        looked_done(l);
        *l = o->looked;
        disown(&o->looked); /* the caller's now */
    }
    free_look(o);
    return e;
}
