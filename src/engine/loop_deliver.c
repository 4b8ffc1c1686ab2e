/*
 * loop_deliver.c: attempts begun, given up and ended. On the loop's thread.
 */
#include "base/alloc.h"
#include "engine/loop_internal.h"
#include "model/secret.h"

/* An answer in which every byte became three asterisks. */
enum { HIDDEN_MAX = 4 * ATTEMPT_ANSWER_MAX };
#include "model/target.h"

/* One attempt. Freed when the core has heard of its end. */
struct flight {
    struct delivery delivery;
    struct engine *engine;
    struct held *held;
    struct list node; /* in engine.ended */
    bool ended;
};

static const int64_t bounds_us[] = {1000,   2000,    5000,    10000,   20000,    50000,    100000,  200000,
                                    500000, 1000000, 2000000, 5000000, 10000000, 30000000, 60000000};

enum err loop_open_deliverers(struct engine *e, struct error *err)
{
    for (size_t i = 0; i < deliver_kinds_n; i++) {
        const struct deliver_kind *kind = &deliver_kinds[i];
        enum err failed =
            kind->open(uv_reactor_base(e->reactor), &e->options.deliver, &e->deliverers[kind->type], err);

        if (failed)
            return failed;
    }
    return ERR_NONE;
}

void loop_close_deliverers(struct engine *e)
{
    for (size_t i = 0; i < TASK_KINDS; i++) {
        struct deliverer *d = TAKE(e->deliverers[i]);

        if (d)
            d->ops->close(d);
    }
}

static void end(struct flight *f)
{
    f->ended = true;
    f->engine->turn_due = true;
    list_push_back(&f->engine->ended, &f->node);
}

static void on_delivered(struct delivery *d)
{
    end(CONTAINER_OF(d, struct flight, delivery));
}

/* A schedule from another build may want what this one cannot deliver: its attempt fails and says so. */
static void refuse(struct flight *f)
{
    static const char text[] = "this instance cannot deliver tasks of this type";
    struct attempt_result *r = &f->delivery.result;

    *r = (struct attempt_result){.retry_after_us = -1};
    for (size_t i = 0; i < sizeof(text); i++)
        r->error[i] = text[i];
    end(f);
    loop_wake(f->engine);
}

struct mono loop_admit(void *engine, const struct schedule *s, struct mono now)
{
    const struct engine *e = engine;
    struct deliverer *d = e->deliverers[s->task.type];

    return d ? deliver_admit(d, s, now) : now; /* without one it fails, and at once */
}

void loop_start_flight(struct engine *e, struct held *h)
{
    struct flight *f = alloc_new(struct flight);
    const struct schedule *s = held_schedule(h);
    struct deliverer *d = e->deliverers[s->task.type];

    f->engine = e;
    f->held = h;
    f->delivery.run = *held_run(h);
    f->delivery.schedule = s; /* the core keeps it until it has heard of the end */
    f->delivery.done = on_delivered;
    list_init(&f->node);
    list_init(&f->delivery.node);
    held_set_user(h, f);
    e->flights++;
    if (d)
        deliver_start(d, &f->delivery);
    else
        refuse(f);
}

void loop_abort_flight(struct engine *e, struct held *h)
{
    struct flight *f = held_user(h);

    if (!f->ended)
        deliver_abort(e->deliverers[f->delivery.schedule->task.type], &f->delivery);
}

static void count(struct engine *e, const struct flight *f)
{
    const struct attempt_result *r = &f->delivery.result;
    enum task_type type = f->delivery.schedule->task.type;
    int64_t took_us = r->took_us > 0 ? r->took_us : 0;

    if (r->not_sent)
        return; /* the core counts them */
    if (r->ok)
        e->stats.attempts_ok[type]++;
    else
        e->stats.attempts_failed[type]++;
    e->stats.delivery_us_sum += (uint64_t)took_us;
    for (size_t i = 0; i < COUNT_OF(bounds_us); i++)
        e->stats.delivery_us_buckets[i] += took_us <= bounds_us[i];
    e->stats.delivery_us_buckets[COUNT_OF(bounds_us)]++;
}

