/*
 * rest.c: the rest deliverer's door: start, abort, report, and the pool of transfers.
 *
 * done() comes only from rest_report(), which runs at the end of a turn of the reactor: never inside start(),
 * abort() or libcurl. So done() may start and abort as it likes.
 */
#include "deliver/rest.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/rest_internal.h"
#include "model/target.h"

static void hook_free(void *p)
{
    alloc_free(p);
}

enum err rest_setup(struct error *err)
{
    const curl_version_info_data *info;

    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, alloc_hook_malloc, hook_free, alloc_hook_realloc,
                             alloc_hook_strdup, alloc_hook_calloc) != CURLE_OK)
        return error_set(err, ERR_INTERNAL, "libcurl", "cannot be initialised");
    info = curl_version_info(CURLVERSION_NOW);
    /* Without a resolver of its own every unknown name would hold up the whole loop. */
    if ((info->features & CURL_VERSION_ASYNCHDNS) == 0) {
        curl_global_cleanup();
        return error_set(err, ERR_UNSUPPORTED, "libcurl",
                         "version %s was built without an asynchronous resolver", info->version);
    }
    return ERR_NONE;
}

void rest_teardown(void)
{
    curl_global_cleanup();
}

static struct rest *rest_of(struct deliverer *d)
{
    return CONTAINER_OF(d, struct rest, base);
}

static void transfer_free(struct transfer *t)
{
    if (t->easy)
        curl_easy_cleanup(t->easy);
    buf_done(&t->text);
    buf_done(&t->body);
    buf_done(&t->answer);
    alloc_free(t->headers);
    alloc_free(t);
}

static struct transfer *transfer_get(struct rest *r)
{
    struct list *spare = list_pop_front(&r->spare);
    struct transfer *t;

    if (spare) {
        r->spare_n--;
        return CONTAINER_OF(spare, struct transfer, node);
    }
    t = alloc_new(struct transfer);
    t->rest = r;
    list_init(&t->node);
    buf_init(&t->text, REST_HEADERS_MAX);
    buf_init(&t->body, REST_BODY_MAX);
    buf_init(&t->answer, ATTEMPT_ANSWER_MAX);
    return t;
}

static void transfer_put(struct rest *r, struct transfer *t)
{
    t->delivery = NULL;
    t->state = TRANSFER_SPARE;
    if (!t->easy || r->spare_n >= REST_SPARE_MAX) {
        transfer_free(t);
        return;
    }
    if (t->body.cap > REST_KEEP_BYTES) {
        buf_done(&t->body);
        buf_init(&t->body, REST_BODY_MAX);
    }
    if (t->text.cap > REST_KEEP_BYTES) {
        buf_done(&t->text);
        buf_init(&t->text, REST_HEADERS_MAX);
    }
    /* At the front: the handle used last has the warmest memory, and the others are never touched. */
    list_push_back(r->spare.next, &t->node);
    r->spare_n++;
}

void rest_end(struct transfer *t)
{
    struct rest *r = t->rest;

    t->state = TRANSFER_ENDED;
    list_push_back(&r->ended, &t->node);
    r->reactor->ops->timer_arm(r->reactor, r->report_timer, 0);
}

void rest_go(struct transfer *t)
{
    struct error err;
    enum err e = rest_request_build(t, &err);

    if (!e)
        e = rest_multi_add(t, clock_mono(), &err);
    if (!e) {
        t->state = TRANSFER_ON_WIRE;
        return;
    }
    rest_result_failed(t, e, err.text);
    rest_end(t);
}

void rest_report(struct rest *r)
{
    struct list now;
    struct list *node;

    if (list_empty(&r->ended))
        return;
    /* What ends from here on waits for the next turn, or a done() that starts what fails at once would hold
     * us. */
    list_init(&now);
    while ((node = list_pop_front(&r->ended)) != NULL)
        list_push_back(&now, node);
    r->reactor->ops->timer_disarm(r->reactor, r->report_timer);
    while ((node = list_pop_front(&now)) != NULL) {
        struct transfer *t = CONTAINER_OF(node, struct transfer, node);
        struct delivery *d = t->delivery;

        rest_place_leave(t);
        d->circuit = admission_ended(&r->admission, t->target, d, t->how, clock_mono());
        transfer_put(r, t);
        d->state = NULL;
        r->in_flight--;
        d->done(d);
    }
}

