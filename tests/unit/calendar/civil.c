/* civil.c: the calendar against the C library, and against itself over a whole cycle. */
#include "calendar/civil.h"

#include <time.h>

#include "calendar_test.h"

static void days_and_dates_agree_with_the_c_library_over_twenty_thousand_years(void **state)
{
    (void)state;
    for (int64_t days = -3650000; days < 3650000; days += 7) {
        time_t t = (time_t)(days * SECONDS_A_DAY);
        struct tm tm;
        struct civil c = civil_from_days(days);

        assert_non_null(gmtime_r(&t, &tm));
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(civil_weekday(days), tm.tm_wday);
        assert_int_equal(civil_to_days(c.year, c.month, c.day), days);
    }
}

static void every_day_of_a_cycle_survives_the_way_there_and_back(void **state)
{
    (void)state;
    for (int64_t days = 0; days < CYCLE_DAYS; days++) {
        struct civil c = civil_from_days(days);
        struct civil later = civil_from_days(days + CYCLE_DAYS);

        assert_int_equal(civil_to_days(c.year, c.month, c.day), days);
        assert_int_equal(later.year, c.year + CYCLE_YEARS);
        assert_int_equal(later.month, c.month);
        assert_int_equal(later.day, c.day);
        assert_int_equal(civil_weekday(days), civil_weekday(days + CYCLE_DAYS));
    }
}

static void a_month_ends_the_day_before_the_next_begins(void **state)
{
    (void)state;
    for (int64_t year = 1600; year < 2401; year++)
        for (int month = 1; month <= 12; month++) {
            int64_t first = civil_to_days(year, month, 1);
            int64_t next = month == 12 ? civil_to_days(year + 1, 1, 1) : civil_to_days(year, month + 1, 1);

            assert_int_equal(civil_month_days(year, month), next - first);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_dates_agree_with_the_c_library_over_twenty_thousand_years),
        cmocka_unit_test(every_day_of_a_cycle_survives_the_way_there_and_back),
        cmocka_unit_test(a_month_ends_the_day_before_the_next_begins),
    };

    return cmocka_run_group_tests_name("calendar/civil", tests, NULL, NULL);
}
