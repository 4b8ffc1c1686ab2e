/*
 * cron_brute.c: random expressions stepped second by second through the days on which difficult zones change
 * their clocks, by the rules of docs/time.md written down as plainly as they can be, and compared with
 * cron_next and cron_prev. The expression's text and the sets it stands for are made together here, so the
 * parser is judged too.
 */
#include <time.h>

#include "base/random.h"
#include "calendar/cron.h"
#include "calendar_test.h"

enum { DAY_S = 86400, WINDOW_S = 3 * DAY_S, FIELD_TEXT = 64, EXPRESSIONS = 40, MAX_DAYS = 8 };

/* The zones of the task and the months in which to look for the next change. */
static const char *const CASES[][2] = {
    {"Australia/Lord_Howe", "2024-03-01T00:00:00Z"}, {"Australia/Lord_Howe", "2024-09-01T00:00:00Z"},
    {"Africa/Casablanca", "2024-03-01T00:00:00Z"},   {"Africa/Casablanca", "2024-04-01T00:00:00Z"},
    {"Africa/Cairo", "2023-04-01T00:00:00Z"},        {"Africa/Cairo", "2023-10-01T00:00:00Z"},
    {"Asia/Amman", "2021-03-01T00:00:00Z"},          {"Asia/Amman", "2021-10-01T00:00:00Z"},
    {"America/Sao_Paulo", "2018-02-01T00:00:00Z"},   {"America/Sao_Paulo", "2018-11-01T00:00:00Z"},
    {"America/Santiago", "2024-04-01T00:00:00Z"},    {"America/Santiago", "2024-09-01T00:00:00Z"},
    {"Pacific/Apia", "2011-09-01T00:00:00Z"},        {"Pacific/Apia", "2011-12-01T00:00:00Z"},
    {"Pacific/Apia", "2012-03-15T00:00:00Z"},        {"Antarctica/Troll", "2024-03-01T00:00:00Z"},
    {"Antarctica/Troll", "2024-10-01T00:00:00Z"},    {"Europe/Dublin", "2024-03-01T00:00:00Z"},
    {"Europe/Dublin", "2024-10-01T00:00:00Z"},       {"Asia/Seoul", "1987-05-01T00:00:00Z"},
    {"Asia/Seoul", "1987-10-01T00:00:00Z"},          {"Asia/Seoul", "1988-05-01T00:00:00Z"},
};

/* A field: its text, its set, and whether `*` or a step stands in it. */
struct field {
    char text[FIELD_TEXT];
    bool has[64];
    bool recurs;
    bool starts_with_star;
};

struct expression {
    char text[6 * FIELD_TEXT];
    struct field second, minute, hour, day, month, weekday;
};

static int between(struct rng *r, int low, int high)
{
    return low + (int)rng_below(r, (uint64_t)(high - low + 1));
}

/* One entry; ranges may wrap. `step` 0: none is written. */
static void add_range(struct field *f, int min, int max, int from, int to, int step)
{
    int value = from;
    int until = step == 0 ? 1 : step;
    int left = (to - from + (max - min + 1)) % (max - min + 1);

    for (int k = 0; k <= left; k++) {
        if (k % until == 0)
            f->has[value] = true;
        value = value == max ? min : value + 1;
    }
}

static void append_entry(struct field *f, struct rng *r, int min, int max)
{
    size_t n = strlen(f->text);
    char *end = f->text + n;
    size_t room = sizeof(f->text) - n;
    int from = between(r, min, max);
    int to = between(r, min, max);
    int step = between(r, 1, (max - min + 1) / 2);

    switch (rng_below(r, 5)) {
    case 0:
        (void)snprintf(end, room, "%d-%d", from, to);
        add_range(f, min, max, from, to, 0);
        break;
    case 1:
        (void)snprintf(end, room, "%d-%d/%d", from, to, step);
        add_range(f, min, max, from, to, step);
        f->recurs = true;
        break;
    case 2:
        (void)snprintf(end, room, "%d/%d", from, step);
        /* the days of the week are written 0 to 7 */
        for (int value = from; value <= (max == 6 ? 7 : max); value += step)
            f->has[max == 6 ? value % 7 : value] = true;
        f->recurs = true;
        break;
    default:
        (void)snprintf(end, room, "%d", from);
        add_range(f, min, max, from, from, 0);
        break;
    }
}

