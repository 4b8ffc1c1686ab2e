/*
 * core_drain.c: stopping without losing anything; and what happens when there is no memory.
 */
#include "base/alloc.h"
#include "core_fixture.h"

static void draining_hands_back_what_waits_and_finishes_what_is_in_flight(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[2];
    struct attempt_result ok = ok_result();
    struct core_action a;
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    items[0] = item(&f, 1, 1, 0);
    items[1] = item(&f, 2, 2, 700 * US_PER_MS);
    first_claim(&f, items, 2, WALL_NEVER);
    h = expect(&f, CORE_START).held;
    core_drain(f.core, f.now);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].to, RUN_PENDING);
    assert_int_equal(a.outcomes[0].due_at.us, in(&f, 700 * US_PER_MS).us);
    assert_false(a.outcomes[0].attempted);
    expect_nothing(&f);
    recorded(&f, 1);
    tick(&f, US_PER_S);
    core_on_due(f.core, f.now, f.now.wall);
    expect_nothing(&f); /* neither starts nor claims */
    assert_false(core_is_drained(f.core));
    core_on_attempt_ended(f.core, f.now, h, &ok);
    assert_int_equal(expect(&f, CORE_RECORD).outcomes[0].to, RUN_SUCCEEDED);
    assert_false(core_is_drained(f.core));
    recorded(&f, 1);
    assert_true(core_is_drained(f.core));
    assert_int_equal(core_wake_at(f.core).mono.us, INT64_MAX);
}

static void a_claim_answered_while_draining_is_handed_back(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    expect(&f, CORE_CLAIM);
    core_drain(f.core, f.now);
    assert_false(core_is_drained(f.core)); /* its answer may bring runs */
    one = item(&f, 1, 1, 0);
    claimed(&f, &one, 1, f.now.wall);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].to, RUN_PENDING);
    recorded(&f, 1);
    expect_nothing(&f);
    assert_true(core_is_drained(f.core));
}

static void a_claim_not_yet_read_is_not_sent_when_draining(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    core_drain(f.core, f.now);
    expect_nothing(&f);
    assert_true(core_is_drained(f.core));
}

static void when_the_grace_is_over_attempts_are_aborted_and_handed_back(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result gone = no_answer();
    struct core_action a;
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    h = start_run(&f, 1);
    core_drain(f.core, f.now);
    expect_nothing(&f);
    pass(&f, 5 * US_PER_S);
    core_drain_now(f.core, f.now);
    assert_ptr_equal(expect(&f, CORE_ABORT).held, h);
    expect_nothing(&f);
    core_on_attempt_ended(f.core, f.now, h, &gone);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].to, RUN_PENDING);
    assert_true(a.outcomes[0].attempted); /* the request may have been seen */
    assert_int_equal(a.outcomes[0].due_at.us, f.now.wall.us);
    assert_int_equal(a.outcomes[0].failures, 0);
    recorded(&f, 1);
    assert_true(core_is_drained(f.core));
}

/* Every allocation of a claim's answer fails in turn: a run is held or dropped and counted, never half of
 * both. */
static void without_memory_runs_are_dropped_and_claimed_again(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 12; nth++) {
        CLEANUP(fixture_done_p) struct fixture f;
        struct core_claimed items[3];
        struct core_stats s;

        fixture_init(&f, (struct core_options){0});
        tick(&f, 0);
        expect(&f, CORE_CLAIM);
        core_on_changed(f.core, f.now, id_of(200), 2);
        for (unsigned i = 0; i < COUNT_OF(items); i++)
            items[i] = item(&f, i + 1, i % 2 + 1, 100 * US_PER_MS);
        alloc_test_fail_nth(nth);
        claimed(&f, items, COUNT_OF(items), WALL_NEVER);
        alloc_test_fail_nth(0);
        s = stats_of(&f);
        assert_int_equal(s.held + s.dropped, COUNT_OF(items));
        assert_int_equal(s.held, s.waiting);
        if (s.dropped > 0) /* looks again when their leases end */
            assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 100 * US_PER_MS).us);
        tick(&f, 100 * US_PER_MS);
        for (size_t i = 0; i < s.held; i++)
            expect(&f, CORE_START);
        expect_nothing(&f);
        if (s.dropped > 0)
            assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 29400 * US_PER_MS).us);
    }
}

static void without_memory_outcomes_are_recorded_a_few_at_a_time(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    enum { N = 40 };
    struct core_claimed items[N];
    struct attempt_result ok = ok_result();
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    for (unsigned i = 0; i < N; i++)
        items[i] = item(&f, i + 1, i + 1, 0);
    first_claim(&f, items, N, WALL_NEVER);
    for (size_t i = 0; i < N; i++)
        core_on_attempt_ended(f.core, f.now, expect(&f, CORE_START).held, &ok);
    alloc_test_fail_nth(1);
    a = expect(&f, CORE_RECORD);
    alloc_test_fail_nth(0);
    assert_in_range(a.n, 1, N - 1);
    recorded(&f, a.n);
    assert_int_equal(expect(&f, CORE_RECORD).n, N - a.n);
    recorded(&f, N - a.n);
    assert_int_equal(stats_of(&f).held, 0);
}

static void a_core_without_memory_for_itself_is_an_error(void **state)
{
    struct core_options options = {0};

    (void)state;
    for (uint64_t nth = 1; nth <= 3; nth++) {
        struct core *c = NULL;
        struct error err = {0};

        alloc_test_fail_nth(nth);
        assert_int_equal(core_new(&options, &c, &err), ERR_MEMORY);
        alloc_test_fail_nth(0);
        assert_null(c);
        assert_int_equal(err.code, ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_hands_back_what_waits_and_finishes_what_is_in_flight),
        cmocka_unit_test(a_claim_answered_while_draining_is_handed_back),
        cmocka_unit_test(a_claim_not_yet_read_is_not_sent_when_draining),
        cmocka_unit_test(when_the_grace_is_over_attempts_are_aborted_and_handed_back),
        cmocka_unit_test(without_memory_runs_are_dropped_and_claimed_again),
        cmocka_unit_test(without_memory_outcomes_are_recorded_a_few_at_a_time),
        cmocka_unit_test(a_core_without_memory_for_itself_is_an_error),
    };

    return cmocka_run_group_tests_name("engine/core_drain", tests, NULL, NULL);
}
