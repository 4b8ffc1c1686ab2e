/*
 * core_lease.c: leases: kept while they can be, believed no longer than they last.
 */
#include "core_fixture.h"

static void what_is_in_flight_is_renewed_at_a_third_of_its_lease(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){.safety_poll_us = 3600 * US_PER_S});
    first_claim(&f, NULL, 0, WALL_NEVER);
    start_run(&f, 7);
    assert_int_equal(core_wake_at(f.core).mono.us, f.now.mono.us + 10 * US_PER_S);
    tick(&f, 10 * US_PER_S);
    a = expect(&f, CORE_RENEW);
    assert_int_equal(a.n, 1);
    assert_true(uuid_eq(a.runs[0], id_of(7)));
    assert_int_equal(a.tokens[0], 7);
    expect_nothing(&f);
    tick(&f, 9 * US_PER_S);
    expect_nothing(&f); /* one at a time */
    core_on_renewed(f.core, f.now, in(&f, 30 * US_PER_S), NULL, 0);
    expect_nothing(&f);
    tick(&f, US_PER_S); /* ten seconds after it was asked for, not after the answer */
    expect(&f, CORE_RENEW);
}

static void nothing_held_means_nothing_to_renew(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result ok = ok_result();
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){.safety_poll_us = 3600 * US_PER_S});
    first_claim(&f, NULL, 0, WALL_NEVER);
    h = start_run(&f, 7);
    core_on_attempt_ended(f.core, f.now, h, &ok);
    expect(&f, CORE_RECORD);
    recorded(&f, 1);
    tick(&f, 600 * US_PER_S);
    expect_nothing(&f);
}

static void a_renewal_is_bounded_and_followed_by_the_next(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    enum { N = 1500 };
    static struct core_claimed items[N];
    size_t seen = 0;

    (void)state;
    fixture_init(&f, (struct core_options){.safety_poll_us = 3600 * US_PER_S});
    for (unsigned i = 0; i < N; i++)
        items[i] = item(&f, i + 1, i + 1, 3600 * US_PER_S);
    first_claim(&f, items, N, WALL_NEVER);
    tick(&f, 10 * US_PER_S);
    while (seen < N) {
        struct core_action a = expect(&f, CORE_RENEW);

        assert_in_range(a.n, 1, 1000);
        seen += a.n;
        core_on_renewed(f.core, f.now, in(&f, 30 * US_PER_S), NULL, 0);
    }
    assert_int_equal(seen, N);
    expect_nothing(&f);
}

static void a_waiting_run_whose_lease_was_lost_is_let_go(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[2];
    struct uuid lost = id_of(1);

    (void)state;
    fixture_init(&f, (struct core_options){0});
    items[0] = item(&f, 1, 1, 15 * US_PER_S);
    items[1] = item(&f, 2, 2, 15 * US_PER_S);
    first_claim(&f, items, 2, WALL_NEVER);
    tick(&f, 10 * US_PER_S);
    assert_int_equal(expect(&f, CORE_RENEW).n, 2);
    core_on_renewed(f.core, f.now, in(&f, 30 * US_PER_S), &lost, 1);
    expect_nothing(&f);
    tick(&f, 5 * US_PER_S);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 2);
    expect_nothing(&f);
    assert_int_equal(stats_of(&f).dropped, 1);
}

static void an_attempt_whose_lease_was_lost_is_aborted_and_recorded(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result gone = no_answer();
    const bool stale = true;
    struct uuid lost = id_of(1);
    struct core_action a;
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    h = start_run(&f, 1);
    tick(&f, 10 * US_PER_S);
    expect(&f, CORE_RENEW);
    core_on_renewed(f.core, f.now, in(&f, 30 * US_PER_S), &lost, 1);
    assert_ptr_equal(expect(&f, CORE_ABORT).held, h);
    core_on_attempt_ended(f.core, f.now, h, &gone);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].to, RUN_PENDING); /* if it should be ours after all: again, not lost */
    assert_int_equal(a.outcomes[0].failures, 0);
    core_on_recorded(f.core, f.now, &stale, 1);
    assert_int_equal(stats_of(&f).stale, 1);
    assert_int_equal(stats_of(&f).held, 0);
}

static void a_zombie_does_not_start_what_others_may_have(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 500 * US_PER_MS);
    first_claim(&f, &one, 1, WALL_NEVER);
    tick(&f, 30 * US_PER_S); /* a stall as long as the lease */
    assert_int_equal(stats_of(&f).dropped, 1);
    assert_int_equal(stats_of(&f).started, 0);
    expect(&f, CORE_CLAIM); /* it may be ours to have again */
}

