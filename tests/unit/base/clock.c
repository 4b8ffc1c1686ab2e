/*
 * clock.c: tests of base/clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "base/clock.h"

static int64_t read_us(clockid_t clock)
{
    struct timespec t;

    assert_int_equal(clock_gettime(clock, &t), 0);
    return t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static void the_wall_clock_is_the_systems_in_microseconds(void **state)
{
    int64_t before = read_us(CLOCK_REALTIME);
    int64_t now = clock_wall().us;

    (void)state;
    assert_true(now >= before);
    assert_true(now - before < 60 * US_PER_S);
}

static void the_other_clock_counts_since_boot_and_never_goes_back(void **state)
{
    int64_t last = read_us(CLOCK_BOOTTIME);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono().us;

        assert_true(now >= last);
        last = now;
    }
    assert_true(last - read_us(CLOCK_BOOTTIME) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_is_the_systems_in_microseconds),
        cmocka_unit_test(the_other_clock_counts_since_boot_and_never_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
