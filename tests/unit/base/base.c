/*
 * base.c: tests of base/base.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"

static void a_broken_invariant_says_where_and_stops(void **state)
{
    char said[256] = {0};
    int ends[2];
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        MUST(1 + 1 == 3);
        _exit(0);
    }
    assert_int_equal(close(ends[1]), 0);
    assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "1 + 1 == 3"));
    assert_non_null(strstr(said, "base.c:"));
}

static void an_invariant_that_holds_is_evaluated_once(void **state)
{
    int n = 0;

    (void)state;
    MUST(++n > 0);
    assert_int_equal(n, 1);
}

static void taking_leaves_nothing_behind(void **state)
{
    int x = 0;
    int *p = &x;

    (void)state;
    assert_ptr_equal(TAKE(p), &x);
    assert_null(p);
}

struct outer {
    int before;
    int member;
};

static void the_container_of_a_member_is_found(void **state)
{
    struct outer o = {0};

    (void)state;
    assert_ptr_equal(CONTAINER_OF(&o.member, struct outer, member), &o);
}

static void times_saturate_instead_of_overflowing(void **state)
{
    (void)state;
    assert_int_equal(wall_add((struct wall){5}, -7).us, -2);
    assert_true(wall_is_never(wall_add((struct wall){INT64_MAX - 1}, 2)));
    assert_true(wall_add((struct wall){INT64_MIN + 1}, -2).us == INT64_MIN);
    assert_true(wall_is_never(wall_add(WALL_NEVER, 1)));
    assert_true(mono_add((struct mono){INT64_MAX}, 1).us == INT64_MAX);
    assert_true(mono_add((struct mono){INT64_MIN}, -1).us == INT64_MIN);
}

static void the_earlier_and_the_later_of_two_times(void **state)
{
    struct wall early = {1};

    (void)state;
    assert_int_equal(wall_min(early, WALL_NEVER).us, 1);
    assert_int_equal(wall_min(WALL_NEVER, early).us, 1);
    assert_true(wall_is_never(wall_max(early, WALL_NEVER)));
    assert_false(wall_is_never((struct wall){WALL_MAX_US}));
}

static int freed;

static void count_free(int *p)
{
    freed += p ? 1 : 0;
}
CLEANUP_FN(int, count_free)

static void a_cleanup_runs_at_the_end_of_the_scope(void **state)
{
    (void)state;
    {
        int x = 0;
        CLEANUP(count_free_p) int *kept = &x;
        CLEANUP(count_free_p) int *given = &x;

        (void)TAKE(given);
        assert_non_null(kept);
    }
    assert_int_equal(freed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_invariant_says_where_and_stops),
        cmocka_unit_test(an_invariant_that_holds_is_evaluated_once),
        cmocka_unit_test(taking_leaves_nothing_behind),
        cmocka_unit_test(the_container_of_a_member_is_found),
        cmocka_unit_test(times_saturate_instead_of_overflowing),
        cmocka_unit_test(the_earlier_and_the_later_of_two_times),
        cmocka_unit_test(a_cleanup_runs_at_the_end_of_the_scope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
