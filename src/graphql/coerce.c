/*
 * coerce.c: literals, JSON and arguments to typed values. Depth is bounded by the parser of either.
 */
#include "graphql/coerce.h"

#include <stdio.h>

#include "base/str.h"

static enum err no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, NULL, "out of memory for a value");
}

/* Puts the new reference `value` into an object or, without a name, at the end of an array. */
static enum err put(json_t *into, struct str name, json_t *value, struct error *err)
{
    int failed = json_is_array(into) ? json_array_append_new(into, value)
                                     : json_object_setn_new_nocheck(into, name.p, name.n, value);

    return failed ? no_memory(err) : ERR_NONE;
}

static bool absent_variable(const struct gql_literal *v, const json_t *variables)
{
    return v->kind == GQL_LIT_VARIABLE && !json_object_getn(variables, v->text.p, v->text.n);
}

static enum err null_refused(const struct gql_ref *ref, struct error *err)
{
    char text[GQL_REF_TEXT];

    return error_set(err, ERR_INVALID, NULL, "expected a value of the non-null type \"%s\", found null",
                     gql_ref_text(ref, text));
}

static enum err missing_field(const struct gql_input *input, struct error *err)
{
    char text[GQL_REF_TEXT];

    return error_set(err, ERR_INVALID, NULL, "the required field \"%.*s\" of type \"%s\" is missing",
                     GQL_SHOWN(input->name), gql_ref_text(input->ref, text));
}

/* --- literals ------------------------------------------------------------------------------------------ */

static enum err literal_variable(const struct gql_literal *v, const struct gql_ref *ref,
                                 const json_t *variables, json_t **ret, struct error *err)
{
    json_t *value = json_object_getn(variables, v->text.p, v->text.n);

    if (json_is_null(value) && ref->wrap == GQL_NON_NULL)
        return null_refused(ref, err);
    *ret = json_incref(value);
    return ERR_NONE;
}

/* Adds an item; a variable that was not given counts as null in a list. */
static enum err literal_item(const struct gql_literal *v, const struct gql_ref *ref, const json_t *variables,
                             json_t *list, struct error *err)
{
    json_t *item = NULL;
    enum err e = gql_coerce_literal(v, ref, variables, &item, err);

    if (e)
        return e;
    if (!item && ref->wrap == GQL_NON_NULL)
        return null_refused(ref, err);
    return put(list, STR(""), item ? item : json_null(), err);
}

static enum err literal_list(const struct gql_literal *v, const struct gql_ref *ref, const json_t *variables,
                             json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *list = json_array();
    enum err e = list ? ERR_NONE : no_memory(err);

    if (v->kind != GQL_LIT_LIST && !e)
        e = literal_item(v, ref->of, variables, list, err); /* one value stands for a list of one */
    else
        for (const struct gql_literal_item *i = v->items; i && !e; i = i->next)
            e = literal_item(i->value, ref->of, variables, list, err);
    if (!e)
        *ret = TAKE(list);
    return e;
}

static const struct gql_literal *item_named(const struct gql_literal *v, struct str name)
{
    for (const struct gql_literal_item *i = v->items; i; i = i->next)
        if (str_eq(i->name, name))
            return i->value;
    return NULL;
}

static enum err literal_field(const struct gql_literal *given, const struct gql_input *input,
                              const json_t *variables, json_t *object, struct error *err)
{
    json_t *value = NULL;

    if (given && !absent_variable(given, variables)) {
        enum err e = gql_coerce_literal(given, input->ref, variables, &value, err);

        if (e)
            return e;
    } else if (input->value) {
        value = json_incref(input->value);
    } else if (input->ref->wrap == GQL_NON_NULL) {
        return missing_field(input, err);
    }
    return value ? put(object, input->name, value, err) : ERR_NONE;
}

static enum err literal_object(const struct gql_literal *v, const struct gql_type *type,
                               const json_t *variables, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *object = json_object();
    enum err e = object ? ERR_NONE : no_memory(err);

    if (v->kind != GQL_LIT_OBJECT)
        return error_set(err, ERR_INVALID, NULL, "expected an object of type \"%.*s\"",
                         GQL_SHOWN(type->name));
    for (const struct gql_literal_item *i = v->items; i; i = i->next)
        if (!gql_inputs_find(&type->inputs, i->name))
            return error_set(err, ERR_INVALID, NULL, "the field \"%.*s\" is not defined by type \"%.*s\"",
                             GQL_SHOWN(i->name), GQL_SHOWN(type->name));
    for (size_t i = 0; i < type->inputs.n && !e; i++)
        e = literal_field(item_named(v, type->inputs.items[i].name), &type->inputs.items[i], variables,
                          object, err);
    if (!e)
        *ret = TAKE(object);
    return e;
}

