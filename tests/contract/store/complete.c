/*
 * complete.c: outcomes: what they leave behind, what they set off, and which are refused.
 */
#include "suites.h"

#define NOWISH "\"type\":\"now\""
#define RECUR "\"type\":\"delay-recur\",\"schedule\":\"10\""
#define SECONDLY "\"type\":\"cron\",\"schedule\":\"* * * * * *\""

static void a_succeeded_run_moves_to_the_log_and_ends_a_one_shot(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct run_record r;
    struct record rec;
    struct outcome o;

    sleep_us(g, SECOND);
    o = ended(g, &c.items[0], RUN_SUCCEEDED);
    assert_false(o.stale);
    assert_int_equal(o.became, RUN_SUCCEEDED);
    assert_true(wall_is_never(o.made_due));
    r = run_of(g, c.items[0].run.id);
    assert_int_equal(r.run.state, RUN_SUCCEEDED);
    assert_int_equal(r.run.attempt, 1);
    assert_int_equal(r.run.scheduled_at.us, GROUND_NOW.us);
    assert_int_equal(r.run.schedule_version, 1);
    assert_int_equal(r.started_at.us, g->now.us - 2000);
    assert_int_equal(r.ended_at.us, g->now.us);
    assert_int_equal(r.took_us, 2000);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.error, "");
    rec = record_of(g, id);
    assert_int_equal(rec.timer.state, SCHEDULE_FINISHED);
    assert_int_equal(rec.last_state, RUN_SUCCEEDED);
    assert_int_equal(rec.last_at.us, g->now.us);
    assert_int_equal(rec.open_runs, 0);
    record_done(&rec);
    claim_result_done(&c);
}

static void an_outcome_with_a_stale_token_changes_nothing(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct outcome o = outcome_of(g, &c.items[0], RUN_SUCCEEDED);
    struct record rec;

    o.token++;
    assert_true(recorded(g, o).stale);
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_RUNNING);
    rec = record_of(g, id);
    assert_int_equal(rec.timer.state, SCHEDULE_ACTIVE);
    assert_true(wall_is_never(rec.last_at));
    record_done(&rec);
    claim_result_done(&c);
}

static void an_outcome_recorded_twice_is_stale_the_second_time(void **state)
{
    struct ground *g = *state;
    struct claim_result c;

    (void)registered_as(g, "a", NOWISH);
    (void)registered_as(g, "b", NOWISH);
    c = claim_n(g, 2);
    assert_false(ended(g, &c.items[0], RUN_SUCCEEDED).stale);
    assert_true(ended(g, &c.items[0], RUN_SUCCEEDED).stale);
    assert_false(ended(g, &c.items[1], RUN_RETRYING).stale);
    assert_true(ended(g, &c.items[1], RUN_SUCCEEDED).stale);
    assert_int_equal(run_of(g, c.items[1].run.id).run.state, RUN_RETRYING);
    claim_result_done(&c);
}

static void an_outcome_of_an_unknown_run_is_stale(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct outcome o;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    o = outcome_of(g, &c.items[0], RUN_SUCCEEDED);
    o.run_id = (struct uuid){{1, 2, 3}};
    assert_true(recorded(g, o).stale);
    claim_result_done(&c);
}

static void a_retry_keeps_what_the_attempt_met(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct outcome o = ended(g, &c.items[0], RUN_RETRYING);
    struct run_record r = run_of(g, c.items[0].run.id);
    struct record rec = record_of(g, id);

    assert_int_equal(o.became, RUN_RETRYING);
    assert_int_equal(o.made_due.us, g->now.us + 60 * SECOND);
    assert_int_equal(r.run.state, RUN_RETRYING);
    assert_int_equal(r.run.due_at.us, g->now.us + 60 * SECOND);
    assert_int_equal(r.run.attempt, 1);
    assert_int_equal(r.run.failures, 1);
    assert_int_equal(r.run.lease_token, 0);
    assert_int_equal(r.status, 500);
    assert_string_equal(r.error, "status 500");
    assert_int_equal(r.started_at.us, g->now.us - 2000);
    assert_true(wall_is_never(r.ended_at));
    assert_int_equal(rec.open_runs, 1);
    assert_int_equal(rec.timer.state, SCHEDULE_ACTIVE);
    assert_true(wall_is_never(rec.last_at)); /* the run has not ended */
    record_done(&rec);
    claim_result_done(&c);
}

