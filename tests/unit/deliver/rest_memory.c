/*
 * rest_memory.c: whichever allocation fails, ours or libcurl's, an attempt ends once and nothing leaks.
 */
#include "rest_fixture.h"

#include "base/alloc.h"

enum { ENOUGH = 2000 };

static void every_allocation_of_an_attempt_may_fail(void **state)
{
    size_t in_a_row = 0;
    size_t failures = 0;

    (void)state;
    /* A fresh deliverer each time, so that connections and handles are made again. */
    for (uint64_t n = 1; in_a_row < 20; n++) {
        struct fixture *f = fixture_new(&(struct fixture_options){.per_host_max = 4});
        struct attempt a;

        assert_true(n < ENOUGH);
        attempt_init(&a, f, "/");
        attempt_header(&a, "X-A", "b");
        /* Where libcurl forgets a socket for want of memory, only our deadline ends the attempt. */
        a.schedule.task.timeout_us = 200 * US_PER_MS;
        alloc_test_fail_nth(n);
        attempt_run(&a);
        alloc_test_fail_nth(0);
        if (a.delivery.result.ok) {
            in_a_row++;
        } else {
            assert_true(a.delivery.result.error[0] != '\0');
            in_a_row = 0;
            failures++;
        }
        /*
         * And the deliverer is none the worse for it. Not asked of every failure: libcurl 7.88 forgets that
         * it freed the table of a socket's transfers when that could not grow, and divides by its length at
         * the next use.
         */
        if (a.delivery.result.ok) {
            a.schedule.task.timeout_us = LONG_US;
            attempt_run(&a);
            assert_true(a.delivery.result.ok);
        }
        attempt_free(&a);
        fixture_free(f);
    }
    assert_true(failures > 20);
}

static void every_allocation_of_opening_may_fail(void **state)
{
    struct poll_reactor *p = poll_reactor_new();
    const struct deliver_options options = {.user_agent = "x", .connections_max = 1, .ca_file = "/x"};
    struct deliverer *d = NULL;
    uint64_t n = 1;

    (void)state;
    for (;; n++) {
        struct error err;
        enum err e;

        assert_true(n < ENOUGH);
        alloc_test_fail_nth(n);
        e = rest_open(poll_reactor_base(p), &options, &d, &err);
        alloc_test_fail_nth(0);
        if (!e)
            break;
        assert_int_equal(e, ERR_MEMORY);
        assert_null(d);
    }
    assert_true(n > 2);
    d->ops->close(d);
    poll_reactor_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_an_attempt_may_fail),
        cmocka_unit_test(every_allocation_of_opening_may_fail),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
