/* zones.c: names that are no zone, and threads that share one cache. */
#include "calendar/zones.h"

#include <pthread.h>

#include "base/alloc.h"
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

static void a_zone_is_read_once_and_shared(void **state)
{
    const struct zone *seoul = system_zone(zones, "Asia/Seoul");

    (void)state;
    assert_ptr_equal(seoul, system_zone(zones, "Asia/Seoul"));
    assert_string_equal(zone_name(seoul), "Asia/Seoul");
    assert_int_equal(zone_offset_s(seoul, utc("2026-01-01T00:00:00Z")), 9 * 3600);
    assert_int_equal(zone_offset_s(system_zone(zones, "UTC"), (struct wall){0}), 0);
    assert_int_equal(
        zone_offset_s(system_zone(zones, "America/Argentina/ComodRivadavia"), utc("2026-01-01T00:00:00Z")),
        -3 * 3600);
}

static void names_that_are_no_zone_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "Asia/Soul",
        "asia/seoul",
        "Asia",
        "Asia/",
        "/Asia/Seoul",
        "Asia//Seoul",
        "../zoneinfo/Asia/Seoul",
        "Asia/../Asia/Seoul",
        "./Asia/Seoul",
        "Asia/Seoul/",
        "Asia/Seoul/x",
        "tzdata.zi",
        "zone.tab",
        "leapseconds",
        "/etc/passwd",
        "Asia/Seoul ",
        "Asia\\Seoul",
        "Asia/\nSeoul",
        "localtime",
        "posixrules",
        "right/Asia/Seoul",
        "+VERSION",
        "UTC+9x",
        "서울",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "a",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct zone *z = NULL;
        struct error err = {0};

        if (zones_get(zones, str_of(bad[i]), &z, &err) != ERR_INVALID || z != NULL || err.text[0] == '\0')
            fail_msg("\"%s\" was taken, or refused as %s: %s", bad[i], err_name(err.code), err.text);
    }
    const struct zone *z = NULL;

    assert_int_equal(zones_get(zones, (struct str){"UTC\0x", 5}, &z, NULL), ERR_INVALID);
}

static void the_database_says_which_release_it_is(void **state)
{
    const char *version = zones_version(zones);

    (void)state;
    assert_true(strlen(version) >= 5);
    assert_memory_equal(version, "20", 2);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
    struct zones *none = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(zones_new("/nonexistent", &none, &err), ERR_IO);
    assert_null(none);
    assert_string_equal(err.where, "/nonexistent");
}

static void *ask_for_all(void *arg)
{
    static const char *const names[] = {"Asia/Seoul", "Europe/Paris",     "America/New_York", "Africa/Cairo",
                                        "Asia/Tokyo", "Australia/Sydney", "Etc/GMT+5",        "America/Lima",
                                        "Asia/Amman", "Indian/Maldives"};
    struct zones *shared = arg;
    uintptr_t mix = 0;

    for (int round = 0; round < 200; round++)
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            const struct zone *z = NULL;

            if (zones_get(shared, str_of(names[i]), &z, NULL) != ERR_NONE)
                return NULL;
            mix +=
                (uintptr_t)z ^ (uintptr_t)zone_offset_s(z, (struct wall){round * INT64_C(86400000000) * 90});
        }
    return (void *)(mix | 1);
}

static void threads_get_the_same_zones(void **state)
{
    struct zones *shared = system_zones();
    pthread_t threads[4];
    void *first = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_all, shared), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *mix = NULL;

        assert_int_equal(pthread_join(threads[i], &mix), 0);
        assert_non_null(mix);
        first = first == NULL ? mix : first;
        assert_ptr_equal(mix, first);
    }
    zones_free(shared);
}

static void memory_that_runs_out_is_an_error_and_can_be_asked_again(void **state)
{
    struct zones *own = system_zones();
    enum err e = ERR_MEMORY;
    const struct zone *z = NULL;

    (void)state;
    for (uint64_t n = 1; e == ERR_MEMORY; n++) {
        alloc_test_fail_nth(n);
        e = zones_get(own, STR("Europe/Berlin"), &z, NULL);
        alloc_test_fail_nth(0);
    }
    assert_int_equal(e, ERR_NONE);
    assert_ptr_equal(z, system_zone(own, "Europe/Berlin"));
    zones_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_read_once_and_shared),
        cmocka_unit_test(names_that_are_no_zone_are_refused),
        cmocka_unit_test(the_database_says_which_release_it_is),
        cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
        cmocka_unit_test(memory_that_runs_out_is_an_error_and_can_be_asked_again),
        cmocka_unit_test(threads_get_the_same_zones),
    };

    return cmocka_run_group_tests_name("calendar/zones", tests, open_zones, close_zones);
}
