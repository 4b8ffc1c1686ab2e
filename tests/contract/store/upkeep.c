/*
 * upkeep.c: retention, in bounded batches.
 */
#include "suites.h"

#include <stdio.h>

#define NOWISH "\"type\":\"now\""

static size_t remove_finished(struct ground *g, struct wall before, size_t limit)
{
    struct error err = {0};
    bool more;
    size_t n;

    begin(g);
    ok(store_remove_finished(g->s, before, g->now, limit, &n, &more, &err), &err);
    commit(g);
    return n;
}

static size_t trim(struct ground *g, struct wall ok_before, struct wall failed_before, size_t limit)
{
    struct error err = {0};
    size_t n;

    begin(g);
    ok(store_trim_runs(g->s, ok_before, failed_before, limit, &n, &err), &err);
    commit(g);
    return n;
}

static void fire(struct ground *g, const char *key, enum run_state to)
{
    struct claim_result c;

    (void)registered_as(g, key, NOWISH);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], to);
    claim_result_done(&c);
}

static void a_finished_schedule_is_kept_for_its_time(void **state)
{
    struct ground *g = *state;

    fire(g, "k", RUN_SUCCEEDED);
    assert_int_equal(remove_finished(g, g->now, 10), 0);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_FINISHED], 1);
    sleep_us(g, 1);
    assert_int_equal(remove_finished(g, g->now, 10), 1);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_FINISHED], 0);
    assert_int_equal(remove_finished(g, g->now, 10), 0);
}

static void what_is_not_finished_is_not_removed(void **state)
{
    struct ground *g = *state;

    (void)registered_as(g, "active", "\"type\":\"delay\",\"schedule\":\"9\"");
    (void)registered_as(g, "paused", NOWISH ",\"paused\":true");
    sleep_us(g, SECOND);
    assert_int_equal(remove_finished(g, wall_add(g->now, 1000 * SECOND), 10), 0);
}

static void a_finished_schedule_with_an_open_run_stays(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct run by_hand = {.id = uuid_v7(g->now),
                          .schedule_id = id,
                          .schedule_version = 1,
                          .scheduled_at = wall_add(g->now, 5),
                          .due_at = g->now,
                          .state = RUN_PENDING};
    struct error err = {0};

    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
    begin(g);
    ok(insert_run(g, &by_hand, &err), &err);
    commit(g);
    c = claim_n(g, 1);
    sleep_us(g, SECOND);
    assert_int_equal(remove_finished(g, g->now, 10), 0);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    assert_int_equal(remove_finished(g, g->now, 10), 0); /* it counts as finished when that was seen */
    sleep_us(g, SECOND);
    assert_int_equal(remove_finished(g, g->now, 10), 1);
    claim_result_done(&c);
}

/* Its redrive needs the definition. */
static void a_finished_schedule_with_a_dead_run_stays_until_that_is_handled(void **state)
{
    struct ground *g = *state;
    struct run_act act = {0};
    struct error err = {0};
    struct claim_result c;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_DEAD);
    sleep_us(g, SECOND);
    assert_int_equal(remove_finished(g, g->now, 10), 0);
    sleep_us(g, SECOND);
    assert_int_equal(remove_finished(g, g->now, 10), 0);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_FINISHED], 1);
    act.id = c.items[0].run.id;
    begin(g);
    ok(store_act_runs(g->s, RUN_DISCARD, &act, 1, g->now, &err), &err);
    commit(g);
    sleep_us(g, SECOND);
    assert_int_equal(remove_finished(g, g->now, 10), 1);
    claim_result_done(&c);
}

/* Those that stay are not looked at again and again before the others. */
static void what_must_stay_is_not_in_the_way_of_what_may_go(void **state)
{
    struct ground *g = *state;
    char key[8];

    for (int i = 0; i < 6; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        fire(g, key, i < 4 ? RUN_DEAD : RUN_SUCCEEDED);
        sleep_us(g, SECOND);
    }
    assert_int_equal(remove_finished(g, g->now, 2), 0);
    assert_int_equal(remove_finished(g, g->now, 2), 0);
    assert_int_equal(remove_finished(g, g->now, 2), 2);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_FINISHED], 4);
}

static void a_schedule_finished_again_later_is_kept_from_then(void **state)
{
    struct ground *g = *state;

    fire(g, "k", RUN_SUCCEEDED);
    sleep_us(g, 10 * SECOND);
    fire(g, "k", RUN_SUCCEEDED); /* the same identity, registered anew */
    assert_int_equal(remove_finished(g, g->now, 10), 0);
    sleep_us(g, SECOND);
    assert_int_equal(remove_finished(g, g->now, 10), 1);
}

static void finished_schedules_go_in_batches_the_oldest_first(void **state)
{
    struct ground *g = *state;
    char key[8];

    for (int i = 0; i < 5; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        fire(g, key, RUN_SUCCEEDED);
        sleep_us(g, SECOND);
    }
    assert_int_equal(remove_finished(g, g->now, 2), 2);
    assert_int_equal(remove_finished(g, wall_add(g->now, -3 * SECOND), 2), 0);
    assert_int_equal(remove_finished(g, g->now, 10), 3);
}

static void succeeded_runs_go_before_failed_ones(void **state)
{
    struct ground *g = *state;

    fire(g, "a", RUN_SUCCEEDED);
    fire(g, "b", RUN_FAILED);
    fire(g, "c", RUN_SKIPPED);
    fire(g, "d", RUN_CANCELLED);
    fire(g, "e", RUN_DEAD);
    sleep_us(g, SECOND);
    assert_int_equal(trim(g, GROUND_NOW, GROUND_NOW, 10), 0);
    assert_int_equal(trim(g, g->now, GROUND_NOW, 10), 1);
    assert_int_equal(trim(g, g->now, g->now, 10), 3);
    assert_int_equal(trim(g, g->now, g->now, 10), 0);
    assert_int_equal(stats_of(g).runs[RUN_DEAD], 1); /* until somebody handles it */
}

static void runs_go_in_batches(void **state)
{
    struct ground *g = *state;
    char key[8];

    for (int i = 0; i < 6; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        fire(g, key, i % 2 == 0 ? RUN_SUCCEEDED : RUN_FAILED);
    }
    sleep_us(g, SECOND);
    assert_int_equal(trim(g, g->now, g->now, 2), 2);
    assert_int_equal(trim(g, g->now, g->now, 2), 2);
    assert_int_equal(trim(g, g->now, g->now, 2), 2);
    assert_int_equal(trim(g, g->now, g->now, 2), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_finished_schedule_is_kept_for_its_time),
    cmocka_unit_test(what_is_not_finished_is_not_removed),
    cmocka_unit_test(a_finished_schedule_with_an_open_run_stays),
    cmocka_unit_test(a_finished_schedule_with_a_dead_run_stays_until_that_is_handled),
    cmocka_unit_test(what_must_stay_is_not_in_the_way_of_what_may_go),
    cmocka_unit_test(a_schedule_finished_again_later_is_kept_from_then),
    cmocka_unit_test(finished_schedules_go_in_batches_the_oldest_first),
    cmocka_unit_test(succeeded_runs_go_before_failed_ones),
    cmocka_unit_test(runs_go_in_batches),
};
SUITE(upkeep, tests);
