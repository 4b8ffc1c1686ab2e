/*
 * occurrence_count.c: how many times a cron expression matched in a span that may be years long.
 *
 * Every missed occurrence is counted, and counting runs inside the store's transaction: stepping through a
 * month of `* * * * * *` one by one would take seconds of it. An expression is a product of fields, so where
 * the offset does not change, all matching hours hold the same number of matches and all matching days too.
 * One hour and one day are counted in steps, the others by their number; only the few days with a change of
 * offset, and the span's ends, are stepped through.
 */
#include "calendar/civil.h"
#include "model/occurrence.h"

#define HOUR_US (INT64_C(3600) * US_PER_S)
#define DAY_US (INT64_C(86400) * US_PER_S)
/* Steps after which days with a change are taken for days without: wrong by an hour's worth, but bounded. */
enum { STEPS_MAX = 400000 };

struct span {
    int64_t from;
    int64_t to; /* exclusive */
};

struct counter {
    const struct cron *cron;
    const struct zone *zone;
    int64_t from;     /* everything before it is counted */
    int64_t to;       /* exclusive */
    int64_t per_hour; /* 0: not known yet */
    int64_t per_day;
    int64_t steps;
};

/* The first match at or after `from` and before `to`. */
static bool next_within(struct counter *c, int64_t from, int64_t to, int64_t *ret)
{
    struct wall next;

    c->steps++;
    if (!cron_next(c->cron, c->zone, (struct wall){from - 1}, &next) || next.us >= to)
        return false;
    *ret = next.us;
    return true;
}

/* The local day around `at`; false when the offset changes in it or at its ends. */
static bool plain_day(const struct counter *c, int64_t at, struct span *ret)
{
    int64_t local = floor_div(zone_to_local(c->zone, (struct wall){at}), DAY_US) * DAY_US;
    int64_t from = zone_from_local(c->zone, local).first.us;
    struct wall change;

    if (c->steps <= STEPS_MAX && zone_next_change(c->zone, (struct wall){from - 1}, &change) &&
        change.us <= from + DAY_US)
        return false;
    *ret = (struct span){from, from + DAY_US};
    return true;
}

static int64_t count_hour(struct counter *c, struct span hour)
{
    int64_t at;

    if (c->per_hour == 0) {
        for (int64_t from = hour.from; next_within(c, from, hour.to, &at); from = at + 1)
            c->per_hour++;
    }
    return c->per_hour;
}

static struct span hour_of(struct span day, int64_t at)
{
    int64_t from = day.from + (at - day.from) / HOUR_US * HOUR_US;

    return (struct span){from, from + HOUR_US};
}

static int64_t count_day(struct counter *c, struct span day)
{
    int64_t at;

    if (c->per_day == 0) {
        for (int64_t from = day.from; next_within(c, from, day.to, &at);) {
            struct span hour = hour_of(day, at);

            c->per_day += count_hour(c, hour);
            from = hour.to;
        }
    }
    return c->per_day;
}

static bool is_whole(const struct counter *c, struct span s)
{
    return s.from >= c->from && s.to <= c->to;
}

/* Counts the match `at`, and with it as much as can be counted at once; moves .from behind it. */
static int64_t count_from(struct counter *c, int64_t at)
{
    struct span day;
    struct span hour;

    if (plain_day(c, at, &day)) {
        hour = hour_of(day, at);
        if (is_whole(c, day)) {
            c->from = day.to;
            return count_day(c, day);
        }
        if (is_whole(c, hour)) {
            c->from = hour.to;
            return count_hour(c, hour);
        }
    }
    c->from = at + 1;
    return 1;
}

int64_t occurrence_count(const struct schedule *s, struct wall first, struct wall last)
{
    struct counter c = {.cron = s->cron, .zone = s->zone, .from = first.us + 1, .to = last.us + 1};
    int64_t n = 1;
    int64_t at;

    MUST(first.us <= last.us);
    if (s->type != SCHEDULE_CRON)
        return 1;
    while (next_within(&c, c.from, c.to, &at))
        n += count_from(&c, at);
    return n;
}
