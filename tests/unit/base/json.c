/*
 * json.c: tests of base/json: what we promise beyond jansson, and that we use it as we promise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
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
    expect_error(STR("9223372036854775808"), "line 1, column 19",
                 "a number beyond 64 bits, or beyond a double");
    expect_error(STR("[-9223372036854775809]"), "line 1, column 21",
                 "a number beyond 64 bits, or beyond a double");
    expect_error(STR("[1e400]"), "line 1, column 6", "a number beyond 64 bits, or beyond a double");
    expect_error(STR("-1e400"), "line 1, column 6", "a number beyond 64 bits, or beyond a double");
}

static void a_number_of_many_digits_is_the_nearest_double(void **state)
{
    char text[300];
    CLEANUP(json_free_p) json_t *v = NULL;

    (void)state;
    memset(text, '1', sizeof(text));
    text[1] = '.';
    assert_int_equal(json_parse((struct str){text, sizeof(text)}, 1, &v, NULL), ERR_NONE);
    assert_true(json_real_value(v) == 10.0 / 9.0);
}

static void a_text_beyond_what_jansson_can_count_is_refused_unread(void **state)
{
    json_t *v = NULL;
    struct error err;

    (void)state;
    assert_int_equal(json_parse((struct str){"", (size_t)INT_MAX + 1}, 1, &v, &err), ERR_TOO_LARGE);
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static void an_error_names_line_and_column_in_characters(void **state)
{
    (void)state;
    expect_error(STR(""), "line 1, column 1", "the text ends too early");
    expect_error(STR("{\n  \"\xC3\xA9\": x}"), "line 2, column 8", "not JSON");
    expect_error(STR("{\"a\":1\n,\n\"b\" 2}"), "line 3, column 5", "not JSON");
    expect_error(STR("[1 2]"), "line 1, column 4", "not JSON");
    expect_error(STR("{\"a\":1 \"b\":2}"), "line 1, column 10", "not JSON");
    expect_error(STR("{,}"), "line 1, column 2", "not JSON");
    expect_error(STR("[1,]"), "line 1, column 4", "not JSON");
    expect_error(STR("{\"a\":1,}"), "line 1, column 8", "not JSON");
    expect_error(STR("1 1"), "line 1, column 3", "nothing may follow the value");
    expect_error(STR("\"ab"), "line 1, column 3", "the text ends too early");
    expect_error(STR("\"ab\\"), "line 1, column 4", "not JSON");
    expect_error(STR("[\"a\nb\"]"), "line 1, column 3", "not JSON");
    expect_error(STR("\"\\x\""), "line 1, column 3", "not JSON");
    expect_error(STR("\"\\u12g4\""), "line 1, column 6", "not JSON");
    expect_error(STR("\"\xFF\""), "line 1, column 1", "not UTF-8");
    expect_error(STR("-"), "line 1, column 1", "not JSON");
    expect_error(STR("-x"), "line 1, column 1", "not JSON");
    expect_error(STR("1.x"), "line 1, column 2", "not JSON");
    expect_error(STR("1e+"), "line 1, column 3", "not JSON");
    expect_error(STR("01"), "line 1, column 1", "not JSON");
    expect_error(STR("1\0"), "line 1, column 2", "NUL is not allowed");
    expect_error(STR("[1] \0"), "line 1, column 5", "NUL is not allowed");
    expect_error(STR("nulL"), "line 1, column 4", "not JSON");
    expect_error(STR("truex"), "line 1, column 5", "not JSON");
}

static void nul_and_half_surrogates_are_refused(void **state)
{
    (void)state;
    expect_error(STR("\"\\u0000\""), "line 1, column 8", "NUL is not allowed");
    expect_error(STR("\"a\0b\""), "line 1, column 3", "NUL is not allowed");
    expect_error(STR("\"\\ud83d\""), "line 1, column 8", "not JSON");
    expect_error(STR("\"\\ud83d\\u0041\""), "line 1, column 14", "not JSON");
    expect_error(STR("\"\\udd14\""), "line 1, column 8", "not JSON");
}

static void a_member_twice_is_refused_however_it_is_spelled(void **state)
{
    (void)state;
    expect_error(STR("{\"a\":1,\"b\":2,\"a\":3}"), "line 1, column 16", "a second member of this name");
    expect_error(STR("{\"a\":1,\"\\u0061\":3}"), "line 1, column 15", "a second member of this name");
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

static json_malloc_t hooked_malloc;
static uint64_t calls_until_out; /* 1: this and each later call of jansson's fails. 0: none does. */

