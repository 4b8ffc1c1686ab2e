/*
 * line.c: see line.h. What is absent on reading is what is left out on writing: nothing, never, zero. A
 * member that is not known is refused: a file of a later release may say what matters.
 */
#include "move/line.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "calendar/iso8601.h"
#include "move/move.h"

/* --- out --- */

static void add_wall(struct buf *out, const char *name, struct wall t)
{
    char text[ISO_TEXT_MAX];

    if (wall_is_never(t))
        return;
    iso_format(t, text);
    buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

static void add_uuid(struct buf *out, const char *name, struct uuid u)
{
    char text[UUID_TEXT + 1];

    uuid_format(u, text);
    buf_addf(out, "\"%s\":\"%s\"", name, text);
}

static void add_count(struct buf *out, const char *name, int64_t n)
{
    if (n != 0)
        buf_addf(out, ",\"%s\":%lld", name, (long long)n);
}

void line_header(struct buf *out, const char *version, struct wall at, const char *store, const char *tzdata,
                 bool hides)
{
    buf_addf(out, "{\"carillon\":\"export\",\"format\":%d,\"version\":", MOVE_FORMAT);
    buf_add_json(out, str_of(version));
    add_wall(out, "at", at);
    buf_add_cstr(out, ",\"store\":");
    buf_add_json(out, str_of(store));
    buf_add_cstr(out, ",\"tzdata\":");
    buf_add_json(out, str_of(tzdata));
    buf_addf(out, ",\"secrets\":%s}\n", hides ? "false" : "true");
}

static void add_missed(struct buf *out, const struct timer *t)
{
    bool any = false;

    for (size_t i = 0; i < MISSED_N; i++) {
        if (t->missed[i] == 0)
            continue;
        buf_addf(out, "%s\"%s\":%lld", any ? "," : ",\"missed\":{", missed_name((enum missed)i),
                 (long long)t->missed[i]);
        any = true;
    }
    if (any)
        buf_add_char(out, '}');
}

void line_schedule(struct buf *out, const struct record *r, struct str definition)
{
    const struct timer *t = &r->timer;

    buf_add_cstr(out, "{\"schedule\":{");
    add_uuid(out, "id", r->id);
    buf_addf(out, ",\"version\":%lld", (long long)r->version);
    add_wall(out, "created_at", r->created_at);
    add_wall(out, "updated_at", r->updated_at);
    buf_addf(out, ",\"state\":\"%s\"", schedule_state_name(t->state));
    add_wall(out, "next_at", t->next_at);
    add_wall(out, "occurs_at", t->occurs_at);
    add_wall(out, "started_at", t->started_at);
    add_count(out, "runs", t->runs);
    add_missed(out, t);
    if (!wall_is_never(r->last_at)) {
        buf_addf(out, ",\"last_state\":\"%s\"", run_state_name(r->last_state));
        add_wall(out, "last_at", r->last_at);
    }
    buf_add_cstr(out, ",\"definition\":");
    buf_add(out, definition);
    buf_add_cstr(out, "}}\n");
}

void line_run(struct buf *out, const struct moved_run *m)
{
    const struct run *r = &m->record.run;

    buf_add_cstr(out, "{\"run\":{");
    add_uuid(out, "id", r->id);
    buf_add_char(out, ',');
    add_uuid(out, "schedule_id", r->schedule_id);
    buf_addf(out, ",\"version\":%lld", (long long)r->schedule_version);
    add_wall(out, "scheduled_at", r->scheduled_at);
    buf_addf(out, ",\"state\":\"%s\"", run_state_name(r->state));
    add_wall(out, "due_at", r->due_at);
    add_count(out, "attempt", r->attempt);
    add_count(out, "failures", r->failures);
    if (r->by_hand_at.us != 0)
        add_wall(out, "by_hand_at", r->by_hand_at);
    if (m->doomed)
        buf_add_cstr(out, ",\"doomed\":true");
    if (m->owed)
        buf_add_cstr(out, ",\"owed\":true");
    add_wall(out, "started_at", m->record.started_at);
    add_wall(out, "ended_at", m->record.ended_at);
    add_count(out, "took_us", m->record.took_us);
    add_count(out, "status", m->record.status);
    if (m->record.error[0] != '\0') {
        buf_add_cstr(out, ",\"error\":");
        buf_add_json(out, str_of(m->record.error));
    }
    buf_add_cstr(out, "}}\n");
}

void line_end(struct buf *out, int64_t schedules, int64_t runs)
{
    buf_addf(out, "{\"end\":{\"schedules\":%lld,\"runs\":%lld}}\n", (long long)schedules, (long long)runs);
}

/* --- in: a table of members --- */

struct reading {
    struct line *l;
    const char *under; /* "/schedule" */
    struct error *err;
};

/* Where in struct line a member goes, and how it is read. */
struct field;
typedef enum err (*field_fn)(struct reading *r, const struct field *f, const json_t *v);
struct field {
    const char *name;
    field_fn read;
    size_t at; /* in struct line */
    bool required;
    int64_t max;
};

PRINTF_LIKE(3, 4)
static enum err wrong(struct reading *r, const char *name, const char *format, ...)
{
    char where[96] = "";
    char text[128];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    (void)snprintf(where, sizeof(where), "%s", r->under);
    json_pointer_add(where, sizeof(where), str_of(name));
    return error_set(r->err, ERR_INVALID, where, "%s", text);
}

static void *place(struct reading *r, const struct field *f)
{
    return (char *)r->l + f->at;
}

static enum err read_uuid(struct reading *r, const struct field *f, const json_t *v)
{
    struct uuid *u = place(r, f);

    if (!json_is_string(v) || !uuid_parse(json_str(v), u) || uuid_is_nil(*u))
        return wrong(r, f->name, "must be an identifier");
    return ERR_NONE;
}

static enum err read_wall(struct reading *r, const struct field *f, const json_t *v)
{
    struct wall *t = place(r, f);
    struct iso_time iso;
    int64_t us;

    if (!json_is_string(v) || iso_parse(json_str(v), &iso, NULL) || !iso.has_offset)
        return wrong(r, f->name, "must be a time such as 2026-11-23T09:00:00Z");
    us = iso.local_us - iso.offset_s * US_PER_S;
    if (us < 0 || us > WALL_MAX_US)
        return wrong(r, f->name, "must be a time from 1970 to 9999");
    t->us = us;
    return ERR_NONE;
}

static enum err read_count(struct reading *r, const struct field *f, const json_t *v)
{
    int64_t n = json_is_integer(v) ? json_integer_value(v) : -1;

    if (n < 0 || n > f->max)
        return wrong(r, f->name, "must be a whole number from 0 to %lld", (long long)f->max);
    *(int64_t *)place(r, f) = n;
    return ERR_NONE;
}

static enum err read_version(struct reading *r, const struct field *f, const json_t *v)
{
    enum err e = read_count(r, f, v);

    return !e && *(int64_t *)place(r, f) == 0 ? wrong(r, f->name, "must be at least 1") : e;
}

static enum err read_status(struct reading *r, const struct field *f, const json_t *v)
{
    int64_t n = json_is_integer(v) ? json_integer_value(v) : -1;

    if (n < 0 || n > f->max)
        return wrong(r, f->name, "must be a whole number from 0 to %lld", (long long)f->max);
    *(int *)place(r, f) = (int)n;
    return ERR_NONE;
}

static enum err read_true(struct reading *r, const struct field *f, const json_t *v)
{
    if (!json_is_boolean(v))
        return wrong(r, f->name, "must be true or false");
    *(bool *)place(r, f) = json_is_true(v);
    return ERR_NONE;
}

static enum err read_schedule_state(struct reading *r, const struct field *f, const json_t *v)
{
    if (!json_is_string(v) || !schedule_state_parse(json_str(v), place(r, f)))
        return wrong(r, f->name, "must be active, paused or finished");
    return ERR_NONE;
}

static enum err read_run_state(struct reading *r, const struct field *f, const json_t *v)
{
    if (!json_is_string(v) || !run_state_parse(json_str(v), place(r, f)))
        return wrong(r, f->name, "must be a run's state");
    return ERR_NONE;
}

static enum err read_error(struct reading *r, const struct field *f, const json_t *v)
{
    char *text = place(r, f);
    struct str s = json_is_string(v) ? json_str(v) : (struct str){NULL, 0};

    if (!s.p || s.n >= ATTEMPT_TEXT_MAX)
        return wrong(r, f->name, "must be a text of at most %d bytes", ATTEMPT_TEXT_MAX - 1);
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return ERR_NONE;
}

static enum err read_definition(struct reading *r, const struct field *f, const json_t *v)
{
    if (!json_is_object(v))
        return wrong(r, f->name, "must be an object");
    json_free(r->l->definition);
    r->l->definition = json_incref((json_t *)(uintptr_t)v); /* of this line alone */
    return ERR_NONE;
}

/* The counts by reason. */
static enum err read_missed(struct reading *r, const struct field *f, const json_t *v)
{
    struct reading inner = {.l = r->l, .under = "/schedule/missed", .err = r->err};
    int64_t *counts = place(r, f);
    json_t *object = (json_t *)(uintptr_t)v; /* iterators take no const */

    if (!json_is_object(v))
        return wrong(r, f->name, "must be an object");
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        const char *name = json_object_iter_key(it);
        struct field one = {name, read_count, 0, false, INT64_MAX / 2};
        size_t i = 0;

        while (i < MISSED_N && strcmp(missed_name((enum missed)i), name) != 0)
            i++;
        if (i == MISSED_N)
            return wrong(&inner, name, "is no reason that is known");
        one.at = (size_t)((char *)&counts[i] - (char *)r->l);
        if (read_count(&inner, &one, json_object_iter_value(it)))
            return ERR_INVALID;
    }
    return ERR_NONE;
}

