/*
 * operation.c: see operation.h.
 */
#include "api/graphql/operation.h"

#include "base/alloc.h"
#include "base/str.h"

/* What a page holds at most, and what one that is not asked for in numbers may be taken for. */
enum { PAGE_MAX = 1000, PAGE_UNKNOWN = 100 };

/* --- parameters ---------------------------------------------------------------------------------------- */

static const json_t *param(const json_t *params, const char *name)
{
    const json_t *v = json_object_get(params, name);

    return json_is_null(v) ? NULL : v;
}

static enum err check_params(const json_t *params, struct error *err)
{
    static const char *const objects[] = {"variables", "extensions"};
    const json_t *query;
    const json_t *name;

    if (!json_is_object(params))
        return error_set(err, ERR_INVALID, NULL, "The request must be a JSON object; batches are not taken.");
    query = param(params, "query");
    name = param(params, "operationName");
    if (!query)
        return error_set(err, ERR_INVALID, NULL, "The parameter \"query\" is missing.");
    if (!json_is_string(query))
        return error_set(err, ERR_INVALID, NULL, "The parameter \"query\" must be a string.");
    if (name && !json_is_string(name))
        return error_set(err, ERR_INVALID, NULL, "The parameter \"operationName\" must be a string.");
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        const json_t *v = param(params, objects[i]);

        if (v && !json_is_object(v))
            return error_set(err, ERR_INVALID, NULL, "The parameter \"%s\" must be an object.", objects[i]);
    }
    return ERR_NONE;
}

/* --- root fields --------------------------------------------------------------------------------------- */

/* Fragments in the order in which they are come across; each is looked into once, as CollectFields does. */
struct walk {
    const struct gql_document *document;
    const struct gql_fragment **found;
    bool *seen; /* by fragment */
    size_t n;
    size_t fields;
    const struct gql_selection *first;
};

static void find(struct walk *w, const struct gql_fragment *f)
{
    if (!f || w->seen[f->index])
        return;
    w->seen[f->index] = true;
    w->found[w->n++] = f;
}

/* Inline fragments lie in each other as deep as documents may be nested. */
static void walk_set(struct walk *w, const struct gql_selection_set *set)
{
    for (const struct gql_selection *s = set->first; s; s = s->next) {
        if (s->kind == GQL_SPREAD) {
            find(w, gql_document_fragment(w->document, s->name));
        } else if (s->kind == GQL_INLINE) {
            walk_set(w, s->set);
        } else {
            w->fields++;
            if (!w->first)
                w->first = s;
        }
    }
}

/* False: no memory. */
static bool walk_roots(struct arena *arena, const struct gql_request *r, struct walk *ret)
{
    struct walk w = {.document = r->document};
    void *found = arena_array(arena, w.document->n_fragments + 1, sizeof(*w.found));

    w.found = found;
    w.seen = arena_array(arena, w.document->n_fragments + 1, sizeof(*w.seen));
    if (!found || !w.seen)
        return false;
    walk_set(&w, r->operation->set);
    for (size_t i = 0; i < w.n; i++)
        walk_set(&w, w.found[i]->set);
    *ret = w;
    return true;
}

enum err operation_arguments(const struct operation *o, const struct gql_schema *schema, json_t **ret,
                             struct error *err)
{
    const struct gql_request *r = &o->request;
    CLEANUP(arena_done_p) struct arena arena;
    const struct gql_field *field = NULL;
    struct walk w;

    arena_init(&arena, GQL_REQUEST_MEMORY);
    if (!walk_roots(&arena, r, &w))
        return error_set(err, ERR_MEMORY, NULL, "out of memory for the operation");
    if (w.first)
        field = gql_schema_field(schema, schema->roots[r->operation->kind], w.first->name);
    if (field)
        return gql_coerce_arguments(&field->arguments, w.first->arguments, r->variables, ret, err);
    *ret = json_object();
    return *ret ? ERR_NONE : error_set(err, ERR_MEMORY, NULL, "out of memory for the operation");
}

/* --- cost ---------------------------------------------------------------------------------------------- */

static uint64_t page_size(const json_t *arguments)
{
    const json_t *first = json_object_get(arguments, "first");

    if (!arguments)
        return PAGE_MAX;
    if (!json_is_integer(first))
        return PAGE_UNKNOWN;
    /* What is more, or less than one, is refused when it is asked. */
    return json_integer_value(first) < 1          ? 1
           : json_integer_value(first) > PAGE_MAX ? PAGE_MAX
                                                  : (uint64_t)json_integer_value(first);
}

uint64_t operation_size_of(const struct gql_field *field, const json_t *arguments, void *arg)
{
    const struct gql_ref *ref = field->ref->wrap == GQL_NON_NULL ? field->ref->of : field->ref;

    (void)arg;
    if (gql_inputs_find(&field->arguments, STR("first")))
        return page_size(arguments);
    /* One result for each item of a batch. */
    for (size_t i = 0; i < field->arguments.n && ref->wrap == GQL_LIST; i++) {
        const struct gql_input *input = &field->arguments.items[i];
        const json_t *given = json_object_getn(arguments, input->name.p, input->name.n);

        if (json_is_array(given))
            return json_array_size(given);
    }
    return 1;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

void operation_free(struct operation *o)
{
    if (!o)
        return;
    gql_request_done(&o->request);
    json_free(o->params);
    alloc_free(o);
}

enum err operation_new(json_t *params, const struct gql_request_options *options, struct operation **ret,
                       struct error *err)
{
    CLEANUP(operation_free_p) struct operation *o = alloc_new(struct operation);
    const json_t *name;
    struct walk w = {0};
    enum err e;

    o->params = params;
    e = check_params(params, err);
    if (e)
        return e;
    name = param(params, "operationName");
    e = gql_request_init(&o->request, options, json_str(param(params, "query")),
                         name ? json_str(name) : STR(""), param(params, "variables"), err);
    if (!e && !walk_roots(&o->request.arena, &o->request, &w))
        e = error_set(err, ERR_MEMORY, NULL, "out of memory for the operation");
    o->roots = w.fields;
    if (!e || e == ERR_INVALID)
        *ret = TAKE(o);
    return e;
}