static void *malloc_until_out(size_t n)
{
    if (calls_until_out == 1)
        alloc_test_fail_nth(1);
    else if (calls_until_out > 1)
        calls_until_out--;
    return hooked_malloc(n);
}

static void run_out_at(uint64_t nth, bool for_good)
{
    calls_until_out = for_good ? nth : 0;
    alloc_test_fail_nth(for_good ? 0 : nth);
}

/*
 * Parses `text` with each allocation failing in turn, alone or with all that come after it, then whole;
 * returns how many there are.
 */
static uint64_t fail_each_allocation(struct str text, bool for_good)
{
    CLEANUP(json_free_p) json_t *whole = NULL;
    uint64_t nth = 0;
    enum err e;

    assert_int_equal(json_parse(text, 9, &whole, NULL), ERR_NONE);
    do {
        CLEANUP(json_free_p) json_t *v = NULL;
        struct error err = {0};

        run_out_at(++nth, for_good);
        e = json_parse(text, 9, &v, &err);
        run_out_at(0, false);
        assert_int_equal(e, err.code);
        if (e)
            assert_null(v);
        else
            assert_true(json_equal(v, whole));
    } while (e == ERR_MEMORY);
    assert_int_equal(e, ERR_NONE);
    return nth - 1;
}

/* Whichever allocation fails, the answer is that one, nothing leaks and nothing is silently lost. */
static void every_failing_allocation_is_a_clean_error(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(STR(sample), false) > 60);
    assert_true(fail_each_allocation(STR(sample), true) > 60);
}

/* jansson itself overruns its buffer or aborts when this fails just where a token ends. */
static void the_scanners_buffer_may_fail_to_grow_at_any_byte_of_a_token(void **state)
{
    static const char *const around[][3] = {
        {"", "\"", "\""},           {"[", "\"", "\",1]"},
        {"{", "\"", "\":1}"},       {"{\"a\":", "\"\\u00e9", "\"}"},
        {"[", "\"\xC3\xA9", "\"]"}, {"", "0.", ""},
        {"[", "-0.", "]"},          {"[", "1.", "e5 ]"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(around); i++) {
        for (int n = 1; n < 70; n++) {
            char text[100];
            int length =
                snprintf(text, sizeof(text), "%s%s%0*d%s", around[i][0], around[i][1], n, 7, around[i][2]);

            assert_in_range(length, 1, sizeof(text) - 1);
            assert_true(fail_each_allocation((struct str){text, (size_t)length}, false) >= 3);
            assert_true(fail_each_allocation((struct str){text, (size_t)length}, true) >= 2);
        }
    }
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

/* An error's text, wherever it arose, is one of ours. */
static void expect_no_quote(const struct error *err)
{
    static const char *const ours[] = {
        "not JSON",
        "not UTF-8",
        "nested too deeply",
        "NUL is not allowed",
        "the text ends too early",
        "nothing may follow the value",
        "a second member of this name",
        "a number beyond 64 bits, or beyond a double",
    };
    bool found = false;

    for (size_t i = 0; i < COUNT_OF(ours); i++)
        found = found || strcmp(err->text, ours[i]) == 0;
    if (!found)
        fail_msg("%s", err->text);
    assert_true(str_starts(str_of(err->where), STR("line ")));
    assert_null(strstr(err->where, "s3cret"));
}

/* Either it is refused without being quoted, or what it says survives writing and reading. */
static void expect_sound(struct str text)
{
    CLEANUP(json_free_p) json_t *v = NULL;
    CLEANUP(json_free_p) json_t *again = NULL;
    CLEANUP(buf_done_p) struct buf b = {0};
    struct error err = {0};
    enum err e = json_parse(text, 4, &v, &err);

    if (e) {
        assert_int_equal(e, ERR_SYNTAX);
        expect_no_quote(&err);
        return;
    }
    buf_init(&b, 100000);
    assert_int_equal(json_write(v, &b, NULL), ERR_NONE);
    assert_int_equal(json_parse(buf_str(&b), 4, &again, NULL), ERR_NONE);
    assert_true(json_equal(v, again));
}

/* Bytes that matter to JSON are put where others were: most texts break, many stay whole. */
static void damaged_texts_never_crash_and_never_quote_a_secret(void **state)
{
    static const char *const seeds[] = {
        sample,
        "{\"s3cret\":\"s3cret\",\"key\":[\"s3cret\",\"s3cret\"]}",
        "[1,-0,0.5,1e5,-1E-2,1234567890123456789,0.1e+1]",
        "{\"a\":\"\\u00e9\\ud83d\\udd14s3cret\",\"b\":[true,false,null],\"\xC3\xA9\":\"\xF0\x9F\x94\x94\"}",
        "[[[]],{\"x\":{}},\"\\\\\\\"\\/s3cret\"]",
        "-123.456e78",
    };
    /* With the NUL at its end. */
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

            if (rng_below(&rng, 3) > 0)
                text[at] = bytes[rng_below(&rng, sizeof(bytes))];
            else
                memmove(text + at, text + at + 1, --n - at);
        }
        expect_sound((struct str){text, n});
    }
}

