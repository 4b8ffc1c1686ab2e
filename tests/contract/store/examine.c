/*
 * examine.c: what a doctor finds in a store, and what it must not take for a fault.
 */
#include "store/examine.h"

#include <string.h>

#include "suites.h"

#define NOW "\"type\":\"now\""
#define EACH_SECOND "\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"allow\""

static struct breaches found(struct ground *g, struct examination x)
{
    struct breaches b;
    struct error err = {0};

    if (x.limit == 0)
        x.limit = 100;
    if (x.before.us == 0)
        x.before = g->now;
    begin(g);
    ok(store_examine(g->s, &x, &b, &err), &err);
    commit(g);
    return b;
}

static size_t count(struct ground *g, enum invariant what)
{
    return found(g, (struct examination){.what = what}).n;
}

static void expect_whole(struct ground *g)
{
    for (int what = 0; what < (int)INVARIANTS; what++)
        assert_int_equal(count(g, (enum invariant)what), 0);
}

static void a_store_that_works_breaks_nothing(void **state)
{
    struct ground *g = *state;
    struct claim_result c;

    expect_whole(g);
    (void)registered_as(g, "once", NOW);
    (void)registered_as(g, "often", EACH_SECOND);
    expect_whole(g);
    c = claim_n(g, 2); /* a one-shot whose run is open has no next time */
    expect_whole(g);
    (void)ended(g, &c.items[0], RUN_DEAD);
    (void)ended(g, &c.items[1], RUN_SUCCEEDED);
    claim_result_done(&c);
    expect_whole(g);
}

static void a_lease_that_ended_is_found_until_somebody_takes_it(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct breaches b;
    struct wall until;

    (void)registered_as(g, "k", NOW);
    c = claim_n(g, 1);
    until = c.items[0].run.lease_until;
    sleep_us(g, until.us - g->now.us);
    assert_int_equal(count(g, INVARIANT_LEASES), 0);
    sleep_us(g, 1);
    b = found(g, (struct examination){.what = INVARIANT_LEASES});
    assert_int_equal(b.n, 1);
    assert_true(uuid_eq(b.shown[0], c.items[0].run.id));
    assert_int_equal(b.earliest.us, until.us);
    claim_result_done(&c);
    c = claim_n(g, 1);
    expect_whole(g);
    claim_result_done(&c);
}

static void what_is_due_and_claimed_by_nobody_is_found(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct outcome o;
    struct breaches b;
    struct uuid id = registered_as(g, "k", NOW);

    sleep_us(g, SECOND);
    b = found(g, (struct examination){.what = INVARIANT_SCHEDULES});
    assert_int_equal(b.n, 1);
    assert_true(uuid_eq(b.shown[0], id));
    assert_int_equal(b.earliest.us, GROUND_NOW.us);
    c = claim_n(g, 1);
    assert_int_equal(count(g, INVARIANT_SCHEDULES), 0);
    o = outcome_of(g, &c.items[0], RUN_RETRYING);
    o.due_at = wall_add(g->now, SECOND);
    (void)recorded(g, o);
    assert_int_equal(count(g, INVARIANT_RUNS), 0);
    sleep_us(g, 2 * SECOND);
    b = found(g, (struct examination){.what = INVARIANT_RUNS});
    assert_int_equal(b.n, 1);
    assert_true(uuid_eq(b.shown[0], c.items[0].run.id));
    assert_int_equal(b.earliest.us, o.due_at.us);
    claim_result_done(&c);
}

static void no_more_is_counted_than_was_asked_for(void **state)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g"};
    struct ground *g = *state;
    struct breaches b;

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        (void)registered_as(g, keys[i], NOW);
    sleep_us(g, SECOND);
    b = found(g, (struct examination){.what = INVARIANT_SCHEDULES, .limit = 3});
    assert_int_equal(b.n, 3);
    b = found(g, (struct examination){.what = INVARIANT_SCHEDULES});
    assert_int_equal(b.n, 7); /* of which BREACHES_SHOWN are shown */
    assert_int_equal(b.earliest.us, GROUND_NOW.us);
}

/* As no call of the service leaves it. */
static void lose_next(struct ground *g, struct uuid id)
{
    struct record r = record_of(g, id);
    struct advance a = {.id = id, .after = r.timer};
    struct error err = {0};

    a.after.next_at = WALL_NEVER;
    begin(g);
    ok(store_advance(g->s, &a, 1, g->now, &err), &err);
    commit(g);
    record_done(&r);
}

static void an_active_schedule_without_a_next_time_is_found(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "lost", EACH_SECOND);
    struct breaches b;

    (void)registered_as(g, "sound", EACH_SECOND);
    lose_next(g, id);
    b = found(g, (struct examination){.what = INVARIANT_NEXT});
    assert_int_equal(b.n, 1);
    assert_true(uuid_eq(b.shown[0], id));
    assert_int_equal(b.looked_at, 2);
    assert_true(uuid_is_nil(b.reached));
}

