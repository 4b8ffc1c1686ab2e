/*
 * check_walk.c: the walk through a document with its types in view, and the walks along spreads.
 */
#include "base/str.h"
#include "graphql/check.h"

struct walk {
    struct gql_check *c;
    const struct gql_rule *rules;
    size_t n;
};

#define EACH_RULE(w, hook, ...)                                                                              \
    for (size_t rule_ = 0; rule_ < (w)->n; rule_++) {                                                        \
        if ((w)->rules[rule_].hook) {                                                                        \
            (w)->c->rule = (w)->rules[rule_].name;                                                           \
            (w)->rules[rule_].hook((w)->c, __VA_ARGS__);                                                     \
        }                                                                                                    \
    }

const struct gql_type *check_composite(const struct gql_check *c, struct str name)
{
    const struct gql_type *t = gql_schema_type(c->schema, name);

    return t && gql_is_composite(t) ? t : NULL;
}

struct check_definition *check_fragment(const struct gql_check *c, const struct gql_fragment *f)
{
    return &c->definitions[c->document->n_operations + f->index];
}

static void add_use(struct gql_check *c, const struct gql_literal *v, const struct gql_ref *ref,
                    bool has_default)
{
    struct check_use *u = arena_new(c->arena, struct check_use);

    if (!u || !c->current)
        return;
    *u = (struct check_use){c->current->uses, v, ref, has_default};
    c->current->uses = u;
}

/* Notes the variables in a value with the types of their places. */
static void find_uses(struct gql_check *c, const struct gql_literal *v, const struct gql_ref *ref,
                      bool has_default)
{
    const struct gql_ref *inner = ref && ref->wrap == GQL_NON_NULL ? ref->of : ref;
    const struct gql_type *object = ref && ref->type->kind == GQL_INPUT ? ref->type : NULL;

    if (v->kind == GQL_LIT_VARIABLE) {
        add_use(c, v, ref, has_default);
        return;
    }
    if (inner && inner->wrap == GQL_LIST)
        inner = inner->of;
    for (const struct gql_literal_item *i = v->items; i; i = i->next) {
        const struct gql_input *field = NULL;

        if (v->kind == GQL_LIT_LIST) {
            find_uses(c, i->value, inner, false);
            continue;
        }
        if (object)
            field = gql_inputs_find(&object->inputs, i->name);
        find_uses(c, i->value, field ? field->ref : NULL, field && field->initial);
    }
}

static void walk_value(const struct walk *w, const struct gql_literal *v, const struct gql_ref *ref,
                       bool has_default)
{
    find_uses(w->c, v, ref, has_default);
    EACH_RULE(w, value, v, ref, has_default)
}

static void walk_arguments(const struct walk *w, const struct gql_inputs *inputs,
                           const struct gql_argument *first, const struct check_owner *owner)
{
    EACH_RULE(w, arguments, inputs, first, owner)
    for (const struct gql_argument *a = first; a && !check_over(w->c); a = a->next) {
        const struct gql_input *in = inputs ? gql_inputs_find(inputs, a->name) : NULL;

        walk_value(w, a->value, in ? in->ref : NULL, in && in->initial);
    }
}

static void walk_directives(const struct walk *w, const struct gql_directive *first,
                            enum gql_directive_place place)
{
    if (first)
        EACH_RULE(w, directives, first, place)
    for (const struct gql_directive *d = first; d && !check_over(w->c); d = d->next) {
        const struct gql_directive_type *t = gql_schema_directive(w->c->schema, d->name);
        struct check_owner owner = {"directive", d->name, d->at};

        walk_arguments(w, t ? &t->arguments : NULL, d->arguments, &owner);
    }
}

static void walk_set(const struct walk *w, const struct gql_selection_set *set,
                     const struct gql_type *parent);

static void walk_field(const struct walk *w, const struct gql_selection *s, const struct gql_type *parent)
{
    const struct gql_field *field = parent ? gql_schema_field(w->c->schema, parent, s->name) : NULL;
    struct check_owner owner = {"field", s->name, s->at};
    const struct gql_type *type = field && gql_is_composite(field->ref->type) ? field->ref->type : NULL;

    EACH_RULE(w, selection, s, parent, field)
    walk_arguments(w, field ? &field->arguments : NULL, s->arguments, &owner);
    walk_directives(w, s->directives, GQL_AT_FIELD);
    if (s->set)
        walk_set(w, s->set, type);
}

static void walk_spread(const struct walk *w, const struct gql_selection *s, const struct gql_type *parent)
{
    const struct gql_fragment *f = gql_document_fragment(w->c->document, s->name);

    EACH_RULE(w, selection, s, parent, NULL)
    walk_directives(w, s->directives, GQL_AT_FRAGMENT_SPREAD);
    if (f) {
        struct check_spread *spread = arena_new(w->c->arena, struct check_spread);

        if (!spread)
            return;
        *spread = (struct check_spread){w->c->current->spreads, f, s};
        w->c->current->spreads = spread;
    }
}

