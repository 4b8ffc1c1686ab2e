/*
 * def.c: random definitions and an independent reckoning of when they fire. See sim.h.
 *
 * Cron is kept to sets of seconds and minutes in zones without daylight saving: what expressions mean is the
 * business of the calendar's own tests. Here each second of the span is asked whether it is in the sets.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "calendar/iso8601.h"
#include "sim.h"

#define EVERY_MINUTE ((UINT64_C(1) << SECONDS_OR_MINUTES) - 1)
#define NO_START ((struct wall){INT64_MIN})

static uint64_t below(struct rng *rng, uint64_t n)
{
    return rng_below(rng, n);
}

static bool likely(struct rng *rng, unsigned percent)
{
    return below(rng, 100) < percent;
}

bool def_recurs(const struct def *d)
{
    return d->type == SCHEDULE_CRON || d->type == SCHEDULE_DELAY_RECUR;
}

static bool cron_matches(const struct def *d, int64_t second)
{
    int64_t local = second + d->zone_s;

    return (d->seconds >> (local % 60) & 1) && (d->minutes >> (local / 60 % 60) & 1);
}

struct wall def_next(const struct def *d, struct wall after, int64_t span_us)
{
    struct wall from = wall_max(wall_add(after, 1), d->start_at);
    int64_t second = (from.us + US_PER_S - 1) / US_PER_S;
    int64_t last = wall_min(wall_add(from, span_us), d->end_at).us / US_PER_S;

    for (; second <= last; second++) {
        if (cron_matches(d, second))
            return (struct wall){second * US_PER_S};
    }
    return WALL_NEVER;
}

/* --- cron fields --- */

struct text {
    char *p;
    size_t n;
    size_t size;
};

PRINTF_LIKE(2, 3)
static void add(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->p + t->n, t->size - t->n, format, args);
    va_end(args);
    MUST(n >= 0 && (size_t)n < t->size - t->n);
    t->n += (size_t)n;
}

static uint64_t add_step(struct rng *rng, struct text *t)
{
    static const unsigned every[] = {1, 2, 3, 5, 7, 10, 15, 20, 30};
    unsigned step = every[below(rng, COUNT_OF(every))];
    uint64_t set = 0;

    for (unsigned i = 0; i < SECONDS_OR_MINUTES; i += step)
        set |= UINT64_C(1) << i;
    if (step == 1)
        add(t, "*");
    else
        add(t, "*/%u", step);
    return set;
}

static uint64_t add_list(struct rng *rng, struct text *t)
{
    uint64_t set = 0;
    size_t n = 1 + below(rng, 4);

    for (size_t i = 0; i < n; i++) {
        unsigned v = (unsigned)below(rng, SECONDS_OR_MINUTES);

        set |= UINT64_C(1) << v;
        add(t, "%s%u", i > 0 ? "," : "", v);
    }
    return set;
}

static void make_cron(struct rng *rng, struct def *d, struct text *t)
{
    bool five_fields = likely(rng, 15);

    if (five_fields)
        d->seconds = 1;
    else
        d->seconds = likely(rng, 70) ? add_step(rng, t) : add_list(rng, t);
    add(t, "%s", five_fields ? "" : " ");
    if (likely(rng, 80)) {
        d->minutes = EVERY_MINUTE;
        add(t, "*");
    } else {
        d->minutes = add_step(rng, t);
    }
    add(t, " * * * *");
}

/* --- the rest --- */

static void add_instant(struct text *t, const char *name, struct wall at)
{
    char iso[ISO_TEXT_MAX];

    iso_format(at, iso);
    add(t, ", \"%s\": \"%s\"", name, iso);
}

static void add_type(struct rng *rng, struct def *d, struct wall now, struct text *t)
{
    uint64_t roll = below(rng, 100);
    char iso[ISO_TEXT_MAX];

    add(t, "\"type\": ");
    if (roll < 55) {
        d->type = SCHEDULE_CRON;
        add(t, "\"cron\", \"schedule\": \"");
        make_cron(rng, d, t);
        add(t, "\"");
    } else if (roll < 72) {
        d->type = SCHEDULE_DELAY_RECUR;
        d->delay_us = (int64_t)(1 + below(rng, 40)) * (US_PER_S / 2);
        add(t, "\"delay-recur\", \"schedule\": \"%" PRId64 ".%s\"", d->delay_us / US_PER_S,
            d->delay_us % US_PER_S ? "5" : "0");
    } else if (roll < 80) {
        d->type = SCHEDULE_NOW;
        add(t, "\"now\", \"schedule\": \"\"");
    } else if (roll < 92) {
        d->type = SCHEDULE_DELAY;
        d->delay_us = (int64_t)below(rng, 60) * US_PER_S;
        add(t, "\"delay\", \"schedule\": \"%" PRId64 "\"", d->delay_us / US_PER_S);
    } else {
        d->type = SCHEDULE_DATE;
        d->date = (struct wall){(now.us / US_PER_S - 20 + (int64_t)below(rng, 80)) * US_PER_S};
        iso_format(d->date, iso);
        add(t, "\"date\", \"schedule\": \"%s\"", iso);
    }
}

