/*
 * schedule_decode.c: a definition from JSON: its members by table, then what can only be judged when several
 * of them are known: the date in its zone, the cron expression with the identity's seed, the window.
 *
 * All faults are collected; a check that needs a member which is itself at fault is left out, so that one
 * mistake is told once.
 */
#include "model/decode.h"

#include "base/alloc.h"
#include "base/str.h"
#include "calendar/iso8601.h"
#include "model/occurrence.h"

enum { NAME_MAX_BYTES = 256, CLIENT_MAX_BYTES = 1024, TIMEZONE_MAX_BYTES = 64, INSTANT_MAX_BYTES = 64 };
/* A fixed delay of nothing would run for ever without a pause. */
#define RECUR_MIN_US US_PER_MS
/* More than a day of jitter is a plan, not a jitter. */
#define JITTER_MAX_US (INT64_C(86400) * US_PER_S)

static void read_start_at(struct decoder *d, const struct member *m, json_t *v);
static void read_end_at(struct decoder *d, const struct member *m, json_t *v);
static void read_schedule(struct decoder *d, const struct member *m, json_t *v);

#define CLIENT_TEXT(name)                                                                                    \
    {                                                                                                        \
        MEMBER(#name, read_text), INTO(client.name), RANGE(0, CLIENT_MAX_BYTES)                              \
    }

static const struct member client_members[] = {
    CLIENT_TEXT(operation), CLIENT_TEXT(application), CLIENT_TEXT(group), CLIENT_TEXT(key), CLIENT_TEXT(type),
};

/* The members in the order that definitions mostly have them: each is looked for from the top. */
static void read_task(struct decoder *d, const struct member *m, json_t *v);

static const struct member schedule_members[] = {
    {MEMBER("name", read_text), INTO(name), .required = true, RANGE(1, NAME_MAX_BYTES)},
    {MEMBER("client", read_object), .table = client_members, .table_n = COUNT_OF(client_members)},
    {MEMBER("type", read_word), INTO(type), .required = true, .given = GIVEN_TYPE,
     .words = &schedule_type_words},
    {MEMBER("schedule", read_schedule), INTO(text), .given = GIVEN_SCHEDULE},
    {MEMBER("timezone", read_text), INTO(timezone), .given = GIVEN_TIMEZONE, RANGE(1, TIMEZONE_MAX_BYTES)},
    {MEMBER("task", read_task), .required = true},
    {MEMBER("start_at", read_start_at), .given = GIVEN_START_AT},
    {MEMBER("end_at", read_end_at), .given = GIVEN_END_AT},
    {MEMBER("max_runs", read_integer), INTO(max_runs), RANGE(1, INT64_C(1) << 53)},
    {MEMBER("jitter", read_seconds), INTO(jitter_us), RANGE(0, JITTER_MAX_US)},
    {MEMBER("misfire", read_word), INTO(misfire), .words = &misfire_words},
    {MEMBER("max_lateness", read_seconds), INTO(max_lateness_us), RANGE(0, DECODE_SPAN_MAX_US)},
    {MEMBER("overlap", read_word), INTO(overlap), .words = &overlap_words},
    {MEMBER("paused", read_bool), INTO(paused)},
};

static void read_task(struct decoder *d, const struct member *m, json_t *v)
{
    (void)m;
    if (!json_is_object(v)) {
        decode_fault(d, "must be an object");
        return;
    }
    decode_members(d, task_members, task_members_n, v);
    task_check(d);
}

/* A date's text, to be read when the zone is known. */
static bool instant_text(struct decoder *d, json_t *v, struct str *ret)
{
    if (!json_is_string(v) || json_str(v).n > INSTANT_MAX_BYTES) {
        decode_fault(d, "must be a date and time such as \"2030-01-31T09:00:00\"");
        return false;
    }
    *ret = json_str(v);
    return true;
}

static void read_start_at(struct decoder *d, const struct member *m, json_t *v)
{
    (void)m;
    (void)instant_text(d, v, &d->start_at);
}

static void read_end_at(struct decoder *d, const struct member *m, json_t *v)
{
    (void)m;
    (void)instant_text(d, v, &d->end_at);
}

/*
 * A string; seconds may also be given as a number, which is kept as its text, so that what is read back has
 * one type for all.
 */
static void read_schedule(struct decoder *d, const struct member *m, json_t *v)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    json_t *string;

    (void)m;
    if (json_is_number(v)) {
        buf_init(&text, 64);
        if (json_write(v, &text, NULL)) {
            decode_no_memory(d);
            return;
        }
        string = json_stringn(text.p, text.n);
        if (!string || json_object_set_new(d->s->json, "schedule", string)) {
            decode_no_memory(d);
            return;
        }
        v = string;
    }
    if (!json_is_string(v)) {
        decode_fault(d, "must be a string");
        return;
    }
    d->s->text = json_str(v);
}

