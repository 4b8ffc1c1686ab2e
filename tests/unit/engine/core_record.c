/*
 * core_record.c: outcomes on their way to the store.
 */
#include "core_fixture.h"

enum { RUNS = 6 };

struct in_flight {
    struct held *held[RUNS];
};

/* RUNS attempts under way. */
static struct in_flight start_all(struct fixture *f)
{
    struct core_claimed items[RUNS];
    struct in_flight r;

    for (unsigned i = 0; i < RUNS; i++)
        items[i] = item(f, i + 1, i + 1, (int64_t)i); /* equal moments come in any order */
    first_claim(f, items, RUNS, WALL_NEVER);
    tick(f, RUNS);
    for (size_t i = 0; i < RUNS; i++)
        r.held[i] = expect(f, CORE_START).held;
    return r;
}

static void end(struct fixture *f, struct held *h)
{
    struct attempt_result ok = ok_result();

    core_on_attempt_ended(f->core, f->now, h, &ok);
}

static void what_ends_in_one_turn_is_one_record(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    r = start_all(&f);
    end(&f, r.held[0]);
    end(&f, r.held[1]);
    end(&f, r.held[2]);
    assert_int_equal(expect(&f, CORE_RECORD).n, 3);
    expect_nothing(&f);
}

static void what_ends_while_a_record_is_out_is_gathered_for_the_next(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    r = start_all(&f);
    end(&f, r.held[0]);
    expect(&f, CORE_RECORD);
    end(&f, r.held[1]);
    end(&f, r.held[2]);
    expect_nothing(&f);
    assert_int_equal(stats_of(&f).recording, 3);
    recorded(&f, 1);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.outcomes[0].run.lease_token, 2);
    assert_int_equal(a.outcomes[1].run.lease_token, 3);
}

static void a_record_carries_no_more_than_its_limit(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;

    (void)state;
    fixture_init(&f, (struct core_options){.record_limit = 4});
    r = start_all(&f);
    for (size_t i = 0; i < RUNS; i++)
        end(&f, r.held[i]);
    assert_int_equal(expect(&f, CORE_RECORD).n, 4);
    recorded(&f, 4);
    assert_int_equal(expect(&f, CORE_RECORD).n, 2);
}

static void a_failed_record_is_sent_again_whole_after_a_wait(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;
    static const int64_t waits[] = {1, 2, 4, 8};

    (void)state;
    fixture_init(&f, (struct core_options){.lease_us = 3600 * US_PER_S});
    r = start_all(&f);
    end(&f, r.held[0]);
    end(&f, r.held[1]);
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        assert_int_equal(expect(&f, CORE_RECORD).n, i == 0 ? 2 : 3);
        if (i == 0)
            end(&f, r.held[2]);
        core_on_record_failed(f.core, f.now);
        expect_nothing(&f);
        assert_int_equal(core_wake_at(f.core).mono.us, f.now.mono.us + waits[i] * US_PER_S);
        tick(&f, waits[i] * US_PER_S);
    }
    assert_int_equal(expect(&f, CORE_RECORD).n, 3);
    recorded(&f, 3);
    assert_int_equal(stats_of(&f).held, RUNS - 3);
}

static void a_stale_outcome_is_let_go_and_counted(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;
    const bool stale[] = {true, false};

    (void)state;
    fixture_init(&f, (struct core_options){0});
    r = start_all(&f);
    end(&f, r.held[0]);
    end(&f, r.held[1]);
    expect(&f, CORE_RECORD);
    core_on_recorded(f.core, f.now, stale, 2);
    assert_int_equal(stats_of(&f).stale, 1);
    assert_int_equal(stats_of(&f).held, RUNS - 2);
    expect_nothing(&f);
}

/* --- a run that our own claim brings again, because its lease had run out --- */

static struct core_claimed again(struct fixture *f, unsigned n, uint64_t token)
{
    struct core_claimed c = item(f, n, n, 0);

    c.run.lease_token = token;
    c.run.attempt = 2;
    return c;
}

static void claim_again(struct fixture *f, struct core_claimed c)
{
    core_on_due(f->core, f->now, f->now.wall);
    expect(f, CORE_CLAIM);
    claimed(f, &c, 1, WALL_NEVER);
}

static void a_run_claimed_again_while_in_flight_is_not_started_twice(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    r = start_all(&f);
    claim_again(&f, again(&f, 1, 77));
    expect_nothing(&f);
    end(&f, r.held[0]);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].run.lease_token, 77);
}

