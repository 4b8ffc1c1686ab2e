/*
 * kafka_producer.c: a producer's life: made, used, heard and ended.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/kafka_internal.h"
#include "deliver/outcome.h"

/* librdkafka looks at its records' times once a second; this much later it is not to be heard of any more. */
#define GRACE_US (3 * US_PER_S)

/* rd_kafka_new(), which reads files and starts threads. */
struct making {
    struct chore chore;
    rd_kafka_conf_t *conf;
    rd_kafka_t *rk;
    char reason[512];
    bool want; /* it failed for want of something of ours */
    struct chores *chores;
    struct kafka_gate *gate;   /* librdkafka's reference, until .rk goes on */
    struct producer *producer; /* loop's thread only; NULL: nobody waits any more */
};

/* rd_kafka_destroy(), which waits for those threads. */
struct ending {
    struct chore chore;
    rd_kafka_t *rk;
    struct kafka_gate *gate;
    int event_fd;
};

/* --- ended --- */

static void end_work(struct chore *c)
{
    struct ending *v = CONTAINER_OF(c, struct ending, chore);

    rd_kafka_destroy_flags(v->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    /* Only now does nobody write to it any more. */
    if (v->event_fd >= 0)
        (void)close(v->event_fd);
}

static void end_done(struct chore *c, bool alone)
{
    struct ending *v = CONTAINER_OF(c, struct ending, chore);

    (void)alone;
    kafka_gate_unref(v->gate);
    alloc_free(v);
}

/* With librdkafka's reference to the gate. */
static void end_elsewhere(struct chores *chores, rd_kafka_t *rk, struct kafka_gate *gate, int event_fd)
{
    struct ending *v = alloc_new(struct ending);

    v->chore.work = end_work;
    v->chore.done = end_done;
    list_init(&v->chore.node);
    v->rk = rk;
    v->gate = gate;
    v->event_fd = event_fd;
    chores_add(chores, &v->chore);
}

void kafka_producer_free(struct producer *p)
{
    struct kafka *k = p->kafka;

    MUST(list_empty(&p->waiting) && list_empty(&p->shipped));
    list_remove(&p->node);
    if (p->making)
        p->making->producer = NULL;
    if (p->watch)
        k->reactor->ops->unwatch(k->reactor, p->watch);
    if (p->queue) {
        rd_kafka_queue_io_event_enable(p->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(p->queue);
    }
    if (p->rk)
        end_elsewhere(k->chores, p->rk, p->gate, p->event_fd);
    kafka_gate_unref(p->gate);
    for (size_t i = 0; i < KAFKA_SECRETS; i++)
        alloc_free(p->secrets[i]);
    alloc_free(p->host);
    alloc_free(p);
}

/* --- shipments --- */

static struct shipment *shipment_at(struct list *node)
{
    return CONTAINER_OF(CONTAINER_OF(node, struct errand, node), struct shipment, errand);
}

static void end_shipment(struct shipment *s, const char *error, struct mono now)
{
    list_remove(&s->errand.node);
    errand_end(&s->producer->kafka->errands, &s->errand, error, now);
    kafka_shipment_free(s);
}

/* One that librdkafka has not taken. */
static void fail_shipment(struct shipment *s, enum err code, const char *text, struct mono now)
{
    list_remove(&s->errand.node);
    errand_fail(&s->producer->kafka->errands, &s->errand, code, text, now);
    kafka_shipment_free(s);
}

static void ship(struct producer *p, struct shipment *s)
{
    struct kafka *k = p->kafka;
    const struct delivery *d = s->errand.delivery;
    struct error err;

    enum err e = kafka_record_send(k, p->rk, d, s, &err);

    if (e) {
        fail_shipment(s, e, err.text, clock_mono());
        return;
    }
    list_remove(&s->errand.node);
    list_push_back(&p->shipped, &s->errand.node);
    s->state = SHIPMENT_SHIPPED;
    errand_prolong(&k->errands, &s->errand,
                   mono_add(s->errand.begun, d->schedule->task.timeout_us + GRACE_US).us);
}

void kafka_producer_take(struct producer *p, struct shipment *s)
{
    s->producer = p;
    s->state = SHIPMENT_WAITS_PRODUCER;
    list_push_back(&p->waiting, &s->errand.node);
    pool_use(&p->kafka->pool, &p->item);
    if (p->rk)
        ship(p, s);
}

void kafka_producer_break(struct producer *p)
{
    struct mono now = clock_mono();

    while (!list_empty(&p->shipped))
        end_shipment(shipment_at(p->shipped.next), "given up before it ended", now);
}

/* --- heard --- */

/* Whether it was never written because there was no descriptor for a connection. */
static bool is_want(const struct producer *p, const rd_kafka_message_t *m)
{
    return m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT &&
           rd_kafka_message_status(m) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED && kafka_gate_wants(p->gate);
}

/* Whether the cluster said nothing at all, and not because we would not hear it. */
static bool is_silence(const struct producer *p, const struct errand *e, const rd_kafka_message_t *m)
{
    char unused[ATTEMPT_TEXT_MAX];

    return (m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || m->err == RD_KAFKA_RESP_ERR__TRANSPORT ||
            m->err == RD_KAFKA_RESP_ERR__TIMED_OUT || m->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) &&
           !kafka_report_refused(p, e, m, unused);
}

static void forget_trouble(struct producer *p)
{
    p->trouble[0] = '\0';
    kafka_gate_forget(p->gate);
}

static void take_reports(struct producer *p, rd_kafka_event_t *event, struct mono now)
{
    const rd_kafka_message_t *m;

    while ((m = rd_kafka_event_message_next(event)) != NULL) {
        struct shipment *s = m->_private;
        char text[KAFKA_TEXT_MAX] = "";

        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            forget_trouble(p);
        else if (s->errand.delivery)
            kafka_report_tell(p, &s->errand, m, text);
        if (is_want(p, m))
            errand_put_off(&p->kafka->errands, &s->errand, text, now);
        else if (is_silence(p, &s->errand, m))
            errand_break(&p->kafka->errands, &s->errand, text, now);
        end_shipment(s, m->err == RD_KAFKA_RESP_ERR_NO_ERROR ? NULL : text, now);
    }
}

static void take_error(struct producer *p, rd_kafka_event_t *event)
{
    kafka_report_trouble(p, rd_kafka_event_error(event), rd_kafka_event_error_string(event));
    /* It will not write again: who comes next gets another. */
    if (rd_kafka_event_error_is_fatal(event))
        pool_forget(&p->kafka->pool, &p->item);
}

static void on_event(void *arg, int fd, int events)
{
    struct producer *p = arg;
    struct kafka *k = p->kafka;
    struct mono now = clock_mono();
    rd_kafka_event_t *event;
    uint64_t n;

    (void)events;
    if (read(fd, &n, sizeof(n)) < 0)
        MUST(errno == EAGAIN || errno == EINTR);
    /* What ends here must not end the producer under our feet. */
    pool_use(&k->pool, &p->item);
    while ((event = rd_kafka_queue_poll(p->queue, 0)) != NULL) {
        switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_DR:
            take_reports(p, event, now);
            break;
        case RD_KAFKA_EVENT_ERROR:
            take_error(p, event);
            break;
        default:
            break;
        }
        rd_kafka_event_destroy(event);
    }
    pool_leave(&k->pool, &p->item);
}

static enum err listen_to(struct producer *p, struct error *err)
{
    const uint64_t one = 1;
    struct reactor *r = p->kafka->reactor;
    enum err e;

    p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->event_fd < 0)
        return error_errno(err, "eventfd", "cannot be made");
    e = r->ops->watch(r, p->event_fd, REACTOR_READ, on_event, p, &p->watch, err);
    if (e)
        return e;
    p->queue = rd_kafka_queue_get_main(p->rk);
    rd_kafka_queue_io_event_enable(p->queue, p->event_fd, &one, sizeof(one));
    /* What happened before that was not told. */
    on_event(p, p->event_fd, REACTOR_READ);
    return ERR_NONE;
}

