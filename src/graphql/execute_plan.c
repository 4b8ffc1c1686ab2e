/*
 * execute_plan.c: which fields an object has, in the order of the response: 6.3.2 CollectFields.
 */
#include "base/str.h"
#include "graphql/execute_internal.h"

/* The value of a directive's `if`; false: it cannot be told. */
static bool condition_of(const struct gql_execution *x, const struct gql_directive *d, bool *ret)
{
    const struct gql_argument *a = d->arguments;
    const json_t *value;

    while (a && !str_eq(a->name, STR("if")))
        a = a->next;
    if (!a)
        return false;
    if (a->value->kind == GQL_LIT_BOOLEAN) {
        *ret = str_eq(a->value->text, STR("true"));
        return true;
    }
    value = a->value->kind == GQL_LIT_VARIABLE
                ? json_object_getn(x->options.variables, a->value->text.p, a->value->text.n)
                : NULL;
    *ret = json_is_true(value);
    return json_is_boolean(value);
}

static bool is_included(struct selections *i, const struct gql_selection *s)
{
    for (const struct gql_directive *d = s->directives; d; d = d->next) {
        bool skip = str_eq(d->name, STR("skip"));
        bool condition = false;

        if (!skip && !str_eq(d->name, STR("include")))
            continue;
        if (!condition_of(i->x, d, &condition))
            i->bad = s;
        if (i->bad || condition == skip)
            return false;
    }
    return true;
}

void selections_start(struct selections *i, struct gql_execution *x, const struct gql_type *type)
{
    *i = (struct selections){.x = x, .type = type};
    x->mark++;
}

void selections_push(struct selections *i, const struct gql_selection_set *set)
{
    struct frame *f = i->spare;

    if (f)
        i->spare = f->below;
    else
        f = arena_new(&i->x->arena, struct frame);
    if (!f)
        return;
    *f = (struct frame){i->top, set->first};
    i->top = f;
}

static void push_if_it_applies(struct selections *i, const struct gql_selection_set *set,
                               struct str condition)
{
    const struct gql_type *t = condition.n > 0 ? gql_schema_type(i->x->options.schema, condition) : i->type;

    if (t && gql_type_includes(t, i->type))
        selections_push(i, set);
}

static void push_fragment(struct selections *i, const struct gql_selection *s)
{
    const struct gql_fragment *f = gql_document_fragment(i->x->options.document, s->name);

    if (!f || i->x->seen[f->index] == i->x->mark)
        return;
    i->x->seen[f->index] = i->x->mark;
    push_if_it_applies(i, f->set, f->condition);
}

const struct gql_selection *selections_next(struct selections *i)
{
    while (i->top && !i->bad && arena_ok(&i->x->arena)) {
        struct frame *f = i->top;
        const struct gql_selection *s = f->at;

        if (!s) {
            i->top = f->below;
            f->below = i->spare;
            i->spare = f;
            continue;
        }
        f->at = s->next;
        if (!is_included(i, s))
            continue;
        if (s->kind == GQL_FIELD)
            return s;
        if (s->kind == GQL_SPREAD)
            push_fragment(i, s);
        else
            push_if_it_applies(i, s->set, s->condition);
    }
    return NULL;
}

static struct plan_field *new_field(struct gql_execution *x, struct plan *plan, struct names *by_key,
                                    const struct gql_selection *s)
{
    struct plan_field *f = arena_new(&x->arena, struct plan_field);

    if (!f)
        return NULL;
    *f =
        (struct plan_field){.key = s->key, .field = gql_schema_field(x->options.schema, plan->type, s->name)};
    f->index = (uint32_t)plan->n++;
    f->end = &f->nodes;
    f->is_typename = f->field == &x->options.schema->meta[2];
    MUST(f->field); /* validated */
    (void)names_add(by_key, s->key, f);
    return f;
}

static void add_selection(struct gql_execution *x, struct plan *plan, struct names *by_key,
                          struct plan_field ***end, const struct gql_selection *s)
{
    struct plan_node *node = arena_new(&x->arena, struct plan_node);
    struct plan_field *f = names_get(by_key, s->key);

    if (!node)
        return;
    if (!f) {
        f = new_field(x, plan, by_key, s);
        if (!f)
            return;
        **end = f;
        *end = &f->next;
    }
    node->selection = s;
    *f->end = node;
    f->end = &node->next;
}

struct plan *plan_new(struct gql_execution *x, const struct plan_source *from, const struct gql_type *type,
                      const struct gql_selection **ret_bad)
{
    struct plan *plan = arena_new(&x->arena, struct plan);
    struct names by_key = names_in(&x->arena);
    struct plan_field **end;
    struct selections all;

    *ret_bad = NULL;
    if (!plan)
        return NULL;
    plan->type = type;
    end = &plan->first;
    selections_start(&all, x, type);
    for (const struct plan_node *n = from->nodes; n || from->set; n = n->next) {
        const struct gql_selection *s;

        selections_push(&all, from->set ? from->set : n->selection->set);
        while ((s = selections_next(&all)))
            add_selection(x, plan, &by_key, &end, s);
        if (from->set)
            break;
    }
    *ret_bad = all.bad;
    plan->fields = arena_array(&x->arena, plan->n, sizeof(struct plan_field *));
    if (all.bad || !arena_ok(&x->arena))
        return NULL;
    for (struct plan_field *f = plan->first; f; f = f->next)
        plan->fields[f->index] = f;
    return plan;
}
