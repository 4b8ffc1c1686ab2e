/*
 * execute.c: the frame of an execution: what is to be asked, what is waited for, what is next.
 */
#include "graphql/execute.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "graphql/coerce.h"
#include "graphql/execute_internal.h"

enum { EXTENSIONS_MAX = 64 * 1024 };

const struct gql_operation *gql_operation_find(const struct gql_document *d, struct str name,
                                               struct gql_faults *faults)
{
    if (name.n == 0 && d->n_operations == 1)
        return d->operations;
    if (name.n == 0) {
        (void)gql_fault_add(faults, NULL, "%s",
                            d->n_operations == 0
                                ? "The document holds no operation."
                                : "The document holds several operations: name the one to execute.");
        return NULL;
    }
    for (const struct gql_operation *op = d->operations; op; op = op->next)
        if (str_eq(op->name, name))
            return op;
    (void)gql_fault_add(faults, NULL, "The document holds no operation named \"%.*s\".", GQL_SHOWN(name));
    return NULL;
}

/* --- memory -------------------------------------------------------------------------------------------- */

void *gql_alloc(struct gql_execution *x, size_t n)
{
    return arena_alloc(&x->arena, n);
}

struct str gql_copy(struct gql_execution *x, struct str s)
{
    return arena_str(&x->arena, s);
}

bool gql_keep(struct gql_execution *x, void *p, gql_free_fn fn)
{
    struct kept *k = arena_new(&x->arena, struct kept);

    if (!k) {
        fn(p);
        return false;
    }
    *k = (struct kept){x->kept, p, fn};
    x->kept = k;
    return true;
}

static void free_json(void *p)
{
    json_free(p);
}

bool gql_keep_json(struct gql_execution *x, json_t *v)
{
    return gql_keep(x, v, free_json);
}

bool gql_charge(struct gql_execution *x, size_t n)
{
    struct arena *a = &x->arena;

    if (n > a->limit - a->used)
        return false;
    a->used += n;
    return true;
}

size_t gql_execution_used(const struct gql_execution *x)
{
    return x->arena.used;
}

void gql_discharge(struct gql_execution *x, size_t n)
{
    MUST(n <= x->arena.used);
    x->arena.used -= n;
}

struct gql_value gql_list(struct gql_execution *x, size_t n)
{
    struct gql_value *items = arena_array(&x->arena, n, sizeof(*items));

    return items ? (struct gql_value){.kind = GQL_VALUE_LIST, .list = {items, n}} : gql_null();
}

static struct gql_value failure(struct gql_execution *x, struct str message, const struct buf *extensions)
{
    struct gql_failure *f = arena_new(&x->arena, struct gql_failure);

    if (!f)
        return gql_null();
    f->message = arena_str(&x->arena, message);
    if (buf_ok(extensions))
        f->extensions = arena_str(&x->arena, buf_str(extensions));
    return (struct gql_value){.kind = GQL_VALUE_ERROR, .failure = f};
}

struct gql_value gql_error(struct gql_execution *x, const struct error *err)
{
    CLEANUP(buf_done_p) struct buf extensions = {0};

    buf_init(&extensions, EXTENSIONS_MAX);
    buf_add_cstr(&extensions, "{\"code\":\"");
    /* A word, as names of GraphQL are: too_large. */
    for (const char *c = err_name(err->code); *c; c++)
        buf_add_char(&extensions, *c == '-' ? '_' : *c);
    buf_add_char(&extensions, '"');
    if (err->where[0]) {
        buf_add_cstr(&extensions, ",\"pointer\":");
        buf_add_json(&extensions, str_of(err->where));
    }
    buf_add_char(&extensions, '}');
    return failure(x, str_of(err->text), &extensions);
}

struct gql_value gql_failed(struct gql_execution *x, struct str message, const json_t *extensions)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    buf_init(&text, EXTENSIONS_MAX);
    /* Without memory for them, or too long: the message stands alone. */
    if (!extensions || json_write(extensions, &text, NULL))
        buf_clear(&text);
    return failure(x, message, &text);
}

