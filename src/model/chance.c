/*
 * chance.c: until when an attempt of a run may begin.
 */
#include "model/occurrence.h"
#include "model/run.h"

struct wall run_last_chance(const struct schedule *s, const struct run *run)
{
    if (run->failures > 0)
        return wall_add(run->scheduled_at, s->task.retry_for_us);
    if ((run->attempt > 1 && !run->unseen) || s->max_lateness_us < 0 || run->by_hand_at.us != 0)
        return WALL_NEVER;
    return wall_add(occurrence_act(s, run->scheduled_at), s->max_lateness_us);
}

bool run_retry_too_late(const struct schedule *s, const struct run *run, struct wall now)
{
    struct wall last = run_last_chance(s, run);

    return run->failures > 0 && run->due_at.us <= last.us && now.us > last.us;
}

enum run_state run_given_up(const struct schedule *s)
{
    return s->task.failed_policy == FAILED_RETRY_DLQ ? RUN_DEAD : RUN_FAILED;
}
