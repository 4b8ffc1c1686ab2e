/*
 * etag.c: conditions by version.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/etag.h"
#include "base/str.h"

static int64_t match(const char *header)
{
    int64_t version;

    assert_int_equal(etag_if_match(header ? str_of(header) : (struct str){NULL, 0}, &version, NULL),
                     ERR_NONE);
    return version;
}

static void a_tag_is_the_version_in_quotes(void **state)
{
    char etag[ETAG_MAX];

    (void)state;
    etag_format(7, etag);
    assert_string_equal(etag, "\"7\"");
    etag_format(INT64_MAX, etag);
    assert_int_equal(match(etag), INT64_MAX);
}

static void no_condition_and_a_star_match_any(void **state)
{
    (void)state;
    assert_int_equal(match(NULL), 0);
    assert_int_equal(match("*"), 0);
    assert_int_equal(match(" * "), 0);
}

static void a_tag_of_ours_is_that_version(void **state)
{
    (void)state;
    assert_int_equal(match("\"12\""), 12);
    assert_int_equal(match(" \"12\" , \"12\""), 12);
    assert_int_equal(match("\"abc\", \"12\""), 12);
    assert_int_equal(match("\"a,b\""), -1);
}

static void what_no_version_looks_like_matches_none(void **state)
{
    static const char *const never[] = {"W/\"1\"", "\"0\"",   "\"-1\"", "\"+1\"",
                                        "\"01\"",  "\"abc\"", "\"\"",   "\"99999999999999999999\""};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(never); i++)
        assert_int_equal(match(never[i]), -1);
}

static void malformed_lists_are_refused(void **state)
{
    static const char *const bad[] = {"", "1", "\"1", "\"1\"\"2\"", "\"1\", x", "\"1\", \"2\"", ",", "W/1"};
    struct error err;
    int64_t version = 77;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (etag_if_match(str_of(bad[i]), &version, &err) != ERR_SYNTAX)
            fail_msg("accepted: %s", bad[i]);
        assert_string_equal(err.where, ":If-Match");
    }
    assert_int_equal(version, 77);
}

static void none_match_compares_weakly(void **state)
{
    (void)state;
    assert_true(etag_none_match(STR("\"3\""), 3));
    assert_true(etag_none_match(STR("W/\"3\""), 3));
    assert_true(etag_none_match(STR("\"1\", \"3\""), 3));
    assert_true(etag_none_match(STR("*"), 3));
    assert_false(etag_none_match(STR("\"4\""), 3));
    assert_false(etag_none_match(STR("3"), 3));
    assert_false(etag_none_match((struct str){NULL, 0}, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_the_version_in_quotes),
        cmocka_unit_test(no_condition_and_a_star_match_any),
        cmocka_unit_test(a_tag_of_ours_is_that_version),
        cmocka_unit_test(what_no_version_looks_like_matches_none),
        cmocka_unit_test(malformed_lists_are_refused),
        cmocka_unit_test(none_match_compares_weakly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
