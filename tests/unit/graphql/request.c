/* request.c: a request is refused at the stage where it fails, or ready to be executed. */
#include "graphql/request.h"

#include "graphql_test.h"

static struct gql_schema *schema;

static int open_schema(void **state)
{
    (void)state;
    schema = test_schema(gql_resolve_json);
    return 0;
}

static int close_schema(void **state)
{
    (void)state;
    gql_schema_free(schema);
    return 0;
}

static uint64_t ten(const struct gql_field *field, const json_t *arguments, void *arg)
{
    (void)arguments;
    (void)arg;
    return field->ref->wrap == GQL_LIST ? 10 : 1;
}

static const struct {
    const char *text;
    const char *name;
    const char *variables;
    enum gql_stage stage;
    const char *says;
} CASES[] = {
    {"{ count", "", NULL, GQL_STAGE_PARSE, "found the end"},
    {"{ cow }", "", NULL, GQL_STAGE_VALIDATE, "no field \"cow\""},
    {"query A { count } query B { count }", "", NULL, GQL_STAGE_OPERATION, "name the one"},
    {"query A { count }", "B", NULL, GQL_STAGE_OPERATION, "named \"B\""},
    {"query($a: Boolean!) { count @skip(if: $a) }", "", "{}", GQL_STAGE_VARIABLES, "was not given"},
    {"query($a: Boolean!) { count @skip(if: $a) }", "", "[true]", GQL_STAGE_VARIABLES, "must be an object"},
    {"{ animals { name a: name } }", "", NULL, GQL_STAGE_COST, "21 fields, of which 20"},
    {"{ animals { name } }", "", NULL, GQL_STAGE_READY, NULL},
    {"query A { count } query B { count }", "B", "null", GQL_STAGE_READY, NULL},
    {"query($a: Boolean!) { count @skip(if: $a) }", "", "{\"a\":true}", GQL_STAGE_READY, NULL},
};

static void a_request_is_refused_where_it_fails(void **state)
{
    struct gql_request_options options = GQL_REQUEST_OPTIONS(schema);

    (void)state;
    options.size = ten;
    options.cost = 20;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        CLEANUP(gql_request_done_p) struct gql_request r;
        CLEANUP(json_free_p) json_t *variables = NULL;
        CLEANUP(buf_done_p) struct buf out = {0};
        struct error err = {0};
        enum err e;

        if (CASES[i].variables)
            assert_int_equal(json_parse(str_of(CASES[i].variables), 8, &variables, &err), ERR_NONE);
        e = gql_request_init(&r, &options, str_of(CASES[i].text), str_of(CASES[i].name), variables, &err);
        assert_int_equal(e, CASES[i].says ? ERR_INVALID : ERR_NONE);
        assert_int_equal(r.stage, CASES[i].stage);
        if (!CASES[i].says)
            continue;
        buf_init(&out, TEST_TEXT);
        gql_request_write_faults(&r, &out);
        if (!strstr(r.faults.first->message.p, CASES[i].says) ||
            !str_starts(buf_str(&out), STR("{\"errors\":[{\"message\":\"")))
            fail_msg("%s: %s", CASES[i].text, buf_cstr(&out));
    }
}

static void a_request_that_is_too_large_is_told_apart(void **state)
{
    struct gql_request_options options = GQL_REQUEST_OPTIONS(schema);

    (void)state;
    for (options.memory = 0; options.memory < 1000; options.memory += 100) {
        CLEANUP(gql_request_done_p) struct gql_request r;
        struct error err = {0};

        assert_int_equal(gql_request_init(&r, &options, STR("{ animals { name } }"), STR(""), NULL, &err),
                         ERR_TOO_LARGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_refused_where_it_fails),
        cmocka_unit_test(a_request_that_is_too_large_is_told_apart),
    };

    return cmocka_run_group_tests(tests, open_schema, close_schema);
}
