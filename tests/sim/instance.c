/*
 * instance.c: one instance: a core, and around it what engine/loop does: carries out its actions, brings it
 * what happened, wakes it when it asked to be woken. See sim.h.
 */
#include <string.h>

#include "base/alloc.h"
#include "sim.h"

enum { CACHE_MAX = 64 };

struct core_now instance_now(const struct world *w, const struct inst *i)
{
    return (struct core_now){
        .wall = wall_add(w->wall_base, w->t + i->known_step_us + i->clock_error_us),
        .mono = {w->t + i->mono_base_us},
    };
}

void instance_trouble(struct world *w, struct inst *i)
{
    i->trouble_t = w->t;
    world_disturb(w, w->t);
}

struct inst *instance_any_up(struct world *w)
{
    size_t first = pick(w, w->config.instances);

    for (size_t k = 0; k < w->config.instances; k++) {
        struct inst *i = &w->inst[(first + k) % w->config.instances];

        if (i->state == INST_UP && i->stalled_until <= w->t)
            return i;
    }
    return NULL;
}

/* --- the core's actions --- */

static void send_claim(struct world *w, struct inst *i, const struct core_action *a)
{
    struct call *c = alloc_new(struct call);

    c->kind = CALL_CLAIM;
    c->claim = op_claim_new(NULL);
    c->claim->cache = i->cache;
    c->claim->request = (struct claim_request){
        .instance = i->id,
        .horizon_us = a->horizon_us,
        .lease_us = w->config.core.lease_us,
        .limit = a->limit,
        .timer_rules = {.misfire_grace_us = 2 * US_PER_S, .lead_us = a->horizon_us / 2},
        .schedule_rules = &w->rules,
    };
    call_send(w, i, c);
}

static void send_record(struct world *w, struct inst *i, const struct core_action *a)
{
    struct call *c = alloc_new(struct call);

    c->kind = CALL_RECORD;
    MUST(op_complete_new(a->n, NULL, &c->record, NULL) == ERR_NONE);
    for (size_t k = 0; k < a->n; k++) {
        const struct core_outcome *o = &a->outcomes[k];

        c->record->outcomes[k] = (struct outcome){
            .run_id = o->run.id,
            .schedule_id = o->run.schedule_id,
            .schedule_version = o->run.schedule_version,
            .token = o->run.lease_token,
            .to = o->to,
            .due_at = o->due_at,
            .ended_at = o->ended_at,
            .failures = o->failures,
            .attempted = o->attempted,
            .result = o->result,
            .schedule = schedule_ref((struct schedule *)(uintptr_t)o->schedule),
        };
    }
    call_send(w, i, c);
}

static void send_renew(struct world *w, struct inst *i, const struct core_action *a)
{
    struct call *c = alloc_new(struct call);

    c->kind = CALL_RENEW;
    MUST(op_renew_new(a->n, NULL, &c->renew, NULL) == ERR_NONE);
    memcpy(c->renew->runs, a->runs, a->n * sizeof(*a->runs));
    memcpy(c->renew->tokens, a->tokens, a->n * sizeof(*a->tokens));
    c->renew->lease_us = w->config.core.lease_us;
    call_send(w, i, c);
}

static void send_doomed(struct world *w, struct inst *i, const struct core_action *a)
{
    struct call *c = alloc_new(struct call);

    c->kind = CALL_DOOMED;
    MUST(op_doomed_new(a->n, NULL, &c->doomed, NULL) == ERR_NONE);
    memcpy(c->doomed->runs, a->runs, a->n * sizeof(*a->runs));
    call_send(w, i, c);
}

static void start(struct world *w, struct inst *i, struct held *h)
{
    struct attempt *a = attempt_start(w, i, h);

    held_set_user(h, a);
    check_start(w, i, a);
}

static void give_up(struct world *w, struct inst *i, struct held *h)
{
    struct attempt *a = held_user(h);

    trace_add(w, "abort", (int)i->no, NULL, a->run, NOTHING, NOTHING);
    check_abort(w, i, a);
    a->aborted = true;
    event_add(w, w->t + between(w, 0, 3 * US_PER_MS), EV_ABORTED, (int)i->no, a);
}

/* How many there were. */
static size_t carry_out(struct world *w, struct inst *i)
{
    struct core_action a;
    size_t n = 0;

    for (; !w->failed && core_next_action(i->core, &a); n++) {
        switch (a.kind) {
        case CORE_CLAIM:
            send_claim(w, i, &a);
            break;
        case CORE_START:
            start(w, i, a.held);
            break;
        case CORE_ABORT:
            give_up(w, i, a.held);
            break;
        case CORE_RECORD:
            send_record(w, i, &a);
            break;
        case CORE_ASK_DOOMED:
            send_doomed(w, i, &a);
            break;
        case CORE_RENEW:
            send_renew(w, i, &a);
            break;
        }
    }
    return n;
}

/* --- sleeping --- */

