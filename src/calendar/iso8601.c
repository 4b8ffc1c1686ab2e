/*
 * iso8601.c: reads strictly, from left to right, and names the part at fault; writes what it reads.
 */
#include "calendar/iso8601.h"

#include <stdio.h>

#include "base/str.h"
#include "calendar/civil.h"

enum { YEAR_MIN = 1970, YEAR_MAX = 9999 };

struct reader {
    struct str s;
    size_t at;
    struct error *err;
};

static enum err refuse(struct reader *r, const char *why)
{
    return error_set(r->err, ERR_INVALID, NULL, "not an ISO 8601 date and time (YYYY-MM-DDThh:mm:ss): %s",
                     why);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct reader *r)
{
    return r->at < r->s.n ? r->s.p[r->at] : '\0';
}

/* Exactly `digits` digits, within limits; `part` names it. */
static enum err read_part(struct reader *r, const char *part, int digits, int min, int max, int *ret)
{
    int n = 0;

    for (int i = 0; i < digits; i++, r->at++) {
        if (!is_digit(peek(r)))
            return error_set(
                r->err, ERR_INVALID, NULL,
                "not an ISO 8601 date and time (YYYY-MM-DDThh:mm:ss): the %s must have %d digits", part,
                digits);
        n = n * 10 + (peek(r) - '0');
    }
    if (n < min || n > max)
        return error_set(r->err, ERR_INVALID, NULL, "the %s %0*d is not within %d to %d", part, digits, n,
                         min, max);
    *ret = n;
    return ERR_NONE;
}

static enum err read_mark(struct reader *r, char mark, const char *why)
{
    if (peek(r) != mark)
        return refuse(r, why);
    r->at++;
    return ERR_NONE;
}

static enum err read_date(struct reader *r, int64_t *ret_days)
{
    int year = 0;
    int month = 0;
    int day = 0;
    enum err e;

    /* Said before its first four digits are taken for a year that is out of range. */
    if (r->s.n > 5 && is_digit(r->s.p[4]) && r->s.p[5] == '-')
        return refuse(r, "the year must have 4 digits");
    e = read_part(r, "year", 4, YEAR_MIN, YEAR_MAX, &year);
    if (!e)
        e = read_mark(r, '-', "\"-\" must stand after the year");
    if (!e)
        e = read_part(r, "month", 2, 1, 12, &month);
    if (!e)
        e = read_mark(r, '-', "\"-\" must stand after the month");
    if (!e)
        e = read_part(r, "day", 2, 1, 31, &day);
    if (e)
        return e;
    if (day > civil_month_days(year, month))
        return error_set(r->err, ERR_INVALID, NULL, "the day %02d does not exist in %04d-%02d", day, year,
                         month);
    *ret_days = civil_to_days(year, month, day);
    return ERR_NONE;
}

static enum err read_time(struct reader *r, int64_t *ret_s)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    enum err e = read_part(r, "hour", 2, 0, 23, &hour);

    if (!e)
        e = read_mark(r, ':', "\":\" must stand after the hour");
    if (!e)
        e = read_part(r, "minute", 2, 0, 59, &minute);
    if (!e)
        e = read_mark(r, ':', "\":\" must stand after the minute");
    if (!e)
        e = read_part(r, "second", 2, 0, 60, &second);
    if (e)
        return e;
    if (second == 60)
        return error_set(r->err, ERR_INVALID, NULL,
                         "the second 60 is a leap second, which has no time of its own");
    *ret_s = hour * 3600 + minute * 60 + second;
    return ERR_NONE;
}

/* .f{1,9}: what is finer than a µs is cut off, never rounded up into the next second. */
static enum err read_fraction(struct reader *r, int64_t *ret_us)
{
    int64_t scale = US_PER_S / 10;
    int digits = 0;

    *ret_us = 0;
    if (peek(r) == ',')
        return refuse(r, "the fraction follows a \".\", not a \",\"");
    if (peek(r) != '.')
        return ERR_NONE;
    for (r->at++; is_digit(peek(r)); r->at++, digits++) {
        *ret_us += (peek(r) - '0') * scale;
        scale /= 10;
    }
    return digits >= 1 && digits <= 9 ? ERR_NONE : refuse(r, "the fraction must have 1 to 9 digits");
}

