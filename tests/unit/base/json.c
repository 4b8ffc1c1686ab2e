/*
 * json.c: tests of base/json. jansson's own parser is the oracle for what is JSON and what it means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/random.h"
#include "base/str.h"

static void expect_error(struct str text, const char *where, const char *message)
{
    json_t *untouched = (json_t *)(void *)&text;
    json_t *v = untouched;
    struct error err = {0};

    assert_int_equal(json_parse(text, 4, &v, &err), ERR_SYNTAX);
    assert_ptr_equal(v, untouched);
    assert_string_equal(err.where, where);
    assert_string_equal(err.text, message);
}

/* `text` read and written again. */
static void expect_written(const char *text, const char *expected)
{
    CLEANUP(json_free_p) json_t *v = NULL;
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 10000);
    assert_int_equal(json_parse(str_of(text), JSON_DEPTH_MAX, &v, NULL), ERR_NONE);
    assert_int_equal(json_write(v, &b, NULL), ERR_NONE);
    assert_string_equal(buf_cstr(&b), expected);
}

static void any_value_may_stand_at_the_top(void **state)
{
    (void)state;
    expect_written(" null ", "null");
    expect_written("true", "true");
    expect_written("\t\r\n false", "false");
    expect_written("-12", "-12");
    expect_written("\"x\"", "\"x\"");
    expect_written("[ ]", "[]");
    expect_written("{ }", "{}");
    expect_written("[1 , [ 2 ],{\"a\" : {}}]", "[1,[2],{\"a\":{}}]");
}

static void members_keep_their_order(void **state)
{
    (void)state;
    expect_written("{\"z\":1,\"a\":2,\"\":3,\"m\":{\"y\":4,\"b\":5}}",
                   "{\"z\":1,\"a\":2,\"\":3,\"m\":{\"y\":4,\"b\":5}}");
}

