/*
 * timer_doomed.c: what runs that outlive their definition mean to the timer that came after it. See timer.h.
 */
#include "model/occurrence.h"
#include "model/timer.h"
#include "model/timer_internal.h"

/* By then whoever holds a doomed run has heard of it, and has dropped it or begun its attempt. */
#define HEARD_US US_PER_S

static void mark_made(struct timer *t)
{
    t->started_at = t->occurs_at;
    t->runs++;
}

bool timer_hold(const struct schedule *s, struct timer *t, struct wall now, struct wall until,
                const struct timer_rules *rules)
{
    struct wall heard = wall_add(occurrence_act(s, t->occurs_at), HEARD_US);
    int64_t horizon_us = until.us > now.us ? until.us - now.us : 0;

    if (now.us < heard.us) {
        /* Claims come lead_us ahead of it. */
        t->next_at = wall_add(heard, rules->lead_us < horizon_us ? rules->lead_us : horizon_us);
        return true;
    }
    mark_made(t);
    if (schedule_recurs(s))
        return false;
    t->started_at = wall_add(t->occurs_at, 1); /* see timer_doubt() */
    t->next_at = WALL_NEVER;
    return true;
}

static bool is_ahead(const struct timer *t, struct wall occurrence)
{
    bool set = t->state == SCHEDULE_PAUSED || (t->state == SCHEDULE_ACTIVE && !wall_is_never(t->next_at));

    return set && t->occurs_at.us == occurrence.us && occurrence.us > t->started_at.us;
}

/*
 * The only occurrence of a one-shot: its run is known to have begun, or it is as if none had been made of it:
 * due at once, since its time has passed, whatever `misfire` says. Whether a holder that was lost had begun
 * it nobody knows: then it is delivered again.
 */
static void resolve_doubt(struct timer *t, const struct doomed_end *e)
{
    if (e->delivered) {
        t->occurs_at = WALL_NEVER;
        return;
    }
    t->runs--;
    t->started_at = e->ended_at;
    if (t->state == SCHEDULE_ACTIVE)
        t->next_at = t->occurs_at;
}

static bool account(struct timer *t, const struct doomed_end *e)
{
    if (timer_is_in_doubt(t) && t->occurs_at.us == e->scheduled_at.us) {
        resolve_doubt(t, e);
        return true;
    }
    if (!is_ahead(t, e->scheduled_at))
        return false;
    /* Held until now, perhaps. */
    if (t->state == SCHEDULE_ACTIVE)
        t->next_at = wall_min(t->next_at, e->scheduled_at);
    if (e->delivered)
        mark_made(t);
    return true;
}

bool timer_doomed_ended(struct timer *t, const struct doomed_end *e)
{
    bool changed = !e->by_hand && account(t, e);

    if (t->state != SCHEDULE_ACTIVE || !wall_is_never(t->next_at) || e->open_runs > 0)
        return changed;
    t->next_at = e->ended_at;
    t->occurs_at = WALL_NEVER;
    return true;
}
