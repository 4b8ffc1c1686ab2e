/*
 * core_claim.c: when to claim.
 *
 * `next_due` is the earliest thing known that nobody holds: from the last claim's answer, lowered by notices.
 * A claim takes all up to a horizon ahead, so it is sent half a horizon before: early enough to be in memory
 * in time, late enough that a claim finds many. An answer that names something near without having brought
 * anything (a lease that is about to end, a row another instance has locked, an occurrence that is judged at
 * its time, which by the store's clock has not come) must not make us ask without end: we ask again after a
 * pause that grows.
 */
#include "base/alloc.h"
#include "engine/core_internal.h"

/* Changes remembered while a claim is out; beyond it what the claim brings is handed back unseen. */
enum { CHANGED_MAX = 10000, CHANGED_FIRST = 64 };
/* The pause after an empty answer: from a 50th of the horizon to a fifth of it. */
enum { PAUSE_FIRST = 50, PAUSE_MAX = 5 };

void claims_init(struct core *c)
{
    struct core_claims *l = &c->claims;

    list_init(&l->wish.node);
    l->next_due = (struct wall){INT64_MIN}; /* unknown: look at once */
    l->noticed = WALL_NEVER;
    l->lead_us = c->options.horizon_us / 2;
    l->not_before = (struct mono){INT64_MIN};
    l->pause_end = (struct mono){INT64_MIN};
}

void claims_done(struct core *c)
{
    alloc_free(c->claims.changed);
}

static bool has_room(const struct core *c)
{
    return core_held(c) < c->options.held_max && c->bytes < c->options.held_bytes_max;
}

static bool within(const struct core *c, struct wall t, int64_t ahead_us)
{
    return t.us <= wall_add(c->now.wall, ahead_us).us;
}

void claims_due(struct core *c, struct wall earliest)
{
    struct core_claims *l = &c->claims;

    if (wall_is_never(earliest))
        return;
    l->next_due = wall_min(l->next_due, earliest);
    if (l->asking == ASK_OUT)
        l->noticed = wall_min(l->noticed, earliest);
    /* Something is told to be due soon: a pause after an earlier answer must not delay it. */
    if (within(c, earliest, l->lead_us))
        l->pause_end = (struct mono){INT64_MIN};
}

static bool wanted(const struct core *c)
{
    const struct core_claims *l = &c->claims;

    if (c->options.never_claims || c->now.mono.us < l->not_before.us)
        return false;
    if (c->now.mono.us >= mono_add(l->sent_at, c->options.safety_poll_us).us)
        return true;
    return c->now.mono.us >= l->pause_end.us && !wall_is_never(l->next_due) &&
           within(c, l->next_due, l->lead_us);
}

void claims_step(struct core *c)
{
    struct core_claims *l = &c->claims;

    if (c->phase == CORE_DRAINING && l->asking == ASK_WISHED) {
        core_unwish(&l->wish);
        l->asking = ASK_NOT;
    }
    if (l->asking != ASK_NOT || c->phase == CORE_DRAINING || !has_room(c) || !wanted(c))
        return;
    l->asking = ASK_WISHED;
    core_wish(c, &l->wish, CORE_CLAIM);
}

bool claims_read(struct core *c, struct core_action *ret)
{
    struct core_claims *l = &c->claims;
    size_t room;

    l->asking = ASK_NOT;
    if (!has_room(c))
        return false; /* the next step asks again */
    room = c->options.held_max - core_held(c);
    l->asking = ASK_OUT;
    l->no++;
    l->sent_at = c->now.mono;
    l->sent_wall = c->now.wall;
    l->noticed = WALL_NEVER;
    c->stats.claims++;
    l->limit = room < c->options.claim_limit ? room : c->options.claim_limit;
    ret->limit = l->limit;
    ret->horizon_us = c->options.horizon_us;
    return true;
}

struct core_wake claims_wake_at(const struct core *c)
{
    const struct core_claims *l = &c->claims;
    struct core_wake wake = {.wall = WALL_NEVER, .mono = MONO_NEVER};
    struct mono blocked_until = l->not_before.us > l->pause_end.us ? l->not_before : l->pause_end;
    struct wall at = wall_add(l->next_due, -l->lead_us);

    if (l->asking != ASK_NOT || c->phase == CORE_DRAINING || c->options.never_claims || !has_room(c))
        return wake;
    wake.mono = mono_add(l->sent_at, c->options.safety_poll_us);
    if (wake.mono.us < l->not_before.us)
        wake.mono = l->not_before;
    if (wall_is_never(l->next_due))
        return wake;
    if (at.us > c->now.wall.us)
        wake.wall = at;
    else if (blocked_until.us < wake.mono.us)
        wake.mono = blocked_until;
    return wake;
}

