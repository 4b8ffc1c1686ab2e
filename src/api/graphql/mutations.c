/*
 * mutations.c: see mutations.h.
 */
#include "api/graphql/mutations.h"

#include "base/str.h"

static bool set_created(json_t *item, bool created)
{
    return json_object_set_new(item, "created", json_boolean(created)) == 0;
}

static void cannot_tell(struct gql_call *call)
{
    struct error err;

    (void)error_set(&err, ERR_BUSY, NULL, "it was done, but there is no memory to tell how");
    call->values[0] = gql_error(call->execution, &err);
}

void give_registration(struct gql_call *call, struct request *r)
{
    bool created = r->answer.status == 201;
    json_t *json = (json_t *)(uintptr_t)call_answer(call, r);

    if (json && set_created(json, created))
        call->values[0] = gql_json(json);
    else if (json)
        cannot_tell(call);
}

/* The type of an item of the list that the first argument is. */
static const struct gql_ref *item_type(const struct gql_call *call)
{
    const struct gql_ref *ref = call->field->arguments.items[0].ref;

    while (ref->of)
        ref = ref->of;
    return ref;
}

static bool shape_item(json_t *item, const struct gql_ref *type)
{
    const json_t *problem = json_object_get(item, "problem");

    if (!set_created(item, json_integer_value(json_object_get(item, "status")) == 201))
        return false;
    return !problem || json_object_set_new(item, "error", arguments_item_problem(type, problem)) == 0;
}

void give_batch(struct gql_call *call, struct request *r)
{
    const json_t *items = call_answer(call, r);

    for (size_t i = 0; i < json_array_size(items); i++) {
        if (!shape_item(json_array_get(items, i), item_type(call))) {
            cannot_tell(call);
            return;
        }
    }
    if (items)
        call->values[0] = gql_json(items);
}

enum err shape_redrive(json_t *body, struct error *err)
{
    bool all = json_is_true(json_object_get(body, "all"));

    (void)json_object_del(body, "all"); /* fails when it is not there */
    if (all && json_object_set_new(body, "state", json_string("dead")))
        return error_set(err, ERR_MEMORY, NULL, "out of memory");
    return ERR_NONE;
}