#define AT(member) offsetof(struct line, member)

static const struct field schedule_fields[] = {
    {"id", read_uuid, AT(record.id), true, 0},
    {"version", read_version, AT(record.version), true, INT64_MAX / 2},
    {"created_at", read_wall, AT(record.created_at), true, 0},
    {"updated_at", read_wall, AT(record.updated_at), true, 0},
    {"state", read_schedule_state, AT(record.timer.state), true, 0},
    {"next_at", read_wall, AT(record.timer.next_at), false, 0},
    {"occurs_at", read_wall, AT(record.timer.occurs_at), false, 0},
    {"started_at", read_wall, AT(record.timer.started_at), true, 0},
    {"runs", read_count, AT(record.timer.runs), false, INT64_MAX / 2},
    {"missed", read_missed, AT(record.timer.missed), false, 0},
    {"last_state", read_run_state, AT(record.last_state), false, 0},
    {"last_at", read_wall, AT(record.last_at), false, 0},
    {"definition", read_definition, 0, true, 0},
};

static const struct field run_fields[] = {
    {"id", read_uuid, AT(run.record.run.id), true, 0},
    {"schedule_id", read_uuid, AT(run.record.run.schedule_id), true, 0},
    {"version", read_version, AT(run.record.run.schedule_version), true, INT64_MAX / 2},
    {"scheduled_at", read_wall, AT(run.record.run.scheduled_at), true, 0},
    {"state", read_run_state, AT(run.record.run.state), true, 0},
    {"due_at", read_wall, AT(run.record.run.due_at), false, 0},
    {"attempt", read_count, AT(run.record.run.attempt), false, INT64_MAX / 2},
    {"failures", read_count, AT(run.record.run.failures), false, INT64_MAX / 2},
    {"by_hand_at", read_wall, AT(run.record.run.by_hand_at), false, 0},
    {"doomed", read_true, AT(run.doomed), false, 0},
    {"owed", read_true, AT(run.owed), false, 0},
    {"started_at", read_wall, AT(run.record.started_at), false, 0},
    {"ended_at", read_wall, AT(run.record.ended_at), false, 0},
    {"took_us", read_count, AT(run.record.took_us), false, INT64_MAX / 2},
    {"status", read_status, AT(run.record.status), false, INT32_MAX},
    {"error", read_error, AT(run.record.error), false, 0},
};

