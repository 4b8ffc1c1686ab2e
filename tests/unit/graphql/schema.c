/* schema.c: a schema is built from its text, refused with the place of the mistake, and printed again. */
#include "graphql/schema.h"

#include "graphql_test.h"

static enum err build(const char *sdl, const struct gql_schema_options *options, struct gql_schema **ret,
                      struct error *err)
{
    static const struct gql_schema_options json = {.otherwise = gql_resolve_json};

    return gql_schema_new(str_of(sdl), options ? options : &json, ret, err);
}

static const struct {
    const char *sdl;
    const char *where;
    const char *says;
} WRONG[] = {
    {"type Query {", "1:13", "expected a name"},
    {"type Other { a: Int }", "1:1", "no query type"},
    {"type Query { a: Missing }", "1:17", "no type \"Missing\""},
    {"type Query { a: Int, a: Int }", "1:22", "twice"},
    {"type Query { a: Int } type Query { a: Int }", "1:28", "there already"},
    {"type Query { a: Int }\ntype __Mine { a: Int }", "2:6", "reserved"},
    {"type Query { __a: Int }", "1:14", "reserved"},
    {"type Query", "1:1", "no fields"},
    {"type Query { a: In } input In { b: Int }", "1:17", "no type of output"},
    {"type Query { a(b: Query): Int }", "1:19", "no type of input"},
    {"type Query { a(b: Int = \"x\"): Int }", "", "Query.a(b)"},
    {"type Query { a: Int } input A { b: B! } input B { a: A! }", "", "without end"},
    {"type Query { a(b: A): Int } input A { b: A = {} }", "", "without end"},
    {"type Query implements I { a: Int } interface I { b: Int }", "", "has not"},
    {"type Query implements I { a: Int } interface I { a: String }", "", "its type is not"},
    {"type Query implements I { a(b: Int!): Int } interface I { a: Int }", "", "requires an argument"},
    {"type Query implements I { a: Int } interface I { a(b: Int): Int }", "", "arguments"},
    {"type Query implements Query { a: Int }", "1:23", "no interface"},
    {"type Query { a: Int } union U = Query | I interface I { a: Int }", "1:41", "no object"},
    {"type Query { a: Int } union U", "1:23", "no members"},
    {"type Query { a: Int } enum E", "1:23", "no values"},
    {"type Query { a: Int } enum E { A A }", "1:34", "twice"},
    {"schema { query: Int } type Query { a: Int }", "1:17", "no object type"},
    {"extend type Query { a: Int }", "1:1", "extensions"},
    {"{ a }", "", "no operations"},
    {"type Query @lost { a: Int }", "1:12", "no meaning"},
};

static void a_mistake_is_named_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
        struct error err = {0};

        if (build(WRONG[i].sdl, NULL, &s, &err) == ERR_NONE || strcmp(err.where, WRONG[i].where) != 0 ||
            !strstr(err.text, WRONG[i].says))
            fail_msg("%s: \"%s\" %s", WRONG[i].sdl, err.where, err.text);
    }
}

static void a_field_that_nothing_answers_is_refused(void **state)
{
    CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
    static const struct gql_binding bindings[] = {{"Query", "a", gql_resolve_json}};
    static const struct gql_binding wrong[] = {{"Query", "c", gql_resolve_json}};
    struct error err = {0};

    (void)state;
    assert_int_equal(build("type Query { a: Int, b: Int }",
                           &(struct gql_schema_options){.bindings = bindings, .n_bindings = 1}, &s, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.text, "Query.b"));
    assert_int_equal(build("type Query { a: Int }",
                           &(struct gql_schema_options){.bindings = wrong, .n_bindings = 1}, &s, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.text, "Query.c"));
    assert_int_equal(build("type Query { a: Int }",
                           &(struct gql_schema_options){.bindings = bindings, .n_bindings = 1}, &s, &err),
                     ERR_NONE);
}

static void assert_printed(const char *sdl)
{
    CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};

    buf_init(&out, TEST_TEXT);
    if (build(sdl, NULL, &s, &err))
        fail_msg("%s: %s: %s", sdl, err.where, err.text);
    gql_schema_print(s, &out);
    assert_string_equal(buf_cstr(&out), sdl);
}

static void a_canonical_text_is_printed_as_it_was(void **state)
{
    (void)state;
    assert_printed("type Query {\n  a: Int\n}");
    assert_printed(
        "\"\"\"What\"\"\"\nschema {\n  query: Root\n  subscription: Events\n}\n\n"
        "directive @d(\n  \"\"\"Why\"\"\"\n  a: Int! = 1\n) repeatable on FIELD | QUERY\n\n"
        "type Root implements I & J {\n  \"\"\"One\"\"\"\n  a(b: [Int!] = [1, 2], c: In = {x: 1.5, e: A}): "
        "Int!\n\n  \"\"\"Two\"\"\"\n  b(\n    \"\"\"Arg\"\"\"\n    c: ID = 7\n\n    \"\"\"Other\"\"\"\n    "
        "d: String = \"x\\\"\\n\"\n  ): [[U!]]! @deprecated\n}\n\n"
        "interface I implements J {\n  a(b: [Int!], c: In): Int!\n}\n\ninterface J {\n  a(b: [Int!], c: In): "
        "Int!\n}\n\ntype Events {\n  e: E @deprecated(reason: \"because\")\n}\n\nunion U = Root | Events\n\n"
        "\"\"\"\nLines\n  and \\\"\"\" more\n\"\"\"\nenum E {\n  A\n  B @deprecated\n}\n\n"
        "input In {\n  x: Float\n  e: E! = A\n}\n\nscalar S @specifiedBy(url: \"u\")");
}

static void defaults_are_told_whole(void **state)
{
    CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};

    (void)state;
    buf_init(&out, TEST_TEXT);
    assert_int_equal(
        build("type Query { a(b: In = {y: [1]}): Int } input In { x: Int = 3, y: [Float!], z: String }", NULL,
              &s, &err),
        ERR_NONE);
    gql_schema_print(s, &out);
    assert_non_null(strstr(buf_cstr(&out), "a(b: In = {x: 3, y: [1]}): Int"));
}

static void a_scalar_that_nothing_uses_is_not_part_of_it(void **state)
{
    CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(build("type Query { a: Int }", NULL, &s, &err), ERR_NONE);
    assert_non_null(gql_schema_type(s, STR("Int")));
    assert_non_null(gql_schema_type(s, STR("Boolean"))); /* introspection needs it */
    assert_null(gql_schema_type(s, STR("Float")));
    assert_null(gql_schema_type(s, STR("ID")));
    assert_null(gql_schema_type(s, STR("__Meta")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_is_named_with_its_place),
        cmocka_unit_test(a_field_that_nothing_answers_is_refused),
        cmocka_unit_test(a_canonical_text_is_printed_as_it_was),
        cmocka_unit_test(defaults_are_told_whole),
        cmocka_unit_test(a_scalar_that_nothing_uses_is_not_part_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
