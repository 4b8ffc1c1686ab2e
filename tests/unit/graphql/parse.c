/* parse.c: what is a document, where the mistake is when it is none, and how much is too much. */
#include "graphql/parse.h"

#include "graphql_test.h"

static const struct gql_document *parse_with(struct arena *a, struct gql_faults *faults, struct str text,
                                             const struct gql_parse_limits *limits)
{
    arena_init(a, TEST_MEMORY);
    gql_faults_init(faults, a, text, 4);
    return gql_parse(text, limits, a, faults);
}

static const struct gql_literal *argument_of(const struct gql_document *d)
{
    return d->operations->set->first->arguments->value;
}

/* The value of the argument in "{a(b: ...)}". */
static void assert_string(const char *written, struct str meant)
{
    CLEANUP(arena_done_p) struct arena a;
    CLEANUP(buf_done_p) struct buf text = {0};
    struct gql_faults faults;
    const struct gql_document *d;
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;

    buf_init(&text, 4096);
    buf_addf(&text, "{a(b: %s)}", written);
    d = parse_with(&a, &faults, buf_str(&text), &limits);
    if (!d)
        fail_msg("%s: %s", written, faults.first->message.p);
    assert_int_equal(argument_of(d)->kind, GQL_LIT_STRING);
    assert_true(str_eq(argument_of(d)->text, meant));
}

static void strings_mean_what_their_escapes_say(void **state)
{
    (void)state;
    assert_string("\"\"", STR(""));
    assert_string("\"a\\n\\t\\\"\\\\\\/\\b\\f\\r\"", STR("a\n\t\"\\/\b\f\r"));
    assert_string("\"\\u00e9\\u6F22\"", STR("\xC3\xA9\xE6\xBC\xA2"));
    assert_string("\"\\uD83D\\uDD14\"", STR("\xF0\x9F\x94\x94"));
    assert_string("\"\xF0\x9F\x94\x94 # no comment\"", STR("\xF0\x9F\x94\x94 # no comment"));
}

static void block_strings_lose_their_common_indentation(void **state)
{
    (void)state;
    assert_string("\"\"\"\"\"\"", STR(""));
    assert_string("\"\"\"one\"\"\"", STR("one"));
    assert_string("\"\"\"\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n  \"\"\"",
                  STR("Hello,\n  World!\n\nYours,\n  GraphQL."));
    assert_string("\"\"\"  first keeps its blanks\n    second\r\n   third\"\"\"",
                  STR("  first keeps its blanks\n second\nthird"));
    assert_string("\"\"\"a \\\"\"\" b \"\" c\\n\"\"\"", STR("a \"\"\" b \"\" c\\n"));
    assert_string("\"\"\"\n\n \t \n\"\"\"", STR(""));
}

/* text, where it is wrong, what the message must say */
static const struct {
    const char *text;
    uint32_t line;
    uint32_t column;
    const char *says;
} WRONG[] = {
    {"", 1, 1, "expected a definition, found the end"},
    {"  # nothing\n", 2, 1, "the end"},
    {"{", 1, 2, "expected a name, found the end"},
    {"{}", 1, 2, "expected a name"},
    {"{a(}", 1, 4, "expected a name"},
    {"{a(b: )}", 1, 7, "expected a value"},
    {"{a\n b(c: 01)}", 2, 8, "leading 0"},
    {"{a(b: 1.)}", 1, 9, "needs a digit"},
    {"{a(b: 1e)}", 1, 9, "needs a digit"},
    {"{a(b: -)}", 1, 8, "needs a digit"},
    {"{a(b: 1a)}", 1, 8, "must end here"},
    {"{a(b: 1.2.3)}", 1, 10, "must end here"},
    {"{a(b: \"x)}", 1, 11, "not ended"},
    {"{a(b: \"x\n\")}", 1, 9, "not ended"},
    {"{a(b: \"\"\"x)}", 1, 13, "not ended"},
    {"{a(b: \"\\x\")}", 1, 8, "backslash"},
    {"{a(b: \"\\u12G4\")}", 1, 8, "four hexadecimal"},
    {"{a(b: \"\\u{1F514}\")}", 1, 8, "four hexadecimal"}, /* came after October 2021 */
    {"{a(b: \"\\uD83D\")}", 1, 8, "surrogate"},
    {"{a(b: \"\\uDD14\\uD83D\")}", 1, 8, "surrogate"},
    {"{a(b: \"\x01\")}", 1, 8, "U+0001"},
    {"{a ?}", 1, 4, "\"?\""},
    {"{a ..}", 1, 4, "\".\""},
    {"{a \xFF}", 1, 4, "UTF-8"},
    {"\xF0\x9F\x94\x94", 1, 1, "\xF0\x9F\x94\x94"},
    {"{a(b:\"\xF0\x9F\x94\x94\" ?)}", 1, 11, "\"?\""}, /* a character beyond U+FFFF counts as two */
    {"query ($a: Int = $b) {a}", 1, 18, "constant"},
    {"fragment on on Dog {a}", 1, 10, "the name of a fragment"},
    {"fragment f {a}", 1, 12, "\"on\""},
    {"query {a} true", 1, 11, "a definition"},
    {"\"text\" query {a}", 1, 1, "description"},
    {"\"text\" {a}", 1, 1, "description"},
    {"enum E { true }", 1, 10, "enum's value"},
    {"type T", 0, 0, NULL},
    {"extend type T", 1, 14, "adds"},
    {"extend directive @a on FIELD", 1, 8, "a definition"},
    {"directive @a on NOWHERE", 1, 17, "no place"},
    {"schema @a", 1, 10, "\"{\""},
    {"\r\n\r{", 3, 2, "the end"},
};

