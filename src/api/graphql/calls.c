/*
 * calls.c: see calls.h.
 */
#include "api/graphql/calls.h"

#include "api/api_internal.h"
#include "base/str.h"

/* What a call keeps while its request is away; in the execution's memory. */
struct asking {
    const struct field_call *row;
    struct request *r; /* owned */
    size_t charged;    /* to the execution, until its answer is judged */
};

static void free_asking(void *p)
{
    struct asking *a = p;

    request_free(a->r);
}

static const struct field_call *row_of(const struct gql_field *f)
{
    for (size_t i = 0; i < field_calls_n; i++) {
        if (str_eq(f->name, str_of(field_calls[i].field)) &&
            str_eq(f->parent->name, str_of(field_calls[i].type)))
            return &field_calls[i];
    }
    MUST(false);
    return NULL;
}

static void give_all(struct gql_call *call, struct gql_value v)
{
    for (size_t i = 0; i < call->n; i++)
        call->values[i] = v;
}

/* --- memory -------------------------------------------------------------------------------------------- */

bool call_charge(struct gql_call *call, size_t n, struct error *err)
{
    struct graphql_context *c = call->context;

    /* What others took since their last step is not seen here: a bound for the sum, not to the byte. */
    if (c->kind == GQL_QUERY && atomic_load(&c->api->executions) + n > c->api->options.answers_max)
        (void)error_set(err, ERR_BUSY, NULL,
                        "too many large queries are carried out; ask for less, or later");
    else if (!gql_charge(call->execution, n))
        (void)error_set(err, ERR_TOO_LARGE, NULL, "the answer would take too much memory: ask for less");
    else
        return true;
    c->spent = err->code;
    return false;
}

/* Of rows that came back, before they become JSON: what will be made of them. */
static bool afford(void *arg, size_t text, struct error *err)
{
    struct gql_call *call = arg;
    struct asking *a = call->state;

    if (!call_charge(call, text * INNER_JSON_WEIGHT, err))
        return false;
    a->charged += text * INNER_JSON_WEIGHT;
    return true;
}

/* True: so much was asked for that the rest is not asked at all, and told so. */
static bool is_spent(struct gql_call *call)
{
    const struct graphql_context *c = call->context;
    struct error err;

    if (c->spent == ERR_NONE || c->kind == GQL_MUTATION)
        return false;
    (void)error_set(&err, c->spent, NULL, "not asked for: another field took too much memory");
    give_all(call, gql_error(call->execution, &err));
    return true;
}

/* --- the answer ---------------------------------------------------------------------------------------- */

const json_t *call_answer(struct gql_call *call, struct request *r)
{
    const struct graphql_context *c = call->context;
    json_t *json = NULL;
    struct error err = {0};

    /* What a mutation did is told whatever it takes. */
    if (!call_charge(call, r->answer.body.n * INNER_JSON_WEIGHT, &err) && c->kind != GQL_MUTATION) {
        give_all(call, gql_error(call->execution, &err));
        return NULL;
    }
    if (inner_take(r, &json, &err)) {
        err.code = ERR_BUSY;
        give_all(call, gql_error(call->execution, &err));
        return NULL;
    }
    return gql_keep_json(call->execution, json) ? json : NULL;
}

static bool is_replayed(const struct answer *a)
{
    for (size_t i = 0; i < a->headers_n; i++) {
        if (str_eq(str_of(a->headers[i].name), STR("Idempotent-Replayed")))
            return true;
    }
    return false;
}

static void finish(struct gql_call *call, struct asking *a)
{
    struct graphql_context *c = call->context;
    unsigned status = a->r->answer.status;

    c->replayed = c->replayed || is_replayed(&a->r->answer);
    gql_discharge(call->execution, a->charged); /* an estimate, for what is counted now */
    a->charged = 0;
    if (status < 300) {
        a->row->give(call, a->r);
    } else if (status == 404 && a->row->missing) {
        a->row->missing(call, a->r);
    } else {
        const json_t *problem = call_answer(call, a->r);

        if (problem)
            give_all(call, arguments_problem(a->row->arguments, call, problem));
    }
    /* What it took is not needed until the execution ends. */
    request_free(TAKE(a->r));
}

static enum gql_progress answer(struct gql_call *call)
{
    finish(call, call->state);
    return GQL_ANSWERED;
}

static enum gql_progress go_on(struct gql_call *call)
{
    struct asking *a = call->state;

    return inner_go_on(a->r) ? answer(call) : GQL_LATER;
}

/*
 * A call that nobody else worked on took this thread's time instead, a preview some milliseconds. The first
 * one is answered in passing, as most operations ask for one thing; from then on others get their turn.
 */
static enum gql_progress go_on_first(struct gql_call *call)
{
    struct graphql_context *c = call->context;
    struct asking *a = call->state;

    call->resume = go_on;
    if (!inner_go_on(a->r))
        return GQL_LATER;
    if (c->at_once++ == 0)
        return answer(call);
    call->resume = answer;
    gql_call_done(call);
    return GQL_LATER;
}

/* --- the question -------------------------------------------------------------------------------------- */

static void back(void *arg)
{
    gql_call_done(arg);
}

static bool id_is_given(const struct gql_call *call, const struct field_call *row)
{
    for (const struct argument *a = row->arguments; a->name; a++) {
        if (a->as == GOES_ID && json_is_string(json_object_get(call->arguments, a->name)))
            return true;
    }
    return false;
}

/* A key stands for the one thing that a mutation does: graphql_judge_key(). */
static struct str key_of(const struct gql_call *call)
{
    const struct graphql_context *c = call->context;
    bool is_root = call->field->parent && str_eq(call->field->parent->name, STR("Mutation"));

    return is_root && c->kind == GQL_MUTATION ? c->idempotency_key : (struct str){NULL, 0};
}

static void begin(struct gql_call *call, const struct field_call *row, struct request *r)
{
    CLEANUP(json_free_p) json_t *body = NULL;
    struct inner_call inner = {.route = row->route, .handle = row->handle};
    struct error err;

    if (row->by_id && id_is_given(call, row))
        inner.route = row->by_id;
    if (row->fixed[0])
        inner.params[inner.params_n++] = (struct query_param){str_of(row->fixed[0]), str_of(row->fixed[1])};
    if (arguments_apply(row->arguments, call, &inner, &body, &err) ||
        (row->shape && row->shape(body, &err))) {
        answer_error(r, &err);
        return;
    }
    inner.idempotency_key = key_of(call);
    inner_begin(r, &inner);
}

enum gql_progress resolve_call(struct gql_call *call)
{
    const struct graphql_context *c = call->context;
    const struct field_call *row = row_of(call->field);
    struct asking *a;

    if (is_spent(call))
        return GQL_ANSWERED;
    a = gql_alloc(call->execution, sizeof(*a));
    if (!a)
        return GQL_ANSWERED;
    *a = (struct asking){.row = row, .r = inner_new(c->api, back, call)};
    a->r->afford = afford;
    if (!gql_keep(call->execution, a, free_asking))
        return GQL_ANSWERED;
    call->state = a;
    if (row->prepare)
        row->prepare(call, a->r);
    if (!answered(a->r))
        begin(call, row, a->r);
    return go_on_first(call);
}