static void check_zone(struct decoder *d)
{
    struct error err = {0};
    json_t *name;

    if (!d->s->timezone.p) {
        name = json_stringn(d->rules->default_timezone.p, d->rules->default_timezone.n);
        if (!name || json_object_set_new(d->s->json, "timezone", name)) {
            decode_no_memory(d);
            return;
        }
        d->s->timezone = json_str(name);
    }
    if (zones_get(d->rules->zones, d->s->timezone, &d->s->zone, &err))
        decode_error_at(d, STR("timezone"), &err);
}

static void check_instant(struct decoder *d, struct str member, struct str text, struct wall *ret)
{
    struct error err = {0};

    if (iso_parse_instant(text, d->s->zone, ret, &err))
        decode_error_at(d, member, &err);
}

static void check_window(struct decoder *d)
{
    if (!d->s->zone)
        return;
    if (d->given & GIVEN_START_AT)
        check_instant(d, STR("start_at"), d->start_at, &d->s->start_at);
    if (d->given & GIVEN_END_AT)
        check_instant(d, STR("end_at"), d->end_at, &d->s->end_at);
    if (d->s->end_at.us < d->s->start_at.us)
        decode_fault_at(d, STR("end_at"), "lies before start_at");
}

static void check_delay(struct decoder *d, int64_t min_us)
{
    int64_t us;

    if (!str_to_us(d->s->text, &us))
        decode_fault_at(d, STR("schedule"), "must be a number of seconds such as \"50\" or \"0.5\"");
    else if (us < min_us)
        decode_fault_at(d, STR("schedule"),
                        min_us > 0 ? "must be at least 0.001 seconds" : "must not be negative");
    else if (us > DECODE_SPAN_MAX_US)
        decode_fault_at(d, STR("schedule"), "must be at most a hundred years");
    else
        d->s->delay_us = us;
}

static void check_cron(struct decoder *d)
{
    struct error err = {0};

    if (cron_parse(d->s->text, occurrence_seed(d->s), &d->s->cron, &err))
        decode_error_at(d, STR("schedule"), &err);
}

static void check_type(struct decoder *d)
{
    if (!(d->given & GIVEN_TYPE) || d->s->type == SCHEDULE_NOW)
        return;
    if (!(d->present & GIVEN_SCHEDULE))
        decode_fault_at(d, STR("schedule"), "is required");
    if (!(d->given & GIVEN_SCHEDULE))
        return;
    switch (d->s->type) {
    case SCHEDULE_NOW:
        break;
    case SCHEDULE_DELAY:
        check_delay(d, 0);
        break;
    case SCHEDULE_DELAY_RECUR:
        check_delay(d, RECUR_MIN_US);
        break;
    case SCHEDULE_DATE:
        if (d->s->zone)
            check_instant(d, STR("schedule"), d->s->text, &d->s->date);
        break;
    case SCHEDULE_CRON:
        check_cron(d);
        break;
    }
}

/* What an absent member means. */
static void set_defaults(struct schedule *s)
{
    const struct str none = STR("");

    s->client = (struct client){none, none, none, none, none};
    s->name = none;
    s->text = none;
    s->start_at = (struct wall){INT64_MIN};
    s->end_at = WALL_NEVER;
    s->max_runs = -1;
    s->max_lateness_us = -1;
    task_defaults(&s->task);
}

static void decode(struct decoder *d)
{
    struct error err = {0};

    decode_members(d, schedule_members, COUNT_OF(schedule_members), d->s->json);
    /* Before the expression, whose H is made from it. */
    if (client_hash(&d->s->client, &d->s->hash, &err))
        decode_no_memory(d);
    check_zone(d);
    check_window(d);
    check_type(d);
    /* Nothing starts in no time at all: less than this would mean never. */
    if (d->s->max_lateness_us >= 0 && d->s->max_lateness_us < SCHEDULE_LATENESS_LEAST_US)
        d->s->max_lateness_us = SCHEDULE_LATENESS_LEAST_US;
}

enum err schedule_decode(json_t *json, const struct schedule_rules *rules, const struct schedule *prior,
                         struct schedule **ret, struct error_list *faults)
{
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    struct decoder d = {.rules = rules, .prior = prior, .faults = faults};

    if (!json_is_object(json))
        return error_list_add(faults, ERR_INVALID, "", "must be an object");
    s = alloc_new(struct schedule);
    s->refs = 1;
    s->json = json_incref(json);
    set_defaults(s);
    d.s = s;
    decode(&d);
    if (d.first)
        return d.first;
    *ret = TAKE(s);
    return ERR_NONE;
}
