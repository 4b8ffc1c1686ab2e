/*
 * schema_fill.c: from definitions to types: fields, arguments, values, members; every name in them resolved.
 */
#include "base/str.h"
#include "graphql/schema_internal.h"

static void describe(const struct gql_literal *description, struct str *ret, bool *ret_described)
{
    *ret_described = description != NULL;
    if (description)
        *ret = description->text;
}

/* As gql_schema_ref(), but a built-in scalar that is named here is in use from now on. */
static enum err resolve(struct builder *b, const struct gql_type_node *node, const struct gql_ref **ret)
{
    const struct gql_type_node *named = node;
    struct gql_type *t;

    while (named->wrap != GQL_NAMED)
        named = named->of;
    t = names_get(&b->schema->by_name, named->name);
    if (!t)
        return builder_refuse(b, named->at, "there is no type \"%.*s\"", GQL_SHOWN(named->name));
    t->used = true;
    *ret = gql_schema_ref(b->schema, node, &b->schema->arena);
    return *ret ? ERR_NONE : builder_memory(b);
}

static size_t count(const struct gql_member_node *m)
{
    size_t n = 0;

    for (; m; m = m->next)
        n++;
    return n;
}

static enum err check_member_name(const struct builder *b, const struct gql_member_node *m)
{
    if (!b->hidden && str_starts(m->name, STR("__")))
        return builder_refuse(b, m->at, "names that begin with __ are reserved");
    return ERR_NONE;
}

static enum err fill_inputs(struct builder *b, const struct gql_member_node *m, struct gql_inputs *ret)
{
    size_t n = count(m);

    ret->items = arena_array(&b->schema->arena, n, sizeof(*ret->items));
    if (!ret->items)
        return builder_memory(b);
    for (; m; m = m->next) {
        struct gql_input *i = &ret->items[ret->n];
        enum err e = check_member_name(b, m);

        if (!e && gql_inputs_find(ret, m->name))
            e = builder_refuse(b, m->at, "\"%.*s\" is there twice", GQL_SHOWN(m->name));
        e = e ? e : resolve(b, m->type, &i->ref);
        if (e)
            return e;
        if (!gql_is_input(i->ref->type))
            return builder_refuse(b, m->type->at, "\"%.*s\" is no type of input",
                                  GQL_SHOWN(i->ref->type->name));
        i->name = m->name;
        i->initial = m->initial;
        describe(m->description, &i->description, &i->described);
        ret->n++;
    }
    return ERR_NONE;
}

/* What @deprecated or another directive with one text argument says; false: it is not there. */
static bool directive_text(const struct gql_directive *d, struct str name, struct str otherwise,
                           struct str *ret)
{
    while (d && !str_eq(d->name, name))
        d = d->next;
    if (!d)
        return false;
    *ret = otherwise;
    if (d->arguments && d->arguments->value->kind == GQL_LIT_STRING)
        *ret = d->arguments->value->text;
    return true;
}

static bool deprecation_of(const struct gql_directive *d, struct str *ret)
{
    return directive_text(d, STR("deprecated"), STR("No longer supported"), ret);
}

/* Only what the schema itself must understand is allowed on its parts; the rest would be lost in silence. */
static enum err check_directives(const struct builder *b, const struct gql_directive *d, const char *may)
{
    for (; d; d = d->next) {
        if (!str_eq(d->name, str_of(may)))
            return builder_refuse(b, d->at, "the directive \"@%.*s\" has no meaning here",
                                  GQL_SHOWN(d->name));
        if (d->next)
            return builder_refuse(b, d->next->at, "only one directive may stand here");
        if (d->arguments && d->arguments->value->kind != GQL_LIT_STRING)
            return builder_refuse(b, d->arguments->value->at, "expected a string");
    }
    return ERR_NONE;
}

static enum err fill_field(struct builder *b, const struct gql_member_node *m, struct gql_type *t,
                           struct gql_field *f)
{
    enum err e = check_member_name(b, m);

