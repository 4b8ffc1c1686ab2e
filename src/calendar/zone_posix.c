/*
 * zone_posix.c: the footer's grammar, and the two instants a year that its rules stand for.
 */
#include "calendar/zone_posix.h"

#include "base/str.h"
#include "calendar/civil.h"
#include "calendar/zone_internal.h"

struct cursor {
    struct str s;
    size_t at;
};

static bool cursor_end(const struct cursor *c)
{
    return c->at == c->s.n;
}

static char cursor_peek(const struct cursor *c)
{
    return cursor_end(c) ? '\0' : c->s.p[c->at];
}

static bool cursor_take(struct cursor *c, char wanted)
{
    if (cursor_end(c) || c->s.p[c->at] != wanted)
        return false;
    c->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* At most four digits, so that no number here can overflow. */
static bool take_number(struct cursor *c, int min, int max, int *ret)
{
    size_t start = c->at;
    int n = 0;

    while (c->at - start < 4 && is_digit(cursor_peek(c)))
        n = n * 10 + (c->s.p[c->at++] - '0');
    if (c->at == start || is_digit(cursor_peek(c)) || n < min || n > max)
        return false;
    *ret = n;
    return true;
}

/* Three letters or more, or anything of letters, digits and signs between < and >. */
static bool take_name(struct cursor *c, char ret[ZONE_ABBR_MAX])
{
    bool quoted = cursor_take(c, '<');
    size_t n = 0;

    for (;; n++, c->at++) {
        char ch = cursor_peek(c);
        bool fits = is_alpha(ch) || (quoted && (is_digit(ch) || ch == '+' || ch == '-'));

        if (!fits)
            break;
        if (n + 1 == ZONE_ABBR_MAX)
            return false;
        ret[n] = ch;
    }
    ret[n] = '\0';
    return n >= 3 && (!quoted || cursor_take(c, '>'));
}

/* [+-]h[:mm[:ss]] */
static bool take_time(struct cursor *c, int max_hours, int32_t *ret_s)
{
    bool negative = cursor_take(c, '-');
    int h = 0;
    int m = 0;
    int s = 0;

    if (!negative)
        (void)cursor_take(c, '+');
    if (!take_number(c, 0, max_hours, &h))
        return false;
    if (cursor_take(c, ':') && !take_number(c, 0, 59, &m))
        return false;
    /* Without minutes there is no second colon: it would have been the first. */
    if (cursor_take(c, ':') && !take_number(c, 0, 59, &s))
        return false;
    *ret_s = (int32_t)(h * 3600 + m * 60 + s);
    if (negative)
        *ret_s = -*ret_s;
    return true;
}

static bool take_rule(struct cursor *c, struct posix_rule *ret)
{
    *ret = (struct posix_rule){.kind = POSIX_ZERO_BASED, .time_s = 2 * 3600};
    if (!cursor_take(c, ','))
        return false;
    if (cursor_take(c, 'M')) {
        ret->kind = POSIX_WEEKDAY;
        if (!take_number(c, 1, 12, &ret->month) || !cursor_take(c, '.') ||
            !take_number(c, 1, 5, &ret->week) || !cursor_take(c, '.') || !take_number(c, 0, 6, &ret->day))
            return false;
    } else if (cursor_take(c, 'J')) {
        ret->kind = POSIX_JULIAN;
        if (!take_number(c, 1, 365, &ret->day))
            return false;
    } else if (!take_number(c, 0, 365, &ret->day)) {
        return false;
    }
    return !cursor_take(c, '/') || take_time(c, 167, &ret->time_s);
}

/* POSIX counts offsets west of Greenwich as positive. */
static bool take_standard(struct cursor *c, struct zone_type *ret)
{
    int32_t west_s;

    if (!take_name(c, ret->abbr) || !take_time(c, 24, &west_s))
        return false;
    ret->offset_s = -west_s;
    return true;
}

static bool take_dst(struct cursor *c, struct posix_tz *tz)
{
    int32_t west_s = -tz->standard.offset_s - 3600;

    if (!take_name(c, tz->dst.abbr))
        return false;
    if (cursor_peek(c) != ',' && !take_time(c, 24, &west_s))
        return false;
    tz->has_dst = true;
    tz->dst.is_dst = true;
    tz->dst.offset_s = -west_s;
    return take_rule(c, &tz->start) && take_rule(c, &tz->end);
}

enum err posix_parse(struct str s, const char *name, struct posix_tz *ret, struct error *err)
{
    struct cursor c = {.s = s};
    struct posix_tz tz = {0};
    bool ok = take_standard(&c, &tz.standard) && (cursor_end(&c) || take_dst(&c, &tz)) && cursor_end(&c);

    if (!ok || tz.dst.offset_s < OFFSET_MIN_S || tz.dst.offset_s > OFFSET_MAX_S)
        return error_set(err, ERR_INVALID, name, "the zone file's footer is no POSIX TZ string");
    *ret = tz;
    return ERR_NONE;
}

static int64_t rule_day(const struct posix_rule *r, int64_t year)
{
    int64_t first = civil_to_days(year, r->kind == POSIX_WEEKDAY ? r->month : 1, 1);
    int64_t day;

    switch (r->kind) {
    case POSIX_JULIAN:
        return first + r->day - 1 + (r->day >= 60 && civil_is_leap(year));
    case POSIX_ZERO_BASED:
        return first + r->day;
    case POSIX_WEEKDAY:
        day = first + floor_mod(r->day - civil_weekday(first), 7) + 7 * (r->week - 1);
        return day < first + civil_month_days(year, r->month) ? day : day - 7;
    }
    return first;
}

int64_t posix_start_s(const struct posix_tz *tz, int64_t year)
{
    return rule_day(&tz->start, year) * SECONDS_A_DAY + tz->start.time_s - tz->standard.offset_s;
}

int64_t posix_end_s(const struct posix_tz *tz, int64_t year)
{
    return rule_day(&tz->end, year) * SECONDS_A_DAY + tz->end.time_s - tz->dst.offset_s;
}
