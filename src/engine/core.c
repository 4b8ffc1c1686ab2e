/*
 * core.c: the core's inputs, its list of actions and when it wants to be woken. What each subject does with
 * them is in core_run.c, core_target.c, core_claim.c, core_record.c, core_lease.c and core_doom.c. Pure; on
 * the engine's thread.
 */
#include "engine/core.h"

#include "base/alloc.h"
#include "engine/core_internal.h"

enum { BACKOFF_MAX_TIMES = 30, HELD_BYTES = 64 * 1024 * 1024 };

static int64_t or_default(int64_t v, int64_t otherwise)
{
    return v > 0 ? v : otherwise;
}

static size_t or_default_n(size_t v, size_t otherwise)
{
    return v > 0 ? v : otherwise;
}

static struct core_options with_defaults(const struct core_options *o)
{
    struct core_options with = {
        .horizon_us = or_default(o->horizon_us, US_PER_S),
        .never_claims = o->never_claims,
        .lease_us = or_default(o->lease_us, 30 * US_PER_S),
        .safety_poll_us = or_default(o->safety_poll_us, 30 * US_PER_S),
        .claim_limit = or_default_n(o->claim_limit, 1000),
        .held_max = or_default_n(o->held_max, 10000),
        .held_bytes_max = or_default_n(o->held_bytes_max, HELD_BYTES),
        .in_flight_max = or_default_n(o->in_flight_max, 1000),
        .record_limit = or_default_n(o->record_limit, 1000),
        .backoff_us = or_default(o->backoff_us, US_PER_S),
        .admit = o->admit,
        .admit_arg = o->admit_arg,
    };

    for (size_t i = 0; i < COUNT_OF(with.target_max); i++)
        with.target_max[i] = o->target_max[i];
    return with;
}

enum err core_new(const struct core_options *options, struct core **ret, struct error *err)
{
    CLEANUP(core_free_p) struct core *c = alloc_new(struct core);
    enum err e;

    c->options = with_defaults(options);
    c->now = (struct core_now){.wall = {INT64_MIN}, .mono = {INT64_MIN}};
    c->doubt_until = (struct mono){INT64_MIN};
    list_init(&c->wishes);
    map_init(&c->by_run);
    map_init(&c->by_schedule);
    heap_init(&c->waiting);
    targets_init(c);
    claims_init(c);
    list_init(&c->leases.held);
    list_init(&c->records.ended);
    list_init(&c->records.out);
    e = leases_init(c, err);
    if (e)
        return e;
    e = dooms_init(c, err);
    if (e)
        return e;
    e = records_init(c, err);
    if (e)
        return e;
    *ret = TAKE(c);
    return ERR_NONE;
}

void core_free(struct core *c)
{
    struct list *node;

    if (!c)
        return;
    while ((node = list_pop_front(&c->leases.held)))
        held_free(CONTAINER_OF(node, struct held, by_age));
    records_done(c);
    leases_done(c);
    dooms_done(c);
    claims_done(c);
    targets_done(c);
    heap_done(&c->waiting);
    map_done(&c->by_schedule);
    map_done(&c->by_run);
    alloc_free(c);
}

size_t core_held(const struct core *c)
{
    size_t n = 0;

    for (size_t i = 0; i < HELD_STATES_N; i++)
        n += c->count[i];
    return n;
}

int64_t core_next_backoff(const struct core *c, int64_t us)
{
    int64_t max;
    int64_t twice;

    if (us == 0)
        return c->options.backoff_us;
    if (__builtin_mul_overflow(c->options.backoff_us, BACKOFF_MAX_TIMES, &max))
        max = INT64_MAX;
    if (__builtin_mul_overflow(us, 2, &twice))
        twice = INT64_MAX;
    return twice < max ? twice : max;
}

/* --- inputs --- */

void core_enter(struct core *c, struct core_now now)
{
    MUST(now.mono.us >= c->now.mono.us);
    c->now = now;
}

static bool doubts_clock(const struct core *c)
{
    return c->now.mono.us < c->doubt_until.us;
}

/*
 * Looks at all that time, room or an answer may have made possible. Starts come first: they are what
 * punctuality is made of.
 */
void core_step(struct core *c)
{
    if (c->phase == CORE_DRAINING)
        held_drain(c);
    else if (!doubts_clock(c))
        targets_step(c);
    leases_step(c);
    records_step(c);
    dooms_step(c);
    claims_step(c);
}

void core_tick(struct core *c, struct core_now now)
{
    core_enter(c, now);
    core_step(c);
}

void core_on_due(struct core *c, struct core_now now, struct wall earliest)
{
    core_enter(c, now);
    claims_due(c, earliest);
    core_step(c);
}

