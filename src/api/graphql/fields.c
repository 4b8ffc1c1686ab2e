/*
 * fields.c: see fields.h.
 */
#include "api/graphql/fields.h"

#include "api/graphql/words.h"
#include "api/schema.h"
#include "base/str.h"

static const struct gql_type *type_of(const struct gql_call *call)
{
    return call->field->ref->type;
}

/* --- what absence means -------------------------------------------------------------------------------- */

/* The REST schema that shows objects of this type. */
static const struct schema *schema_of(struct str type)
{
    static const struct {
        const char *type;
        const char *schema;
    } others[] = {{"Target", "Connection"}};
    char name[WORD_TEXT];

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (str_eq(type, str_of(others[i].type)))
            return schema_find(others[i].schema);
    }
    if (type.n >= sizeof(name))
        return NULL;
    for (size_t i = 0; i < type.n; i++)
        name[i] = type.p[i];
    name[type.n] = '\0';
    return schema_find(name);
}

static const char *preset_of(const struct schema *s, struct str member)
{
    for (; s; s = s->base) {
        for (size_t i = 0; i < s->members_n; i++) {
            if (str_eq(str_of(s->members[i].name), member))
                return s->members[i].value.preset;
        }
    }
    return NULL;
}

static struct gql_value enum_value(const struct gql_type *type, struct str text)
{
    const struct gql_enum_value *v = word_enum(type, text);

    /* What is none is told as the text it is: a field error says so. */
    return gql_str(v ? v->name : text);
}

/* A preset's JSON: a string, a number, true or false. */
static struct gql_value preset_value(const struct gql_type *type, const char *preset)
{
    struct str text = str_of(preset);
    int64_t number;

    if (text.n == 0)
        return gql_null();
    if (text.p[0] == '"') {
        text = (struct str){text.p + 1, text.n - 2};
        return type->kind == GQL_ENUM ? enum_value(type, text) : gql_str(text);
    }
    if (str_to_i64(text, &number))
        return gql_i64(number);
    return gql_bool(str_eq(text, STR("true")));
}

/* What stands for a member that is absent: null, unless the field may not be. */
static struct gql_value absent_value(const struct gql_call *call, const char *member)
{
    if (call->field->ref->wrap != GQL_NON_NULL)
        return gql_null();
    return preset_value(type_of(call), preset_of(schema_of(call->field->parent->name), str_of(member)));
}

/* --- members ------------------------------------------------------------------------------------------- */

static bool is_list(const struct gql_ref *ref)
{
    return (ref->wrap == GQL_NON_NULL ? ref->of : ref)->wrap == GQL_LIST;
}

static struct gql_value enum_list(const struct gql_call *call, const json_t *list)
{
    struct gql_value v = gql_list(call->execution, json_array_size(list));

    for (size_t i = 0; v.kind == GQL_VALUE_LIST && i < v.list.n; i++)
        v.list.items[i] = enum_value(type_of(call), json_str(json_array_get(list, i)));
    return v;
}

/* Spares the engine the judging of what is a leaf of the right kind. */
static struct gql_value leaf_value(const json_t *leaf)
{
    if (json_is_string(leaf))
        return gql_str(json_str(leaf));
    if (json_is_integer(leaf))
        return gql_i64(json_integer_value(leaf));
    if (json_is_real(leaf))
        return gql_f64(json_real_value(leaf));
    if (json_is_boolean(leaf))
        return gql_bool(json_is_true(leaf));
    return gql_json(leaf);
}

static struct gql_value member_value(const struct gql_call *call, const json_t *member)
{
    if (type_of(call)->kind != GQL_ENUM)
        return leaf_value(member);
    if (is_list(call->field->ref))
        return enum_list(call, member);
    return json_is_string(member) ? enum_value(type_of(call), json_str(member)) : gql_json(member);
}

static enum gql_progress resolve_named(struct gql_call *call, const char *name)
{
    struct gql_value absent = absent_value(call, name);

    for (size_t i = 0; i < call->n; i++) {
        const json_t *member = json_object_get(call->objects[i], name);

        call->values[i] = member && !json_is_null(member) ? member_value(call, member) : absent;
    }
    return GQL_ANSWERED;
}

enum gql_progress resolve_member(struct gql_call *call)
{
    char name[WORD_TEXT];

    return resolve_named(call, word_member(call->field->name, name));
}

enum gql_progress resolve_schedule_run_count(struct gql_call *call)
{
    return resolve_named(call, "runs");
}

enum gql_progress resolve_schedule_open_run_count(struct gql_call *call)
{
    return resolve_named(call, "open_runs");
}

enum gql_progress resolve_self(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++)
        call->values[i] = gql_object(call->objects[i]);
    return GQL_ANSWERED;
}

enum gql_progress resolve_target_tls_insecure(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        const json_t *v = json_object_get(json_object_get(call->objects[i], "tls"), "insecure");

        call->values[i] = v ? gql_json(v) : gql_null();
    }
    return GQL_ANSWERED;
}

/* --- made ---------------------------------------------------------------------------------------------- */

/* Each object's value is made by `make`: a new reference, NULL without memory. */
static enum gql_progress resolve_made(struct gql_call *call, json_t *(*make)(const json_t *object))
{
    json_t *all = json_array();

    for (size_t i = 0; i < call->n; i++) {
        json_t *made = make(call->objects[i]);

        call->values[i] = gql_json(made);
        if (json_array_append_new(all, made))
            call->values[i] = gql_null();
    }
    if (!all || !gql_keep_json(call->execution, all)) {
        for (size_t i = 0; i < call->n; i++)
            call->values[i] = gql_null();
    }
    return GQL_ANSWERED;
}

/* Whose identity was not given has one of empty members. */
static json_t *make_client(const json_t *object)
{
    json_t *client = json_object_get(object, "client");

    return json_is_object(client) ? json_incref(client) : json_object();
}

enum gql_progress resolve_schedule_client(struct gql_call *call)
{
    return resolve_made(call, make_client);
}

/* Without what only reads have. */
static json_t *make_definition(const json_t *object)
{
    json_t *copy = json_copy_whole(object);
    const struct schema *s = schema_find("Schedule");

    for (size_t i = 0; copy && i < s->members_n; i++) {
        if (s->members[i].read_only)
            (void)json_object_del(copy, s->members[i].name); /* fails when it is not there */
    }
    return copy;
}

enum gql_progress resolve_schedule_definition(struct gql_call *call)
{
    return resolve_made(call, make_definition);
}

static json_t *make_missed(const json_t *object)
{
    CLEANUP(json_free_p) json_t *list = json_array();
    json_t *counts = json_object_get(object, "missed");

    for (void *i = json_object_iter(counts); i; i = json_object_iter_next(counts, i)) {
        json_t *one =
            json_pack("{s:s,s:O}", "reason", json_object_iter_key(i), "count", json_object_iter_value(i));

        if (json_array_append_new(list, one))
            return NULL;
    }
    return TAKE(list);
}

enum gql_progress resolve_schedule_missed(struct gql_call *call)
{
    return resolve_made(call, make_missed);
}
