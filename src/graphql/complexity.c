/*
 * complexity.c: what an operation may cost at most, told by the sizes of its lists before anything is asked.
 *
 * Everything is counted that is written, whatever a directive or an object's type may leave out: an upper
 * bound. Fragments are unfolded, at most as often as the limits of validation let the operation have fields.
 */
#include "graphql/coerce.h"
#include "graphql/execute.h"

struct frame {
    struct frame *below;
    const struct gql_selection *at;
    const struct gql_type *type; /* NULL: unknown */
};

struct costing {
    const struct gql_options *options;
    struct arena arena;
    struct frame *spare;
    gql_size_fn size;
    void *arg;
};

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static void push(struct costing *c, struct frame **top, const struct gql_selection_set *set,
                 const struct gql_type *type)
{
    struct frame *f = c->spare;

    if (f)
        c->spare = f->below;
    else
        f = arena_new(&c->arena, struct frame);
    if (!f)
        return;
    *f = (struct frame){*top, set->first, type};
    *top = f;
}

static void pop(struct costing *c, struct frame **top)
{
    struct frame *f = *top;

    *top = f->below;
    f->below = c->spare;
    c->spare = f;
}

static uint64_t size_of(const struct costing *c, const struct gql_field *field, const struct gql_selection *s)
{
    CLEANUP(json_free_p) json_t *arguments = NULL;
    uint64_t n;

    if (gql_coerce_arguments(&field->arguments, s->arguments, c->options->variables, &arguments, NULL))
        arguments = NULL;
    n = c->size(field, arguments, c->arg);
    return n > 0 ? n : 1;
}

static uint64_t cost_of(struct costing *c, const struct gql_selection_set *set, const struct gql_type *type);

static uint64_t cost_of_field(struct costing *c, const struct gql_selection *s, const struct gql_type *type)
{
    const struct gql_field *field = type ? gql_schema_field(c->options->schema, type, s->name) : NULL;

    if (!field || !s->set)
        return 1;
    return add(1, times(size_of(c, field, s), cost_of(c, s->set, field->ref->type)));
}

/* As deep as fields lie in each other, which is limited; fragments lie on the stack of frames. */
static uint64_t cost_of(struct costing *c, const struct gql_selection_set *set, const struct gql_type *type)
{
    struct frame *top = NULL;
    uint64_t sum = 0;

    push(c, &top, set, type);
    while (top && arena_ok(&c->arena)) {
        const struct gql_selection *s = top->at;
        const struct gql_type *here = top->type;
        const struct gql_fragment *f = NULL;

        if (!s) {
            pop(c, &top);
            continue;
        }
        top->at = s->next;
        if (s->kind == GQL_SPREAD)
            f = gql_document_fragment(c->options->document, s->name);
        if (s->kind == GQL_FIELD)
            sum = add(sum, cost_of_field(c, s, here));
        else if (s->kind == GQL_INLINE)
            push(c, &top, s->set,
                 s->condition.n > 0 ? gql_schema_type(c->options->schema, s->condition) : here);
        else if (f)
            push(c, &top, f->set, gql_schema_type(c->options->schema, f->condition));
    }
    return sum;
}

enum err gql_complexity(const struct gql_options *options, gql_size_fn size, void *arg, uint64_t *ret,
                        struct error *err)
{
    struct costing c = {.options = options, .size = size, .arg = arg};
    uint64_t cost;
    enum err e;

    arena_init(&c.arena, options->memory);
    cost = cost_of(&c, options->operation->set, options->schema->roots[options->operation->kind]);
    e = arena_check(&c.arena, err);
    arena_done(&c.arena);
    if (!e)
        *ret = cost;
    return e;
}

bool gql_is_affordable(const struct gql_options *options, gql_size_fn size, void *arg, uint64_t most,
                       struct gql_faults *faults, struct error *err)
{
    uint64_t cost = 0;
    struct gql_fault *f;

    if (gql_complexity(options, size, arg, &cost, err))
        return false;
    if (cost <= most)
        return true;
    f = gql_fault_add(
        faults, NULL,
        "The operation could answer with %llu fields, of which %llu are allowed: ask for fewer fields or "
        "smaller pages.",
        (unsigned long long)cost, (unsigned long long)most);
    gql_fault_at(faults, f, options->operation->at);
    return false;
}