static enum err read_offset(struct reader *r, struct iso_time *t)
{
    char sign = peek(r);
    int hours = 0;
    int minutes = 0;
    enum err e;

    if (sign == 'Z') {
        r->at++;
        t->has_offset = true;
        return ERR_NONE;
    }
    if (sign != '+' && sign != '-')
        return ERR_NONE;
    r->at++;
    e = read_part(r, "offset's hour", 2, 0, 23, &hours);
    if (!e)
        e = read_mark(r, ':', "\":\" must stand after the offset's hour");
    if (!e)
        e = read_part(r, "offset's minute", 2, 0, 59, &minutes);
    if (e)
        return e;
    t->has_offset = true;
    t->offset_s = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return ERR_NONE;
}

enum err iso_parse(struct str s, struct iso_time *ret, struct error *err)
{
    struct reader r = {.s = s, .err = err};
    struct iso_time t = {0};
    int64_t days = 0;
    int64_t second = 0;
    int64_t fraction_us = 0;
    enum err e;

    if (s.n == 0)
        return refuse(&r, "it is empty");
    e = read_date(&r, &days);
    if (!e && r.at == s.n)
        e = refuse(&r, "the time is missing");
    if (!e)
        e = read_mark(&r, 'T', "\"T\" must stand between the date and the time");
    if (!e)
        e = read_time(&r, &second);
    if (!e)
        e = read_fraction(&r, &fraction_us);
    if (!e)
        e = read_offset(&r, &t);
    if (!e && r.at != s.n)
        e = refuse(&r, t.has_offset ? "nothing may follow the offset"
                                    : "only a fraction, \"Z\" or an offset may follow the second");
    if (e)
        return e;
    t.local_us = (days * SECONDS_A_DAY + second) * US_PER_S + fraction_us;
    *ret = t;
    return ERR_NONE;
}

enum err iso_parse_instant(struct str s, const struct zone *z, struct wall *ret, struct error *err)
{
    struct iso_time t;
    struct wall at;
    enum err e = iso_parse(s, &t, err);

    if (e)
        return e;
    at = t.has_offset ? (struct wall){t.local_us - t.offset_s * US_PER_S}
                      : zone_from_local(z, t.local_us).first;
    if (at.us < 0)
        return error_set(err, ERR_INVALID, NULL, "it lies before 1970-01-01T00:00:00Z");
    if (at.us > WALL_MAX_US)
        return error_set(err, ERR_INVALID, NULL, "it lies after 9999-12-31T23:59:59Z");
    *ret = at;
    return ERR_NONE;
}

/* Writes the reading; yields how long it is. */
static int format_reading(int64_t local_us, char ret[ISO_TEXT_MAX])
{
    int64_t second = floor_div(local_us, US_PER_S);
    int us = (int)floor_mod(local_us, US_PER_S);
    struct civil date = civil_from_days(floor_div(second, SECONDS_A_DAY));
    int of_day = (int)floor_mod(second, SECONDS_A_DAY);
    int n = snprintf(ret, ISO_TEXT_MAX, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)date.year, date.month,
                     date.day, of_day / 3600, of_day / 60 % 60, of_day % 60);

    if (us == 0)
        return n;
    if (us % 1000 == 0)
        return n + snprintf(ret + n, (size_t)(ISO_TEXT_MAX - n), ".%03d", us / 1000);
    return n + snprintf(ret + n, (size_t)(ISO_TEXT_MAX - n), ".%06d", us);
}

void iso_format(struct wall t, char ret[ISO_TEXT_MAX])
{
    int n = format_reading(t.us, ret);

    (void)snprintf(ret + n, (size_t)(ISO_TEXT_MAX - n), "Z");
}

void iso_format_local(struct wall t, const struct zone *z, char ret[ISO_TEXT_MAX])
{
    /* An offset with seconds (Monrovia until 1972) can't be written: the reading is given for the whole
       minutes of it, so that the instant is the same when it is read back. */
    int minutes = zone_offset_s(z, t) / 60;
    int size = minutes < 0 ? -minutes : minutes;
    int n = format_reading(wall_add(t, minutes * 60 * US_PER_S).us, ret);

    (void)snprintf(ret + n, (size_t)(ISO_TEXT_MAX - n), "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60,
                   size % 60);
}
