/*
 * schedule_encode.c: a definition back to JSON: whole for the store, without its secrets for people.
 */
#include "model/schedule.h"

#include "base/str.h"
#include "model/secret.h"

/* Deeper and larger than any definition that was accepted. */
enum err schedule_encode(const struct schedule *s, struct buf *out, struct error *err)
{
    return json_write(s->json, out, err);
}

static enum err no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, NULL, "out of memory for JSON");
}

/* A shallow copy of the object `parent[name]` put in its place, so that it can be changed; NULL when memory
 * ran out. */
static json_t *own_member(json_t *parent, const char *name)
{
    json_t *copy = json_copy_whole(json_object_get(parent, name));

    /* Takes the copy even when it fails. */
    return copy && json_object_set_new(parent, name, copy) == 0 ? copy : NULL;
}

static bool is_hidden(const struct schedule_rules *rules, bool is_config, struct str name)
{
    return is_config ? secret_config(name) : secret_header(rules, name);
}

/* Hides the values of `connection[name]`, an object or absent. */
static enum err hide_values(json_t *connection, const char *name, bool is_config,
                            const struct schedule_rules *rules, struct error *err)
{
    json_t *values;

    if (!json_is_object(json_object_get(connection, name)))
        return ERR_NONE;
    values = own_member(connection, name);
    if (!values)
        return no_memory(err);
    for (void *it = json_object_iter(values); it; it = json_object_iter_next(values, it)) {
        const struct str key = {json_object_iter_key(it), json_object_iter_key_len(it)};

        if (is_hidden(rules, is_config, key) &&
            json_object_iter_set_new(values, it, json_string(SECRET_MASK)))
            return no_memory(err);
    }
    return ERR_NONE;
}

static enum err hide_userinfo(const struct schedule *s, json_t *connection, struct error *err)
{
    struct str own;
    json_t *host;
    enum err e;

    if (!secret_userinfo(s->task.host, &own))
        return ERR_NONE;
    e = secret_with_userinfo(s->task.host, STR(SECRET_MASK), &host, err);
    if (e)
        return e;
    return json_object_set_new(connection, "host", host) ? no_memory(err) : ERR_NONE;
}

enum err schedule_public_json(const struct schedule *s, const struct schedule_rules *rules, json_t **ret,
                              struct error *err)
{
    CLEANUP(json_free_p) json_t *copy = json_copy_whole(s->json);
    json_t *task;
    json_t *connection;
    enum err e;

    if (!copy)
        return no_memory(err);
    task = own_member(copy, "task");
    connection = task ? own_member(task, "connection") : NULL;
    if (!connection)
        return no_memory(err);
    e = hide_values(connection, "headers", false, rules, err);
    if (!e)
        e = hide_values(connection, "config", true, rules, err);
    if (!e)
        e = hide_userinfo(s, connection, err);
    if (e)
        return e;
    *ret = TAKE(copy);
    return ERR_NONE;
}

static bool holds_mask(json_t *object)
{
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        if (secret_is_mask(json_object_iter_value(it)))
            return true;
    }
    return false;
}

bool schedule_json_keeps_secrets(const json_t *json)
{
    const json_t *connection = json_object_get(json_object_get(json, "task"), "connection");
    const json_t *host = json_object_get(connection, "host");
    struct str own;

    if (json_is_string(host) && secret_userinfo(json_str(host), &own) && str_eq(own, STR(SECRET_MASK)))
        return true;
    return holds_mask(json_object_get(connection, "headers")) ||
           holds_mask(json_object_get(connection, "config"));
}
