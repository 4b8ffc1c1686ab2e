/*
 * redis.c: the redis deliverer's door: start, abort, deadlines, and which connection an attempt goes to.
 */
#include "deliver/redis.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/redis_internal.h"

#define IDLE_US (60 * US_PER_S)

static struct redis *redis_of(struct deliverer *d)
{
    return CONTAINER_OF(d, struct redis, base);
}

static struct job *job_of(struct errand *e)
{
    return CONTAINER_OF(e, struct job, errand);
}

void redis_job_free(struct job *j)
{
    struct link *l = j->link;

    alloc_free(j);
    if (l)
        pool_leave(&l->redis->pool, &l->item);
}

/* Its attempt ends before it has a link. */
static void refuse(struct redis *r, struct job *j, enum err code, const char *text)
{
    errand_fail(&r->errands, &j->errand, code, text, clock_mono());
    redis_job_free(j);
}

static enum err add_link(struct redis *r, struct redis_address *address, struct uuid key, struct link **ret,
                         struct error *err)
{
    struct link *l;
    enum err e = redis_link_new(r, address, &l, err);

    if (e)
        return e;
    e = pool_add(&r->pool, &l->item, key, err);
    if (e) {
        redis_link_free(l);
        return e;
    }
    *ret = l;
    return ERR_NONE;
}

/* Finds the job's link, makes one, or waits for a place. */
static void place(struct redis *r, struct job *j)
{
    struct redis_address address;
    struct pool_item *item;
    struct uuid key;
    struct link *l = NULL;
    struct error err;
    enum err e = redis_address_parse(j->errand.delivery->schedule->task.host, &address, &err);

    if (e) {
        refuse(r, j, e, err.text);
        return;
    }
    e = guard_judge_host(r->guard, str_of(address.host), &err);
    if (!e)
        e = redis_address_key(&address, &key, &err);
    item = e ? NULL : pool_find(&r->pool, key);
    if (item)
        l = CONTAINER_OF(item, struct link, item);
    else if (!e && pool_room(&r->pool))
        e = add_link(r, &address, key, &l, &err);
    redis_address_done(&address);
    if (e) {
        refuse(r, j, e, err.text);
    } else if (l) {
        redis_link_take(l, j);
    } else {
        j->state = JOB_WAITS_PLACE;
        pool_wait(&r->pool, &j->errand.node);
    }
}

static void on_admit(void *arg, struct list *node)
{
    place(arg, job_of(CONTAINER_OF(node, struct errand, node)));
}

static void on_close_link(void *arg, struct pool_item *item)
{
    (void)arg;
    redis_link_free(CONTAINER_OF(item, struct link, item));
}

static void on_flush_timer(void *arg)
{
    struct redis *r = arg;
    struct mono now = clock_mono();
    struct list *node;

    while ((node = list_pop_front(&r->dirty)) != NULL)
        redis_link_act(CONTAINER_OF(node, struct link, dirty_node), now);
}

/* The attempt has ended; its job leaves, or stays for its reply. */
static void drop(struct job *j, struct mono now)
{
    if (j->link) {
        redis_link_drop(j->link, j, now);
        return;
    }
    list_remove(&j->errand.node);
    redis_job_free(j);
}

static void on_late(void *arg, struct errand *e, struct mono now)
{
    struct redis *r = arg;
    struct job *j = job_of(e);

    if (j->link)
        errand_time_out(&r->errands, e, redis_link_missing(j->link), j->link->where, now);
    else
        errand_time_out(&r->errands, e, "all connections to Redis servers are in use", "", now);
    drop(j, now);
}

static void redis_start(struct deliverer *d, struct delivery *delivery)
{
    struct redis *r = redis_of(d);
    struct job *j = alloc_new(struct job);

    if (errand_begin(&r->errands, &j->errand, delivery, clock_mono()))
        place(r, j);
    else
        redis_job_free(j);
}

static void redis_abort(struct deliverer *d, struct delivery *delivery)
{
    struct redis *r = redis_of(d);
    struct errand *e = errand_of(delivery);
    struct mono now = clock_mono();

    /* Reported or about to be: what happened stands. */
    if (!e)
        return;
    errand_drop(&r->errands, e, "given up before it ended", now);
    drop(job_of(e), now);
}

static struct mono redis_admit(struct deliverer *d, const struct schedule *s, struct mono now)
{
    return errands_admit(&redis_of(d)->errands, s, now);
}

static void redis_stats(const struct deliverer *d, struct deliver_stats *ret)
{
    admission_stats(&CONTAINER_OF(d, const struct redis, base)->errands.admission, ret);
}

static size_t redis_in_flight(const struct deliverer *d)
{
    return CONTAINER_OF(d, const struct redis, base)->errands.in_flight;
}

static void redis_free(struct redis *r)
{
    pool_done(&r->pool);
    chores_close(r->chores);
    if (r->flush_timer)
        r->reactor->ops->timer_free(r->reactor, r->flush_timer);
    errands_close(&r->errands);
    buf_done(&r->body);
    buf_done(&r->command);
    guard_unref(r->guard);
    alloc_free(r);
}

static void redis_close(struct deliverer *d)
{
    struct redis *r = redis_of(d);
    void *item;
    struct uuid key;
    size_t at = 0;

    MUST(r->errands.in_flight == 0);
    /* What is left are jobs whose attempts were given up and whose replies are still owed. */
    while (map_each(&r->pool.items, &at, &key, &item)) {
        struct pool_item *one = item;

        if (one->users > 0)
            redis_link_break(CONTAINER_OF(one, struct link, item));
    }
    redis_free(r);
}

static const struct deliver_ops redis_ops = {
    .name = "redis",
    .type = TASK_REDIS,
    .start = redis_start,
    .abort = redis_abort,
    .in_flight = redis_in_flight,
    .close = redis_close,
    .admit = redis_admit,
    .stats = redis_stats,
};

static enum err redis_init(struct redis *r, const struct deliver_options *options, struct error *err)
{
    enum err e = errands_open(&r->errands, r->reactor, options, on_late, r, err);

    if (!e)
        e = pool_open(&r->pool, err);
    if (!e)
        e = chores_open(r->reactor, &r->chores, err);
    if (!e)
        e = r->reactor->ops->timer_new(r->reactor, on_flush_timer, r, &r->flush_timer, err);
    return e;
}

enum err redis_open(struct reactor *reactor, const struct deliver_options *options, struct deliverer **ret,
                    struct error *err)
{
    struct redis *r;
    enum err e;

    if (options->connections_max == 0)
        return error_set(err, ERR_INVALID, "connections_max", "must be at least 1");
    r = alloc_new(struct redis);
    r->base.ops = &redis_ops;
    r->reactor = reactor;
    r->guard = guard_ref(options->guard);
    r->rng.state = random_u64();
    r->pool = (struct pool){
        .reactor = reactor,
        .max = options->connections_max,
        .idle_us = IDLE_US,
        .close = on_close_link,
        .admit = on_admit,
        .arg = r,
    };
    list_init(&r->dirty);
    buf_init(&r->body, REDIS_COMMAND_MAX / 2);
    buf_init(&r->command, REDIS_COMMAND_MAX);
    redis_wire_setup(r);
    e = redis_init(r, options, err);
    if (e) {
        redis_free(r);
        return e;
    }
    *ret = &r->base;
    return ERR_NONE;
}