static void a_run_claimed_again_while_its_outcome_waits_goes_under_the_new_lease(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    r = start_all(&f);
    end(&f, r.held[1]);
    expect(&f, CORE_RECORD);
    end(&f, r.held[0]);
    claim_again(&f, again(&f, 1, 77));
    expect_nothing(&f);
    recorded(&f, 1);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.outcomes[0].run.lease_token, 77);
    assert_int_equal(a.outcomes[0].to, RUN_SUCCEEDED);
}

static void a_run_claimed_again_while_recorded_waits_for_the_answer(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    r = start_all(&f);
    end(&f, r.held[0]);
    expect(&f, CORE_RECORD);
    claim_again(&f, again(&f, 1, 77));
    expect_nothing(&f); /* the answer tells whether the run is over */
    recorded(&f, 1);    /* as retrying, say: so this is a new attempt */
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 77);
}

static void an_outcome_refused_as_stale_goes_on_under_our_newer_lease(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;
    const bool stale = true;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    r = start_all(&f);
    end(&f, r.held[0]);
    expect(&f, CORE_RECORD);
    claim_again(&f, again(&f, 1, 77));
    core_on_recorded(f.core, f.now, &stale, 1);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].run.lease_token, 77);
    assert_int_equal(a.outcomes[0].to, RUN_SUCCEEDED);
    recorded(&f, 1);
    expect_nothing(&f);
    assert_int_equal(stats_of(&f).stale, 0);
    assert_int_equal(stats_of(&f).held, RUNS - 1);
}

static void an_unknown_record_goes_on_under_our_newer_lease(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct in_flight r;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    r = start_all(&f);
    end(&f, r.held[0]);
    expect(&f, CORE_RECORD);
    claim_again(&f, again(&f, 1, 77));
    core_on_record_failed(f.core, f.now);
    expect_nothing(&f);
    tick(&f, US_PER_S);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].run.lease_token, 77);
}

/* Claimed anew while its retry is being recorded, and more changed meanwhile than can be remembered. */
static void what_is_behind_a_record_does_not_start_after_more_changes_than_can_be_told(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result bad = status_result(500);
    struct core_claimed one;
    struct core_action a;
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item_with(&f, 1, 0, "", "\"failed_policy\": \"retry\", \"retry_wait\": 1");
    first_claim(&f, &one, 1, WALL_NEVER);
    h = expect(&f, CORE_START).held;
    core_on_attempt_ended(f.core, f.now, h, &bad);
    expect(&f, CORE_RECORD);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
    core_on_changed(f.core, f.now, id_of(77), 2);
    for (unsigned i = 0; i < 20000; i++)
        core_on_changed(f.core, f.now, id_of(i), 2);
    one = item_with(&f, 1, US_PER_S, "", "\"failed_policy\": \"retry\", \"retry_wait\": 1");
    one.run.attempt = 2;
    one.run.lease_token = 9;
    claimed(&f, &one, 1, WALL_NEVER);
    recorded(&f, 1);
    tick(&f, 2 * US_PER_S);
    while (core_next_action(f.core, &a))
        assert_int_not_equal(a.kind, CORE_START);
    assert_int_equal(stats_of(&f).held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ends_in_one_turn_is_one_record),
        cmocka_unit_test(what_ends_while_a_record_is_out_is_gathered_for_the_next),
        cmocka_unit_test(a_record_carries_no_more_than_its_limit),
        cmocka_unit_test(a_failed_record_is_sent_again_whole_after_a_wait),
        cmocka_unit_test(a_stale_outcome_is_let_go_and_counted),
        cmocka_unit_test(a_run_claimed_again_while_in_flight_is_not_started_twice),
        cmocka_unit_test(a_run_claimed_again_while_its_outcome_waits_goes_under_the_new_lease),
        cmocka_unit_test(a_run_claimed_again_while_recorded_waits_for_the_answer),
        cmocka_unit_test(an_outcome_refused_as_stale_goes_on_under_our_newer_lease),
        cmocka_unit_test(what_is_behind_a_record_does_not_start_after_more_changes_than_can_be_told),
        cmocka_unit_test(an_unknown_record_goes_on_under_our_newer_lease),
    };

    return cmocka_run_group_tests_name("engine/core_record", tests, NULL, NULL);
}
