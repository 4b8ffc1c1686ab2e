/*
 * core_run.c: a held run from its claim to the end of its attempt.
 */
#include "core_fixture.h"

static void a_run_starts_at_its_moment_and_not_before(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 400 * US_PER_MS);
    first_claim(&f, &one, 1, WALL_NEVER);
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 400 * US_PER_MS).us);
    tick(&f, 399 * US_PER_MS);
    expect_nothing(&f);
    tick(&f, 1 * US_PER_MS);
    a = expect(&f, CORE_START);
    assert_true(uuid_eq(held_run(a.held)->id, id_of(1)));
    assert_non_null(held_schedule(a.held));
    assert_null(held_user(a.held));
    expect_nothing(&f);
}

static void runs_start_in_the_order_of_their_moments(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[3];

    (void)state;
    fixture_init(&f, (struct core_options){0});
    items[0] = item(&f, 1, 1, 300 * US_PER_MS);
    items[1] = item(&f, 2, 2, 100 * US_PER_MS);
    items[2] = item(&f, 3, 3, 200 * US_PER_MS);
    first_claim(&f, items, 3, WALL_NEVER);
    tick(&f, US_PER_S);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 2);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 3);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 1);
}

static void no_more_attempts_are_under_way_than_allowed(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[3];
    struct held *first;
    struct attempt_result ok = ok_result();

    (void)state;
    fixture_init(&f, (struct core_options){.in_flight_max = 2});
    for (unsigned i = 0; i < 3; i++)
        items[i] = item(&f, i + 1, i + 1, (int64_t)i);
    first_claim(&f, items, 3, WALL_NEVER);
    tick(&f, 10);
    first = expect(&f, CORE_START).held;
    expect(&f, CORE_START);
    expect_nothing(&f);
    assert_true(wall_is_never(core_wake_at(f.core).wall)); /* time alone changes nothing */
    core_on_attempt_ended(f.core, f.now, first, &ok);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 3);
}

static void an_answered_attempt_is_recorded_as_succeeded(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result ok = ok_result();
    struct core_action a;
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    h = start_run(&f, 5);
    pass(&f, 20 * US_PER_MS);
    core_on_attempt_ended(f.core, f.now, h, &ok);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].to, RUN_SUCCEEDED);
    assert_int_equal(a.outcomes[0].run.lease_token, 5);
    assert_int_equal(a.outcomes[0].ended_at.us, f.now.wall.us);
    assert_int_equal(a.outcomes[0].failures, 0);
    assert_true(a.outcomes[0].attempted);
    assert_non_null(a.outcomes[0].schedule);
    recorded(&f, 1);
    assert_int_equal(stats_of(&f).held, 0);
    assert_int_equal(stats_of(&f).ended_ok, 1);
}

static void a_retry_is_recorded_and_claimed_again_in_time(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result bad = status_result(500);
    struct core_claimed one;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item_with(&f, 1, 0, "", "\"failed_policy\": \"retry\", \"retry_wait\": 5");
    first_claim(&f, &one, 1, WALL_NEVER);
    core_on_attempt_ended(f.core, f.now, expect(&f, CORE_START).held, &bad);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].to, RUN_RETRYING);
    assert_int_equal(a.outcomes[0].failures, 1);
    assert_int_equal(a.outcomes[0].due_at.us, in(&f, 5 * US_PER_S).us);
    recorded(&f, 1);
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 4500 * US_PER_MS).us);
    tick(&f, 4500 * US_PER_MS);
    expect(&f, CORE_CLAIM);
}

static void a_run_that_came_too_late_is_recorded_as_skipped(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item_with(&f, 1, 100 * US_PER_MS, "\"max_lateness\": 2", "");
    first_claim(&f, &one, 1, WALL_NEVER);
    tick(&f, 3 * US_PER_S);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].to, RUN_SKIPPED);
    assert_false(a.outcomes[0].attempted);
    expect_nothing(&f);
}

