/*
 * clock.c: clock_gettime(2) as microseconds.
 */
#include "base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t clock)
{
    struct timespec t;

    /* It can only fail for a clock the kernel does not know; both are there since Linux 2.6.39. */
    MUST(clock_gettime(clock, &t) == 0);
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

struct wall clock_wall(void)
{
    return (struct wall){read_us(CLOCK_REALTIME)};
}

struct mono clock_mono(void)
{
    return (struct mono){read_us(CLOCK_BOOTTIME)};
}
