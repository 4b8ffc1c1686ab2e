/* limits.c: what is too large is refused with a clear word, and hostile documents take bounded work. */
#include "graphql/validate.h"

#include <time.h>

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

/* Validates a text; *ret_first: the first message, cut. True: valid. */
static bool is_valid(struct str text, const struct gql_limits *limits, char ret_first[256])
{
    CLEANUP(arena_done_p) struct arena a;
    struct gql_faults faults;
    struct gql_parse_limits parse = GQL_PARSE_LIMITS;
    const struct gql_document *d;
    bool valid;

    arena_init(&a, TEST_MEMORY);
    gql_faults_init(&faults, &a, STR(""), 1);
    d = gql_parse(text, &parse, &a, &faults);
    if (!d)
        fail_msg("%s", faults.first->message.p);
    valid = gql_validate(schema, d, limits, &a, &faults);
    if (!arena_ok(&a))
        fail_msg("the arena is full");
    (void)snprintf(ret_first, 256, "%s", valid ? "" : faults.first->message.p);
    return valid;
}

static void assert_limit(const char *text, struct gql_limits enough, struct gql_limits short_of_one,
                         const char *says)
{
    char first[256];

    if (!is_valid(str_of(text), &enough, first))
        fail_msg("%s: %s", text, first);
    assert_false(is_valid(str_of(text), &short_of_one, first));
    if (!strstr(first, says))
        fail_msg("%s: %s", text, first);
}

static void depth_fields_aliases_and_introspection_are_counted_through_fragments(void **state)
{
    static const char text[] =
        "{ a: dog { ...F } b: dog { ...F } } fragment F on Dog { owner { c: id ...G } } "
        "fragment G on Human { name pets { __typename } }";
    static const char lists[] = "{ __schema { types { fields { type { ...T } } } } } fragment T on __Type { "
                                "interfaces { name } }";
    struct gql_limits l = {
        .depth = 4, .fields = 12, .aliases = 4, .introspection = 2, .merge_steps = 1000, .errors = 9};

    (void)state;
#define LESS(member)                                                                                         \
    ((struct gql_limits){.depth = l.depth - ((member) == 1),                                                 \
                         .fields = l.fields - ((member) == 2),                                               \
                         .aliases = l.aliases - ((member) == 3),                                             \
                         .introspection = l.introspection - ((member) == 4),                                 \
                         .merge_steps = l.merge_steps,                                                       \
                         .errors = l.errors})
    assert_limit(text, l, LESS(1), "more than 3 levels of fields within fields");
    assert_limit(text, l, LESS(2), "more than 11 fields, fragments included");
    assert_limit(text, l, LESS(3), "more than 3 aliases");
    l.depth = 6;
    assert_limit(lists, l, LESS(4), "more than 1 lists of introspection");
}

/* Each of these grew in graphql-js or elsewhere until it was stopped. What bounds it here: a limit, or
 * nothing need be done. */
static void assert_quick(struct str text, const char *says)
{
    struct timespec start;
    struct timespec end;
    char first[256];
    bool valid;
    int64_t ms;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    valid = is_valid(text, &GQL_LIMITS, first);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    if (says ? valid || !strstr(first, says) : !valid)
        fail_msg("%.60s...: %s", text.p, first);
    /* milliseconds in a release build; here under sanitizers, and beside other tests */
    if (ms > 2000)
        fail_msg("%.60s... took %lld ms", text.p, (long long)ms);
}

static void repeated(const char *before, const char *unit, size_t n, const char *after, struct buf *out)
{
    buf_clear(out);
    buf_add_cstr(out, before);
    for (size_t i = 0; i < n; i++)
        buf_add_cstr(out, unit);
    buf_add_cstr(out, after);
}

static void hostile_documents_take_bounded_work(void **state)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    (void)state;
    buf_init(&text, TEST_TEXT);
    /* the same field over and over, which compared by pairs is quadratic */
    repeated("{", " dog { name }", 1900 / 2, "}", &text);
    assert_quick(buf_str(&text), NULL);
    repeated("{", " dog { name }", 1900, "}", &text);
    assert_quick(buf_str(&text), "more than 2000 fields");
    /* fragments that double at each step: 2^60 fields */
    buf_clear(&text);
    buf_add_cstr(&text, "{ dog { ...F0 } } fragment F60 on Dog { name }");
    for (int i = 0; i < 60; i++)
        buf_addf(&text, " fragment F%d on Dog { ...F%d ...F%d }", i, i + 1, i + 1);
    assert_quick(buf_str(&text), "more than 2000 fields");
    /* a chain of fragments as long as the tokens allow */
    buf_clear(&text);
    buf_add_cstr(&text, "{ dog { ...F0 } }");
    for (int i = 0; i < 1200; i++)
        buf_addf(&text, " fragment F%d on Dog { ...F%d }", i, i + 1);
    buf_add_cstr(&text, " fragment F1200 on Dog { name }");
    assert_quick(buf_str(&text), NULL);
    /* a circle as long */
    repeated(buf_cstr(&text), "", 0, "", &text);
    buf_clear(&text);
    buf_add_cstr(&text, "{ dog { ...F0 } }");
    for (int i = 0; i < 1200; i++)
        buf_addf(&text, " fragment F%d on Dog { ...F%d }", i, (i + 1) % 1200);
    assert_quick(buf_str(&text), "circle");
    /* many operations that each reach many uses of a variable */
    buf_clear(&text);
    for (int i = 0; i < 300; i++)
        buf_addf(&text, " query Q%d($a: Boolean!) { ...F }", i);
    buf_add_cstr(&text, " fragment F on Query {");
    for (int i = 0; i < 500; i++)
        buf_add_cstr(&text, " count @skip(if: $a)");
    buf_add_cstr(&text, "}");
    assert_quick(buf_str(&text), "comparisons");
    repeated("{ count", " @many", 4900, "}", &text);
    assert_quick(buf_str(&text), NULL);
    repeated("{ find(filter: {text: \"\"}, list: [", "1 ", 9900, "]) }", &text);
    assert_quick(buf_str(&text), NULL);
}

