/*
 * check_operations.c: 5.1 documents and 5.2 operations.
 */
#include "base/str.h"
#include "graphql/check.h"

void check_executable(struct gql_check *c)
{
    for (const struct gql_definition *d = c->document->definitions; d; d = d->next)
        check_at(c, check_fault(c, "A type system definition cannot be executed."), d->at);
}

void check_operation_names(struct gql_check *c)
{
    struct names names = names_in(c->arena);

    for (struct gql_operation *op = c->document->operations; op; op = op->next) {
        const struct gql_operation *first = op->name.n > 0 ? names_add(&names, op->name, op) : NULL;
        struct gql_fault *f;

        if (!first)
            continue;
        f = check_fault(c, "There can be only one operation named \"%.*s\".", GQL_SHOWN(op->name));
        check_at(c, f, first->name_at);
        check_at(c, f, op->name_at);
    }
}

void check_lone_anonymous(struct gql_check *c)
{
    if (c->document->n_operations < 2)
        return;
    for (const struct gql_operation *op = c->document->operations; op; op = op->next)
        if (op->name.n == 0)
            check_at(c, check_fault(c, "An operation without a name must be the only operation."), op->at);
}

/* --- 5.2.3.1: a subscription has one root field -------------------------------------------------------- */

/* A selection set that is still to be looked at. */
struct pending {
    struct pending *next;
    const struct gql_selection_set *set;
};

struct roots {
    struct gql_check *c;
    const struct gql_type *type;
    const struct gql_operation *op;
    struct pending *pending;
    const struct gql_selection *first;
    struct gql_fault *several;
    uint32_t mark;
};

/* @skip(if: true) and @include(if: false), written out; what a variable decides is taken to stay. */
static bool is_left_out(const struct gql_selection *s)
{
    for (const struct gql_directive *d = s->directives; d; d = d->next) {
        bool skip = str_eq(d->name, STR("skip"));

        if (!skip && !str_eq(d->name, STR("include")))
            continue;
        for (const struct gql_argument *a = d->arguments; a; a = a->next)
            if (str_eq(a->name, STR("if")) && a->value->kind == GQL_LIT_BOOLEAN &&
                str_eq(a->value->text, skip ? STR("true") : STR("false")))
                return true;
    }
    return false;
}

static void add_pending(struct roots *r, const struct gql_selection_set *set, struct str condition)
{
    const struct gql_type *t = condition.n > 0 ? check_composite(r->c, condition) : r->type;
    struct pending *p;

    if (!t || !gql_type_includes(t, r->type))
        return;
    p = arena_new(r->c->arena, struct pending);
    if (!p)
        return;
    *p = (struct pending){r->pending, set};
    r->pending = p;
}

static void look_at_root_field(struct roots *r, const struct gql_selection *s)
{
    if (str_starts(s->name, STR("__")))
        check_at(r->c,
                 check_fault(r->c,
                             "A subscription must not select the introspection field \"%.*s\" at its root.",
                             GQL_SHOWN(s->name)),
                 s->at);
    if (!r->first)
        r->first = s;
    if (str_eq(r->first->key, s->key))
        return;
    if (!r->several)
        r->several = check_fault(r->c, "A subscription must select only one field at its root.");
    check_at(r->c, r->several, s->at);
}

static void look_at_roots(struct roots *r, const struct gql_selection_set *set)
{
    for (const struct gql_selection *s = set->first; s && !check_over(r->c); s = s->next) {
        const struct gql_fragment *f =
            s->kind == GQL_SPREAD ? gql_document_fragment(r->c->document, s->name) : NULL;

        if (is_left_out(s))
            continue;
        if (s->kind == GQL_FIELD)
            look_at_root_field(r, s);
        else if (s->kind == GQL_INLINE)
            add_pending(r, s->set, s->condition);
        else if (f && check_fragment(r->c, f)->seen != r->mark) {
            check_fragment(r->c, f)->seen = r->mark;
            add_pending(r, f->set, f->condition);
        }
    }
}

void check_single_subscription(struct gql_check *c, const struct gql_operation *op)
{
    struct roots r = {.c = c, .type = c->schema->roots[GQL_SUBSCRIPTION], .op = op, .mark = ++c->mark};

    if (op->kind != GQL_SUBSCRIPTION || !r.type)
        return;
    add_pending(&r, op->set, STR(""));
    while (r.pending) {
        const struct pending *p = r.pending;

        r.pending = p->next;
        look_at_roots(&r, p->set);
    }
}
