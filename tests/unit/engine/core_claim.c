/*
 * core_claim.c: when the core claims, and when it lets the database sleep.
 */
#include "core_fixture.h"

static void a_new_core_claims_at_once(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){.claim_limit = 7, .horizon_us = 3 * US_PER_S});
    tick(&f, 0);
    a = expect(&f, CORE_CLAIM);
    assert_int_equal(a.limit, 7);
    assert_int_equal(a.horizon_us, 3 * US_PER_S);
    expect_nothing(&f);
}

static void only_one_claim_is_out_at_a_time(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    expect(&f, CORE_CLAIM);
    core_on_due(f.core, f.now, f.now.wall);
    tick(&f, 100 * US_PER_S);
    expect_nothing(&f);
}

static void it_claims_half_a_horizon_before_something_is_due(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, in(&f, 10 * US_PER_S));
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 9500 * US_PER_MS).us);
    tick(&f, 9499 * US_PER_MS);
    expect_nothing(&f);
    tick(&f, 1 * US_PER_MS);
    expect(&f, CORE_CLAIM);
}

static void a_notice_of_something_soon_claims_at_once(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    core_on_due(f.core, f.now, in(&f, 200 * US_PER_MS));
    expect(&f, CORE_CLAIM);
}

static void a_notice_of_something_far_only_moves_the_wake(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, in(&f, 20 * US_PER_S));
    core_on_due(f.core, f.now, in(&f, 5 * US_PER_S));
    core_on_due(f.core, f.now, in(&f, 8 * US_PER_S));
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 4500 * US_PER_MS).us);
}

static void a_notice_while_a_claim_is_out_is_not_lost(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    expect(&f, CORE_CLAIM);
    core_on_due(f.core, f.now, in(&f, 5 * US_PER_S));
    core_on_due(f.core, f.now, in(&f, 100 * US_PER_MS));
    claimed(&f, NULL, 0, WALL_NEVER); /* it had not seen them */
    expect(&f, CORE_CLAIM);
    claimed(&f, NULL, 0, in(&f, 5 * US_PER_S));
    expect_nothing(&f);
}

static void a_notice_is_remembered_over_a_failed_claim(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, WALL_NEVER);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
    core_on_due(f.core, f.now, in(&f, 3 * US_PER_S));
    core_on_claim_failed(f.core, f.now);
    expect_nothing(&f);
    tick(&f, US_PER_S);
    expect(&f, CORE_CLAIM);
}

static void a_claim_that_hit_its_limit_is_followed_by_another(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[2];

    (void)state;
    fixture_init(&f, (struct core_options){.claim_limit = 2});
    items[0] = item(&f, 1, 1, 100 * US_PER_MS);
    items[1] = item(&f, 2, 2, 200 * US_PER_MS);
    first_claim(&f, items, 2, in(&f, 900 * US_PER_MS));
    expect(&f, CORE_CLAIM);
}

static void a_claim_below_its_limit_waits_for_half_the_horizon(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 900 * US_PER_MS);
    first_claim(&f, &one, 1, in(&f, 999 * US_PER_MS));
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 499 * US_PER_MS).us);
}

static void a_full_core_claims_when_room_comes(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[2];
    struct held *first;
    struct attempt_result ok = ok_result();

    (void)state;
    fixture_init(&f, (struct core_options){.held_max = 2});
    items[0] = item(&f, 1, 1, 0);
    items[1] = item(&f, 2, 2, 0);
    first_claim(&f, items, 2, f.now.wall);
    first = expect(&f, CORE_START).held;
    expect(&f, CORE_START);
    expect_nothing(&f);
    tick(&f, US_PER_S);
    expect_nothing(&f);
    core_on_attempt_ended(f.core, f.now, first, &ok);
    assert_int_equal(expect(&f, CORE_RECORD).n, 1);
    expect_nothing(&f); /* ended, but still held: the record may fail */
    recorded(&f, 1);
    assert_int_equal(expect(&f, CORE_CLAIM).limit, 1);
}

