/*
 * kafka.c: the kafka deliverer's door: start, abort, deadlines, and which producer an attempt goes to.
 */
#include "deliver/kafka.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/kafka_internal.h"

#define IDLE_US (60 * US_PER_S)
/* How long closing waits for producers to end; one that hangs longer is left to the end of the process. */
#define CLOSE_US (5 * US_PER_S)

enum { TOPIC_MAX = 1024 };

static struct kafka *kafka_of(struct deliverer *d)
{
    return CONTAINER_OF(d, struct kafka, base);
}

static struct shipment *shipment_of(struct errand *e)
{
    return CONTAINER_OF(e, struct shipment, errand);
}

void kafka_shipment_free(struct shipment *s)
{
    struct producer *p = s->producer;

    alloc_free(s);
    if (p)
        pool_leave(&p->kafka->pool, &p->item);
}

static enum err add_producer(struct kafka *k, const struct task *task, struct uuid key, struct producer **ret,
                             struct error *err)
{
    struct producer *p;
    enum err e = kafka_producer_new(k, task, &p, err);

    if (e)
        return e;
    e = pool_add(&k->pool, &p->item, key, err);
    if (e) {
        kafka_producer_free(p);
        return e;
    }
    *ret = p;
    return ERR_NONE;
}

/* Finds the shipment's producer, has one made, or waits for a place. */
static void place(struct kafka *k, struct shipment *s)
{
    const struct task *task = &s->errand.delivery->schedule->task;
    struct pool_item *item;
    struct producer *p = NULL;
    struct uuid key;
    struct error err;
    enum err e = kafka_gate_judge(k->guard, task->host, &err);

    if (!e)
        e = kafka_config_key(task, &key, &err);

    item = e ? NULL : pool_find(&k->pool, key);
    if (item)
        p = CONTAINER_OF(item, struct producer, item);
    else if (!e && pool_room(&k->pool))
        e = add_producer(k, task, key, &p, &err);
    if (e) {
        errand_fail(&k->errands, &s->errand, e, err.text, clock_mono());
        kafka_shipment_free(s);
    } else if (p) {
        kafka_producer_take(p, s);
    } else {
        s->state = SHIPMENT_WAITS_PLACE;
        pool_wait(&k->pool, &s->errand.node);
    }
}

static void on_admit(void *arg, struct list *node)
{
    place(arg, shipment_of(CONTAINER_OF(node, struct errand, node)));
}

static void on_close_producer(void *arg, struct pool_item *item)
{
    (void)arg;
    kafka_producer_free(CONTAINER_OF(item, struct producer, item));
}

/* The attempt has ended; what librdkafka has stays for its report. */
static void drop(struct shipment *s)
{
    if (s->state == SHIPMENT_SHIPPED)
        return;
    list_remove(&s->errand.node);
    kafka_shipment_free(s);
}

static void on_late(void *arg, struct errand *e, struct mono now)
{
    struct kafka *k = arg;
    struct shipment *s = shipment_of(e);

    switch (s->state) {
    case SHIPMENT_WAITS_PLACE:
        errand_time_out(&k->errands, e, "all connections to Kafka clusters are in use", "", now);
        break;
    case SHIPMENT_WAITS_PRODUCER:
        errand_time_out(&k->errands, e, "no producer yet for ", s->producer->host, now);
        break;
    case SHIPMENT_SHIPPED:
        errand_time_out(&k->errands, e, "no acknowledgement from ", s->producer->host, now);
        break;
    }
    drop(s);
}

static void kafka_start(struct deliverer *d, struct delivery *delivery)
{
    struct kafka *k = kafka_of(d);
    struct shipment *s = alloc_new(struct shipment);

    if (errand_begin(&k->errands, &s->errand, delivery, clock_mono()))
        place(k, s);
    else
        kafka_shipment_free(s);
}

static void kafka_abort(struct deliverer *d, struct delivery *delivery)
{
    struct kafka *k = kafka_of(d);
    struct errand *e = errand_of(delivery);

    /* Reported or about to be: what happened stands. */
    if (!e)
        return;
    errand_drop(&k->errands, e, "given up before it ended", clock_mono());
    drop(shipment_of(e));
}

static struct mono kafka_admit(struct deliverer *d, const struct schedule *s, struct mono now)
{
    return errands_admit(&kafka_of(d)->errands, s, now);
}

static void kafka_stats(const struct deliverer *d, struct deliver_stats *ret)
{
    admission_stats(&CONTAINER_OF(d, const struct kafka, base)->errands.admission, ret);
}

static size_t kafka_in_flight(const struct deliverer *d)
{
    return CONTAINER_OF(d, const struct kafka, base)->errands.in_flight;
}

static void kafka_free(struct kafka *k)
{
    pool_done(&k->pool);
    if (k->chores)
        chores_drain(k->chores, mono_add(clock_mono(), CLOSE_US));
    chores_close(k->chores);
    errands_close(&k->errands);
    buf_done(&k->value);
    buf_done(&k->topic);
    alloc_free(k->ca_file);
    guard_unref(k->guard);
    alloc_free(k);
}

static void kafka_close(struct deliverer *d)
{
    struct kafka *k = kafka_of(d);
    struct list *node = k->producers.next;

    MUST(k->errands.in_flight == 0);
    /* What is left are records whose attempts were given up and whose reports have not come. */
    while (node != &k->producers) {
        struct producer *p = CONTAINER_OF(node, struct producer, node);

        node = node->next;
        kafka_producer_break(p);
    }
    kafka_free(k);
}

static const struct deliver_ops kafka_ops = {
    .name = "kafka",
    .type = TASK_KAFKA,
    .start = kafka_start,
    .abort = kafka_abort,
    .in_flight = kafka_in_flight,
    .close = kafka_close,
    .admit = kafka_admit,
    .stats = kafka_stats,
};

static enum err kafka_init(struct kafka *k, const struct deliver_options *options, struct error *err)
{
    enum err e = errands_open(&k->errands, k->reactor, options, on_late, k, err);

    if (!e)
        e = pool_open(&k->pool, err);
    if (!e)
        e = chores_open(k->reactor, &k->chores, err);
    if (!e && options->ca_file)
        e = alloc_str(str_of(options->ca_file), &k->ca_file, err);
    return e;
}

enum err kafka_open(struct reactor *reactor, const struct deliver_options *options, struct deliverer **ret,
                    struct error *err)
{
    struct kafka *k;
    size_t max = options->connections_max;
    enum err e;

    if (max == 0)
        return error_set(err, ERR_INVALID, "connections_max", "must be at least 1");
    k = alloc_new(struct kafka);
    k->base.ops = &kafka_ops;
    k->reactor = reactor;
    k->guard = guard_ref(options->guard);
    k->rng.state = random_u64();
    k->pool = (struct pool){
        .reactor = reactor,
        .max = max < KAFKA_PRODUCERS_MAX ? max : KAFKA_PRODUCERS_MAX,
        .idle_us = IDLE_US,
        .close = on_close_producer,
        .admit = on_admit,
        .arg = k,
    };
    list_init(&k->producers);
    buf_init(&k->value, KAFKA_VALUE_MAX);
    buf_init(&k->topic, TOPIC_MAX);
    e = kafka_init(k, options, err);
    if (e) {
        kafka_free(k);
        return e;
    }
    *ret = &k->base;
    return ERR_NONE;
}