static struct field make_field(struct rng *r, int min, int max, unsigned star_percent)
{
    struct field f = {.text = ""};
    uint64_t dice = rng_below(r, 100);
    int step;

    if (dice < star_percent) {
        (void)snprintf(f.text, sizeof(f.text), "*");
        add_range(&f, min, max, min, max, 0);
        f.recurs = f.starts_with_star = true;
        return f;
    }
    if (dice < star_percent + 20) {
        step = between(r, 1, (max - min + 1) / 2);
        (void)snprintf(f.text, sizeof(f.text), "*/%d", step);
        add_range(&f, min, max, min, max, step);
        f.recurs = f.starts_with_star = true;
        return f;
    }
    append_entry(&f, r, min, max);
    for (uint64_t more = rng_below(r, 3); more > 0; more--) {
        (void)snprintf(f.text + strlen(f.text), sizeof(f.text) - strlen(f.text), ",");
        append_entry(&f, r, min, max);
    }
    return f;
}

static struct expression make_expression(struct rng *r)
{
    struct expression e;
    bool five = rng_below(r, 2) == 0;

    e.second = make_field(r, 0, 59, 10);
    if (five) {
        e.second = (struct field){.text = "0"};
        e.second.has[0] = true;
    }
    e.minute = make_field(r, 0, 59, 20);
    e.hour = make_field(r, 0, 23, 25);
    e.day = make_field(r, 1, 31, 75);
    e.month = make_field(r, 1, 12, 75);
    e.weekday = make_field(r, 0, 6, 70);
    (void)snprintf(e.text, sizeof(e.text), "%s%s%s %s %s %s %s", five ? "" : e.second.text, five ? "" : " ",
                   e.minute.text, e.hour.text, e.day.text, e.month.text, e.weekday.text);
    return e;
}

/* The days around a change, second by second. */
struct window {
    const struct zone *zone;
    int64_t from_s;
    int64_t change_s;
    int64_t *reading_s; /* WINDOW_S of them */
    int64_t first_day;  /* of the readings, days since 1970 */
    bool day_matches[MAX_DAYS];
};

static bool day_matches(const struct expression *e, int64_t day)
{
    time_t t = (time_t)(day * DAY_S);
    struct tm tm;

    assert_non_null(gmtime_r(&t, &tm));
    bool by_day = e->day.has[tm.tm_mday];
    bool by_weekday = e->weekday.has[tm.tm_wday];
    bool either = !e->day.starts_with_star && !e->weekday.starts_with_star;

    return e->month.has[tm.tm_mon + 1] && (either ? by_day || by_weekday : by_day && by_weekday);
}

static bool matches(const struct expression *e, const struct window *w, int64_t reading_s)
{
    int64_t day = reading_s / DAY_S - w->first_day;
    int64_t of_day = reading_s % DAY_S;

    return e->second.has[of_day % 60] && e->minute.has[of_day / 60 % 60] && e->hour.has[of_day / 3600] &&
           w->day_matches[day];
}

/* The rules, second by second. Yields how many fire; their seconds are in `ret`. */
static size_t step_through(const struct expression *e, const struct window *w, int64_t *ret)
{
    bool both_passes = e->hour.recurs || e->minute.recurs || e->second.recurs;
    int64_t highest = w->reading_s[0] - 1; /* the latest reading ever shown */
    size_t n = 0;

    for (int64_t i = 0; i < WINDOW_S; i++) {
        int64_t reading = w->reading_s[i];
        bool fires = matches(e, w, reading) && (reading > highest || both_passes);

        if (!e->hour.recurs)
            for (int64_t skipped = highest + 1; skipped < reading && !fires; skipped++)
                fires = matches(e, w, skipped);
        if (fires)
            ret[n++] = w->from_s + i;
        if (reading > highest)
            highest = reading;
    }
    return n;
}

static void complain(const struct expression *e, const struct window *w, const char *what, int64_t at_s,
                     int64_t expected, int64_t got)
{
    fail_msg("\"%s\" in %s, %s %lld: %lld, not %lld", e->text, zone_name(w->zone), what, (long long)at_s,
             (long long)got, (long long)expected);
}

