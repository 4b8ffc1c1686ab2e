/*
 * civil.h: the proleptic Gregorian calendar as arithmetic: days since 1970-01-01 to year, month, day and
 * back.
 *
 * Pure, no tables beyond twelve numbers, no time zone: a reading of the wall clock is counted as though it
 * were UTC. Every function takes any day within 2^40 of 1970, which is far beyond what a 64-bit microsecond
 * count can say, so nothing here can overflow.
 */
#ifndef CALENDAR_CIVIL_H
#define CALENDAR_CIVIL_H

#include "base/base.h"

enum { SECONDS_A_DAY = 86400 };
/* The calendar repeats, weekdays included, after 400 years: 146,097 days, which are 20,871 weeks. */
enum { CYCLE_YEARS = 400, CYCLE_DAYS = 146097 };

struct civil {
    int64_t year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

/* Floor division: towards minus infinity, so that times before 1970 fall on the right day. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static inline int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t r = a % b;

    return r < 0 ? r + b : r;
}

static inline bool civil_is_leap(int64_t year)
{
    return (year & 3) == 0 && (year % 100 != 0 || (year & 15) == 0);
}

static inline int civil_month_days(int64_t year, int month)
{
    /* Odd months up to July and even ones from August have 31: bit 3 flips the parity. */
    return month == 2 ? 28 + civil_is_leap(year) : 30 + ((month ^ (month >> 3)) & 1);
}

/* Days since 1970-01-01. The year is taken to begin in March, which puts the leap day at its end. */
static inline int64_t civil_to_days(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, CYCLE_YEARS);
    int64_t year_of_era = y - era * CYCLE_YEARS;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * CYCLE_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static inline struct civil civil_from_days(int64_t days)
{
    int64_t z = days + 719468; /* since 0000-03-01 */
    int64_t era = floor_div(z, CYCLE_DAYS);
    uint32_t day_of_era = (uint32_t)(z - era * CYCLE_DAYS);
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t m = (5 * day_of_year + 2) / 153; /* 0 is March */
    int month = (int)(m < 10 ? m + 3 : m - 9);

    return (struct civil){
        .year = (int64_t)year_of_era + era * CYCLE_YEARS + (month <= 2),
        .month = month,
        .day = (int)(day_of_year - (153 * m + 2) / 5 + 1),
    };
}

/* 0 is Sunday. 1970-01-01 was a Thursday. */
static inline int civil_weekday(int64_t days)
{
    return (int)floor_mod(days + 4, 7);
}

#endif