static void an_idle_core_wakes_for_the_safety_poll_alone(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_wake wake;

    (void)state;
    fixture_init(&f, (struct core_options){.safety_poll_us = 60 * US_PER_S});
    first_claim(&f, NULL, 0, WALL_NEVER);
    wake = core_wake_at(f.core);
    assert_true(wall_is_never(wake.wall));
    assert_int_equal(wake.mono.us, f.now.mono.us + 60 * US_PER_S);
    tick(&f, 59 * US_PER_S);
    expect_nothing(&f);
    tick(&f, US_PER_S);
    expect(&f, CORE_CLAIM);
}

static void failed_claims_back_off_and_an_answer_ends_it(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    static const int64_t waits[] = {1, 2, 4, 8, 16, 30, 30};

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        expect(&f, CORE_CLAIM);
        core_on_claim_failed(f.core, f.now);
        core_on_due(f.core, f.now, f.now.wall); /* notices do not shorten it */
        expect_nothing(&f);
        assert_int_equal(core_wake_at(f.core).mono.us, f.now.mono.us + waits[i] * US_PER_S);
        tick(&f, waits[i] * US_PER_S);
    }
    expect(&f, CORE_CLAIM);
    claimed(&f, NULL, 0, WALL_NEVER);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
}

/* Somebody's lease ends soon, or an occurrence is judged at its time and the store's clock is a little
 * behind. */
static void an_empty_answer_about_something_near_is_asked_again_after_a_pause(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, in(&f, 300 * US_PER_MS));
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).mono.us, f.now.mono.us + 20 * US_PER_MS);
    tick(&f, 20 * US_PER_MS);
    expect(&f, CORE_CLAIM);
    claimed(&f, NULL, 0, in(&f, 280 * US_PER_MS));
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).mono.us, f.now.mono.us + 40 * US_PER_MS);
}

/* What came near only while the answer was on its way was not looked for yet. */
static void an_empty_answer_about_what_came_near_meanwhile_is_followed_at_once(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct wall put_off;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    expect(&f, CORE_CLAIM);
    put_off = in(&f, 501 * US_PER_MS);
    pass(&f, 2 * US_PER_MS);
    claimed(&f, NULL, 0, put_off);
    expect(&f, CORE_CLAIM);
}

/* A row that another instance has locked is due and cannot be had: that must not become a loop. */
static void empty_answers_to_what_is_due_are_asked_again_ever_slower(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct wall due;
    int claims = 0;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    due = f.now.wall;
    first_claim(&f, NULL, 0, due);
    for (int64_t us = 0; us < 10 * US_PER_S; us += US_PER_MS) {
        struct core_action a;

        tick(&f, US_PER_MS);
        while (core_next_action(f.core, &a)) {
            claims++;
            claimed(&f, NULL, 0, due);
        }
    }
    assert_in_range(claims, 40, 60); /* about five a second */
}

static void an_empty_answer_that_says_there_is_more_is_followed_at_once(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    tick(&f, 0);
    for (int i = 0; i < 5; i++) {
        expect(&f, CORE_CLAIM);
        core_on_claimed(f.core, f.now,
                        &(struct core_claim_answer){.next_due = in(&f, -US_PER_S), .more = true});
    }
    expect(&f, CORE_CLAIM);
    claimed(&f, NULL, 0, in(&f, -US_PER_S));
    expect_nothing(&f);
}

static void large_definitions_make_the_core_full_before_their_number_does(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result ok = ok_result();
    struct core_claimed items[2];
    struct held *first;

    (void)state;
    fixture_init(&f, (struct core_options){.held_bytes_max = 1000});
    items[0] = item(&f, 1, 1, 0);
    items[1] = item(&f, 2, 2, 1000);
    items[0].bytes = 400;
    items[1].bytes = 600;
    first_claim(&f, items, 2, f.now.wall);
    first = expect(&f, CORE_START).held;
    expect_nothing(&f);
    tick(&f, 500);
    expect_nothing(&f);
    core_on_attempt_ended(f.core, f.now, first, &ok);
    expect(&f, CORE_RECORD);
    expect(&f, CORE_CLAIM);
}