enum err gql_coerce_literal(const struct gql_literal *v, const struct gql_ref *ref, const json_t *variables,
                            json_t **ret, struct error *err)
{
    if (v->kind == GQL_LIT_VARIABLE)
        return literal_variable(v, ref, variables, ret, err);
    if (ref->wrap == GQL_NON_NULL)
        return v->kind == GQL_LIT_NULL ? null_refused(ref, err)
                                       : gql_coerce_literal(v, ref->of, variables, ret, err);
    if (v->kind == GQL_LIT_NULL) {
        *ret = json_null();
        return ERR_NONE;
    }
    if (ref->wrap == GQL_LIST)
        return literal_list(v, ref, variables, ret, err);
    if (ref->type->kind == GQL_INPUT)
        return literal_object(v, ref->type, variables, ret, err);
    return gql_leaf_from_literal(ref->type, v, variables, ret, err);
}

static enum err coerce_argument(const struct gql_input *input, const struct gql_argument *given,
                                const json_t *variables, json_t *into, struct error *err)
{
    char text[GQL_REF_TEXT];
    enum err e;

    while (given && !str_eq(given->name, input->name))
        given = given->next;
    if (input->ref->wrap == GQL_NON_NULL && !input->value &&
        (!given || absent_variable(given->value, variables)))
        return error_set(err, ERR_INVALID, NULL,
                         "the argument \"%.*s\" of the required type \"%s\" was not given",
                         GQL_SHOWN(input->name), gql_ref_text(input->ref, text));
    e = literal_field(given ? given->value : NULL, input, variables, into, err);
    if (e == ERR_INVALID)
        error_prefix(err, "the argument \"%.*s\"", GQL_SHOWN(input->name));
    return e;
}

enum err gql_coerce_arguments(const struct gql_inputs *inputs, const struct gql_argument *given,
                              const json_t *variables, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *object = json_object();
    enum err e = object ? ERR_NONE : no_memory(err);

    for (size_t i = 0; i < inputs->n && !e; i++)
        e = coerce_argument(&inputs->items[i], given, variables, object, err);
    if (!e)
        *ret = TAKE(object);
    return e;
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static enum err json_item(const json_t *in, const struct gql_ref *ref, size_t index, json_t *list,
                          struct error *err)
{
    json_t *item = NULL;
    enum err e = gql_coerce_json(in, ref, &item, err);

    if (e) {
        char step[32];

        (void)snprintf(step, sizeof(step), "[%zu]", index);
        if (e == ERR_INVALID)
            error_prefix_where(err, step);
        return e;
    }
    return put(list, STR(""), item, err);
}

static enum err json_list(const json_t *in, const struct gql_ref *ref, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *list = json_array();
    enum err e = list ? ERR_NONE : no_memory(err);
    json_t *alone = NULL;

    if (!json_is_array(in)) {
        e = e ? e : gql_coerce_json(in, ref->of, &alone, err);
        e = e ? e : put(list, STR(""), alone, err);
    }
    for (size_t i = 0; json_is_array(in) && i < json_array_size(in) && !e; i++)
        e = json_item(json_array_get(in, i), ref->of, i, list, err);
    if (!e)
        *ret = TAKE(list);
    return e;
}

static enum err json_field(const json_t *given, const struct gql_input *input, json_t *object,
                           struct error *err)
{
    json_t *value = NULL;

    if (given) {
        enum err e = gql_coerce_json(given, input->ref, &value, err);
        char step[64];

        (void)snprintf(step, sizeof(step), ".%.*s", GQL_SHOWN(input->name));
        if (e == ERR_INVALID)
            error_prefix_where(err, step);
        if (e)
            return e;
    } else if (input->value) {
        value = json_incref(input->value);
    } else if (input->ref->wrap == GQL_NON_NULL) {
        return missing_field(input, err);
    }
    return value ? put(object, input->name, value, err) : ERR_NONE;
}

static enum err json_fields(const json_t *in, const struct gql_type *type, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *object = json_object();
    enum err e = object ? ERR_NONE : no_memory(err);

    if (!json_is_object(in))
        return error_set(err, ERR_INVALID, NULL, "expected an object of type \"%.*s\"",
                         GQL_SHOWN(type->name));
    for (void *i = json_object_iter((json_t *)in); i; i = json_object_iter_next((json_t *)in, i)) {
        struct str name = {json_object_iter_key(i), json_object_iter_key_len(i)};

        if (!gql_inputs_find(&type->inputs, name))
            return error_set(err, ERR_INVALID, NULL, "the field \"%.*s\" is not defined by type \"%.*s\"",
                             GQL_SHOWN(name), GQL_SHOWN(type->name));
    }
    for (size_t i = 0; i < type->inputs.n && !e; i++) {
        const struct gql_input *input = &type->inputs.items[i];

        e = json_field(json_object_getn(in, input->name.p, input->name.n), input, object, err);
    }
    if (!e)
        *ret = TAKE(object);
    return e;
}

enum err gql_coerce_json(const json_t *in, const struct gql_ref *ref, json_t **ret, struct error *err)
{
    if (ref->wrap == GQL_NON_NULL)
        return json_is_null(in) ? null_refused(ref, err) : gql_coerce_json(in, ref->of, ret, err);
    if (json_is_null(in)) {
        *ret = json_null();
        return ERR_NONE;
    }
    if (ref->wrap == GQL_LIST)
        return json_list(in, ref, ret, err);
    if (ref->type->kind == GQL_INPUT)
        return json_fields(in, ref->type, ret, err);
    return gql_leaf_from_json(ref->type, in, ret, err);
}
