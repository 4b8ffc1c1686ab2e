/*
 * check_merge.c: 5.3.2 FieldsInSetCanMerge: fields that answer under one key must be one field.
 *
 * The specification compares all pairs, which a hostile document makes quadratic or worse. Both relations are
 * equivalences, so each field is compared with the first of its group alone (the idea is Simon Adameit's):
 *   1. all fields of one key must have one shape, whatever objects they are asked of;
 *   2. those that one object can be asked for together must have one name and the same arguments: for each
 *      object type that appears, its fields with those of interfaces and unions.
 * Each group's selection sets are then looked at as one. Steps are counted and limited: abstract fields take
 * part in several groups, so nested ones could still multiply.
 */
#include "base/str.h"
#include "graphql/check.h"

/* A selection set with the type that it is on (NULL: unknown). */
struct part {
    struct part *next;
    const struct gql_selection_set *set;
    const struct gql_type *parent;
};

struct entry {
    struct entry *next;
    const struct gql_selection *field;
    const struct gql_type *parent;
    const struct gql_field *def; /* NULL: unknown */
};

/* Fields of one key. */
struct group {
    struct group *next;
    struct entry *first;
    struct entry **end;
};

struct merge {
    struct gql_check *c;
    size_t steps;
    bool over;
};

static bool is_over(struct merge *m)
{
    if (!m->over && m->steps > m->c->limits->merge_steps) {
        m->over = true;
        (void)check_fault(
            m->c,
            "It takes more than %zu comparisons to find out whether fields of the same name can be "
            "merged.",
            m->c->limits->merge_steps);
    }
    return m->over || check_over(m->c);
}

static void add_part(struct merge *m, struct part **parts, const struct gql_selection_set *set,
                     const struct gql_type *parent)
{
    struct part *p = arena_new(m->c->arena, struct part);

    if (!p)
        return;
    *p = (struct part){*parts, set, parent};
    *parts = p;
}

static void add_field(struct merge *m, struct names *by_key, struct group ***end,
                      const struct gql_selection *s, const struct gql_type *parent)
{
    struct gql_check *c = m->c;
    struct entry *e = arena_new(c->arena, struct entry);
    struct group *g = names_get(by_key, s->key);

    if (!e)
        return;
    *e = (struct entry){NULL, s, parent, parent ? gql_schema_field(c->schema, parent, s->name) : NULL};
    if (!g) {
        g = arena_new(c->arena, struct group);
        if (!g)
            return;
        g->end = &g->first;
        (void)names_add(by_key, s->key, g);
        **end = g;
        *end = &g->next;
    }
    *g->end = e;
    g->end = &e->next;
}

/* What the spread of a fragment adds, once a collection. */
static void add_spread(struct merge *m, struct part **parts, const struct gql_selection *s, uint32_t mark)
{
    const struct gql_fragment *f = gql_document_fragment(m->c->document, s->name);
    struct check_definition *d = f ? check_fragment(m->c, f) : NULL;

    if (!d || d->seen == mark)
        return;
    d->seen = mark;
    add_part(m, parts, f->set, d->type);
}

/* CollectFields without a type: the fields of all parts with their fragments, by key. */
static struct group *collect(struct merge *m, struct part *parts)
{
    struct names by_key = names_in(m->c->arena);
    struct group *first = NULL;
    struct group **end = &first;
    uint32_t mark = ++m->c->mark;

    while (parts && !is_over(m)) {
        const struct part *p = parts;

        parts = p->next;
        for (const struct gql_selection *s = p->set->first; s; s = s->next) {
            m->steps++;
            if (s->kind == GQL_FIELD)
                add_field(m, &by_key, &end, s, p->parent);
            else if (s->kind == GQL_SPREAD)
                add_spread(m, &parts, s, mark);
            else
                add_part(m, &parts, s->set,
                         s->condition.n > 0 ? check_composite(m->c, s->condition) : p->parent);
        }
    }
    return first;
}

static const struct gql_type *child_type(const struct entry *e)
{
    return e->def && gql_is_composite(e->def->ref->type) ? e->def->ref->type : NULL;
}

/* The same conflict may be met on several ways; it is told once. */
static bool is_told(const struct gql_check *c, struct gql_place a, struct gql_place b)
{
    for (const struct gql_fault *f = c->faults->first; f; f = f->next)
        if (f->rule == c->rule && f->n_places == 2 && f->places[0].line == a.line &&
            f->places[0].column == a.column && f->places[1].line == b.line && f->places[1].column == b.column)
            return true;
    return false;
}

static void conflict(struct merge *m, const struct entry *a, const struct entry *b, const char *why)
{
    struct gql_check *c = m->c;
    struct gql_fault *f;

    if (is_told(c, gql_place_of(c->document->source, a->field->at),
                gql_place_of(c->document->source, b->field->at)))
        return;
    f = check_fault(c, "The fields \"%.*s\" cannot be merged, because %s. Give one of them an alias.",
                    GQL_SHOWN(a->field->key), why);
    check_at(c, f, a->field->at);
    check_at(c, f, b->field->at);
}

/* --- the shape ----------------------------------------------------------------------------------------- */

static bool same_shape(const struct gql_ref *a, const struct gql_ref *b)
{
    while (a->wrap == b->wrap && a->wrap != GQL_NAMED) {
        a = a->of;
        b = b->of;
    }
    if (a->wrap != b->wrap)
        return false;
    return a->type == b->type || (gql_is_composite(a->type) && gql_is_composite(b->type));
}

