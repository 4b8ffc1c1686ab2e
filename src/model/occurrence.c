/*
 * occurrence.c: nominal occurrences and their jitter. See occurrence.h.
 */
#include "model/occurrence.h"

#include "base/digest.h"

#include <string.h>

/* Two uses of one hash must not go together: an H of 0 says nothing about the jitter. */
enum { SEED_H = 1, SEED_JITTER = 2 };

uint64_t occurrence_seed(const struct schedule *s)
{
    return digest_mix64((struct str){(const char *)s->hash.b, sizeof(s->hash.b)}, SEED_H);
}

struct wall occurrence_next(const struct schedule *s, struct wall after)
{
    struct wall next;

    if (s->type != SCHEDULE_CRON)
        return WALL_NEVER;
    if (s->start_at.us > INT64_MIN && after.us < s->start_at.us - 1)
        after.us = s->start_at.us - 1;
    if (!cron_next(s->cron, s->zone, after, &next) || next.us > s->end_at.us)
        return WALL_NEVER;
    return next;
}

static uint64_t jitter_hash(const struct schedule *s, struct wall occurrence)
{
    char text[sizeof(s->hash.b) + sizeof(uint64_t)];
    uint64_t us = (uint64_t)occurrence.us;

    memcpy(text, s->hash.b, sizeof(s->hash.b));
    for (size_t i = 0; i < sizeof(us); i++)
        text[sizeof(s->hash.b) + i] = (char)(us >> (56 - 8 * i));
    return digest_mix64((struct str){text, sizeof(text)}, SEED_JITTER);
}

struct wall occurrence_act(const struct schedule *s, struct wall occurrence)
{
    int64_t most = s->jitter_us;
    struct wall next;

    if (most == 0)
        return occurrence;
    if (s->type == SCHEDULE_CRON && cron_next(s->cron, s->zone, occurrence, &next) &&
        next.us - occurrence.us < most)
        most = next.us - occurrence.us;
    return wall_add(occurrence, (int64_t)(jitter_hash(s, occurrence) % ((uint64_t)most + 1)));
}

struct wall occurrence_last_due(const struct schedule *s, struct wall first, struct wall by)
{
    struct wall last;

    if (s->type != SCHEDULE_CRON)
        return first;
    /* `first` may be no occurrence any more, when a zone's rules changed: then nothing before it counts. */
    if (!cron_prev(s->cron, s->zone, wall_add(wall_min(by, s->end_at), 1), &last) || last.us <= first.us)
        return first;
    if (occurrence_act(s, last).us <= by.us)
        return last;
    /* Jitter ends at the next occurrence, so the one before is due. */
    if (!cron_prev(s->cron, s->zone, last, &last) || last.us <= first.us)
        return first;
    return last;
}
