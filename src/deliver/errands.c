/*
 * errands.c: see errands.h.
 */
#include "deliver/errands.h"

#include <stdio.h>

#include "base/clock.h"

#include "deliver/outcome.h"
#include "model/target.h"

enum { TEXT_MAX = 1024 };

/* Deadlines that went away leave the timer where it is: it finds nothing to do, once, and is set anew. */
static void arm_deadline(struct errands *all, struct mono now)
{
    const struct heap_node *first = heap_peek(&all->deadlines);

    all->deadline_armed = first != NULL;
    if (first)
        all->reactor->ops->timer_arm(all->reactor, all->deadline_timer,
                                     first->key > now.us ? first->key - now.us : 0);
    else
        all->reactor->ops->timer_disarm(all->reactor, all->deadline_timer);
}

static void on_deadline_timer(void *arg)
{
    struct errands *all = arg;
    struct mono now = clock_mono();
    struct heap_node *node;

    all->deadline_armed = false;
    while ((node = heap_pop_due(&all->deadlines, now.us)) != NULL)
        all->late(all->arg, CONTAINER_OF(node, struct errand, deadline), now);
    arm_deadline(all, now);
}

static void on_report_timer(void *arg)
{
    struct errands *all = arg;
    struct list now;
    struct list *node;

    /* What ends from here on waits for the next turn, or a done() that starts what fails at once would hold
     * us. */
    list_init(&now);
    while ((node = list_pop_front(&all->ended)) != NULL)
        list_push_back(&now, node);
    while ((node = list_pop_front(&now)) != NULL) {
        struct delivery *d = CONTAINER_OF(node, struct delivery, node);

        all->in_flight--;
        d->done(d);
    }
}

enum err errands_open(struct errands *all, struct reactor *reactor, const struct deliver_options *options,
                      errand_late_fn late, void *arg, struct error *err)
{
    enum err e;

    *all = (struct errands){.reactor = reactor, .late = late, .arg = arg};
    heap_init(&all->deadlines);
    list_init(&all->ended);
    admission_init(&all->admission, options->per_host_rate, options->circuit_failures);
    e = reactor->ops->timer_new(reactor, on_deadline_timer, all, &all->deadline_timer, err);
    if (!e)
        e = reactor->ops->timer_new(reactor, on_report_timer, all, &all->report_timer, err);
    return e;
}

void errands_close(struct errands *all)
{
    MUST(all->in_flight == 0);
    if (all->deadline_timer)
        all->reactor->ops->timer_free(all->reactor, all->deadline_timer);
    if (all->report_timer)
        all->reactor->ops->timer_free(all->reactor, all->report_timer);
    heap_done(&all->deadlines);
    if (all->admission.by_age.next)
        admission_done(&all->admission);
}

static void put_down(struct errands *all, struct delivery *d)
{
    /* Several end in one turn: the first one's timer reports all. */
    if (list_empty(&all->ended))
        all->reactor->ops->timer_arm(all->reactor, all->report_timer, 0);
    d->state = NULL;
    list_push_back(&all->ended, &d->node);
}

bool errand_begin(struct errands *all, struct errand *e, struct delivery *d, struct mono now)
{
    int64_t until_us = mono_add(now, d->schedule->task.timeout_us).us;

    outcome_clear(d);
    all->in_flight++;
    e->target = target_key(&d->schedule->task);
    admission_began(&all->admission, e->target, d);
    list_init(&e->node);
    e->begun = now;
    if (heap_push(&all->deadlines, &e->deadline, until_us, NULL)) {
        d->circuit = admission_ended(&all->admission, e->target, d, ADMISSION_UNKNOWN, now);
        outcome_not_sent(d, "out of memory");
        put_down(all, d);
        return false;
    }
    e->delivery = d;
    d->state = e;
    if (!all->deadline_armed || heap_peek(&all->deadlines) == &e->deadline)
        arm_deadline(all, now);
    return true;
}

void errand_prolong(struct errands *all, struct errand *e, int64_t until_us)
{
    if (e->deadline.place != 0)
        heap_move(&all->deadlines, &e->deadline, until_us);
    else
        /* It was popped a moment ago, so there is room. */
        MUST(heap_push(&all->deadlines, &e->deadline, until_us, NULL) == ERR_NONE);
}

/* NULL: it has ended before. */
static struct delivery *take_up(struct errands *all, struct errand *e, enum admission_end how,
                                struct mono now)
{
    struct delivery *d = TAKE(e->delivery);

    if (!d)
        return NULL;
    heap_remove(&all->deadlines, &e->deadline);
    if (all->deadlines.n == 0)
        arm_deadline(all, now);
    d->result.took_us = now.us - e->begun.us;
    d->circuit = admission_ended(&all->admission, e->target, d, how, now);
    return d;
}

/* `error` NULL: well. */
static void end(struct errands *all, struct errand *e, const char *error, enum admission_end how,
                struct mono now)
{
    struct delivery *d = take_up(all, e, how, now);

    if (!d)
        return;
    if (error)
        outcome_error(d, error);
    else
        d->result.ok = true;
    put_down(all, d);
}

void errand_end(struct errands *all, struct errand *e, const char *error, struct mono now)
{
    end(all, e, error, ADMISSION_ANSWERED, now);
}

void errand_break(struct errands *all, struct errand *e, const char *error, struct mono now)
{
    end(all, e, error, ADMISSION_SILENT, now);
}

void errand_drop(struct errands *all, struct errand *e, const char *error, struct mono now)
{
    end(all, e, error, ADMISSION_UNKNOWN, now);
}

void errand_put_off(struct errands *all, struct errand *e, const char *why, struct mono now)
{
    struct delivery *d = take_up(all, e, ADMISSION_UNKNOWN, now);

    if (!d)
        return;
    outcome_not_sent(d, why);
    put_down(all, d);
}

void errand_fail(struct errands *all, struct errand *e, enum err code, const char *text, struct mono now)
{
    if (code == ERR_MEMORY)
        errand_put_off(all, e, text, now);
    else
        errand_drop(all, e, text, now);
}

struct mono errands_admit(struct errands *all, const struct schedule *s, struct mono now)
{
    return admission_ask(&all->admission, target_key(&s->task), s->task.timeout_us, now);
}

struct errand *errand_of(struct delivery *d)
{
    return d->state;
}

void errand_time_out(struct errands *all, struct errand *e, const char *what, const char *where,
                     struct mono now)
{
    char text[TEXT_MAX];

    (void)snprintf(text, sizeof(text), "timeout after %g s: %s%s",
                   (double)e->delivery->schedule->task.timeout_us / (double)US_PER_S, what, where);
    if (where[0] != '\0')
        errand_break(all, e, text, now);
    else
        errand_drop(all, e, text, now);
}
