/*
 * occurrence.h: a schedule's nominal occurrences, one after the other, and when each is acted on. For the
 * model room itself.
 *
 * Jitter delays an occurrence by 0 to `jitter`, but never past the next occurrence: so occurrences are acted
 * on in their own order, and "the last one due by t" is found by one step back instead of a search. The
 * amount is made from the identity and the occurrence alone: the same on every instance and after every
 * restart.
 */
#ifndef MODEL_OCCURRENCE_H
#define MODEL_OCCURRENCE_H

#include "base/base.h"
#include "model/schedule.h"

/* What H and jitter are made from. */
uint64_t occurrence_seed(const struct schedule *s);

/* The first occurrence of a cron schedule strictly after `after` and within start_at..end_at, or never. Never
 * for other types. */
struct wall occurrence_next(const struct schedule *s, struct wall after);

/* When to act on `occurrence`: itself plus its jitter. */
struct wall occurrence_act(const struct schedule *s, struct wall occurrence);

/* The last occurrence from `first` on that is acted on at `by` or before; `first` must be one of them. */
struct wall occurrence_last_due(const struct schedule *s, struct wall first, struct wall by);

/*
 * How many occurrences there are from `first` to `last`, both counted. Exact, and bounded work: whole days
 * and hours without a change of offset are counted by multiplication.
 */
int64_t occurrence_count(const struct schedule *s, struct wall first, struct wall last);

static inline bool occurrence_in_window(const struct schedule *s, struct wall t)
{
    return t.us >= s->start_at.us && t.us <= s->end_at.us;
}

#endif