static int64_t next_s(const struct cron *c, const struct window *w, int64_t after_s)
{
    struct wall at = {INT64_MAX};

    return cron_next(c, w->zone, (struct wall){after_s * US_PER_S}, &at) ? at.us / US_PER_S : INT64_MAX;
}

/* Every occurrence from the one before, forwards and backwards. */
static void compare_chain(const struct expression *e, const struct window *w, const struct cron *c,
                          const int64_t *fired, size_t n)
{
    int64_t at_s = w->from_s - 1;

    for (size_t i = 0; i < n; i++) {
        int64_t got = next_s(c, w, at_s);
        struct wall back = {0};

        if (got != fired[i])
            complain(e, w, "after", at_s, fired[i], got);
        if (i > 0 &&
            (!cron_prev(c, w->zone, (struct wall){got * US_PER_S}, &back) || back.us != at_s * US_PER_S))
            complain(e, w, "before", got, at_s, back.us / US_PER_S);
        at_s = got;
    }
    if (next_s(c, w, at_s) < w->from_s + WINDOW_S)
        complain(e, w, "after the last", at_s, w->from_s + WINDOW_S, next_s(c, w, at_s));
}

/* From any second: all those about the change, and every so many of the others. */
static void compare_everywhere(const struct expression *e, const struct window *w, const struct cron *c,
                               const int64_t *fired, size_t n)
{
    size_t upcoming = 0;

    for (int64_t at_s = w->from_s; at_s < w->from_s + WINDOW_S;
         at_s += llabs(at_s - w->change_s) < 60 ? 1 : 59) {
        while (upcoming < n && fired[upcoming] <= at_s)
            upcoming++;

        int64_t got = next_s(c, w, at_s);

        if (upcoming < n ? got != fired[upcoming] : got < w->from_s + WINDOW_S)
            complain(e, w, "after", at_s, upcoming < n ? fired[upcoming] : -1, got);
    }
}

static void compare_one(struct rng *r, struct window *w, int64_t *fired)
{
    struct expression e = make_expression(r);
    CLEANUP(cron_free_p) struct cron *c = NULL;
    struct error err;
    size_t n;

    if (cron_parse(str_of(e.text), 0, &c, &err) != ERR_NONE) {
        /* the only thing that can be wrong with such a text */
        if (strstr(err.text, "no date matches") == NULL)
            fail_msg("\"%s\": %s", e.text, err.text);
        return;
    }
    for (int64_t d = 0; d < MAX_DAYS; d++)
        w->day_matches[d] = day_matches(&e, w->first_day + d);
    n = step_through(&e, w, fired);
    compare_chain(&e, w, c, fired, n);
    compare_everywhere(&e, w, c, fired, n);
}

static void compare_with_seed(uint64_t seed)
{
    struct zones *zones = system_zones();
    struct rng r = {.state = seed};
    int64_t *readings = test_malloc(WINDOW_S * sizeof(int64_t));
    int64_t *fired = test_malloc(WINDOW_S * sizeof(int64_t));

    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct window w = {.zone = system_zone(zones, CASES[i][0]), .reading_s = readings};
        struct wall change;

        assert_true(zone_next_change(w.zone, utc(CASES[i][1]), &change));
        w.change_s = change.us / US_PER_S;
        w.from_s = w.change_s - WINDOW_S / 2 + between(&r, 0, 3600);
        for (int64_t k = 0; k < WINDOW_S; k++)
            readings[k] = w.from_s + k + zone_offset_s(w.zone, (struct wall){(w.from_s + k) * US_PER_S});
        w.first_day = readings[0] / DAY_S;
        for (int k = 0; k < EXPRESSIONS; k++)
            compare_one(&r, &w, fired);
    }
    test_free(readings);
    test_free(fired);
    zones_free(zones);
}

static void next_is_what_stepping_second_by_second_finds(void **state)
{
    (void)state;
    compare_with_seed(1970);
}

static void next_is_what_stepping_finds_with_a_fresh_seed(void **state)
{
    (void)state;
    compare_with_seed(random_u64());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_is_what_stepping_second_by_second_finds),
        cmocka_unit_test(next_is_what_stepping_finds_with_a_fresh_seed),
    };

    return cmocka_run_group_tests_name("calendar/cron_brute", tests, NULL, NULL);
}