    f->name = m->name;
    f->parent = t;
    describe(m->description, &f->description, &f->described);
    f->deprecated = deprecation_of(m->directives, &f->deprecation);
    e = e ? e : check_directives(b, m->directives, "deprecated");
    e = e ? e : resolve(b, m->type, &f->ref);
    e = e ? e : fill_inputs(b, m->arguments, &f->arguments);
    if (!e && f->ref->type->kind == GQL_INPUT)
        e = builder_refuse(b, m->type->at, "\"%.*s\" is no type of output", GQL_SHOWN(f->ref->type->name));
    if (!e && names_add(&t->members, f->name, f))
        e = builder_refuse(b, m->at, "\"%.*s\" is there twice", GQL_SHOWN(m->name));
    return e;
}

static enum err fill_fields(struct builder *b, const struct gql_definition *d, struct gql_type *t)
{
    t->fields = arena_array(&b->schema->arena, count(d->members), sizeof(*t->fields));
    if (!t->fields)
        return builder_memory(b);
    if (!d->members)
        return builder_refuse(b, d->at, "the type \"%.*s\" has no fields", GQL_SHOWN(d->name));
    for (const struct gql_member_node *m = d->members; m; m = m->next) {
        enum err e = fill_field(b, m, t, &t->fields[t->n_fields]);

        if (e)
            return e;
        t->n_fields++;
    }
    return ERR_NONE;
}

/* The types that a list of names stands for, all of one kind. */
static enum err fill_types(struct builder *b, const struct gql_name_node *names, enum gql_type_kind kind,
                           const struct gql_type ***ret, size_t *ret_n)
{
    size_t n = 0;

    for (const struct gql_name_node *i = names; i; i = i->next)
        n++;
    *ret = arena_array(&b->schema->arena, n, sizeof(**ret));
    if (!*ret)
        return builder_memory(b);
    for (const struct gql_name_node *i = names; i; i = i->next) {
        struct gql_type *t = names_get(&b->schema->by_name, i->name);

        if (!t || t->kind != kind)
            return builder_refuse(b, i->at, "\"%.*s\" is no %s type", GQL_SHOWN(i->name),
                                  kind == GQL_OBJECT ? "object" : "interface");
        for (size_t k = 0; k < *ret_n; k++)
            if ((*ret)[k] == t)
                return builder_refuse(b, i->at, "\"%.*s\" is there twice", GQL_SHOWN(i->name));
        t->used = true;
        (*ret)[(*ret_n)++] = t;
    }
    return ERR_NONE;
}

