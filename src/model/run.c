/*
 * run.c: the states of a run and the steps between them. What follows from an attempt is in retry.c.
 */
#include "model/run.h"

#include "base/buf.h"
#include "calendar/iso8601.h"
#include "model/occurrence.h"

#include <string.h>

#define TO(state) (1U << (state))

bool run_step_allowed(enum run_state from, enum run_state to)
{
    static const unsigned allowed[] = {
        [RUN_PENDING] = TO(RUN_RUNNING) | TO(RUN_CANCELLED),
        /* Running to running: a lease that ran out is taken over. To pending: handed back before it started.
         */
        [RUN_RUNNING] = TO(RUN_RUNNING) | TO(RUN_PENDING) | TO(RUN_RETRYING) | TO(RUN_SUCCEEDED) |
                        TO(RUN_FAILED) | TO(RUN_DEAD) | TO(RUN_SKIPPED) | TO(RUN_CANCELLED),
        [RUN_RETRYING] = TO(RUN_RUNNING) | TO(RUN_CANCELLED),
        [RUN_SUCCEEDED] = 0,
        [RUN_FAILED] = 0,
        /* Redriven or discarded by hand. */
        [RUN_DEAD] = TO(RUN_PENDING) | TO(RUN_CANCELLED),
        [RUN_SKIPPED] = 0,
        [RUN_CANCELLED] = 0,
    };

    MUST(from < COUNT_OF(allowed) && to < COUNT_OF(allowed));
    return (allowed[from] & TO(to)) != 0;
}

bool run_state_open(enum run_state s)
{
    return s == RUN_PENDING || s == RUN_RUNNING || s == RUN_RETRYING;
}

bool run_too_late(const struct schedule *s, const struct run *run, struct wall now)
{
    bool is_first = run->failures == 0 && (run->attempt <= 1 || run->unseen);

    /* What follows an attempt is a retry, and those have retry_for. */
    if (s->max_lateness_us < 0 || !is_first || run->by_hand_at.us != 0)
        return false;
    return now.us > wall_add(occurrence_act(s, run->scheduled_at), s->max_lateness_us).us;
}

void run_key(const struct run *run, char ret[RUN_KEY_MAX])
{
    _Static_assert(UUID_TEXT + 1 + ISO_TEXT_MAX <= RUN_KEY_MAX, "a key must fit");
    uuid_format(run->schedule_id, ret);
    ret[UUID_TEXT] = '/';
    iso_format(run->scheduled_at, ret + UUID_TEXT + 1);
}