static struct attempt_result not_sent(void)
{
    return (struct attempt_result){.not_sent = true, .retry_after_us = -1, .error = "no descriptors"};
}

static void an_attempt_that_could_not_be_made_is_handed_back_uncounted(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result bad = not_sent();
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    core_on_attempt_ended(f.core, f.now, start_run(&f, 5), &bad);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].to, RUN_PENDING);
    assert_false(a.outcomes[0].attempted);
    assert_int_equal(a.outcomes[0].failures, 0);
    assert_int_equal(a.outcomes[0].due_at.us, in(&f, US_PER_S).us);
    assert_int_equal(stats_of(&f).not_sent, 1);
    assert_int_equal(stats_of(&f).ended_failed, 0);
    recorded(&f, 1);
    tick(&f, 500 * US_PER_MS);
    expect(&f, CORE_CLAIM); /* to have it again in time */
}

/* Fails run `n` for want of means, and says after how long it is due again. */
static int64_t put_off_us(struct fixture *f, unsigned n)
{
    struct attempt_result bad = not_sent();
    struct core_action a;
    int64_t us;

    core_on_attempt_ended(f->core, f->now, start_run(f, n), &bad);
    a = expect(f, CORE_RECORD);
    us = a.outcomes[0].due_at.us - f->now.wall.us;
    recorded(f, 1);
    return us;
}

static void the_pause_after_a_want_grows_when_trying_again_fails_too(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result ok = ok_result();

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    assert_int_equal(put_off_us(&f, 1), US_PER_S);
    assert_int_equal(put_off_us(&f, 2), US_PER_S); /* the same want */
    pass(&f, US_PER_S);
    assert_int_equal(put_off_us(&f, 3), 2 * US_PER_S);
    pass(&f, 2 * US_PER_S);
    assert_int_equal(put_off_us(&f, 4), 4 * US_PER_S);
    for (unsigned i = 0; i < 10; i++) {
        pass(&f, 30 * US_PER_S);
        (void)put_off_us(&f, 10 + i);
    }
    pass(&f, 30 * US_PER_S);
    assert_int_equal(put_off_us(&f, 30), 30 * US_PER_S);
    core_on_attempt_ended(f.core, f.now, start_run(&f, 31), &ok);
    expect(&f, CORE_RECORD);
    recorded(&f, 1);
    assert_int_equal(put_off_us(&f, 32), US_PER_S);
}

static void a_want_that_says_how_long_is_heeded(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result bad = not_sent();

    (void)state;
    bad.retry_after_us = 7 * US_PER_S;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    core_on_attempt_ended(f.core, f.now, start_run(&f, 1), &bad);
    assert_int_equal(expect(&f, CORE_RECORD).outcomes[0].due_at.us, in(&f, 7 * US_PER_S).us);
}

static void a_changed_schedule_cancels_what_has_not_started(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[4];
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    items[0] = item(&f, 1, 9, 0); /* starts before the change */
    items[1] = item(&f, 2, 9, 500 * US_PER_MS);
    items[2] = item(&f, 3, 9, 500 * US_PER_MS); /* of the new definition */
    items[2].run.schedule_version = 2;
    items[3] = item(&f, 4, 8, 600 * US_PER_MS); /* of another schedule */
    first_claim(&f, items, 4, WALL_NEVER);
    expect(&f, CORE_START);
    core_on_changed(f.core, f.now, id_of(9), 2);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].run.lease_token, 2);
    assert_int_equal(a.outcomes[0].to, RUN_CANCELLED);
    assert_false(a.outcomes[0].attempted);
    tick(&f, US_PER_S);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 3);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 4);
    expect_nothing(&f);
}

