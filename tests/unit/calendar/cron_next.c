/* cron_next.c: occurrences told by hand: gaps, repetitions, missing days, the ends of time. */
#include "calendar/cron.h"

#include "calendar_test.h"

static struct zones *zones;

static int open_zones(void **state)
{
    (void)state;
    zones = system_zones();
    return 0;
}

static int close_zones(void **state)
{
    (void)state;
    zones_free(zones);
    return 0;
}

static struct cron *parse(const char *text)
{
    struct cron *c = NULL;
    struct error err;

    if (cron_parse(str_of(text), 7, &c, &err) != ERR_NONE)
        fail_msg("%s: %s", text, err.text);
    return c;
}

/* The occurrences after `from`, forwards; then the same backwards from just after the last. */
static void assert_fires(const char *text, const char *zone, const char *from, const char *const *expected,
                         size_t n)
{
    CLEANUP(cron_free_p) struct cron *c = parse(text);
    const struct zone *z = system_zone(zones, zone);
    struct wall at = utc(from);
    char got[ISO_TEXT_MAX];

    for (size_t i = 0; i < n; i++) {
        if (!cron_next(c, z, at, &at))
            fail_msg("%s in %s: no occurrence %zu", text, zone, i);
        iso_format(at, got);
        if (strcmp(got, expected[i]) != 0)
            fail_msg("%s in %s: occurrence %zu is %s, not %s", text, zone, i, got, expected[i]);
    }
    at.us++;
    for (size_t i = n; i-- > 0;) {
        if (!cron_prev(c, z, at, &at))
            fail_msg("%s in %s: nothing before occurrence %zu", text, zone, i + 1);
        iso_format(at, got);
        if (strcmp(got, expected[i]) != 0)
            fail_msg("%s in %s: backwards, occurrence %zu is %s, not %s", text, zone, i, got, expected[i]);
    }
}

