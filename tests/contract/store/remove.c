/*
 * remove.c: deletion by id and by filter.
 */
#include "suites.h"

#include <stdio.h>

#define DELAY "\"type\":\"delay\",\"schedule\":\"50\""
#define NOWISH "\"type\":\"now\""

static enum err remove_id(struct ground *g, struct uuid id, int64_t if_version)
{
    enum err e;

    begin(g);
    e = store_remove_id(g->s, id, if_version, g->now, NULL);
    commit(g);
    return e;
}

static size_t remove_by(struct ground *g, struct filter f)
{
    struct uuid_list removed = {0};
    struct error err = {0};
    struct uuid reached;
    size_t n;

    begin(g);
    ok(store_remove(g->s, &f, g->now, &removed, &reached, &err), &err);
    commit(g);
    n = removed.n;
    uuid_list_done(&removed);
    return n;
}

static void a_removed_schedule_is_gone_and_its_identity_free(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);
    struct uuid again;

    assert_int_equal(remove_id(g, id, 0), ERR_NONE);
    assert_int_equal(get_error(g, id), ERR_NOT_FOUND);
    assert_int_equal(remove_id(g, id, 0), ERR_NOT_FOUND);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 0);
    again = registered_as(g, "k", DELAY);
    assert_false(uuid_eq(id, again));
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 1);
}

static void a_removal_with_a_stale_version_is_refused(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);

    assert_int_equal(remove_id(g, id, 2), ERR_PRECONDITION);
    assert_int_equal(get_error(g, id), ERR_NONE);
    assert_int_equal(remove_id(g, id, 1), ERR_NONE);
}

static void a_removed_schedule_does_not_fire(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c;

    assert_int_equal(remove_id(g, id, 0), ERR_NONE);
    c = claim_n(g, 0);
    assert_true(wall_is_never(c.next_due));
    claim_result_done(&c);
}

static void a_removal_cancels_the_retry_and_keeps_its_line(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct run_record_list l;

    (void)ended(g, &c.items[0], RUN_RETRYING);
    assert_int_equal(remove_id(g, id, 0), ERR_NONE);
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_CANCELLED);
    l = runs_of(g, id);
    assert_int_equal(l.n, 1);
    run_record_list_done(&l);
    claim_result_done(&c);
    sleep_us(g, 100 * SECOND);
    c = claim_n(g, 0);
    claim_result_done(&c);
}

static void an_attempt_in_flight_of_a_removed_schedule_is_recorded_and_not_retried(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"delay-recur\",\"schedule\":\"1\"");
    struct claim_result c;
    struct outcome o;

    sleep_us(g, SECOND);
    c = claim_n(g, 1);
    assert_int_equal(remove_id(g, id, 0), ERR_NONE);
    o = ended(g, &c.items[0], RUN_RETRYING);
    assert_false(o.stale);
    assert_int_equal(o.became, RUN_FAILED);
    assert_true(wall_is_never(o.made_due));
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_FAILED);
    assert_int_equal(stats_of(g).runs[RUN_RUNNING], 0);
    claim_result_done(&c);
}

static void a_run_of_a_removed_schedule_handed_back_unattempted_is_cancelled(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);

    assert_int_equal(remove_id(g, id, 0), ERR_NONE);
    assert_int_equal(ended(g, &c.items[0], RUN_PENDING).became, RUN_CANCELLED);
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_CANCELLED);
    claim_result_done(&c);
}

static void a_doomed_run_whose_holder_was_lost_is_cancelled_at_its_leases_end(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct claim_result later;

    assert_int_equal(remove_id(g, id, 0), ERR_NONE);
    sleep_us(g, 31 * SECOND);
    later = claim_n(g, 0);
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_CANCELLED);
    assert_true(wall_is_never(later.next_due));
    assert_true(ended(g, &c.items[0], RUN_SUCCEEDED).stale);
    claim_result_done(&c);
    claim_result_done(&later);
}

static void a_filter_removes_what_matches_all_its_members(void **state)
{
    struct ground *g = *state;
    struct uuid b;

    (void)registered_as(g, "a", DELAY);
    b = registered_as(g, "b", DELAY);
    assert_int_equal(remove_by(g, (struct filter){.application = STR("nobody"), .state = -1, .limit = 10}),
                     0);
    assert_int_equal(
        remove_by(g, (struct filter){.application = STR("app"), .key = STR("a"), .state = -1, .limit = 10}),
        1);
    assert_int_equal(get_error(g, b), ERR_NONE);
    assert_int_equal(remove_by(g, (struct filter){.application = STR("app"), .state = -1, .limit = 10}), 1);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 0);
}

static void a_removal_by_filter_goes_no_farther_than_its_limit_and_says_what_it_took(void **state)
{
    struct ground *g = *state;
    struct uuid ids[5];
    struct uuid reached;
    struct filter f = {.group = STR("grp"), .state = -1, .limit = 3};
    struct uuid_list removed = {0};
    struct error err = {0};

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%zu", i);
        sleep_us(g, SECOND); /* identifiers sort by time */
        ids[i] = registered_as(g, key, DELAY);
    }
    begin(g);
    ok(store_remove(g->s, &f, g->now, &removed, &reached, &err), &err);
    commit(g);
    assert_true(uuid_eq(reached, ids[2]));
    assert_int_equal(removed.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(uuid_eq(removed.items[i], ids[i]));
    assert_int_equal(get_error(g, ids[2]), ERR_NOT_FOUND);
    assert_int_equal(get_error(g, ids[3]), ERR_NONE);
    uuid_list_done(&removed);
    assert_int_equal(remove_by(g, f), 2);
}

/* However few match: who deletes among a million does not hold up everybody else. */
static void a_removal_looks_at_no_more_than_its_limit_and_says_how_far_it_came(void **state)
{
    struct ground *g = *state;
    struct filter f = {.name_prefix = STR("k4"), .state = -1, .limit = 3};
    struct uuid_list removed = {0};
    struct error err = {0};
    struct uuid ids[5];

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%zu", i);
        sleep_us(g, SECOND);
        ids[i] = registered_as(g, key, DELAY);
    }
    begin(g);
    ok(store_remove(g->s, &f, g->now, &removed, &f.after, &err), &err);
    assert_int_equal(removed.n, 0);
    assert_true(uuid_eq(f.after, ids[2]));
    ok(store_remove(g->s, &f, g->now, &removed, &f.after, &err), &err);
    commit(g);
    assert_int_equal(removed.n, 1);
    assert_true(uuid_eq(removed.items[0], ids[4]));
    assert_true(uuid_is_nil(f.after));
    uuid_list_done(&removed);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 4);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_removed_schedule_is_gone_and_its_identity_free),
    cmocka_unit_test(a_removal_with_a_stale_version_is_refused),
    cmocka_unit_test(a_removed_schedule_does_not_fire),
    cmocka_unit_test(a_removal_cancels_the_retry_and_keeps_its_line),
    cmocka_unit_test(an_attempt_in_flight_of_a_removed_schedule_is_recorded_and_not_retried),
    cmocka_unit_test(a_run_of_a_removed_schedule_handed_back_unattempted_is_cancelled),
    cmocka_unit_test(a_doomed_run_whose_holder_was_lost_is_cancelled_at_its_leases_end),
    cmocka_unit_test(a_filter_removes_what_matches_all_its_members),
    cmocka_unit_test(a_removal_by_filter_goes_no_farther_than_its_limit_and_says_what_it_took),
    cmocka_unit_test(a_removal_looks_at_no_more_than_its_limit_and_says_how_far_it_came),
};
SUITE(remove, tests);