/* Each group's children; calls go as deep as the document, whose depth is limited. */
static void check_shapes(struct merge *m, struct part *parts)
{
    for (const struct group *g = collect(m, parts); g && !is_over(m); g = g->next) {
        const struct entry *first = NULL;
        struct part *children = NULL;

        for (const struct entry *e = g->first; e; e = e->next) {
            m->steps++;
            if (e->field->set)
                add_part(m, &children, e->field->set, child_type(e));
            if (!e->def)
                continue;
            if (!first)
                first = e;
            else if (!same_shape(first->def->ref, e->def->ref)) {
                conflict(m, first, e, "they answer with different types");
                children = NULL;
                break;
            }
        }
        if (children)
            check_shapes(m, children);
    }
}

/* --- names and arguments ------------------------------------------------------------------------------- */

static bool same_literal(const struct gql_literal *a, const struct gql_literal *b);

static bool same_items(const struct gql_literal *a, const struct gql_literal *b)
{
    const struct gql_literal_item *y = b->items;

    for (const struct gql_literal_item *x = a->items; x; x = x->next) {
        /* in an object, order means nothing; mostly it is the same all the same */
        if (a->kind == GQL_LIT_OBJECT && !str_eq(x->name, y->name))
            for (y = b->items; y && !str_eq(x->name, y->name);)
                y = y->next;
        if (!y || !same_literal(x->value, y->value))
            return false;
        y = y->next ? y->next : b->items;
    }
    return true;
}

static bool same_literal(const struct gql_literal *a, const struct gql_literal *b)
{
    if (a->kind != b->kind || a->n_items != b->n_items || a->block != b->block)
        return false;
    if (a->kind == GQL_LIT_LIST || a->kind == GQL_LIT_OBJECT)
        return same_items(a, b);
    return a->kind == GQL_LIT_NULL || str_eq(a->text, b->text);
}

static size_t count_arguments(const struct gql_argument *a)
{
    size_t n = 0;

    for (; a; a = a->next)
        n++;
    return n;
}

static bool same_arguments(const struct gql_argument *a, const struct gql_argument *b)
{
    if (count_arguments(a) != count_arguments(b))
        return false;
    for (; a; a = a->next) {
        const struct gql_argument *other = b;

        while (other && !str_eq(other->name, a->name))
            other = other->next;
        if (!other || !same_literal(a->value, other->value))
            return false;
    }
    return true;
}

static bool is_object(const struct gql_type *t)
{
    return t && t->kind == GQL_OBJECT;
}

static void check_same(struct merge *m, struct part *parts);

/* The fields that an object of type `type` (NULL: one of no type that is named) has under this key. */
static void check_common(struct merge *m, const struct group *g, const struct gql_type *type)
{
    const struct entry *first = NULL;
    struct part *children = NULL;

    for (const struct entry *e = g->first; e; e = e->next) {
        m->steps++;
        if (is_object(e->parent) && e->parent != type)
            continue;
        if (e->field->set)
            add_part(m, &children, e->field->set, child_type(e));
        if (!first) {
            first = e;
        } else if (!str_eq(first->field->name, e->field->name)) {
            conflict(m, first, e, "they are different fields");
            return;
        } else if (!same_arguments(first->field->arguments, e->field->arguments)) {
            conflict(m, first, e, "they have different arguments");
            return;
        }
    }
    if (children)
        check_same(m, children);
}

/* Whether an entry before `e` has the same parent. */
static bool is_done(const struct group *g, const struct entry *e)
{
    for (const struct entry *i = g->first; i != e; i = i->next)
        if (i->parent == e->parent)
            return true;
    return false;
}

static void check_same(struct merge *m, struct part *parts)
{
    for (const struct group *g = collect(m, parts); g && !is_over(m); g = g->next) {
        bool any = false;
        const struct gql_type *last = NULL;

        for (const struct entry *e = g->first; e && !is_over(m); e = e->next) {
            if (!is_object(e->parent) || e->parent == last)
                continue;
            last = e->parent;
            any = true;
            if (!is_done(g, e))
                check_common(m, g, e->parent);
        }
        if (!any)
            check_common(m, g, NULL);
    }
}

static void check_from(struct merge *m, const struct check_definition *d)
{
    struct part *root = NULL;

    add_part(m, &root, d->operation ? d->operation->set : d->fragment->set, d->type);
    if (!root)
        return;
    check_shapes(m, root);
    check_same(m, root);
}

static void mark_reached(struct gql_check *c, struct check_definition *d, void *arg)
{
    bool *reached = arg;

    reached[d - c->definitions] = true;
}

void check_merge(struct gql_check *c)
{
    struct merge m = {.c = c};
    bool *reached = arena_array(c->arena, c->n_definitions, sizeof(*reached));

    /* Where there are circles or too much of something, that is told already, and this could not end. */
    if (!reached || c->n_order < c->document->n_fragments || c->too_large)
        return;
    for (size_t i = 0; i < c->n_definitions && !is_over(&m); i++) {
        if (i < c->document->n_operations)
            check_reach(c, &c->definitions[i], mark_reached, reached);
        /* what an operation reaches is looked at there */
        if (i < c->document->n_operations || !reached[i])
            check_from(&m, &c->definitions[i]);
    }
}
