/*
 * cron_reading.c: the next and the last reading of a clock that an expression matches; zones and daylight
 * saving are cron_next.c's.
 *
 * Days are matched a month at a time, as a bitmap made of the expression's own; within a day each field is
 * one bit scan. The work is bounded by the months between here and the answer, which is 400 years at most,
 * since cron_compile() refuses what needs longer.
 */
#include "calendar/civil.h"
#include "calendar/cron_internal.h"

/* A day to either side of what we serve, for zones up to 26 hours off. */
enum { YEAR_LOW = 1969, YEAR_HIGH = 10000 };

static int lowest(uint64_t bits)
{
    return __builtin_ctzll(bits);
}

static int highest(uint64_t bits)
{
    return 63 - __builtin_clzll(bits);
}

/* The bits of `v` and above; of `v` and below. 0 <= v <= 63. */
static uint64_t from_bit(int v)
{
    return UINT64_MAX << v;
}

static uint64_t to_bit(int v)
{
    return UINT64_MAX >> (63 - v);
}

static int hms(int hour, int minute, int second)
{
    return hour * 3600 + minute * 60 + second;
}

/* The first matching second of a day at or after `second_of_day`, -1 when there is none. */
static int next_in_day(const struct cron *c, int second_of_day)
{
    int hour = second_of_day / 3600;
    int minute = second_of_day / 60 % 60;
    uint64_t left;

    if (c->hour >> hour & 1) {
        if (c->minute >> minute & 1) {
            left = c->second & from_bit(second_of_day % 60);
            if (left != 0)
                return hms(hour, minute, lowest(left));
        }
        left = c->minute & from_bit(minute + 1);
        if (left != 0)
            return hms(hour, lowest(left), lowest(c->second));
    }
    left = c->hour & from_bit(hour + 1);
    return left == 0 ? -1 : hms(lowest(left), lowest(c->minute), lowest(c->second));
}

/* The last matching second of a day at or before `second_of_day`, -1 when there is none. */
static int prev_in_day(const struct cron *c, int second_of_day)
{
    int hour = second_of_day / 3600;
    int minute = second_of_day / 60 % 60;
    uint64_t left;

    if (c->hour >> hour & 1) {
        if (c->minute >> minute & 1) {
            left = c->second & to_bit(second_of_day % 60);
            if (left != 0)
                return hms(hour, minute, highest(left));
        }
        left = minute == 0 ? 0 : c->minute & to_bit(minute - 1);
        if (left != 0)
            return hms(hour, highest(left), highest(c->second));
    }
    left = hour == 0 ? 0 : c->hour & to_bit(hour - 1);
    return left == 0 ? -1 : hms(highest(left), highest(c->minute), highest(c->second));
}

/* A month: how many days, and which weekday its first is. */
struct month {
    int days;
    int first;
};

static struct month month_of(int64_t year, int month)
{
    return (struct month){
        .days = civil_month_days(year, month),
        .first = civil_weekday(civil_to_days(year, month, 1)),
    };
}

static int weekday_of(struct month m, int day)
{
    return (m.first + day - 1) % 7;
}

/* The first day of the month that is `weekday`. */
static int first_of(struct month m, int weekday)
{
    return 1 + (weekday - m.first + 7) % 7;
}

/* Days of the month whose weekday is in the set: the set turned so that bit 0 is the first's, five times. */
static uint32_t days_of_weekdays(struct month m, uint32_t weekdays)
{
    uint32_t week = (weekdays >> m.first | weekdays << (7 - m.first)) & 0x7f;

    return (uint32_t)(week * UINT64_C(0x10204081) << 1);
}

/* The working day nearest to `day` within the month. */
static int near_workday(struct month m, int day)
{
    switch (weekday_of(m, day)) {
    case 0:
        return day == m.days ? day - 2 : day + 1;
    case 6:
        return day == 1 ? day + 2 : day - 1;
    default:
        return day;
    }
}

/* What `L` and `W` add to the days of the month. */
static uint32_t varying_days(const struct cron *c, struct month m)
{
    uint32_t days = 0;

    for (uint32_t left = c->day_from_last; left != 0; left &= left - 1)
        if (lowest(left) < m.days)
            days |= UINT32_C(1) << (m.days - lowest(left));
    for (uint32_t left = c->day_near_workday; left != 0; left &= left - 1)
        if (lowest(left) <= m.days)
            days |= UINT32_C(1) << near_workday(m, lowest(left));
    if (c->day_last_workday)
        days |= UINT32_C(1) << near_workday(m, m.days);
    return days;
}

