/*
 * log.c: tests of base/log. A socket that keeps datagrams apart shows how many write(2) a line took.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

enum { LINE_ROOM = 128 * 1024 };

struct fixture {
    int ends[2];
    char line[LINE_ROOM];
};

static int open_socket(void **state)
{
    static struct fixture f;
    int room = LINE_ROOM;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, f.ends) != 0)
        return -1;
    *state = &f;
    return setsockopt(f.ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

static int close_socket(void **state)
{
    struct fixture *f = *state;

    return close(f->ends[0]) + close(f->ends[1]);
}

/* The next line, without its end; "" when none was written. */
static const char *next_line(struct fixture *f)
{
    ssize_t n = recv(f->ends[0], f->line, sizeof(f->line) - 1, 0);

    if (n <= 0)
        return "";
    assert_int_equal(f->line[n - 1], '\n');
    f->line[n - 1] = '\0';
    assert_null(strchr(f->line, '\n'));
    return f->line;
}

/* The line as JSON; the caller's. */
static json_t *next_json(struct fixture *f)
{
    json_t *v = NULL;

    assert_int_equal(json_parse(str_of(next_line(f)), 1, &v, NULL), ERR_NONE);
    return v;
}

static const char *member(const json_t *v, const char *name)
{
    const char *s = json_string_value(json_object_get(v, name));

    assert_non_null(s);
    return s;
}

static void expect_time(const char *text)
{
    int year;
    int end = 0;
    int rest[6];

    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &rest[0], &rest[1], &rest[2],
                            &rest[3], &rest[4], &rest[5], &end),
                     7);
    assert_int_equal(end, 24);
    assert_in_range(year, 2020, 9999);
}

static void a_text_line_is_time_level_room_message_and_members(void **state)
{
    struct fixture *f = *state;
    CLEANUP(log_free_p) struct log *l = log_new(f->ends[1], LOG_TEXT, LOG_INFO);
    struct uuid id = {{0x01, 0x93}};
    const char *line;

    log_event(l, LOG_INFO, "engine", "run finished", KV_UUID("run", id), KV_I64("attempt", -2),
              KV_BOOL("late", true), KV_CSTR("zone", "Asia/Seoul"));
    line = next_line(f);
    expect_time(line);
    assert_string_equal(line + 24,
                        " info  engine  run finished  run=01930000-0000-0000-0000-000000000000 attempt=-2"
                        " late=true zone=Asia/Seoul");
    assert_string_equal(next_line(f), "");
    log_plain(l, LOG_ERROR, "main", "no way on");
    assert_string_equal(next_line(f) + 24, " error main  no way on");
}

static void a_text_value_cannot_pretend_to_be_something_else(void **state)
{
    struct fixture *f = *state;
    CLEANUP(log_free_p) struct log *l = log_new(f->ends[1], LOG_TEXT, LOG_INFO);

    log_event(l, LOG_INFO, "api", "m", KV_CSTR("a", "x y"), KV_CSTR("b", "x=1"), KV_CSTR("c", "\n\x1b[31m"),
              KV_CSTR("d", ""), KV_CSTR("e", "\"q\""), KV_CSTR("f", NULL));
    assert_string_equal(
        next_line(f) + 24,
        " info  api  m  a=\"x y\" b=\"x=1\" c=\"\\n\\u001b[31m\" d=\"\" e=\"\\\"q\\\"\" f=\"\"");
}

static void a_json_line_is_one_object_with_typed_members(void **state)
{
    struct fixture *f = *state;
    CLEANUP(log_free_p) struct log *l = log_new(f->ends[1], LOG_JSON, LOG_DEBUG);
    CLEANUP(json_free_p) json_t *v = NULL;

    log_event(l, LOG_DEBUG, "store", "a \"quoted\" message", KV_STR("s", STR("\x01\xFF\xC3\xA9")),
              KV_I64("n", INT64_MIN), KV_BOOL("b", false), KV_UUID("u", (struct uuid){{0}}));
    v = next_json(f);
    expect_time(member(v, "time"));
    assert_string_equal(member(v, "level"), "debug");
    assert_string_equal(member(v, "room"), "store");
    assert_string_equal(member(v, "msg"), "a \"quoted\" message");
    assert_string_equal(member(v, "s"), "\x01\xEF\xBF\xBD\xC3\xA9");
    assert_true(json_integer_value(json_object_get(v, "n")) == INT64_MIN);
    assert_true(json_is_false(json_object_get(v, "b")));
    assert_string_equal(member(v, "u"), "00000000-0000-0000-0000-000000000000");
}

static void a_line_without_members_is_whole_in_json_too(void **state)
{
    struct fixture *f = *state;
    CLEANUP(log_free_p) struct log *l = log_new(f->ends[1], LOG_JSON, LOG_INFO);
    CLEANUP(json_free_p) json_t *v = NULL;

    log_plain(l, LOG_WARN, "main", "ready");
    v = next_json(f);
    assert_int_equal(json_object_size(v), 4);
    assert_string_equal(member(v, "level"), "warn");
}