static void on_report_timer(void *arg)
{
    rest_report(arg);
}

static void rest_start(struct deliverer *d, struct delivery *delivery)
{
    struct rest *r = rest_of(d);
    struct transfer *t = transfer_get(r);

    t->delivery = delivery;
    delivery->state = t;
    r->in_flight++;
    t->target = target_key(&delivery->schedule->task);
    admission_began(&r->admission, t->target, delivery);
    rest_result_clear(t);
    if (rest_place_enter(t))
        rest_go(t);
}

static void rest_abort(struct deliverer *d, struct delivery *delivery)
{
    struct transfer *t = delivery->state;

    (void)d;
    /* Reported or about to be: what happened stands. */
    if (!t || t->state == TRANSFER_ENDED)
        return;
    if (t->state == TRANSFER_ON_WIRE)
        rest_multi_remove(t);
    else
        rest_place_leave(t);
    rest_result_error(t, "given up before it ended");
    rest_end(t);
}

static struct mono rest_admit(struct deliverer *d, const struct schedule *s, struct mono now)
{
    return admission_ask(&rest_of(d)->admission, target_key(&s->task), s->task.timeout_us, now);
}

static void rest_stats(const struct deliverer *d, struct deliver_stats *ret)
{
    admission_stats(&CONTAINER_OF(d, const struct rest, base)->admission, ret);
}

static size_t rest_in_flight(const struct deliverer *d)
{
    return CONTAINER_OF(d, const struct rest, base)->in_flight;
}

static void rest_free(struct rest *r)
{
    struct list *node;

    while ((node = list_pop_front(&r->spare)) != NULL)
        transfer_free(CONTAINER_OF(node, struct transfer, node));
    rest_multi_close(r);
    if (r->report_timer)
        r->reactor->ops->timer_free(r->reactor, r->report_timer);
    heap_done(&r->deadlines);
    map_done(&r->hosts);
    admission_done(&r->admission);
    alloc_free(r->user_agent);
    alloc_free(r->ca_file);
    guard_unref(r->options.guard);
    alloc_free(r);
}

static void rest_close(struct deliverer *d)
{
    struct rest *r = rest_of(d);

    MUST(r->in_flight == 0);
    rest_free(r);
}

static const struct deliver_ops rest_ops = {
    .name = "rest",
    .type = TASK_REST,
    .start = rest_start,
    .abort = rest_abort,
    .in_flight = rest_in_flight,
    .close = rest_close,
    .admit = rest_admit,
    .stats = rest_stats,
};

static enum err rest_init(struct rest *r, const struct deliver_options *options, struct error *err)
{
    enum err e;

    r->options = *options;
    (void)guard_ref(r->options.guard);
    if (r->options.connections_max == 0)
        return error_set(err, ERR_INVALID, "connections_max", "must be at least 1");
    e = alloc_str(str_of(options->user_agent), &r->user_agent, err);
    if (!e && options->ca_file)
        e = alloc_str(str_of(options->ca_file), &r->ca_file, err);
    r->options.user_agent = r->user_agent;
    r->options.ca_file = r->ca_file;
    if (!e)
        e = r->reactor->ops->timer_new(r->reactor, on_report_timer, r, &r->report_timer, err);
    if (!e)
        e = rest_multi_open(r, err);
    return e;
}

enum err rest_open(struct reactor *reactor, const struct deliver_options *options, struct deliverer **ret,
                   struct error *err)
{
    struct rest *r = alloc_new(struct rest);
    enum err e;

    r->base.ops = &rest_ops;
    r->reactor = reactor;
    r->rng.state = random_u64();
    heap_init(&r->deadlines);
    map_init(&r->hosts);
    admission_init(&r->admission, options->per_host_rate, options->circuit_failures);
    list_init(&r->waiting);
    list_init(&r->broken);
    list_init(&r->ended);
    list_init(&r->spare);
    e = rest_init(r, options, err);
    if (e) {
        rest_free(r);
        return e;
    }
    *ret = &r->base;
    return ERR_NONE;
}
