/*
 * schema.c: looking things up in a schema, and the frame of its building.
 */
#include "graphql/schema.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/str.h"
#include "graphql/parse.h"
#include "graphql/prelude.h"
#include "graphql/schema_internal.h"

/* A schema is the operator's own text: the bounds only keep mistakes small. */
enum { SCHEMA_BYTES = 1024 * 1024, SCHEMA_TOKENS = 200000, SCHEMA_MEMORY = 64 * 1024 * 1024 };

static const char *const PLACE_NAMES[] = {
#define X(place, name) [place] = (name),
    GQL_PLACE_LIST(X)
#undef X
};

const char *gql_place_name(enum gql_directive_place place)
{
    return PLACE_NAMES[place];
}

const char *gql_type_kind_name(enum gql_type_kind kind)
{
    static const char *const names[] = {
#define X(kind, name) [kind] = (name),
        GQL_TYPE_LIST(X)
#undef X
    };

    return names[kind];
}

const struct gql_type *gql_schema_type(const struct gql_schema *s, struct str name)
{
    const struct gql_type *t = names_get(&s->by_name, name);

    return t && t->used ? t : NULL;
}

const struct gql_directive_type *gql_schema_directive(const struct gql_schema *s, struct str name)
{
    return names_get(&s->directives_by_name, name);
}

const struct gql_field *gql_schema_field(const struct gql_schema *s, const struct gql_type *type,
                                         struct str name)
{
    if (!gql_is_composite(type))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(s->meta); i++)
        if (str_eq(name, s->meta[i].name) && (i == 2 || type == s->roots[GQL_QUERY]))
            return &s->meta[i];
    return type->kind == GQL_UNION ? NULL : names_get(&type->members, name);
}

const struct gql_input *gql_inputs_find(const struct gql_inputs *inputs, struct str name)
{
    for (size_t i = 0; i < inputs->n; i++)
        if (str_eq(inputs->items[i].name, name))
            return &inputs->items[i];
    return NULL;
}

const struct gql_enum_value *gql_type_value(const struct gql_type *type, struct str name)
{
    return type->kind == GQL_ENUM ? names_get(&type->members, name) : NULL;
}

bool gql_type_includes(const struct gql_type *type, const struct gql_type *object)
{
    if (type == object)
        return true;
    for (size_t i = 0; i < type->n_possible; i++)
        if (type->possible[i] == object)
            return true;
    return false;
}

bool gql_types_overlap(const struct gql_type *a, const struct gql_type *b)
{
    if (a->kind == GQL_OBJECT)
        return gql_type_includes(b, a);
    for (size_t i = 0; i < a->n_possible; i++)
        if (gql_type_includes(b, a->possible[i]))
            return true;
    return a == b;
}

bool gql_ref_eq(const struct gql_ref *a, const struct gql_ref *b)
{
    while (a->wrap == b->wrap && a->wrap != GQL_NAMED) {
        a = a->of;
        b = b->of;
    }
    return a->wrap == b->wrap && a->type == b->type;
}

/* The names of the wrappings of the innermost type are at most 200 (GQL_DEPTH_LIMIT), so this ends. */
void gql_ref_write(const struct gql_ref *ref, struct buf *out)
{
    switch (ref->wrap) {
    case GQL_NAMED:
        buf_add(out, ref->type->name);
        break;
    case GQL_LIST:
        buf_add_char(out, '[');
        gql_ref_write(ref->of, out);
        buf_add_char(out, ']');
        break;
    case GQL_NON_NULL:
        gql_ref_write(ref->of, out);
        buf_add_char(out, '!');
        break;
    }
}

const char *gql_ref_text(const struct gql_ref *ref, char ret[GQL_REF_TEXT])
{
    CLEANUP(buf_done_p) struct buf text = {0};

    buf_init(&text, 4096);
    gql_ref_write(ref, &text);
    (void)snprintf(ret, GQL_REF_TEXT, "%.*s", GQL_SHOWN(buf_str(&text)));
    return ret;
}

