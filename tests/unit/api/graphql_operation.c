/* graphql_operation.c: from the parameters of a request to an operation, and what it may cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/graphql/operation.h"
#include "api/graphql/subscription.h"
#include "base/alloc.h"
#include "base/str.h"

static const char sdl[] =
    "type Query { a: Int things(first: Int = 100): Things  many(items: [Int!]!): [Thing!]! one(items: "
    "[Int!]): Thing }\n"
    "type Things { nodes: [Thing!]! }\n"
    "type Thing { id: Int things(first: Int = 100): Things }\n"
    "type Mutation { a: Int b: Int }\n"
    "type Subscription { events(scheduleId: ID, kinds: [String!], client: Client): Int }\n"
    "input Client { key: String type: String }\n";
static struct gql_schema *schema;

static struct gql_request_options options_of(uint64_t cost)
{
    struct gql_request_options o = GQL_REQUEST_OPTIONS(schema);

    o.size = operation_size_of;
    o.cost = cost;
    return o;
}

static json_t *json(const char *text)
{
    json_t *v = NULL;
    struct error err;
    char copy[4096];

    (void)strncpy(copy, text, sizeof(copy) - 1);
    copy[sizeof(copy) - 1] = '\0';
    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    if (json_parse(str_of(copy), 64, &v, &err))
        fail_msg("%s: %s", err.where, err.text);
    return v;
}

static enum err make(const char *params, uint64_t cost, struct operation **ret, struct error *err)
{
    struct gql_request_options o = options_of(cost);

    *ret = NULL;
    return operation_new(json(params), &o, ret, err);
}

static void assert_refused(const char *params, const char *why)
{
    struct operation *o;
    struct error err = {0};

    assert_int_equal(make(params, 1000, &o, &err), ERR_INVALID);
    assert_null(o);
    assert_non_null(strstr(err.text, why));
}

static void parameters_must_be_of_their_types(void **state)
{
    (void)state;
    assert_refused("[]", "must be a JSON object");
    assert_refused("[{'query':'{a}'}]", "batches");
    assert_refused("'x'", "must be a JSON object");
    assert_refused("{}", "\"query\" is missing");
    assert_refused("{'query':null}", "\"query\" is missing");
    assert_refused("{'query':1}", "\"query\" must be a string");
    assert_refused("{'query':'{a}','operationName':[]}", "\"operationName\" must be a string");
    assert_refused("{'query':'{a}','variables':'{}'}", "\"variables\" must be an object");
    assert_refused("{'query':'{a}','extensions':1}", "\"extensions\" must be an object");
}

static void null_is_as_absent_and_unknown_members_are_nobodys_business(void **state)
{
    struct operation *o;
    struct error err = {0};

    (void)state;
    assert_int_equal(make("{'query':'{a}','operationName':null,'variables':null,'extensions':null,'id':7}",
                          1000, &o, &err),
                     ERR_NONE);
    assert_int_equal(operation_kind(o), GQL_QUERY);
    operation_free(o);
}

static void a_document_that_is_refused_is_there_to_say_why(void **state)
{
    struct operation *o;
    struct error err = {0};

    (void)state;
    assert_int_equal(make("{'query':'{ nothing }'}", 1000, &o, &err), ERR_INVALID);
    assert_non_null(o);
    assert_int_equal(o->request.stage, GQL_STAGE_VALIDATE);
    assert_int_equal(o->request.faults.n, 1);
    operation_free(o);
}

static void assert_roots(const char *params, size_t n)
{
    struct operation *o;
    struct error err = {0};

    assert_int_equal(make(params, 1000, &o, &err), ERR_NONE);
    assert_int_equal(o->roots, n);
    operation_free(o);
}

static void root_fields_are_counted_through_fragments_each_once(void **state)
{
    (void)state;
    assert_roots("{'query':'{ a }'}", 1);
    assert_roots("{'query':'mutation { a b c: a }'}", 3);
    assert_roots("{'query':'mutation { ...F ... on Mutation { b ...F } } fragment F on Mutation { a }'}", 2);
    assert_roots(
        "{'query':'mutation { ...F } fragment F on Mutation { a ...G } fragment G on Mutation { b }'}", 2);
    assert_roots("{'query':'query A { a } mutation B { a b }','operationName':'B'}", 2);
}

static uint64_t cost_of(const char *params)
{
    struct operation *o;
    struct error err = {0};
    uint64_t low = 0;
    uint64_t high = 1 << 24;

    while (high - low > 1) {
        uint64_t cost = (low + high) / 2;
        enum err e = make(params, cost, &o, &err);

        if (e)
            assert_int_equal(o->request.stage, GQL_STAGE_COST);
        operation_free(o);
        if (e)
            low = cost;
        else
            high = cost;
    }
    return high;
}

static void the_cost_is_the_fields_times_the_pages_they_lie_in(void **state)
{
    (void)state;
    assert_int_equal(cost_of("{'query':'{ a }'}"), 1);
    assert_int_equal(cost_of("{'query':'{ things(first: 7) { nodes { id } } }'}"), 1 + 7 * 2);
    assert_int_equal(cost_of("{'query':'{ things { nodes { id } } }'}"), 1 + 100 * 2);
    assert_int_equal(
        cost_of("{'query':'query($n: Int) { things(first: $n) { nodes { id } } }','variables':{'n':5}}"),
        1 + 5 * 2);
    /* What is refused later is not taken for more than it could be. */
    assert_int_equal(cost_of("{'query':'{ things(first: 100000) { nodes { id } } }'}"), 1 + 1000 * 2);
    assert_int_equal(cost_of("{'query':'{ things(first: -5) { nodes { id } } }'}"), 1 + 2);
    assert_int_equal(cost_of("{'query':'{ things(first: null) { nodes { id } } }'}"), 1 + 100 * 2);
    assert_int_equal(
        cost_of("{'query':'{ things(first: 10) { nodes { things(first: 20) { nodes { id } } } } }'}"),
        1 + 10 * (1 + 1 + 20 * 2));
    assert_int_equal(cost_of("{'query':'{ many(items: [1, 2, 3]) { id } }'}"), 1 + 3);
    assert_int_equal(cost_of("{'query':'{ one(items: [1, 2, 3]) { id } }'}"), 1 + 1);
}

