/* zone.c: versions, footers, damage, gaps and repetitions; the system's zones are judged in tests/oracle. */
#include "calendar/zone.h"

#include "base/alloc.h"
#include "calendar_test.h"
#include "tzif_maker.h"

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

static const struct tzif_type TWO_TYPES[] = {{3600, 0, 0}, {7200, 1, 4}};
static const char TWO_NAMES[] = "STD\0DST"; /* with the final NUL */
static const int64_t TIMES[] = {1000000, 20000000};
static const uint8_t INDICES[] = {1, 0};

static struct tzif_parts plain_parts(char version)
{
    return (struct tzif_parts){
        .version = version,
        .times = TIMES,
        .indices = INDICES,
        .n_times = 2,
        .types = TWO_TYPES,
        .n_types = 2,
        .chars = TWO_NAMES,
        .n_chars = sizeof(TWO_NAMES),
        .footer = "STD-1",
    };
}

static struct zone *parse(const struct tzif_parts *parts)
{
    struct tzif f = tzif_make(parts);
    struct zone *z = NULL;
    struct error err;

    if (zone_parse(tzif_str(&f), "test", &z, &err) != ERR_NONE)
        fail_msg("%s", err.text);
    return z;
}

static void assert_refused(struct str bytes, const char *part_of_text)
{
    struct zone *z = NULL;
    struct error err = {0};

    assert_int_equal(zone_parse(bytes, "test", &z, &err), ERR_INVALID);
    assert_null(z);
    if (strstr(err.text, part_of_text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, part_of_text);
}

static void assert_parts_refused(const struct tzif_parts *parts, const char *part_of_text)
{
    struct tzif f = tzif_make(parts);

    assert_refused(tzif_str(&f), part_of_text);
}

static struct wall at_s(int64_t s)
{
    return (struct wall){s * US_PER_S};
}

static void every_version_of_the_format_is_read(void **state)
{
    static const char versions[] = {'\0', '2', '3', '4'};

    (void)state;
    for (size_t i = 0; i < sizeof(versions); i++) {
        struct tzif_parts parts = plain_parts(versions[i]);
        CLEANUP(zone_free_p) struct zone *z = parse(&parts);

        assert_string_equal(zone_name(z), "test");
        assert_int_equal(zone_offset_s(z, (struct wall){1000000 * US_PER_S - 1}), 3600);
        assert_int_equal(zone_offset_s(z, at_s(1000000)), 7200);
        assert_true(zone_type_at(z, at_s(1000000)).is_dst);
        assert_string_equal(zone_type_at(z, at_s(1000000)).abbr, "DST");
        assert_int_equal(zone_offset_s(z, at_s(20000000)), 3600);
        assert_int_equal(zone_offset_s(z, (struct wall){INT64_MAX}), 3600);
        assert_int_equal(zone_offset_s(z, (struct wall){INT64_MIN}), 3600);
    }
}

static void leap_second_tables_are_ignored(void **state)
{
    struct tzif_parts parts = plain_parts('3');
    CLEANUP(zone_free_p) struct zone *z = NULL;

    (void)state;
    parts.n_leap = 27;
    z = parse(&parts);
    assert_int_equal(zone_offset_s(z, at_s(20000000 - 1)), 7200);
    assert_int_equal(zone_offset_s(z, at_s(20000000)), 3600);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    struct tzif_parts parts = plain_parts('2');
    struct tzif f = tzif_make(&parts);

    (void)state;
    for (size_t n = 0; n < f.n; n++) {
        struct zone *z = NULL;
        /* A copy of exactly n bytes, so that the sanitizer sees a read past its end. */
        char *copy = test_malloc(n == 0 ? 1 : n);
        enum err e;

        memcpy(copy, f.bytes, n);
        e = zone_parse((struct str){copy, n}, "test", &z, NULL);
        test_free(copy);
        assert_int_equal(e, ERR_INVALID);
        assert_null(z);
    }
}

static void damage_to_any_byte_gives_an_error_or_a_zone_that_answers(void **state)
{
    struct tzif_parts parts = plain_parts('2');

    (void)state;
    for (size_t i = 0; i < tzif_make(&parts).n; i++) {
        for (int flip = 1; flip < 256; flip++) {
            struct tzif f = tzif_make(&parts);
            struct zone *z = NULL;

            f.bytes[i] = (char)(f.bytes[i] ^ flip);
            if (zone_parse(tzif_str(&f), "test", &z, NULL) != ERR_NONE)
                continue;
            (void)zone_type_at(z, at_s(1500000));
            (void)zone_from_local(z, 1500000 * US_PER_S);
            zone_free(z);
        }
    }
}

static void what_contradicts_itself_is_refused_by_name(void **state)
{
    static const int64_t backwards[] = {20000000, 1000000};
    static const uint8_t no_such_type[] = {1, 2};
    static const struct tzif_type too_far[] = {{3600, 0, 0}, {26 * 3600, 1, 4}};
    static const struct tzif_type odd_flag[] = {{3600, 0, 0}, {7200, 2, 4}};
    static const struct tzif_type no_abbr[] = {{3600, 0, 0}, {7200, 1, 8}};
    static const int64_t close_together[] = {1000000, 1000000 + 1800};
    struct tzif_parts parts;
    struct tzif f;

    (void)state;
    parts = plain_parts('2');
    parts.times = backwards;
    assert_parts_refused(&parts, "ascending");
    parts = plain_parts('2');
    parts.indices = no_such_type;
    assert_parts_refused(&parts, "type that is not there");
    parts = plain_parts('2');
    parts.types = too_far;
    assert_parts_refused(&parts, "a day or more");
    parts = plain_parts('2');
    parts.types = odd_flag;
    assert_parts_refused(&parts, "flag");
    parts = plain_parts('2');
    parts.types = no_abbr;
    assert_parts_refused(&parts, "no end");
    parts = plain_parts('2');
    parts.chars = "STD\0DSTX";
    assert_parts_refused(&parts, "no end");
    parts = plain_parts('2');
    parts.chars = "STD\0D T";
    assert_parts_refused(&parts, "odd characters");
    parts = plain_parts('2');
    parts.n_types = 0;
    parts.n_times = 0;
    assert_parts_refused(&parts, "no local time types");
    parts = plain_parts('2');
    parts.times = close_together;
    assert_parts_refused(&parts, "run into each other");
    parts = plain_parts('2');
    parts.footer = "STD-2";
    assert_parts_refused(&parts, "contradicts");
    parts = plain_parts('5');
    assert_parts_refused(&parts, "version");
    parts = plain_parts('2');
    f = tzif_make(&parts);
    f.bytes[20 + 3] = 1; /* isutcnt, neither 0 nor typecnt */
    f.bytes[f.n++] = 'x';
    assert_refused(tzif_str(&f), "counts contradict");
    assert_refused(STR(""), "header");
    assert_refused(STR("TZif"), "header");
}

static void footers_that_are_no_posix_string_are_refused(void **state)
{
    static const char *const bad[] = {
        "STD",
        "ST-1",
        "STD-1DST",
        "STD-1DST,M3.5.0",
        "STD-1DST,M3.5.0,M10.5.0x",
        "STD-1DST,M13.5.0,M10.5.0",
        "STD-1DST,M0.5.0,M10.5.0",
        "STD-1DST,M3.6.0,M10.5.0",
        "STD-1DST,M3.0.0,M10.5.0",
        "STD-1DST,M3.5.7,M10.5.0",
        "STD-1DST,J0,J100",
        "STD-1DST,J366,J100",
        "STD-1DST,366,100",
        "STD-25",
        "STD-1:60",
        "STD-1:00:60",
        "<STD-1",
        "<S>-1",
        "<STD>",
        "STD-1DST,M3.5.0/168,M10.5.0",
        "STD-1DST-27,M3.5.0,M10.5.0",
        "STD--1",
        "STD-1DST,M3.5.0/,M10.5.0",
        "STD-00001",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0",
        " STD-1",
        "STD-1 ",
        ":STD-1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct tzif_parts parts = plain_parts('3');
        struct tzif f;
        struct zone *z = NULL;
        struct error err = {0};

        parts.footer = bad[i];
        f = tzif_make(&parts);
        if (zone_parse(tzif_str(&f), "test", &z, &err) != ERR_INVALID || strstr(err.text, "POSIX") == NULL)
            fail_msg("\"%s\" was taken, or refused as: %s", bad[i], err.text);
    }
}

static struct zone *zone_of_footer(const char *footer)
{
    struct tzif_parts parts = plain_parts('3');

    parts.n_times = 0;
    parts.footer = footer;
    return parse(&parts);
}

static void a_footer_alone_rules_all_time(void **state)
{
    CLEANUP(zone_free_p) struct zone *z = zone_of_footer("EST5EDT,M3.2.0,M11.1.0");

    (void)state;
    assert_int_equal(zone_offset_s(z, utc("2024-03-10T06:59:59Z")), -5 * 3600);
    assert_int_equal(zone_offset_s(z, utc("2024-03-10T07:00:00Z")), -4 * 3600);
    assert_int_equal(zone_offset_s(z, utc("2024-11-03T05:59:59Z")), -4 * 3600);
    assert_int_equal(zone_offset_s(z, utc("2024-11-03T06:00:00Z")), -5 * 3600);
    assert_int_equal(zone_offset_s(z, utc("1970-07-01T00:00:00Z")), -4 * 3600);
    assert_int_equal(zone_offset_s(z, utc("9999-07-01T00:00:00Z")), -4 * 3600);
    assert_int_equal(zone_offset_s(z, at_s(-100000000000)), -5 * 3600);
    assert_int_equal(zone_offset_s(z, at_s(-100000000000 + 182 * 86400)), -4 * 3600);
}

static void every_kind_of_rule_is_counted_as_posix_does(void **state)
{
    struct wall change;
    CLEANUP(zone_free_p) struct zone *julian = zone_of_footer("AAA0BBB,J60/0,J365/24");
    CLEANUP(zone_free_p) struct zone *zero_based = zone_of_footer("AAA0BBB,59/0,300/0");
    CLEANUP(zone_free_p) struct zone *far_hours = zone_of_footer("<-02>2<-01>,M3.5.0/-167,M10.5.0/167");

    (void)state;
    assert_true(zone_next_change(julian, utc("2024-01-15T00:00:00Z"), &change));
    assert_instant(change, "2024-03-01T00:00:00Z"); /* J60 is 1 March in leap years too */
    assert_true(zone_next_change(julian, change, &change));
    assert_instant(change, "2024-12-31T23:00:00Z");
    assert_true(zone_next_change(zero_based, utc("2024-01-15T00:00:00Z"), &change));
    assert_instant(change, "2024-02-29T00:00:00Z");
    assert_true(zone_next_change(zero_based, utc("2023-01-15T00:00:00Z"), &change));
    assert_instant(change, "2023-03-01T00:00:00Z");
    assert_true(zone_next_change(far_hours, utc("2024-01-15T00:00:00Z"), &change));
    assert_instant(change, "2024-03-24T03:00:00Z"); /* 31 March 00:00-02:00 less 167 hours */
    assert_true(zone_next_change(far_hours, change, &change));
    assert_instant(change, "2024-11-03T00:00:00Z");
}

static void a_transition_holds_until_the_footers_next_change(void **state)
{
    /* standard time from July on, though the footer alone would have daylight saving until November */
    static const int64_t times[] = {1656633600}; /* 2022-07-01 */
    static const uint8_t indices[] = {0};
    static const struct tzif_type types[] = {{-6 * 3600, 0, 0}};
    struct tzif_parts parts = {.version = '2',
                               .times = times,
                               .indices = indices,
                               .n_times = 1,
                               .types = types,
                               .n_types = 1,
                               .chars = "CST",
                               .n_chars = 4,
                               .footer = "CST6CDT,M3.2.0,M11.1.0"};
    CLEANUP(zone_free_p) struct zone *z = parse(&parts);

    (void)state;
    assert_int_equal(zone_offset_s(z, utc("2022-08-01T00:00:00Z")), -6 * 3600);
    assert_int_equal(zone_offset_s(z, utc("2023-08-01T00:00:00Z")), -5 * 3600);
    assert_int_equal(zone_offset_s(z, utc("2022-01-01T00:00:00Z")), -6 * 3600);
}

static void daylight_saving_all_year_round_never_changes(void **state)
{
    CLEANUP(zone_free_p) struct zone *z = zone_of_footer("EST5EDT,0/0,J365/25");
    struct wall change;

    (void)state;
    assert_int_equal(zone_offset_s(z, utc("2024-01-01T04:59:59Z")), -4 * 3600);
    assert_int_equal(zone_offset_s(z, utc("2024-01-01T05:00:00Z")), -4 * 3600);
    assert_true(zone_type_at(z, utc("2024-12-31T23:59:59Z")).is_dst);
    assert_false(zone_next_change(z, utc("2024-01-01T00:00:00Z"), &change));
}

static void negative_daylight_saving_is_winter_time(void **state)
{
    const struct zone *dublin = system_zone(zones, "Europe/Dublin");
    struct zone_type winter = zone_type_at(dublin, utc("2400-01-15T12:00:00Z"));
    struct zone_type summer = zone_type_at(dublin, utc("2400-07-15T12:00:00Z"));

    (void)state;
    assert_int_equal(winter.offset_s, 0);
    assert_true(winter.is_dst);
    assert_string_equal(winter.abbr, "GMT");
    assert_int_equal(summer.offset_s, 3600);
    assert_false(summer.is_dst);
    assert_string_equal(summer.abbr, "IST");
}

static void the_rules_hold_to_the_year_9999(void **state)
{
    const struct zone *berlin = system_zone(zones, "Europe/Berlin");
    struct wall at = utc("9998-12-31T00:00:00Z");

    (void)state;
    assert_true(zone_next_change(berlin, at, &at));
    assert_instant(at, "9999-03-28T01:00:00Z");
    assert_true(zone_next_change(berlin, at, &at));
    assert_instant(at, "9999-10-31T01:00:00Z");
    assert_false(zone_next_change(berlin, at, &at));
    assert_true(zone_prev_change(berlin, utc("9999-10-31T01:00:00Z"), &at));
    assert_instant(at, "9999-10-31T01:00:00Z");
    at.us--;
    assert_true(zone_prev_change(berlin, at, &at));
    assert_instant(at, "9999-03-28T01:00:00Z");
}

static void changes_are_the_same_forwards_and_backwards(void **state)
{
    static const char *const names[] = {"Europe/Berlin", "Africa/Casablanca", "America/Sao_Paulo",
                                        "Pacific/Apia"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct zone *z = system_zone(zones, names[i]);
        struct wall at = utc("1970-01-01T00:00:00Z");
        struct wall next;

        while (at.us < utc("2600-01-01T00:00:00Z").us && zone_next_change(z, at, &next)) {
            struct wall back;
            struct wall before = {next.us - 1};

            assert_true(next.us > at.us);
            assert_int_not_equal(zone_offset_s(z, before), zone_offset_s(z, next));
            assert_true(zone_prev_change(z, next, &back));
            assert_int_equal(back.us, next.us);
            if (zone_prev_change(z, before, &back))
                assert_true(back.us <= at.us || at.us == 0);
            at = next;
        }
    }
}

static void a_reading_that_is_skipped_means_the_end_of_the_gap(void **state)
{
    const struct zone *berlin = system_zone(zones, "Europe/Berlin");
    struct zone_instants in = zone_from_local(berlin, reading("2024-03-31T02:30:00Z"));

    (void)state;
    assert_int_equal(in.fit, ZONE_GAP);
    assert_instant(in.first, "2024-03-31T01:00:00Z");
    assert_int_equal(in.first.us, in.second.us);
    in = zone_from_local(berlin, reading("2024-03-31T01:59:59Z"));
    assert_int_equal(in.fit, ZONE_ONCE);
    assert_instant(in.first, "2024-03-31T00:59:59Z");
    in = zone_from_local(berlin, reading("2024-03-31T03:00:00Z"));
    assert_int_equal(in.fit, ZONE_ONCE);
    assert_instant(in.first, "2024-03-31T01:00:00Z");
}

static void a_reading_that_repeats_has_two_instants(void **state)
{
    const struct zone *berlin = system_zone(zones, "Europe/Berlin");
    struct zone_instants in = zone_from_local(berlin, reading("2024-10-27T02:30:00Z"));

    (void)state;
    assert_int_equal(in.fit, ZONE_TWICE);
    assert_instant(in.first, "2024-10-27T00:30:00Z");
    assert_instant(in.second, "2024-10-27T01:30:00Z");
    in = zone_from_local(berlin, reading("2024-10-27T01:59:59Z"));
    assert_int_equal(in.fit, ZONE_ONCE);
    in = zone_from_local(berlin, reading("2024-10-27T02:00:00Z"));
    assert_int_equal(in.fit, ZONE_TWICE);
    in = zone_from_local(berlin, reading("2024-10-27T03:00:00Z"));
    assert_int_equal(in.fit, ZONE_ONCE);
    assert_instant(in.first, "2024-10-27T02:00:00Z");
}

static void a_whole_day_can_be_missing(void **state)
{
    const struct zone *apia = system_zone(zones, "Pacific/Apia");
    struct zone_instants in = zone_from_local(apia, reading("2011-12-30T12:00:00Z"));

    (void)state;
    assert_int_equal(in.fit, ZONE_GAP);
    assert_instant(in.first, "2011-12-30T10:00:00Z");
    assert_int_equal(zone_to_local(apia, in.first), reading("2011-12-31T00:00:00Z"));
}

static void what_is_read_at_an_instant_leads_back_to_it(void **state)
{
    static const char *const names[] = {"Asia/Seoul", "Australia/Lord_Howe", "Antarctica/Troll",
                                        "Africa/Cairo"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct zone *z = system_zone(zones, names[i]);

        for (int64_t s = 0; s < INT64_C(253402300799); s += 86400 * 11 + 1801) {
            struct zone_instants in = zone_from_local(z, zone_to_local(z, at_s(s)));

            assert_true(in.fit != ZONE_GAP);
            assert_true(in.first.us == s * US_PER_S || in.second.us == s * US_PER_S);
        }
    }
}

static void the_ends_of_the_range_overflow_nothing(void **state)
{
    const struct zone *berlin = system_zone(zones, "Europe/Berlin");
    CLEANUP(zone_free_p) struct zone *footer = zone_of_footer("EST5EDT,M3.2.0,M11.1.0");
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, INT64_MIN + 90000000000, -1,
                                   0,         WALL_MAX_US,   INT64_MAX - 1,           INT64_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        const struct zone *both[] = {berlin, footer};

        for (size_t k = 0; k < 2; k++) {
            struct wall ret;

            (void)zone_type_at(both[k], (struct wall){ends[i]});
            (void)zone_to_local(both[k], (struct wall){ends[i]});
            (void)zone_from_local(both[k], ends[i]);
            (void)zone_next_change(both[k], (struct wall){ends[i]}, &ret);
            (void)zone_prev_change(both[k], (struct wall){ends[i]}, &ret);
        }
    }
}