static void what_is_below_the_level_is_not_written_nor_evaluated(void **state)
{
    struct fixture *f = *state;
    CLEANUP(log_free_p) struct log *l = log_new(f->ends[1], LOG_TEXT, LOG_WARN);
    int evaluated = 0;

    log_event(l, LOG_INFO, "x", "y", KV_I64("n", ++evaluated));
    log_plain(l, LOG_DEBUG, "x", "y");
    log_event(NULL, LOG_ERROR, "x", "y", KV_I64("n", ++evaluated));
    log_plain(NULL, LOG_ERROR, "x", "y");
    assert_int_equal(evaluated, 0);
    assert_string_equal(next_line(f), "");
    assert_true(log_wants(l, LOG_WARN));
    assert_true(log_wants(l, LOG_ERROR));
    assert_false(log_wants(l, LOG_INFO));
    assert_false(log_wants(NULL, LOG_ERROR));
}

static void a_long_value_is_cut_between_characters(void **state)
{
    struct fixture *f = *state;
    CLEANUP(log_free_p) struct log *l = log_new(f->ends[1], LOG_JSON, LOG_INFO);
    char text[3001];

    for (size_t shift = 0; shift < 3; shift++) {
        CLEANUP(json_free_p) json_t *v = NULL;

        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4);
        log_event(l, LOG_INFO, "x", "y", KV_CSTR("s", text));
        v = next_json(f);
        assert_null(strstr(member(v, "s"), "\xEF\xBF\xBD"));
        assert_in_range(strlen(member(v, "s")), 1022, 1024);
    }
}

static void too_many_members_do_not_cost_the_event(void **state)
{
    struct fixture *f = *state;
    CLEANUP(log_free_p) struct log *l = log_new(f->ends[1], LOG_JSON, LOG_INFO);
    CLEANUP(json_free_p) json_t *v = NULL;
    struct log_kv kv[30];
    char text[1001];

    /* Each byte is written as six. */
    memset(text, 1, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(kv); i++)
        kv[i] = KV_CSTR("k", text);
    log_write(l, LOG_INFO, "x", "it happened", kv, COUNT_OF(kv));
    v = next_json(f);
    assert_string_equal(member(v, "msg"), "it happened");
    assert_true(json_is_true(json_object_get(v, "cut")));
}

static void an_error_is_told_with_code_place_and_text(void **state)
{
    struct fixture *f = *state;
    CLEANUP(log_free_p) struct log *l = log_new(f->ends[1], LOG_TEXT, LOG_INFO);
    struct error err;

    (void)error_set(&err, ERR_UNAVAILABLE, "db:5432", "cannot connect");
    log_error(l, LOG_WARN, "store", "database lost", &err);
    assert_string_equal(
        next_line(f) + 24,
        " warn  store  database lost  error=unavailable where=db:5432 detail=\"cannot connect\"");
    (void)error_set(&err, ERR_BUSY, NULL, "full");
    log_error(l, LOG_WARN, "store", "refused", &err);
    assert_string_equal(next_line(f) + 24, " warn  store  refused  error=busy detail=full");
}

static void a_log_nobody_reads_does_no_harm(void **state)
{
    CLEANUP(log_free_p) struct log *l = log_new(-1, LOG_TEXT, LOG_INFO);

    (void)state;
    log_plain(l, LOG_ERROR, "x", "y");
}

static void levels_are_read_by_name(void **state)
{
    enum log_level level = LOG_ERROR;

    (void)state;
    assert_true(log_level_parse(STR("debug"), &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_parse(STR("error"), &level));
    assert_int_equal(level, LOG_ERROR);
    assert_false(log_level_parse(STR("verbose"), &level));
    assert_false(log_level_parse(STR(""), &level));
}

#define WITH_SOCKET(test) cmocka_unit_test_setup_teardown(test, open_socket, close_socket)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SOCKET(a_text_line_is_time_level_room_message_and_members),
        WITH_SOCKET(a_text_value_cannot_pretend_to_be_something_else),
        WITH_SOCKET(a_json_line_is_one_object_with_typed_members),
        WITH_SOCKET(a_line_without_members_is_whole_in_json_too),
        WITH_SOCKET(what_is_below_the_level_is_not_written_nor_evaluated),
        WITH_SOCKET(a_long_value_is_cut_between_characters),
        WITH_SOCKET(too_many_members_do_not_cost_the_event),
        WITH_SOCKET(an_error_is_told_with_code_place_and_text),
        cmocka_unit_test(a_log_nobody_reads_does_no_harm),
        cmocka_unit_test(levels_are_read_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
