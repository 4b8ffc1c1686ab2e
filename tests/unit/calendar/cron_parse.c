/* cron_parse.c: the whole syntax, every refusal by its words, and how H is spread. */
#include "calendar/cron.h"

#include "base/alloc.h"
#include "calendar_test.h"

static struct zone *utc_zone;

static int open_zone(void **state)
{
    (void)state;
    utc_zone = zone_fixed(0);
    return 0;
}

static int close_zone(void **state)
{
    (void)state;
    zone_free(utc_zone);
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

/* The expression's next occurrences after `from`, one a line of `expected`. */
static void assert_fires(const char *text, const char *from, const char *const *expected, size_t n)
{
    CLEANUP(cron_free_p) struct cron *c = parse(text);
    struct wall at = utc(from);

    for (size_t i = 0; i < n; i++) {
        char got[ISO_TEXT_MAX];

        if (!cron_next(c, utc_zone, at, &at))
            fail_msg("%s: no occurrence %zu", text, i);
        iso_format(at, got);
        if (strcmp(got, expected[i]) != 0)
            fail_msg("%s: occurrence %zu is %s, not %s", text, i, got, expected[i]);
    }
}

#define FIRES(text, from, ...)                                                                               \
    assert_fires(text, from, (const char *const[]){__VA_ARGS__},                                             \
                 COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void five_fields_begin_with_the_minute_and_six_with_the_second(void **state)
{
    (void)state;
    FIRES("* * * * *", "2024-01-01T00:00:30Z", "2024-01-01T00:01:00Z", "2024-01-01T00:02:00Z");
    FIRES("30 * * * * *", "2024-01-01T00:00:30Z", "2024-01-01T00:01:30Z", "2024-01-01T00:02:30Z");
    FIRES("* * * * * *", "2024-01-01T00:00:30Z", "2024-01-01T00:00:31Z");
    FIRES(" \t15   3 *\t* * ", "2024-01-01T00:00:00Z", "2024-01-01T03:15:00Z");
}

static void lists_ranges_and_steps(void **state)
{
    (void)state;
    FIRES("*/20 * * * *", "2024-01-01T00:00:00Z", "2024-01-01T00:20:00Z", "2024-01-01T00:40:00Z",
          "2024-01-01T01:00:00Z");
    FIRES("7/25 * * * *", "2024-01-01T00:00:00Z", "2024-01-01T00:07:00Z", "2024-01-01T00:32:00Z",
          "2024-01-01T00:57:00Z", "2024-01-01T01:07:00Z");
    FIRES("10-50/20 * * * *", "2024-01-01T00:00:00Z", "2024-01-01T00:10:00Z", "2024-01-01T00:30:00Z",
          "2024-01-01T00:50:00Z", "2024-01-01T01:10:00Z");
    FIRES("0 9,17,12-13 * * *", "2024-01-01T00:00:00Z", "2024-01-01T09:00:00Z", "2024-01-01T12:00:00Z",
          "2024-01-01T13:00:00Z", "2024-01-01T17:00:00Z", "2024-01-02T09:00:00Z");
    FIRES("0 0 1 */6 *", "2024-01-01T00:00:00Z", "2024-07-01T00:00:00Z", "2025-01-01T00:00:00Z");
    FIRES("0 */24 * * *", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
}

static void ranges_wrap(void **state)
{
    (void)state;
    FIRES("0 22-2 * * *", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", "2024-01-01T02:00:00Z",
          "2024-01-01T22:00:00Z", "2024-01-01T23:00:00Z", "2024-01-02T00:00:00Z");
    FIRES("0 22-2/2 * * *", "2024-01-01T00:00:00Z", "2024-01-01T02:00:00Z", "2024-01-01T22:00:00Z",
          "2024-01-02T00:00:00Z");
    FIRES("0 0 1 nov-feb *", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-11-01T00:00:00Z",
          "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z");
    FIRES("0 0 * * fri-mon", "2024-01-01T00:00:00Z", "2024-01-05T00:00:00Z", "2024-01-06T00:00:00Z",
          "2024-01-07T00:00:00Z", "2024-01-08T00:00:00Z", "2024-01-12T00:00:00Z");
    FIRES("0 0 30-2 * *", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-30T00:00:00Z",
          "2024-01-31T00:00:00Z", "2024-02-01T00:00:00Z");
}

static void names_in_any_case_and_seven_for_sunday(void **state)
{
    (void)state;
    FIRES("0 0 * * MON", "2024-01-01T00:00:00Z", "2024-01-08T00:00:00Z");
    FIRES("0 0 1 Jan,jUL *", "2024-01-01T00:00:00Z", "2024-07-01T00:00:00Z", "2025-01-01T00:00:00Z");
    FIRES("0 0 * * 7", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z", "2024-01-14T00:00:00Z");
    FIRES("0 0 * * 6-7", "2024-01-01T00:00:00Z", "2024-01-06T00:00:00Z", "2024-01-07T00:00:00Z",
          "2024-01-13T00:00:00Z");
    FIRES("0 0 * * 7-1", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z", "2024-01-08T00:00:00Z",
          "2024-01-14T00:00:00Z");
    FIRES("0 0 * * 7-7", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z", "2024-01-14T00:00:00Z");
    FIRES("0 0 * * 0-7", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z");
    FIRES("0 0 * * 5/2", "2024-01-01T00:00:00Z", "2024-01-05T00:00:00Z", "2024-01-07T00:00:00Z",
          "2024-01-12T00:00:00Z");
    FIRES("0 0 * * 7/2", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z", "2024-01-14T00:00:00Z");
    FIRES("0 0 * * 1-7/3", "2024-01-01T00:00:00Z", "2024-01-04T00:00:00Z", "2024-01-07T00:00:00Z",
          "2024-01-08T00:00:00Z");
}

static void either_day_field_matches_when_both_are_restricted(void **state)
{
    (void)state;
    FIRES("0 0 13 * fri", "2024-09-01T00:00:00Z", "2024-09-06T00:00:00Z", "2024-09-13T00:00:00Z",
          "2024-09-20T00:00:00Z", "2024-09-27T00:00:00Z", "2024-10-04T00:00:00Z", "2024-10-11T00:00:00Z",
          "2024-10-13T00:00:00Z");
    FIRES("0 0 13 * *", "2024-09-01T00:00:00Z", "2024-09-13T00:00:00Z", "2024-10-13T00:00:00Z");
    FIRES("0 0 13 * ?", "2024-09-01T00:00:00Z", "2024-09-13T00:00:00Z", "2024-10-13T00:00:00Z");
    FIRES("0 0 ? * fri", "2024-09-01T00:00:00Z", "2024-09-06T00:00:00Z");
    /* a field that begins with * does not restrict: both must match (crontab(5)) */
    FIRES("0 0 */2 * fri", "2024-09-01T00:00:00Z", "2024-09-13T00:00:00Z", "2024-09-27T00:00:00Z",
          "2024-10-11T00:00:00Z");
}

static void the_end_of_a_month_and_working_days(void **state)
{
    (void)state;
    FIRES("0 0 L * *", "2024-01-31T12:00:00Z", "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z",
          "2024-04-30T00:00:00Z");
    FIRES("0 0 L-3 * *", "2024-01-31T12:00:00Z", "2024-02-26T00:00:00Z", "2024-03-28T00:00:00Z");
    FIRES("0 0 L-30 * *", "2024-01-31T12:00:00Z", "2024-03-01T00:00:00Z", "2024-05-01T00:00:00Z");
    FIRES("0 0 L,15 * *", "2024-01-31T12:00:00Z", "2024-02-15T00:00:00Z", "2024-02-29T00:00:00Z");
    FIRES("0 0 15W * *", "2024-06-01T00:00:00Z", "2024-06-14T00:00:00Z", "2024-07-15T00:00:00Z",
          "2024-08-15T00:00:00Z", "2024-09-16T00:00:00Z");
    FIRES("0 0 1w * *", "2024-06-01T00:00:00Z", "2024-06-03T00:00:00Z", "2024-07-01T00:00:00Z",
          "2024-08-01T00:00:00Z", "2024-09-02T00:00:00Z");
    FIRES("0 0 31W * *", "2024-02-01T00:00:00Z", "2024-03-29T00:00:00Z", "2024-05-31T00:00:00Z",
          "2024-07-31T00:00:00Z", "2024-08-30T00:00:00Z");
    FIRES("0 0 LW * *", "2024-02-01T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-29T00:00:00Z",
          "2024-04-30T00:00:00Z", "2024-05-31T00:00:00Z", "2024-06-28T00:00:00Z");
}

static void weekdays_of_a_month(void **state)
{
    (void)state;
    FIRES("0 0 * * 5L", "2024-01-01T00:00:00Z", "2024-01-26T00:00:00Z", "2024-02-23T00:00:00Z",
          "2024-03-29T00:00:00Z");
    FIRES("0 0 * * friL", "2024-01-01T00:00:00Z", "2024-01-26T00:00:00Z");
    FIRES("0 0 * * 7L", "2024-01-01T00:00:00Z", "2024-01-28T00:00:00Z");
    FIRES("0 0 * * fri#2", "2024-01-01T00:00:00Z", "2024-01-12T00:00:00Z", "2024-02-09T00:00:00Z");
    FIRES("0 0 * * 1#5", "2024-01-01T00:00:00Z", "2024-01-29T00:00:00Z", "2024-04-29T00:00:00Z");
    FIRES("0 0 * * 7#1,mon#1", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z", "2024-02-04T00:00:00Z",
          "2024-02-05T00:00:00Z");
}

static void macros(void **state)
{
    (void)state;
    FIRES("@yearly", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
    FIRES("@annually", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
    FIRES("@monthly", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
    FIRES("@weekly", "2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z");
    FIRES("@daily", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
    FIRES("@midnight", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
    FIRES("@hourly", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z");
    FIRES("@minutely", "2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z");
    FIRES("@secondly", "2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z");
    FIRES("@weekdays", "2024-01-05T00:00:00Z", "2024-01-08T00:00:00Z");
    FIRES("@Weekends", "2024-01-05T00:00:00Z", "2024-01-06T00:00:00Z", "2024-01-07T00:00:00Z",
          "2024-01-13T00:00:00Z");
}

/* text, what the refusal must say */
static const char *const REFUSED[][2] = {
    {"", "this has 0"},
    {"* * * *", "this has 4"},
    {"* * * * * * *", "this has 7"},
    {"60 * * * *", "the minute field \"60\": the value 60 is not within 0 to 59"},
    {"* 24 * * *", "the hour field \"24\": the value 24 is not within 0 to 23"},
    {"* * 0 * *", "the day-of-month field \"0\": the value 0 is not within 1 to 31"},
    {"* * 32 * *", "not within 1 to 31"},
    {"* * * 0 *", "the month field \"0\": the value 0 is not within 1 to 12"},
    {"* * * 13 *", "not within 1 to 12"},
    {"* * * * 8", "the day-of-week field \"8\": the value 8 is not within 0 to 7"},
    {"60 * * * * *", "the second field \"60\": the value 60 is not within 0 to 59"},
    {"-1 * * * *", "the minute field \"-1\": expected 0 to 59"},
    {"a * * * *", "expected 0 to 59"},
    {"1. * * * *", "not understood"},
    {"99999 * * * *", "expected 0 to 59"},
    {"1, * * * *", "an entry of the list is empty"},
    {",1 * * * *", "an entry of the list is empty"},
    {"1,,2 * * * *", "an entry of the list is empty"},
    {"1- * * * *", "expected 0 to 59"},
    {"1-2-3 * * * *", "not understood"},
    {"*/ * * * *", "expected a number after \"/\""},
    {"*/0 * * * *", "the step 0 is not within 1 to 60"},
    {"*/90 * * * *", "the step 90 is not within 1 to 60"},
    {"* */25 * * *", "the step 25 is not within 1 to 24"},
    {"*-5 * * * *", "not understood"},
    {"** * * * *", "not understood"},
    {"*/5/2 * * * *", "not understood"},
    {"? * * * *", "expected 0 to 59"},
    {"* * * jan-13 *", "not within 1 to 12"},
    {"* * * foo *", "expected 1 to 12 or jan to dec"},
    {"* * * january *", "not understood"},
    {"* * * * xyz", "expected 0 to 7 or sun to sat"},
    {"* * * * L", "expected 0 to 7 or sun to sat"},
    {"* * L-0 * *", "the number of days after L 0 is not within 1 to 30"},
    {"* * L-31 * *", "not within 1 to 30"},
    {"* * L- * *", "expected a number of days after"},
    {"* * W * *", "expected 1 to 31, L or LW"},
    {"* * 1-5W * *", "not understood"},
    {"* * 15WL * *", "not understood"},
    {"* * * * 5#0", "the number after # 0 is not within 1 to 5"},
    {"* * * * 5#6", "not within 1 to 5"},
    {"* * * * 5#", "expected 1 to 5 after"},
    {"* * * * 1-5L", "not understood"},
    {"L * * * *", "expected 0 to 59"},
    {"15W * * * *", "not understood"},
    {"H( * * * *", "expected 0 to 59"},
    {"H(1 * * * *", "H takes a range"},
    {"H(1-5 * * * *", "\")\" is missing"},
    {"H(1-60) * * * *", "not within 0 to 59"},
    {"H/0 * * * *", "not within 1 to 60"},
    {"H-5 * * * *", "not understood"},
    {"0 0 30 2 *", "no date matches"},
    {"0 0 31 4,6,9,11 *", "no date matches"},
    {"0 0 31W 2 *", "no date matches"},
    {"0 0 L-29 2 *", "no date matches"},
    {"@every 90s", "delay-recur"},
    {"@Every 1h30m", "delay-recur"},
    {"@reboot", "type now"},
    {"@hourly *", "unknown macro"},
    {"@fortnightly", "unknown macro"},
    {"@", "unknown macro"},
    {"0 0 *\n* *", "this has 4"},
    {"\xff * * * *", "expected 0 to 59"},
};

static void what_is_wrong_is_refused_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        struct cron *c = NULL;
        struct error err = {0};

        if (cron_parse(str_of(REFUSED[i][0]), 7, &c, &err) != ERR_INVALID || c != NULL ||
            strstr(err.text, REFUSED[i][1]) == NULL)
            fail_msg("\"%s\" gave \"%s\", not \"%s\"", REFUSED[i][0], err.text, REFUSED[i][1]);
    }
}

static void an_expression_has_a_greatest_length(void **state)
{
    char text[CRON_TEXT_MAX + 2];
    struct cron *c = NULL;

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "* * * * *", 9);
    assert_int_equal(cron_parse((struct str){text, CRON_TEXT_MAX + 1}, 0, &c, NULL), ERR_INVALID);
    assert_int_equal(cron_parse((struct str){text, CRON_TEXT_MAX}, 0, &c, NULL), ERR_NONE);
    cron_free(c);
    /* as many entries as there is room for */
    for (size_t i = 0; i < CRON_TEXT_MAX - 8; i++)
        text[i] = i % 2 == 0 ? '5' : ',';
    text[CRON_TEXT_MAX - 9] = '5';
    memcpy(text + CRON_TEXT_MAX - 8, " * * * *", 8);
    c = NULL;
    assert_int_equal(cron_parse((struct str){text, CRON_TEXT_MAX}, 0, &c, NULL), ERR_NONE);
    cron_free(c);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    struct cron *c = NULL;

    (void)state;
    alloc_test_fail_nth(1);
    assert_int_equal(cron_parse(STR("* * * * *"), 0, &c, NULL), ERR_MEMORY);
    alloc_test_fail_nth(0);
    assert_null(c);
}

/* The one occurrence of the expression in the hour, day or year that begins at `from`. */
static struct wall next_with_seed(const char *text, uint64_t seed, const char *from)
{
    struct cron *c = NULL;
    struct wall at = {0};

    assert_int_equal(cron_parse(str_of(text), seed, &c, NULL), ERR_NONE);
    assert_true(cron_next(c, utc_zone, (struct wall){utc(from).us - 1}, &at));
    cron_free(c);
    return at;
}

static void h_is_the_same_for_the_same_seed_for_ever(void **state)
{
    (void)state;
    /* written down once: a change of these moves every schedule in the world that uses H */
    assert_instant(next_with_seed("H H H H * *", 1, "2024-01-01T00:00:00Z"), "2024-01-13T12:28:25Z");
    assert_instant(next_with_seed("H H H H H *", 42, "2024-01-01T00:00:00Z"), "2024-02-02T06:26:46Z");
    assert_instant(next_with_seed("H H * * H", UINT64_MAX, "2024-01-01T00:00:00Z"), "2024-01-03T14:55:00Z");
}

/* Pearson's statistic of `bins` counts against even ones. */
static double chi_squared(const int *counts, int bins, int total)
{
    double expected = (double)total / bins;
    double sum = 0;

    for (int i = 0; i < bins; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return sum;
}

static void h_is_spread_evenly_over_identities(void **state)
{
    enum { IDENTITIES = 100000 };
    static const struct {
        const char *text;
        int64_t unit_s;
        int bins;
        double limit; /* the 99.9th percentile of chi squared with bins - 1 degrees of freedom */
    } cases[] = {
        {"H * * * * *", 1, 60, 98.3},         {"H * * * *", 60, 60, 98.3},
        {"0 H * * *", 3600, 24, 49.7},        {"0 0 H * *", 86400, 28, 55.5},
        {"H/15 * * * *", 60, 15, 36.1},       {"H(0-29) * * * *", 60, 30, 58.3},
        {"H(0-29)/10 * * * *", 60, 10, 27.9}, {"0 H(22-3) * * *", 3600, 24, 0}, /* wraps: judged below */
    };

    (void)state;
    for (size_t k = 0; k + 1 < COUNT_OF(cases); k++) {
        int counts[60] = {0};

        for (uint64_t id = 0; id < IDENTITIES; id++) {
            struct wall at = next_with_seed(cases[k].text, id, "2024-01-01T00:00:00Z");
            int64_t bin = (at.us - utc("2024-01-01T00:00:00Z").us) / US_PER_S / cases[k].unit_s;

            assert_in_range(bin, 0, cases[k].bins - 1);
            counts[bin]++;
        }
        double statistic = chi_squared(counts, cases[k].bins, IDENTITIES);

        if (statistic > cases[k].limit)
            fail_msg("%s: chi squared %.1f over %.1f", cases[k].text, statistic, cases[k].limit);
    }
}

static void the_fields_of_one_identity_are_independent(void **state)
{
    enum { IDENTITIES = 100000 };
    static int counts[12 * 12];

    (void)state;
    memset(counts, 0, sizeof(counts));
    for (uint64_t id = 0; id < IDENTITIES; id++) {
        struct wall at = next_with_seed("H(0-11) H(0-11) * * *", id, "2024-01-01T00:00:00Z");
        int64_t minutes = (at.us - utc("2024-01-01T00:00:00Z").us) / US_PER_S / 60;

        counts[minutes / 60 * 12 + minutes % 60]++;
    }
    assert_true(chi_squared(counts, 144, IDENTITIES) < 199.0); /* 143 degrees of freedom, 99.9 % */
}

static void h_stays_within_its_range_and_step(void **state)
{
    (void)state;
    for (uint64_t id = 0; id < 2000; id++) {
        struct wall at = next_with_seed("H(10-20) * * * *", id, "2024-01-01T00:00:00Z");
        int64_t minute = at.us / US_PER_S / 60 % 60;
        struct wall wrapped = next_with_seed("0 H(22-3) * * *", id, "2024-01-01T00:00:00Z");
        int64_t hour = wrapped.us / US_PER_S / 3600 % 24;
        struct cron *c = NULL;
        struct wall stepped[5];

        assert_in_range(minute, 10, 20);
        assert_true(hour >= 22 || hour <= 3);
        assert_int_equal(cron_parse(STR("H/15 * * * *"), id, &c, NULL), ERR_NONE);
        assert_int_equal(cron_next_n(c, utc_zone, utc("2023-12-31T23:59:59Z"), 5, stepped), 5);
        for (int i = 1; i < 5; i++)
            assert_int_equal(stepped[i].us - stepped[i - 1].us, 900 * US_PER_S);
        cron_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_fields_begin_with_the_minute_and_six_with_the_second),
        cmocka_unit_test(lists_ranges_and_steps),
        cmocka_unit_test(ranges_wrap),
        cmocka_unit_test(names_in_any_case_and_seven_for_sunday),
        cmocka_unit_test(either_day_field_matches_when_both_are_restricted),
        cmocka_unit_test(the_end_of_a_month_and_working_days),
        cmocka_unit_test(weekdays_of_a_month),
        cmocka_unit_test(macros),
        cmocka_unit_test(what_is_wrong_is_refused_and_named),
        cmocka_unit_test(an_expression_has_a_greatest_length),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
        cmocka_unit_test(h_is_the_same_for_the_same_seed_for_ever),
        cmocka_unit_test(h_is_spread_evenly_over_identities),
        cmocka_unit_test(the_fields_of_one_identity_are_independent),
        cmocka_unit_test(h_stays_within_its_range_and_step),
    };

    return cmocka_run_group_tests_name("calendar/cron_parse", tests, open_zone, close_zone);
}
