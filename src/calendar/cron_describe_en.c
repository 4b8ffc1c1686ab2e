/*
 * cron_describe_en.c: an expression as an English sentence, finest unit first: "At 30 seconds past every
 * minute", "Every 5 minutes during every hour from 9 to 17, on Monday to Friday, in June".
 */
#include "calendar/cron_describe.h"

static const char *const MONTHS[] = {"",     "January", "February",  "March",   "April",    "May",     "June",
                                     "July", "August",  "September", "October", "November", "December"};
static const char *const WEEKDAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
static const char *const NTH[] = {"", "first", "second", "third", "fourth", "fifth"};

/* 1st, 2nd, 3rd, 4th, 11th, 21st */
static void add_ordinal(struct buf *out, int n)
{
    static const char *const endings[] = {"th", "st", "nd", "rd"};
    int last = n % 10;

    buf_add_i64(out, n);
    buf_add_cstr(out, endings[last <= 3 && n / 10 % 10 != 1 ? last : 0]);
}

static void add_count(struct buf *out, int n, const char *unit)
{
    buf_addf(out, "%d %s%s", n, unit, n == 1 ? "" : "s");
}

/* An entry in a list of numbers: "5", "10 to 20", "10 to 50 in steps of 20". */
static void write_number(const struct cron_item *item, struct buf *out)
{
    if (item->kind == CRON_ANY)
        buf_add_cstr(out, "all of them");
    else if (item->kind == CRON_OPEN)
        buf_addf(out, "%d to the end", item->from);
    else if (item->from == item->to)
        buf_add_i64(out, item->from);
    else
        buf_addf(out, "%d to %d", item->from, item->to);
    if (item->step > 1)
        buf_addf(out, " in steps of %d", item->step);
}

static void add_list(const struct cron *c, enum cron_field field, struct buf *out)
{
    buf_addf(out, "%ss ", cron_limits(field)->name);
    cron_write_entries(c, field, false, " and ", write_number, out);
}

/* The finest field that says something: what happens "at" or "every". */
static void add_subject(const struct cron *c, enum cron_field field, struct buf *out)
{
    const char *unit = cron_limits(field)->name;
    struct cron_shape s = cron_shape_of(c, field);

    switch (s.kind) {
    case SHAPE_ONE:
        buf_add_cstr(out, "At ");
        add_count(out, s.from, unit);
        break;
    case SHAPE_EACH:
        buf_addf(out, "Every %s", unit);
        break;
    case SHAPE_EVENLY:
        buf_addf(out, "Every %d %ss", s.step, unit);
        break;
    case SHAPE_STEPS:
        buf_addf(out, "Every %d %ss from %s %d to %d", s.step, unit, unit, s.from, s.to);
        break;
    case SHAPE_RANGE:
        buf_addf(out, "Every %s from %d to %d", unit, s.from, s.to);
        break;
    case SHAPE_LIST:
        buf_add_cstr(out, "At ");
        add_list(c, field, out);
        break;
    }
}

/* A coarser field: in or past what. */
static void add_object(const struct cron *c, enum cron_field field, struct buf *out)
{
    const char *unit = cron_limits(field)->name;
    struct cron_shape s = cron_shape_of(c, field);

    switch (s.kind) {
    case SHAPE_ONE:
        buf_addf(out, "%s %d", unit, s.from);
        break;
    case SHAPE_EACH:
        buf_addf(out, "every %s", unit);
        break;
    case SHAPE_EVENLY:
    case SHAPE_STEPS:
        buf_add_cstr(out, "every ");
        add_ordinal(out, s.step);
        buf_addf(out, " %s", unit);
        if (s.kind == SHAPE_STEPS)
            buf_addf(out, " from %d to %d", s.from, s.to);
        break;
    case SHAPE_RANGE:
        buf_addf(out, "every %s from %d to %d", unit, s.from, s.to);
        break;
    case SHAPE_LIST:
        add_list(c, field, out);
        break;
    }
}

/* What stands between the subject and its object. */
static const char *joint(enum cron_shape_kind subject)
{
    switch (subject) {
    case SHAPE_ONE:
        return " past ";
    case SHAPE_EACH:
    case SHAPE_EVENLY:
        return " during ";
    case SHAPE_STEPS:
    case SHAPE_RANGE:
    case SHAPE_LIST:
        return " of ";
    }
    return " ";
}

/* "every minute" needs no "of every hour" behind it, "minute 5" does. */
static bool hour_is_understood(const struct cron *c, enum cron_shape_kind minute)
{
    return (minute == SHAPE_EACH || minute == SHAPE_EVENLY) && cron_shape_of(c, CRON_HOUR).kind == SHAPE_EACH;
}

static void add_hour(const struct cron *c, const char *before, struct buf *out)
{
    buf_add_cstr(out, before);
    add_object(c, CRON_HOUR, out);
}

/* Without seconds: the minute is the subject. */
static void add_from_minute(const struct cron *c, struct buf *out)
{
    enum cron_shape_kind minute = cron_shape_of(c, CRON_MINUTE).kind;

    add_subject(c, CRON_MINUTE, out);
    if (!hour_is_understood(c, minute))
        add_hour(c, joint(minute), out);
}

