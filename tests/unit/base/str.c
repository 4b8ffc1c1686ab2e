/*
 * str.c: tests of base/str.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

static const struct str none = {NULL, 0};

static void views_compare_by_their_bytes(void **state)
{
    (void)state;
    assert_true(str_eq(none, STR("")));
    assert_true(str_eq(STR("a\0b"), STR("a\0b")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_true(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_eq_nocase(STR("a"), STR("b")));
    assert_false(str_eq_nocase(STR("a"), STR("aa")));
    /* 'K' and the Kelvin sign, '[' and '{': only letters of ASCII fold. */
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_int_equal(str_of(NULL).n, 0);
    assert_int_equal(str_of("abc").n, 3);
}

static void order_is_by_unsigned_bytes_and_a_prefix_comes_first(void **state)
{
    (void)state;
    assert_int_equal(str_cmp(none, STR("")), 0);
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR("b"), STR("ab")) > 0);
    assert_true(str_cmp(STR("z"), STR("\xC3\xA9")) < 0);
    assert_int_equal(str_cmp(STR("same"), STR("same")), 0);
}

static void beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), none));
    assert_true(str_starts(none, none));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_true(str_ends(none, none));
    assert_false(str_ends(STR("c"), STR("bc")));
    assert_false(str_ends(STR("abd"), STR("bc")));
}

static void blanks_go_off_both_ends_only(void **state)
{
    (void)state;
    assert_true(str_eq(str_trim(STR(" \t\r\n a b \v\f")), STR("a b")));
    assert_int_equal(str_trim(STR("   ")).n, 0);
    assert_int_equal(str_trim(none).n, 0);
}

static void a_byte_is_found_or_the_end_is(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a,b"), ','), 1);
    assert_int_equal(str_find(STR("ab"), ','), 2);
    assert_int_equal(str_find(none, ','), 0);
}

static void cutting_yields_every_piece_the_empty_ones_too(void **state)
{
    static const struct str expected[] = {{"a", 1}, {"", 0}, {"bc", 2}, {"", 0}};
    struct str rest = STR("a,,bc,");
    struct str piece;
    size_t n = 0;

    (void)state;
    while (str_cut(&rest, ',', &piece)) {
        assert_true(n < COUNT_OF(expected));
        assert_true(str_eq(piece, expected[n]));
        n++;
    }
    assert_int_equal(n, COUNT_OF(expected));
    assert_null(rest.p);
    rest = STR("");
    assert_true(str_cut(&rest, ',', &piece));
    assert_int_equal(piece.n, 0);
    assert_false(str_cut(&rest, ',', &piece));
}

static void whole_numbers_are_read_to_their_last_value(void **state)
{
    int64_t i = 7;
    uint64_t u = 7;

    (void)state;
    assert_true(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(str_to_i64(STR("-0"), &i) && i == 0);
    assert_true(str_to_i64(STR("007"), &i) && i == 7);
    assert_true(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
}

static void what_is_not_a_whole_number_is_refused_and_changes_nothing(void **state)
{
    static const struct str bad[] = {{"", 0},    {NULL, 0},  {"-", 1},   {"+1", 2},
                                     {" 1", 2},  {"1 ", 2},  {"1.0", 3}, {"0x1", 3},
                                     {"--1", 3}, {"1e3", 3}, {"1\0", 2}, {"\xD9\xA1", 2}};
    static const struct str huge[] = {
        {"9223372036854775808", 19}, {"-9223372036854775809", 20}, {"99999999999999999999999999", 26}};
    int64_t i = 42;
    uint64_t u = 42;

    (void)state;
    for (size_t n = 0; n < COUNT_OF(bad); n++) {
        assert_false(str_to_i64(bad[n], &i));
        assert_false(str_to_u64(bad[n], &u));
    }
    for (size_t n = 0; n < COUNT_OF(huge); n++)
        assert_false(str_to_i64(huge[n], &i));
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR("-1"), &u));
    assert_int_equal(i, 42);
    assert_int_equal(u, 42);
}

