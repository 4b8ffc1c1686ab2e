/*
 * schedule.c: a decoded schedule's life: counted references, freed by whoever lets go last, on any thread.
 */
#include "model/schedule.h"

#include "base/alloc.h"

struct schedule *schedule_ref(struct schedule *s)
{
    unsigned before = __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);

    MUST(before > 0 && before < UINT32_MAX);
    return s;
}

void schedule_unref(struct schedule *s)
{
    unsigned before;

    if (!s)
        return;
    /* Release what this thread did with it; the last one acquires what all others did. */
    before = __atomic_fetch_sub(&s->refs, 1, __ATOMIC_ACQ_REL);
    MUST(before > 0);
    if (before > 1)
        return;
    cron_free(s->cron);
    json_free(s->json);
    alloc_free(s);
}

bool schedule_recurs(const struct schedule *s)
{
    return s->type == SCHEDULE_CRON || s->type == SCHEDULE_DELAY_RECUR;
}
