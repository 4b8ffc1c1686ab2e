/* validate.c: each rule of section 5 refuses what it is there for, and nothing else. */
#include "graphql/validate.h"

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

static const struct {
    const char *rule; /* the only one that speaks; NULL: the document is valid */
    const char *text;
} CASES[] = {
    {NULL, "{ dog { name } }"},
    {"ExecutableDefinitions", "{ dog { name } } type T { a: Int }"},
    {"ExecutableDefinitions", "{ dog { name } } extend type Dog { a: Int }"},
    {NULL, "query A { count } query B { count } mutation C { set(to: 1) }"},
    {"UniqueOperationNames", "query A { count } mutation A { set(to: 1) }"},
    {"LoneAnonymousOperation", "{ count } query A { count }"},
    {NULL, "subscription { barked { name nick } }"},
    {NULL, "subscription { ...F ...F } fragment F on Subscription { tick }"},
    {NULL, "subscription { tick barked @skip(if: true) { name } }"},
    {"SingleFieldSubscriptions", "subscription { tick barked { name } }"},
    {"SingleFieldSubscriptions", "subscription { ...F tick } fragment F on Subscription { other: tick }"},
    {"SingleFieldSubscriptions", "subscription { __typename }"},
    {"FieldsOnCorrectType", "{ cow }"},
    {"FieldsOnCorrectType", "{ animals { barks } }"},
    {"FieldsOnCorrectType", "{ pets { name } }"}, /* a union has __typename alone */
    {"FieldsOnCorrectType", "{ dog { __schema { types { name } } } }"},
    {NULL, "{ pets { __typename ... on Animal { name } } __schema { description } __type(name: \"Dog\") { "
           "name } }"},
    {"ScalarLeafs", "{ dog }"},
    {"ScalarLeafs", "{ count { a } }"},
    {"KnownArgumentNames", "{ dog { name(long: true) } }"},
    {"KnownArgumentNames", "{ dog @skip(if: true, when: false) { name } }"},
    {"UniqueArgumentNames", "{ dog { name(short: true, short: true) } }"},
    {"ProvidedRequiredArguments", "{ human { id } }"},
    {"ProvidedRequiredArguments", "{ dog @include { name } }"},
    {NULL, "{ human(id: 1) { id } }"},
    {"UniqueFragmentNames", "{ dog { ...F } } fragment F on Dog { name } fragment F on Dog { nick }"},
    {"KnownTypeNames", "{ dog { ... on Cow { milk } } }"},
    {"KnownTypeNames", "query($a: Cow) { find(filter: {text: \"\"}, flag: $a) }"},
    {"FragmentsOnCompositeTypes", "{ dog { ... on Int { a } } }"},
    {"FragmentsOnCompositeTypes", "{ dog { ...F } } fragment F on Filter { a }"},
    {"NoUnusedFragments", "{ count } fragment F on Dog { name } fragment G on Dog { ...F }"},
    {"KnownFragmentNames", "{ dog { ...Missing } }"},
    {"NoFragmentCycles", "{ dog { ...F } } fragment F on Dog { owner { pets { ...G } } } fragment G on Pet { "
                         "... on Dog { ...F } }"},
    {"NoFragmentCycles", "{ dog { ...F } } fragment F on Dog { ...F }"},
    {"PossibleFragmentSpreads", "{ dog { ... on Cat { meows } } }"},
    {"PossibleFragmentSpreads", "{ dog { ...F } } fragment F on Human { id }"},
    {NULL, "{ dog { ... on Animal { ... on Pet { ... on Dog { nick } } } } }"},
    {"ValuesOfCorrectType", "{ human(id: 1.5) { id } }"},
    {"ValuesOfCorrectType", "{ human(id: 1, size: \"BIG\") { id } }"},
    {"ValuesOfCorrectType", "{ find(filter: {text: 1}) }"},
    {"ValuesOfCorrectType", "{ find(filter: {}) }"},
    {"ValuesOfCorrectType", "{ find(filter: {text: \"\", more: 1}) }"},
    {"ValuesOfCorrectType", "{ find(filter: null) }"},
    {"ValuesOfCorrectType", "{ find(filter: {text: \"\"}, list: [1, null]) }"},
    {"ValuesOfCorrectType", "{ find(filter: {text: \"\"}, list: [2147483648]) }"},
    {"ValuesOfCorrectType", "query($a: Int = 1.5) { find(filter: {text: \"\"}, list: [1, $a]) }"},
    {NULL, "{ find(filter: {text: \"\"}, list: 1) }"}, /* one stands for a list of one */
    {"UniqueInputFieldNames", "{ find(filter: {text: \"a\", text: \"a\"}) }"},
    {"KnownDirectives", "{ count @missing }"},
    {"KnownDirectives", "query @skip(if: true) { count }"},
    {"UniqueDirectivesPerLocation", "{ count @skip(if: true) @skip(if: false) }"},
    {NULL, "{ count @many @many }"},
    {"UniqueVariableNames", "query($a: Int!, $a: Int!) { find(filter: {text: \"\"}, list: [$a]) }"},
    {"VariablesAreInputTypes", "query($a: Dog) { find(filter: {text: \"\", ids: $a}) }"},
    {"NoUndefinedVariables", "{ find(filter: {text: $a}) }"},
    {"NoUndefinedVariables", "query A { ...F } fragment F on Query { find(filter: {text: \"\"}, flag: $a) }"},
    {"NoUnusedVariables", "query($a: Int) { count }"},
    {NULL, "query($a: Boolean!) { ...F } fragment F on Query { count @skip(if: $a) }"},
    {"VariablesInAllowedPosition", "query($a: Boolean) { count @skip(if: $a) }"},
    {NULL, "query($a: Boolean = true) { count @skip(if: $a) }"},
    {"VariablesInAllowedPosition", "query($a: Boolean = null) { count @skip(if: $a) }"},
    {"VariablesInAllowedPosition", "query($a: [Int]) { find(filter: {text: \"\"}, list: $a) }"},
    {NULL, "query($a: Size) { find(filter: {text: \"\", size: $a}) }"}, /* the field has a default */
    {"VariablesInAllowedPosition", "query($a: ID) { find(filter: {text: \"\", ids: [$a]}) }"},
    {"OverlappingFieldsCanBeMerged", "{ dog { name: nick name } }"},
    {"OverlappingFieldsCanBeMerged", "{ dog { name(short: true) name } }"},
    {"OverlappingFieldsCanBeMerged", "{ human(id: 1) { id } human(id: 2) { id } }"},
    {"OverlappingFieldsCanBeMerged", "{ dog { owner { a: id } owner { a: name } } }"},
    {"OverlappingFieldsCanBeMerged", "{ dog { ...F nick: name } } fragment F on Dog { nick }"},
    {"OverlappingFieldsCanBeMerged",
     "{ pets { ... on Dog { nick } ... on Cat { nick } } }"}, /* String, Int */
    {NULL, "{ pets { ... on Dog { a: name } ... on Cat { a: name(short: true) } } }"},
    {NULL, "{ human(id: 1, size: BIG) { id } human(size: BIG, id: 1) { name } }"},
    {NULL, "{ find(filter: {text: \"\", size: BIG}) find(filter: {size: BIG, text: \"\"}) }"},
    {"OverlappingFieldsCanBeMerged", "{ find(filter: {text: \"a\"}) find(filter: {text: \"b\"}) }"},
};