const struct gql_ref *gql_schema_ref(const struct gql_schema *s, const struct gql_type_node *node,
                                     struct arena *arena)
{
    struct gql_ref *first = NULL;
    struct gql_ref *outer = NULL;
    const struct gql_type_node *named = node;
    const struct gql_type *type;

    while (named->wrap != GQL_NAMED)
        named = named->of;
    type = gql_schema_type(s, named->name);
    if (!type)
        return NULL;
    for (; node->wrap != GQL_NAMED; node = node->of) {
        struct gql_ref *ref = arena_new(arena, struct gql_ref);

        if (!ref)
            return NULL;
        *ref = (struct gql_ref){.wrap = node->wrap, .type = type};
        if (outer)
            outer->of = ref;
        else
            first = ref;
        outer = ref;
    }
    if (!outer)
        return &type->ref;
    outer->of = &type->ref;
    return first;
}

/* --- building ------------------------------------------------------------------------------------------ */

enum err builder_refuse(const struct builder *b, size_t at, const char *format, ...)
{
    struct gql_place place = gql_place_of(b->source, at);
    char where[32];
    char text[192];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)snprintf(where, sizeof(where), "%u:%u", place.line, place.column);
    return error_set(b->err, ERR_INVALID, where, "%s", text);
}

enum err builder_memory(const struct builder *b)
{
    enum err e = arena_check(&b->schema->arena, b->err);

    return e ? e : error_set(b->err, ERR_MEMORY, NULL, "out of memory for the schema");
}

static enum err parse_error(const struct gql_faults *faults, struct error *err)
{
    const struct gql_fault *f = faults->first;
    char where[32] = "";

    if (!f)
        return arena_check(faults->arena, err);
    if (f->n_places > 0)
        (void)snprintf(where, sizeof(where), "%u:%u", f->places[0].line, f->places[0].column);
    return error_set(err, ERR_SYNTAX, where, "%.*s", GQL_SHOWN(f->message));
}

static enum err parse_text(struct builder *b, struct str text, const struct gql_document **ret)
{
    static const struct gql_parse_limits limits = {SCHEMA_BYTES, SCHEMA_TOKENS, 20};
    struct gql_faults faults;

    gql_faults_init(&faults, &b->schema->arena, text, 1);
    *ret = gql_parse(text, &limits, &b->schema->arena, &faults);
    if (!*ret)
        return parse_error(&faults, b->err);
    if ((*ret)->n_operations + (*ret)->n_fragments > 0)
        return error_set(b->err, ERR_INVALID, NULL, "a schema holds no operations or fragments");
    return ERR_NONE;
}

static enum gql_type_kind kind_of(enum gql_definition_kind kind)
{
    switch (kind) {
    case GQL_DEF_OBJECT:
        return GQL_OBJECT;
    case GQL_DEF_INTERFACE:
        return GQL_INTERFACE;
    case GQL_DEF_UNION:
        return GQL_UNION;
    case GQL_DEF_ENUM:
        return GQL_ENUM;
    case GQL_DEF_INPUT:
        return GQL_INPUT;
    case GQL_DEF_SCALAR:
    case GQL_DEF_SCHEMA:
    case GQL_DEF_DIRECTIVE:
        break;
    }
    return GQL_SCALAR;
}

/* Gives each type its name; the two names that begin with __ are the prelude's right alone. */
static enum err declare(struct builder *b, const struct gql_document *d)
{
    struct gql_schema *s = b->schema;

    for (const struct gql_definition *def = d->definitions; def; def = def->next) {
        struct gql_type *t;

        if (def->extends)
            return builder_refuse(b, def->at, "extensions are not supported in a schema: write it as one");
        if (def->kind == GQL_DEF_SCHEMA || def->kind == GQL_DEF_DIRECTIVE)
            continue;
        if (!b->hidden && str_starts(def->name, STR("__")))
            return builder_refuse(b, def->name_at, "names that begin with __ are reserved");
        t = arena_new(&s->arena, struct gql_type);
        if (!t)
            return builder_memory(b);
        *t = (struct gql_type){.kind = kind_of(def->kind), .hidden = b->hidden, .name = def->name};
        t->used = !b->hidden;
        t->ref.type = t;
        t->members = names_in(&s->arena);
        if (names_add(&s->by_name, t->name, t))
            return builder_refuse(b, def->name_at, "the type \"%.*s\" is there already", GQL_SHOWN(t->name));
        if (!arena_ok(&s->arena))
            return builder_memory(b);
    }
    return ERR_NONE;
}