/* The claim may have run before the change and be answered after its notice. */
static void a_change_told_while_a_claim_is_out_reaches_what_it_brings(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[2];
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    expect(&f, CORE_CLAIM);
    core_on_changed(f.core, f.now, id_of(9), 2);
    items[0] = item(&f, 1, 9, 0);
    items[1] = item(&f, 2, 8, 0);
    claimed(&f, items, 2, WALL_NEVER);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 2);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].run.lease_token, 1);
    assert_int_equal(a.outcomes[0].to, RUN_CANCELLED);
    expect_nothing(&f);
}

static void more_changes_than_can_be_remembered_hand_the_claim_back(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    expect(&f, CORE_CLAIM);
    for (unsigned i = 0; i < 20000; i++)
        core_on_changed(f.core, f.now, id_of(i), 2);
    one = item(&f, 1, 1, 0);
    one.run.schedule_version = 3;
    claimed(&f, &one, 1, WALL_NEVER);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].to, RUN_PENDING);
    assert_int_equal(a.outcomes[0].due_at.us, f.now.wall.us);
    recorded(&f, 1);
    expect(&f, CORE_CLAIM); /* to have it again */
}

static void a_replacing_run_aborts_the_older_one(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed old[3];
    struct core_claimed newer;
    struct uuid replaced = id_of(9);
    struct attempt_result gone = no_answer();
    struct core_action a;
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    old[0] = item(&f, 1, 9, 0);
    old[1] = item(&f, 2, 9, 800 * US_PER_MS);
    old[2] = item(&f, 3, 8, 0);
    first_claim(&f, old, 3, f.now.wall);
    h = expect(&f, CORE_START).held;
    expect(&f, CORE_START);
    expect(&f, CORE_CLAIM);
    newer = item(&f, 4, 9, 0);
    core_on_claimed(
        f.core, f.now,
        &(struct core_claim_answer){
            .items = &newer, .n = 1, .replaced = &replaced, .replaced_n = 1, .next_due = WALL_NEVER});
    assert_ptr_equal(expect(&f, CORE_ABORT).held, h);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 4);
    core_on_attempt_ended(f.core, f.now, h, &gone);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.outcomes[0].run.lease_token, 2);
    assert_int_equal(a.outcomes[0].to, RUN_CANCELLED);
    assert_false(a.outcomes[0].attempted);
    assert_int_equal(a.outcomes[1].run.lease_token, 1);
    assert_int_equal(a.outcomes[1].to, RUN_CANCELLED);
    assert_true(a.outcomes[1].attempted);
    expect_nothing(&f);
}

static void an_answer_that_came_before_its_abort_counts(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed old;
    struct uuid replaced = id_of(9);
    struct attempt_result ok = ok_result();
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    old = item(&f, 1, 9, 0);
    first_claim(&f, &old, 1, f.now.wall);
    h = expect(&f, CORE_START).held;
    expect(&f, CORE_CLAIM);
    core_on_claimed(
        f.core, f.now,
        &(struct core_claim_answer){.replaced = &replaced, .replaced_n = 1, .next_due = WALL_NEVER});
    core_on_attempt_ended(f.core, f.now, h, &ok); /* before the abort was even read */
    assert_int_equal(expect(&f, CORE_RECORD).outcomes[0].to, RUN_SUCCEEDED);
    expect_nothing(&f);
}

static void a_wall_clock_set_back_makes_runs_wait_for_their_moment(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 500 * US_PER_MS);
    first_claim(&f, &one, 1, WALL_NEVER);
    step_wall(&f, -5 * US_PER_S);
    core_on_clock_set(f.core, f.now);
    expect(&f, CORE_RENEW);
    expect(&f, CORE_CLAIM); /* how far this clock is off now is known from its answer */
    core_on_claimed(f.core, f.now, &(struct core_claim_answer){.next_due = WALL_NEVER});
    tick(&f, 5 * US_PER_S);
    expect_nothing(&f);
    tick(&f, 500 * US_PER_MS);
    expect(&f, CORE_START);
}

