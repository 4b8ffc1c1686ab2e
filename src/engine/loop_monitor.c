/*
 * loop_monitor.c: this instance among those that share the store: heartbeats, the election of the monitor,
 * and what only the monitor does. On the loop's thread.
 *
 * Heartbeats go by the writer lane, past its queue's limit like the engine's other operations: one that waits
 * behind a flood of registrations would make the others think us dead. The last one, which says that we
 * leave, is left with the lane, whose end does what still waits; its answer is for nobody.
 */
#include <string.h>

#include "base/alloc.h"
#include "engine/loop_internal.h"

static struct heartbeat heartbeat_of(const struct engine *e, const struct monitor_word *w)
{
    struct core_stats s;

    core_get_stats(e->core, &s);
    return (struct heartbeat){
        .id = e->options.instance,
        .name = e->options.name ? e->options.name : "",
        .roles = e->options.roles ? e->options.roles : "",
        .version = e->options.version ? e->options.version : "",
        .started_at = e->started_at,
        .held = (int64_t)s.held,
        .expire_us = w->good_us,
        .monitor_us = w->monitor_us,
    };
}

void loop_init_monitor(struct engine *e, struct mono now)
{
    const struct monitor_options o = {.candidate = e->options.monitor};

    monitor_init(&e->monitor, &o, now);
    e->upkeep_due = e->options.monitor;
    e->upkeep_wait_us = e->options.upkeep_every_us;
    e->told_next = WALL_NEVER;
    e->look_us = e->options.core.safety_poll_us;
    e->look_at = now;
}

/* --- what is due next --- */

/* Who claims knows from its claims; a monitor that never does has to look for itself. */
static bool looks(const struct engine *e)
{
    return e->options.next_due && e->options.core.never_claims && e->look_us > 0 &&
           monitor_is(&e->monitor, e->now.mono);
}

void loop_look_every(struct engine *e, int64_t us)
{
    if (e->look_at.us != INT64_MAX && us < e->look_us)
        e->look_at = e->now.mono;
    e->look_us = us;
    core_set_safety_poll(e->core, e->now, us);
}

/* What is near needs no telling: it was told when it was made, or is being claimed. */
void loop_tell_next(struct engine *e, struct wall at)
{
    bool is_near = at.us <= wall_add(e->now.wall, e->options.core.horizon_us).us;

    if (!e->options.next_due || wall_is_never(at) || is_near || at.us == e->told_next.us ||
        !monitor_is(&e->monitor, e->now.mono))
        return;
    e->told_next = at;
    e->options.next_due(e->options.next_due_arg, at);
}

void loop_took_look(struct engine *e)
{
    e->look_at = mono_add(e->now.mono, e->look_us);
}

struct mono loop_monitor_wake_at(const struct engine *e)
{
    struct mono beat = monitor_wake_at(&e->monitor);

    return looks(e) && e->look_at.us < beat.us ? e->look_at : beat;
}

/* --- each turn --- */

/* Something is held, or was since the last look. */
static bool is_firing(struct engine *e)
{
    struct core_stats s;
    bool firing;

    core_get_stats(e->core, &s);
    firing = s.held > 0 || s.started != e->started_before;
    e->started_before = s.started;
    return firing;
}

void loop_tend_monitor(struct engine *e)
{
    struct monitor_word word;

    if (is_firing(e)) {
        monitor_busy(&e->monitor, e->now.mono);
        loop_hurry_upkeep(e);
    } else if (e->monitor.others_busy) {
        loop_hurry_upkeep(e);
    }
    if (e->phase != LOOP_RUNNING && !e->monitor.resigned)
        monitor_resign(&e->monitor, e->now.mono);
    if (monitor_beat(&e->monitor, e->now.mono, &word)) {
        const struct heartbeat h = heartbeat_of(e, &word);

        loop_ask_beat(e, &h);
    }
    if (e->upkeep_due && monitor_is(&e->monitor, e->now.mono)) {
        e->upkeep_due = false;
        loop_ask_upkeep(e);
    }
    if (looks(e) && e->now.mono.us >= e->look_at.us) {
        e->look_at = (struct mono){INT64_MAX};
        loop_ask_next(e);
    }
}

void loop_leave(struct engine *e)
{
    const struct heartbeat h = {.id = e->options.instance, .leaves = true};

    if (!e->monitor.alone)
        loop_ask_leave(e, &h);
}

static void log_change(struct engine *e, bool was)
{
    bool is = monitor_is(&e->monitor, e->now.mono);

    if (is && !was)
        log_plain(e->options.log, LOG_INFO, "engine", "this instance is the monitor now");
    else if (was && !is)
        log_plain(e->options.log, LOG_INFO, "engine", "this instance is the monitor no more");
}

void loop_take_beat(struct engine *e, const struct op_heartbeat *o)
{
    bool was = monitor_is(&e->monitor, e->now.mono);
    bool elected = false;
    bool others_busy = false;

    e->stats.workers = 0;
    e->stats.monitors = 0;
    for (size_t i = 0; i < o->ret.n; i++) {
        const struct instance *one = &o->ret.items[i];

        e->stats.workers += strstr(one->roles, "worker") != NULL; /* no other role's name has it in it */
        e->stats.monitors += one->is_monitor;
        if (uuid_eq(one->id, e->options.instance)) {
            elected = one->is_monitor;
            e->started_at = one->started_at;
        } else {
            others_busy = others_busy || monitor_is_busy_word(&e->monitor, one->expire_us);
        }
    }
    e->stats.instances = o->ret.n;
    loop_measure_clock(e, o->ret_now, e->beat_sent, e->beat_sent_wall);
    monitor_answered(&e->monitor, e->now.mono, elected, others_busy);
    log_change(e, was);
}

void loop_fail_beat(struct engine *e, const struct error *err)
{
    if (err->code == ERR_UNSUPPORTED) {
        /* Alone it has all roles. */
        e->stats.instances = 1;
        e->stats.workers = 1;
        e->stats.monitors = 1;
        monitor_alone(&e->monitor);
    } else {
        monitor_failed(&e->monitor, e->now.mono);
    }
}