/* All types in order: first those of the text, then the built-in ones that are used. */
static enum err list_types(struct builder *b, const struct gql_document *text,
                           const struct gql_document *prelude)
{
    const struct gql_document *documents[] = {text, prelude};
    struct gql_schema *s = b->schema;

    s->types = arena_array(&s->arena, s->by_name.n, sizeof(struct gql_type *));
    if (!s->types)
        return builder_memory(b);
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        for (const struct gql_definition *def = documents[i]->definitions; def; def = def->next) {
            struct gql_type *t = names_get(&s->by_name, def->name);

            if (def->kind == GQL_DEF_SCHEMA || def->kind == GQL_DEF_DIRECTIVE || !t->used)
                continue;
            t->index = (uint32_t)s->n_types;
            s->types[s->n_types++] = t;
        }
    }
    return ERR_NONE;
}

/* __schema, __type and __typename are taken out of the type that carries them in the prelude. */
static void take_meta_fields(struct gql_schema *s)
{
    struct gql_type *meta = names_get(&s->by_name, STR("__Meta"));

    MUST(meta && meta->n_fields == COUNT_OF(s->meta));
    for (size_t i = 0; i < COUNT_OF(s->meta); i++)
        s->meta[i] = meta->fields[i];
    meta->used = false;
}

static enum err build(struct builder *b, struct str sdl)
{
    struct gql_schema *s = b->schema;
    const struct gql_document *prelude = NULL;
    const struct gql_document *text = NULL;
    enum err e = parse_text(b, gql_prelude(), &prelude);

    e = e ? e : parse_text(b, sdl, &text);
    b->hidden = true;
    b->source = gql_prelude();
    e = e ? e : declare(b, prelude);
    b->hidden = false;
    b->source = sdl;
    e = e ? e : declare(b, text);
    if (e)
        return e;
    s->directives =
        arena_array(&s->arena, (size_t)text->n_definitions + prelude->n_definitions, sizeof(*s->directives));
    e = s->directives ? schema_fill(b, text) : builder_memory(b);
    b->hidden = true;
    e = e ? e : schema_fill(b, prelude);
    b->hidden = false;
    if (e)
        return e;
    take_meta_fields(s);
    e = list_types(b, text, prelude);
    return e ? e : schema_judge(b);
}

enum err gql_schema_new(struct str sdl, const struct gql_schema_options *options, struct gql_schema **ret,
                        struct error *err)
{
    CLEANUP(gql_schema_free_p) struct gql_schema *s = alloc_new(struct gql_schema);
    struct builder b = {.schema = s, .err = err};
    struct str copy;
    enum err e;

    arena_init(&s->arena, SCHEMA_MEMORY);
    s->by_name = names_in(&s->arena);
    s->directives_by_name = names_in(&s->arena);
    copy = arena_str(&s->arena, sdl);
    if (!arena_ok(&s->arena))
        return builder_memory(&b);
    e = build(&b, copy);
    e = e ? e : schema_bind(s, options, err);
    if (e)
        return e;
    *ret = TAKE(s);
    return ERR_NONE;
}

static void free_values(const struct gql_inputs *inputs)
{
    for (size_t i = 0; i < inputs->n; i++)
        json_free(inputs->items[i].value);
}

void gql_schema_free(struct gql_schema *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->by_name.cap; i++) {
        const struct gql_type *t = s->by_name.slots[i].value;

        if (!t)
            continue;
        free_values(&t->inputs);
        for (size_t f = 0; f < t->n_fields; f++)
            free_values(&t->fields[f].arguments);
    }
    for (size_t i = 0; i < s->n_directives; i++)
        free_values(&s->directives[i].arguments);
    arena_done(&s->arena);
    alloc_free(s);
}
