/*
 * cron.h: cron expressions, from text to the next instant they match. Pure; an expression is immutable
 * once parsed, any thread may read it.
 *
 * The syntax and the daylight-saving rules are those of docs/time.md: 5 fields or 6 with seconds first,
 * lists, ranges that wrap, steps, names, L, W, #, ?, macros, H. A local time in a gap fires once at the
 * first instant after it; where local time repeats, a fixed hour fires on the first pass only and a wildcard
 * or step in the hour field (or finer) goes on by elapsed time through both.
 */
#ifndef CALENDAR_CRON_H
#define CALENDAR_CRON_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "calendar/zone.h"

struct cron;

enum { CRON_TEXT_MAX = 1024 };

/*
 * `h_seed` decides what H stands for: the same seed, the same value, on every machine and for ever.
 * ERR_INVALID names the field and what it takes; an expression that cannot match in 400 years is refused.
 */
CHECKED enum err cron_parse(struct str text, uint64_t h_seed, struct cron **ret, struct error *err);
void cron_free(struct cron *c);
CLEANUP_FN(struct cron, cron_free)

/* How an occurrence met daylight saving. */
enum cron_note {
    CRON_PLAIN,
    CRON_MOVED,  /* its local time does not exist: it fires at the first instant after the gap */
    CRON_MERGED, /* local time repeats here: fires on the first pass only */
};

/*
 * The first occurrence strictly after `after`, at the earliest 1970; false: none until the end of year 9999.
 * Bounded work.
 */
bool cron_next(const struct cron *c, const struct zone *z, struct wall after, struct wall *ret);
/* The last occurrence strictly before `before`; false: none since 1970. */
bool cron_prev(const struct cron *c, const struct zone *z, struct wall before, struct wall *ret);
/* The next `n` occurrences after `after`, ascending; yields how many there are. */
size_t cron_next_n(const struct cron *c, const struct zone *z, struct wall after, size_t n, struct wall *ret);
/* What to tell the user about an occurrence that cron_next or cron_prev gave. */
enum cron_note cron_note_at(const struct cron *c, const struct zone *z, struct wall occurrence);

enum cron_lang { CRON_EN, CRON_KO };
/* A sentence: "At 30 seconds past every minute". */
void cron_describe(const struct cron *c, enum cron_lang lang, struct buf *out);

#endif