static void assert_filter(const char *arguments, const char *why)
{
    json_t *a = json(arguments);
    struct stream_filter f;
    struct error err = {0};

    assert_int_equal(subscription_filter(a, &f, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, why));
    json_free(a);
}

static void the_arguments_of_a_subscription_are_its_filter(void **state)
{
    struct operation *o;
    json_t *arguments = NULL;
    struct stream_filter f;
    struct error err = {0};

    (void)state;
    assert_int_equal(
        make("{'query':'subscription($k: [String!]) { ...F } fragment F on Subscription { events(kinds: "
             "$k, client: {key: \\'x\\'}, scheduleId: \\'01a209c9-9b81-79c2-b6a2-3fa575ece60e\\') "
             "}','variables':{'k':['SUCCEEDED','ATTEMPT_FAILED']}}",
             1000, &o, &err),
        ERR_NONE);
    assert_int_equal(operation_arguments(o, schema, &arguments, &err), ERR_NONE);
    assert_int_equal(subscription_filter(arguments, &f, &err), ERR_NONE);
    assert_int_equal(f.kinds, 1U << EVENT_SUCCEEDED | 1U << EVENT_ATTEMPT_FAILED);
    assert_true(str_eq(f.key, STR("x")) && !f.type.p && !f.application.p);
    assert_false(uuid_is_nil(f.schedule_id));
    json_free(arguments);
    operation_free(o);
    assert_filter("{'scheduleId':'x'}", "scheduleId");
    assert_filter("{'kinds':[]}", "empty");
    assert_filter("{'kinds':['WHAT']}", "no kind");
}

/* Whichever allocation fails, the request is refused as a whole and nothing leaks. */
static void without_memory_there_is_no_operation(void **state)
{
    static const char params[] =
        "{'query':'query($n: Int) { things(first: $n) { ...F } } fragment F on Things { nodes { id } }',"
        "'variables':{'n':5},'operationName':null}";
    struct gql_request_options o = options_of(1000);
    enum err e = ERR_MEMORY;
    size_t failed = 0;

    (void)state;
    for (uint64_t n = 1; e; n++) {
        json_t *taken = json(params);
        struct operation *made = NULL;
        struct error err = {0};

        alloc_test_fail_nth(n);
        e = operation_new(taken, &o, &made, &err);
        alloc_test_fail_nth(0);
        if (e) {
            assert_int_equal(e, ERR_MEMORY);
            assert_null(made);
            failed++;
        }
        operation_free(made);
    }
    assert_true(failed > 3);
}

static int build_schema(void **state)
{
    const struct gql_schema_options options = {.otherwise = gql_resolve_json};
    struct error err;

    (void)state;
    json_setup();
    return gql_schema_new(STR(sdl), &options, &schema, &err) != ERR_NONE;
}

static int drop_schema(void **state)
{
    (void)state;
    gql_schema_free(schema);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_must_be_of_their_types),
        cmocka_unit_test(null_is_as_absent_and_unknown_members_are_nobodys_business),
        cmocka_unit_test(a_document_that_is_refused_is_there_to_say_why),
        cmocka_unit_test(root_fields_are_counted_through_fragments_each_once),
        cmocka_unit_test(the_cost_is_the_fields_times_the_pages_they_lie_in),
        cmocka_unit_test(the_arguments_of_a_subscription_are_its_filter),
        cmocka_unit_test(without_memory_there_is_no_operation),
    };

    return cmocka_run_group_tests(tests, build_schema, drop_schema);
}
