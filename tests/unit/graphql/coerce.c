/* coerce.c: variables are made to fit their types, or refused with where they do not. */
#include "graphql/coerce.h"

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

/* Coerces `given` for an operation with these variables; the values as JSON, or the first message. */
static void coerced(const char *variables, const char *given, struct buf *out)
{
    CLEANUP(arena_done_p) struct arena a;
    CLEANUP(json_free_p) json_t *in = NULL;
    CLEANUP(json_free_p) json_t *values = NULL;
    CLEANUP(buf_done_p) struct buf text = {0};
    struct gql_faults faults;
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    const struct gql_document *d;
    struct error err = {0};

    arena_init(&a, TEST_MEMORY);
    gql_faults_init(&faults, &a, STR(""), 4);
    buf_init(&text, 4096);
    buf_addf(&text, "query(%s) { count }", variables);
    d = gql_parse(buf_str(&text), &limits, &a, &faults);
    assert_non_null(d);
    assert_int_equal(json_parse(str_of(given), 64, &in, &err), ERR_NONE);
    buf_clear(out);
    if (gql_coerce_variables(schema, d->operations, in, &values, &faults, &err)) {
        assert_int_equal(json_write(values, out, &err), ERR_NONE);
        return;
    }
    if (faults.n == 0 || faults.first->n_places != 1)
        fail_msg("%s, %s: %s", variables, given, err.text);
    buf_add(out, faults.first->message);
}

static const struct {
    const char *variables;
    const char *given;
    const char *is; /* JSON, or a piece of the message */
} CASES[] = {
    {"$a: Int", "{\"a\":1}", "{\"a\":1}"},
    {"$a: Int", "{\"a\":1.0}", "{\"a\":1}"},
    {"$a: Int", "{}", "{}"},
    {"$a: Int", "{\"a\":null}", "{\"a\":null}"},
    {"$a: Int = 5", "{}", "{\"a\":5}"},
    {"$a: Int = 5", "{\"a\":null}", "{\"a\":null}"},
    {"$a: Int!", "{}", "\"$a\" of the required type \"Int!\" was not given"},
    {"$a: Int!", "{\"a\":null}", "non-null type \"Int!\""},
    {"$a: Int", "{\"a\":1.5}", "32 bits"},
    {"$a: Int", "{\"a\":2147483648}", "32 bits"},
    {"$a: Int", "{\"a\":\"1\"}", "32 bits"},
    {"$a: Int", "{\"a\":true}", "32 bits"},
    {"$a: Float", "{\"a\":1}", "{\"a\":1.0}"},
    {"$a: Float", "{\"a\":\"1\"}", "finite number"},
    {"$a: String", "{\"a\":1}", "must be a string"},
    {"$a: Boolean", "{\"a\":0}", "true or false"},
    {"$a: ID", "{\"a\":7}", "{\"a\":\"7\"}"},
    {"$a: ID", "{\"a\":\"x\"}", "{\"a\":\"x\"}"},
    {"$a: ID", "{\"a\":1.5}", "an ID"},
    {"$a: Size", "{\"a\":\"SMALL\"}", "{\"a\":\"SMALL\"}"},
    {"$a: Size", "{\"a\":\"small\"}", "one of the values of the enum \"Size\""},
    {"$a: [Int!]", "{\"a\":3}", "{\"a\":[3]}"},
    {"$a: [[Int]]", "{\"a\":[1,[2,null]]}", "{\"a\":[[1],[2,null]]}"},
    {"$a: [Int!]", "{\"a\":[1,null]}", "at \"[1]\""},
    {"$a: Filter", "{\"a\":{\"text\":\"x\"}}", "{\"a\":{\"text\":\"x\",\"size\":\"SMALL\"}}"},
    {"$a: Filter", "{\"a\":{\"text\":\"x\",\"not\":{\"text\":\"y\",\"ids\":[1,[]]}}}", "at \".not.ids[1]\""},
    {"$a: Filter", "{\"a\":{}}", "\"text\" of type \"String!\" is missing"},
    {"$a: Filter", "{\"a\":{\"text\":\"x\",\"more\":1}}", "\"more\" is not defined"},
    {"$a: Filter", "{\"a\":[]}", "an object of type \"Filter\""},
    {"$a: Date", "{\"a\":{\"any\":[1,2.5,null]}}", "{\"a\":{\"any\":[1,2.5,null]}}"},
    {"$a: Date = {b: [1, C, \"d\", null, 1e3]}", "{}", "{\"a\":{\"b\":[1,\"C\",\"d\",null,1000.0]}}"},
};

static void variables_fit_their_types_or_are_refused(void **state)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    (void)state;
    buf_init(&out, 4096);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        coerced(CASES[i].variables, CASES[i].given, &out);
        if (CASES[i].is[0] == '{' ? strcmp(buf_cstr(&out), CASES[i].is) != 0
                                  : !strstr(buf_cstr(&out), CASES[i].is))
            fail_msg("%s, %s: %s", CASES[i].variables, CASES[i].given, buf_cstr(&out));
    }
}

static enum err upper_only(const json_t *in, json_t **ret, struct error *err)
{
    if (!json_is_string(in) || json_string_value(in)[0] < 'A' || json_string_value(in)[0] > 'Z')
        return error_set(err, ERR_INVALID, NULL, "it must be a text in capitals");
    *ret = json_incref((json_t *)in);
    return ERR_NONE;
}

static void a_custom_scalar_is_read_by_its_hook(void **state)
{
    static const struct gql_scalar scalars[] = {{"Date", upper_only, NULL}};
    struct gql_schema_options options = {.otherwise = gql_resolve_json, .scalars = scalars, .n_scalars = 1};
    CLEANUP(buf_done_p) struct buf out = {0};
    CLEANUP(gql_schema_free_p) struct gql_schema *hooked = NULL;
    struct gql_schema *kept = schema;
    struct error err = {0};

    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(gql_schema_new(STR(TEST_SDL), &options, &hooked, &err), ERR_NONE);
    schema = hooked;
    coerced("$a: Date", "{\"a\":\"ABC\"}", &out);
    assert_string_equal(buf_cstr(&out), "{\"a\":\"ABC\"}");
    coerced("$a: [Date]", "{\"a\":[\"ABC\",\"x\"]}", &out);
    assert_non_null(strstr(buf_cstr(&out), "at \"[1]\": it must be a text in capitals"));
    schema = kept;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_fit_their_types_or_are_refused),
        cmocka_unit_test(a_custom_scalar_is_read_by_its_hook),
    };

    return cmocka_run_group_tests(tests, open_schema, close_schema);
}