static enum err fill_values(struct builder *b, const struct gql_definition *d, struct gql_type *t)
{
    t->values = arena_array(&b->schema->arena, count(d->members), sizeof(*t->values));
    if (!t->values)
        return builder_memory(b);
    if (!d->members)
        return builder_refuse(b, d->at, "the enum \"%.*s\" has no values", GQL_SHOWN(d->name));
    for (const struct gql_member_node *m = d->members; m; m = m->next) {
        struct gql_enum_value *v = &t->values[t->n_values++];
        enum err e = check_member_name(b, m);

        v->name = m->name;
        describe(m->description, &v->description, &v->described);
        v->deprecated = deprecation_of(m->directives, &v->deprecation);
        e = e ? e : check_directives(b, m->directives, "deprecated");
        if (!e && names_add(&t->members, v->name, v))
            e = builder_refuse(b, m->at, "\"%.*s\" is there twice", GQL_SHOWN(m->name));
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err fill_type(struct builder *b, const struct gql_definition *d, struct gql_type *t)
{
    enum err e = check_directives(b, d->directives, d->kind == GQL_DEF_SCALAR ? "specifiedBy" : "");

    describe(d->description, &t->description, &t->described);
    if (e)
        return e;
    switch (t->kind) {
    case GQL_SCALAR:
        (void)directive_text(d->directives, STR("specifiedBy"), STR(""), &t->specified_by);
        return ERR_NONE;
    case GQL_OBJECT:
    case GQL_INTERFACE:
        e = fill_fields(b, d, t);
        return e ? e : fill_types(b, d->names, GQL_INTERFACE, &t->interfaces, &t->n_interfaces);
    case GQL_UNION:
        if (!d->names)
            return builder_refuse(b, d->at, "the union \"%.*s\" has no members", GQL_SHOWN(d->name));
        return fill_types(b, d->names, GQL_OBJECT, &t->possible, &t->n_possible);
    case GQL_ENUM:
        return fill_values(b, d, t);
    case GQL_INPUT:
        if (!d->members)
            return builder_refuse(b, d->at, "the input type \"%.*s\" has no fields", GQL_SHOWN(d->name));
        return fill_inputs(b, d->members, &t->inputs);
    }
    return ERR_NONE;
}

static enum err fill_directive(struct builder *b, const struct gql_definition *d)
{
    struct gql_schema *s = b->schema;
    struct gql_directive_type *t = &s->directives[s->n_directives++];

    *t = (struct gql_directive_type){.name = d->name, .hidden = b->hidden, .repeatable = d->repeatable};
    describe(d->description, &t->description, &t->described);
    for (const struct gql_name_node *n = d->names; n; n = n->next)
        for (uint8_t place = 0; place < GQL_PLACES && t->n_places < GQL_PLACES; place++)
            if (str_eq(n->name, str_of(gql_place_name(place))))
                t->places[t->n_places++] = place;
    if (names_add(&s->directives_by_name, t->name, t))
        return builder_refuse(b, d->name_at, "the directive \"@%.*s\" is there already", GQL_SHOWN(t->name));
    return fill_inputs(b, d->members, &t->arguments);
}

static enum err set_root(struct builder *b, enum gql_operation_kind kind, const struct gql_type_node *node)
{
    struct gql_type *t = names_get(&b->schema->by_name, node->name);

    if (!t || t->kind != GQL_OBJECT)
        return builder_refuse(b, node->at, "\"%.*s\" is no object type", GQL_SHOWN(node->name));
    if (b->schema->roots[kind])
        return builder_refuse(b, node->at, "this root is there already");
    b->schema->roots[kind] = t;
    return ERR_NONE;
}

static enum err fill_schema(struct builder *b, const struct gql_definition *d)
{
    enum err e = check_directives(b, d->directives, "");

    describe(d->description, &b->schema->description, &b->schema->described);
    for (const struct gql_member_node *m = d->members; m && !e; m = m->next)
        e = set_root(b,
                     str_eq(m->name, STR("query"))      ? GQL_QUERY
                     : str_eq(m->name, STR("mutation")) ? GQL_MUTATION
                                                        : GQL_SUBSCRIPTION,
                     m->type);
    return e;
}

static void default_roots(struct gql_schema *s)
{
    static const char *const names[] = {
        [GQL_QUERY] = "Query", [GQL_MUTATION] = "Mutation", [GQL_SUBSCRIPTION] = "Subscription"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct gql_type *t = names_get(&s->by_name, str_of(names[i]));

        if (t && t->kind == GQL_OBJECT)
            s->roots[i] = t;
    }
}

enum err schema_fill(struct builder *b, const struct gql_document *d)
{
    bool told = false;
    enum err e = ERR_NONE;

    for (const struct gql_definition *def = d->definitions; def && !e; def = def->next) {
        if (def->kind == GQL_DEF_SCHEMA) {
            e = told ? builder_refuse(b, def->at, "the schema is defined twice") : fill_schema(b, def);
            told = true;
        } else if (def->kind == GQL_DEF_DIRECTIVE) {
            e = fill_directive(b, def);
        } else {
            e = fill_type(b, def, names_get(&b->schema->by_name, def->name));
        }
    }
    if (!b->hidden && !told)
        default_roots(b->schema);
    if (!e && !arena_ok(&b->schema->arena))
        e = builder_memory(b);
    if (!e && !b->schema->roots[GQL_QUERY])
        e = builder_refuse(b, 0, "there is no query type");
    return e;
}
