/*
 * fault.c: what goes wrong. See sim.h.
 */
#include "sim.h"

void fault_plan(struct world *w)
{
    for (size_t i = 0; i < w->config.faults; i++)
        event_add(w, between(w, 2 * US_PER_S, w->end_t - US_PER_S), EV_FAULT, NO_INSTANCE, NULL);
}

static struct inst *any(struct world *w)
{
    return &w->inst[pick(w, w->config.instances)];
}

static void boot_later(struct world *w, const struct inst *i, int64_t most_us)
{
    int64_t t = w->t + between(w, 50 * US_PER_MS, most_us);

    event_add(w, t, EV_BOOT, (int)i->no, NULL);
    world_disturb(w, t);
}

static void crash(struct world *w)
{
    struct inst *i = any(w);

    if (i->state == INST_DOWN)
        return;
    trace_add(w, "FAULT crash", (int)i->no, NULL, NULL, NOTHING, NOTHING);
    instance_down(w, i);
    boot_later(w, i, chance(w, 700) ? 3 * US_PER_S : 40 * US_PER_S);
}

/* All at once, and a while without any. */
static void blackout(struct world *w)
{
    trace_add(w, "FAULT blackout", NO_INSTANCE, NULL, NULL, NOTHING, NOTHING);
    for (size_t i = 0; i < w->config.instances; i++) {
        if (w->inst[i].state == INST_DOWN)
            continue;
        instance_down(w, &w->inst[i]);
        boot_later(w, &w->inst[i], 30 * US_PER_S);
    }
}

static void stall(struct world *w)
{
    struct inst *i = any(w);
    int64_t us = chance(w, 400) ? between(w, 100 * US_PER_MS, w->config.core.lease_us)
                                : between(w, w->config.core.lease_us, 3 * w->config.core.lease_us);

    if (i->state == INST_DOWN || i->stalled_until > w->t)
        return;
    trace_add(w, "FAULT stall for ms", (int)i->no, NULL, NULL, us / US_PER_MS, NOTHING);
    i->stalled_until = w->t + us;
    i->postponed = 0;
    i->calls_go_on = chance(w, 500);
    instance_trouble(w, i);
    world_disturb(w, i->stalled_until);
}

static void step_clock(struct world *w)
{
    int64_t most = chance(w, 600) ? 3 * US_PER_S : 90 * US_PER_S;
    int64_t us = between(w, -most, most);

    trace_add(w, "FAULT clock step by ms", NO_INSTANCE, NULL, NULL, us / US_PER_MS, NOTHING);
    world_disturb(w, w->t);
    w->latest_wall = world_latest_wall(w);
    w->step_us += us;
    w->stepped_back = w->stepped_back || us < 0;
    w->step_t = w->t;
    world_shift_disturbances(w, us);
    if (!w->config.told_of_steps)
        return;
    for (size_t i = 0; i < w->config.instances; i++) {
        if (w->inst[i].state != INST_DOWN)
            event_add(w, w->t + between(w, 0, US_PER_MS), EV_CLOCK, (int)i, NULL);
    }
}

static void store_down(struct world *w)
{
    int64_t us = between(w, 100 * US_PER_MS, 2 * w->config.core.lease_us);

    trace_add(w, "FAULT store down for ms", NO_INSTANCE, NULL, NULL, us / US_PER_MS, NOTHING);
    w->store_down_until = w->t + us;
    world_disturb(w, w->store_down_until);
}

static void cut_off(struct world *w)
{
    struct inst *i = any(w);
    int64_t us = between(w, 100 * US_PER_MS, 2 * w->config.core.lease_us);

    trace_add(w, "FAULT cut off for ms", (int)i->no, NULL, NULL, us / US_PER_MS, NOTHING);
    i->cut_off_until = w->t + us;
    world_disturb(w, i->cut_off_until);
}

static void targets_down(struct world *w)
{
    int64_t us = between(w, US_PER_S, 20 * US_PER_S);

    trace_add(w, "FAULT targets down for ms", NO_INSTANCE, NULL, NULL, us / US_PER_MS, NOTHING);
    w->targets_down_until = w->t + us;
}

/* One host takes requests and answers none. Nothing is wrong for anybody else: nobody may be late for it. */
static void host_dead(struct world *w)
{
    size_t host = pick(w, HOSTS_N);
    int64_t us = between(w, 5 * US_PER_S, 40 * US_PER_S);

    trace_add(w, "FAULT host dead for ms", (int)host, NULL, NULL, us / US_PER_MS, NOTHING);
    w->host_dead_until[host] = w->t + us;
}

static void drain(struct world *w)
{
    struct inst *i = any(w);

    if (i->state != INST_UP)
        return;
    trace_add(w, "FAULT drain", (int)i->no, NULL, NULL, NOTHING, NOTHING);
    instance_drain(w, i);
}

void fault_happen(struct world *w)
{
    uint64_t roll = pick(w, 100);

    if (roll < 20)
        crash(w);
    else if (roll < 25)
        blackout(w);
    else if (roll < 43)
        stall(w);
    else if (roll < 57)
        step_clock(w);
    else if (roll < 68)
        store_down(w);
    else if (roll < 78)
        cut_off(w);
    else if (roll < 82)
        targets_down(w);
    else if (roll < 90)
        host_dead(w);
    else
        drain(w);
}

void fault_heal_all(struct world *w)
{
    trace_add(w, "all is healed", NO_INSTANCE, NULL, NULL, NOTHING, NOTHING);
    world_disturb(w, w->t);
    w->store_down_until = w->t;
    w->targets_down_until = w->t;
    w->config.lost_permille = 0;
    w->config.deaf_permille = 0;
    w->config.mute_permille = 0;
    for (size_t k = 0; k < HOSTS_N; k++)
        w->host_dead_until[k] = w->t;
    w->config.poor_permille = 0;
    for (size_t i = 0; i < w->config.instances; i++) {
        w->inst[i].cut_off_until = w->t;
        if (w->inst[i].state == INST_DOWN)
            instance_boot(w, &w->inst[i]);
    }
}
