/*
 * queue.c: a row of the table of the service that this one replaces becomes a registration.
 *
 * The payload is what was registered there, whose members are those of a definition here; so it is judged as
 * one that a client sends. What differs is put right: targets there got the whole schedule as their body, so
 * they go on to (task.body) unless told otherwise; and next_schedule says when a schedule acts next, whatever
 * would be computed now. A one-shot whose time has passed fires at once, and so does one occurrence of what
 * recurs, as its misfire policy has it: somebody waits for it since.
 */
#include <stdio.h>

#include "base/str.h"
#include "move/batch.h"
#include "store/postgres/queue_table.h"

struct queue_in {
    const struct import_options *o;
    const struct queue_options *q;
    struct import_report *report;
    struct batch batch;
    int64_t rows;
};

static void queue_in_done(struct queue_in *in)
{
    batch_done(&in->batch);
}

static void name_row(const struct queue_row *row, char place[PLACE_MAX])
{
    int n = row->id.n < PLACE_MAX - 8 ? (int)row->id.n : PLACE_MAX - 8;

    (void)snprintf(place, PLACE_MAX, "row %.*s", n, row->id.p ? row->id.p : "");
}

static void refuse(struct queue_in *in, const struct queue_row *row, const struct error_list *faults)
{
    char place[PLACE_MAX];

    name_row(row, place);
    in->report->refused++;
    for (size_t i = 0; i < faults->n; i++)
        in->o->refused(in->o->arg, place, &faults->items[i]);
}

static enum err parse(struct str text, json_t **ret, struct error *err)
{
    enum err e = json_parse(text, JSON_DEPTH_LIMIT, ret, err);

    if (e == ERR_SYNTAX)
        error_prefix(err, "%s", err->where);
    return e;
}

/* JSON, or a text that holds JSON. */
static enum err parse_payload(struct str text, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    enum err e;

    if (!text.p)
        return error_set(err, ERR_INVALID, "", "is NULL");
    e = parse(text, &json, err);
    if (!e && json_is_string(json)) {
        CLEANUP(json_free_p) json_t *outer = TAKE(json);

        e = parse(json_str(outer), &json, err);
    }
    if (!e && !json_is_object(json))
        e = error_set(err, ERR_INVALID, "", "must be an object");
    if (!e)
        *ret = TAKE(json);
    return e;
}

static enum err set_text(json_t *object, const char *name, struct str text, struct error *err)
{
    json_t *v = json_stringn(text.p, text.n);

    if (!v || json_object_set_new(object, name, v)) /* takes it even when it fails */
        return error_set(err, ERR_MEMORY, "", "out of memory for JSON");
    return ERR_NONE;
}

/* What the table has columns for may stand in the payload too, and is then no member of a definition. */
static enum err complete(const struct queue_in *in, const struct queue_row *row, json_t *json,
                         struct error *err)
{
    json_t *task = json_object_get(json, "task");
    enum err e = ERR_NONE;

    (void)json_object_del(json, "id"); /* fails when it is not there */
    (void)json_object_del(json, "next_schedule");
    if (!json_object_get(json, "name") && row->name.p)
        e = set_text(json, "name", row->name, err);
    if (!e && !in->q->data_alone && json_is_object(task) && !json_object_get(task, "body"))
        e = set_text(task, "body", STR("event"), err);
    return e;
}

static void start(const struct schedule *s, struct wall next, struct wall now, struct timer *ret)
{
    bool passed = next.us < now.us;

    if (wall_is_never(next)) {
        timer_start(s, now, ret);
        return;
    }
    /* From a moment before it, so that what was missed since is counted and made up for. */
    timer_start(s, passed && s->type == SCHEDULE_CRON ? wall_add(next, -1) : now, ret);
    if (s->type == SCHEDULE_CRON || ret->state == SCHEDULE_FINISHED)
        return;
    ret->occurs_at = next;
    if (ret->state == SCHEDULE_ACTIVE)
        ret->next_at = next;
}

static struct record record_of(const struct queue_in *in, const struct queue_row *row,
                               const struct schedule *s, bool *ret_made)
{
    struct record r = {.version = 1, .last_at = WALL_NEVER};

    r.created_at = in->q->now;
    r.updated_at = in->q->now;
    /* Who keeps an identifier of the service before goes on with it; a number is none, so it gets one. */
    *ret_made = !row->id.p || !uuid_parse(row->id, &r.id) || uuid_is_nil(r.id);
    if (*ret_made)
        r.id = uuid_v7(wall_add(in->q->now, in->rows));
    start(s, row->next, in->q->now, &r.timer);
    return r;
}

static enum err judge(const struct queue_in *in, const struct queue_row *row, struct schedule **ret,
                      struct error_list *faults)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct error err = {0};
    enum err e;

    if (row->next_unreadable)
        return error_list_add(faults, ERR_INVALID, "next_schedule", "is no time from 1970 to 9999");
    e = parse_payload(row->payload, &json, &err);
    if (!e)
        e = complete(in, row, json, &err);
    if (e)
        return error_list_add(faults, e, "payload", "%s", err.text);
    e = schedule_decode(json, in->o->rules, NULL, ret, faults);
    for (size_t i = 0; e && i < faults->n; i++)
        error_prefix_where(&faults->items[i], "payload");
    return e;
}

static enum err take_row(struct queue_in *in, const struct queue_row *row, struct error *err)
{
    struct schedule *s = NULL;
    struct error_list faults = {0};
    struct record record;
    char place[PLACE_MAX];
    bool id_made;
    enum err e = judge(in, row, &s, &faults);

    in->rows++;
    if (e == ERR_MEMORY || e == ERR_IO) {
        *err = faults.items[0];
        return e;
    }
    if (e) {
        refuse(in, row, &faults);
        return ERR_NONE;
    }
    record = record_of(in, row, s, &id_made);
    name_row(row, place);
    return batch_add(&in->batch, place, s, &record, id_made, err);
}

enum err move_import_queue(const struct import_options *o, const struct queue_options *q,
                           struct queue_table *table, struct import_report *ret, struct error *err)
{
    CLEANUP(queue_in_done) struct queue_in in = {.o = o, .q = q, .report = ret};
    bool there = true;
    enum err e = ERR_NONE;

    *ret = (struct import_report){0};
    batch_init(&in.batch, o, ret);
    in.batch.registers = true;
    while (!e && there) {
        struct queue_row row;

        e = queue_table_next(table, &row, &there, err);
        if (!e && there)
            e = take_row(&in, &row, err);
    }
    return e ? e : batch_end(&in.batch, err);
}