static void seconds_are_read_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"50", 50000000},
        {"0.25", 250000},
        {"-1", -1000000},
        {"0.1", 100000},
        {"-0", 0},
        {"0.0000004", 0},
        {"0.0000005", 1},
        {"-0.0000005", -1},
        {"1.9999995", 2000000},
        {"1.99999949999", 1999999},
        {"1.000000", 1000000},
        {"1000000000000", INT64_C(1000000000000000000)},
        {"-1000000000000.0", INT64_C(-1000000000000000000)},
        {"999999999999.999999", INT64_C(999999999999999999)},
        /* As a double it would be 123456789012.12346. */
        {"123456789012.123457", INT64_C(123456789012123457)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us;

        assert_true(str_to_us(str_of(cases[i].text), &us));
        assert_true(us == cases[i].us);
    }
}

static void what_is_not_a_number_of_seconds_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      ".5",
                                      "1.",
                                      "1.5.5",
                                      "1e3",
                                      "+1",
                                      " 1",
                                      "1s",
                                      "0.0000005x",
                                      "--1",
                                      "1,5",
                                      "nan",
                                      "inf",
                                      "1.-5",
                                      "-.5",
                                      "1000000000000.000001",
                                      "1000000000001",
                                      "99999999999999999999999"};
    int64_t us = 42;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(str_to_us(str_of(bad[i]), &us));
    assert_false(str_to_us(none, &us));
    assert_int_equal(us, 42);
}

/* Unicode 15, table 3-7: what lies just inside and just outside each row. */
static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
    static const struct str good[] = {{NULL, 0},
                                      {"\x01\x7F", 2},
                                      {"\xC2\x80\xDF\xBF", 4},
                                      {"\xE0\xA0\x80\xEC\xBF\xBF", 6},
                                      {"\xED\x80\x80\xED\x9F\xBF", 6},
                                      {"\xEE\x80\x80\xEF\xBF\xBF", 6},
                                      {"\xF0\x90\x80\x80\xF3\xBF\xBF\xBF", 8},
                                      {"\xF4\x80\x80\x80\xF4\x8F\xBF\xBF", 8}};
    static const struct str bad[] = {{"\0", 1},
                                     {"\x80", 1},
                                     {"\xBF", 1},
                                     {"\xC0\x80", 2},
                                     {"\xC1\xBF", 2},
                                     {"\xC2", 1},
                                     {"\xC2\x41", 2},
                                     {"\xC2\xC0", 2},
                                     {"\xE0\x9F\xBF", 3},
                                     {"\xE1\x80", 2},
                                     {"\xE1\x80\xC0", 3},
                                     {"\xED\xA0\x80", 3},
                                     {"\xED\xBF\xBF", 3},
                                     {"\xF0\x8F\xBF\xBF", 4},
                                     {"\xF1\x80\x80", 3},
                                     {"\xF1\x80\x80\x41", 4},
                                     {"\xF4\x90\x80\x80", 4},
                                     {"\xF5\x80\x80\x80", 4},
                                     {"\xFE", 1},
                                     {"\xFF", 1}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(str_is_utf8(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(str_is_utf8(bad[i]));
}

static void one_character_is_measured(void **state)
{
    (void)state;
    assert_int_equal(str_utf8_char(none), 0);
    assert_int_equal(str_utf8_char(STR("ab")), 1);
    assert_int_equal(str_utf8_char(STR("\0")), 1);
    assert_int_equal(str_utf8_char(STR("\xC3\xA9x")), 2);
    assert_int_equal(str_utf8_char(STR("\xE2\x82\xAC")), 3);
    assert_int_equal(str_utf8_char(STR("\xF0\x9F\x94\x94")), 4);
    assert_int_equal(str_utf8_char(STR("\xF0\x9F\x94")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_by_their_bytes),
        cmocka_unit_test(order_is_by_unsigned_bytes_and_a_prefix_comes_first),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(blanks_go_off_both_ends_only),
        cmocka_unit_test(a_byte_is_found_or_the_end_is),
        cmocka_unit_test(cutting_yields_every_piece_the_empty_ones_too),
        cmocka_unit_test(whole_numbers_are_read_to_their_last_value),
        cmocka_unit_test(what_is_not_a_whole_number_is_refused_and_changes_nothing),
        cmocka_unit_test(seconds_are_read_exactly),
        cmocka_unit_test(what_is_not_a_number_of_seconds_is_refused),
        cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
        cmocka_unit_test(one_character_is_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
