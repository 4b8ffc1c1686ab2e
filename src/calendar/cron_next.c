/*
 * cron_next.c: an expression against a zone: which instants are its occurrences. docs/time.md is the
 * contract; two kinds of expression meet daylight saving in two ways.
 *
 * With a fixed time of day (!both_passes) an occurrence is a matching reading's first instant, or the gap's
 * end where it has none. Readings and these instants rise together, so the next instant is that of the next
 * reading: one search in the calendar, no walk.
 *
 * With `*` or a step (both_passes) an occurrence is any instant whose reading matches, so each stretch of one
 * offset is searched by itself; stretches that can't hold the answer are jumped over.
 */
#include "calendar/civil.h"
#include "calendar/cron.h"
#include "calendar/cron_internal.h"

/* An offset is less than 26 hours either way, so an instant and its reading are less than two days apart. */
enum { TWO_DAYS_S = 2 * SECONDS_A_DAY, FOUR_DAYS_S = 4 * SECONDS_A_DAY };

#define WALL_MAX_S (WALL_MAX_US / US_PER_S)

/* zone_span in seconds: changes fall on whole ones. */
struct span {
    int64_t from_s;  /* INT64_MIN: none */
    int64_t until_s; /* INT64_MAX: none */
    int64_t offset_s;
    int64_t old_end_s; /* what the clock showed when it was set at from_s; meaningless without one */
};

static struct span span_of(const struct zone *z, int64_t at_s)
{
    struct zone_span s = zone_span_at(z, (struct wall){at_s * US_PER_S});
    bool has_from = s.from.us != INT64_MIN;
    int64_t from_s = has_from ? floor_div(s.from.us, US_PER_S) : INT64_MIN;

    return (struct span){
        .from_s = from_s,
        .until_s = wall_is_never(s.until) ? INT64_MAX : floor_div(s.until.us, US_PER_S),
        .offset_s = s.offset_s,
        .old_end_s = has_from ? from_s + s.offset_before_s : 0,
    };
}

static bool begins_with_gap(const struct span *s)
{
    return s->from_s != INT64_MIN && s->old_end_s < s->from_s + s->offset_s;
}

static bool begins_with_repeat(const struct span *s)
{
    return s->from_s != INT64_MIN && s->old_end_s > s->from_s + s->offset_s;
}

/* Does a matching reading lie in the gap before the span? */
static bool gap_holds_match(const struct cron *c, const struct span *s)
{
    int64_t reading_s;

    return begins_with_gap(s) && cron_reading_next(c, s->old_end_s, &reading_s) &&
           reading_s < s->from_s + s->offset_s;
}

static int64_t first_instant_s(const struct zone *z, int64_t reading_s)
{
    return floor_div(zone_from_local(z, reading_s * US_PER_S).first.us, US_PER_S);
}

/* The first occurrence at or after `start_s` of an expression that fires on the first pass only. */
static bool next_once(const struct cron *c, const struct zone *z, int64_t start_s, int64_t *ret_s)
{
    struct span span = span_of(z, start_s);
    int64_t reading_s = start_s + span.offset_s;
    int64_t at_s;

    /* At the very end of a gap its readings are due; in a second pass the readings have been due already. */
    if (begins_with_gap(&span) && start_s == span.from_s)
        reading_s = span.old_end_s;
    else if (begins_with_repeat(&span) && reading_s < span.old_end_s)
        reading_s = span.old_end_s;
    if (!cron_reading_next(c, reading_s, &reading_s))
        return false;
    at_s = reading_s - span.offset_s;
    if (at_s >= span.until_s)
        at_s = first_instant_s(z, reading_s);
    *ret_s = at_s < start_s ? start_s : at_s; /* less: in the gap that ends here */
    return true;
}