static void sleep_until(struct world *w, struct inst *i)
{
    struct core_now now = instance_now(w, i);
    struct core_wake wake = core_wake_at(i->core);
    int64_t us = INT64_MAX;
    int64_t t;

    if (wake.mono.us != INT64_MAX)
        us = wake.mono.us - now.mono.us;
    if (!wall_is_never(wake.wall) && wake.wall.us - now.wall.us < us)
        us = wake.wall.us - now.wall.us;
    if (i->wake) {
        heap_remove(&w->events, &i->wake->node);
        alloc_free(TAKE(i->wake));
    }
    if (us == INT64_MAX)
        return;
    /* Timers are late, never early. */
    t = w->t + (us > 0 ? us : 0) + between(w, 1, 300);
    i->wake = event_add(w, t, EV_WAKE, (int)i->no, NULL);
}

/* A run that came to its moment and found no place has moved on, too. */
static bool queue_moved(struct inst *i)
{
    struct core_stats s;
    size_t before = i->queueing;

    core_get_stats(i->core, &s);
    i->queueing = s.queueing;
    return s.queueing != before;
}

/* After every input: actions, the end of a drain, sleep. */
static void turn(struct world *w, struct inst *i, bool woken)
{
    size_t acts = carry_out(w, i);

    if (woken)
        check_wake(w, i, acts > 0 || queue_moved(i));
    if (w->failed)
        return;
    if (i->state == INST_DRAINING && core_is_drained(i->core)) {
        trace_add(w, "drained", (int)i->no, NULL, NULL, NOTHING, NOTHING);
        instance_down(w, i);
        event_add(w, w->t + between(w, 0, 4 * US_PER_S), EV_BOOT, (int)i->no, NULL);
        return;
    }
    sleep_until(w, i);
}

/* --- what comes in --- */

/* The instance measures the cluster's clock by every claim. */
static void learn_clock(struct world *w, struct inst *i, int64_t step_us)
{
    if (step_us == i->known_step_us)
        return;
    trace_add(w, "learns of a clock step", (int)i->no, NULL, NULL, (step_us - i->known_step_us) / US_PER_MS,
              NOTHING);
    i->known_step_us = step_us;
    core_on_clock_set(i->core, instance_now(w, i));
}

static void on_claimed(struct world *w, struct inst *i, struct call *c)
{
    struct claim_result *r = &c->claim->ret;
    struct core_claimed *items = NULL;
    void *p;

    if (c->failed) {
        core_on_claim_failed(i->core, instance_now(w, i));
        return;
    }
    learn_clock(w, i, c->step_us);
    MUST(alloc_array(r->n, sizeof(*items), &p, NULL) == ERR_NONE);
    items = p;
    for (size_t k = 0; k < r->n; k++)
        items[k] = (struct core_claimed){
            .run = r->items[k].run, .schedule = TAKE(r->items[k].schedule), .bytes = r->items[k].bytes};
    if (chance(w, w->config.poor_permille)) {
        trace_add(w, "memory runs out", (int)i->no, NULL, NULL, NOTHING, NOTHING);
        instance_trouble(w, i);
        world_disturb(w, w->t + w->config.core.lease_us);
        alloc_test_fail_nth(1 + pick(w, 6));
    }
    core_on_claimed(i->core, instance_now(w, i),
                    &(struct core_claim_answer){
                        .items = items,
                        .n = r->n,
                        .replaced = r->replaced.items,
                        .replaced_n = r->replaced.n,
                        .next_due = r->next_due,
                        .more = r->more,
                    });
    alloc_test_fail_nth(0);
    alloc_free(items);
}

static void on_recorded(struct world *w, struct inst *i, const struct call *c)
{
    bool *stale;
    void *p;

    if (c->failed) {
        core_on_record_failed(i->core, instance_now(w, i));
        return;
    }
    MUST(alloc_array(c->record->n, sizeof(*stale), &p, NULL) == ERR_NONE);
    stale = p;
    for (size_t k = 0; k < c->record->n; k++)
        stale[k] = c->record->outcomes[k].stale;
    core_on_recorded(i->core, instance_now(w, i), stale, c->record->n);
    alloc_free(stale);
}

static void on_renewed(struct world *w, struct inst *i, const struct call *c)
{
    const struct op_renew *o = c->renew;

    if (c->failed)
        core_on_renew_failed(i->core, instance_now(w, i));
    else
        core_on_renewed(i->core, instance_now(w, i), o->ret_until, o->ret_lost.items, o->ret_lost.n);
}

static void on_doomed(struct world *w, struct inst *i, const struct call *c)
{
    const struct op_doomed *o = c->doomed;

    if (c->failed)
        core_on_ask_doomed_failed(i->core, instance_now(w, i));
    else
        core_on_doomed(i->core, instance_now(w, i),
                       &(struct core_doomed){.runs = o->ret.items,
                                             .n = o->ret.n,
                                             .replaced = o->ret_replaced.items,
                                             .replaced_n = o->ret_replaced.n});
}

static void on_answer(struct world *w, struct inst *i, struct call *c)
{
    if (c->failed)
        instance_trouble(w, i);
    switch (c->kind) {
    case CALL_CLAIM:
        on_claimed(w, i, c);
        break;
    case CALL_RECORD:
        on_recorded(w, i, c);
        break;
    case CALL_RENEW:
        on_renewed(w, i, c);
        break;
    case CALL_DOOMED:
        on_doomed(w, i, c);
        break;
    }
}