/* --- made --- */

static void make_work(struct chore *c)
{
    struct making *v = CONTAINER_OF(c, struct making, chore);

    v->rk = rd_kafka_new(RD_KAFKA_PRODUCER, v->conf, v->reason, sizeof(v->reason));
    /* It takes the settings over only when it succeeds. */
    if (v->rk)
        v->conf = NULL;
    else /* a thread, or files that could not be opened */
        v->want =
            rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE || outcome_lacks_descriptors();
}

static void fail_waiting(struct producer *p, enum err code, const char *text)
{
    struct mono now = clock_mono();

    while (!list_empty(&p->waiting))
        fail_shipment(shipment_at(p->waiting.next), code, text, now);
}

static void made(struct producer *p, rd_kafka_t *rk, const struct making *v)
{
    enum err e = ERR_NONE;
    struct kafka *k = p->kafka;
    char text[KAFKA_TEXT_MAX] = "";
    struct error err;

    p->making = NULL;
    p->rk = rk;
    /* A part of it that fails makes it useless: it is forgotten and ends with the last of its shipments. */
    pool_use(&k->pool, &p->item);
    if (!rk) {
        kafka_report_trouble(p, RD_KAFKA_RESP_ERR__FAIL, v->reason);
        e = v->want ? ERR_MEMORY : ERR_INVALID;
        (void)snprintf(text, sizeof(text), "%s: %s",
                       v->want ? "no producer can be made" : "the connection's settings cannot be used",
                       p->trouble);
    } else if (listen_to(p, &err)) {
        e = ERR_MEMORY; /* of a descriptor, or of memory */
        (void)snprintf(text, sizeof(text), "%s", err.text);
    }
    if (e) {
        pool_forget(&k->pool, &p->item);
        fail_waiting(p, e, text);
    }
    while (!list_empty(&p->waiting))
        ship(p, shipment_at(p->waiting.next));
    pool_leave(&k->pool, &p->item);
}

