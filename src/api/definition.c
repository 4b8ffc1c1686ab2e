/*
 * definition.c: reading definitions.
 */
#include "api/definition.h"

#include "api/api_internal.h"
#include "api/schema.h"
#include "base/str.h"

bool body_json(struct request *r, json_t **ret)
{
    struct error err;

    if (r->body.n == 0) {
        answer_problem(r, PROBLEM_SYNTAX, "a JSON body is expected");
        return false;
    }
    if (!json_parse(buf_str(&r->body), r->api->options.json_depth_max, ret, &err))
        return true;
    if (err.code == ERR_SYNTAX)
        error_prefix(&err, "%s", err.where);
    answer_error(r, &err);
    return false;
}

bool body_is_empty(struct request *r)
{
    CLEANUP(json_free_p) json_t *json = NULL;

    if (r->body.n == 0)
        return true;
    if (!body_json(r, &json))
        return false;
    if (json_is_null(json) || (json_is_object(json) && json_object_size(json) == 0))
        return true;
    answer_problem(r, PROBLEM_INVALID, "this call takes no body");
    return false;
}

/* Which members only reads have is told by the very table that describes them. */
static void strip(json_t *json)
{
    const struct schema *s = schema_find("Schedule");

    MUST(s);
    for (size_t i = 0; i < s->members_n; i++) {
        if (s->members[i].read_only)
            (void)json_object_del(json, s->members[i].name); /* fails when it is not there */
    }
}

static bool id_agrees(const json_t *json, const struct uuid *id)
{
    const json_t *own = json_object_get(json, "id");
    struct uuid parsed;

    if (!id || !own)
        return true;
    return json_is_string(own) && uuid_parse(json_str(own), &parsed) && uuid_eq(parsed, *id);
}

enum err definition_decode(const struct api *api, json_t *json, const struct uuid *id,
                           const struct schedule *prior, struct schedule **ret, struct error_list *faults)
{
    if (!id_agrees(json, id))
        return error_list_add(faults, ERR_INVALID, "/id", "is not the id in the path");
    strip(json);
    return schedule_decode(json, &api->options.rules, prior, ret, faults);
}

enum err definition_decode_loosely(const struct api *api, json_t *json, struct schedule **ret,
                                   struct error_list *faults)
{
    strip(json);
    return schedule_decode(json, &api->stored_rules, NULL, ret, faults);
}

enum err definition_stored(const struct api *api, struct str text, struct schedule **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct error_list faults;
    enum err e;

    e = json_parse(text, JSON_DEPTH_LIMIT, &json, err);
    if (e)
        return e;
    faults.n = 0;
    faults.dropped = 0;
    e = schedule_decode(json, &api->stored_rules, NULL, ret, &faults);
    if (e && err)
        *err = faults.items[0];
    return e;
}
