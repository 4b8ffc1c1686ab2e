/*
 * introspect.c: section 4: the schema as it answers questions about itself, by resolvers like any other.
 *
 * The objects are the schema's own structs: a __Type is a struct gql_ref, so that wrappings are types too.
 */
#include <stdio.h>

#include "base/str.h"
#include "graphql/coerce.h"
#include "graphql/execute_internal.h"
#include "graphql/schema_internal.h"

static const struct gql_schema *schema_of(const struct gql_call *call)
{
    return call->execution->options.schema;
}

static struct gql_value text_or_null(bool there, struct str s)
{
    return there ? gql_str(s) : gql_null();
}

static struct gql_value type_value(const struct gql_type *t)
{
    return t ? gql_object(&t->ref) : gql_null();
}

/* A list of `n` types. */
static struct gql_value type_list(const struct gql_call *call, const struct gql_type *const *types, size_t n)
{
    struct gql_value v = gql_list(call->execution, n);

    for (size_t i = 0; v.kind == GQL_VALUE_LIST && i < n; i++)
        v.list.items[i] = type_value(types[i]);
    return v;
}

static struct gql_value input_list(const struct gql_call *call, const struct gql_inputs *inputs)
{
    struct gql_value v = gql_list(call->execution, inputs->n);

    for (size_t i = 0; v.kind == GQL_VALUE_LIST && i < inputs->n; i++)
        v.list.items[i] = gql_object(&inputs->items[i]);
    return v;
}

static bool with_deprecated(const struct gql_call *call)
{
    return json_is_true(json_object_get(call->arguments, "includeDeprecated"));
}

/* A resolver of one value at a time, as all of these are. */
#define RESOLVER(name, type, item)                                                                           \
    static struct gql_value name##_of(const struct gql_call *call, const type *item);                        \
    static enum gql_progress name(struct gql_call *call)                                                     \
    {                                                                                                        \
        for (size_t i_ = 0; i_ < call->n; i_++)                                                              \
            call->values[i_] = name##_of(call, call->objects[i_]);                                           \
        return GQL_ANSWERED;                                                                                 \
    }                                                                                                        \
    static struct gql_value name##_of(UNUSED const struct gql_call *call, UNUSED const type *item)

/* --- the root ------------------------------------------------------------------------------------------ */

RESOLVER(meta_schema, void, root)
{
    return gql_object(schema_of(call));
}

RESOLVER(meta_type, void, root)
{
    return type_value(gql_schema_type(schema_of(call), json_str(json_object_get(call->arguments, "name"))));
}

/* --- __Schema ------------------------------------------------------------------------------------------ */

RESOLVER(schema_description, struct gql_schema, s)
{
    return text_or_null(s->described, s->description);
}

RESOLVER(schema_types, struct gql_schema, s)
{
    return type_list(call, s->types, s->n_types);
}

RESOLVER(schema_query, struct gql_schema, s)
{
    return type_value(s->roots[GQL_QUERY]);
}

RESOLVER(schema_mutation, struct gql_schema, s)
{
    return type_value(s->roots[GQL_MUTATION]);
}

RESOLVER(schema_subscription, struct gql_schema, s)
{
    return type_value(s->roots[GQL_SUBSCRIPTION]);
}

RESOLVER(schema_directives, struct gql_schema, s)
{
    struct gql_value v = gql_list(call->execution, s->n_directives);

    for (size_t i = 0; v.kind == GQL_VALUE_LIST && i < s->n_directives; i++)
        v.list.items[i] = gql_object(&s->directives[i]);
    return v;
}

/* --- __Type -------------------------------------------------------------------------------------------- */

static bool has_fields(const struct gql_ref *r)
{
    return r->wrap == GQL_NAMED && (r->type->kind == GQL_OBJECT || r->type->kind == GQL_INTERFACE);
}

RESOLVER(type_kind, struct gql_ref, r)
{
    if (r->wrap == GQL_NAMED)
        return gql_str(str_of(gql_type_kind_name(r->type->kind)));
    return gql_str(r->wrap == GQL_LIST ? STR("LIST") : STR("NON_NULL"));
}

RESOLVER(type_name, struct gql_ref, r)
{
    return text_or_null(r->wrap == GQL_NAMED, r->type->name);
}

RESOLVER(type_description, struct gql_ref, r)
{
    return text_or_null(r->wrap == GQL_NAMED && r->type->described, r->type->description);
}

RESOLVER(type_fields, struct gql_ref, r)
{
    struct gql_value v = gql_null();
    size_t n = 0;

    if (has_fields(r))
        v = gql_list(call->execution, r->type->n_fields);
    if (v.kind != GQL_VALUE_LIST)
        return v;
    for (size_t i = 0; i < r->type->n_fields; i++)
        if (!r->type->fields[i].deprecated || with_deprecated(call))
            v.list.items[n++] = gql_object(&r->type->fields[i]);
    v.list.n = n;
    return v;
}

RESOLVER(type_interfaces, struct gql_ref, r)
{
    return has_fields(r) ? type_list(call, r->type->interfaces, r->type->n_interfaces) : gql_null();
}

RESOLVER(type_possible, struct gql_ref, r)
{
    if (r->wrap != GQL_NAMED || (r->type->kind != GQL_INTERFACE && r->type->kind != GQL_UNION))
        return gql_null();
    return type_list(call, r->type->possible, r->type->n_possible);
}

