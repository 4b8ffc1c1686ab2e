/*
 * schema.c: how a row of the tables is said in JSON Schema 2020-12, which OpenAPI 3.1 speaks.
 */
#include "api/schema.h"

#include <string.h>

#include "api/writer.h"
#include "base/str.h"

const struct schema *schema_find(const char *name)
{
    for (size_t i = 0; i < schemas_n; i++) {
        if (strcmp(schemas[i]->name, name) == 0)
            return schemas[i];
    }
    return NULL;
}

static void write_ref(struct writer *w, const char *ref)
{
    buf_addf(w->out, "%s\"$ref\":\"#/components/schemas/%s\"",
             w->filled & (UINT64_C(1) << w->depth) ? "," : "", ref);
    w->filled |= UINT64_C(1) << w->depth;
}

static void write_type(struct writer *w, const char *type, bool nullable)
{
    if (!nullable) {
        write_cstr(w, "type", type);
        return;
    }
    write_array(w, "type");
    write_cstr(w, NULL, type);
    write_cstr(w, NULL, "null");
    write_end_array(w);
}

static void write_map(struct writer *w, const char *of, bool nullable)
{
    write_type(w, "object", nullable);
    write_object(w, "additionalProperties");
    write_cstr(w, "type", of);
    write_end_object(w);
}

static void write_nullable_ref(struct writer *w, const char *ref)
{
    write_array(w, "anyOf");
    write_object(w, NULL);
    write_ref(w, ref);
    write_end_object(w);
    write_object(w, NULL);
    write_cstr(w, "type", "null");
    write_end_object(w);
    write_end_array(w);
}

static void write_words(struct writer *w, const char *const *words, bool nullable)
{
    write_array(w, "enum");
    for (const char *const *p = words; *p; p++)
        write_cstr(w, NULL, *p);
    if (nullable)
        write_null(w, NULL);
    write_end_array(w);
}

static void write_kind(struct writer *w, const struct value *v)
{
    switch (v->kind) {
    case VALUE_STRING:
        write_type(w, "string", v->nullable);
        break;
    case VALUE_STRING_OR_NUMBER:
        write_array(w, "type");
        write_cstr(w, NULL, "string");
        write_cstr(w, NULL, "number");
        if (v->nullable)
            write_cstr(w, NULL, "null");
        write_end_array(w);
        break;
    case VALUE_INTEGER:
        write_type(w, "integer", v->nullable);
        break;
    case VALUE_NUMBER:
        write_type(w, "number", v->nullable);
        break;
    case VALUE_BOOLEAN:
        write_type(w, "boolean", v->nullable);
        break;
    case VALUE_ANY:
        break;
    case VALUE_STRINGS:
        write_map(w, "string", v->nullable);
        break;
    case VALUE_COUNTS:
        write_map(w, "integer", v->nullable);
        break;
    case VALUE_REF:
        if (v->nullable)
            write_nullable_ref(w, v->ref);
        else
            write_ref(w, v->ref);
        break;
    case VALUE_LIST:
        write_cstr(w, "type", "array");
        write_object(w, "items");
        write_ref(w, v->ref);
        write_end_object(w);
        break;
    case VALUE_TIME:
        write_type(w, "string", v->nullable);
        write_cstr(w, "format", "date-time");
        break;
    case VALUE_UUID:
        write_type(w, "string", v->nullable);
        write_cstr(w, "format", "uuid");
        break;
    case VALUE_UUIDS:
        write_type(w, "array", v->nullable);
        write_object(w, "items");
        write_cstr(w, "type", "string");
        write_cstr(w, "format", "uuid");
        write_end_object(w);
        write_i64(w, "minItems", 1);
        write_i64(w, "maxItems", 1000);
        break;
    case VALUE_WORDS:
        write_cstr(w, "type", "array");
        write_object(w, "items");
        write_cstr(w, "type", "string");
        write_words(w, v->values, false);
        write_end_object(w);
        break;
    }
}

void schema_write_value(struct writer *w, const struct value *v)
{
    write_kind(w, v);
    if (v->values && v->kind != VALUE_WORDS)
        write_words(w, v->values, v->nullable);
    if (v->minimum)
        write_raw(w, "minimum", str_of(v->minimum));
    if (v->positive)
        write_i64(w, "exclusiveMinimum", 0);
    if (v->maximum)
        write_raw(w, "maximum", str_of(v->maximum));
    if (v->pattern)
        write_cstr(w, "pattern", v->pattern);
    if (v->preset)
        write_raw(w, "default", str_of(v->preset));
    if (v->example) {
        write_array(w, "examples");
        write_raw(w, NULL, str_of(v->example));
        write_end_array(w);
    }
}

static void write_required(struct writer *w, const struct schema *s, bool *any)
{
    if (s->base)
        write_required(w, s->base, any);
    for (size_t i = 0; i < s->members_n; i++) {
        if (!s->members[i].required)
            continue;
        if (!*any)
            write_array(w, "required");
        *any = true;
        write_cstr(w, NULL, s->members[i].name);
    }
}

static void write_members(struct writer *w, const struct schema *s)
{
    if (s->base)
        write_members(w, s->base);
    for (size_t i = 0; i < s->members_n; i++) {
        const struct member *m = &s->members[i];
        struct value value = m->value;

        value.nullable = value.nullable || (s->null_is_absent && !m->required);
        write_object(w, m->name);
        schema_write_value(w, &value);
        if (m->description)
            write_cstr(w, "description", m->description);
        if (m->read_only)
            write_bool(w, "readOnly", true);
        write_end_object(w);
    }
}

void schema_write(struct writer *w, const struct schema *s)
{
    bool any = false;

    write_cstr(w, "type", "object");
    if (s->description)
        write_cstr(w, "description", s->description);
    write_required(w, s, &any);
    if (any)
        write_end_array(w);
    write_object(w, "properties");
    write_members(w, s);
    write_end_object(w);
    if (!s->open)
        write_bool(w, "additionalProperties", false);
    if (s->example) {
        write_array(w, "examples");
        write_raw(w, NULL, str_of(s->example));
        write_end_array(w);
    }
}
