/*
 * schema_check.c: what must hold between types once all are there: interfaces are kept (3.6,
 * IsValidImplementation), defaults fit, no input object needs itself without end.
 */
#include "base/str.h"
#include "graphql/coerce.h"
#include "graphql/schema_internal.h"

/* Checks are of the whole, so they name the type, not a line. */
static enum err refuse(const struct builder *b, const struct gql_type *t, struct str member, const char *why)
{
    return error_set(b->err, ERR_INVALID, NULL, "%.*s.%.*s: %s", GQL_SHOWN(t->name), GQL_SHOWN(member), why);
}

static bool implements(const struct gql_type *t, const struct gql_type *interface)
{
    for (size_t i = 0; i < t->n_interfaces; i++)
        if (t->interfaces[i] == interface)
            return true;
    return false;
}

/* IsValidImplementationFieldType: the same or narrower. */
static bool is_subtype(const struct gql_ref *narrow, const struct gql_ref *wide)
{
    while (narrow->wrap != GQL_NAMED) {
        if (narrow->wrap == wide->wrap)
            wide = wide->of;
        else if (narrow->wrap != GQL_NON_NULL)
            return false;
        narrow = narrow->of;
    }
    return wide->wrap == GQL_NAMED && (narrow->type == wide->type || implements(narrow->type, wide->type) ||
                                       gql_type_includes(wide->type, narrow->type));
}

static enum err check_kept_field(const struct builder *b, const struct gql_type *t,
                                 const struct gql_field *promised)
{
    const struct gql_field *f = names_get(&t->members, promised->name);

    if (!f)
        return refuse(b, t, promised->name, "the interface has this field, the type has not");
    if (!is_subtype(f->ref, promised->ref))
        return refuse(b, t, f->name, "its type is not that of the interface's field");
    for (size_t i = 0; i < promised->arguments.n; i++) {
        const struct gql_input *want = &promised->arguments.items[i];
        const struct gql_input *have = gql_inputs_find(&f->arguments, want->name);

        if (!have || !gql_ref_eq(have->ref, want->ref))
            return refuse(b, t, f->name, "its arguments are not those of the interface's field");
    }
    for (size_t i = 0; i < f->arguments.n; i++)
        if (gql_is_required(&f->arguments.items[i]) &&
            !gql_inputs_find(&promised->arguments, f->arguments.items[i].name))
            return refuse(b, t, f->name, "it requires an argument that the interface's field has not");
    return ERR_NONE;
}

static enum err check_interface(const struct builder *b, const struct gql_type *t,
                                const struct gql_type *interface)
{
    for (size_t i = 0; i < interface->n_interfaces; i++)
        if (!implements(t, interface->interfaces[i]) || interface->interfaces[i] == t)
            return refuse(b, t, interface->interfaces[i]->name,
                          "must be implemented too, and not in a circle");
    for (size_t i = 0; i < interface->n_fields; i++) {
        enum err e = check_kept_field(b, t, &interface->fields[i]);

        if (e)
            return e;
    }
    return ERR_NONE;
}

/* Which object types an interface stands for. */
static enum err list_possible(struct builder *b, struct gql_type *interface)
{
    struct gql_schema *s = b->schema;

    interface->possible = arena_array(&s->arena, s->n_types, sizeof(struct gql_type *));
    if (!interface->possible)
        return builder_memory(b);
    for (size_t i = 0; i < s->n_types; i++)
        if (s->types[i]->kind == GQL_OBJECT && implements(s->types[i], interface))
            interface->possible[interface->n_possible++] = s->types[i];
    return ERR_NONE;
}

/* Defaults of input objects come first where others build on them: by the order of need. */
enum colour { WHITE, GREY, BLACK };

struct defaults {
    struct builder *b;
    uint8_t *colours; /* by type */
};

static enum err give_type(struct defaults *d, const struct gql_type *t);

static enum err give_defaults(struct defaults *d, const struct gql_type *t, struct str of,
                              struct gql_inputs *inputs)
{
    for (size_t i = 0; i < inputs->n; i++) {
        struct gql_input *in = &inputs->items[i];
        bool endless = in->ref->wrap == GQL_NON_NULL && in->ref->of->wrap == GQL_NAMED;
        enum err e;

        /* Needs that type's own defaults first, or simply may not need itself. */
        if (in->ref->type->kind == GQL_INPUT && (in->initial || endless)) {
            e = give_type(d, in->ref->type);
            if (e)
                return e;
        }
        if (!in->initial || in->value)
            continue;
        e = gql_coerce_literal(in->initial, in->ref, NULL, &in->value, d->b->err);
        if (e) {
            error_prefix(d->b->err, "%.*s.%.*s(%.*s)", GQL_SHOWN(t ? t->name : STR("@")), GQL_SHOWN(of),
                         GQL_SHOWN(in->name));
            return e;
        }
    }
    return ERR_NONE;
}

/* At most as deep as there are types. */
static enum err give_type(struct defaults *d, const struct gql_type *t)
{
    enum err e = ERR_NONE;

    if (d->colours[t->index] == GREY)
        return refuse(d->b, t, STR("*"), "it needs itself without end");
    if (d->colours[t->index] == BLACK)
        return ERR_NONE;
    d->colours[t->index] = GREY;
    e = give_defaults(d, t, STR(""), &((struct gql_type *)t)->inputs);
    for (size_t i = 0; i < t->n_fields && !e; i++)
        e = give_defaults(d, t, t->fields[i].name, &t->fields[i].arguments);
    d->colours[t->index] = BLACK;
    return e;
}

enum err schema_judge(struct builder *b)
{
    struct gql_schema *s = b->schema;
    struct defaults d = {b, arena_array(&s->arena, s->n_types, 1)};
    enum err e = d.colours ? ERR_NONE : builder_memory(b);

    for (size_t i = 0; i < s->n_types && !e; i++)
        if (s->types[i]->kind == GQL_INTERFACE)
            e = list_possible(b, (struct gql_type *)s->types[i]);
    for (size_t i = 0; i < s->n_types; i++)
        for (size_t k = 0; k < s->types[i]->n_interfaces && !e; k++)
            e = check_interface(b, s->types[i], s->types[i]->interfaces[k]);
    for (size_t i = 0; i < s->n_types && !e; i++)
        e = give_type(&d, s->types[i]);
    for (size_t i = 0; i < s->n_directives && !e; i++)
        e = give_defaults(&d, NULL, s->directives[i].name, &s->directives[i].arguments);
    for (size_t i = 0; i < COUNT_OF(s->meta) && !e; i++)
        e = give_defaults(&d, NULL, s->meta[i].name, &s->meta[i].arguments);
    return e;
}
