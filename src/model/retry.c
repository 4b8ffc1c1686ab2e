/*
 * retry.c: what becomes of a run whose attempt has ended.
 */
#include "model/run.h"

#include <math.h>

/* However small retry_wait is: a target that fails at once must not be called in a tight loop. */
#define RETRY_WAIT_MIN_US (INT64_C(100) * US_PER_MS)

/* retry_wait times retry_backoff to the power of the failures before this one, at most retry_wait_max. */
static int64_t wait_after(const struct task *t, int64_t earlier_failures)
{
    double factor = pow((double)t->retry_backoff_milli / 1000.0, (double)earlier_failures);
    double wait = (double)t->retry_wait_us * factor;

    if (t->retry_wait_us == 0)
        return 0;
    /* An infinite factor, too, ends here. */
    return wait < (double)t->retry_wait_max_us ? (int64_t)wait : t->retry_wait_max_us;
}

static bool asks_for_time(const struct attempt_result *r)
{
    return (r->status == 429 || r->status == 503) && r->retry_after_us >= 0;
}

static struct wall next_attempt(const struct task *t, int64_t earlier_failures,
                                const struct attempt_result *r, struct wall now)
{
    int64_t wait = wait_after(t, earlier_failures);
    int64_t asked = asks_for_time(r) ? r->retry_after_us : 0;

    if (asked > t->retry_wait_max_us)
        asked = t->retry_wait_max_us;
    if (wait < asked)
        wait = asked;
    if (wait < RETRY_WAIT_MIN_US)
        wait = RETRY_WAIT_MIN_US;
    return wall_add(now, wait);
}

struct verdict run_judge(const struct schedule *s, const struct run *run, const struct attempt_result *r,
                         struct wall now)
{
    const struct task *t = &s->task;
    struct wall next;

    if (r->ok)
        return (struct verdict){RUN_SUCCEEDED, WALL_NEVER};
    if (t->failed_policy == FAILED_IGNORE)
        return (struct verdict){RUN_FAILED, WALL_NEVER};
    next = next_attempt(t, run->failures, r, now);
    if ((t->max_retry_count < 0 || run->failures < t->max_retry_count) &&
        next.us <= wall_add(wall_max(run->scheduled_at, run->by_hand_at), t->retry_for_us).us)
        return (struct verdict){RUN_RETRYING, next};
    return (struct verdict){t->failed_policy == FAILED_RETRY_DLQ ? RUN_DEAD : RUN_FAILED, WALL_NEVER};
}
