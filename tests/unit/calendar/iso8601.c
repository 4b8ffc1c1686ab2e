/* iso8601.c: every malformed variant refused by name, and what is written is read again. */
#include "calendar/iso8601.h"

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

static struct iso_time parse(const char *text)
{
    struct iso_time t = {0};
    struct error err;

    if (iso_parse(str_of(text), &t, &err) != ERR_NONE)
        fail_msg("%s: %s", text, err.text);
    return t;
}

static void a_date_and_time_is_read_to_the_microsecond(void **state)
{
    (void)state;
    assert_int_equal(parse("1970-01-01T00:00:00").local_us, 0);
    assert_int_equal(parse("2023-04-05T12:30:00").local_us, INT64_C(1680697800000000));
    assert_int_equal(parse("2023-04-05T12:30:00.5").local_us, INT64_C(1680697800500000));
    assert_int_equal(parse("2023-04-05T12:30:00.000001").local_us, INT64_C(1680697800000001));
    assert_int_equal(parse("2023-04-05T12:30:00.999999999").local_us, INT64_C(1680697800999999));
    assert_int_equal(parse("9999-12-31T23:59:59.999999").local_us, WALL_MAX_US);
    assert_int_equal(parse("2024-02-29T00:00:00").local_us, INT64_C(1709164800000000));
}

static void an_offset_is_kept_and_its_absence_too(void **state)
{
    (void)state;
    assert_false(parse("2023-04-05T12:30:00").has_offset);
    assert_true(parse("2023-04-05T12:30:00Z").has_offset);
    assert_int_equal(parse("2023-04-05T12:30:00Z").offset_s, 0);
    assert_int_equal(parse("2023-04-05T12:30:00+09:00").offset_s, 32400);
    assert_int_equal(parse("2023-04-05T12:30:00.25-03:30").offset_s, -12600);
    assert_true(parse("2023-04-05T12:30:00-00:00").has_offset);
}

/* text, what the refusal must say */
static const char *const MALFORMED[][2] = {
    {"", "empty"},
    {"2023", "\"-\" must stand after the year"},
    {"23-04-05T12:30:00", "year must have 4 digits"},
    {"12023-04-05T12:30:00", "year must have 4 digits"},
    {"+2023-04-05T12:30:00", "year must have 4 digits"},
    {"-2023-04-05T12:30:00", "year must have 4 digits"},
    {"20230405T123000", "\"-\" must stand after the year"},
    {"2023/04/05T12:30:00", "\"-\" must stand after the year"},
    {"2023-4-05T12:30:00", "month must have 2 digits"},
    {"2023-04", "\"-\" must stand after the month"},
    {"2023-04-5T12:30:00", "day must have 2 digits"},
    {"2023-W14-3T12:30:00", "month must have 2 digits"},
    {"2023-095T12:30:00", "\"-\" must stand after the month"},
    {"1969-12-31T23:59:59", "year 1969 is not within 1970 to 9999"},
    {"0000-01-01T00:00:00", "year 0000 is not within"},
    {"2023-00-05T12:30:00", "month 00 is not within 1 to 12"},
    {"2023-13-05T12:30:00", "month 13 is not within 1 to 12"},
    {"2023-04-00T12:30:00", "day 00 is not within 1 to 31"},
    {"2023-04-32T12:30:00", "day 32 is not within 1 to 31"},
    {"2023-04-31T12:30:00", "day 31 does not exist in 2023-04"},
    {"2023-02-29T12:30:00", "day 29 does not exist in 2023-02"},
    {"2100-02-29T12:30:00", "day 29 does not exist in 2100-02"},
    {"2023-04-05", "time is missing"},
    {"2023-04-05 12:30:00", "\"T\" must stand between"},
    {"2023-04-05t12:30:00", "\"T\" must stand between"},
    {"2023-04-05T", "hour must have 2 digits"},
    {"2023-04-05T12", "\":\" must stand after the hour"},
    {"2023-04-05T1230", "\":\" must stand after the hour"},
    {"2023-04-05T24:00:00", "hour 24 is not within 0 to 23"},
    {"2023-04-05T12:30", "\":\" must stand after the minute"},
    {"2023-04-05T12:60:00", "minute 60 is not within 0 to 59"},
    {"2023-04-05T12:30:61", "second 61 is not within"},
    {"2016-12-31T23:59:60Z", "leap second"},
    {"2023-04-05T12:30:0", "second must have 2 digits"},
    {"2023-04-05T12:30:00.", "fraction must have 1 to 9 digits"},
    {"2023-04-05T12:30:00.Z", "fraction must have 1 to 9 digits"},
    {"2023-04-05T12:30:00.0123456789", "fraction must have 1 to 9 digits"},
    {"2023-04-05T12:30:00,5", "not a \",\""},
    {"2023-04-05T12:30:00z", "may follow the second"},
    {"2023-04-05T12:30:00 ", "may follow the second"},
    {" 2023-04-05T12:30:00", "year must have 4 digits"},
    {"2023-04-05T12:30:00ZZ", "nothing may follow the offset"},
    {"2023-04-05T12:30:00Z[Asia/Seoul]", "nothing may follow the offset"},
    {"2023-04-05T12:30:00+9:00", "offset's hour must have 2 digits"},
    {"2023-04-05T12:30:00+0900", "\":\" must stand after the offset's hour"},
    {"2023-04-05T12:30:00+09", "\":\" must stand after the offset's hour"},
    {"2023-04-05T12:30:00+24:00", "offset's hour 24 is not within 0 to 23"},
    {"2023-04-05T12:30:00+09:60", "offset's minute 60 is not within 0 to 59"},
    {"2023-04-05T12:30:00+09:00:00", "nothing may follow the offset"},
    {"2023-04-05T12:30:00\xe2\x88\x92"
     "03:00",
     "may follow the second"},
    {"tomorrow", "year must have 4 digits"},
    {"1680697800", "year 1680 is not within"},
};