static const struct field *find_field(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

static enum err read_fields(struct reading *r, const struct field *fields, size_t n, json_t *object)
{
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        const char *name = json_object_iter_key(it);
        const struct field *f = find_field(fields, n, name);
        enum err e =
            f ? f->read(r, f, json_object_iter_value(it)) : wrong(r, name, "is no member that is known");

        if (e)
            return e;
    }
    for (size_t i = 0; i < n; i++) {
        if (fields[i].required && !json_object_get(object, fields[i].name))
            return wrong(r, fields[i].name, "is missing");
    }
    return ERR_NONE;
}

static enum err read_schedule(struct reading *r, json_t *object)
{
    struct record *rec = &r->l->record;
    enum err e;

    r->l->kind = LINE_SCHEDULE;
    rec->timer.next_at = WALL_NEVER;
    rec->timer.occurs_at = WALL_NEVER;
    rec->last_at = WALL_NEVER;
    e = read_fields(r, schedule_fields, COUNT_OF(schedule_fields), object);
    if (!e && json_object_get(object, "last_state") && wall_is_never(rec->last_at))
        return wrong(r, "last_at", "is missing beside last_state");
    return e;
}

static enum err read_run(struct reading *r, json_t *object)
{
    struct run_record *rec = &r->l->run.record;
    enum err e;