/* The lease is counted from when it was asked for: the answer may have been on its way for long. */
static void a_slow_answer_to_a_claim_does_not_prolong_its_leases(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    expect(&f, CORE_CLAIM);
    one = item(&f, 1, 1, 0);
    pass(&f, 29 * US_PER_S);
    one.run.lease_until = in(&f, US_PER_S + 1);
    pass(&f, US_PER_S);
    claimed(&f, &one, 1, WALL_NEVER);
    assert_int_equal(stats_of(&f).dropped, 1);
    assert_int_equal(stats_of(&f).started, 0);
}

static void a_lease_that_the_clusters_clock_has_ended_is_not_believed(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 500 * US_PER_MS);
    first_claim(&f, &one, 1, WALL_NEVER);
    step_wall(&f, 31 * US_PER_S);
    core_on_clock_set(f.core, f.now);
    assert_int_equal(stats_of(&f).started, 0);
    assert_int_equal(stats_of(&f).dropped, 1);
    expect(&f, CORE_CLAIM);
}

static void failed_renewals_are_tried_again_while_the_lease_lasts(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    int tries = 0;

    (void)state;
    fixture_init(&f, (struct core_options){.safety_poll_us = 3600 * US_PER_S});
    first_claim(&f, NULL, 0, WALL_NEVER);
    start_run(&f, 1);
    for (int64_t us = 0; us < 30 * US_PER_S; us += 100 * US_PER_MS) {
        struct core_action a;

        tick(&f, 100 * US_PER_MS);
        while (core_next_action(f.core, &a)) {
            assert_int_equal(a.kind, CORE_RENEW);
            core_on_renew_failed(f.core, f.now);
            tries++;
        }
    }
    assert_in_range(tries, 5, 8); /* after 10, 11, 13, 17, 22 and 27 s */
}

static void a_waiting_run_whose_renewals_fail_is_not_started_after_its_lease(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 31 * US_PER_S);
    one.run.lease_until = in(&f, 3600 * US_PER_S);
    first_claim(&f, &one, 1, WALL_NEVER);
    tick(&f, 10 * US_PER_S);
    expect(&f, CORE_RENEW);
    core_on_renew_failed(f.core, f.now);
    tick(&f, 21 * US_PER_S);
    assert_int_equal(stats_of(&f).dropped, 1);
    assert_int_equal(stats_of(&f).started, 0);
}

/* The answer speaks of the lease that was sent, not of a newer one of the same run. */
static void a_renewal_answer_does_not_touch_a_newer_lease(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;
    struct uuid lost = id_of(1);

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 20 * US_PER_S);
    first_claim(&f, &one, 1, WALL_NEVER);
    tick(&f, 10 * US_PER_S);
    expect(&f, CORE_RENEW);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
    one = item(&f, 1, 1, 10 * US_PER_S);
    one.run.lease_token = 99;
    claimed(&f, &one, 1, WALL_NEVER);
    core_on_renewed(f.core, f.now, in(&f, 30 * US_PER_S), &lost, 1);
    tick(&f, 10 * US_PER_S);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 99);
}

/* Answers name runs, not leases: asked for both, the old lease's loss would have taken the new one with it.
 */
static void a_run_held_twice_is_renewed_under_its_newer_lease_only(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result ok = ok_result();
    struct core_claimed one;
    struct core_action a;
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    h = start_run(&f, 1);
    core_on_attempt_ended(f.core, f.now, h, &ok);
    expect(&f, CORE_RECORD);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
    one = item(&f, 1, 1, 20 * US_PER_S);
    one.run.lease_token = 99;
    claimed(&f, &one, 1, WALL_NEVER);
    tick(&f, 10 * US_PER_S);
    a = expect(&f, CORE_RENEW);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.tokens[0], 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_flight_is_renewed_at_a_third_of_its_lease),
        cmocka_unit_test(nothing_held_means_nothing_to_renew),
        cmocka_unit_test(a_renewal_is_bounded_and_followed_by_the_next),
        cmocka_unit_test(a_waiting_run_whose_lease_was_lost_is_let_go),
        cmocka_unit_test(an_attempt_whose_lease_was_lost_is_aborted_and_recorded),
        cmocka_unit_test(a_zombie_does_not_start_what_others_may_have),
        cmocka_unit_test(a_slow_answer_to_a_claim_does_not_prolong_its_leases),
        cmocka_unit_test(a_lease_that_the_clusters_clock_has_ended_is_not_believed),
        cmocka_unit_test(failed_renewals_are_tried_again_while_the_lease_lasts),
        cmocka_unit_test(a_waiting_run_whose_renewals_fail_is_not_started_after_its_lease),
        cmocka_unit_test(a_renewal_answer_does_not_touch_a_newer_lease),
        cmocka_unit_test(a_run_held_twice_is_renewed_under_its_newer_lease_only),
    };

    return cmocka_run_group_tests_name("engine/core_lease", tests, NULL, NULL);
}
