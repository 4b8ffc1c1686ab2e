/*
 * world.c: time, events, configuration. See sim.h.
 */
#include "base/alloc.h"
#include "sim.h"
#include "store/grow.h"

#define HOUR_US (INT64_C(3600) * US_PER_S)
#define DAY_US (24 * HOUR_US)

/* --- chance and time --- */

uint64_t pick(struct world *w, uint64_t below)
{
    return rng_below(&w->rng, below);
}

int64_t between(struct world *w, int64_t least, int64_t most)
{
    return least + (int64_t)pick(w, (uint64_t)(most - least) + 1);
}

bool chance(struct world *w, unsigned permille)
{
    return pick(w, 1000) < permille;
}

struct wall world_wall(const struct world *w)
{
    return wall_add(w->wall_base, w->t + w->step_us);
}

struct wall world_latest_wall(const struct world *w)
{
    return wall_max(w->latest_wall, world_wall(w));
}

static struct wall clock_of_world(void *arg)
{
    return world_wall(arg);
}

bool world_settling(const struct world *w)
{
    return w->t >= w->end_t;
}

/* --- disturbances --- */

int64_t world_margin_us(const struct world *w)
{
    const struct core_options *o = &w->config.core;

    /* A lost lease ends, the safety poll comes, a claim's longest backoff is over. */
    return o->lease_us + o->safety_poll_us + 30 * o->backoff_us + 3 * US_PER_S;
}

void world_disturb(struct world *w, int64_t until_t)
{
    struct disturbance d = {
        .t_from = w->t,
        .t_until = until_t + world_margin_us(w),
        .wall_from = world_wall(w),
    };
    struct disturbance *last = w->disturbances_n > 0 ? &w->disturbances[w->disturbances_n - 1] : NULL;
    void *p = w->disturbances;

    d.wall_until = wall_add(d.wall_from, d.t_until - d.t_from);
    /* One that goes on: what has no end of its own would fill the list. */
    if (last && last->t_until >= d.t_from && last->wall_until.us >= d.wall_from.us &&
        last->wall_from.us <= d.wall_from.us) {
        if (last->t_until < d.t_until)
            last->t_until = d.t_until;
        last->wall_until = wall_max(last->wall_until, d.wall_until);
        return;
    }
    MUST(alloc_resize(&p, w->disturbances_n + 1, sizeof(*w->disturbances), NULL) == ERR_NONE);
    w->disturbances = p;
    w->disturbances[w->disturbances_n++] = d;
}

/* What lies between two readings of one moment happened twice, or not at all: whatever lasts covers it. */
void world_shift_disturbances(struct world *w, int64_t us)
{
    for (size_t i = 0; i < w->disturbances_n; i++) {
        struct disturbance *d = &w->disturbances[i];

        if (d->t_until < w->t)
            continue;
        d->wall_from = wall_min(d->wall_from, world_wall(w));
        if (us > 0)
            d->wall_until = wall_add(d->wall_until, us);
    }
}

bool world_quiet(const struct world *w)
{
    for (size_t i = 0; i < w->disturbances_n; i++) {
        if (w->disturbances[i].t_from <= w->t && w->t <= w->disturbances[i].t_until)
            return false;
    }
    return true;
}

bool world_disturbed_at(const struct world *w, struct wall from, struct wall until)
{
    for (size_t i = 0; i < w->disturbances_n; i++) {
        const struct disturbance *d = &w->disturbances[i];

        if (from.us <= d->wall_until.us && d->wall_from.us <= until.us)
            return true;
    }
    return false;
}

/* --- events --- */

struct event *event_add(struct world *w, int64_t t, enum event_kind kind, int inst, void *p)
{
    struct event *e = alloc_new(struct event);

    *e = (struct event){.kind = kind, .inst = inst, .p = p};
    if (inst >= 0)
        e->boot = w->inst[inst].boot;
    MUST(heap_push(&w->events, &e->node, t > w->t ? t : w->t, NULL) == ERR_NONE);
    return e;
}