static void a_runs_start_is_that_of_its_first_attempt(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct claim_result again;
    struct wall first;
    struct run_record r;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_RETRYING);
    first = wall_add(g->now, -2000);
    sleep_us(g, 60 * SECOND);
    again = claim_n(g, 1);
    (void)ended(g, &again.items[0], RUN_SUCCEEDED);
    r = run_of(g, c.items[0].run.id);
    assert_int_equal(r.run.attempt, 2);
    assert_int_equal(r.started_at.us, first.us);
    assert_int_equal(r.ended_at.us, g->now.us);
    claim_result_done(&c);
    claim_result_done(&again);
}

static void a_dead_run_is_kept_and_does_not_count_as_open(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct uuid run;
    struct run_record r;
    struct record rec;

    run = c.items[0].run.id;
    assert_int_equal(ended(g, &c.items[0], RUN_DEAD).became, RUN_DEAD);
    claim_result_done(&c);
    sleep_us(g, 100000 * SECOND);
    c = claim_n(g, 0);
    r = run_of(g, run);
    assert_int_equal(r.run.state, RUN_DEAD);
    assert_int_equal(r.run.failures, 1);
    assert_int_equal(r.ended_at.us, GROUND_NOW.us);
    assert_int_equal(r.status, 500);
    rec = record_of(g, id);
    assert_int_equal(rec.open_runs, 0);
    assert_int_equal(rec.timer.state, SCHEDULE_FINISHED);
    assert_int_equal(rec.last_state, RUN_DEAD);
    record_done(&rec);
    claim_result_done(&c);
}

static void a_run_handed_back_gives_its_attempt_back(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct claim_result again;
    struct outcome o;

    (void)registered_as(g, "k", "\"type\":\"delay\",\"schedule\":\"1\"");
    c = claim_n(g, 1);
    o = ended(g, &c.items[0], RUN_PENDING);
    assert_int_equal(o.became, RUN_PENDING);
    assert_int_equal(o.made_due.us, g->now.us + SECOND);
    assert_int_equal(run_of(g, c.items[0].run.id).run.attempt, 0);
    again = claim_n(g, 1);
    assert_true(uuid_eq(again.items[0].run.id, c.items[0].run.id));
    assert_int_equal(again.items[0].run.attempt, 1);
    assert_int_equal(again.items[0].run.due_at.us, c.items[0].run.due_at.us);
    claim_result_done(&c);
    claim_result_done(&again);
}

static void a_run_handed_back_in_the_middle_of_an_attempt_keeps_its_count(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct outcome o;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    o = outcome_of(g, &c.items[0], RUN_PENDING);
    o.attempted = true;
    (void)recorded(g, o);
    claim_result_done(&c);
    c = claim_n(g, 1);
    assert_int_equal(c.items[0].run.attempt, 2);
    claim_result_done(&c);
}

static void a_run_too_late_is_counted_as_missed(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct claim_result c = claim_n(g, 1);
    struct record rec;

    (void)ended(g, &c.items[0], RUN_SKIPPED);
    rec = record_of(g, id);
    assert_int_equal(rec.timer.missed[MISSED_LATE], 1);
    assert_int_equal(rec.timer.state, SCHEDULE_ACTIVE);
    assert_int_equal(rec.timer.next_at.us, GROUND_NOW.us + 2 * SECOND);
    assert_int_equal(rec.last_state, RUN_SKIPPED);
    record_done(&rec);
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_SKIPPED);
    assert_true(wall_is_never(run_of(g, c.items[0].run.id).started_at));
    claim_result_done(&c);
}