static void every_malformed_variant_is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(MALFORMED); i++) {
        struct iso_time t = {.local_us = 42};
        struct error err = {0};

        if (iso_parse(str_of(MALFORMED[i][0]), &t, &err) != ERR_INVALID ||
            strstr(err.text, MALFORMED[i][1]) == NULL)
            fail_msg("\"%s\" gave \"%s\", not \"%s\"", MALFORMED[i][0], err.text, MALFORMED[i][1]);
        assert_int_equal(t.local_us, 42);
    }
}

static void a_byte_too_few_or_too_many_is_never_taken_as_another_time(void **state)
{
    static const char whole[] = "2023-04-05T12:30:00.123456+09:00";
    size_t taken = 0;

    (void)state;
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        struct iso_time t;

        if (iso_parse((struct str){whole, n}, &t, NULL) == ERR_NONE)
            taken++;
    }
    assert_int_equal(taken, 7); /* the second's end, and after each digit of the fraction */
    assert_int_equal(iso_parse((struct str){"2023-04-05T12:30:00\0", 20}, &(struct iso_time){0}, NULL),
                     ERR_INVALID);
}

static struct wall instant(const char *text, const struct zone *z)
{
    struct wall at = {0};
    struct error err;

    if (iso_parse_instant(str_of(text), z, &at, &err) != ERR_NONE)
        fail_msg("%s: %s", text, err.text);
    return at;
}

static void a_local_time_is_that_of_the_zone(void **state)
{
    const struct zone *berlin = system_zone(zones, "Europe/Berlin");

    (void)state;
    assert_instant(instant("2023-04-05T12:30:00", system_zone(zones, "Asia/Seoul")), "2023-04-05T03:30:00Z");
    assert_instant(instant("2023-04-05T12:30:00Z", berlin), "2023-04-05T12:30:00Z");
    assert_instant(instant("2023-04-05T12:30:00.25-03:30", berlin), "2023-04-05T16:00:00.250Z");
    /* in the gap: its end; twice: the first */
    assert_instant(instant("2024-03-31T02:30:00.5", berlin), "2024-03-31T01:00:00Z");
    assert_instant(instant("2024-10-27T02:30:00.5", berlin), "2024-10-27T00:30:00.500Z");
}

