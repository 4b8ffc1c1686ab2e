/* memory.c: each allocation may fail: the request is refused, nothing leaks, nothing stops. */
#include "base/alloc.h"
#include "graphql/coerce.h"
#include "graphql_test.h"

static const char TEXT[] =
    "query($f: Filter = {text: \"x\", ids: [1, 2]}, $n: Int = 3) { a: find(filter: $f, list: [1, $n]) "
    "animals { "
    "__typename name "
    "... on Dog { owner { ...H } } } } fragment H on Human { id pets(first: 3) { ... on Cat { meows } } }";

/* A whole request; true: it came to its end and is right. */
static bool request(const struct gql_schema *s, const json_t *data)
{
    CLEANUP(arena_done_p) struct arena a;
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(json_free_p) json_t *variables = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct gql_faults faults;
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    struct gql_options options = {.schema = s, .root = data, .memory = TEST_MEMORY, .errors = 10};
    struct error err = {0};

    arena_init(&a, TEST_MEMORY);
    gql_faults_init(&faults, &a, STR(""), 10);
    options.document = gql_parse(STR(TEXT), &limits, &a, &faults);
    if (!options.document || !gql_validate(s, options.document, &GQL_LIMITS, &a, &faults))
        return false;
    options.operation = options.document->operations;
    if (!gql_coerce_variables(s, options.operation, NULL, &variables, &faults, &err))
        return false;
    options.variables = variables;
    if (gql_execution_new(&options, &x, &err))
        return false;
    assert_int_equal(gql_execution_step(x), GQL_DONE);
    buf_init(&out, TEST_TEXT);
    gql_execution_write(x, &out);
    return buf_ok(&out) &&
           strcmp(buf_cstr(&out), "{\"data\":{\"a\":\"found\",\"animals\":[{\"__typename\":\"Dog\",\"name\":"
                                  "\"Rex\",\"owner\":{\"id\":\"1\",\"pets\":[{\"meows\":3}]}}]}}") == 0;
}

static void every_allocation_of_a_request_may_fail(void **state)
{
    CLEANUP(gql_schema_free_p) struct gql_schema *s = test_schema(gql_resolve_json);
    CLEANUP(json_free_p) json_t *data = NULL;
    struct error err = {0};
    bool whole = false;
    uint64_t nth;

    (void)state;
    assert_int_equal(
        json_parse(STR("{\"find\":\"found\",\"animals\":[{\"__typename\":\"Dog\",\"name\":\"Rex\",\"owner\":{"
                       "\"id\":1,\"pets\":[{\"__typename\":\"Cat\",\"meows\":3}]}}]}"),
                   64, &data, &err),
        ERR_NONE);
    assert_true(request(s, data));
    for (nth = 1; !whole && nth < 10000; nth++) {
        alloc_test_fail_nth(nth);
        whole = request(s, data);
        alloc_test_fail_nth(0);
    }
    assert_true(whole && nth > 20);
}

static void every_allocation_of_a_schema_may_fail(void **state)
{
    bool built = false;
    uint64_t nth;

    (void)state;
    for (nth = 1; !built && nth < 10000; nth++) {
        CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
        struct gql_schema_options options = {.otherwise = gql_resolve_json};
        struct error err = {0};

        alloc_test_fail_nth(nth);
        built = gql_schema_new(STR(TEST_SDL), &options, &s, &err) == ERR_NONE;
        alloc_test_fail_nth(0);
        assert_true(built || err.code == ERR_MEMORY);
    }
    assert_true(built && nth > 5);
}

static int hook(void **state)
{
    (void)state;
    json_setup(); /* jansson's memory too */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_a_request_may_fail),
        cmocka_unit_test(every_allocation_of_a_schema_may_fail),
    };

    return cmocka_run_group_tests(tests, hook, NULL);
}
