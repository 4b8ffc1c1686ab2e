/*
 * check_limits.c: how deep and how large each operation is with its fragments put in.
 *
 * Fragments are measured once each, those that others spread first, so the work is the document's size
 * although what is counted may be exponential in it; sums stop at SIZE_MAX.
 */
#include "base/str.h"
#include "graphql/check.h"

struct measure {
    size_t depth;
    size_t fields;
    size_t aliases;
    size_t lists; /* of introspection, one within another */
};

struct measures {
    struct gql_check *c;
    struct measure *of; /* by fragment */
};

static size_t add(size_t a, size_t b)
{
    size_t sum;

    return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void include(struct measure *into, const struct measure *m)
{
    into->depth = most(into->depth, m->depth);
    into->fields = add(into->fields, m->fields);
    into->aliases = add(into->aliases, m->aliases);
    into->lists = most(into->lists, m->lists);
}

/* The lists of __Type lead to types again, and so on without end. */
static bool is_introspection_list(const struct gql_type *parent, const struct gql_selection *s)
{
    static const char *const lists[] = {"fields", "interfaces", "possibleTypes", "inputFields"};

    if (!parent || !parent->hidden || !str_eq(parent->name, STR("__Type")))
        return false;
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (str_eq(s->name, str_of(lists[i])))
            return true;
    return false;
}

static struct measure measure_set(const struct measures *all, const struct gql_selection_set *set,
                                  const struct gql_type *parent);

static struct measure measure_field(const struct measures *all, const struct gql_selection *s,
                                    const struct gql_type *parent)
{
    const struct gql_field *field = parent ? gql_schema_field(all->c->schema, parent, s->name) : NULL;
    const struct gql_type *type = field && gql_is_composite(field->ref->type) ? field->ref->type : NULL;
    struct measure m = {0};

    if (s->set)
        m = measure_set(all, s->set, type);
    m.depth = add(m.depth, 1);
    m.fields = add(m.fields, 1);
    m.aliases = add(m.aliases, str_eq(s->key, s->name) ? 0 : 1);
    m.lists = add(m.lists, is_introspection_list(parent, s) ? 1 : 0);
    return m;
}

static struct measure measure_set(const struct measures *all, const struct gql_selection_set *set,
                                  const struct gql_type *parent)
{
    struct measure sum = {0};

    for (const struct gql_selection *s = set->first; s; s = s->next) {
        const struct gql_fragment *f =
            s->kind == GQL_SPREAD ? gql_document_fragment(all->c->document, s->name) : NULL;
        struct measure m = {0};

        if (s->kind == GQL_FIELD)
            m = measure_field(all, s, parent);
        else if (s->kind == GQL_INLINE)
            m = measure_set(all, s->set, s->condition.n > 0 ? check_composite(all->c, s->condition) : parent);
        else if (f)
            m = all->of[f->index];
        include(&sum, &m);
    }
    return sum;
}

static void judge(struct gql_check *c, const struct gql_operation *op, const struct measure *m)
{
    const struct gql_limits *l = c->limits;
    const struct {
        size_t is;
        size_t may;
        bool unfolds; /* the more of it, the more work it is to merge */
        const char *what;
    } bounds[] = {
        {m->depth, l->depth, true, "levels of fields within fields"},
        {m->fields, l->fields, true, "fields, fragments included"},
        {m->aliases, l->aliases, false, "aliases, fragments included"},
        {m->lists, l->introspection, false, "lists of introspection within each other"},
    };

    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        if (bounds[i].is <= bounds[i].may)
            continue;
        c->too_large = c->too_large || bounds[i].unfolds;
        check_at(c, check_fault(c, "The operation has more than %zu %s.", bounds[i].may, bounds[i].what),
                 op->at);
    }
}

void check_limits(struct gql_check *c)
{
    struct measures all = {c, arena_array(c->arena, c->document->n_fragments, sizeof(struct measure))};

    MUST(c->limits->depth <= GQL_DEPTH_LIMIT);
    if (!all.of || c->n_order < c->document->n_fragments)
        return;
    for (size_t i = 0; i < c->n_order; i++) {
        const struct gql_fragment *f = c->order[i]->fragment;

        all.of[f->index] = measure_set(&all, f->set, c->order[i]->type);
    }
    /* A fragment that no operation uses is measured too: merging looks at it as well. */
    for (size_t i = 0; i < c->n_order; i++)
        if (all.of[c->order[i]->fragment->index].depth > c->limits->depth)
            c->too_large = true;
    for (const struct gql_operation *op = c->document->operations; op; op = op->next) {
        struct measure m = measure_set(&all, op->set, c->schema->roots[op->kind]);

        judge(c, op, &m);
    }
}