static void a_copy_is_whole_or_there_is_none(void **state)
{
    static json_t *(*const copies[])(const json_t *) = {json_copy_whole, json_deep_copy_whole};
    CLEANUP(json_free_p) json_t *v = NULL;
    struct error err;

    (void)state;
    assert_int_equal(json_parse(STR("{\"a\":[1,{\"b\":null}],\"c\":\"d\",\"e\":{\"f\":[]}}"), 8, &v, &err),
                     ERR_NONE);
    for (size_t i = 0; i < COUNT_OF(copies); i++) {
        bool whole = false;

        for (uint64_t n = 1; n < 100 && !whole; n++) {
            CLEANUP(json_free_p) json_t *copy = NULL;

            alloc_test_fail_nth(n);
            copy = copies[i](v);
            whole = !alloc_test_failed();
            if (copy)
                assert_true(json_equal(copy, v));
            else
                assert_false(whole);
        }
        assert_true(whole);
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
        cmocka_unit_test(a_number_of_many_digits_is_the_nearest_double),
        cmocka_unit_test(a_text_beyond_what_jansson_can_count_is_refused_unread),
        cmocka_unit_test(an_error_names_line_and_column_in_characters),
        cmocka_unit_test(nul_and_half_surrogates_are_refused),
        cmocka_unit_test(a_member_twice_is_refused_however_it_is_spelled),
        cmocka_unit_test(depth_is_bounded_whatever_the_brackets),
        cmocka_unit_test(the_deepest_allowed_is_read_and_written_and_one_more_is_neither),
        cmocka_unit_test(sorted_text_is_equal_for_equal_values),
        cmocka_unit_test(text_over_the_buffers_limit_is_an_error),
        cmocka_unit_test(every_failing_allocation_is_a_clean_error),
        cmocka_unit_test(the_scanners_buffer_may_fail_to_grow_at_any_byte_of_a_token),
        cmocka_unit_test(every_failing_allocation_of_the_writer_is_one_too),
        cmocka_unit_test(damaged_texts_never_crash_and_never_quote_a_secret),
        cmocka_unit_test(a_copy_is_whole_or_there_is_none),
        cmocka_unit_test(a_pointer_grows_with_its_names_escaped),
        cmocka_unit_test(a_pointer_too_long_is_cut_between_characters_and_escapes),
    };

    json_free_t hooked_free;

    json_setup();
    json_get_alloc_funcs(&hooked_malloc, &hooked_free);
    json_set_alloc_funcs(malloc_until_out, hooked_free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