static void a_fixed_zone_never_changes(void **state)
{
    CLEANUP(zone_free_p) struct zone *z = zone_fixed(-(9 * 3600 + 1800));
    struct wall change;

    (void)state;
    assert_string_equal(zone_name(z), "-09:30");
    assert_int_equal(zone_offset_s(z, utc("2024-07-01T00:00:00Z")), -(9 * 3600 + 1800));
    assert_false(zone_type_at(z, (struct wall){0}).is_dst);
    assert_false(zone_next_change(z, (struct wall){0}, &change));
    assert_false(zone_prev_change(z, (struct wall){0}, &change));
    assert_int_equal(zone_from_local(z, 0).first.us, (9 * 3600 + 1800) * US_PER_S);
}

static void memory_that_runs_out_is_an_error_and_leaks_nothing(void **state)
{
    struct tzif_parts parts = plain_parts('3');
    struct tzif f;
    enum err e = ERR_MEMORY;
    uint64_t n = 0;

    (void)state;
    parts.n_times = 0;
    parts.footer = "EST5EDT,M3.2.0,M11.1.0";
    f = tzif_make(&parts);
    while (e == ERR_MEMORY) {
        struct zone *z = NULL;

        alloc_test_fail_nth(++n);
        e = zone_parse(tzif_str(&f), "test", &z, NULL);
        alloc_test_fail_nth(0);
        assert_true((e == ERR_NONE) == (z != NULL));
        zone_free(z);
    }
    assert_int_equal(e, ERR_NONE);
    assert_true(n > 5);
}