/* --- changes told while a claim is out --- */

static bool make_room(struct core_claims *l)
{
    size_t cap = l->changed_cap > 0 ? l->changed_cap * 2 : CHANGED_FIRST;
    void *p = l->changed;

    if (l->changed_n < l->changed_cap)
        return true;
    if (l->changed_n >= CHANGED_MAX || alloc_resize(&p, cap, sizeof(*l->changed), NULL))
        return false;
    l->changed = p;
    l->changed_cap = cap;
    return true;
}

void claims_remember_change(struct core *c, struct uuid schedule_id, int64_t version)
{
    struct core_claims *l = &c->claims;

    if (l->asking != ASK_OUT)
        return;
    if (make_room(l))
        l->changed[l->changed_n++] = (struct core_changed){.schedule_id = schedule_id, .version = version};
    else
        l->changed_lost = true;
}

void claims_remember_missed_changes(struct core *c)
{
    if (c->claims.asking == ASK_OUT)
        c->claims.changed_missed = true;
}

static void apply_change(struct core *c, const struct core_changed *change)
{
    if (change->version == 0)
        dooms_suspect_schedule(c, change->schedule_id);
    else
        held_apply_change(c, change->schedule_id, change->version);
}

static void apply_changes(struct core *c)
{
    struct core_claims *l = &c->claims;

    for (size_t i = 0; i < l->changed_n; i++)
        apply_change(c, &l->changed[i]);
    if (l->changed_missed)
        dooms_suspect_all(c);
    if (l->changed_lost) {
        held_hand_back_claim(c);
        dooms_suspect_all(c);
    }
}

static void forget_changes(struct core_claims *l)
{
    l->changed_n = 0;
    l->changed_lost = false;
    l->changed_missed = false;
}

/* --- answers --- */

static void pause(struct core *c)
{
    struct core_claims *l = &c->claims;
    int64_t first = c->options.horizon_us / PAUSE_FIRST;
    int64_t max = c->options.horizon_us / PAUSE_MAX;

    if (l->pause_us == 0)
        l->pause_us = first > 0 ? first : 1;
    else
        l->pause_us = l->pause_us * 2 < max ? l->pause_us * 2 : max;
    l->pause_end = mono_add(c->now.mono, l->pause_us);
}

/*
 * What the answer says about the next claim. It speaks of a moment after the claim was sent and before now:
 * what was near when it was sent is what it looked for and could not bring, what came near since is not.
 */
static void plan_next(struct core *c, size_t n, bool more, struct wall next_due)
{
    struct core_claims *l = &c->claims;

    l->next_due = next_due;
    l->lead_us = c->options.horizon_us / 2;
    l->pause_end = (struct mono){INT64_MIN};
    if (n > 0 || more) {
        l->pause_us = 0;
        if ((n >= l->limit || more) && within(c, next_due, c->options.horizon_us))
            l->lead_us = c->options.horizon_us; /* the limit cut it: at once again */
    } else if (next_due.us <= wall_add(l->sent_wall, l->lead_us).us) {
        pause(c);
    } else {
        l->pause_us = 0;
    }
}

void core_on_claimed(struct core *c, struct core_now now, const struct core_claim_answer *a)
{
    struct core_claims *l = &c->claims;
    struct wall noticed = l->noticed;

    MUST(l->asking == ASK_OUT);
    core_enter(c, now);
    l->asking = ASK_NOT;
    l->backoff_us = 0;
    l->noticed = WALL_NEVER;
    plan_next(c, a->n, a->more, a->next_due);
    claims_due(c, noticed);
    for (size_t i = 0; i < a->n; i++)
        held_take(c, &a->items[i]);
    for (size_t i = 0; i < a->replaced_n; i++)
        held_replace(c, a->replaced[i]);
    apply_changes(c);
    forget_changes(l);
    core_step(c);
}

/* What the claim may have leased to us all the same is claimed again when those leases end. */
void core_on_claim_failed(struct core *c, struct core_now now)
{
    struct core_claims *l = &c->claims;

    MUST(l->asking == ASK_OUT);
    core_enter(c, now);
    l->asking = ASK_NOT;
    l->noticed = WALL_NEVER; /* next_due was lowered by it already */
    l->backoff_us = core_next_backoff(c, l->backoff_us);
    l->not_before = mono_add(now.mono, l->backoff_us);
    apply_changes(c);
    forget_changes(l);
    core_step(c);
}