static void walk_inline(const struct walk *w, const struct gql_selection *s, const struct gql_type *parent)
{
    EACH_RULE(w, selection, s, parent, NULL)
    walk_directives(w, s->directives, GQL_AT_INLINE_FRAGMENT);
    walk_set(w, s->set, s->condition.n > 0 ? check_composite(w->c, s->condition) : parent);
}

static void walk_set(const struct walk *w, const struct gql_selection_set *set, const struct gql_type *parent)
{
    for (const struct gql_selection *s = set->first; s && !check_over(w->c); s = s->next) {
        switch (s->kind) {
        case GQL_FIELD:
            walk_field(w, s, parent);
            break;
        case GQL_SPREAD:
            walk_spread(w, s, parent);
            break;
        case GQL_INLINE:
            walk_inline(w, s, parent);
            break;
        }
    }
}

static void walk_operation(const struct walk *w, const struct gql_operation *op)
{
    static const enum gql_directive_place places[] = {[GQL_QUERY] = GQL_AT_QUERY,
                                                      [GQL_MUTATION] = GQL_AT_MUTATION,
                                                      [GQL_SUBSCRIPTION] = GQL_AT_SUBSCRIPTION};

    EACH_RULE(w, operation, op)
    for (const struct gql_variable *v = op->variables; v && !check_over(w->c); v = v->next) {
        const struct gql_ref *ref = gql_schema_ref(w->c->schema, v->type, w->c->arena);

        if (v->initial)
            walk_value(w, v->initial, ref && gql_is_input(ref->type) ? ref : NULL, false);
        walk_directives(w, v->directives, GQL_AT_VARIABLE_DEFINITION);
    }
    walk_directives(w, op->directives, places[op->kind]);
    walk_set(w, op->set, w->c->current->type);
}

void check_walk(struct gql_check *c, const struct gql_rule *rules, size_t n)
{
    struct walk w = {c, rules, n};

    for (size_t i = 0; i < c->n_definitions && !check_over(c); i++) {
        struct check_definition *d = &c->definitions[i];

        c->current = d;
        if (d->operation) {
            walk_operation(&w, d->operation);
        } else {
            EACH_RULE(&w, fragment, d->fragment)
            walk_directives(&w, d->fragment->directives, GQL_AT_FRAGMENT_DEFINITION);
            walk_set(&w, d->fragment->set, d->type);
        }
    }
    c->current = NULL;
    check_order(c);
    for (size_t i = 0; i < n && !check_over(c); i++) {
        c->rule = rules[i].name;
        if (rules[i].document)
            rules[i].document(c);
    }
}

void check_reach(struct gql_check *c, struct check_definition *from, check_reach_fn fn, void *arg)
{
    uint32_t mark = ++c->mark;
    size_t n = 0;

    from->seen = mark;
    c->stack[n++] = from;
    while (n > 0) {
        struct check_definition *d = c->stack[--n];

        fn(c, d, arg);
        for (const struct check_spread *s = d->spreads; s; s = s->next) {
            struct check_definition *next = check_fragment(c, s->fragment);

            if (next->seen == mark)
                continue;
            next->seen = mark;
            c->stack[n++] = next; /* each once, so the stack has room */
        }
    }
}

/*
 * A fragment is ordered once all that it spreads is (Kahn's algorithm): each spread is looked at twice. Its
 * "who waits for whom" is found by going round the list of who spreads it.
 */
void check_order(struct gql_check *c)
{
    size_t first = c->document->n_operations;
    size_t n = c->document->n_fragments;
    /* for each fragment, who spreads it */
    struct check_spread **spread_by = arena_array(c->arena, n, sizeof(struct check_spread *));

    if (!spread_by)
        return;
    for (size_t i = 0; i < n; i++) {
        struct check_definition *d = &c->definitions[first + i];

        for (const struct check_spread *s = d->spreads; s; s = s->next) {
            struct check_spread *back = arena_new(c->arena, struct check_spread);

            if (!back)
                return;
            *back = (struct check_spread){spread_by[s->fragment->index], d->fragment, s->at};
            spread_by[s->fragment->index] = back;
            d->waiting++;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (c->definitions[first + i].waiting == 0)
            c->order[c->n_order++] = &c->definitions[first + i];
    for (size_t i = 0; i < c->n_order; i++) {
        c->order[i]->ordered = true;
        for (const struct check_spread *b = spread_by[c->order[i]->fragment->index]; b; b = b->next) {
            struct check_definition *d = check_fragment(c, b->fragment);

            if (--d->waiting == 0)
                c->order[c->n_order++] = d;
        }
    }
}
