/*
 * error.c: tests of base/error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"

static void setting_an_error_fills_it_and_returns_its_code(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_set(&err, ERR_INVALID, "/name", "at most %d characters", 9), ERR_INVALID);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.where, "/name");
    assert_string_equal(err.text, "at most 9 characters");
    assert_int_equal(error_set(&err, ERR_BUSY, NULL, "full"), ERR_BUSY);
    assert_string_equal(err.where, "");
}

static void nobody_need_ask_for_the_details(void **state)
{
    (void)state;
    errno = EIO;
    assert_int_equal(error_set(NULL, ERR_IO, "x", "y"), ERR_IO);
    assert_int_equal(error_errno(NULL, "x", "y"), ERR_IO);
    error_prefix(NULL, "x");
    error_prefix_where(NULL, "x");
}

/* Whatever the length at which a text of two-, three- and four-byte characters is cut, it stays UTF-8. */
static void a_text_too_long_is_cut_between_characters(void **state)
{
    static const char *const characters[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x94\x94"};

    (void)state;
    for (size_t c = 0; c < COUNT_OF(characters); c++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[512];
            struct error err;
            size_t at = 0;

            while (at < shift)
                text[at++] = 'x';
            for (; at + 4 < sizeof(text); at += strlen(characters[c]))
                memcpy(text + at, characters[c], strlen(characters[c]) + 1);
            text[at] = '\0';
            (void)error_set(&err, ERR_INVALID, text, "%s", text);
            assert_true(str_is_utf8(str_of(err.text)));
            assert_true(str_is_utf8(str_of(err.where)));
            assert_true(strlen(err.text) >= sizeof(err.text) - 4);
            assert_true(strlen(err.where) >= sizeof(err.where) - 4);
        }
    }
}

static void a_text_that_just_fits_is_not_cut(void **state)
{
    struct error err;
    char text[sizeof(err.text)];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    memcpy(text + sizeof(text) - 4, "\xE2\x82\xAC", 3);
    (void)error_set(&err, ERR_INVALID, NULL, "%s", text);
    assert_string_equal(err.text, text);
}

static void a_text_one_byte_too_long_loses_its_last_character_whole(void **state)
{
    struct error err;
    char text[sizeof(err.text) + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + sizeof(text) - 3, "\xC3\xA9", 3);
    (void)error_set(&err, ERR_INVALID, NULL, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 2);
    assert_true(str_is_utf8(str_of(err.text)));
}

static void the_reason_of_a_system_call_is_told(void **state)
{
    struct error err;

    (void)state;
    errno = ENOENT;
    assert_int_equal(error_errno(&err, "zone", "cannot open %s", "it"), ERR_IO);
    assert_string_equal(err.where, "zone");
    assert_string_equal(err.text, "cannot open it: No such file or directory");
    errno = ENOMEM;
    assert_int_equal(error_errno(&err, NULL, "cannot map"), ERR_MEMORY);
    assert_int_equal(err.code, ERR_MEMORY);
}

static void an_error_can_be_told_in_its_own_words(void **state)
{
    struct error err;

    (void)state;
    (void)error_set(&err, ERR_IO, "here", "first");
    (void)error_set(&err, ERR_UNAVAILABLE, err.where, "and then %s", err.text);
    assert_string_equal(err.where, "here");
    assert_string_equal(err.text, "and then first");
}

static void prefixes_go_before_text_and_where(void **state)
{
    struct error err;

    (void)state;
    (void)error_set(&err, ERR_INVALID, "/host", "empty");
    error_prefix(&err, "item %d", 3);
    error_prefix_where(&err, "/connection");
    error_prefix_where(&err, "/task");
    assert_string_equal(err.text, "item 3: empty");
    assert_string_equal(err.where, "/task/connection/host");
}

static void a_long_prefix_cuts_the_end(void **state)
{
    struct error err;
    char prefix[400];

    (void)state;
    memset(prefix, 'p', sizeof(prefix));
    prefix[sizeof(prefix) - 1] = '\0';
    (void)error_set(&err, ERR_INVALID, "/x", "text");
    error_prefix(&err, "%s", prefix);
    error_prefix_where(&err, prefix);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(strlen(err.where), sizeof(err.where) - 1);
}

static void every_code_has_a_name_of_its_own(void **state)
{
#define X(code, name) name,
    static const char *const names[] = {ERR_LIST(X)};
#undef X

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(err_name((enum err)i), names[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
    assert_string_equal(err_name(ERR_TOO_LARGE), "too-large");
}

static void a_list_counts_what_it_does_not_hold(void **state)
{
    struct error_list list = {0};

    (void)state;
    for (int i = 0; i < ERROR_LIST_MAX + 3; i++)
        assert_int_equal(error_list_add(&list, ERR_INVALID, "/x", "fault %d", i), ERR_INVALID);
    assert_int_equal(list.n, ERROR_LIST_MAX);
    assert_int_equal(list.dropped, 3);
    assert_string_equal(list.items[0].text, "fault 0");
    assert_string_equal(list.items[ERROR_LIST_MAX - 1].text, "fault 15");
    assert_string_equal(list.items[7].where, "/x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_fills_it_and_returns_its_code),
        cmocka_unit_test(nobody_need_ask_for_the_details),
        cmocka_unit_test(a_text_too_long_is_cut_between_characters),
        cmocka_unit_test(a_text_that_just_fits_is_not_cut),
        cmocka_unit_test(a_text_one_byte_too_long_loses_its_last_character_whole),
        cmocka_unit_test(the_reason_of_a_system_call_is_told),
        cmocka_unit_test(an_error_can_be_told_in_its_own_words),
        cmocka_unit_test(prefixes_go_before_text_and_where),
        cmocka_unit_test(a_long_prefix_cuts_the_end),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
        cmocka_unit_test(a_list_counts_what_it_does_not_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