/* What `5L` and `5#2` add. A fifth that the month has not falls beyond its end and is masked away. */
static uint32_t varying_weekdays(const struct cron *c, struct month m)
{
    uint32_t days = 0;

    for (int n = 0; n < 5; n++)
        for (uint32_t left = c->weekday_nth[n]; left != 0; left &= left - 1) {
            int day = first_of(m, lowest(left)) + 7 * n;

            if (day <= m.days)
                days |= UINT32_C(1) << day;
        }
    for (uint32_t left = c->weekday_last; left != 0; left &= left - 1) {
        int day = first_of(m, lowest(left)) + 28;

        days |= UINT32_C(1) << (day <= m.days ? day : day - 7);
    }
    return days;
}

/* The matching days of a month: bit d for day d. */
static uint32_t days_of_month(const struct cron *c, int64_t year, int month)
{
    struct month m = month_of(year, month);
    uint32_t by_day = c->day;
    uint32_t by_weekday = days_of_weekdays(m, c->weekday);
    uint32_t exist = (uint32_t)to_bit(m.days) & ~UINT32_C(1);

    if (c->days_vary) {
        by_day |= varying_days(c, m);
        by_weekday |= varying_weekdays(c, m);
    }
    return (c->either_day ? by_day | by_weekday : by_day & by_weekday) & exist;
}

bool cron_reading_matches(const struct cron *c, int64_t reading_s)
{
    struct civil date = civil_from_days(floor_div(reading_s, SECONDS_A_DAY));
    int second_of_day = (int)floor_mod(reading_s, SECONDS_A_DAY);

    return (c->month >> date.month & 1) != 0 &&
           (days_of_month(c, date.year, date.month) >> date.day & 1) != 0 &&
           next_in_day(c, second_of_day) == second_of_day;
}

bool cron_reading_next(const struct cron *c, int64_t from_s, int64_t *ret_s)
{
    int64_t days = floor_div(from_s, SECONDS_A_DAY);
    struct civil at = civil_from_days(days);
    uint64_t left = 0; /* days still to come of the month we are in */

    if (c->month >> at.month & 1) {
        left = days_of_month(c, at.year, at.month) & from_bit(at.day);
        if (left >> at.day & 1) {
            int found = next_in_day(c, (int)(from_s - days * SECONDS_A_DAY));

            if (found >= 0) {
                *ret_s = days * SECONDS_A_DAY + found;
                return true;
            }
            left &= left - 1;
        }
    }
    while (left == 0) {
        uint64_t months = c->month & from_bit(at.month + 1);

        if (months == 0) {
            months = c->month;
            if (++at.year > YEAR_HIGH)
                return false;
        }
        at.month = lowest(months);
        left = days_of_month(c, at.year, at.month);
    }
    *ret_s = civil_to_days(at.year, at.month, lowest(left)) * SECONDS_A_DAY +
             hms(lowest(c->hour), lowest(c->minute), lowest(c->second));
    return true;
}

bool cron_reading_prev(const struct cron *c, int64_t from_s, int64_t *ret_s)
{
    int64_t days = floor_div(from_s, SECONDS_A_DAY);
    struct civil at = civil_from_days(days);
    uint64_t left = 0; /* days already past of the month we are in */

    if (c->month >> at.month & 1) {
        left = days_of_month(c, at.year, at.month) & to_bit(at.day);
        if (left >> at.day & 1) {
            int found = prev_in_day(c, (int)(from_s - days * SECONDS_A_DAY));

            if (found >= 0) {
                *ret_s = days * SECONDS_A_DAY + found;
                return true;
            }
            left ^= UINT64_C(1) << at.day;
        }
    }
    while (left == 0) {
        uint64_t months = c->month & to_bit(at.month - 1);

        if (months == 0) {
            months = c->month;
            if (--at.year < YEAR_LOW)
                return false;
        }
        at.month = highest(months);
        left = days_of_month(c, at.year, at.month);
    }
    *ret_s = civil_to_days(at.year, at.month, highest(left)) * SECONDS_A_DAY +
             hms(highest(c->hour), highest(c->minute), highest(c->second));
    return true;
}