/* Once a want: they come by the hundred. */
static void warn_of_want(struct engine *e, const struct flight *f)
{
    const struct attempt_result *r = &f->delivery.result;

    if (r->not_sent && !e->in_want)
        log_event(e->options.log, LOG_WARN, "engine", "attempts are put off until they can be made",
                  KV_UUID("run", f->delivery.run.id), KV_CSTR("error", r->error));
    e->in_want = r->not_sent;
}

static void tell_of_circuit(struct engine *e, const struct flight *f)
{
    const struct task *task = &f->delivery.schedule->task;
    const char *type = task_type_name(task->type);

    switch (f->delivery.circuit) {
    case CIRCUIT_SAME:
        break;
    case CIRCUIT_OPENED:
        log_event(e->options.log, LOG_WARN, "engine",
                  "a target does not answer; until it does it is only probed", KV_CSTR("type", type),
                  KV_STR("target", target_authority(task)), KV_CSTR("error", f->delivery.result.error));
        break;
    case CIRCUIT_CLOSED_AGAIN:
        log_event(e->options.log, LOG_INFO, "engine", "a target answers again", KV_CSTR("type", type),
                  KV_STR("target", target_authority(task)));
        break;
    }
}

void loop_deliver_stats(const struct engine *e, struct deliver_stats ret[TASK_KINDS])
{
    for (size_t i = 0; i < TASK_KINDS; i++) {
        const struct deliverer *d = e->deliverers[i];

        ret[i] = (struct deliver_stats){0};
        if (d && d->ops->stats)
            d->ops->stats(d, &ret[i]);
    }
}

static void log_end(struct engine *e, const struct flight *f)
{
    const struct run *run = &f->delivery.run;
    const struct attempt_result *r = &f->delivery.result;

    log_event(e->options.log, LOG_DEBUG, "engine", "attempt ended", KV_UUID("schedule", run->schedule_id),
              KV_UUID("run", run->id), KV_I64("attempt", run->attempt), KV_BOOL("ok", r->ok),
              KV_I64("status", r->status), KV_I64("took_us", r->took_us), KV_CSTR("error", r->error));
}

/* A target may send back what it got: nothing secret of it is kept, and rather nothing at all. */
static void hide_secrets(struct engine *e, struct flight *f)
{
    CLEANUP(buf_done_p) struct buf hidden = {0};
    struct attempt_result *r = &f->delivery.result;
    struct attempt_answer *told = r->answer;
    struct str text;

    if (!told)
        return;
    r->answer = NULL;
    buf_init(&hidden, HIDDEN_MAX);
    if (secret_hide(f->delivery.schedule, e->options.schedule_rules, (struct str){told->text, told->n},
                    told->cut, &hidden, NULL) == ERR_NONE) {
        text = buf_str(&hidden);
        if (text.n > ATTEMPT_ANSWER_MAX)
            text.n = ATTEMPT_ANSWER_MAX;
        if (attempt_answer_new(text, told->cut, &r->answer, NULL))
            r->answer = NULL;
    }
    attempt_answer_unref(told);
}

void loop_take_ended(struct engine *e)
{
    struct list *node;

    while ((node = list_pop_front(&e->ended)) != NULL) {
        struct flight *f = CONTAINER_OF(node, struct flight, node);

        count(e, f);
        warn_of_want(e, f);
        tell_of_circuit(e, f);
        log_end(e, f);
        held_set_user(f->held, NULL);
        hide_secrets(e, f);
        core_on_attempt_ended(e->core, e->now, f->held, &f->delivery.result);
        e->flights--;
        attempt_answer_unref(f->delivery.result.answer);
        alloc_free(f);
    }
}
