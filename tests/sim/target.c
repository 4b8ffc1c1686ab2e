/*
 * target.c: attempts: what is sent, what the target does with it, and when its answer comes. See sim.h.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "sim.h"

enum { NOT_SENT_PERMILLE = 8 };

static enum fate draw_fate_of_the_living(struct world *w, const struct def *d)
{
    unsigned permille = world_settling(w) ? 0 : w->targets_down_until > w->t ? 1000 : d->fail_permille;
    uint64_t roll;

    if (!world_settling(w) && chance(w, NOT_SENT_PERMILLE))
        return FATE_NOT_SENT;
    if (!chance(w, permille))
        return FATE_OK;
    roll = pick(w, 100);
    if (roll < 45)
        return FATE_REFUSED;
    if (roll < 60)
        return FATE_LATER;
    return roll < 80 ? FATE_NO_CONNECTION : FATE_NO_ANSWER;
}

static enum fate draw_fate(struct world *w, const struct def *d)
{
    if (w->host_dead_until[d->host] > w->t && !world_settling(w))
        return FATE_NO_ANSWER;
    return draw_fate_of_the_living(w, d);
}

/* Counts what an instance has under way at a host, `by` more or less, and remembers when that was all it may.
 */
static void count_at_host(struct world *w, const struct attempt *a, bool more)
{
    unsigned host = epoch_of(a->run->sched, a->run->version)->def.host;
    struct inst *i = &w->inst[a->inst];

    if (i->boot != a->boot)
        return;
    if (more)
        i->at_host[host]++;
    if (i->at_host[host] >= w->config.core.target_max[TASK_REST])
        i->host_full_t[host] = w->t;
    if (!more)
        i->at_host[host]--;
}

static struct attempt_result result_of(struct world *w, const struct attempt *a, int64_t took_us)
{
    struct attempt_result r = {.retry_after_us = -1, .took_us = took_us};
    const char *error = "";

    switch (a->fate) {
    case FATE_OK:
        r.ok = true;
        r.status = 200;
        break;
    case FATE_REFUSED:
        r.status = 500;
        error = "refused";
        break;
    case FATE_LATER:
        r.status = 429;
        r.retry_after_us = between(w, 0, 15) * US_PER_S;
        error = "later";
        break;
    case FATE_NO_CONNECTION:
        error = "no connection";
        break;
    case FATE_NO_ANSWER:
        error = "timeout";
        break;
    case FATE_NOT_SENT:
        r.not_sent = true;
        error = "no descriptor";
        break;
    }
    (void)snprintf(r.error, sizeof(r.error), "%s", error);
    return r;
}

/* Whether the request gets anywhere. */
static bool leaves(const struct attempt *a)
{
    return a->fate != FATE_NO_CONNECTION && a->fate != FATE_NOT_SENT;
}

struct attempt *attempt_start(struct world *w, struct inst *i, struct held *h)
{
    struct srun *r = srun_of(w, held_run(h)->id);
    const struct def *d = &epoch_of(r->sched, r->version)->def;
    struct attempt *a = alloc_new(struct attempt);
    int64_t way_us = between(w, 100, 3 * US_PER_MS);
    int64_t work_us = world_settling(w) ? between(w, 100, 5 * US_PER_MS) : between(w, 100, 2 * d->answer_us);
    int64_t end_us;

    *a = (struct attempt){.run = r,
                          .held = h,
                          .inst = i->no,
                          .boot = i->boot,
                          .started_t = w->t,
                          .ended_t = -1,
                          .fate = draw_fate(w, d)};
    count_at_host(w, a, true);
    list_push_back(&r->attempts, &a->in_run);
    list_push_back(&w->in_flight, &a->in_flight);
    r->sched->in_flight++;
    w->attempts_n++;
    trace_add(w, "start (attempt, late us)", (int)i->no, NULL, r, held_run(h)->attempt,
              instance_now(w, i).wall.us - held_run(h)->due_at.us);
    end_us = leaves(a) ? 2 * way_us + work_us : way_us;
    /* Too slow for the caller, who hangs up; the target does not know. */
    if (leaves(a) && (end_us > d->timeout_us || a->fate == FATE_NO_ANSWER)) {
        a->fate = FATE_NO_ANSWER;
        end_us = d->timeout_us;
    }
    if (w->sabotage == SABOTAGE_NO_DELIVERY && w->t > 10 * US_PER_S && chance(w, 50))
        a->fate = FATE_OK;
    else if (leaves(a))
        event_add(w, w->t + way_us, EV_ARRIVE, NO_INSTANCE, a);
    a->result = result_of(w, a, end_us);
    event_add(w, w->t + end_us, EV_END, (int)i->no, a);
    a->answer_t = w->t + end_us;
    return a;
}

/* The request is at its target, whatever has become of its sender. */
void attempt_arrive(struct world *w, struct attempt *a)
{
    a->delivered = true;
    w->deliveries++;
    trace_add(w, "delivered", NO_INSTANCE, NULL, a->run, NOTHING, NOTHING);
}

void attempt_end(struct world *w, struct attempt *a)
{
    MUST(a->ended_t < 0);
    a->ended_t = w->t;
    a->run->sched->in_flight--;
    count_at_host(w, a, false);
    check_replaced(w, a);
    list_remove(&a->in_flight);
    if (a->crashed)
        return;
    if (a->aborted && w->t < a->answer_t) {
        a->result = (struct attempt_result){.retry_after_us = -1, .took_us = w->t - a->started_t};
        (void)snprintf(a->result.error, sizeof(a->result.error), "given up");
    } else {
        a->answered = a->fate != FATE_NOT_SENT;
    }
    trace_add(w, "attempt ended (status)", (int)a->inst, NULL, a->run, a->result.status, NOTHING);
}

void attempt_free(struct attempt *a)
{
    alloc_free(a);
}
