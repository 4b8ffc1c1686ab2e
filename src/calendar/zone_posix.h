/*
 * zone_posix.h: the footer of a TZif file: a POSIX TZ string with RFC 9636's extensions (hours from -167 to
 * 167 in rules). Pure.
 */
#ifndef CALENDAR_ZONE_POSIX_H
#define CALENDAR_ZONE_POSIX_H

#include "base/base.h"
#include "base/error.h"
#include "calendar/zone.h"

enum posix_day {
    POSIX_JULIAN,     /* Jn: 1 to 365, 29 February is never counted */
    POSIX_ZERO_BASED, /* n: 0 to 365, it is */
    POSIX_WEEKDAY,    /* Mm.w.d */
};

struct posix_rule {
    enum posix_day kind;
    int day;   /* of the year; for POSIX_WEEKDAY 0 is Sunday */
    int week;  /* 1 to 5, 5 is the last */
    int month; /* 1 to 12 */
    int32_t time_s;
};

struct posix_tz {
    struct zone_type standard;
    bool has_dst;
    struct zone_type dst;
    struct posix_rule start; /* of dst, in standard time */
    struct posix_rule end;   /* of dst, in dst */
};

/* ERR_INVALID unless `s` is a whole, well-formed string. */
CHECKED enum err posix_parse(struct str s, const char *name, struct posix_tz *ret, struct error *err);

/* When daylight saving starts (ends) in `year`, in UTC seconds. Only with has_dst. */
int64_t posix_start_s(const struct posix_tz *tz, int64_t year);
int64_t posix_end_s(const struct posix_tz *tz, int64_t year);

#endif