RESOLVER(type_values, struct gql_ref, r)
{
    struct gql_value v = gql_null();
    size_t n = 0;

    if (r->wrap == GQL_NAMED && r->type->kind == GQL_ENUM)
        v = gql_list(call->execution, r->type->n_values);
    if (v.kind != GQL_VALUE_LIST)
        return v;
    for (size_t i = 0; i < r->type->n_values; i++)
        if (!r->type->values[i].deprecated || with_deprecated(call))
            v.list.items[n++] = gql_object(&r->type->values[i]);
    v.list.n = n;
    return v;
}

RESOLVER(type_inputs, struct gql_ref, r)
{
    return r->wrap == GQL_NAMED && r->type->kind == GQL_INPUT ? input_list(call, &r->type->inputs)
                                                              : gql_null();
}

RESOLVER(type_of_type, struct gql_ref, r)
{
    return r->wrap == GQL_NAMED ? gql_null() : gql_object(r->of);
}

RESOLVER(type_specified_by, struct gql_ref, r)
{
    return text_or_null(r->wrap == GQL_NAMED && r->type->specified_by.n > 0, r->type->specified_by);
}

/* --- __Field, __InputValue, __EnumValue, __Directive --------------------------------------------------- */

RESOLVER(field_name, struct gql_field, f)
{
    return gql_str(f->name);
}

RESOLVER(field_description, struct gql_field, f)
{
    return text_or_null(f->described, f->description);
}

RESOLVER(field_args, struct gql_field, f)
{
    return input_list(call, &f->arguments);
}

RESOLVER(field_type, struct gql_field, f)
{
    return gql_object(f->ref);
}

RESOLVER(field_deprecated, struct gql_field, f)
{
    return gql_bool(f->deprecated);
}

RESOLVER(field_reason, struct gql_field, f)
{
    return text_or_null(f->deprecated, f->deprecation);
}

RESOLVER(input_name, struct gql_input, in)
{
    return gql_str(in->name);
}

RESOLVER(input_description, struct gql_input, in)
{
    return text_or_null(in->described, in->description);
}

RESOLVER(input_type, struct gql_input, in)
{
    return gql_object(in->ref);
}

RESOLVER(input_default, struct gql_input, in)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    if (!in->value)
        return gql_null();
    buf_init(&text, 1024 * 1024);
    gql_value_print(in->value, in->ref, &text);
    return gql_str(gql_copy(call->execution, buf_str(&text)));
}

RESOLVER(value_name, struct gql_enum_value, v)
{
    return gql_str(v->name);
}

RESOLVER(value_description, struct gql_enum_value, v)
{
    return text_or_null(v->described, v->description);
}

RESOLVER(value_deprecated, struct gql_enum_value, v)
{
    return gql_bool(v->deprecated);
}

RESOLVER(value_reason, struct gql_enum_value, v)
{
    return text_or_null(v->deprecated, v->deprecation);
}

RESOLVER(directive_name, struct gql_directive_type, d)
{
    return gql_str(d->name);
}

RESOLVER(directive_description, struct gql_directive_type, d)
{
    return text_or_null(d->described, d->description);
}

RESOLVER(directive_locations, struct gql_directive_type, d)
{
    struct gql_value v = gql_list(call->execution, d->n_places);

    for (size_t i = 0; v.kind == GQL_VALUE_LIST && i < d->n_places; i++)
        v.list.items[i] = gql_str(str_of(gql_place_name(d->places[i])));
    return v;
}

RESOLVER(directive_args, struct gql_directive_type, d)
{
    return input_list(call, &d->arguments);
}

RESOLVER(directive_repeatable, struct gql_directive_type, d)
{
    return gql_bool(d->repeatable);
}

static const struct gql_binding BINDINGS[] = {
    {"__Meta", "__schema", meta_schema},
    {"__Meta", "__type", meta_type},
    {"__Schema", "description", schema_description},
    {"__Schema", "types", schema_types},
    {"__Schema", "queryType", schema_query},
    {"__Schema", "mutationType", schema_mutation},
    {"__Schema", "subscriptionType", schema_subscription},
    {"__Schema", "directives", schema_directives},
    {"__Type", "kind", type_kind},
    {"__Type", "name", type_name},
    {"__Type", "description", type_description},
    {"__Type", "fields", type_fields},
    {"__Type", "interfaces", type_interfaces},
    {"__Type", "possibleTypes", type_possible},
    {"__Type", "enumValues", type_values},
    {"__Type", "inputFields", type_inputs},
    {"__Type", "ofType", type_of_type},
    {"__Type", "specifiedByURL", type_specified_by},
    {"__Field", "name", field_name},
    {"__Field", "description", field_description},
    {"__Field", "args", field_args},
    {"__Field", "type", field_type},
    {"__Field", "isDeprecated", field_deprecated},
    {"__Field", "deprecationReason", field_reason},
    {"__InputValue", "name", input_name},
    {"__InputValue", "description", input_description},
    {"__InputValue", "type", input_type},
    {"__InputValue", "defaultValue", input_default},
    {"__EnumValue", "name", value_name},
    {"__EnumValue", "description", value_description},
    {"__EnumValue", "isDeprecated", value_deprecated},
    {"__EnumValue", "deprecationReason", value_reason},
    {"__Directive", "name", directive_name},
    {"__Directive", "description", directive_description},
    {"__Directive", "locations", directive_locations},
    {"__Directive", "args", directive_args},
    {"__Directive", "isRepeatable", directive_repeatable},
};

gql_resolve_fn gql_introspection_resolver(struct str type, struct str field)
{
    for (size_t i = 0; i < COUNT_OF(BINDINGS); i++)
        if (str_eq(type, str_of(BINDINGS[i].type)) && str_eq(field, str_of(BINDINGS[i].field)))
            return BINDINGS[i].resolve;
    return NULL;
}