bool gql_wants(const struct gql_call *call, const char *field)
{
    const struct task *t = CONTAINER_OF(call, struct task, call);
    struct gql_execution *x = call->execution;
    struct selections all;
    const struct gql_selection *s;

    /* Of an abstract type, whatever any object of it may be asked: each of them has its own selections. */
    for (const struct plan_node *n = t->field->nodes; n; n = n->next) {
        const struct gql_type *type = t->field->field->ref->type;

        if (!n->selection->set)
            return false;
        for (size_t i = 0; i < (type->kind == GQL_OBJECT ? 1 : type->n_possible); i++) {
            selections_start(&all, x, type->kind == GQL_OBJECT ? type : type->possible[i]);
            selections_push(&all, n->selection->set);
            while ((s = selections_next(&all)))
                if (str_eq(s->name, str_of(field)))
                    return true;
        }
    }
    return false;
}

/* --- tasks --------------------------------------------------------------------------------------------- */

struct task *task_new(struct gql_execution *x, const struct plan_field *f, size_t n)
{
    struct task *t = arena_new(&x->arena, struct task);
    const void **objects = arena_array(&x->arena, n, sizeof(*objects));
    struct place **places = arena_array(&x->arena, n, sizeof(struct place *));

    if (!t || !objects || !places)
        return NULL;
    t->field = f;
    t->places = places;
    t->call = (struct gql_call){
        .field = f->field, .n = n, .objects = objects, .context = x->options.context, .execution = x};
    return t;
}

void add_task(struct gql_execution *x, struct task *t)
{
    *x->tasks_end = t;
    x->tasks_end = &t->next;
}

/* Objects below what was nulled meanwhile are not asked. */
static void drop_dead(struct task *t)
{
    const void **objects = (const void **)t->call.objects;
    size_t n = 0;

    for (size_t i = 0; i < t->call.n; i++) {
        if (place_is_dead(t->places[i]))
            continue;
        objects[n] = objects[i];
        t->places[n++] = t->places[i];
    }
    t->call.n = n;
}

static bool give_arguments(struct gql_execution *x, struct task *t, struct error *err)
{
    json_t *arguments = NULL;

    if (gql_coerce_arguments(&t->field->field->arguments, t->field->nodes->selection->arguments,
                             x->options.variables, &arguments, err))
        return false;
    t->call.arguments = arguments;
    return gql_keep_json(x, arguments);
}

static void progress(struct gql_execution *x, struct task *t, gql_resolve_fn fn)
{
    enum gql_progress p = fn ? fn(&t->call) : GQL_ANSWERED;

    MUST(p == GQL_ANSWERED || x->answered);
    if (p == GQL_ANSWERED)
        complete_task(x, t);
    else
        x->n_waiting++;
}

static void ask(struct gql_execution *x, struct task *t)
{
    struct error err = {0};

    drop_dead(t);
    if (t->call.n == 0)
        return;
    t->call.values = arena_array(&x->arena, t->call.n, sizeof(struct gql_value));
    if (!t->call.values)
        return;
    if (!give_arguments(x, t, &err)) {
        for (size_t i = 0; i < t->call.n && arena_ok(&x->arena); i++)
            t->call.values[i] = gql_error(x, &err);
        complete_task(x, t);
        return;
    }
    progress(x, t, t->field->field->resolve);
}

void gql_call_done(struct gql_call *call)
{
    struct task *t = CONTAINER_OF(call, struct task, call);
    bool pushed = queue_push_always(call->execution->answered, &t->node);

    MUST(pushed); /* the queue is closed by nobody */
}

/* What a mutation has begun is carried to its end, whatever became of its answer. */
static bool is_wanted(const struct gql_execution *x, const struct task *t)
{
    if (x->stopped || x->options.operation->kind == GQL_MUTATION)
        return !x->stopped;
    for (size_t i = 0; i < t->call.n && arena_ok(&x->arena); i++)
        if (!place_is_dead(t->places[i]))
            return true;
    return false;
}

static void go_on(struct gql_execution *x, struct queue_node *answered)
{
    while (answered) {
        struct task *t = CONTAINER_OF(answered, struct task, node);

        answered = answered->next;
        MUST(x->n_waiting > 0);
        x->n_waiting--;
        if (is_wanted(x, t))
            progress(x, t, t->call.resume);
    }
}

/* --- the root ------------------------------------------------------------------------------------------ */

static void ask_root(struct gql_execution *x, const struct plan_field *f)
{
    struct task *t = f->is_typename ? NULL : task_new(x, f, 1);

    if (!t)
        return;
    ((const void **)t->call.objects)[0] = x->options.root;
    t->places[0] = &x->root.object.fields[f->index];
    add_task(x, t);
}

