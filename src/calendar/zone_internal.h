/*
 * zone_internal.h: what a zone is inside, for zone.c (lookups), zone_parse.c (TZif) and zone_fixed().
 *
 * Two tables. `type` holds every change of anything (offset, name, daylight saving); `span` only the changes
 * of offset, in µs, since those are what fire times are made of and asked for most. The POSIX footer is
 * unrolled into both for a little more than 400 years: after that the calendar repeats to the day and the
 * weekday, so any later time is looked up at its image one or more cycles earlier, and one binary search
 * serves every time there is.
 */
#ifndef CALENDAR_ZONE_INTERNAL_H
#define CALENDAR_ZONE_INTERNAL_H

#include "calendar/civil.h"
#include "calendar/zone.h"

#define CYCLE_US ((int64_t)CYCLE_DAYS * SECONDS_A_DAY * US_PER_S)

/* RFC 9636, 3.2: offsets lie between -25 and +26 hours, both excluded. */
enum { OFFSET_MIN_S = -25 * 3600 + 1, OFFSET_MAX_S = 26 * 3600 - 1 };
/* 256 that an index byte can name, and the footer's two. */
enum { ZONE_TYPES_MAX = 258 };

struct zone {
    char *name;

    struct zone_type types[ZONE_TYPES_MAX];
    size_t n_types;

    /* type_after[i] is in force from type_from_us[i] on; type_before until type_from_us[0]. Ascending. */
    int64_t *type_from_us;
    uint16_t *type_after;
    uint16_t type_before;
    size_t n_type;

    /* The same for offsets alone; span_offset_s has one more: [0] is in force before the first change. */
    int64_t *span_from_us;
    int32_t *span_offset_s;
    size_t n_span;

    /* Times from fold_high_us on are looked up whole cycles earlier; from fold_low_us down (a zone without
       transitions, only a footer) whole cycles later. Not cyclic: INT64_MAX and INT64_MIN. */
    int64_t fold_high_us;
    int64_t fold_low_us;
};

#endif
