/*
 * edges.c: transactions, the clock, and what a store remembers about itself.
 */
#include "suites.h"

#define DELAY "\"type\":\"delay\",\"schedule\":\"50\""

static void what_was_rolled_back_never_happened(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", DELAY);
    struct uuid kept = registered_as(g, "kept", DELAY);
    struct put p = {.schedule = s, .definition = STR("{}"), .id = uuid_v7(g->now)};
    struct error err = {0};

    timer_start(s, g->now, &p.timer);
    begin(g);
    ok(store_put(g->s, &p, 1, g->now, &err), &err);
    ok(store_remove_id(g->s, kept, 0, g->now, &err), &err);
    store_rollback(g->s);
    g->in_transaction = false;
    assert_int_equal(get_error(g, p.id), ERR_NOT_FOUND);
    assert_int_equal(get_error(g, kept), ERR_NONE);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 1);
}

static void a_transaction_that_only_reads_sees_what_is_there(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);
    struct record r = {0};
    struct error err = {0};

    ok(store_begin(g->s, false, &err), &err);
    ok(store_get(g->s, id, &r, &err), &err);
    ok(store_ping(g->s, &err), &err);
    ok(store_commit(g->s, &err), &err);
    record_done(&r);
}

static void the_store_tells_the_time(void **state)
{
    struct ground *g = *state;
    struct error err = {0};
    struct wall now;

    sleep_us(g, 123);
    begin(g);
    ok(store_now(g->s, &now, &err), &err);
    commit(g);
    assert_int_equal(now.us, GROUND_NOW.us + 123);
}

static void what_is_remembered_can_be_read_and_changed(void **state)
{
    struct ground *g = *state;
    CLEANUP(buf_done_p) struct buf b = {0};
    struct error err = {0};

    buf_init(&b, 100);
    begin(g);
    assert_int_equal(store_get_meta(g->s, "zones", &b, NULL), ERR_NOT_FOUND);
    ok(store_set_meta(g->s, "zones", STR("2025a"), &err), &err);
    ok(store_set_meta(g->s, "zones", STR("2025b"), &err), &err);
    ok(store_get_meta(g->s, "zones", &b, &err), &err);
    commit(g);
    assert_string_equal(buf_cstr(&b), "2025b");
}

static void upkeep_may_come_at_any_time_between_transactions(void **state)
{
    struct ground *g = *state;

    store_upkeep(g->s);
    (void)registered_as(g, "k", DELAY);
    store_upkeep(g->s);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_was_rolled_back_never_happened),
    cmocka_unit_test(a_transaction_that_only_reads_sees_what_is_there),
    cmocka_unit_test(the_store_tells_the_time),
    cmocka_unit_test(what_is_remembered_can_be_read_and_changed),
    cmocka_unit_test(upkeep_may_come_at_any_time_between_transactions),
};
SUITE(edges, tests);
