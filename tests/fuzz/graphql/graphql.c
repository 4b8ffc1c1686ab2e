/*
 * graphql.c: fuzz target: a GraphQL document. What cannot be parsed has one fault in its place; what is
 * invalid has a reason; what is valid is executed within bounds, some fields later than others, and answered
 * in JSON. What is a schema is printed and read again to the same.
 */
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "graphql/coerce.h"
#include "graphql/execute.h"
#include "graphql/parse.h"
#include "graphql/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MEMORY = 4 * 1024 * 1024, ANSWER = 16 * 1024 * 1024, LATER = 64 };

static const char SDL[] =
    "directive @many(a: Int) repeatable on FIELD | QUERY | FRAGMENT_SPREAD | INLINE_FRAGMENT | "
    "VARIABLE_DEFINITION\n"
    "type Query { a(i: Int, f: Float = 1.5, s: String, b: Boolean, d: ID, e: E = X, l: [[Int!]], o: In): A\n"
    "  r(o: In!, n: Int! = 3): Int!  l: [A!]  ll: [[I]!]!  u: [U]  j: J  s: String }\n"
    "interface I { id: ID!  i: I }\n"
    "type A implements I { id: ID!  i: I  a(x: E): A!  l: [A]  n: Int!  s: String @deprecated }\n"
    "type B implements I { id: ID!  i: I  s: Int  e: E  es: [E!] }\n"
    "union U = A | B\n"
    "enum E { X Y Z }\n"
    "input In { a: Int = 1  b: [In!]  c: E!= Y  d: In  j: J }\n"
    "scalar J\n"
    "type Mutation { a: A  r: Int! }\n"
    "type Subscription { a: A  i: I! }\n";

struct calls {
    struct gql_call *later[LATER];
    size_t n;
    uint32_t count;
};

/* A value of whatever kind, right or wrong, that depends on how many were asked for before. */
static struct gql_value value_of(struct gql_call *call, uint32_t count)
{
    struct error err;
    struct gql_value v;

    switch (count % 11) {
    case 0:
        return gql_null();
    case 1:
        (void)error_set(&err, ERR_BUSY, "/x", "busy");
        return gql_error(call->execution, &err);
    case 2:
        return gql_i64((int64_t)count << (count % 40));
    case 3:
        return gql_str(STR("X"));
    default:
        break;
    }
    if (call->field->ref->wrap == GQL_NAMED || call->field->ref->of->wrap == GQL_NAMED)
        return gql_is_leaf(call->field->ref->type) ? gql_i64((int64_t)count)
                                                   : gql_object_of(count % 2 ? "A" : "B", call->execution);
    v = gql_list(call->execution, count % 4);
    for (size_t i = 0; v.kind == GQL_VALUE_LIST && i < v.list.n; i++)
        v.list.items[i] =
            count % 5 ? gql_object_of(i % 2 ? "A" : "B", call->execution) : gql_list(call->execution, i);
    return v;
}

static enum gql_progress resolve_now(struct gql_call *call)
{
    struct calls *c = call->context;

    for (size_t i = 0; i < call->n; i++)
        call->values[i] = value_of(call, c->count++);
    return GQL_ANSWERED;
}

static enum gql_progress resolve(struct gql_call *call)
{
    struct calls *c = call->context;

    MUST(call->n > 0 && json_is_object(call->arguments));
    if (c->count % 3 != 0 || c->n == LATER)
        return resolve_now(call);
    call->resume = resolve_now;
    c->later[c->n++] = call;
    return GQL_LATER;
}

static void wake(void *arg)
{
    (void)arg;
}

static const struct gql_schema *schema_once(void)
{
    static struct gql_schema *schema; /* built once a process */
    struct gql_schema_options options = {.otherwise = resolve};
    struct error err;

    if (!schema) {
        json_setup();
        MUST(gql_schema_new(STR(SDL), &options, &schema, &err) == ERR_NONE);
    }
    return schema;
}

static void execute(const struct gql_schema *s, const struct gql_document *d, const struct gql_operation *op,
                    struct gql_faults *faults)
{
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(json_free_p) json_t *variables = NULL;
    CLEANUP(json_free_p) json_t *read = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct calls calls = {0};
    struct gql_options options = {.schema = s,
                                  .document = d,
                                  .operation = op,
                                  .context = &calls,
                                  .wake = wake,
                                  .memory = MEMORY,
                                  .errors = 20};
    struct error err;

    if (!gql_coerce_variables(s, op, NULL, &variables, faults, &err))
        return;
    options.variables = variables;
    MUST(gql_execution_new(&options, &x, &err) == ERR_NONE);
    while (gql_execution_step(x) == GQL_WAITING) {
        MUST(calls.n > 0);
        while (calls.n > 0)
            gql_call_done(calls.later[--calls.n]);
    }
    buf_init(&out, ANSWER);
    gql_execution_write(x, &out);
    if (buf_ok(&out))
        MUST(json_parse(buf_str(&out), JSON_DEPTH_LIMIT, &read, &err) == ERR_NONE);
}

/* A text that is a schema: what is printed of it means the same. */
static void check_schema(struct str text)
{
    CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
    CLEANUP(gql_schema_free_p) struct gql_schema *again = NULL;
    CLEANUP(buf_done_p) struct buf first = {0};
    CLEANUP(buf_done_p) struct buf second = {0};
    struct gql_schema_options options = {.otherwise = resolve};
    struct error err = {0};

    if (gql_schema_new(text, &options, &s, &err)) {
        MUST(err.text[0] != '\0');
        return;
    }
    buf_init(&first, ANSWER);
    buf_init(&second, ANSWER);
    gql_schema_print(s, &first);
    MUST(gql_schema_new(buf_str(&first), &options, &again, &err) == ERR_NONE);
    gql_schema_print(again, &second);
    MUST(str_eq(buf_str(&first), buf_str(&second)));
}

static void check_fault(const struct gql_faults *faults, struct str text)
{
    const struct gql_fault *f = faults->first;

    MUST(faults->n == 1 && f->message.n > 0);
    if (f->n_places > 0)
        MUST(f->places[0].line >= 1 && f->places[0].line <= text.n + 1 && f->places[0].column >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    CLEANUP(arena_done_p) struct arena arena;
    const struct gql_schema *s = schema_once();
    struct str text = {(const char *)data, n};
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    struct gql_faults faults;
    const struct gql_document *d;

    arena_init(&arena, 4 * MEMORY);
    gql_faults_init(&faults, &arena, text, 10);
    d = gql_parse(text, &limits, &arena, &faults);
    if (!d) {
        if (arena_ok(&arena))
            check_fault(&faults, text);
        return 0;
    }
    if (d->n_definitions > 0)
        check_schema(text);
    if (!gql_validate(s, d, &GQL_LIMITS, &arena, &faults)) {
        MUST(faults.n > 0 || !arena_ok(&arena));
        return 0;
    }
    for (const struct gql_operation *op = d->operations; op && arena_ok(&arena); op = op->next)
        execute(s, d, op, &faults);
    return 0;
}
