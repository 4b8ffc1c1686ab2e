/*
 * buf.c: tests of base/buf.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

static void an_untouched_buffer_reads_as_empty(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    (void)state;
    buf_init(&b, 10);
    assert_null(b.p);
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(buf_str(&b).n, 0);
    assert_non_null(buf_str(&b).p);
    assert_true(buf_ok(&b));
}

static void pieces_of_every_kind_join(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    (void)state;
    buf_init(&b, 1000);
    buf_add(&b, STR("a"));
    buf_add(&b, (struct str){NULL, 0});
    buf_add_char(&b, 'b');
    buf_add_cstr(&b, "c");
    buf_add_cstr(&b, NULL);
    buf_add_i64(&b, INT64_MIN);
    buf_add_char(&b, ' ');
    buf_add_i64(&b, 0);
    buf_add_char(&b, ' ');
    buf_add_i64(&b, INT64_MAX);
    buf_add_char(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    buf_addf(&b, " %s=%d", "x", 7);
    assert_string_equal(buf_cstr(&b),
                        "abc-9223372036854775808 0 9223372036854775807 18446744073709551615 x=7");
    assert_int_equal(b.n, strlen(b.p));
}

static void text_up_to_the_limit_fits_and_one_byte_more_does_not(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    struct error err;

    (void)state;
    buf_init(&b, 5);
    buf_add(&b, STR("12345"));
    assert_true(buf_ok(&b));
    assert_int_equal(buf_check(&b, "x", &err), ERR_NONE);
    buf_add_char(&b, '6');
    assert_false(buf_ok(&b));
    assert_int_equal(buf_check(&b, "the body", &err), ERR_TOO_LARGE);
    assert_string_equal(err.where, "the body");
    assert_string_equal(err.text, "longer than 5 bytes");
    assert_string_equal(buf_cstr(&b), "12345");
}

static void a_failure_sticks_until_the_buffer_is_cleared(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    (void)state;
    buf_init(&b, 3);
    buf_add(&b, STR("1234"));
    buf_add(&b, STR("1"));
    assert_int_equal(b.n, 0);
    assert_int_equal(b.failed, ERR_TOO_LARGE);
    buf_clear(&b);
    buf_add(&b, STR("1"));
    assert_true(buf_ok(&b));
    assert_string_equal(buf_cstr(&b), "1");
}

static void a_failed_allocation_sticks_and_keeps_what_was_there(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    struct error err;

    (void)state;
    buf_init(&b, 10000);
    buf_add(&b, STR("kept"));
    alloc_test_fail_nth(1);
    buf_addf(&b, "%500d", 1);
    buf_add(&b, STR("ignored"));
    assert_string_equal(buf_cstr(&b), "kept");
    assert_int_equal(buf_check(&b, NULL, &err), ERR_MEMORY);
}

static void formatting_grows_the_buffer(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    (void)state;
    buf_init(&b, 100000);
    buf_addf(&b, "%*d", 63, 1);
    buf_addf(&b, "%*d", 64, 2);
    buf_addf(&b, "%*d", 5000, 3);
    assert_int_equal(b.n, 63 + 64 + 5000);
    assert_int_equal(strlen(b.p), b.n);
    assert_int_equal(b.p[62], '1');
    assert_int_equal(b.p[126], '2');
    assert_int_equal(b.p[b.n - 1], '3');
}

static void formatting_beyond_the_limit_adds_nothing(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    (void)state;
    buf_init(&b, 10);
    buf_add(&b, STR("abc"));
    buf_addf(&b, "%s", "12345678");
    assert_int_equal(b.failed, ERR_TOO_LARGE);
    assert_string_equal(buf_cstr(&b), "abc");
    assert_int_equal(b.n, 3);
}

static void a_limit_without_end_does_not_overflow(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    (void)state;
    buf_init(&b, SIZE_MAX);
    buf_add(&b, STR("x"));
    assert_true(buf_ok(&b));
    /* Of a length that cannot be; its pointer is never followed. */
    buf_add(&b, (struct str){"", SIZE_MAX});
    assert_int_equal(b.failed, ERR_TOO_LARGE);
}

static void expect_json(struct str s, const char *expected)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 1000);
    buf_add_json(&b, s);
    assert_string_equal(buf_cstr(&b), expected);
}

static void a_json_string_is_escaped_where_it_must_be(void **state)
{
    (void)state;
    expect_json(STR(""), "\"\"");
    expect_json((struct str){NULL, 0}, "\"\"");
    expect_json(STR("plain"), "\"plain\"");
    expect_json(STR("\"\\/"), "\"\\\"\\\\/\"");
    expect_json(STR("a\b\f\n\r\tz"), "\"a\\b\\f\\n\\r\\tz\"");
    expect_json(STR("\x00\x01\x1f"), "\"\xEF\xBF\xBD\\u0001\\u001f\"");
    expect_json(STR("caf\xC3\xA9 \xF0\x9F\x94\x94"), "\"caf\xC3\xA9 \xF0\x9F\x94\x94\"");
}

static void bytes_that_are_not_utf8_become_replacement_characters(void **state)
{
    (void)state;
    expect_json(STR("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    expect_json(STR("\xC3"), "\"\xEF\xBF\xBD\"");
    expect_json(STR("\xC3\""), "\"\xEF\xBF\xBD\\\"\"");
    expect_json(STR("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void a_taken_text_is_the_takers(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    CLEANUP(alloc_free_p) char *text = NULL;
    CLEANUP(alloc_free_p) char *empty = NULL;
    size_t n = 99;

    (void)state;
    buf_init(&b, 100);
    buf_add(&b, STR("text"));
    assert_int_equal(buf_take(&b, &text, &n, NULL), ERR_NONE);
    assert_string_equal(text, "text");
    assert_int_equal(n, 4);
    assert_int_equal(b.n, 0);
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(buf_take(&b, &empty, NULL, NULL), ERR_NONE);
    assert_string_equal(empty, "");
}

static void a_text_that_is_not_whole_cannot_be_taken(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    char *text = NULL;
    struct error err;

    (void)state;
    buf_init(&b, 2);
    buf_add(&b, STR("ok"));
    buf_add(&b, STR("more"));
    assert_int_equal(buf_take(&b, &text, NULL, &err), ERR_TOO_LARGE);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untouched_buffer_reads_as_empty),
        cmocka_unit_test(pieces_of_every_kind_join),
        cmocka_unit_test(text_up_to_the_limit_fits_and_one_byte_more_does_not),
        cmocka_unit_test(a_failure_sticks_until_the_buffer_is_cleared),
        cmocka_unit_test(a_failed_allocation_sticks_and_keeps_what_was_there),
        cmocka_unit_test(formatting_grows_the_buffer),
        cmocka_unit_test(formatting_beyond_the_limit_adds_nothing),
        cmocka_unit_test(a_limit_without_end_does_not_overflow),
        cmocka_unit_test(a_json_string_is_escaped_where_it_must_be),
        cmocka_unit_test(bytes_that_are_not_utf8_become_replacement_characters),
        cmocka_unit_test(a_taken_text_is_the_takers),
        cmocka_unit_test(a_text_that_is_not_whole_cannot_be_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