    r->l->kind = LINE_RUN;
    rec->run.due_at = WALL_NEVER;
    rec->started_at = WALL_NEVER;
    rec->ended_at = WALL_NEVER;
    e = read_fields(r, run_fields, COUNT_OF(run_fields), object);
    if (!e && !run_state_open(rec->run.state) && rec->run.state != RUN_DEAD)
        return wrong(r, "state", "must be one of a run that is open or dead");
    if (!e && r->l->run.owed && !r->l->run.doomed)
        return wrong(r, "owed", "is said of a doomed run alone");
    if (!e && rec->run.state == RUN_RETRYING && wall_is_never(rec->run.due_at))
        return wrong(r, "due_at", "is missing: when the retry is due");
    return e;
}

static enum err read_header(struct reading *r, const json_t *top)
{
    const json_t *format = json_object_get(top, "format");
    const json_t *tzdata = json_object_get(top, "tzdata");

    r->l->kind = LINE_HEADER;
    if (!json_is_integer(format) || json_integer_value(format) != MOVE_FORMAT)
        return wrong(r, "format", "this release reads format %d alone", MOVE_FORMAT);
    if (json_is_string(tzdata) && json_string_length(tzdata) < TZDATA_MAX)
        (void)snprintf(r->l->tzdata, sizeof(r->l->tzdata), "%s", json_string_value(tzdata));
    return ERR_NONE;
}

static enum err read_top(struct reading *r, json_t *top)
{
    json_t *schedule = json_object_get(top, "schedule");
    json_t *run = json_object_get(top, "run");

    if (json_is_object(schedule) && json_object_size(top) == 1) {
        r->under = "/schedule";
        return read_schedule(r, schedule);
    }
    if (json_is_object(run) && json_object_size(top) == 1) {
        r->under = "/run";
        return read_run(r, run);
    }
    if (json_object_get(top, "carillon"))
        return read_header(r, top);
    if (json_is_object(json_object_get(top, "end"))) {
        r->l->kind = LINE_END;
        return ERR_NONE;
    }
    return error_set(r->err, ERR_INVALID, "", "must be an object with the one member schedule, run or end");
}

/* A schedule's; nil: it cannot be told. */
static struct uuid id_of(const json_t *top)
{
    const json_t *v = json_object_get(json_object_get(top, "schedule"), "id");
    struct uuid id = {0};

    if (!json_is_string(v) || !uuid_parse(json_str(v), &id))
        return (struct uuid){0};
    return id;
}

enum err line_read(struct str text, struct line *ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *top = NULL;
    struct line l = {0};
    struct reading r = {.l = &l, .under = "", .err = err};
    enum err e = json_parse(text, JSON_DEPTH_LIMIT, &top, err);

    if (!e)
        e = read_top(&r, top);
    if (e) {
        line_done(&l);
        *ret = (struct line){.kind = l.kind, .record.id = id_of(top)};
        return e;
    }
    *ret = l;
    return ERR_NONE;
}

void line_done(struct line *l)
{
    json_free(TAKE(l->definition));
}
