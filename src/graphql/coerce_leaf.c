/*
 * coerce_leaf.c: scalars and enums, in and out. 3.5: what each built-in scalar takes; 3.9: enums.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "graphql/coerce.h"

enum leaf { LEAF_INT, LEAF_FLOAT, LEAF_STRING, LEAF_BOOLEAN, LEAF_ID, LEAF_ENUM, LEAF_CUSTOM };

static const char *const NAMES[] = {
    [LEAF_INT] = "Int",         [LEAF_FLOAT] = "Float", [LEAF_STRING] = "String",
    [LEAF_BOOLEAN] = "Boolean", [LEAF_ID] = "ID",
};

static enum leaf leaf_of(const struct gql_type *type)
{
    if (type->kind == GQL_ENUM)
        return LEAF_ENUM;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (str_eq(type->name, str_of(NAMES[i])))
            return (enum leaf)i;
    return LEAF_CUSTOM;
}

static enum err wrong(const struct gql_type *type, struct error *err)
{
    switch (leaf_of(type)) {
    case LEAF_INT:
        return error_set(err, ERR_INVALID, NULL, "an Int must be a whole number of 32 bits");
    case LEAF_FLOAT:
        return error_set(err, ERR_INVALID, NULL, "a Float must be a finite number");
    case LEAF_STRING:
        return error_set(err, ERR_INVALID, NULL, "a String must be a string");
    case LEAF_BOOLEAN:
        return error_set(err, ERR_INVALID, NULL, "a Boolean must be true or false");
    case LEAF_ID:
        return error_set(err, ERR_INVALID, NULL, "an ID must be a string or a whole number");
    case LEAF_ENUM:
        return error_set(err, ERR_INVALID, NULL, "expected one of the values of the enum \"%.*s\"",
                         GQL_SHOWN(type->name));
    case LEAF_CUSTOM:
        break;
    }
    return error_set(err, ERR_INVALID, NULL, "no value of type \"%.*s\"", GQL_SHOWN(type->name));
}

/* Hands the new reference on; NULL: no memory. */
static enum err give(json_t *value, json_t **ret, struct error *err)
{
    if (!value)
        return error_set(err, ERR_MEMORY, NULL, "out of memory for a value");
    *ret = value;
    return ERR_NONE;
}

static json_t *string_of(struct str s)
{
    return json_stringn_nocheck(s.p, s.n);
}

static bool fits_int(int64_t v)
{
    return v >= INT32_MIN && v <= INT32_MAX;
}

/* The lexer has terminated it. */
static double number_of(struct str text)
{
    return strtod(text.p, NULL);
}

static json_t *untyped_number(const struct gql_literal *v)
{
    int64_t whole;

    if (v->kind == GQL_LIT_INT && str_to_i64(v->text, &whole))
        return json_integer(whole);
    return json_real(number_of(v->text)); /* NULL when not finite */
}

static json_t *untyped(const struct gql_literal *v, const json_t *variables);

static json_t *untyped_items(const struct gql_literal *v, const json_t *variables)
{
    json_t *into = v->kind == GQL_LIT_LIST ? json_array() : json_object();

    for (const struct gql_literal_item *i = v->items; i && into; i = i->next) {
        json_t *item = untyped(i->value, variables);
        int failed = v->kind == GQL_LIT_LIST ? json_array_append_new(into, item)
                                             : json_object_setn_new_nocheck(into, i->name.p, i->name.n, item);

        if (failed) {
            json_free(into);
            return NULL;
        }
    }
    return into;
}

/* A literal of no known type, as custom scalars take it; a variable that was not given is null. */
static json_t *untyped(const struct gql_literal *v, const json_t *variables)
{
    json_t *value;

    switch (v->kind) {
    case GQL_LIT_VARIABLE:
        value = json_object_getn(variables, v->text.p, v->text.n);
        return value ? json_incref(value) : json_null();
    case GQL_LIT_INT:
    case GQL_LIT_FLOAT:
        return untyped_number(v);
    case GQL_LIT_STRING:
    case GQL_LIT_ENUM:
        return string_of(v->text);
    case GQL_LIT_BOOLEAN:
        return json_boolean(str_eq(v->text, STR("true")));
    case GQL_LIT_NULL:
        return json_null();
    case GQL_LIT_LIST:
    case GQL_LIT_OBJECT:
        break;
    }
    return untyped_items(v, variables);
}