static void a_notice_ends_the_pause_after_an_empty_answer(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, f.now.wall);
    tick(&f, US_PER_MS);
    expect_nothing(&f);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
}

static void a_step_of_the_wall_clock_is_seen_by_the_claim(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    first_claim(&f, NULL, 0, in(&f, 3600 * US_PER_S));
    expect_nothing(&f);
    step_wall(&f, 3600 * US_PER_S);
    core_on_clock_set(f.core, f.now);
    expect(&f, CORE_CLAIM);
}

static void who_never_claims_asks_for_nothing_and_is_not_woken(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){.never_claims = true});
    tick(&f, 0);
    core_on_due(f.core, f.now, f.now.wall);
    tick(&f, 100 * US_PER_S);
    expect_nothing(&f);
    assert_true(wall_is_never(core_wake_at(f.core).wall));
    assert_int_equal(core_wake_at(f.core).mono.us, INT64_MAX);
}

static void who_cannot_be_told_looks_more_often(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){.safety_poll_us = 300 * US_PER_S});
    first_claim(&f, NULL, 0, WALL_NEVER);
    tick(&f, 10 * US_PER_S);
    expect_nothing(&f);
    core_set_safety_poll(f.core, f.now, 5 * US_PER_S);
    expect(&f, CORE_CLAIM);
    claimed(&f, NULL, 0, WALL_NEVER);
    assert_int_equal(core_wake_at(f.core).mono.us, f.now.mono.us + 5 * US_PER_S);
    core_set_safety_poll(f.core, f.now, 300 * US_PER_S);
    tick(&f, 100 * US_PER_S);
    expect_nothing(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_core_claims_at_once),
        cmocka_unit_test(only_one_claim_is_out_at_a_time),
        cmocka_unit_test(it_claims_half_a_horizon_before_something_is_due),
        cmocka_unit_test(a_notice_of_something_soon_claims_at_once),
        cmocka_unit_test(a_notice_of_something_far_only_moves_the_wake),
        cmocka_unit_test(a_notice_while_a_claim_is_out_is_not_lost),
        cmocka_unit_test(a_notice_is_remembered_over_a_failed_claim),
        cmocka_unit_test(a_claim_that_hit_its_limit_is_followed_by_another),
        cmocka_unit_test(a_claim_below_its_limit_waits_for_half_the_horizon),
        cmocka_unit_test(a_full_core_claims_when_room_comes),
        cmocka_unit_test(an_idle_core_wakes_for_the_safety_poll_alone),
        cmocka_unit_test(failed_claims_back_off_and_an_answer_ends_it),
        cmocka_unit_test(an_empty_answer_about_something_near_is_asked_again_after_a_pause),
        cmocka_unit_test(an_empty_answer_about_what_came_near_meanwhile_is_followed_at_once),
        cmocka_unit_test(empty_answers_to_what_is_due_are_asked_again_ever_slower),
        cmocka_unit_test(an_empty_answer_that_says_there_is_more_is_followed_at_once),
        cmocka_unit_test(large_definitions_make_the_core_full_before_their_number_does),
        cmocka_unit_test(a_notice_ends_the_pause_after_an_empty_answer),
        cmocka_unit_test(who_never_claims_asks_for_nothing_and_is_not_woken),
        cmocka_unit_test(who_cannot_be_told_looks_more_often),
        cmocka_unit_test(a_step_of_the_wall_clock_is_seen_by_the_claim),
    };

    return cmocka_run_group_tests_name("engine/core_claim", tests, NULL, NULL);
}