/* Fields of interfaces take part in the group of each object type, level by level. */
static void nested_abstract_fields_end_at_the_limit_of_comparisons(void **state)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(gql_schema_free_p) struct gql_schema *wide = NULL;
    struct gql_schema *kept = schema;
    struct gql_schema_options options = {.otherwise = gql_resolve_json};
    struct gql_limits few = GQL_LIMITS;
    struct error err = {0};
    char first[256];

    (void)state;
    buf_init(&text, TEST_TEXT);
    buf_add_cstr(&text, "type Query { n: N } interface N { n: N }");
    for (int i = 0; i < 12; i++)
        buf_addf(&text, " type T%d implements N { n: N }", i);
    assert_int_equal(gql_schema_new(buf_str(&text), &options, &wide, &err), ERR_NONE);
    buf_clear(&text);
    buf_add_cstr(&text, "{ n {");
    for (int depth = 0; depth < 10; depth++) {
        for (int i = 0; i < 12; i++)
            buf_addf(&text, "... on T%d { n { __typename } }", i);
        buf_add_cstr(&text, " n {");
    }
    buf_add_cstr(&text, "__typename");
    for (int depth = 0; depth < 12; depth++)
        buf_add_cstr(&text, "}");
    schema = wide;
    assert_false(is_valid(buf_str(&text), &few, first));
    schema = kept;
    assert_non_null(strstr(first, "comparisons"));
}

static uint64_t page(const struct gql_field *field, const json_t *arguments, void *arg)
{
    (void)arg;
    if (!str_eq(field->name, STR("pets")) || field->arguments.n == 0)
        return 1;
    return arguments && json_is_integer(json_object_get(arguments, "first"))
               ? (uint64_t)json_integer_value(json_object_get(arguments, "first"))
               : 100;
}

static uint64_t cost(const char *text, json_t *variables)
{
    CLEANUP(arena_done_p) struct arena a;
    struct gql_faults faults;
    struct gql_parse_limits parse = GQL_PARSE_LIMITS;
    struct gql_options options = {.schema = schema, .variables = variables, .memory = TEST_MEMORY};
    struct error err = {0};
    uint64_t n = 0;

    arena_init(&a, TEST_MEMORY);
    gql_faults_init(&faults, &a, STR(""), 1);
    options.document = gql_parse(str_of(text), &parse, &a, &faults);
    assert_non_null(options.document);
    assert_true(gql_validate(schema, options.document, &GQL_LIMITS, &a, &faults));
    options.operation = options.document->operations;
    assert_int_equal(gql_complexity(&options, page, NULL, &n, &err), ERR_NONE);
    return n;
}

static void complexity_multiplies_by_the_sizes_of_pages(void **state)
{
    CLEANUP(json_free_p) json_t *variables = json_pack("{s:i}", "n", 7);

    (void)state;
    assert_int_equal(cost("{ count dog { name nick } }", NULL), 4);
    assert_int_equal(cost("{ human(id: 1) { pets { __typename } } }", NULL), 1 + 1 + 100);
    assert_int_equal(
        cost("{ human(id: 1) { pets(first: 3) { ... on Dog { owner { pets(first: 5) { __typename } } } } } }",
             NULL),
        1 + 1 + 3 * (1 + 1 + 5));
    assert_int_equal(
        cost("query($n: Int) { human(id: 1) { ...F } } fragment F on Human { pets(first: $n) { ...G ...G } } "
             "fragment G on Pet { __typename }",
             variables),
        1 + 1 + 7 * 2);
    /* sums stop, they do not begin anew */
    assert_true(
        cost(
            "{human(id:1){pets(first:2147483647){...on Dog{owner{pets(first:2147483647){...on Dog{owner{pets("
            "first:2147483647){__typename}}}}}}}}}",
            NULL) == UINT64_MAX);
}

static void an_operation_over_its_limit_is_refused(void **state)
{
    CLEANUP(arena_done_p) struct arena a;
    struct gql_faults faults;
    struct gql_parse_limits parse = GQL_PARSE_LIMITS;
    struct gql_options options = {.schema = schema, .memory = TEST_MEMORY};
    struct error err = {0};

    (void)state;
    arena_init(&a, TEST_MEMORY);
    gql_faults_init(&faults, &a, STR(""), 1);
    options.document = gql_parse(STR("{ human(id: 1) { pets { __typename } } }"), &parse, &a, &faults);
    assert_non_null(options.document);
    assert_true(gql_validate(schema, options.document, &GQL_LIMITS, &a, &faults));
    options.operation = options.document->operations;
    assert_true(gql_is_affordable(&options, page, NULL, 102, &faults, &err));
    assert_false(gql_is_affordable(&options, page, NULL, 101, &faults, &err));
    assert_int_equal(faults.n, 1);
    assert_non_null(strstr(faults.first->message.p, "102 fields, of which 101 are allowed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_fields_aliases_and_introspection_are_counted_through_fragments),
        cmocka_unit_test(hostile_documents_take_bounded_work),
        cmocka_unit_test(nested_abstract_fields_end_at_the_limit_of_comparisons),
        cmocka_unit_test(complexity_multiplies_by_the_sizes_of_pages),
        cmocka_unit_test(an_operation_over_its_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, open_schema, close_schema);
}