static void a_run_too_late_of_a_replaced_definition_is_not_counted_on_its_successor(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct claim_result c = claim_n(g, 1);
    struct record rec;

    assert_true(uuid_eq(registered_as(g, "k", SECONDLY), id));
    (void)ended(g, &c.items[0], RUN_SKIPPED);
    rec = record_of(g, id);
    assert_int_equal(rec.timer.missed[MISSED_LATE], 0);
    assert_int_equal(rec.timer.state, SCHEDULE_ACTIVE);
    record_done(&rec);
    claim_result_done(&c);
}

static void the_next_of_a_delay_recur_comes_its_delay_after_the_end(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct outcome o;

    (void)registered_as(g, "k", RECUR);
    sleep_us(g, 10 * SECOND);
    c = claim_n(g, 1);
    sleep_us(g, 3 * SECOND);
    o = ended(g, &c.items[0], RUN_SUCCEEDED);
    assert_int_equal(o.made_due.us, g->now.us + 10 * SECOND);
    claim_result_done(&c);
    sleep_us(g, 9 * SECOND);
    c = claim_n(g, 1);
    assert_int_equal(c.items[0].run.scheduled_at.us, g->now.us + SECOND);
    claim_result_done(&c);
}

static void a_schedule_that_made_all_its_runs_finishes_with_the_last(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"max_runs\":1");
    struct claim_result c = claim_n(g, 1);
    struct record rec = record_of(g, id);

    assert_int_equal(rec.timer.state, SCHEDULE_ACTIVE);
    record_done(&rec);
    (void)ended(g, &c.items[0], RUN_FAILED);
    rec = record_of(g, id);
    assert_int_equal(rec.timer.state, SCHEDULE_FINISHED);
    record_done(&rec);
    claim_result_done(&c);
}

static void several_outcomes_of_one_schedule_in_a_call_follow_each_other(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"overlap\":\"allow\",\"max_runs\":3");
    struct outcome o[3];
    struct claim_result c;
    struct record rec;
    struct error err = {0};

    sleep_us(g, 3 * SECOND);
    c = claim_n(g, 3);
    for (size_t i = 0; i < 3; i++)
        o[i] = outcome_of(g, &c.items[i], RUN_SUCCEEDED);
    begin(g);
    ok(store_complete(g->s, o, 3, g->now, &err), &err);
    commit(g);
    rec = record_of(g, id);
    assert_int_equal(rec.timer.state, SCHEDULE_FINISHED);
    assert_int_equal(rec.open_runs, 0);
    record_done(&rec);
    claim_result_done(&c);
}

/* A delay-recur replaced by another while its run is open: the new one must go on by its own delay. */
static void the_end_of_an_older_definitions_run_wakes_the_timer_that_waited_for_it(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", RECUR);
    struct claim_result c;
    struct claim_result next;
    struct timer t = {.state = SCHEDULE_ACTIVE, .next_at = WALL_NEVER, .occurs_at = WALL_NEVER};
    struct record rec;
    struct outcome o;
    struct error err = {0};
    int64_t version;

    sleep_us(g, 10 * SECOND);
    c = claim_n(g, 1);
    (void)registered_as(g, "k", "\"type\":\"delay-recur\",\"schedule\":\"4\"");
    /* As a plan leaves it that found the older run open. */
    t.started_at = g->now;
    begin(g);
    ok(store_set_timer(g->s, id, 0, &t, false, g->now, &version, &err), &err);
    commit(g);
    sleep_us(g, SECOND);
    o = ended(g, &c.items[0], RUN_SUCCEEDED);
    assert_int_equal(o.made_due.us, g->now.us);
    rec = record_of(g, id);
    assert_int_equal(rec.timer.next_at.us, g->now.us);
    assert_true(wall_is_never(rec.timer.occurs_at));
    record_done(&rec);
    next = claim_n(g, 0);
    claim_result_done(&next);
    rec = record_of(g, id);
    assert_int_equal(rec.timer.next_at.us, g->now.us + 4 * SECOND);
    assert_int_equal(rec.timer.occurs_at.us, g->now.us + 4 * SECOND);
    record_done(&rec);
    claim_result_done(&c);
}