static bool has_infinite_number(const struct gql_literal *v)
{
    if (v->kind == GQL_LIT_FLOAT || v->kind == GQL_LIT_INT)
        return !isfinite(number_of(v->text));
    for (const struct gql_literal_item *i = v->items; i; i = i->next)
        if (has_infinite_number(i->value))
            return true;
    return false;
}

static enum err custom_from_literal(const struct gql_type *type, const struct gql_literal *v,
                                    const json_t *variables, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *value = NULL;

    if (has_infinite_number(v))
        return wrong(type, err);
    value = untyped(v, variables);
    if (!value)
        return error_set(err, ERR_MEMORY, NULL, "out of memory for a value");
    return gql_leaf_from_json(type, value, ret, err);
}

enum err gql_leaf_from_literal(const struct gql_type *type, const struct gql_literal *v,
                               const json_t *variables, json_t **ret, struct error *err)
{
    int64_t whole;

    switch (leaf_of(type)) {
    case LEAF_INT:
        if (v->kind == GQL_LIT_INT && str_to_i64(v->text, &whole) && fits_int(whole))
            return give(json_integer(whole), ret, err);
        break;
    case LEAF_FLOAT:
        if ((v->kind == GQL_LIT_INT || v->kind == GQL_LIT_FLOAT) && isfinite(number_of(v->text)))
            return give(json_real(number_of(v->text)), ret, err);
        break;
    case LEAF_STRING:
        if (v->kind == GQL_LIT_STRING)
            return give(string_of(v->text), ret, err);
        break;
    case LEAF_BOOLEAN:
        if (v->kind == GQL_LIT_BOOLEAN)
            return give(json_boolean(str_eq(v->text, STR("true"))), ret, err);
        break;
    case LEAF_ID:
        if (v->kind == GQL_LIT_STRING || v->kind == GQL_LIT_INT)
            return give(string_of(v->text), ret, err);
        break;
    case LEAF_ENUM:
        if (v->kind == GQL_LIT_ENUM && gql_type_value(type, v->text))
            return give(string_of(v->text), ret, err);
        break;
    case LEAF_CUSTOM:
        return custom_from_literal(type, v, variables, ret, err);
    }
    return wrong(type, err);
}

/* A JSON number without a fraction, such as 1 or 1.0; JSON knows no other integers. */
static bool whole_number(const json_t *v, int64_t *ret)
{
    double real = json_real_value(v);

    if (json_is_integer(v)) {
        *ret = json_integer_value(v);
        return true;
    }
    if (!json_is_real(v) || fabs(real) > 9007199254740991.0 || floor(real) != real)
        return false;
    *ret = (int64_t)real;
    return true;
}

static json_t *text_of_number(int64_t v)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)v);
    return string_of(str_of(text));
}

static enum err builtin_from_json(const struct gql_type *type, const json_t *in, json_t **ret,
                                  struct error *err)
{
    int64_t whole;

    switch (leaf_of(type)) {
    case LEAF_INT:
        if (whole_number(in, &whole) && fits_int(whole))
            return give(json_integer(whole), ret, err);
        break;
    case LEAF_FLOAT:
        if (json_is_number(in))
            return give(json_real(json_number_value(in)), ret, err);
        break;
    case LEAF_STRING:
        if (json_is_string(in))
            return give(json_incref((json_t *)in), ret, err);
        break;
    case LEAF_BOOLEAN:
        if (json_is_boolean(in))
            return give(json_incref((json_t *)in), ret, err);
        break;
    case LEAF_ID:
        if (json_is_string(in))
            return give(json_incref((json_t *)in), ret, err);
        if (whole_number(in, &whole))
            return give(text_of_number(whole), ret, err);
        break;
    case LEAF_ENUM:
        if (json_is_string(in) && gql_type_value(type, json_str(in)))
            return give(json_incref((json_t *)in), ret, err);
        break;
    case LEAF_CUSTOM:
        return give(json_incref((json_t *)in), ret, err);
    }
    return wrong(type, err);
}

enum err gql_leaf_from_json(const struct gql_type *type, const json_t *in, json_t **ret, struct error *err)
{
    if (type->scalar && type->scalar->parse)
        return type->scalar->parse(in, ret, err);
    return builtin_from_json(type, in, ret, err);
}

enum err gql_leaf_to_json(const struct gql_type *type, const json_t *value, json_t **ret, struct error *err)
{
    if (type->scalar && type->scalar->serialize)
        return type->scalar->serialize(value, ret, err);
    return builtin_from_json(type, value, ret, err);
}
