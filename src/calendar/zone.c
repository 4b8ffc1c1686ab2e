/*
 * zone.c: the questions a loaded zone answers: one binary search each, in tables that zone_parse.c made.
 */
#include "calendar/zone.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/str.h"
#include "calendar/zone_internal.h"

/* How many of the ascending `from` lie at or before `us`. */
static size_t count_until(const int64_t *from, size_t n, int64_t us)
{
    size_t at = 0;

    /* Without a branch on the comparison: which half it is can't be predicted. */
    while (n > 0) {
        size_t half = (n + 1) / 2;

        at += from[at + half - 1] <= us ? half : 0;
        n -= half;
    }
    return at;
}

/* Far beyond the year 9999, yet far enough from the ends of int64_t for the sums below. */
#define FAR_US INT64_C(9000000000000000000)

/* By how much `us` must go back to fall into the tables: a multiple of CYCLE_US. */
static int64_t fold_shift(const struct zone *z, int64_t us)
{
    if (us > FAR_US || us < -FAR_US)
        return 0;
    if (us >= z->fold_high_us)
        return ((us - z->fold_high_us) / CYCLE_US + 1) * CYCLE_US;
    if (us < z->fold_low_us)
        return -((z->fold_low_us - 1 - us) / CYCLE_US + 1) * CYCLE_US;
    return 0;
}

struct zone *zone_fixed(int32_t offset_s)
{
    struct zone *z = alloc_new(struct zone);
    int minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
    char text[ZONE_ABBR_MAX];

    MUST(offset_s >= OFFSET_MIN_S && offset_s <= OFFSET_MAX_S);
    (void)snprintf(text, sizeof(text), "%c%02d:%02d", offset_s < 0 ? '-' : '+', minutes / 60 % 100,
                   minutes % 60);
    z->n_types = 1;
    z->types[0].offset_s = offset_s;
    (void)snprintf(z->types[0].abbr, sizeof(z->types[0].abbr), "%s", offset_s == 0 ? "UTC" : text);
    z->span_offset_s = alloc_new(int32_t);
    z->span_offset_s[0] = offset_s;
    z->fold_high_us = INT64_MAX;
    z->fold_low_us = INT64_MIN;
    MUST(alloc_str(str_of(z->types[0].abbr), &z->name, NULL) == ERR_NONE);
    return z;
}

void zone_free(struct zone *z)
{
    if (z == NULL)
        return;
    alloc_free(z->name);
    alloc_free(z->type_from_us);
    alloc_free(z->type_after);
    alloc_free(z->span_from_us);
    alloc_free(z->span_offset_s);
    alloc_free(z);
}

const char *zone_name(const struct zone *z)
{
    return z->name;
}

struct zone_type zone_type_at(const struct zone *z, struct wall at)
{
    size_t i = count_until(z->type_from_us, z->n_type, at.us - fold_shift(z, at.us));

    return z->types[i == 0 ? z->type_before : z->type_after[i - 1]];
}

/* The span with index `i` of the table, moved by `shift`. */
static struct zone_span span_at(const struct zone *z, size_t i, int64_t shift)
{
    return (struct zone_span){
        .from = i == 0 ? (struct wall){INT64_MIN} : wall_add((struct wall){z->span_from_us[i - 1]}, shift),
        .until = i == z->n_span ? WALL_NEVER : wall_add((struct wall){z->span_from_us[i]}, shift),
        .offset_s = z->span_offset_s[i],
        .offset_before_s = z->span_offset_s[i == 0 ? 0 : i - 1],
    };
}

struct zone_span zone_span_at(const struct zone *z, struct wall at)
{
    int64_t shift = fold_shift(z, at.us);

    return span_at(z, count_until(z->span_from_us, z->n_span, at.us - shift), shift);
}

int32_t zone_offset_s(const struct zone *z, struct wall at)
{
    return z->span_offset_s[count_until(z->span_from_us, z->n_span, at.us - fold_shift(z, at.us))];
}

bool zone_next_change(const struct zone *z, struct wall at, struct wall *ret)
{
    struct wall until = zone_span_at(z, at).until;

    if (until.us > WALL_MAX_US)
        return false;
    *ret = until;
    return true;
}

bool zone_prev_change(const struct zone *z, struct wall at, struct wall *ret)
{
    struct wall from = zone_span_at(z, at).from;

    if (from.us == INT64_MIN)
        return false;
    *ret = from;
    return true;
}

int64_t zone_to_local(const struct zone *z, struct wall at)
{
    return wall_add(at, zone_offset_s(z, at) * US_PER_S).us;
}

/* The instant at which `local_us` is read under `offset_s`. */
static struct wall reading_at(int64_t local_us, int32_t offset_s)
{
    return wall_add((struct wall){local_us}, -offset_s * US_PER_S);
}

struct zone_instants zone_from_local(const struct zone *z, int64_t local_us)
{
    /* The earliest instant at which any offset lets this be read; usually the span there reaches past the
       latest such instant too, and one search decides. */
    struct wall earliest = reading_at(local_us, OFFSET_MAX_S);
    struct wall latest = reading_at(local_us, OFFSET_MIN_S);
    int64_t shift = fold_shift(z, earliest.us);
    size_t i = count_until(z->span_from_us, z->n_span, earliest.us - shift);

    for (;; i++) {
        struct zone_span span = span_at(z, i, shift);
        struct wall at = reading_at(local_us, span.offset_s);

        if (latest.us < span.until.us || i == z->n_span)
            return (struct zone_instants){ZONE_ONCE, at, at};

        struct wall again = reading_at(local_us, z->span_offset_s[i + 1]);

        if (at.us < span.until.us)
            return again.us >= span.until.us ? (struct zone_instants){ZONE_TWICE, at, again}
                                             : (struct zone_instants){ZONE_ONCE, at, at};
        if (again.us < span.until.us)
            return (struct zone_instants){ZONE_GAP, span.until, span.until};
    }
}