static void a_directory_or_a_missing_file_is_no_zone(void **state)
{
    struct zone *z = NULL;
    struct error err;

    (void)state;
    assert_int_equal(zone_load(zone_dir(), "dir", &z, &err), ERR_INVALID);
    assert_int_equal(zone_load("/nonexistent/zone", "gone", &z, &err), ERR_IO);
    assert_int_equal(zone_load("/dev/zero", "zero", &z, &err), ERR_INVALID);
    assert_null(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_of_the_format_is_read),
        cmocka_unit_test(leap_second_tables_are_ignored),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(damage_to_any_byte_gives_an_error_or_a_zone_that_answers),
        cmocka_unit_test(what_contradicts_itself_is_refused_by_name),
        cmocka_unit_test(footers_that_are_no_posix_string_are_refused),
        cmocka_unit_test(a_footer_alone_rules_all_time),
        cmocka_unit_test(every_kind_of_rule_is_counted_as_posix_does),
        cmocka_unit_test(a_transition_holds_until_the_footers_next_change),
        cmocka_unit_test(daylight_saving_all_year_round_never_changes),
        cmocka_unit_test(negative_daylight_saving_is_winter_time),
        cmocka_unit_test(the_rules_hold_to_the_year_9999),
        cmocka_unit_test(changes_are_the_same_forwards_and_backwards),
        cmocka_unit_test(a_reading_that_is_skipped_means_the_end_of_the_gap),
        cmocka_unit_test(a_reading_that_repeats_has_two_instants),
        cmocka_unit_test(a_whole_day_can_be_missing),
        cmocka_unit_test(what_is_read_at_an_instant_leads_back_to_it),
        cmocka_unit_test(the_ends_of_the_range_overflow_nothing),
        cmocka_unit_test(a_fixed_zone_never_changes),
        cmocka_unit_test(memory_that_runs_out_is_an_error_and_leaks_nothing),
        cmocka_unit_test(a_directory_or_a_missing_file_is_no_zone),
    };

    return cmocka_run_group_tests_name("calendar/zone", tests, open_zones, close_zones);
}