static void make_done(struct chore *c, bool alone)
{
    struct making *v = CONTAINER_OF(c, struct making, chore);

    if (!alone && v->producer) {
        if (v->rk)
            v->gate = NULL; /* now its, which has another of its own */
        made(v->producer, TAKE(v->rk), v);
    } else if (!alone && v->rk) {
        end_elsewhere(v->chores, TAKE(v->rk), TAKE(v->gate), -1);
    }
    if (v->rk)
        rd_kafka_destroy(v->rk);
    if (v->conf)
        rd_kafka_conf_destroy(v->conf);
    kafka_gate_unref(v->gate);
    alloc_free(v);
}

static enum err keep_texts(struct producer *p, const struct task *task, struct error *err)
{
    static const char *const secret[KAFKA_SECRETS] = {"sasl.password", "ssl.key.password"};
    enum err e = alloc_str(task->host, &p->host, err);

    for (size_t i = 0; i < KAFKA_SECRETS && !e; i++) {
        const json_t *v = json_object_get(task->config, secret[i]);

        if (v)
            e = alloc_str(json_str(v), &p->secrets[i], err);
    }
    return e;
}

enum err kafka_producer_new(struct kafka *k, const struct task *task, struct producer **ret,
                            struct error *err)
{
    struct producer *p = alloc_new(struct producer);
    struct making *v;
    rd_kafka_conf_t *conf;
    enum err e;

    p->kafka = k;
    p->event_fd = -1;
    p->gate = kafka_gate_new(k->guard);
    list_init(&p->item.node);
    list_push_back(&k->producers, &p->node);
    list_init(&p->waiting);
    list_init(&p->shipped);
    e = keep_texts(p, task, err);
    if (!e)
        e = kafka_config_make(k, task, &conf, err);
    if (e) {
        kafka_producer_free(p);
        return e;
    }
    v = alloc_new(struct making);
    v->chore.work = make_work;
    v->chore.done = make_done;
    list_init(&v->chore.node);
    v->conf = conf;
    v->gate = kafka_gate_ref(p->gate);
    kafka_gate_set(v->gate, conf);
    v->chores = k->chores;
    v->producer = p;
    p->making = v;
    chores_add(k->chores, &v->chore);
    *ret = p;
    return ERR_NONE;
}
