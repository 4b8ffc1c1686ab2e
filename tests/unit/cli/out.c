/*
 * out.c: what reaches a terminal: nothing that acts on it, and columns that line up.
 */
#include "cli/out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"

static void assert_plain(struct str s, const char *expected)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    buf_init(&out, 1024);
    out_add_plain(&out, s);
    assert_string_equal(buf_cstr(&out), expected);
}

static void control_characters_become_question_marks(void **state)
{
    (void)state;
    assert_plain(STR("plain text"), "plain text");
    assert_plain(STR("a\x1b[2Jb"), "a?[2Jb");
    assert_plain(STR("a\nb\tc\x7f"), "a?b?c?");
    assert_plain(STR("a\0b"), "a?b");
    assert_plain(STR("\xc2\x9b"
                     "1m"),
                 "?1m"); /* U+009B, CSI in one character */
    assert_plain(STR("caf\xc3\xa9 \xec\xb4\x88"), "caf\xc3\xa9 \xec\xb4\x88");
}

static void broken_utf8_becomes_question_marks(void **state)
{
    (void)state;
    assert_plain(STR("\xff"), "?");
    assert_plain(STR("a\xc3"), "a?");
    assert_plain(STR("\xed\xa0\x80"), "???"); /* a surrogate */
}

static void wide_characters_take_two_columns(void **state)
{
    (void)state;
    assert_int_equal(out_width(STR("abc")), 3);
    assert_int_equal(out_width(STR("\xec\xb4\x88\xec\x9d\xb8")), 4); /* 초인 */
    assert_int_equal(out_width(STR("e\xcc\x81")), 1);                /* e and a combining acute */
    assert_int_equal(out_width(STR("\xf0\x9f\x94\x94")), 2);         /* a bell */
    assert_int_equal(out_width(STR("\xc3\xa9")), 1);
}

static void print_rows(const char *const *cells, size_t n, size_t columns, struct buf *out)
{
    CLEANUP(grid_done_p) struct grid g = {0};
    struct error err = {0};

    grid_init(&g, columns);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(grid_add(&g, str_of(cells[i]), &err), ERR_NONE);
    grid_print(&g, "  ", out);
}

static void columns_line_up_and_no_line_ends_with_blanks(void **state)
{
    static const char *const cells[] = {"ID", "NAME", "NOTE", "1", "\xec\xb4\x88", "x", "22", "abc", ""};
    CLEANUP(buf_done_p) struct buf out = {0};

    (void)state;
    buf_init(&out, 1024);
    print_rows(cells, COUNT_OF(cells), 3, &out);
    assert_string_equal(buf_cstr(&out), "  ID  NAME  NOTE\n"
                                        "  1   \xec\xb4\x88    x\n"
                                        "  22  abc\n");
}

static void a_grid_of_no_rows_prints_nothing(void **state)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    (void)state;
    buf_init(&out, 1024);
    print_rows(NULL, 0, 2, &out);
    assert_string_equal(buf_cstr(&out), "");
}

static void running_out_of_memory_is_an_error(void **state)
{
    struct error err = {0};
    enum err e = ERR_MEMORY;

    (void)state;
    for (uint64_t n = 1; n < 20 && e == ERR_MEMORY; n++) {
        struct grid g;

        grid_init(&g, 1);
        alloc_test_fail_nth(n);
        e = grid_add(&g, STR("a cell"), &err);
        alloc_test_fail_nth(0);
        grid_done(&g);
    }
    assert_int_equal(e, ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_become_question_marks),
        cmocka_unit_test(broken_utf8_becomes_question_marks),
        cmocka_unit_test(wide_characters_take_two_columns),
        cmocka_unit_test(columns_line_up_and_no_line_ends_with_blanks),
        cmocka_unit_test(a_grid_of_no_rows_prints_nothing),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };

    return cmocka_run_group_tests_name("cli/out", tests, NULL, NULL);
}