static void on_end(struct world *w, struct inst *i, struct attempt *a)
{
    if (a->ended_t >= 0)
        return; /* its answer came before it could be given up, or the other way round */
    attempt_end(w, a);
    core_on_attempt_ended(i->core, instance_now(w, i), a->held, &a->result);
}

static void on_changed(struct world *w, struct inst *i, const struct event *e)
{
    struct sched *s = e->p;

    if (s->told[i->no] < e->version)
        s->told[i->no] = e->version;
    if (w->sabotage != SABOTAGE_IGNORE_CHANGE)
        core_on_changed(i->core, instance_now(w, i), s->id, e->version);
}

/* Its time is over: what is left is left to others, as after a crash. */
static void kill_it(struct world *w, struct inst *i)
{
    trace_add(w, "killed while draining", (int)i->no, NULL, NULL, NOTHING, NOTHING);
    instance_down(w, i);
    event_add(w, w->t + between(w, 0, 4 * US_PER_S), EV_BOOT, (int)i->no, NULL);
}

void instance_handle(struct world *w, struct inst *i, struct event *e)
{
    switch (e->kind) {
    case EV_WAKE:
        core_tick(i->core, instance_now(w, i));
        break;
    case EV_EXEC:
        call_exec(w, i, TAKE(e->p)); /* goes on to its answer */
        return;
    case EV_ANSWER:
        on_answer(w, i, e->p);
        break;
    case EV_DUE:
        i->notices++;
        core_on_due(i->core, instance_now(w, i), e->wall);
        break;
    case EV_CHANGED:
        on_changed(w, i, e);
        break;
    case EV_MISSED:
        i->notices++;
        trace_add(w, "hears that it missed something", (int)i->no, NULL, NULL, NOTHING, NOTHING);
        core_on_missed_changes(i->core, instance_now(w, i));
        break;
    case EV_CLOCK:
        learn_clock(w, i, w->step_us);
        break;
    case EV_END:
        on_end(w, i, e->p);
        break;
    case EV_ABORTED:
        on_end(w, i, e->p);
        break;
    case EV_GRACE:
        trace_add(w, "grace is over", (int)i->no, NULL, NULL, NOTHING, NOTHING);
        core_drain_now(i->core, instance_now(w, i));
        break;
    case EV_KILL:
        kill_it(w, i);
        return;
    case EV_ARRIVE:
    case EV_CLIENT:
    case EV_REPLACE:
    case EV_FAULT:
    case EV_BOOT:
        return;
    }
    turn(w, i, e->kind == EV_WAKE);
}

/* --- life and death --- */

void instance_boot(struct world *w, struct inst *i)
{
    i->state = INST_UP;
    i->boot++;
    i->id = (struct uuid){{0}};
    i->id.b[0] = (uint8_t)(i->no + 1);
    i->id.b[15] = (uint8_t)i->boot;
    MUST(core_new(&w->config.core, &i->core, NULL) == ERR_NONE);
    i->cache = claim_cache_new(CACHE_MAX);
    i->mono_base_us = between(w, 0, 1000 * US_PER_S);
    i->clock_error_us = between(w, -w->config.clock_error_us, w->config.clock_error_us);
    i->known_step_us = w->step_us;
    i->stalled_until = w->t;
    i->exec_t = w->t;
    i->answer_t = w->t;
    trace_add(w, "boot", (int)i->no, NULL, NULL, (int64_t)i->boot, NOTHING);
    world_disturb(w, w->t);
    i->idle_wakes = 0;
    i->queueing = 0;
    for (size_t k = 0; k < HOSTS_N; k++) {
        i->at_host[k] = 0;
        i->host_full_t[k] = INT64_MIN / 2;
    }
    core_tick(i->core, instance_now(w, i));
    turn(w, i, false);
}

void instance_down(struct world *w, struct inst *i)
{
    struct list *node = w->in_flight.next;

    if (i->state == INST_DOWN)
        return;
    i->state = INST_DOWN;
    i->boot++; /* what was on its way to it is dropped */
    if (i->wake) {
        heap_remove(&w->events, &i->wake->node);
        alloc_free(TAKE(i->wake));
    }
    while (node != &w->in_flight) {
        struct attempt *a = CONTAINER_OF(node, struct attempt, in_flight);

        node = node->next;
        if (a->inst == i->no) {
            a->crashed = true;
            attempt_end(w, a);
        }
    }
    core_free(TAKE(i->core));
    claim_cache_free(TAKE(i->cache));
    instance_trouble(w, i);
}

void instance_drain(struct world *w, struct inst *i)
{
    int64_t grace = between(w, 0, 4 * US_PER_S);

    i->state = INST_DRAINING;
    world_disturb(w, w->t + grace);
    event_add(w, w->t + grace, EV_GRACE, (int)i->no, NULL);
    event_add(w, w->t + grace + 8 * US_PER_S, EV_KILL, (int)i->no, NULL);
    core_drain(i->core, instance_now(w, i));
    turn(w, i, false);
}