static void strings_are_decoded_and_written_plainly(void **state)
{
    (void)state;
    expect_written("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
    expect_written("\"\\u0041\\u00e9\\u20AC\\ud83d\\uDD14\"", "\"A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x94\"");
    expect_written("\"caf\xC3\xA9\"", "\"caf\xC3\xA9\"");
    expect_written("\"\\u001f\x7F\"", "\"\\u001f\x7F\"");
    /* An escaped name, and values with escapes behind it that use the same scratch space. */
    expect_written("{\"a\\nb\":{\"c\\td\":\"\\\\\"},\"e\\/f\":\"\\\"\"}",
                   "{\"a\\nb\":{\"c\\td\":\"\\\\\"},\"e/f\":\"\\\"\"}");
}

static void a_double_is_written_with_as_few_digits_as_it_needs(void **state)
{
    (void)state;
    expect_written("0.1", "0.1");
    expect_written("1.10", "1.1");
    expect_written("1.0", "1.0");
    expect_written("-0.0", "-0.0");
    expect_written("1e2", "100.0");
    expect_written("1E+22", "1e+22");
    expect_written("5e-324", "4.94065645841247e-324");
    expect_written("1.7976931348623157e308", "1.7976931348623157e+308");
    expect_written("0.30000000000000004", "0.30000000000000004");
    expect_written("9007199254740993.0", "9007199254740992.0");
    expect_written("1e-400", "0.0");
}

static void integers_are_whole_to_64_bits_and_refused_beyond(void **state)
{
    (void)state;
    expect_written("9223372036854775807", "9223372036854775807");
    expect_written("-9223372036854775808", "-9223372036854775808");
    expect_written("9007199254740993", "9007199254740993");
    expect_error(STR("9223372036854775808"), "line 1, column 1", "an integer beyond 64 bits");
    expect_error(STR("[-9223372036854775809]"), "line 1, column 2", "an integer beyond 64 bits");
    expect_error(STR("[1e400]"), "line 1, column 2", "a number beyond the range of a double");
    expect_error(STR("-1e400"), "line 1, column 1", "a number beyond the range of a double");
}

static void a_number_of_endless_digits_is_refused(void **state)
{
    char text[300];

    (void)state;
    memset(text, '1', sizeof(text));
    text[1] = '.';
    expect_error((struct str){text, sizeof(text)}, "line 1, column 1", "a number of too many digits");
}

static void an_error_names_line_and_column_in_characters(void **state)
{
    (void)state;
    expect_error(STR(""), "line 1, column 1", "the text ends too early");
    expect_error(STR("{\n  \"\xC3\xA9\": x}"), "line 2, column 8", "a value is expected");
    expect_error(STR("{\"a\":1\n,\n\"b\" 2}"), "line 3, column 5", "':' is expected");
    expect_error(STR("[1 2]"), "line 1, column 4", "',' or ']' is expected");
    expect_error(STR("{\"a\":1 \"b\":2}"), "line 1, column 8", "',' or '}' is expected");
    expect_error(STR("{,}"), "line 1, column 2", "a member's name in quotes is expected");
    expect_error(STR("[1,]"), "line 1, column 4", "a value is expected");
    expect_error(STR("{\"a\":1,}"), "line 1, column 8", "a member's name in quotes is expected");
    expect_error(STR("1 1"), "line 1, column 3", "nothing may follow the value");
    expect_error(STR("\"ab"), "line 1, column 4", "the text ends too early");
    expect_error(STR("\"ab\\"), "line 1, column 5", "the text ends too early");
    expect_error(STR("[\"a\nb\"]"), "line 1, column 4", "a control character in a string must be escaped");
    expect_error(STR("\"\\x\""), "line 1, column 2", "an escape that JSON does not have");
    expect_error(STR("\"\\u12g4\""), "line 1, column 2", "\\u wants four hexadecimal digits");
    expect_error(STR("\"\xFF\""), "line 1, column 2", "not UTF-8");
    expect_error(STR("-"), "line 1, column 2", "the text ends too early");
    expect_error(STR("-x"), "line 1, column 2", "a number wants a digit here");
    expect_error(STR("1.x"), "line 1, column 3", "a number wants a digit here");
    expect_error(STR("1e+"), "line 1, column 4", "the text ends too early");
    expect_error(STR("01"), "line 1, column 1", "a number may not begin with a needless zero");
    expect_error(STR("1\0"), "line 1, column 2", "nothing may follow the value");
    expect_error(STR("[1] \0"), "line 1, column 5", "nothing may follow the value");
    expect_error(STR("nulL"), "line 1, column 1", "a value is expected");
    expect_error(STR("truex"), "line 1, column 5", "nothing may follow the value");
}

static void nul_and_half_surrogates_are_refused(void **state)
{
    (void)state;
    expect_error(STR("\"\\u0000\""), "line 1, column 2", "NUL is not allowed in a string");
    expect_error(STR("\"a\0b\""), "line 1, column 3", "a control character in a string must be escaped");
    expect_error(STR("\"\\ud83d\""), "line 1, column 2",
                 "the first half of a surrogate pair without the second");
    expect_error(STR("\"\\ud83d\\u0041\""), "line 1, column 2",
                 "the first half of a surrogate pair without the second");
    expect_error(STR("\"\\udd14\""), "line 1, column 2",
                 "the second half of a surrogate pair without the first");
}

static void a_member_twice_is_refused_however_it_is_spelled(void **state)
{
    (void)state;
    expect_error(STR("{\"a\":1,\"b\":2,\"a\":3}"), "line 1, column 14", "a second member of this name");
    expect_error(STR("{\"a\":1,\"\\u0061\":3}"), "line 1, column 8", "a second member of this name");
    expect_written("{\"a\":{\"a\":1}}", "{\"a\":{\"a\":1}}");
}

static void depth_is_bounded_whatever_the_brackets(void **state)
{
    CLEANUP(json_free_p) json_t *v = NULL;

    (void)state;
    assert_int_equal(json_parse(STR("[[[[\"[[[[\"]]]]"), 4, &v, NULL), ERR_NONE);
    expect_error(STR("[[[[[]]]]]"), "line 1, column 5", "nested too deeply");
    expect_error(STR("[{\"a\":{\"[\":[{}]}}]"), "line 1, column 13", "nested too deeply");
    expect_error(STR("[[[[\n["), "line 2, column 1", "nested too deeply");
    assert_int_equal(json_parse(STR("[]"), 0, &v, NULL), ERR_SYNTAX);
}

static void the_deepest_allowed_is_read_and_written_and_one_more_is_neither(void **state)
{
    CLEANUP(json_free_p) json_t *v = NULL;
    CLEANUP(json_free_p) json_t *deeper = json_object();
    CLEANUP(buf_done_p) struct buf b = {0};
    char text[2 * JSON_DEPTH_LIMIT];
    struct error err;

    (void)state;
    memset(text, '[', JSON_DEPTH_LIMIT);
    memset(text + JSON_DEPTH_LIMIT, ']', JSON_DEPTH_LIMIT);
    buf_init(&b, 1000);
    assert_int_equal(json_parse((struct str){text, sizeof(text)}, JSON_DEPTH_LIMIT, &v, NULL), ERR_NONE);
    assert_int_equal(json_write(v, &b, NULL), ERR_NONE);
    assert_true(str_eq(buf_str(&b), (struct str){text, sizeof(text)}));
    assert_int_equal(json_object_set(deeper, "in", v), 0);
    buf_clear(&b);
    assert_int_equal(json_write(deeper, &b, &err), ERR_TOO_LARGE);
    assert_int_equal(json_write_sorted(deeper, &b, &err), ERR_TOO_LARGE);
}

static void sorted_text_is_equal_for_equal_values(void **state)
{
    static const char *const texts[] = {"{\"b\":[{\"d\":1,\"c\":2}],\"a\":null,\"ab\":0}",
                                        "{ \"ab\":0, \"a\":null, \"b\":[{\"c\":2,\"d\":1}]}"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(json_free_p) json_t *v = NULL;
        CLEANUP(buf_done_p) struct buf b = {0};

        buf_init(&b, 1000);
        assert_int_equal(json_parse(str_of(texts[i]), 9, &v, NULL), ERR_NONE);
        assert_int_equal(json_write_sorted(v, &b, NULL), ERR_NONE);
        assert_string_equal(buf_cstr(&b), "{\"a\":null,\"ab\":0,\"b\":[{\"c\":2,\"d\":1}]}");
    }
}

static void text_over_the_buffers_limit_is_an_error(void **state)
{
    CLEANUP(json_free_p) json_t *v = NULL;
    CLEANUP(buf_done_p) struct buf b = {0};
    struct error err;

    (void)state;
    buf_init(&b, 6);
    assert_int_equal(json_parse(STR("[1,2,3]"), 9, &v, NULL), ERR_NONE);
    assert_int_equal(json_write(v, &b, &err), ERR_TOO_LARGE);
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static const char sample[] =
    "{\"name\":\"bbb\",\"client\":{\"operation\":\"op#1\",\"k\\u0065y\":"
    "\"12345678901234567890123456789012345678\"},"
    "\"a rather long name of a member that outgrows\":[1,-2.5e3,true,false,null,\"\\ud83d\\udd14 \\n\"],"
    "\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9,"
    "\"list\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],\"nothing\":{},\"none\":[]}";

/* Whichever allocation fails, the answer is that one, nothing leaks and nothing is silently lost. */
static void every_failing_allocation_is_a_clean_error(void **state)
{
    uint64_t nth = 1;
    enum err e;

    (void)state;
    do {
        CLEANUP(json_free_p) json_t *v = NULL;
        struct error err = {0};

        alloc_test_fail_nth(nth++);
        e = json_parse(STR(sample), 9, &v, &err);
        alloc_test_fail_nth(0);
        if (e)
            assert_int_equal(err.code, ERR_MEMORY);
        assert_int_equal(e, err.code);
    } while (e == ERR_MEMORY);
    assert_int_equal(e, ERR_NONE);
    assert_true(nth > 60);
}

static void every_failing_allocation_of_the_writer_is_one_too(void **state)
{
    CLEANUP(json_free_p) json_t *v = NULL;
    uint64_t nth = 1;
    enum err e;

    (void)state;
    assert_int_equal(json_parse(STR(sample), 9, &v, NULL), ERR_NONE);
    do {
        CLEANUP(buf_done_p) struct buf b = {0};

        buf_init(&b, 10000);
        alloc_test_fail_nth(nth++);
        e = json_write_sorted(v, &b, NULL);
        alloc_test_fail_nth(0);
        assert_true(e == ERR_NONE || e == ERR_MEMORY);
    } while (e);
    assert_true(nth > 5);
}

static void agree_with_jansson(struct str text)
{
    CLEANUP(json_free_p) json_t *ours = NULL;
    CLEANUP(json_free_p) json_t *theirs = NULL;
    CLEANUP(json_free_p) json_t *again = NULL;
    CLEANUP(buf_done_p) struct buf b = {0};

    theirs = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (json_parse(text, JSON_DEPTH_LIMIT, &ours, NULL) != ERR_NONE) {
        assert_null(theirs);
        return;
    }
    assert_non_null(theirs);
    assert_true(json_equal(ours, theirs));
    buf_init(&b, 100000);
    assert_int_equal(json_write(ours, &b, NULL), ERR_NONE);
    assert_int_equal(json_parse(buf_str(&b), JSON_DEPTH_LIMIT, &again, NULL), ERR_NONE);
    assert_true(json_equal(ours, again));
}

/* Bytes that matter to JSON are put where others were: most texts break, many stay whole. */
static void damaged_texts_are_judged_as_jansson_judges_them(void **state)
{
    static const char *const seeds[] = {
        sample,
        "[1,-0,0.5,1e5,-1E-2,12345678901234567890,0.1e+1]",
        "{\"a\":\"\\u00e9\\ud83d\\udd14\",\"b\":[true,false,null],\"\xC3\xA9\":\"\xF0\x9F\x94\x94\"}",
        "[[[]],{\"x\":{}},\"\\\\\\\"\\/\"]",
        "-123.456e78",
    };
    static const char bytes[] =
        "{}[]:,\"\\/ \t\n0123456789.-+eEtrufalsnbd\x01\x7F\x80\xBF\xC3\xE2\xED\xF0\xFF";
    struct rng rng = {99};

    (void)state;
    for (int round = 0; round < 30000; round++) {
        char text[sizeof(sample)];
        struct str seed = str_of(seeds[rng_below(&rng, COUNT_OF(seeds))]);
        uint64_t changes = rng_below(&rng, 4);
        size_t n = seed.n;

        memcpy(text, seed.p, n);
        for (uint64_t i = 0; i < changes; i++) {
            size_t at = (size_t)rng_below(&rng, n);

            /* Without NUL: jansson 2.14 passes over one behind a number. */
            if (rng_below(&rng, 3) > 0)
                text[at] = bytes[rng_below(&rng, sizeof(bytes) - 1)];
            else
                memmove(text + at, text + at + 1, --n - at);
        }
        agree_with_jansson((struct str){text, n});
    }
}

static void a_pointer_grows_with_its_names_escaped(void **state)
{
    char pointer[64] = "";

    (void)state;
    json_pointer_add(pointer, sizeof(pointer), STR("task"));
    json_pointer_add(pointer, sizeof(pointer), STR("a/b~c"));
    json_pointer_add(pointer, sizeof(pointer), STR(""));
    json_pointer_add(pointer, sizeof(pointer), STR("0"));
    assert_string_equal(pointer, "/task/a~1b~0c//0");
}

static void a_pointer_too_long_is_cut_between_characters_and_escapes(void **state)
{
    static const struct {
        size_t size;
        const char *expected;
    } cases[] = {{1, ""},     {2, "/"},    {3, "/x"},           {4, "/x"},
                 {5, "/x~1"}, {6, "/x~1"}, {7, "/x~1\xC3\xA9"}, {20, "/x~1\xC3\xA9"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char pointer[20] = "";

        json_pointer_add(pointer, cases[i].size, STR("x/\xC3\xA9"));
        assert_string_equal(pointer, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_value_may_stand_at_the_top),
        cmocka_unit_test(members_keep_their_order),
        cmocka_unit_test(strings_are_decoded_and_written_plainly),
        cmocka_unit_test(a_double_is_written_with_as_few_digits_as_it_needs),
        cmocka_unit_test(integers_are_whole_to_64_bits_and_refused_beyond),
        cmocka_unit_test(a_number_of_endless_digits_is_refused),
        cmocka_unit_test(an_error_names_line_and_column_in_characters),
        cmocka_unit_test(nul_and_half_surrogates_are_refused),
        cmocka_unit_test(a_member_twice_is_refused_however_it_is_spelled),
        cmocka_unit_test(depth_is_bounded_whatever_the_brackets),
        cmocka_unit_test(the_deepest_allowed_is_read_and_written_and_one_more_is_neither),
        cmocka_unit_test(sorted_text_is_equal_for_equal_values),
        cmocka_unit_test(text_over_the_buffers_limit_is_an_error),
        cmocka_unit_test(every_failing_allocation_is_a_clean_error),
        cmocka_unit_test(every_failing_allocation_of_the_writer_is_one_too),
        cmocka_unit_test(damaged_texts_are_judged_as_jansson_judges_them),
        cmocka_unit_test(a_pointer_grows_with_its_names_escaped),
        cmocka_unit_test(a_pointer_too_long_is_cut_between_characters_and_escapes),
    };

    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