static void a_one_shot_that_waits_for_the_attempt_it_replaced_fires_after_it(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct claim_result next;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    sleep_us(g, SECOND);
    (void)registered_as(g, "k", NOWISH);
    next = claim_n(g, 0);
    claim_result_done(&next);
    sleep_us(g, SECOND);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    next = claim_n(g, 1);
    assert_int_equal(next.items[0].run.schedule_version, 2);
    claim_result_done(&c);
    claim_result_done(&next);
}

static void waiting_runs_are_released_one_at_a_time_the_oldest_first(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"misfire\":\"all\"");
    struct claim_result c;

    sleep_us(g, 10 * SECOND); /* ten occurrences were missed, and are to be run in a row */
    for (int i = 1; i <= 10; i++) {
        c = claim_limit(g, 1000);
        assert_int_equal(c.n, 1);
        assert_int_equal(c.items[0].run.scheduled_at.us, GROUND_NOW.us + i * SECOND);
        (void)ended(g, &c.items[0], RUN_SUCCEEDED);
        claim_result_done(&c);
    }
    assert_int_equal(stats_of(g).runs[RUN_PENDING], 0);
    (void)id;
}

static void a_waiting_run_is_not_released_while_another_is_open(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"overlap\":\"queue\"");
    struct claim_result c = claim_n(g, 1);
    struct claim_result next;
    struct run extra = {.id = uuid_v7(g->now),
                        .schedule_id = id,
                        .schedule_version = 1,
                        .scheduled_at = wall_add(g->now, 5),
                        .due_at = g->now,
                        .state = RUN_PENDING};
    struct error err = {0};

    begin(g);
    ok(insert_run(g, &extra, &err), &err);
    commit(g);
    sleep_us(g, 2 * SECOND);
    next = claim_n(g, 1); /* by hand; the second occurrence waits */
    assert_true(uuid_eq(next.items[0].run.id, extra.id));
    assert_true(wall_is_never(ended(g, &c.items[0], RUN_SUCCEEDED).made_due));
    assert_int_equal(ended(g, &next.items[0], RUN_SUCCEEDED).made_due.us, g->now.us);
    claim_result_done(&c);
    claim_result_done(&next);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_succeeded_run_moves_to_the_log_and_ends_a_one_shot),
    cmocka_unit_test(an_outcome_with_a_stale_token_changes_nothing),
    cmocka_unit_test(an_outcome_recorded_twice_is_stale_the_second_time),
    cmocka_unit_test(an_outcome_of_an_unknown_run_is_stale),
    cmocka_unit_test(a_retry_keeps_what_the_attempt_met),
    cmocka_unit_test(a_runs_start_is_that_of_its_first_attempt),
    cmocka_unit_test(a_dead_run_is_kept_and_does_not_count_as_open),
    cmocka_unit_test(a_run_handed_back_gives_its_attempt_back),
    cmocka_unit_test(a_run_handed_back_in_the_middle_of_an_attempt_keeps_its_count),
    cmocka_unit_test(a_run_too_late_is_counted_as_missed),
    cmocka_unit_test(a_run_too_late_of_a_replaced_definition_is_not_counted_on_its_successor),
    cmocka_unit_test(the_next_of_a_delay_recur_comes_its_delay_after_the_end),
    cmocka_unit_test(a_schedule_that_made_all_its_runs_finishes_with_the_last),
    cmocka_unit_test(several_outcomes_of_one_schedule_in_a_call_follow_each_other),
    cmocka_unit_test(the_end_of_an_older_definitions_run_wakes_the_timer_that_waited_for_it),
    cmocka_unit_test(a_one_shot_that_waits_for_the_attempt_it_replaced_fires_after_it),
    cmocka_unit_test(waiting_runs_are_released_one_at_a_time_the_oldest_first),
    cmocka_unit_test(a_waiting_run_is_not_released_while_another_is_open),
};
SUITE(complete, tests);
