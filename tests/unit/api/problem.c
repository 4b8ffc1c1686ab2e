/*
 * problem.c: every failure has a status, and every problem is whole JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/problem.h"
#include "base/json.h"
#include "base/str.h"

static json_t *written(enum problem p, const char *detail, const struct error_list *faults)
{
    struct buf b;
    struct error err;
    json_t *json;

    buf_init(&b, 65536);
    problem_write(&b, p, str_of(detail), faults);
    assert_true(buf_ok(&b));
    if (json_parse(buf_str(&b), 8, &json, &err))
        fail_msg("%s: %s", err.text, b.p);
    buf_done(&b);
    return json;
}

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static void every_code_has_a_problem_and_every_problem_a_status(void **state)
{
#define X(code, name) code,
    static const enum err codes[] = {ERR_LIST(X)};
#undef X

    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        assert_in_range(problem_status(problem_of(codes[i])), 400, 503);
    assert_int_equal(problem_status(problem_of(ERR_SYNTAX)), 400);
    assert_int_equal(problem_status(problem_of(ERR_INVALID)), 422);
    assert_int_equal(problem_status(problem_of(ERR_PRECONDITION)), 412);
    assert_int_equal(problem_status(problem_of(ERR_BUSY)), 503);
}

static void only_what_may_pass_asks_to_try_again(void **state)
{
    (void)state;
    assert_int_equal(problem_retry_after(PROBLEM_INVALID), 0);
    assert_int_equal(problem_retry_after(PROBLEM_BUSY), 1);
    assert_true(problem_retry_after(PROBLEM_UNAVAILABLE) > 1);
}

static void a_problem_has_the_members_of_rfc_9457(void **state)
{
    json_t *p = written(PROBLEM_NOT_FOUND, "there is \"none\"", NULL);

    (void)state;
    assert_string_equal(text_of(p, "type"), "urn:carillon:problem:not-found");
    assert_string_equal(text_of(p, "title"), "Not found");
    assert_string_equal(text_of(p, "detail"), "there is \"none\"");
    assert_int_equal(json_integer_value(json_object_get(p, "status")), 404);
    assert_null(json_object_get(p, "errors"));
    json_free(p);
    p = written(PROBLEM_METHOD, "", NULL);
    assert_null(json_object_get(p, "detail"));
    json_free(p);
}

static void each_fault_is_placed_by_its_kind(void **state)
{
    static const struct {
        const char *where;
        const char *member;
        const char *value;
    } cases[] = {
        {"/task/type", "pointer", "/task/type"},
        {"", "pointer", ""},
        {"?limit", "parameter", "limit"},
        {":If-Match", "header", "If-Match"},
        {"line 1, column 2", "position", "line 1, column 2"},
    };
    struct error_list faults = {0};
    json_t *p;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        (void)error_list_add(&faults, ERR_INVALID, cases[i].where, "fault %zu", i);
    faults.dropped = 3;
    p = written(PROBLEM_INVALID, "", &faults);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const json_t *one = json_array_get(json_object_get(p, "errors"), i);

        assert_string_equal(text_of(one, cases[i].member), cases[i].value);
        assert_int_equal(json_object_size(one), 2);
    }
    assert_int_equal(json_integer_value(json_object_get(p, "more_errors")), 3);
    json_free(p);
}

static void names_of_tables_are_not_told(void **state)
{
    struct error err;
    struct buf b;

    (void)state;
    (void)error_set(&err, ERR_UNAVAILABLE, "schedule", "the disk is full");
    buf_init(&b, 4096);
    problem_write_error(&b, PROBLEM_UNAVAILABLE, &err);
    assert_null(strstr(b.p, "errors"));
    buf_clear(&b);
    (void)error_set(&err, ERR_SYNTAX, "line 1, column 2", "unexpected x");
    problem_write_error(&b, PROBLEM_SYNTAX, &err);
    assert_non_null(strstr(b.p, "\"errors\":[{\"position\":\"line 1, column 2\""));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_problem_and_every_problem_a_status),
        cmocka_unit_test(only_what_may_pass_asks_to_try_again),
        cmocka_unit_test(a_problem_has_the_members_of_rfc_9457),
        cmocka_unit_test(each_fault_is_placed_by_its_kind),
        cmocka_unit_test(names_of_tables_are_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
