/*
 * schema_bind.c: fields get the functions that answer them, scalars their hooks.
 */
#include "base/str.h"
#include "graphql/schema_internal.h"

static enum err bind_scalars(struct gql_schema *s, const struct gql_schema_options *options,
                             struct error *err)
{
    for (size_t i = 0; i < options->n_scalars; i++) {
        struct gql_type *t = names_get(&s->by_name, str_of(options->scalars[i].name));

        if (!t || t->kind != GQL_SCALAR || t->hidden)
            return error_set(err, ERR_INVALID, NULL, "there is no custom scalar \"%s\"",
                             options->scalars[i].name);
        t->scalar = &options->scalars[i];
    }
    return ERR_NONE;
}

static enum err bind_fields(struct gql_schema *s, const struct gql_schema_options *options, struct error *err)
{
    for (size_t i = 0; i < options->n_bindings; i++) {
        const struct gql_binding *b = &options->bindings[i];
        const struct gql_type *t = gql_schema_type(s, str_of(b->type));
        struct gql_field *f = t && t->kind == GQL_OBJECT ? names_get(&t->members, str_of(b->field)) : NULL;

        if (!f)
            return error_set(err, ERR_INVALID, NULL, "there is no field %s.%s to bind", b->type, b->field);
        f->resolve = b->resolve;
    }
    return ERR_NONE;
}

static enum err bind_rest(const struct gql_type *t, gql_resolve_fn otherwise, struct error *err)
{
    for (size_t i = 0; i < t->n_fields; i++) {
        struct gql_field *f = &t->fields[i];

        if (t->hidden)
            f->resolve = gql_introspection_resolver(t->name, f->name);
        else if (!f->resolve)
            f->resolve = otherwise;
        if (!f->resolve)
            return error_set(err, ERR_INVALID, NULL, "nothing answers the field %.*s.%.*s",
                             GQL_SHOWN(t->name), GQL_SHOWN(f->name));
    }
    return ERR_NONE;
}

enum err schema_bind(struct gql_schema *s, const struct gql_schema_options *options, struct error *err)
{
    static const struct gql_schema_options none = {0};
    enum err e;

    options = options ? options : &none;
    e = bind_scalars(s, options, err);
    e = e ? e : bind_fields(s, options, err);
    for (size_t i = 0; i < s->n_types && !e; i++)
        if (s->types[i]->kind == GQL_OBJECT)
            e = bind_rest(s->types[i], options->otherwise, err);
    for (size_t i = 0; i < COUNT_OF(s->meta); i++)
        s->meta[i].resolve = gql_introspection_resolver(STR("__Meta"), s->meta[i].name);
    return e;
}