static void an_instant_outside_our_time_is_refused(void **state)
{
    const struct zone *seoul = system_zone(zones, "Asia/Seoul");
    const struct zone *new_york = system_zone(zones, "America/New_York");
    struct wall at;
    struct error err;

    (void)state;
    assert_int_equal(iso_parse_instant(STR("1970-01-01T00:00:00"), seoul, &at, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "before 1970"));
    assert_int_equal(iso_parse_instant(STR("9999-12-31T23:59:59"), new_york, &at, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "after 9999"));
    assert_int_equal(iso_parse_instant(STR("1970-01-01T00:00:00-00:01"), seoul, &at, &err), ERR_NONE);
    assert_int_equal(at.us, 60 * US_PER_S);
}

static void what_is_written_can_be_read_again(void **state)
{
    static const int64_t times[] = {0, 1, 999, 1000, 999999, 1000000, INT64_C(1709164800123456), WALL_MAX_US};
    const struct zone *lord_howe = system_zone(zones, "Australia/Lord_Howe");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times) - 1; i++) {
        char text[ISO_TEXT_MAX];

        iso_format((struct wall){times[i]}, text);
        assert_int_equal(instant(text, lord_howe).us, times[i]);
        iso_format_local((struct wall){times[i]}, lord_howe, text);
        assert_int_equal(instant(text, lord_howe).us, times[i]);
    }
}

static void fractions_have_none_three_or_six_digits(void **state)
{
    (void)state;
    assert_instant((struct wall){0}, "1970-01-01T00:00:00Z");
    assert_instant((struct wall){500000}, "1970-01-01T00:00:00.500Z");
    assert_instant((struct wall){1}, "1970-01-01T00:00:00.000001Z");
    assert_instant((struct wall){-1}, "1969-12-31T23:59:59.999999Z");
    assert_instant((struct wall){WALL_MAX_US}, "9999-12-31T23:59:59.999999Z");
}

static void local_times_carry_their_offset(void **state)
{
    char text[ISO_TEXT_MAX];
    struct wall at = utc("2026-11-23T09:00:00Z");

    (void)state;
    iso_format_local(at, system_zone(zones, "Asia/Seoul"), text);
    assert_string_equal(text, "2026-11-23T18:00:00+09:00");
    iso_format_local(at, system_zone(zones, "America/St_Johns"), text);
    assert_string_equal(text, "2026-11-23T05:30:00-03:30");
    /* -00:44:30 there until 1972: written in whole minutes, the same instant */
    iso_format_local((struct wall){0}, system_zone(zones, "Africa/Monrovia"), text);
    assert_string_equal(text, "1969-12-31T23:16:00-00:44");
}

static void the_ends_of_the_range_have_room(void **state)
{
    char text[ISO_TEXT_MAX];

    (void)state;
    iso_format((struct wall){INT64_MAX}, text);
    assert_string_equal(text, "294247-01-10T04:00:54.775807Z");
    iso_format((struct wall){INT64_MIN}, text);
    assert_true(strlen(text) < ISO_TEXT_MAX - 1);
    iso_format_local((struct wall){INT64_MIN}, system_zone(zones, "Asia/Seoul"), text);
    iso_format_local((struct wall){INT64_MAX}, system_zone(zones, "Asia/Seoul"), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_and_time_is_read_to_the_microsecond),
        cmocka_unit_test(an_offset_is_kept_and_its_absence_too),
        cmocka_unit_test(every_malformed_variant_is_refused_by_name),
        cmocka_unit_test(a_byte_too_few_or_too_many_is_never_taken_as_another_time),
        cmocka_unit_test(a_local_time_is_that_of_the_zone),
        cmocka_unit_test(an_instant_outside_our_time_is_refused),
        cmocka_unit_test(what_is_written_can_be_read_again),
        cmocka_unit_test(fractions_have_none_three_or_six_digits),
        cmocka_unit_test(local_times_carry_their_offset),
        cmocka_unit_test(the_ends_of_the_range_have_room),
    };

    return cmocka_run_group_tests_name("calendar/iso8601", tests, open_zones, close_zones);
}