#define FIRES(text, zone, from, ...)                                                                         \
    assert_fires(text, zone, from, (const char *const[]){__VA_ARGS__},                                       \
                 COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void an_occurrence_is_strictly_after_what_is_asked(void **state)
{
    (void)state;
    FIRES("0 * * * *", "UTC", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z");
    FIRES("0 * * * *", "UTC", "2023-12-31T23:59:59.999999Z", "2024-01-01T00:00:00Z");
    FIRES("0 * * * *", "UTC", "2024-01-01T00:00:00.000001Z", "2024-01-01T01:00:00Z");
}

static void the_zone_decides_what_the_clock_shows(void **state)
{
    (void)state;
    FIRES("0 9 * * *", "Asia/Seoul", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
    FIRES("0 9 * * *", "Asia/Kathmandu", "2024-01-01T00:00:00Z", "2024-01-01T03:15:00Z");
    FIRES("0 0 * * mon", "Pacific/Kiritimati", "2024-01-01T00:00:00Z", "2024-01-07T10:00:00Z");
}

static void a_fixed_time_in_a_gap_fires_at_its_end(void **state)
{
    (void)state;
    /* 02:00 to 03:00 is missing on 31 March 2024 */
    FIRES("30 2 * * *", "Europe/Berlin", "2024-03-29T12:00:00Z", "2024-03-30T01:30:00Z",
          "2024-03-31T01:00:00Z", "2024-04-01T00:30:00Z");
    /* several in one gap become one, and one with what is due at its end */
    FIRES("10,30,50 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", "2024-03-31T01:00:00Z",
          "2024-04-01T00:10:00Z");
    FIRES("0 2,3 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", "2024-03-31T01:00:00Z",
          "2024-04-01T00:00:00Z", "2024-04-01T01:00:00Z");
    FIRES("0 2 31 3 *", "Europe/Berlin", "2024-03-30T12:00:00Z", "2024-03-31T01:00:00Z",
          "2025-03-31T00:00:00Z");
    /* a fixed hour with a step in the minutes too */
    FIRES("*/20 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", "2024-03-31T01:00:00Z",
          "2024-04-01T00:00:00Z", "2024-04-01T00:20:00Z");
    /* midnight itself is missing */
    FIRES("0 0 * * *", "America/Santiago", "2024-09-07T12:00:00Z", "2024-09-08T04:00:00Z",
          "2024-09-09T03:00:00Z");
}

static void what_recurs_by_the_hour_goes_on_through_a_gap(void **state)
{
    (void)state;
    FIRES("30 * * * *", "Europe/Berlin", "2024-03-31T00:00:00Z", "2024-03-31T00:30:00Z",
          "2024-03-31T01:30:00Z");
    FIRES("30 */2 * * *", "Europe/Berlin", "2024-03-30T23:00:00Z", "2024-03-30T23:30:00Z",
          "2024-03-31T02:30:00Z");
    FIRES("*/20 * * * *", "Europe/Berlin", "2024-03-31T00:30:00Z", "2024-03-31T00:40:00Z",
          "2024-03-31T01:00:00Z", "2024-03-31T01:20:00Z");
    FIRES("15 * * * *", "Australia/Lord_Howe", "2024-10-05T14:50:00Z", "2024-10-05T16:15:00Z",
          "2024-10-05T17:15:00Z");
}

static void a_fixed_time_that_repeats_fires_on_the_first_pass(void **state)
{
    (void)state;
    /* 02:00 to 03:00 comes twice on 27 October 2024 */
    FIRES("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00Z", "2024-10-27T00:30:00Z",
          "2024-10-28T01:30:00Z");
    FIRES("30 2 * * *", "Europe/Berlin", "2024-10-27T01:10:00Z", "2024-10-28T01:30:00Z");
    FIRES("0 1-3 * * *", "Europe/Berlin", "2024-10-26T20:00:00Z", "2024-10-26T23:00:00Z",
          "2024-10-27T00:00:00Z", "2024-10-27T02:00:00Z");
    FIRES("45 1 * * *", "Australia/Lord_Howe", "2024-04-06T12:00:00Z", "2024-04-06T14:45:00Z",
          "2024-04-07T15:15:00Z");
}

static void what_recurs_fires_in_both_passes(void **state)
{
    (void)state;
    FIRES("30 * * * *", "Europe/Berlin", "2024-10-27T00:00:00Z", "2024-10-27T00:30:00Z",
          "2024-10-27T01:30:00Z", "2024-10-27T02:30:00Z");
    FIRES("0 */2 * * *", "Europe/Berlin", "2024-10-26T22:30:00Z", "2024-10-27T00:00:00Z",
          "2024-10-27T01:00:00Z", "2024-10-27T03:00:00Z");
    FIRES("*/30 2 * * *", "Europe/Berlin", "2024-10-26T22:30:00Z", "2024-10-27T00:00:00Z",
          "2024-10-27T00:30:00Z", "2024-10-27T01:00:00Z", "2024-10-27T01:30:00Z", "2024-10-28T01:00:00Z");
    FIRES("*/30 0 2 * * *", "Europe/Berlin", "2024-10-26T22:30:00Z", "2024-10-27T00:00:00Z",
          "2024-10-27T00:00:30Z", "2024-10-27T01:00:00Z", "2024-10-27T01:00:30Z", "2024-10-28T01:00:00Z");
    FIRES("45 * * * *", "Australia/Lord_Howe", "2024-04-06T14:00:00Z", "2024-04-06T14:45:00Z",
          "2024-04-06T15:15:00Z", "2024-04-06T16:15:00Z");
}

static void a_missing_day_is_a_gap_like_any_other(void **state)
{
    (void)state;
    /* Apia had no 30 December 2011: it went from -10 to +14 at midnight */
    FIRES("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-29T22:00:00Z",
          "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z");
    FIRES("0 12 30 * *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2011-12-30T10:00:00Z",
          "2012-01-29T22:00:00Z");
    FIRES("0 12 29 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2011-12-29T22:00:00Z",
          "2012-12-28T22:00:00Z");
    FIRES("0 */12 * * *", "Pacific/Apia", "2011-12-29T09:00:00Z", "2011-12-29T10:00:00Z",
          "2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z");
}

static void a_leap_day_is_found_at_once(void **state)
{
    (void)state;
    FIRES("0 0 29 2 *", "UTC", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z");
    FIRES("0 0 29 2 *", "Europe/Berlin", "2096-03-01T00:00:00Z", "2104-02-28T23:00:00Z");
    FIRES("* * 29 2 *", "Europe/Berlin", "2024-03-01T00:00:00Z", "2028-02-28T23:00:00Z",
          "2028-02-28T23:01:00Z");
    FIRES("0 0 29 2 1#5", "UTC", "2024-01-01T00:00:00Z", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z");
    FIRES("0 0 */28 2 2#5", "UTC", "2024-03-01T00:00:00Z", "2028-02-29T00:00:00Z", "2056-02-29T00:00:00Z");
}

static void time_ends_with_the_year_9999_and_begins_with_1970(void **state)
{
    CLEANUP(cron_free_p) struct cron *yearly = parse("0 0 1 1 *");
    CLEANUP(cron_free_p) struct cron *secondly = parse("* * * * * *");
    const struct zone *names[] = {system_zone(zones, "UTC"), system_zone(zones, "America/New_York"),
                                  system_zone(zones, "Pacific/Kiritimati")};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct wall at = {0};

        assert_false(cron_next(yearly, names[i], utc("9999-12-31T12:00:00Z"), &at) && at.us > WALL_MAX_US);
        assert_false(cron_next(secondly, names[i], (struct wall){WALL_MAX_US}, &at));
        assert_false(cron_next(secondly, names[i], WALL_NEVER, &at));
        assert_true(cron_next(secondly, names[i], utc("9999-12-31T23:59:58Z"), &at));
        assert_instant(at, "9999-12-31T23:59:59Z");
        assert_false(cron_prev(secondly, names[i], (struct wall){0}, &at));
        assert_false(cron_prev(secondly, names[i], (struct wall){INT64_MIN}, &at));
        assert_true(cron_prev(secondly, names[i], (struct wall){1}, &at));
        assert_int_equal(at.us, 0);
        assert_true(cron_prev(secondly, names[i], WALL_NEVER, &at));
        assert_instant(at, "9999-12-31T23:59:59Z");
        assert_true(cron_next(secondly, names[i], (struct wall){INT64_MIN}, &at));
        assert_int_equal(at.us, 0);
    }
    struct wall at = {0};

    assert_false(cron_prev(yearly, names[1], utc("1970-01-01T04:59:59Z"), &at));
    assert_true(cron_prev(yearly, names[1], utc("1970-01-01T05:00:01Z"), &at));
    assert_instant(at, "1970-01-01T05:00:00Z");
}

static void the_next_n_are_each_after_the_other(void **state)
{
    CLEANUP(cron_free_p) struct cron *c = parse("30 2 * * *");
    struct wall at[5];

    (void)state;
    assert_int_equal(cron_next_n(c, system_zone(zones, "Europe/Berlin"), utc("2024-03-29T12:00:00Z"), 5, at),
                     5);
    assert_instant(at[0], "2024-03-30T01:30:00Z");
    assert_instant(at[4], "2024-04-03T00:30:00Z");
    assert_int_equal(cron_next_n(c, system_zone(zones, "UTC"), utc("9999-12-30T00:00:00Z"), 5, at), 2);
    assert_int_equal(cron_next_n(c, system_zone(zones, "UTC"), utc("9999-12-30T00:00:00Z"), 0, at), 0);
}

static void the_user_is_told_what_daylight_saving_did(void **state)
{
    CLEANUP(cron_free_p) struct cron *fixed = parse("30 2 * * *");
    CLEANUP(cron_free_p) struct cron *both = parse("0 2,3 * * *");
    CLEANUP(cron_free_p) struct cron *hourly = parse("30 * * * *");
    const struct zone *z = system_zone(zones, "Europe/Berlin");

    (void)state;
    assert_int_equal(cron_note_at(fixed, z, utc("2024-03-30T01:30:00Z")), CRON_PLAIN);
    assert_int_equal(cron_note_at(fixed, z, utc("2024-03-31T01:00:00Z")), CRON_MOVED);
    assert_int_equal(cron_note_at(fixed, z, utc("2024-10-27T00:30:00Z")), CRON_MERGED);
    assert_int_equal(cron_note_at(both, z, utc("2024-03-31T01:00:00Z")), CRON_PLAIN);
    assert_int_equal(cron_note_at(hourly, z, utc("2024-10-27T00:30:00Z")), CRON_PLAIN);
    assert_int_equal(cron_note_at(hourly, z, utc("2024-10-27T01:30:00Z")), CRON_PLAIN);
}

/* docs/time.md, "When the clock is stepped": what the engine's rule rests on. */
static void a_clock_set_back_never_fires_the_same_occurrence_again(void **state)
{
    CLEANUP(cron_free_p) struct cron *c = parse("*/10 * * * *");
    const struct zone *z = system_zone(zones, "Asia/Seoul");
    struct wall fired = utc("2024-01-01T00:10:00Z");
    struct wall next;

    (void)state;
    /* the clock now says 00:03 again: the next is computed from the last occurrence, not from the clock */
    assert_true(cron_next(c, z, fired, &next));
    assert_instant(next, "2024-01-01T00:20:00Z");
}

static void a_clock_set_forward_shows_every_occurrence_it_passed(void **state)
{
    CLEANUP(cron_free_p) struct cron *c = parse("*/10 * * * *");
    const struct zone *z = system_zone(zones, "Asia/Seoul");
    struct wall at = utc("2024-01-01T00:10:00Z");
    struct wall now = utc("2024-01-01T01:05:00Z");
    size_t missed = 0;

    (void)state;
    while (cron_next(c, z, at, &at) && at.us <= now.us)
        missed++;
    assert_int_equal(missed, 5);
    assert_instant(at, "2024-01-01T01:10:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_occurrence_is_strictly_after_what_is_asked),
        cmocka_unit_test(the_zone_decides_what_the_clock_shows),
        cmocka_unit_test(a_fixed_time_in_a_gap_fires_at_its_end),
        cmocka_unit_test(what_recurs_by_the_hour_goes_on_through_a_gap),
        cmocka_unit_test(a_fixed_time_that_repeats_fires_on_the_first_pass),
        cmocka_unit_test(what_recurs_fires_in_both_passes),
        cmocka_unit_test(a_missing_day_is_a_gap_like_any_other),
        cmocka_unit_test(a_leap_day_is_found_at_once),
        cmocka_unit_test(time_ends_with_the_year_9999_and_begins_with_1970),
        cmocka_unit_test(the_next_n_are_each_after_the_other),
        cmocka_unit_test(the_user_is_told_what_daylight_saving_did),
        cmocka_unit_test(a_clock_set_back_never_fires_the_same_occurrence_again),
        cmocka_unit_test(a_clock_set_forward_shows_every_occurrence_it_passed),
    };

    return cmocka_run_group_tests_name("calendar/cron_next", tests, open_zones, close_zones);
}