/* What an event carries and nobody will take any more. */
static void event_free(struct event *e)
{
    if (e->kind == EV_EXEC || e->kind == EV_ANSWER)
        call_free(e->p);
    alloc_free(e);
}

/* A stalled process does nothing; what comes for it waits, in order. What it sent before may be under way. */
static bool is_stalled(const struct world *w, const struct event *e)
{
    const struct inst *i = e->inst >= 0 ? &w->inst[e->inst] : NULL;

    if (!i || i->stalled_until <= w->t || e->kind == EV_KILL || e->kind == EV_BOOT)
        return false;
    return !(e->kind == EV_EXEC && i->calls_go_on);
}

static void postpone(struct world *w, struct event *e)
{
    struct inst *i = &w->inst[e->inst];

    MUST(heap_push(&w->events, &e->node, i->stalled_until + i->postponed++, NULL) == ERR_NONE);
}

static void happen(struct world *w, struct event *e)
{
    switch (e->kind) {
    case EV_ARRIVE:
        attempt_arrive(w, e->p);
        break;
    case EV_CLIENT:
        client_act(w);
        break;
    case EV_REPLACE:
        client_replace(w, e->p);
        break;
    case EV_FAULT:
        fault_happen(w);
        break;
    case EV_BOOT:
        if (w->inst[e->inst].state == INST_DOWN)
            instance_boot(w, &w->inst[e->inst]);
        break;
    case EV_WAKE:
    case EV_EXEC:
    case EV_ANSWER:
    case EV_DUE:
    case EV_CHANGED:
    case EV_MISSED:
    case EV_CLOCK:
    case EV_END:
    case EV_ABORTED:
    case EV_GRACE:
    case EV_KILL:
        instance_handle(w, &w->inst[e->inst], e);
        break;
    }
}

static void step(struct world *w)
{
    struct heap_node *node = heap_peek(&w->events);
    struct event *e = CONTAINER_OF(node, struct event, node);

    heap_remove(&w->events, node);
    w->t = node->key > w->t ? node->key : w->t;
    if (e->inst >= 0 && e->boot != w->inst[e->inst].boot && e->kind != EV_ARRIVE && e->kind != EV_BOOT) {
        event_free(e);
        return;
    }
    if (is_stalled(w, e)) {
        postpone(w, e);
        return;
    }
    if (e->inst >= 0 && w->inst[e->inst].wake == e)
        w->inst[e->inst].wake = NULL;
    happen(w, e);
    event_free(e);
}

/* --- configuration --- */

static void configure(struct world *w)
{
    struct config *c = &w->config;
    uint64_t mood = pick(w, 100);
    bool flaky = chance(w, 200);

    c->tight = chance(w, 150);
    c->instances = 1 + pick(w, INSTANCES_MAX);
    c->core = (struct core_options){
        .horizon_us = between(w, 4, 20) * 100 * US_PER_MS,
        .lease_us = between(w, 3, 12) * US_PER_S,
        .safety_poll_us = between(w, 3, 12) * US_PER_S,
        .claim_limit = c->tight ? 1 + pick(w, 6) : 20 + pick(w, 500),
        .held_max = c->tight ? 3 + pick(w, 10) : 200 + pick(w, 5000),
        .in_flight_max = c->tight ? 3 + pick(w, 8) : 200 + pick(w, 500),
        .target_max = {[TASK_REST] = c->tight ? 1 + pick(w, 4) : 2 + pick(w, 30)},
        .record_limit = c->tight ? 1 + pick(w, 4) : 1 + pick(w, 500),
        .backoff_us = between(w, 50, 300) * US_PER_MS,
    };
    c->span_us = between(w, 100, 500) * US_PER_S;
    c->clock_error_us = chance(w, 100) ? 3 * US_PER_S : 100 * US_PER_MS;
    c->call_us = chance(w, 800) ? 3 * US_PER_MS : 60 * US_PER_MS;
    c->lost_permille = flaky ? 20 : 0;
    c->deaf_permille = chance(w, 500) ? 0 : 300;
    c->mute_permille = chance(w, 700) ? 0 : 100;
    c->poor_permille = chance(w, 800) ? 0 : 20;
    c->faults = mood < 15 ? 0 : mood < 50 ? 1 + pick(w, 4) : 5 + pick(w, 30);
    c->schedules = 3 + pick(w, 37);
    c->client_every_us = between(w, 5, 60) * 100 * US_PER_MS;
    c->told_of_steps = chance(w, 500);
    /* A clock that is seconds off makes everything early or late all the time. */
    if (c->clock_error_us >= US_PER_S)
        c->tight = true;
}

