/*
 * cron_describe_ko.c: an expression as a Korean sentence, coarsest unit first: "매분 30초에",
 * "6월 월요일~금요일 9시~17시에 5분마다".
 */
#include "calendar/cron_describe.h"

static const char *const WEEKDAYS[] = {"일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일"};
static const char *const NTH[] = {"", "첫째", "둘째", "셋째", "넷째", "다섯째"};

/* Entries of the three time fields differ in their unit only, but a writer gets none: one for each. */
static void write_with(const struct cron_item *item, const char *unit, struct buf *out)
{
    if (item->kind == CRON_ANY)
        buf_addf(out, "모든 %s", unit);
    else if (item->kind == CRON_OPEN)
        buf_addf(out, "%d%s부터", item->from, unit);
    else if (item->from == item->to)
        buf_addf(out, "%d%s", item->from, unit);
    else
        buf_addf(out, "%d%s~%d%s", item->from, unit, item->to, unit);
    if (item->step > 1)
        buf_addf(out, "(%d 간격)", item->step);
}

static void write_second(const struct cron_item *item, struct buf *out)
{
    write_with(item, "초", out);
}

static void write_minute(const struct cron_item *item, struct buf *out)
{
    write_with(item, "분", out);
}

static void write_hour(const struct cron_item *item, struct buf *out)
{
    write_with(item, "시", out);
}

struct unit {
    enum cron_field field;
    const char *point;    /* 9시 */
    const char *duration; /* 2시간 */
    const char *each;     /* 매시간 */
    cron_entry_fn write;
};

static const struct unit SECOND = {CRON_SECOND, "초", "초", "매초", write_second};
static const struct unit MINUTE = {CRON_MINUTE, "분", "분", "매분", write_minute};
static const struct unit HOUR = {CRON_HOUR, "시", "시간", "매시간", write_hour};

/* A recurring phrase ("5분마다") stands by itself, a point ("30분") takes "에". */
static bool recurs(enum cron_shape_kind kind)
{
    return kind == SHAPE_EACH || kind == SHAPE_EVENLY || kind == SHAPE_STEPS;
}

static enum cron_shape_kind kind_of(const struct cron *c, const struct unit *u)
{
    return cron_shape_of(c, u->field).kind;
}

static void add_unit(const struct cron *c, const struct unit *u, struct buf *out)
{
    struct cron_shape s = cron_shape_of(c, u->field);

    switch (s.kind) {
    case SHAPE_ONE:
        buf_addf(out, "%d%s", s.from, u->point);
        break;
    case SHAPE_EACH:
        buf_add_cstr(out, u->each);
        break;
    case SHAPE_EVENLY:
        buf_addf(out, "%d%s마다", s.step, u->duration);
        break;
    case SHAPE_STEPS:
        buf_addf(out, "%d%s부터 %d%s까지 %d%s마다", s.from, u->point, s.to, u->point, s.step, u->duration);
        break;
    case SHAPE_RANGE:
        buf_addf(out, "%d%s~%d%s", s.from, u->point, s.to, u->point);
        break;
    case SHAPE_LIST:
        cron_write_entries(c, u->field, false, ", ", u->write, out);
        break;
    }
}

/* A unit that a finer one follows. */
static void add_outer(const struct cron *c, const struct unit *u, bool finer_recurs, struct buf *out)
{
    enum cron_shape_kind kind = kind_of(c, u);

    add_unit(c, u, out);
    if (finer_recurs && recurs(kind))
        buf_addf(out, kind == SHAPE_EACH ? " " : " 1%s 동안 ", u->duration);
    else if (finer_recurs)
        buf_add_cstr(out, "에 ");
    else if (kind == SHAPE_RANGE || kind == SHAPE_LIST)
        buf_addf(out, "의 %s ", u->each);
    else
        buf_add_char(out, ' ');
}

static void add_time(const struct cron *c, struct buf *out)
{
    struct cron_shape second = cron_shape_of(c, CRON_SECOND);
    struct cron_shape minute = cron_shape_of(c, CRON_MINUTE);
    bool by_second = second.kind != SHAPE_ONE || second.from != 0;
    bool every_second = second.kind == SHAPE_EACH || second.kind == SHAPE_EVENLY;
    bool skip_minute = by_second && every_second && minute.kind == SHAPE_EACH;
    bool finer_recurs = skip_minute || recurs(minute.kind);
    bool no_seam = skip_minute || minute.kind == SHAPE_EACH || minute.kind == SHAPE_EVENLY;

    if (kind_of(c, &HOUR) != SHAPE_EACH || !no_seam)
        add_outer(c, &HOUR, finer_recurs, out);
    if (!by_second) {
        if (minute.kind == SHAPE_ONE && minute.from == 0)
            buf_add_cstr(out, "정각");
        else
            add_unit(c, &MINUTE, out);
        buf_add_cstr(out, recurs(minute.kind) ? "" : "에");
        return;
    }
    if (!skip_minute)
        add_outer(c, &MINUTE, recurs(second.kind), out);
    add_unit(c, &SECOND, out);
    buf_add_cstr(out, recurs(second.kind) ? "" : "에");
}

