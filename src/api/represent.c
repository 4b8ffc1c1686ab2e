/*
 * represent.c: a definition's own members first, in the order they were sent; then what became of it.
 */
#include "api/represent.h"

#include <string.h>

#include "api/definition.h"
#include "base/json.h"
#include "base/str.h"
#include "model/run.h"

/* The definition for people's eyes. */
static enum err public_json(const struct api *api, const struct record *record, json_t **ret,
                            struct error *err)
{
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    CLEANUP(json_free_p) json_t *json = NULL;
    struct str text = {record->definition, record->definition_n};
    enum err e;

    e = definition_stored(api, text, &s, err);
    if (!e)
        return schedule_public_json(s, &api->options.rules, ret, err);
    if (e == ERR_MEMORY)
        return e;
    e = json_parse(text, JSON_DEPTH_LIMIT, &json, err);
    if (e)
        return e;
    (void)json_object_del(json_object_get(json, "task"), "connection"); /* fails when it is not there */
    *ret = TAKE(json);
    return ERR_NONE;
}

/*
 * `paused` follows the state: what is read and sent back must not resume what was paused by hand, nor pause
 * again what was resumed.
 */
static void write_definition(struct writer *w, json_t *json, bool paused)
{
    bool told = false;

    for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it)) {
        struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};

        if (str_eq(name, STR("paused"))) {
            write_bool(w, "paused", paused);
            told = true;
        } else {
            write_json(w, name, json_object_iter_value(it));
        }
    }
    if (paused && !told)
        write_bool(w, "paused", true);
}

static void write_last(struct writer *w, const struct record *record)
{
    if (wall_is_never(record->last_at)) {
        write_null(w, "last");
        return;
    }
    write_object(w, "last");
    write_cstr(w, "state", run_state_name(record->last_state));
    write_wall(w, "at", record->last_at);
    write_end_object(w);
}

static void write_missed(struct writer *w, const struct timer *t)
{
    write_object(w, "missed");
    for (size_t i = 0; i < MISSED_N; i++) {
        if (t->missed[i] > 0)
            write_i64(w, missed_name((enum missed)i), t->missed[i]);
    }
    write_end_object(w);
}

enum err represent_schedule(struct writer *w, const struct api *api, const struct record *record,
                            struct error *err)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    const struct timer *t = &record->timer;
    enum err e;

    e = public_json(api, record, &json, err);
    if (e)
        return e;
    write_object(w, NULL);
    write_uuid(w, "id", record->id);
    write_definition(w, json, t->state == SCHEDULE_PAUSED);
    write_i64(w, "version", record->version);
    write_cstr(w, "state", schedule_state_name(t->state));
    write_wall(w, "created_at", record->created_at);
    write_wall(w, "updated_at", record->updated_at);
    write_wall(w, "next_at", t->state == SCHEDULE_ACTIVE ? t->next_at : WALL_NEVER);
    write_last(w, record);
    write_i64(w, "runs", t->runs);
    write_i64(w, "open_runs", record->open_runs);
    write_missed(w, t);
    write_end_object(w);
    return buf_check(w->out, NULL, err);
}

static void write_attempt(struct writer *w, const struct run_record *r)
{
    bool tried = r->status > 0 || r->error[0] != '\0' || r->took_us > 0;

    if (tried)
        write_ms(w, "duration_ms", r->took_us);
    else
        write_null(w, "duration_ms");
    if (r->status > 0)
        write_i64(w, "status", r->status);
    else
        write_null(w, "status");
    if (r->error[0] != '\0')
        write_cstr(w, "error", r->error);
    else
        write_null(w, "error");
}

void represent_run(struct writer *w, const struct run_record *r)
{
    const struct run *run = &r->run;
    bool waits = run->state == RUN_PENDING || run->state == RUN_RETRYING;

    write_object(w, NULL);
    write_uuid(w, "id", run->id);
    write_uuid(w, "schedule_id", run->schedule_id);
    write_i64(w, "schedule_version", run->schedule_version);
    write_wall(w, "scheduled_at", run->scheduled_at);
    write_cstr(w, "state", run_state_name(run->state));
    write_i64(w, "attempt", run->attempt);
    write_i64(w, "failures", run->failures);
    write_wall(w, "due_at", waits ? run->due_at : WALL_NEVER);
    write_wall(w, "started_at", r->started_at);
    write_wall(w, "ended_at", r->ended_at);
    write_attempt(w, r);
    write_wall(w, "by_hand_at", run->by_hand_at.us != 0 ? run->by_hand_at : WALL_NEVER);
    write_end_object(w);
}

static void write_client(struct writer *w, const struct client *c)
{
    write_object(w, "client");
    write_str(w, "operation", c->operation);
    write_str(w, "application", c->application);
    write_str(w, "group", c->group);
    write_str(w, "key", c->key);
    write_str(w, "type", c->type);
    write_end_object(w);
}

void represent_registration(struct writer *w, const struct op_put_item *item)
{
    write_uuid(w, "id", item->ret_id);
    write_str(w, "name", item->schedule->name);
    write_client(w, &item->schedule->client);
    write_i64(w, "version", item->ret_version);
    write_cstr(w, "state", schedule_state_name(item->ret_state));
    write_wall(w, "next_at", item->ret_state == SCHEDULE_ACTIVE ? item->ret_next_at : WALL_NEVER);
}