/* Set forward by an hour, it may be an hour too early for what waits. */
static void nothing_starts_by_a_clock_that_is_in_doubt(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[2];

    (void)state;
    fixture_init(&f, (struct core_options){0});
    items[0] = item(&f, 1, 1, 400 * US_PER_MS);
    items[1] = item(&f, 2, 2, 900 * US_PER_MS);
    first_claim(&f, items, 2, WALL_NEVER);
    f.now.wall.us += 500 * US_PER_MS;
    core_doubt_clock(f.core, mono_add(f.now.mono, US_PER_S));
    tick(&f, 0);
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).mono.us, mono_add(f.now.mono, US_PER_S).us);
    f.now.wall.us -= 500 * US_PER_MS; /* measured */
    core_trust_clock(f.core);
    tick(&f, 0);
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 400 * US_PER_MS).us);
    tick(&f, 400 * US_PER_MS);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 1);
    /* Nobody says what time it is: better late than never. */
    core_doubt_clock(f.core, mono_add(f.now.mono, US_PER_S));
    tick(&f, US_PER_S - 1);
    expect_nothing(&f);
    tick(&f, 1);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 2);
}

static void a_wall_clock_set_forward_starts_what_became_due(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 900 * US_PER_MS);
    first_claim(&f, &one, 1, WALL_NEVER);
    step_wall(&f, 5 * US_PER_S);
    core_on_clock_set(f.core, f.now);
    expect(&f, CORE_START);
    expect(&f, CORE_RENEW); /* others judge the lease by that clock */
}

static void lateness_is_counted_at_the_start(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[2];
    struct core_stats s;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    items[0] = item(&f, 1, 1, 10 * US_PER_MS);
    items[1] = item(&f, 2, 2, 100 * US_PER_MS);
    first_claim(&f, items, 2, WALL_NEVER);
    tick(&f, 13 * US_PER_MS); /* 3 ms late */
    tick(&f, 120 * US_PER_S); /* but then the lease is over: dropped, not late */
    s = stats_of(&f);
    assert_int_equal(s.started, 1);
    assert_int_equal(s.lateness_us_sum, 3000);
    assert_int_equal(s.lateness_us_max, 3000);
    assert_int_equal(s.lateness_buckets[0], 0);
    assert_int_equal(s.lateness_buckets[1], 0);
    assert_int_equal(s.lateness_buckets[2], 1); /* <= 5 ms */
    assert_int_equal(s.lateness_buckets[15], 1);
    assert_int_equal(s.dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_starts_at_its_moment_and_not_before),
        cmocka_unit_test(runs_start_in_the_order_of_their_moments),
        cmocka_unit_test(no_more_attempts_are_under_way_than_allowed),
        cmocka_unit_test(an_answered_attempt_is_recorded_as_succeeded),
        cmocka_unit_test(a_retry_is_recorded_and_claimed_again_in_time),
        cmocka_unit_test(a_run_that_came_too_late_is_recorded_as_skipped),
        cmocka_unit_test(an_attempt_that_could_not_be_made_is_handed_back_uncounted),
        cmocka_unit_test(the_pause_after_a_want_grows_when_trying_again_fails_too),
        cmocka_unit_test(a_want_that_says_how_long_is_heeded),
        cmocka_unit_test(a_changed_schedule_cancels_what_has_not_started),
        cmocka_unit_test(a_change_told_while_a_claim_is_out_reaches_what_it_brings),
        cmocka_unit_test(more_changes_than_can_be_remembered_hand_the_claim_back),
        cmocka_unit_test(a_replacing_run_aborts_the_older_one),
        cmocka_unit_test(an_answer_that_came_before_its_abort_counts),
        cmocka_unit_test(a_wall_clock_set_back_makes_runs_wait_for_their_moment),
        cmocka_unit_test(nothing_starts_by_a_clock_that_is_in_doubt),
        cmocka_unit_test(a_wall_clock_set_forward_starts_what_became_due),
        cmocka_unit_test(lateness_is_counted_at_the_start),
    };

    return cmocka_run_group_tests_name("engine/core_run", tests, NULL, NULL);
}
