/*
 * cron_internal.h: what an expression is inside, for cron_parse.c and cron_field.c (text to items),
 * cron_compile.c (items to bitmaps), cron_reading.c (bitmaps against the calendar), cron_next.c (the calendar
 * against a zone) and cron_describe*.c (items to a sentence).
 *
 * A "reading" is what a wall clock shows, as seconds since 1970-01-01T00:00:00 of the same clock, no zone
 * involved. One reading may be shown never, once or twice.
 */
#ifndef CALENDAR_CRON_INTERNAL_H
#define CALENDAR_CRON_INTERNAL_H

#include "calendar/cron.h"

/* field, its name in messages, least and greatest value, what a value may be */
#define CRON_FIELD_LIST(X)                                                                                   \
    X(CRON_SECOND, "second", 0, 59, "0 to 59")                                                               \
    X(CRON_MINUTE, "minute", 0, 59, "0 to 59")                                                               \
    X(CRON_HOUR, "hour", 0, 23, "0 to 23")                                                                   \
    X(CRON_DAY, "day-of-month", 1, 31, "1 to 31, L or LW")                                                   \
    X(CRON_MONTH, "month", 1, 12, "1 to 12 or jan to dec")                                                   \
    X(CRON_WEEKDAY, "day-of-week", 0, 6, "0 to 7 or sun to sat")

enum cron_field {
#define X(field, name, min, max, takes) field,
    CRON_FIELD_LIST(X)
#undef X
};

enum { CRON_FIELDS = CRON_WEEKDAY + 1 };

struct cron_limits {
    const char *name;
    const char *takes;
    int min;
    int max;
};
const struct cron_limits *cron_limits(enum cron_field field);

/* One entry of a field's list. */
enum cron_kind {
    CRON_ANY,          /* `*`, `?`, with .step */
    CRON_RANGE,        /* .from to .to, which may wrap, by .step; a lone value is a range of one */
    CRON_OPEN,         /* `7/10`: .from to the field's end by .step */
    CRON_LAST,         /* `L`, `L-3`: .from days before the month's last */
    CRON_LAST_WORKDAY, /* `LW` */
    CRON_NEAR_WORKDAY, /* `15W`: the working day nearest to .from in the same month */
    CRON_LAST_OF_WEEK, /* `5L`: the last weekday .from of the month */
    CRON_NTH_OF_WEEK,  /* `5#2`: the .nth weekday .from of the month */
};

struct cron_item {
    enum cron_kind kind;
    int from;
    int to;
    int step; /* 0: none was written, which differs from 1 at daylight saving (see .both_passes) */
    int nth;
};

struct cron_items {
    struct cron_item *items; /* part of struct cron's one array */
    size_t n;
};

struct cron {
    /* For searching. Bit v stands for value v. */
    uint64_t second;
    uint64_t minute;
    uint32_t hour;
    uint32_t day;
    uint32_t month;
    uint32_t weekday;

    uint32_t day_from_last;    /* bit k: `L-k` */
    uint32_t day_near_workday; /* bit d: `dW` */
    bool day_last_workday;
    uint32_t weekday_last;   /* bit w: `wL` */
    uint32_t weekday_nth[5]; /* [n - 1] bit w: `w#n` */
    bool either_day;         /* both day fields restricted: either matches */
    bool days_vary;          /* any of L, W, # is there */

    /* At daylight saving; docs/time.md says what they mean. */
    bool both_passes; /* `*` or a step in the hour, minute or second field */
    bool made_up;     /* a fixed hour: what falls into a gap fires at its end */

    /* For describing. */
    bool has_seconds; /* six fields were written, or a macro with seconds */
    struct cron_items fields[CRON_FIELDS];
    struct cron_item *all_items;
};

/*
 * cron_field.c: appends the entries of a field's text to `list`, whose array has room for one more than
 * `text` has commas. `h` decides what H stands for. ERR_INVALID names the field and what is wrong.
 */
CHECKED enum err cron_read_field(enum cron_field field, struct str text, uint64_t h, struct cron_items *list,
                                 struct error *err);

/* cron_compile.c: from c->fields to all above them. ERR_INVALID when nothing can ever match. */
CHECKED enum err cron_compile(struct cron *c, struct error *err);

/* cron_reading.c */
bool cron_reading_matches(const struct cron *c, int64_t reading_s);
/* The first matching reading at or after (last at or before) `from_s`; false: none from 1969 to 10000. */
bool cron_reading_next(const struct cron *c, int64_t from_s, int64_t *ret_s);
bool cron_reading_prev(const struct cron *c, int64_t from_s, int64_t *ret_s);

#endif