static void add_zone(struct rng *rng, struct def *d, struct text *t)
{
    static const struct {
        const char *name;
        int64_t s;
    } zones[] = {{"UTC", 0}, {"Asia/Seoul", 9 * 3600}, {"Asia/Kolkata", 19800}};
    size_t i = below(rng, COUNT_OF(zones));

    d->zone_s = zones[i].s;
    add(t, ", \"timezone\": \"%s\"", zones[i].name);
}

static void add_window(struct rng *rng, struct def *d, struct wall now, struct text *t)
{
    if (likely(rng, 8)) {
        d->start_at = wall_add(now, (int64_t)below(rng, 30) * US_PER_S);
        d->start_at.us -= d->start_at.us % US_PER_MS;
        add_instant(t, "start_at", d->start_at);
    }
    if (likely(rng, 8)) {
        d->end_at = wall_add(now, (int64_t)(30 + below(rng, 100)) * US_PER_S);
        d->end_at.us -= d->end_at.us % US_PER_MS;
        add_instant(t, "end_at", d->end_at);
    }
    if (likely(rng, 12)) {
        d->max_runs = (int64_t)(1 + below(rng, 15));
        add(t, ", \"max_runs\": %" PRId64, d->max_runs);
    }
}

static void add_policies(struct rng *rng, struct def *d, struct text *t)
{
    d->misfire = (enum misfire)below(rng, 3);
    add(t, ", \"misfire\": \"%s\"", misfire_name(d->misfire));
    d->overlap = (enum overlap)below(rng, 4);
    add(t, ", \"overlap\": \"%s\"", overlap_name(d->overlap));
    if (likely(rng, 15)) {
        d->jitter_us = (int64_t)(1 + below(rng, 4)) * US_PER_S;
        add(t, ", \"jitter\": %" PRId64, d->jitter_us / US_PER_S);
    }
    if (likely(rng, 15)) {
        d->max_lateness_us = (int64_t)(1 + below(rng, 12)) * US_PER_S;
        add(t, ", \"max_lateness\": %" PRId64, d->max_lateness_us / US_PER_S);
    }
    d->paused = likely(rng, 4);
    if (d->paused)
        add(t, ", \"paused\": true");
}

static void add_task(struct rng *rng, struct def *d, struct text *t)
{
    d->host = (unsigned)below(rng, HOSTS_N);
    d->failed_policy = (enum failed_policy)below(rng, 3);
    d->retry_wait_us = (int64_t)below(rng, 10) * US_PER_S;
    d->retry_wait_max_us = 20 * US_PER_S;
    d->max_retry_count = likely(rng, 40) ? -1 : (int64_t)below(rng, 5);
    d->retry_for_us = (int64_t)(10 + below(rng, 600)) * US_PER_S;
    d->timeout_us = (int64_t)(1 + below(rng, 8)) * US_PER_S;
    add(t,
        ", \"task\": {\"type\": \"rest\", \"connection\": {\"host\": \"http://target%u/\"}, "
        "\"failed_policy\": "
        "\"%s\""
        ", \"retry_wait\": %" PRId64 ", \"retry_wait_max\": %" PRId64 ", \"retry_backoff\": %u"
        ", \"max_retry_count\": %" PRId64 ", \"retry_for\": %" PRId64 ", \"timeout\": %" PRId64 "}",
        d->host, failed_policy_name(d->failed_policy), d->retry_wait_us / US_PER_S,
        d->retry_wait_max_us / US_PER_S, likely(rng, 50) ? 1U : 2U, d->max_retry_count,
        d->retry_for_us / US_PER_S, d->timeout_us / US_PER_S);
}

static void make_target(struct rng *rng, struct def *d)
{
    uint64_t roll = below(rng, 100);

    d->answer_us = roll < 60 ? 20 * US_PER_MS : roll < 85 ? 900 * US_PER_MS : 6 * US_PER_S;
    roll = below(rng, 100);
    d->fail_permille = roll < 60 ? 0 : roll < 85 ? 100 : 500;
}

void def_make(struct rng *rng, size_t slot, struct wall now, struct def *ret)
{
    struct text t = {.p = ret->text, .size = sizeof(ret->text)};

    *ret = (struct def){.start_at = NO_START, .end_at = WALL_NEVER, .max_runs = -1, .max_lateness_us = -1};
    /* Neighbouring identities that become one when their members are joined by commas. */
    add(&t,
        "{\"name\": \"n%zu\", \"client\": {\"application\": \"%s\", \"group\": \"%s\", \"key\": \"%zu\"}, ",
        slot, slot % 2 ? "a" : "a,b", slot % 2 ? "b,c" : "c", slot / 2);
    add_type(rng, ret, now, &t);
    add_zone(rng, ret, &t);
    add_window(rng, ret, now, &t);
    add_policies(rng, ret, &t);
    add_task(rng, ret, &t);
    add(&t, "}");
    make_target(rng, ret);
}
