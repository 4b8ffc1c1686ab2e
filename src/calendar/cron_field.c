/*
 * cron_field.c: from the text of one field to its entries. Every refusal names the field and what it takes.
 */
#include <stdio.h>

#include "base/str.h"
#include "calendar/cron_internal.h"

static const struct cron_limits LIMITS[] = {
#define X(field, name, min, max, takes) [field] = {name, takes, min, max},
    CRON_FIELD_LIST(X)
#undef X
};

const struct cron_limits *cron_limits(enum cron_field field)
{
    return &LIMITS[field];
}

/* Three letters each, in order. */
static const char MONTH_NAMES[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char WEEKDAY_NAMES[] = "sunmontuewedthufrisat";

/* One field on its way. */
struct reader {
    enum cron_field field;
    struct str s; /* the whole field */
    size_t at;
    uint64_t h;
    struct error *err;
};

/* As much of the field as a message has room for. */
enum { SHOWN_BYTES = 40 };

static enum err refuse(const struct reader *r, const char *why)
{
    return error_set(r->err, ERR_INVALID, NULL, "the %s field \"%.*s\": %s", LIMITS[r->field].name,
                     (int)(r->s.n < SHOWN_BYTES ? r->s.n : SHOWN_BYTES), r->s.p, why);
}

static enum err refuse_range(const struct reader *r, const char *what, int value, int min, int max)
{
    char why[80];

    (void)snprintf(why, sizeof(why), "%s %d is not within %d to %d", what, value, min, max);
    return refuse(r, why);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct reader *r)
{
    return r->at < r->s.n ? lower(r->s.p[r->at]) : '\0';
}

static bool take(struct reader *r, char wanted)
{
    if (peek(r) != wanted || r->at == r->s.n)
        return false;
    r->at++;
    return true;
}

/* A number of at most four digits: enough to be told that it is too large. */
static bool take_number(struct reader *r, int *ret)
{
    size_t start = r->at;
    int n = 0;

    while (r->at - start < 4 && is_digit(peek(r)))
        n = n * 10 + (peek(r) - '0'), r->at++;
    if (r->at == start || is_digit(peek(r)))
        return false;
    *ret = n;
    return true;
}

static bool take_name(struct reader *r, int *ret)
{
    const char *names = r->field == CRON_MONTH ? MONTH_NAMES : WEEKDAY_NAMES;
    int count = r->field == CRON_MONTH ? 12 : 7;

    if ((r->field != CRON_MONTH && r->field != CRON_WEEKDAY) || r->s.n - r->at < 3)
        return false;
    for (int i = 0; i < count; i++)
        if (str_eq_nocase((struct str){r->s.p + r->at, 3}, (struct str){names + (ptrdiff_t)i * 3, 3})) {
            r->at += 3;
            *ret = i + LIMITS[r->field].min;
            return true;
        }
    return false;
}

/* What stands where a value should: said as precisely as the field allows. */
static enum err refuse_value(const struct reader *r)
{
    char why[48];

    (void)snprintf(why, sizeof(why), "expected %s", LIMITS[r->field].takes);
    return refuse(r, why);
}

/* A number or a name; 7 stays 7 for the weekday, since a range may end with it. */
static enum err take_value(struct reader *r, int *ret)
{
    const struct cron_limits *limits = &LIMITS[r->field];
    int max = r->field == CRON_WEEKDAY ? 7 : limits->max;

    if (take_name(r, ret))
        return ERR_NONE;
    if (!take_number(r, ret))
        return refuse_value(r);
    return *ret < limits->min || *ret > max ? refuse_range(r, "the value", *ret, limits->min, max) : ERR_NONE;
}

/* Sunday written as 7: at a range's start it is 0, at its end too unless the range is the whole week. */
static void fold_sunday(struct cron_item *item)
{
    if (item->from == 7) {
        item->from = 0;
        item->to = item->to == 7 ? 0 : item->to;
    } else if (item->to == 7) {
        item->to = item->from == 0 ? 6 : 0;
    }
}

/* A step greater than the field never steps: the writer meant something else (every 90 minutes, say). */
static enum err take_step(struct reader *r, int *ret)
{
    const struct cron_limits *limits = &LIMITS[r->field];
    int span = limits->max - limits->min + 1;

    *ret = 0;
    if (!take(r, '/'))
        return ERR_NONE;
    if (!take_number(r, ret))
        return refuse(r, "expected a number after \"/\"");
    return *ret < 1 || *ret > span ? refuse_range(r, "the step", *ret, 1, span) : ERR_NONE;
}

/* (a-b) after H; without it the whole field. Days end at 28 then, so that no month is left out. */
static enum err take_h_range(struct reader *r, struct cron_item *item, bool *ret_given)
{
    enum err e;

    item->from = LIMITS[r->field].min;
    item->to = LIMITS[r->field].max;
    *ret_given = take(r, '(');
    if (!*ret_given)
        return ERR_NONE;
    e = take_value(r, &item->from);
    if (!e && !take(r, '-'))
        e = refuse(r, "H takes a range: H(0-29)");
    if (!e)
        e = take_value(r, &item->to);
    if (!e && !take(r, ')'))
        e = refuse(r, "\")\" is missing after H(");
    if (!e && r->field == CRON_WEEKDAY)
        fold_sunday(item);
    return e;
}

/* H, H/15, H(0-29), H(0-29)/10: an ordinary entry whose start the hash decides. */
static enum err take_h(struct reader *r, struct cron_item *item)
{
    const struct cron_limits *limits = &LIMITS[r->field];
    int span = limits->max - limits->min + 1;
    bool given;
    int length;
    int skip;
    enum err e = take_h_range(r, item, &given);

    if (!e)
        e = take_step(r, &item->step);
    if (e)
        return e;
    if (!given && item->step == 0 && r->field == CRON_DAY)
        item->to = 28;
    length = item->to - item->from + 1 + (item->to < item->from ? span : 0);
    skip = (int)(r->h % (uint64_t)(item->step != 0 && item->step < length ? item->step : length));
    item->kind = CRON_RANGE;
    item->from = limits->min + (item->from - limits->min + skip) % span;
    if (item->step == 0)
        item->to = item->from;
    return ERR_NONE;
}

/* L, L-3, LW */
static enum err take_last(struct reader *r, struct cron_item *item)
{
    if (take(r, 'w')) {
        item->kind = CRON_LAST_WORKDAY;
        return ERR_NONE;
    }
    item->kind = CRON_LAST;
    if (!take(r, '-'))
        return ERR_NONE;
    if (!take_number(r, &item->from))
        return refuse(r, "expected a number of days after \"L-\"");
    return item->from < 1 || item->from > 30
               ? refuse_range(r, "the number of days after L", item->from, 1, 30)
               : ERR_NONE;
}

/* A value and what may follow it: 15W, 5L, 5#2, 10-50/10, 7/10. */
static enum err take_plain(struct reader *r, struct cron_item *item)
{
    enum err e = take_value(r, &item->from);

    if (e)
        return e;
    item->kind = CRON_RANGE;
    item->to = item->from;
    if (r->field == CRON_DAY && take(r, 'w')) {
        item->kind = CRON_NEAR_WORKDAY;
        return ERR_NONE;
    }
    if (r->field == CRON_WEEKDAY && take(r, 'l')) {
        item->kind = CRON_LAST_OF_WEEK;
        item->from %= 7;
        return ERR_NONE;
    }
    if (r->field == CRON_WEEKDAY && take(r, '#')) {
        item->kind = CRON_NTH_OF_WEEK;
        item->from %= 7;
        if (!take_number(r, &item->nth))
            return refuse(r, "expected 1 to 5 after \"#\"");
        return item->nth < 1 || item->nth > 5 ? refuse_range(r, "the number after #", item->nth, 1, 5)
                                              : ERR_NONE;
    }
    if (take(r, '-')) {
        e = take_value(r, &item->to);
        if (!e)
            e = take_step(r, &item->step);
    } else {
        e = take_step(r, &item->step);
        if (item->step != 0 && r->field == CRON_WEEKDAY)
            item->to = 7; /* the field's end as it is written: 1/2 is Monday, Wednesday, Friday and Sunday */
        else if (item->step != 0)
            item->kind = CRON_OPEN;
    }
    if (!e && r->field == CRON_WEEKDAY)
        fold_sunday(item);
    return e;
}

static enum err take_item(struct reader *r, struct cron_item *item)
{
    bool is_day = r->field == CRON_DAY || r->field == CRON_WEEKDAY;
    enum err e;

    if (peek(r) == ',' || r->at == r->s.n)
        return refuse(r, "an entry of the list is empty");
    if (take(r, '*') || (is_day && take(r, '?'))) {
        item->kind = CRON_ANY;
        e = take_step(r, &item->step);
    } else if (take(r, 'h')) {
        e = take_h(r, item);
    } else if (r->field == CRON_DAY && take(r, 'l')) {
        e = take_last(r, item);
    } else {
        e = take_plain(r, item);
    }
    if (!e && r->at < r->s.n && peek(r) != ',')
        return refuse(r, "what follows a whole entry is not understood");
    return e;
}

enum err cron_read_field(enum cron_field field, struct str text, uint64_t h, struct cron_items *list,
                         struct error *err)
{
    struct reader r = {.field = field, .s = text, .h = h, .err = err};

    do {
        enum err e = take_item(&r, &list->items[list->n++]);

        if (e)
            return e;
    } while (take(&r, ','));
    return ERR_NONE;
}
