/*
 * cron_compile.c: from the entries of the fields to bitmaps, and the two questions that are settled once:
 * how the expression meets daylight saving, and whether it can ever match.
 */
#include "calendar/cron_internal.h"

/* 9600-01-01T00:00:00 */
#define YEAR_9600_S INT64_C(240779520000)

static uint64_t bits_of(const struct cron_limits *limits, int from, int to, int step)
{
    int span = limits->max - limits->min + 1;
    int length = to - from + 1 + (to < from ? span : 0);
    uint64_t bits = 0;

    for (int k = 0; k < length; k += step)
        bits |= UINT64_C(1) << (limits->min + (from - limits->min + k) % span);
    return bits;
}

/* What the plain entries of a field match. */
static uint64_t field_bits(const struct cron *c, enum cron_field field)
{
    const struct cron_limits *limits = cron_limits(field);
    uint64_t bits = 0;

    for (size_t i = 0; i < c->fields[field].n; i++) {
        const struct cron_item *item = &c->fields[field].items[i];
        int step = item->step == 0 ? 1 : item->step;

        switch (item->kind) {
        case CRON_ANY:
            bits |= bits_of(limits, limits->min, limits->max, step);
            break;
        case CRON_RANGE:
            bits |= bits_of(limits, item->from, item->to, step);
            break;
        case CRON_OPEN:
            bits |= bits_of(limits, item->from, limits->max, step);
            break;
        case CRON_LAST:
        case CRON_LAST_WORKDAY:
        case CRON_NEAR_WORKDAY:
        case CRON_LAST_OF_WEEK:
        case CRON_NTH_OF_WEEK:
            break; /* varying_item() */
        }
    }
    return bits;
}

static void varying_item(struct cron *c, const struct cron_item *item)
{
    uint32_t bit = UINT32_C(1) << item->from;

    switch (item->kind) {
    case CRON_ANY:
    case CRON_RANGE:
    case CRON_OPEN:
        return;
    case CRON_LAST:
        c->day_from_last |= bit;
        break;
    case CRON_LAST_WORKDAY:
        c->day_last_workday = true;
        break;
    case CRON_NEAR_WORKDAY:
        c->day_near_workday |= bit;
        break;
    case CRON_LAST_OF_WEEK:
        c->weekday_last |= bit;
        break;
    case CRON_NTH_OF_WEEK:
        c->weekday_nth[item->nth - 1] |= bit;
        break;
    }
    c->days_vary = true;
}

/* `*` or a step anywhere in the field. */
static bool field_recurs(const struct cron *c, enum cron_field field)
{
    for (size_t i = 0; i < c->fields[field].n; i++)
        if (c->fields[field].items[i].kind == CRON_ANY || c->fields[field].items[i].step != 0)
            return true;
    return false;
}

/* As crontab(5) has it: a day field is restricted when it does not begin with `*`, so `*\/2` is not. */
static bool field_restricted(const struct cron *c, enum cron_field field)
{
    return c->fields[field].items[0].kind != CRON_ANY;
}

enum err cron_compile(struct cron *c, struct error *err)
{
    static const enum cron_field day_fields[] = {CRON_DAY, CRON_WEEKDAY};
    int64_t reading_s;

    c->second = field_bits(c, CRON_SECOND);
    c->minute = field_bits(c, CRON_MINUTE);
    c->hour = (uint32_t)field_bits(c, CRON_HOUR);
    c->day = (uint32_t)field_bits(c, CRON_DAY);
    c->month = (uint32_t)field_bits(c, CRON_MONTH);
    c->weekday = (uint32_t)field_bits(c, CRON_WEEKDAY);
    for (size_t f = 0; f < COUNT_OF(day_fields); f++)
        for (size_t i = 0; i < c->fields[day_fields[f]].n; i++)
            varying_item(c, &c->fields[day_fields[f]].items[i]);
    c->either_day = field_restricted(c, CRON_DAY) && field_restricted(c, CRON_WEEKDAY);
    c->made_up = !field_recurs(c, CRON_HOUR);
    c->both_passes = !c->made_up || field_recurs(c, CRON_MINUTE) || field_recurs(c, CRON_SECOND);

    /* The calendar repeats after 400 years, so what the last 400 up to the search's end lack never comes. */
    if (!cron_reading_next(c, YEAR_9600_S, &reading_s))
        return error_set(err, ERR_INVALID, NULL,
                         "no date matches: the day never falls into the months given");
    return ERR_NONE;
}
