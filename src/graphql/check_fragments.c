/*
 * check_fragments.c: 5.5: fragments have unique names and composite types, are used, do not go round in
 * circles, and stand where they can apply.
 */
#include "base/str.h"
#include "graphql/check.h"

void check_fragment_names(struct gql_check *c)
{
    for (const struct gql_fragment *f = c->document->fragments; f; f = f->next) {
        const struct gql_fragment *first = gql_document_fragment(c->document, f->name);
        struct gql_fault *fault;

        if (first == f)
            continue;
        fault = check_fault(c, "There can be only one fragment named \"%.*s\".", GQL_SHOWN(f->name));
        check_at(c, fault, first->name_at);
        check_at(c, fault, f->name_at);
    }
}

static void check_type_name(struct gql_check *c, struct str name, uint32_t at)
{
    if (!gql_schema_type(c->schema, name))
        check_at(c, check_fault(c, "There is no type \"%.*s\".", GQL_SHOWN(name)), at);
}

void check_type_of_fragment(struct gql_check *c, const struct gql_fragment *f)
{
    check_type_name(c, f->condition, f->condition_at);
}

void check_type_of_inline(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                          const struct gql_field *field)
{
    (void)parent;
    (void)field;
    if (s->kind == GQL_INLINE && s->condition.n > 0)
        check_type_name(c, s->condition, s->condition_at);
}

void check_type_of_variables(struct gql_check *c, const struct gql_operation *op)
{
    for (const struct gql_variable *v = op->variables; v; v = v->next) {
        const struct gql_type_node *t = v->type;

        while (t->wrap != GQL_NAMED)
            t = t->of;
        check_type_name(c, t->name, t->at);
    }
}

static void check_is_composite(struct gql_check *c, struct str name, uint32_t at)
{
    const struct gql_type *t = gql_schema_type(c->schema, name);

    if (t && !gql_is_composite(t))
        check_at(c, check_fault(c, "A fragment cannot be on \"%.*s\", which has no fields.", GQL_SHOWN(name)),
                 at);
}

void check_composite_fragment(struct gql_check *c, const struct gql_fragment *f)
{
    check_is_composite(c, f->condition, f->condition_at);
}

void check_composite_inline(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                            const struct gql_field *field)
{
    (void)parent;
    (void)field;
    if (s->kind == GQL_INLINE && s->condition.n > 0)
        check_is_composite(c, s->condition, s->condition_at);
}

static void mark_used(struct gql_check *c, struct check_definition *d, void *arg)
{
    bool *used = arg;

    (void)c;
    if (d->fragment)
        used[d->fragment->index] = true;
}

void check_fragments_used(struct gql_check *c)
{
    bool *used = arena_array(c->arena, c->document->n_fragments, sizeof(*used));

    if (!used)
        return;
    for (size_t i = 0; i < c->document->n_operations; i++)
        check_reach(c, &c->definitions[i], mark_used, used);
    for (const struct gql_fragment *f = c->document->fragments; f; f = f->next) {
        const struct gql_fragment *known = gql_document_fragment(c->document, f->name);

        if (!used[known->index])
            check_at(c, check_fault(c, "The fragment \"%.*s\" is never used.", GQL_SHOWN(f->name)), f->at);
    }
}

void check_fragment_known(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                          const struct gql_field *field)
{
    (void)parent;
    (void)field;
    if (s->kind == GQL_SPREAD && !gql_document_fragment(c->document, s->name))
        check_at(c, check_fault(c, "There is no fragment \"%.*s\".", GQL_SHOWN(s->name)), s->name_at);
}

/*
 * What could not be ordered spreads, over some steps, a circle. Those that no unordered fragment spreads are
 * only on the way to one, and not told.
 */
void check_cycles(struct gql_check *c)
{
    size_t first = c->document->n_operations;

    if (c->n_order == c->document->n_fragments)
        return;
    for (size_t i = first; i < c->n_definitions && !check_over(c); i++) {
        const struct check_definition *d = &c->definitions[i];

        if (d->ordered)
            continue;
        for (const struct check_spread *s = d->spreads; s; s = s->next) {
            if (check_fragment(c, s->fragment)->ordered)
                continue;
            check_at(c,
                     check_fault(
                         c, "The fragment \"%.*s\" spreads \"%.*s\" and so, in the end, itself or a circle.",
                         GQL_SHOWN(d->fragment->name), GQL_SHOWN(s->fragment->name)),
                     s->at->at);
            break;
        }
    }
}

void check_spread_possible(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                           const struct gql_field *field)
{
    const struct gql_fragment *f = s->kind == GQL_SPREAD ? gql_document_fragment(c->document, s->name) : NULL;
    struct str condition = f ? f->condition : s->condition;
    const struct gql_type *t;

    (void)field;
    if (s->kind == GQL_FIELD || condition.n == 0)
        return;
    t = check_composite(c, condition);
    if (!t || !parent || gql_types_overlap(t, parent))
        return;
    check_at(c,
             check_fault(c, "A fragment on \"%.*s\" can never apply to an object of type \"%.*s\".",
                         GQL_SHOWN(condition), GQL_SHOWN(parent->name)),
             s->at);
}