static void add_from_second(const struct cron *c, struct buf *out)
{
    struct cron_shape second = cron_shape_of(c, CRON_SECOND);
    struct cron_shape minute = cron_shape_of(c, CRON_MINUTE);
    bool every_minute = minute.kind == SHAPE_EACH;
    bool recurs = second.kind == SHAPE_EACH || second.kind == SHAPE_EVENLY;

    if (second.kind == SHAPE_ONE && minute.kind == SHAPE_ONE) {
        buf_add_cstr(out, "At ");
        add_count(out, minute.from, "minute");
        buf_add_cstr(out, " and ");
        add_count(out, second.from, "second");
        add_hour(c, " past ", out);
        return;
    }
    add_subject(c, CRON_SECOND, out);
    if (recurs && every_minute) {
        if (!hour_is_understood(c, minute.kind))
            add_hour(c, " during ", out);
        return;
    }
    buf_add_cstr(out, joint(second.kind));
    add_object(c, CRON_MINUTE, out);
    if (!hour_is_understood(c, minute.kind))
        add_hour(c, " of ", out);
}

static void add_times(const int *times, size_t n, struct buf *out)
{
    bool seconds = false;

    for (size_t i = 0; i < n; i++)
        seconds = seconds || times[i] % 60 != 0;
    buf_add_cstr(out, "At ");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_cstr(out, i + 1 == n ? " and " : ", ");
        buf_addf(out, "%02d:%02d", times[i] / 3600, times[i] / 60 % 60);
        if (seconds)
            buf_addf(out, ":%02d", times[i] % 60);
    }
}

static void write_day(const struct cron_item *item, struct buf *out)
{
    switch (item->kind) {
    case CRON_ANY:
        if (item->step <= 1) {
            buf_add_cstr(out, "every day");
            break;
        }
        buf_add_cstr(out, "every ");
        add_ordinal(out, item->step);
        buf_add_cstr(out, " day");
        break;
    case CRON_OPEN:
    case CRON_RANGE:
        if (item->kind == CRON_RANGE && item->from == item->to) {
            buf_addf(out, "day %d", item->from);
            break;
        }
        if (item->step > 1) {
            buf_add_cstr(out, "every ");
            add_ordinal(out, item->step);
            buf_add_cstr(out, " day from ");
        }
        buf_addf(out, "%s %d to %d", item->step > 1 ? "day" : "days", item->from,
                 item->kind == CRON_OPEN ? cron_limits(CRON_DAY)->max : item->to);
        break;
    case CRON_LAST:
        if (item->from == 0)
            buf_add_cstr(out, "the last day");
        else {
            buf_add_cstr(out, "the day ");
            add_count(out, item->from, "day");
            buf_add_cstr(out, " before the last");
        }
        break;
    case CRON_LAST_WORKDAY:
        buf_add_cstr(out, "the last working day");
        break;
    case CRON_NEAR_WORKDAY:
        buf_addf(out, "the working day nearest to day %d", item->from);
        break;
    case CRON_LAST_OF_WEEK:
    case CRON_NTH_OF_WEEK:
        break; /* not in this field */
    }
}

static void write_weekday(const struct cron_item *item, struct buf *out)
{
    if (item->kind == CRON_LAST_OF_WEEK)
        buf_addf(out, "the last %s of the month", WEEKDAYS[item->from]);
    else if (item->kind == CRON_NTH_OF_WEEK)
        buf_addf(out, "the %s %s of the month", NTH[item->nth], WEEKDAYS[item->from]);
    else if (item->from == item->to)
        buf_add_cstr(out, WEEKDAYS[item->from]);
    else
        buf_addf(out, "%s to %s", WEEKDAYS[item->from], WEEKDAYS[item->to]);
}

static void write_month(const struct cron_item *item, struct buf *out)
{
    buf_add_cstr(out, MONTHS[item->from]);
    if (item->from != item->to)
        buf_addf(out, " to %s", MONTHS[item->to]);
}

static void add_days(const struct cron *c, struct buf *out)
{
    bool by_day = !cron_says_nothing(c, CRON_DAY);
    bool by_weekday = !cron_says_nothing(c, CRON_WEEKDAY);

    if (by_day) {
        buf_add_cstr(out, ", on ");
        cron_write_entries(c, CRON_DAY, false, " and ", write_day, out);
        buf_add_cstr(out, " of the month");
    }
    if (by_weekday) {
        buf_add_cstr(out, !by_day ? ", on " : c->either_day ? " or on " : " if it is ");
        cron_write_entries(c, CRON_WEEKDAY, true, by_day && !c->either_day ? " or " : " and ", write_weekday,
                           out);
    }
    if (!cron_says_nothing(c, CRON_MONTH)) {
        buf_add_cstr(out, ", in ");
        cron_write_entries(c, CRON_MONTH, true, " and ", write_month, out);
    }
}

void cron_describe_en(const struct cron *c, struct buf *out)
{
    struct cron_shape second = cron_shape_of(c, CRON_SECOND);
    int times[CRON_TIMES_MAX];
    size_t n = cron_fixed_times(c, times);

    if (n > 0)
        add_times(times, n, out);
    else if (second.kind == SHAPE_ONE && second.from == 0)
        add_from_minute(c, out);
    else
        add_from_second(c, out);
    if (n > 0 && cron_says_nothing(c, CRON_DAY) && cron_says_nothing(c, CRON_WEEKDAY))
        buf_add_cstr(out, " every day");
    add_days(c, out);
}