static void pages_are_looked_at_one_behind_the_other(void **state)
{
    struct ground *g = *state;
    struct examination x = {.what = INVARIANT_NEXT, .limit = 2};
    size_t looked_at = 0;
    size_t n = 0;

    for (int i = 0; i < 5; i++) {
        struct uuid id = registered_as(g, (const char *[]){"a", "b", "c", "d", "e"}[i], EACH_SECOND);

        if (i % 2 == 0)
            lose_next(g, id);
    }
    do {
        struct breaches b = found(g, x);

        assert_true(b.looked_at <= 2);
        looked_at += b.looked_at;
        n += b.n;
        x.after = b.reached;
    } while (!uuid_is_nil(x.after));
    assert_int_equal(looked_at, 5);
    assert_int_equal(n, 3);
}

static struct uuid made(struct ground *g, struct run run)
{
    struct run_insert insert = {.label = STR("")};
    struct error err = {0};

    run.id = uuid_v7(g->now);
    run.schedule_version = 1;
    run.scheduled_at = g->now;
    run.attempt = 0;
    begin(g);
    insert.run = run;
    ok(store_insert_runs(g->s, &insert, 1, &err), &err);
    commit(g);
    return run.id;
}

static void a_run_without_a_schedule_is_found_unless_it_is_doomed(void **state)
{
    struct ground *g = *state;
    struct uuid gone = registered_as(g, "gone", NOW);
    struct claim_result c = claim_n(g, 1);
    struct error err = {0};
    struct breaches b;
    struct uuid orphan;

    begin(g);
    ok(store_remove_id(g->s, gone, 0, g->now, &err), &err);
    commit(g);
    claim_result_done(&c);
    assert_int_equal(count(g, INVARIANT_ORPHANS), 0);
    orphan =
        made(g, (struct run){.schedule_id = {{7}}, .state = RUN_PENDING, .due_at = wall_add(g->now, SECOND)});
    b = found(g, (struct examination){.what = INVARIANT_ORPHANS});
    assert_int_equal(b.n, 1);
    assert_true(uuid_eq(b.shown[0], orphan));
    assert_true(b.looked_at >= 2);
}

static void a_run_that_waits_for_nobody_is_found(void **state)
{
    struct ground *g = *state;
    struct uuid busy = registered_as(g, "busy", EACH_SECOND);
    struct claim_result c = claim_n(g, 1);
    struct uuid idle = registered_as(g, "idle", "\"type\":\"date\",\"schedule\":\"2031-01-01T00:00:00Z\"");
    struct uuid waits;
    struct breaches b;

    sleep_us(g, 10);
    (void)made(g, (struct run){.schedule_id = busy, .state = RUN_PENDING, .due_at = WALL_NEVER});
    assert_int_equal(count(g, INVARIANT_WAITING), 0); /* it waits for the one that was claimed */
    waits = made(g, (struct run){.schedule_id = idle, .state = RUN_PENDING, .due_at = WALL_NEVER});
    b = found(g, (struct examination){.what = INVARIANT_WAITING});
    assert_int_equal(b.n, 1);
    assert_true(uuid_eq(b.shown[0], waits));
    claim_result_done(&c);
}

static void a_schema_of_this_build_is_whole(void **state)
{
    static const enum inspection all[] = {INSPECT_SCHEMA, INSPECT_INDEXES, INSPECT_RIGHTS};
    struct ground *g = *state;

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct inspected r;
        struct error err = {0};
        enum err e;

        begin(g);
        e = store_inspect(g->s, all[i], &r, &err);
        commit(g);
        if (e == ERR_UNSUPPORTED)
            continue;
        ok(e, &err);
        assert_int_equal(r.faults.n, 0);
        assert_int_equal(r.remarks.n, 0);
        assert_true(strlen(r.about) > 0 || all[i] == INSPECT_INDEXES);
        if (all[i] == INSPECT_SCHEMA)
            assert_true(r.version > 0 && r.version == r.known);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_store_that_works_breaks_nothing),
    cmocka_unit_test(a_lease_that_ended_is_found_until_somebody_takes_it),
    cmocka_unit_test(what_is_due_and_claimed_by_nobody_is_found),
    cmocka_unit_test(no_more_is_counted_than_was_asked_for),
    cmocka_unit_test(an_active_schedule_without_a_next_time_is_found),
    cmocka_unit_test(pages_are_looked_at_one_behind_the_other),
    cmocka_unit_test(a_run_without_a_schedule_is_found_unless_it_is_doomed),
    cmocka_unit_test(a_run_that_waits_for_nobody_is_found),
    cmocka_unit_test(a_schema_of_this_build_is_whole),
};
SUITE(examine, tests);
