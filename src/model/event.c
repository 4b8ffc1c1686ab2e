/*
 * event.c: the body of an attempt. See event.h.
 */
#include "model/event.h"

#include "base/str.h"
#include "calendar/iso8601.h"
#include "model/names.h"
#include "model/secret.h"

static enum err no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, NULL, "out of memory for an attempt's body");
}

/*
 * Headers whose values say nothing but how to talk. The target gets all of them as headers anyway; but a body
 * is what people store and log, and here the configured list of secret names is not known.
 */
static bool is_harmless(struct str name)
{
    static const struct str harmless[] = {
        WORD("accept"),       WORD("accept-language"), WORD("content-language"),
        WORD("content-type"), WORD("user-agent"),
    };

    for (size_t i = 0; i < COUNT_OF(harmless); i++) {
        if (str_eq_nocase(name, harmless[i]))
            return true;
    }
    return false;
}

static enum err hide_headers(json_t *headers, struct error *err)
{
    for (void *it = json_object_iter(headers); it; it = json_object_iter_next(headers, it)) {
        const struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};

        if (!is_harmless(name) && json_object_iter_set_new(headers, it, json_string(SECRET_MASK)))
            return no_memory(err);
    }
    return ERR_NONE;
}

/* The run's members go first, so that people find them. */
static enum err add_run(json_t *event, const struct run *run, struct error *err)
{
    char id[UUID_TEXT + 1];
    char run_id[UUID_TEXT + 1];
    char scheduled_at[ISO_TEXT_MAX];

    uuid_format(run->schedule_id, id);
    uuid_format(run->id, run_id);
    iso_format(run->scheduled_at, scheduled_at);
    if (json_object_set_new(event, "id", json_string(id)) ||
        json_object_set_new(event, "run_id", json_string(run_id)) ||
        json_object_set_new(event, "scheduled_at", json_string(scheduled_at)) ||
        json_object_set_new(event, "attempt", json_integer(run->attempt)))
        return no_memory(err);
    return ERR_NONE;
}

static enum err event_json(const struct schedule *s, const struct run *run, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *event = json_object();
    CLEANUP(json_free_p) json_t *definition = NULL;
    json_t *headers;
    enum err e;

    if (!event)
        return no_memory(err);
    e = add_run(event, run, err);
    if (e)
        return e;
    e = schedule_public_json(s, NULL, &definition, err);
    if (e)
        return e;
    /* The public form's own copy: hiding more in it touches nobody else's. */
    headers = json_object_get(json_object_get(json_object_get(definition, "task"), "connection"), "headers");
    e = headers ? hide_headers(headers, err) : ERR_NONE;
    if (e)
        return e;
    if (json_object_update(event, definition))
        return no_memory(err);
    *ret = TAKE(event);
    return ERR_NONE;
}

enum err event_body(const struct schedule *s, const struct run *run, struct buf *out, struct error *err)
{
    CLEANUP(json_free_p) json_t *event = NULL;
    enum err e;

    if (s->task.body == BODY_DATA)
        return json_is_null(s->task.data) ? ERR_NONE : json_write(s->task.data, out, err);
    e = event_json(s, run, &event, err);
    return e ? e : json_write(event, out, err);
}
