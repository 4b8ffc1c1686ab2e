/*
 * reader.c: lines however they come through a pipe, and those that are too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "move/reader.h"

/* A pipe that holds `text` and is closed. */
static int pipe_of(const char *text, size_t n)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, n), n);
    assert_int_equal(close(fds[1]), 0);
    return fds[0];
}

static bool next(struct reader *r, struct str *ret, bool *ret_long)
{
    struct error err = {0};
    bool there = false;

    assert_int_equal(reader_next(r, ret, ret_long, &there, &err), ERR_NONE);
    return there;
}

static void expect(struct reader *r, const char *text)
{
    struct str line;
    bool is_long;

    assert_true(next(r, &line, &is_long));
    assert_false(is_long);
    assert_true(str_eq(line, str_of(text)));
}

static void expect_long(struct reader *r)
{
    struct str line;
    bool is_long;

    assert_true(next(r, &line, &is_long));
    assert_true(is_long);
    assert_int_equal(line.n, 0);
}

static void expect_end(struct reader *r)
{
    struct str line;
    bool is_long;

    assert_false(next(r, &line, &is_long));
    assert_false(next(r, &line, &is_long));
}

static void lines_end_with_a_newline_or_with_the_file(void **state)
{
    static const char text[] = "one\n\ntwo\nthree";
    struct reader r;
    int fd = pipe_of(text, sizeof(text) - 1);

    (void)state;
    reader_init(&r, fd, 100);
    expect(&r, "one");
    expect(&r, "");
    expect(&r, "two");
    assert_int_equal(r.line, 3);
    expect(&r, "three");
    expect_end(&r);
    assert_int_equal(r.line, 4);
    reader_done(&r);
    assert_int_equal(close(fd), 0);
}

static void an_empty_file_has_no_line(void **state)
{
    struct reader r;
    int fd = pipe_of("", 0);

    (void)state;
    reader_init(&r, fd, 100);
    expect_end(&r);
    reader_done(&r);
    assert_int_equal(close(fd), 0);
}

static void a_line_that_comes_in_pieces_is_one(void **state)
{
    static const char *const pieces[] = {"a", "b\nc", "", "d", "\n"};
    struct reader r;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    reader_init(&r, fds[0], 100);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(write(fds[1], pieces[i], strlen(pieces[i])), strlen(pieces[i]));
    expect(&r, "ab");
    for (size_t i = 2; i < COUNT_OF(pieces); i++)
        assert_int_equal(write(fds[1], pieces[i], strlen(pieces[i])), strlen(pieces[i]));
    assert_int_equal(close(fds[1]), 0);
    expect(&r, "cd");
    expect_end(&r);
    reader_done(&r);
    assert_int_equal(close(fds[0]), 0);
}

static void a_line_of_the_limit_is_read_and_a_longer_one_passed_over(void **state)
{
    static const char text[] = "1234\n12345\n123456789012345\nab\n123456";
    struct reader r;
    int fd = pipe_of(text, sizeof(text) - 1);

    (void)state;
    reader_init(&r, fd, 4);
    expect(&r, "1234");
    expect_long(&r);
    expect_long(&r);
    expect(&r, "ab");
    expect_long(&r);
    expect_end(&r);
    assert_int_equal(r.line, 5);
    reader_done(&r);
    assert_int_equal(close(fd), 0);
}

static void what_is_passed_over_is_not_kept(void **state)
{
    enum { MANY = 50, PIECE = 60000 };
    static char piece[PIECE];
    struct reader r;
    struct str line;
    bool is_long;
    int fds[2];
    pid_t child;

    (void)state;
    memset(piece, 'x', sizeof(piece));
    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (int i = 0; i < MANY; i++) {
            size_t done = 0;

            while (done < sizeof(piece)) {
                ssize_t n = write(fds[1], piece + done, sizeof(piece) - done);

                if (n <= 0)
                    _exit(1);
                done += (size_t)n;
            }
        }
        _exit(write(fds[1], "\nend\n", 5) == 5 ? 0 : 1);
    }
    assert_int_equal(close(fds[1]), 0);
    reader_init(&r, fds[0], PIECE);
    assert_true(next(&r, &line, &is_long));
    assert_true(is_long);
    expect(&r, "end");
    assert_true(r.cap <= 4 * PIECE);
    expect_end(&r);
    reader_done(&r);
    assert_int_equal(close(fds[0]), 0);
}

static void a_descriptor_that_cannot_be_read_is_an_error(void **state)
{
    struct error err = {0};
    struct reader r;
    struct str line;
    bool is_long;
    bool there;

    (void)state;
    reader_init(&r, -1, 10);
    assert_int_equal(reader_next(&r, &line, &is_long, &there, &err), ERR_IO);
    reader_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_a_newline_or_with_the_file),
        cmocka_unit_test(an_empty_file_has_no_line),
        cmocka_unit_test(a_line_that_comes_in_pieces_is_one),
        cmocka_unit_test(a_line_of_the_limit_is_read_and_a_longer_one_passed_over),
        cmocka_unit_test(what_is_passed_over_is_not_kept),
        cmocka_unit_test(a_descriptor_that_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