static void add_times(const int *times, size_t n, struct buf *out)
{
    bool seconds = false;

    for (size_t i = 0; i < n; i++)
        seconds = seconds || times[i] % 60 != 0;
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%s%02d:%02d", i > 0 ? ", " : "", times[i] / 3600, times[i] / 60 % 60);
        if (seconds)
            buf_addf(out, ":%02d", times[i] % 60);
    }
    buf_add_cstr(out, "에");
}

static void write_day(const struct cron_item *item, struct buf *out)
{
    switch (item->kind) {
    case CRON_ANY:
        if (item->step <= 1)
            buf_add_cstr(out, "모든 날");
        else
            buf_addf(out, "1일부터 %d일마다", item->step);
        break;
    case CRON_OPEN:
        buf_addf(out, "%d일부터 %d일마다", item->from, item->step);
        break;
    case CRON_RANGE:
        if (item->from == item->to)
            buf_addf(out, "%d일", item->from);
        else if (item->step > 1)
            buf_addf(out, "%d일부터 %d일까지 %d일마다", item->from, item->to, item->step);
        else
            buf_addf(out, "%d일~%d일", item->from, item->to);
        break;
    case CRON_LAST:
        if (item->from == 0)
            buf_add_cstr(out, "마지막 날");
        else
            buf_addf(out, "마지막 날 %d일 전", item->from);
        break;
    case CRON_LAST_WORKDAY:
        buf_add_cstr(out, "마지막 평일");
        break;
    case CRON_NEAR_WORKDAY:
        buf_addf(out, "%d일에 가장 가까운 평일", item->from);
        break;
    case CRON_LAST_OF_WEEK:
    case CRON_NTH_OF_WEEK:
        break; /* not in this field */
    }
}

static void write_weekday(const struct cron_item *item, struct buf *out)
{
    if (item->kind == CRON_LAST_OF_WEEK)
        buf_addf(out, "마지막 %s", WEEKDAYS[item->from]);
    else if (item->kind == CRON_NTH_OF_WEEK)
        buf_addf(out, "%s %s", NTH[item->nth], WEEKDAYS[item->from]);
    else if (item->from == item->to)
        buf_add_cstr(out, WEEKDAYS[item->from]);
    else
        buf_addf(out, "%s~%s", WEEKDAYS[item->from], WEEKDAYS[item->to]);
}

static void write_month(const struct cron_item *item, struct buf *out)
{
    write_with(item, "월", out);
}

/* Days are counted in a month: "매월" unless months are named. */
static void add_days(const struct cron *c, bool every_day, struct buf *out)
{
    bool by_month = !cron_says_nothing(c, CRON_MONTH);
    bool by_day = !cron_says_nothing(c, CRON_DAY);
    bool by_weekday = !cron_says_nothing(c, CRON_WEEKDAY);
    bool in_month = by_day || c->weekday_last != 0;

    for (size_t n = 0; n < COUNT_OF(c->weekday_nth); n++)
        in_month = in_month || c->weekday_nth[n] != 0;
    if (by_month) {
        cron_write_entries(c, CRON_MONTH, true, ", ", write_month, out);
        buf_add_char(out, ' ');
    } else if (in_month) {
        buf_add_cstr(out, "매월 ");
    }
    if (by_day)
        cron_write_entries(c, CRON_DAY, false, ", ", write_day, out);
    if (by_day && by_weekday)
        buf_add_cstr(out, c->either_day ? " 또는 " : " 중 ");
    if (by_weekday)
        cron_write_entries(c, CRON_WEEKDAY, true, ", ", write_weekday, out);
    if (by_day || by_weekday)
        buf_add_char(out, ' ');
    else if (every_day)
        buf_add_cstr(out, "매일 ");
}

void cron_describe_ko(const struct cron *c, struct buf *out)
{
    int times[CRON_TIMES_MAX];
    size_t n = cron_fixed_times(c, times);

    add_days(c, n > 0, out);
    if (n > 0)
        add_times(times, n, out);
    else
        add_time(c, out);
}
