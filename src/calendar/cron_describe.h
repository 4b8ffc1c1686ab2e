/*
 * cron_describe.h: what the sentences of all languages are made of; inside this room only.
 *
 * Each time field is one of a few shapes, and each language has a phrase for each shape; the days are lists
 * of entries. An H is described by the value it got.
 */
#ifndef CALENDAR_CRON_DESCRIBE_H
#define CALENDAR_CRON_DESCRIBE_H

#include "base/buf.h"
#include "calendar/cron_internal.h"

enum cron_shape_kind {
    SHAPE_ONE,    /* one value: .from */
    SHAPE_EACH,   /* every one of them */
    SHAPE_EVENLY, /* every .step-th, and the field is a whole number of steps: no seam */
    SHAPE_STEPS,  /* every .step-th from .from to .to */
    SHAPE_RANGE,  /* each from .from to .to */
    SHAPE_LIST,   /* anything else: the entries, one by one */
};

struct cron_shape {
    enum cron_shape_kind kind;
    int from;
    int to;
    int step;
};

struct cron_shape cron_shape_of(const struct cron *c, enum cron_field field);

/* At most so many times of day are told one by one. */
enum { CRON_TIMES_MAX = 6 };
/* When the time of day is a handful of fixed times: how many, with their seconds of day; else 0. */
size_t cron_fixed_times(const struct cron *c, int ret[CRON_TIMES_MAX]);

/* A field that says nothing: a bare `*`. */
bool cron_says_nothing(const struct cron *c, enum cron_field field);

/*
 * Calls `write` for each entry of a field, in order, with what comes between: nothing before the first, ", "
 * before those between, `last` before the last. With `expand`, entries with steps become their values.
 */
typedef void (*cron_entry_fn)(const struct cron_item *item, struct buf *out);
void cron_write_entries(const struct cron *c, enum cron_field field, bool expand, const char *last,
                        cron_entry_fn write, struct buf *out);

void cron_describe_en(const struct cron *c, struct buf *out);
void cron_describe_ko(const struct cron *c, struct buf *out);

#endif