static void world_init(struct world *w, const struct sim_options *o)
{

    *w = (struct world){.seed = o->seed, .sabotage = o->sabotage, .rng = {o->seed}, .step_t = INT64_MIN / 2};
    trace_init(&w->trace, o->verbose);
    heap_init(&w->events);
    map_init(&w->sched_by_id);
    map_init(&w->run_by_id);
    list_init(&w->in_flight);
    MUST(zones_new("/usr/share/zoneinfo", &w->zones, NULL) == ERR_NONE);
    w->rules = (struct schedule_rules){.zones = w->zones,
                                       .default_timezone = STR("UTC"),
                                       .task_enabled = {true, false, false},
                                       .trusted = true};

    configure(w);
    /* Anywhere in a month, so that minutes and hours turn over at different places. */
    w->wall_base = (struct wall){INT64_C(1772323200) * US_PER_S + between(w, 0, 30 * DAY_US)};
    w->db = sim_db_new(o->sqlite, clock_of_world, w, &w->store);
    w->end_t = w->config.span_us;
    w->until_t = w->end_t + 2 * world_margin_us(w) + 40 * US_PER_S;
    for (size_t i = 0; i < INSTANCES_MAX; i++)
        w->inst[i].no = i;
}

static void sched_free(struct sched *s)
{
    for (size_t i = 0; i < s->epochs_n; i++) {
        alloc_free(s->epochs[i].pauses);
        alloc_free(s->epochs[i].resumed);
    }
    alloc_free(s->epochs);
    alloc_free(s);
}

static void run_free(struct srun *r)
{
    struct list *node;

    while ((node = list_pop_front(&r->attempts)))
        attempt_free(CONTAINER_OF(node, struct attempt, in_run));
    alloc_free(r);
}

static void world_done(struct world *w)
{
    struct heap_node *node;

    for (size_t i = 0; i < INSTANCES_MAX; i++)
        instance_down(w, &w->inst[i]);
    while ((node = heap_peek(&w->events))) {
        heap_remove(&w->events, node);
        event_free(CONTAINER_OF(node, struct event, node));
    }
    heap_done(&w->events);
    for (size_t i = 0; i < w->runs_n; i++)
        run_free(w->runs[i]);
    alloc_free(w->runs);
    for (size_t i = 0; i < w->scheds_n; i++)
        sched_free(w->scheds[i]);
    alloc_free(w->scheds);
    map_done(&w->run_by_id);
    map_done(&w->sched_by_id);
    alloc_free(w->disturbances);
    sim_db_free(w->db, w->store);
    zones_free(w->zones);
    trace_done(&w->trace);
}

void world_run(const struct sim_options *o, struct sim_result *ret)
{
    struct world w;
    struct heap_node *next;
    bool healed = false;

    world_init(&w, o);
    for (size_t i = 0; i < w.config.instances; i++)
        instance_boot(&w, &w.inst[i]);
    client_begin(&w);
    fault_plan(&w);
    while (!w.failed && (next = heap_peek(&w.events)) && next->key <= w.until_t) {
        if (!healed && next->key >= w.end_t) {
            w.t = w.end_t;
            fault_heal_all(&w);
            healed = true;
            continue;
        }
        step(&w);
    }
    w.t = w.until_t > w.t && !w.failed ? w.until_t : w.t;
    if (!w.failed)
        account_all(&w);
    if (w.failed)
        trace_print(&w, 80);
    *ret = (struct sim_result){.failed = w.failed,
                               .runs = w.runs_n,
                               .attempts = w.attempts_n,
                               .doubles = w.doubles,
                               .fingerprint = w.trace.fingerprint};
    world_done(&w);
}
