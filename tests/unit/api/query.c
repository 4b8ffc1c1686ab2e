/*
 * query.c: targets as they come from outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/query.h"
#include "base/buf.h"
#include "base/str.h"

static char text[TARGET_MAX * 2];

static enum err parse(const char *s, struct target *t, struct error *err)
{
    (void)snprintf(text, sizeof(text), "%s", s);
    return target_parse(text, strlen(text), t, err);
}

static void assert_str(struct str s, const char *wanted)
{
    if (!str_eq(s, str_of(wanted)))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)s.n, s.p, wanted);
}

static void a_path_is_cut_into_decoded_segments(void **state)
{
    struct target t;

    (void)state;
    assert_int_equal(parse("/schedules/a%2Fb/%ED%95%9C", &t, NULL), ERR_NONE);
    assert_int_equal(t.segments_n, 3);
    assert_str(t.segments[1], "a/b");
    assert_str(t.segments[2], "한");
    assert_int_equal(parse("/", &t, NULL), ERR_NONE);
    assert_int_equal(t.segments_n, 1);
    assert_str(t.segments[0], "");
    assert_int_equal(parse("/a/", &t, NULL), ERR_NONE);
    assert_int_equal(t.segments_n, 2);
    assert_int_equal(parse("/a+b", &t, NULL), ERR_NONE);
    assert_str(t.segments[0], "a+b");
}

static void parameters_are_decoded_and_kept_in_order(void **state)
{
    struct target t;

    (void)state;
    assert_int_equal(parse("/x?a=1&b=c+d%26e&empty=&bare&&=v", &t, NULL), ERR_NONE);
    assert_int_equal(t.params_n, 5);
    assert_str(target_param(&t, "a"), "1");
    assert_str(target_param(&t, "b"), "c d&e");
    assert_str(target_param(&t, "empty"), "");
    assert_non_null(target_param(&t, "empty").p);
    assert_non_null(target_param(&t, "bare").p);
    assert_null(target_param(&t, "absent").p);
    assert_str(t.params[4].value, "v");
}

static void the_absolute_form_is_a_path_as_well(void **state)
{
    struct target t;

    (void)state;
    assert_int_equal(parse("http://host:1/a?b=c", &t, NULL), ERR_NONE);
    assert_str(t.segments[0], "a");
    assert_str(target_param(&t, "b"), "c");
    assert_int_equal(parse("HTTPS://host/a#frag?no", &t, NULL), ERR_NONE);
    assert_int_equal(t.params_n, 0);
}

static void what_is_no_path_is_refused(void **state)
{
    static const char *const bad[] = {"",    "*",    "a",    "?a",   "http://host", "/%",
                                      "/%4", "/%zz", "/%00", "/%ff", "/\xff"};
    struct target t;
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (parse(bad[i], &t, &err) != ERR_SYNTAX)
            fail_msg("accepted: %s", bad[i]);
        assert_string_equal(err.where, "");
    }
}

static void a_wrong_value_names_its_parameter(void **state)
{
    struct target t;
    struct error err;

    (void)state;
    assert_int_equal(parse("/?a=1&name=%c3%28", &t, &err), ERR_SYNTAX);
    assert_string_equal(err.where, "?name");
    assert_int_equal(parse("/?%00=1", &t, &err), ERR_SYNTAX);
}

static void numbers_of_segments_and_parameters_are_bounded(void **state)
{
    struct target t;
    struct buf b;

    (void)state;
    assert_int_equal(parse("/1/2/3/4/5/6/7/8", &t, NULL), ERR_NONE);
    assert_false(t.too_deep);
    assert_int_equal(parse("/1/2/3/4/5/6/7/8/9", &t, NULL), ERR_NONE);
    assert_true(t.too_deep);
    buf_init(&b, 4096);
    buf_add_cstr(&b, "/?");
    for (int i = 0; i < QUERY_PARAMS_MAX; i++)
        buf_addf(&b, "a%d=1&", i);
    assert_int_equal(parse(b.p, &t, NULL), ERR_NONE);
    buf_add_cstr(&b, "b=1");
    assert_int_equal(parse(b.p, &t, NULL), ERR_SYNTAX);
    buf_done(&b);
}

static void unknown_and_repeated_parameters_are_named(void **state)
{
    static const char *const known[] = {"a", "b"};
    struct error_list faults = {0};
    struct target t;

    (void)state;
    assert_int_equal(parse("/?a=1&c=2&b=3&a=4", &t, NULL), ERR_NONE);
    target_check_params(&t, known, COUNT_OF(known), &faults);
    assert_int_equal(faults.n, 2);
    assert_string_equal(faults.items[0].where, "?c");
    assert_string_equal(faults.items[1].where, "?a");
}

static void numbers_are_whole_and_within_their_bounds(void **state)
{
    static const char *const bad[] = {
        "/?n=0", "/?n=11", "/?n=", "/?n=1.5", "/?n=x", "/?n=+1", "/?n=99999999999999999999"};
    struct error_list faults = {0};
    struct target t;

    (void)state;
    assert_int_equal(parse("/?n=10", &t, NULL), ERR_NONE);
    assert_int_equal(target_number(&t, "n", 5, 1, 10, &faults), 10);
    assert_int_equal(target_number(&t, "m", 5, 1, 10, &faults), 5);
    assert_int_equal(faults.n, 0);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(parse(bad[i], &t, NULL), ERR_NONE);
        (void)target_number(&t, "n", 5, 1, 10, &faults);
        assert_int_equal(faults.n, i + 1);
        assert_string_equal(faults.items[i].where, "?n");
    }
}

static void what_is_escaped_is_read_back(void **state)
{
    struct buf b;
    struct target t;

    (void)state;
    buf_init(&b, 4096);
    buf_add_cstr(&b, "/?v=");
    query_escape(&b, STR("a b&c=d+e%/한\"<>~"));
    assert_int_equal(parse(b.p, &t, NULL), ERR_NONE);
    assert_str(target_param(&t, "v"), "a b&c=d+e%/한\"<>~");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_cut_into_decoded_segments),
        cmocka_unit_test(parameters_are_decoded_and_kept_in_order),
        cmocka_unit_test(the_absolute_form_is_a_path_as_well),
        cmocka_unit_test(what_is_no_path_is_refused),
        cmocka_unit_test(a_wrong_value_names_its_parameter),
        cmocka_unit_test(numbers_of_segments_and_parameters_are_bounded),
        cmocka_unit_test(unknown_and_repeated_parameters_are_named),
        cmocka_unit_test(numbers_are_whole_and_within_their_bounds),
        cmocka_unit_test(what_is_escaped_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