/* The root fields that may be asked now: all, or the next of a mutation. False: there is none. */
static bool ask_roots(struct gql_execution *x)
{
    size_t before = x->n_roots;
    bool serial = x->options.operation->kind == GQL_MUTATION;

    while (x->plan && x->n_roots < x->plan->n && !(serial && x->n_roots > before) && arena_ok(&x->arena)) {
        if (!x->root.nulled)
            ask_root(x, x->plan->fields[x->n_roots]);
        x->n_roots++;
    }
    return x->n_roots > before;
}

static void open_root(struct gql_execution *x)
{
    struct plan_source from = {.set = x->options.operation->set};
    const struct gql_type *type = x->options.schema->roots[x->options.operation->kind];
    const struct gql_selection *bad = NULL;

    x->plan = plan_new(x, &from, type, &bad);
    if (bad) {
        gql_fault_at(&x->faults,
                     gql_fault_add(&x->faults, NULL, "The condition of @skip or @include is null."), bad->at);
        x->root.nulled = true;
    }
    if (!x->plan)
        return;
    x->root.kind = PLACE_OBJECT;
    x->root.object.plan = x->plan;
    x->root.object.fields = arena_array(&x->arena, x->plan->n, sizeof(struct place));
    for (size_t i = 0; x->root.object.fields && i < x->plan->n; i++) {
        struct place *p = &x->root.object.fields[i];

        *p = (struct place){.parent = &x->root, .index = (uint32_t)i};
        p->required = x->plan->fields[i]->field->ref->wrap == GQL_NON_NULL;
        if (x->plan->fields[i]->is_typename) {
            p->kind = PLACE_LEAF;
            p->leaf = gql_str(type->name);
        }
    }
}

enum err gql_execution_new(const struct gql_options *options, struct gql_execution **ret, struct error *err)
{
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;

    if (!options->schema->roots[options->operation->kind])
        return error_set(err, ERR_INVALID, NULL, "the schema has no operations of this kind");
    x = alloc_new(struct gql_execution);
    x->done = true; /* nothing waits */
    arena_init(&x->arena, options->memory);
    x->options = *options;
    json_incref(x->options.variables);
    x->tasks_end = &x->tasks;
    gql_faults_init(&x->faults, &x->arena, options->document->source, options->errors);
    if (options->wake)
        x->answered = queue_new(SIZE_MAX, options->wake, options->wake_arg);
    x->seen = arena_array(&x->arena, options->document->n_fragments, sizeof(*x->seen));
    if (x->seen)
        open_root(x);
    x->done = false;
    *ret = TAKE(x);
    return ERR_NONE;
}

enum gql_step gql_execution_step(struct gql_execution *x)
{
    /*
     * What was answered is taken here alone, once a wake, so that whoever still stands in gql_call_done() has
     * a step to come that was asked for by his wake: the execution cannot be done, and freed, before.
     */
    if (x->begun && !x->done) {
        struct queue_node *answered = x->answered ? queue_take(x->answered, 0) : NULL;

        MUST(answered);
        go_on(x, answered);
    }
    x->begun = true;
    if (x->stopped && x->n_waiting == 0)
        x->done = true;
    while (!x->done && !x->stopped) {
        bool full = x->options.calls > 0 && x->n_waiting >= x->options.calls;
        struct task *t = full ? NULL : x->tasks;

        if (t) {
            x->tasks = t->next;
            if (!x->tasks)
                x->tasks_end = &x->tasks;
            if (arena_ok(&x->arena))
                ask(x, t);
            continue;
        }
        if (x->n_waiting > 0)
            return GQL_WAITING;
        x->done = !ask_roots(x);
    }
    return x->done ? GQL_DONE : GQL_WAITING;
}

void gql_execution_stop(struct gql_execution *x)
{
    x->stopped = true;
}

void gql_execution_free(struct gql_execution *x)
{
    if (!x)
        return;
    MUST(x->n_waiting == 0);
    for (const struct kept *k = x->kept; k; k = k->next)
        k->fn(k->p);
    queue_free(x->answered);
    json_free(x->options.variables);
    arena_done(&x->arena);
    alloc_free(x);
}
