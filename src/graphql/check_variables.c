/*
 * check_variables.c: 5.8: variables are unique, of input types, defined where used, used where defined, and
 * fit where they stand.
 *
 * A use in a fragment counts for every operation that reaches it, so the work is the product of both.
 */
#include "base/str.h"
#include "graphql/check.h"

void check_variable_names(struct gql_check *c, const struct gql_operation *op)
{
    struct names names = names_in(c->arena);

    for (struct gql_variable *v = op->variables; v; v = v->next) {
        const struct gql_variable *first = names_add(&names, v->name, v);
        struct gql_fault *f;

        if (!first)
            continue;
        f = check_fault(c, "There can be only one variable named \"$%.*s\".", GQL_SHOWN(v->name));
        check_at(c, f, first->name_at);
        check_at(c, f, v->name_at);
    }
}

void check_variable_types(struct gql_check *c, const struct gql_operation *op)
{
    for (const struct gql_variable *v = op->variables; v; v = v->next) {
        const struct gql_type_node *named = v->type;
        const struct gql_type *t;

        while (named->wrap != GQL_NAMED)
            named = named->of;
        t = gql_schema_type(c->schema, named->name);
        if (t && !gql_is_input(t))
            check_at(c,
                     check_fault(c, "The variable \"$%.*s\" cannot be of type \"%.*s\", which is no input.",
                                 GQL_SHOWN(v->name), GQL_SHOWN(t->name)),
                     v->type->at);
    }
}

/* One operation with its variables by name. */
struct scope {
    const struct gql_operation *op;
    struct names variables; /* struct known */
};

struct known {
    const struct gql_variable *variable;
    const struct gql_ref *ref; /* NULL: of no known type */
    bool used;
};

static bool open_scope(struct gql_check *c, const struct gql_operation *op, struct scope *ret)
{
    *ret = (struct scope){op, names_in(c->arena)};
    for (const struct gql_variable *v = op->variables; v; v = v->next) {
        struct known *k = arena_new(c->arena, struct known);

        if (!k)
            return false;
        *k = (struct known){v, gql_schema_ref(c->schema, v->type, c->arena), false};
        (void)names_add(&ret->variables, v->name, k);
    }
    return arena_ok(c->arena);
}

/* Calls fn for what each operation reaches, with its scope as the argument. */
static void each_scope(struct gql_check *c, check_reach_fn fn,
                       void (*end)(struct gql_check *c, struct scope *s))
{
    for (size_t i = 0; i < c->document->n_operations && !check_over(c); i++) {
        struct scope s;

        if (!open_scope(c, c->definitions[i].operation, &s))
            return;
        check_reach(c, &c->definitions[i], fn, &s);
        if (end)
            end(c, &s);
    }
}

static void find_undefined(struct gql_check *c, struct check_definition *d, void *arg)
{
    const struct scope *s = arg;

    for (const struct check_use *u = d->uses; u && !check_over(c); u = u->next) {
        struct gql_fault *f;

        if (names_get(&s->variables, u->variable->text))
            continue;
        f = check_fault(c, "The variable \"$%.*s\" is not defined by the operation \"%.*s\".",
                        GQL_SHOWN(u->variable->text), GQL_SHOWN(s->op->name));
        check_at(c, f, u->variable->at);
        check_at(c, f, s->op->at);
    }
}

void check_variables_defined(struct gql_check *c)
{
    each_scope(c, find_undefined, NULL);
}

static void mark_uses(struct gql_check *c, struct check_definition *d, void *arg)
{
    const struct scope *s = arg;

    (void)c;
    for (const struct check_use *u = d->uses; u; u = u->next) {
        struct known *k = names_get(&s->variables, u->variable->text);

        if (k)
            k->used = true;
    }
}

static void tell_unused(struct gql_check *c, struct scope *s)
{
    for (const struct gql_variable *v = s->op->variables; v; v = v->next) {
        const struct known *k = names_get(&s->variables, v->name);

        if (k && !k->used)
            check_at(c,
                     check_fault(c, "The variable \"$%.*s\" of the operation \"%.*s\" is never used.",
                                 GQL_SHOWN(v->name), GQL_SHOWN(s->op->name)),
                     v->at);
    }
}

void check_variables_used(struct gql_check *c)
{
    each_scope(c, mark_uses, tell_unused);
}

/* AreTypesCompatible: whether a variable of type `from` may stand where `to` is asked for. */
static bool is_compatible(const struct gql_ref *from, const struct gql_ref *to)
{
    for (;;) {
        if (to->wrap == GQL_NON_NULL) {
            if (from->wrap != GQL_NON_NULL)
                return false;
            to = to->of;
            from = from->of;
        } else if (from->wrap == GQL_NON_NULL) {
            from = from->of;
        } else if (to->wrap == GQL_LIST || from->wrap == GQL_LIST) {
            if (to->wrap != from->wrap)
                return false;
            to = to->of;
            from = from->of;
        } else {
            return from->type == to->type;
        }
    }
}

/* IsVariableUsageAllowed: a default makes good for a type that may be null. */
static bool may_be_used(const struct known *k, const struct check_use *u)
{
    bool has_value = k->variable->initial && k->variable->initial->kind != GQL_LIT_NULL;
    const struct gql_ref *to = u->ref;

    if (to->wrap == GQL_NON_NULL && k->ref->wrap != GQL_NON_NULL) {
        if (!has_value && !u->has_default)
            return false;
        to = to->of;
    }
    return is_compatible(k->ref, to);
}

static void find_misplaced(struct gql_check *c, struct check_definition *d, void *arg)
{
    const struct scope *s = arg;

    for (const struct check_use *u = d->uses; u && !check_over(c); u = u->next) {
        const struct known *k = names_get(&s->variables, u->variable->text);
        char is[GQL_REF_TEXT];
        char wanted[GQL_REF_TEXT];
        struct gql_fault *f;

        if (!k || !k->ref || !u->ref || may_be_used(k, u))
            continue;
        f = check_fault(c, "The variable \"$%.*s\" of type \"%s\" stands where the type \"%s\" is expected.",
                        GQL_SHOWN(u->variable->text), gql_ref_text(k->ref, is), gql_ref_text(u->ref, wanted));
        check_at(c, f, k->variable->at);
        check_at(c, f, u->variable->at);
    }
}

void check_variable_positions(struct gql_check *c)
{
    each_scope(c, find_misplaced, NULL);
}