void core_on_changed(struct core *c, struct core_now now, struct uuid schedule_id, int64_t version)
{
    core_enter(c, now);
    /* The claim that is out may be what brings the newer run: then it tells by itself what that replaced. */
    if (version == 0 && c->claims.asking != ASK_OUT)
        dooms_suspect_schedule(c, schedule_id);
    held_apply_change(c, schedule_id, version);
    claims_remember_change(c, schedule_id, version);
    core_step(c);
}

void core_set_safety_poll(struct core *c, struct core_now now, int64_t safety_poll_us)
{
    core_enter(c, now);
    c->options.safety_poll_us = safety_poll_us;
    core_step(c);
}

/*
 * How far this clock is from the store's is known from the answers of claims and heartbeats: after a step it
 * is asked at once, else what is due would be looked for by a time that is wrong by the step. And others
 * judge our leases by theirs: after a step forwards they may think them over, so they are renewed.
 */
void core_on_clock_set(struct core *c, struct core_now now)
{
    core_enter(c, now);
    claims_due(c, (struct wall){INT64_MIN});
    leases_hurry(c);
    core_step(c);
}

void core_doubt_clock(struct core *c, struct mono until)
{
    c->doubt_until = until;
}

void core_trust_clock(struct core *c)
{
    c->doubt_until = (struct mono){INT64_MIN};
}

void core_drain(struct core *c, struct core_now now)
{
    core_enter(c, now);
    c->phase = CORE_DRAINING;
    core_step(c);
}

void core_drain_now(struct core *c, struct core_now now)
{
    core_enter(c, now);
    c->phase = CORE_DRAINING;
    held_abort_all(c);
    core_step(c);
}

/* --- outputs --- */

void core_wish(struct core *c, struct wish *w, enum core_action_kind kind)
{
    w->kind = kind;
    list_push_back(&c->wishes, &w->node);
}

void core_unwish(struct wish *w)
{
    list_remove(&w->node);
}

/* Puts together what the wish carries. False: nothing is left to be done. */
static bool read_wish(struct core *c, struct wish *w, struct core_action *ret)
{
    *ret = (struct core_action){.kind = w->kind};
    switch (w->kind) {
    case CORE_CLAIM:
        return claims_read(c, ret);
    case CORE_START:
        ret->held = CONTAINER_OF(w, struct held, start);
        return true;
    case CORE_ABORT:
        ret->held = CONTAINER_OF(w, struct held, abort);
        return true;
    case CORE_RECORD:
        return records_read(c, ret);
    case CORE_ASK_DOOMED:
        return dooms_read(c, ret);
    case CORE_RENEW:
        return leases_read(c, ret);
    }
    return false;
}

bool core_next_action(struct core *c, struct core_action *ret)
{
    struct list *node;

    while ((node = list_pop_front(&c->wishes))) {
        if (read_wish(c, CONTAINER_OF(node, struct wish, node), ret))
            return true;
    }
    return false;
}

static struct mono mono_min(struct mono a, struct mono b)
{
    return a.us < b.us ? a : b;
}

struct core_wake core_wake_at(const struct core *c)
{
    struct core_wake wake = claims_wake_at(c);
    const struct heap_node *first = heap_peek(&c->waiting);

    if (c->phase == CORE_RUNNING && doubts_clock(c))
        wake.mono = mono_min(wake.mono, c->doubt_until);
    else if (first && c->phase == CORE_RUNNING && held_may_start(c))
        wake.wall = wall_min(wake.wall, (struct wall){first->key});
    wake.mono = mono_min(wake.mono, records_wake_at(c));
    wake.mono = mono_min(wake.mono, leases_wake_at(c));
    if (!doubts_clock(c))
        wake.mono = mono_min(wake.mono, targets_wake_at(c));
    wake.mono = mono_min(wake.mono, dooms_wake_at(c));
    return wake;
}

bool core_is_drained(const struct core *c)
{
    return c->phase == CORE_DRAINING && core_held(c) == 0 && c->claims.asking == ASK_NOT &&
           c->records.asking == ASK_NOT && c->leases.asking == ASK_NOT && c->dooms.asking == ASK_NOT;
}

void core_get_stats(const struct core *c, struct core_stats *ret)
{
    *ret = c->stats;
    ret->held = core_held(c);
    ret->waiting = c->count[HELD_WAITING] + c->count[HELD_BEHIND] + c->count[HELD_DUE];
    ret->queueing = c->count[HELD_DUE];
    ret->in_flight = c->count[HELD_IN_FLIGHT] + c->count[HELD_ABORTING];
    ret->recording = c->count[HELD_ENDED] + c->count[HELD_RECORDING];
}