static void assert_only(const char *text, const char *rule)
{
    CLEANUP(arena_done_p) struct arena a;
    struct gql_faults faults;
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    const struct gql_document *d;
    bool valid;

    arena_init(&a, TEST_MEMORY);
    gql_faults_init(&faults, &a, STR(""), 1);
    d = gql_parse(str_of(text), &limits, &a, &faults);
    assert_non_null(d);
    valid = gql_validate(schema, d, &GQL_LIMITS, &a, &faults);
    assert_int_equal(valid, faults.n == 0);
    if (!rule && !valid)
        fail_msg("%s: %s: %s", text, faults.first->rule, faults.first->message.p);
    if (rule && valid)
        fail_msg("%s: %s says nothing", text, rule);
    for (const struct gql_fault *f = faults.first; f; f = f->next) {
        /* what is no input fits nowhere either */
        if (strcmp(rule, "VariablesAreInputTypes") == 0 && strcmp(f->rule, "VariablesInAllowedPosition") == 0)
            continue;
        if (strcmp(f->rule, rule) != 0)
            fail_msg("%s: %s: %s", text, f->rule, f->message.p);
        assert_true(f->n_places > 0 && f->message.n > 0);
    }
}

static void each_rule_refuses_its_mistake_and_no_other_speaks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_only(CASES[i].text, CASES[i].rule);
}

static void each_rule_has_a_case_here(void **state)
{
    const char *name;
    const char *section;

    (void)state;
    for (size_t i = 0; gql_rule_at(i, &name, &section); i++) {
        size_t k = 0;

        if (strcmp(name, "Limits") == 0)
            continue; /* limits.c */
        assert_true(strlen(section) > 0);
        while (k < COUNT_OF(CASES) && (!CASES[k].rule || strcmp(CASES[k].rule, name) != 0))
            k++;
        if (k == COUNT_OF(CASES))
            fail_msg("no case for %s", name);
    }
}

static void the_number_of_errors_is_bounded(void **state)
{
    CLEANUP(arena_done_p) struct arena a;
    CLEANUP(buf_done_p) struct buf text = {0};
    struct gql_faults faults;
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    const struct gql_document *d;

    (void)state;
    arena_init(&a, TEST_MEMORY);
    buf_init(&text, TEST_TEXT);
    buf_add_cstr(&text, "{");
    for (int i = 0; i < 3000; i++)
        buf_addf(&text, " a%d", i);
    buf_add_cstr(&text, "}");
    gql_faults_init(&faults, &a, STR(""), 1);
    d = gql_parse(buf_str(&text), &limits, &a, &faults);
    assert_non_null(d);
    assert_false(gql_validate(schema, d, &GQL_LIMITS, &a, &faults));
    assert_int_equal(faults.n, GQL_LIMITS.errors);
    assert_true(faults.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_refuses_its_mistake_and_no_other_speaks),
        cmocka_unit_test(each_rule_has_a_case_here),
        cmocka_unit_test(the_number_of_errors_is_bounded),
    };

    return cmocka_run_group_tests(tests, open_schema, close_schema);
}
