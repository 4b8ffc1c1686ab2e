/*
 * target.c: tests of whom a task calls, as far as queues are concerned.
 */
#include "model_fixture.h"

#include "base/str.h"
#include "model/target.h"

static struct task calls(enum task_type type, const char *host)
{
    return (struct task){.type = type, .host = str_of(host)};
}

static void the_authority_is_what_stands_before_the_path_without_user_and_password(void **state)
{
    static const char *const cases[][2] = {
        {"http://a.example/x/y", "a.example"},
        {"https://u:p@a.example:8443?q=//other/", "a.example:8443"},
        {"http://a.example", "a.example"},
        {"http://[::1]:80#f@g", "[::1]:80"},
        {"k1:9092,k2:9092", "k1:9092,k2:9092"},
        {"redis://u:p@r.example:6379/3", "r.example:6379"},
        {"http://", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct task t = calls(TASK_REST, cases[i][0]);

        assert_str_equal(target_authority(&t), cases[i][1]);
    }
}

static bool same(enum task_type a_type, const char *a, enum task_type b_type, const char *b)
{
    struct task x = calls(a_type, a);
    struct task y = calls(b_type, b);

    return uuid_eq(target_key(&x), target_key(&y));
}

static void one_host_is_one_target_and_another_host_or_type_is_another(void **state)
{
    (void)state;
    assert_true(same(TASK_REST, "http://a.example/x", TASK_REST, "http://A.Example/y?z"));
    assert_true(same(TASK_REST, "http://u:p@a.example/", TASK_REST, "http://a.example"));
    assert_false(same(TASK_REST, "http://a.example/", TASK_REST, "http://b.example/"));
    assert_false(same(TASK_REST, "http://a.example/", TASK_REST, "http://a.example:8080/"));
    assert_false(same(TASK_KAFKA, "a:1", TASK_REDIS, "a:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_authority_is_what_stands_before_the_path_without_user_and_password),
        cmocka_unit_test(one_host_is_one_target_and_another_host_or_type_is_another),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