static bool next_elapsing(const struct cron *c, const struct zone *z, int64_t start_s, int64_t *ret_s)
{
    int64_t at_s = start_s;

    while (at_s <= WALL_MAX_S) {
        struct span span = span_of(z, at_s);
        int64_t reading_s;

        if (c->made_up && at_s == span.from_s && gap_holds_match(c, &span)) {
            *ret_s = at_s;
            return true;
        }
        if (!cron_reading_next(c, at_s + span.offset_s, &reading_s))
            return false;
        if (reading_s - span.offset_s < span.until_s) {
            *ret_s = reading_s - span.offset_s;
            return true;
        }
        /* Not in this span. No instant of the next spans can show a match before reading_s, unless the clock
           is set back to before at_s's reading, which it can't be four days later. */
        if (span.until_s - at_s >= FOUR_DAYS_S && reading_s - TWO_DAYS_S > span.until_s)
            at_s = reading_s - TWO_DAYS_S;
        else
            at_s = span.until_s;
    }
    return false;
}

bool cron_next(const struct cron *c, const struct zone *z, struct wall after, struct wall *ret)
{
    int64_t start_s = after.us < 0 ? 0 : after.us / US_PER_S + 1;
    int64_t at_s;

    if (start_s > WALL_MAX_S)
        return false;
    if (!(c->both_passes ? next_elapsing : next_once)(c, z, start_s, &at_s) || at_s > WALL_MAX_S)
        return false;
    *ret = (struct wall){at_s * US_PER_S};
    return true;
}

static bool prev_once(const struct cron *c, const struct zone *z, int64_t start_s, int64_t *ret_s)
{
    struct span span = span_of(z, start_s);
    int64_t reading_s = start_s + span.offset_s;
    int64_t first_s; /* readings from here on were shown in this span for the first time */

    if (begins_with_repeat(&span) && reading_s < span.old_end_s)
        reading_s = span.old_end_s - 1;
    if (!cron_reading_prev(c, reading_s, &reading_s))
        return false;
    first_s = span.from_s == INT64_MIN ? INT64_MIN : span.from_s + span.offset_s;
    if (begins_with_repeat(&span))
        first_s = span.old_end_s;
    *ret_s = reading_s >= first_s ? reading_s - span.offset_s : first_instant_s(z, reading_s);
    return true;
}

static bool prev_elapsing(const struct cron *c, const struct zone *z, int64_t start_s, int64_t *ret_s)
{
    int64_t at_s = start_s;

    while (at_s >= 0) {
        struct span span = span_of(z, at_s);
        int64_t reading_s;

        if (!cron_reading_prev(c, at_s + span.offset_s, &reading_s))
            reading_s = -FOUR_DAYS_S; /* before all that is asked for */
        if (reading_s - span.offset_s >= span.from_s) {
            *ret_s = reading_s - span.offset_s;
            return true;
        }
        if (c->made_up && gap_holds_match(c, &span)) {
            *ret_s = span.from_s;
            return true;
        }
        if (at_s - span.from_s >= FOUR_DAYS_S && reading_s + TWO_DAYS_S < span.from_s)
            at_s = reading_s + TWO_DAYS_S;
        else
            at_s = span.from_s - 1;
    }
    return false;
}

bool cron_prev(const struct cron *c, const struct zone *z, struct wall before, struct wall *ret)
{
    int64_t start_s;
    int64_t at_s;

    if (before.us <= 0)
        return false;
    start_s = (before.us - 1) / US_PER_S;
    if (start_s > WALL_MAX_S)
        start_s = WALL_MAX_S;
    if (!(c->both_passes ? prev_elapsing : prev_once)(c, z, start_s, &at_s) || at_s < 0)
        return false;
    *ret = (struct wall){at_s * US_PER_S};
    return true;
}

size_t cron_next_n(const struct cron *c, const struct zone *z, struct wall after, size_t n, struct wall *ret)
{
    size_t found = 0;

    while (found < n && cron_next(c, z, after, &ret[found]))
        after = ret[found++];
    return found;
}

enum cron_note cron_note_at(const struct cron *c, const struct zone *z, struct wall occurrence)
{
    int64_t at_s = floor_div(occurrence.us, US_PER_S);
    int64_t reading_us = zone_to_local(z, occurrence);
    struct zone_instants instants = zone_from_local(z, reading_us);

    if (!cron_reading_matches(c, at_s + zone_offset_s(z, occurrence)))
        return CRON_MOVED;
    if (!c->both_passes && instants.fit == ZONE_TWICE)
        return CRON_MERGED;
    return CRON_PLAIN;
}