static void a_mistake_is_told_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        CLEANUP(arena_done_p) struct arena a;
        struct gql_faults faults;
        struct gql_parse_limits limits = GQL_PARSE_LIMITS;
        const struct gql_document *d = parse_with(&a, &faults, str_of(WRONG[i].text), &limits);

        if (!WRONG[i].says) {
            assert_non_null(d);
            continue;
        }
        assert_null(d);
        assert_int_equal(faults.n, 1);
        if (faults.first->places[0].line != WRONG[i].line ||
            faults.first->places[0].column != WRONG[i].column ||
            !strstr(faults.first->message.p, WRONG[i].says))
            fail_msg("%s: %u:%u %s", WRONG[i].text, faults.first->places[0].line,
                     faults.first->places[0].column, faults.first->message.p);
    }
}

static void everything_of_the_grammar_is_read(void **state)
{
    static const char *const texts[] = {
        "\xEF\xBB\xBF{a,b\tc # comment \xE6\xBC\xA2\n d: e(f: $g) @h(i: {j: [k, null, true, 1.5e-3, -0]}) "
        "{...l ... @m {n} ... on o {p}}}",
        "query on($query: [[on!]!] = [[]] @a, $b: C! = {d: \"e\"} @f) @g {mutation}",
        "mutation {a} subscription S {b} fragment fragment on on @c {type}",
        "\"d\" schema @a { query: Q mutation: M subscription: S } scalar S @specifiedBy(url: \"u\")",
        "\"\"\"d\"\"\" type T implements & A & B @c { \"d\" f(\"e\" a: Int = 1 @b, c: [D]): E! @g }",
        "interface I implements J { a: B } union U @a = | A | B union V enum E @a { \"d\" A @b B } enum F",
        "input I @a { b: C = {d: 1} @e } directive @d(a: B) repeatable on | FIELD | INPUT_FIELD_DEFINITION",
        "extend schema @a extend scalar S @a extend type T implements A extend interface I { a: B } "
        "extend union U = A extend enum E { A } extend input I { a: B }",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(arena_done_p) struct arena a;
        struct gql_faults faults;
        struct gql_parse_limits limits = GQL_PARSE_LIMITS;

        if (!parse_with(&a, &faults, str_of(texts[i]), &limits))
            fail_msg("%s: %u:%u %s", texts[i], faults.first->places[0].line, faults.first->places[0].column,
                     faults.first->message.p);
    }
}

static void assert_too_much(const char *unit, size_t times, struct gql_parse_limits limits, const char *says)
{
    CLEANUP(arena_done_p) struct arena a;
    CLEANUP(buf_done_p) struct buf text = {0};
    struct gql_faults faults;

    buf_init(&text, TEST_TEXT);
    buf_add_cstr(&text, "{a");
    for (size_t i = 0; i < times; i++)
        buf_add_cstr(&text, unit);
    assert_null(parse_with(&a, &faults, buf_str(&text), &limits));
    assert_int_equal(faults.n, 1);
    assert_non_null(strstr(faults.first->message.p, says));
}

static void bytes_tokens_and_depth_are_bounded(void **state)
{
    (void)state;
    assert_too_much(" b", 20000, GQL_PARSE_LIMITS, "more than 10000 tokens");
    assert_too_much("{a", 20000, GQL_PARSE_LIMITS, "deeper than 50 levels");
    assert_too_much("(b:[[[[", 20, GQL_PARSE_LIMITS, "expected");
    assert_too_much("(b:", 1, (struct gql_parse_limits){1, 1, 1}, "longer than 1 bytes");
    assert_too_much(" b", 200000, GQL_PARSE_LIMITS, "longer than 262144 bytes");
}

static void a_value_or_type_that_is_too_deep_is_refused_too(void **state)
{
    static const char *const opened[] = {"{a(b:%s", "query($a:%s"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(opened); i++) {
        CLEANUP(arena_done_p) struct arena a;
        CLEANUP(buf_done_p) struct buf text = {0};
        struct gql_faults faults;
        struct gql_parse_limits limits = GQL_PARSE_LIMITS;

        buf_init(&text, TEST_TEXT);
        buf_add(&text, (struct str){opened[i], strlen(opened[i]) - 2});
        for (size_t k = 0; k < 5000; k++)
            buf_add_char(&text, '[');
        assert_null(parse_with(&a, &faults, buf_str(&text), &limits));
        assert_non_null(strstr(faults.first->message.p, "deeper"));
    }
}

static void an_arena_that_is_full_ends_the_parsing(void **state)
{
    CLEANUP(arena_done_p) struct arena a;
    struct gql_faults faults;
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    struct error err;

    (void)state;
    for (size_t bytes = 0; bytes < 1000; bytes += 100) {
        arena_init(&a, bytes);
        gql_faults_init(&faults, &a, STR(""), 4);
        assert_null(gql_parse(STR("{a(b: [1, 2, \"three\"]) {c d e f}}"), &limits, &a, &faults));
        assert_int_equal(arena_check(&a, &err), ERR_TOO_LARGE);
        arena_done(&a);
    }
    arena_init(&a, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_mean_what_their_escapes_say),
        cmocka_unit_test(block_strings_lose_their_common_indentation),
        cmocka_unit_test(a_mistake_is_told_with_its_place),
        cmocka_unit_test(everything_of_the_grammar_is_read),
        cmocka_unit_test(bytes_tokens_and_depth_are_bounded),
        cmocka_unit_test(a_value_or_type_that_is_too_deep_is_refused_too),
        cmocka_unit_test(an_arena_that_is_full_ends_the_parsing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
