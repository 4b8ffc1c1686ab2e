/*
 * list_runs.c: runs as people look at them, open, dead and ended ones as one list.
 */
#include "suites.h"

#include <stdio.h>

#define NOWISH "\"type\":\"now\""

/* Eight runs of eight schedules, one in each state, oldest first; pending is one that was handed back. */
static void populate(struct ground *g, struct uuid runs[8], struct uuid schedules[8])
{
    for (int state = RUN_PENDING; state <= RUN_CANCELLED; state++) {
        struct claim_result c;
        char key[8];

        (void)snprintf(key, sizeof(key), "k%d", state);
        schedules[state] = registered_as(g, key, NOWISH);
        c = claim_n(g, 1);
        runs[state] = c.items[0].run.id;
        if (state != RUN_RUNNING && state != RUN_PENDING)
            (void)ended(g, &c.items[0], (enum run_state)state);
        if (state == RUN_PENDING) {
            struct outcome o = outcome_of(g, &c.items[0], RUN_PENDING);

            o.due_at = wall_add(g->now, 1000 * SECOND);
            (void)recorded(g, o);
        }
        claim_result_done(&c);
        sleep_us(g, 10000); /* identifiers sort by time, to the millisecond */
    }
}

static size_t page(struct ground *g, struct run_filter f, struct uuid *ret)
{
    struct run_record_list l = {0};
    struct error err = {0};
    size_t n;

    begin(g);
    ok(store_list_runs(g->s, &f, &l, &err), &err);
    commit(g);
    n = l.n;
    for (size_t i = 0; i < n && i < 16; i++)
        ret[i] = l.items[i].run.id;
    run_record_list_done(&l);
    return n;
}

static void all_runs_come_newest_first_whatever_their_state(void **state)
{
    struct ground *g = *state;
    struct uuid runs[8];
    struct uuid schedules[8];
    struct uuid got[16];

    populate(g, runs, schedules);
    assert_int_equal(page(g, (struct run_filter){.state = -1, .limit = 100}, got), 8);
    for (size_t i = 0; i < 8; i++)
        assert_true(uuid_eq(got[i], runs[7 - i]));
}

static void each_state_can_be_asked_for(void **state)
{
    struct ground *g = *state;
    struct uuid runs[8];
    struct uuid schedules[8];
    struct uuid got[16];

    populate(g, runs, schedules);
    for (int s = RUN_PENDING; s <= RUN_CANCELLED; s++) {
        assert_int_equal(page(g, (struct run_filter){.state = s, .limit = 100}, got), 1);
        assert_true(uuid_eq(got[0], runs[s]));
        assert_int_equal(
            page(g, (struct run_filter){.state = s, .limit = 100, .schedule_id = schedules[s]}, got), 1);
        assert_true(uuid_eq(got[0], runs[s]));
        assert_int_equal(
            page(g, (struct run_filter){.state = s, .limit = 100, .schedule_id = schedules[(s + 1) % 8]},
                 got),
            0);
    }
}

static void pages_of_runs_follow_each_other(void **state)
{
    struct ground *g = *state;
    struct uuid runs[8];
    struct uuid schedules[8];
    struct uuid got[16];
    struct run_filter f = {.state = -1, .limit = 3};
    size_t seen = 0;

    populate(g, runs, schedules);
    for (size_t n; (n = page(g, f, got)) > 0; f.before = got[n - 1]) {
        for (size_t i = 0; i < n; i++, seen++)
            assert_true(uuid_eq(got[i], runs[7 - seen]));
    }
    assert_int_equal(seen, 8);
}

static void a_schedules_runs_are_its_open_dead_and_ended_ones(void **state)
{
    struct ground *g = *state;
    struct uuid id =
        registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"allow\"");
    static const enum run_state states[] = {RUN_SUCCEEDED, RUN_DEAD, RUN_RETRYING, RUN_FAILED};
    struct run_record_list l;
    struct claim_result c;

    (void)registered_as(g, "other", NOWISH);
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        c = claim_n(g, i == 0 ? 2 : 1);
        for (size_t k = 0; k < c.n; k++) {
            if (uuid_eq(c.items[k].run.schedule_id, id))
                (void)ended(g, &c.items[k], states[i]);
        }
        claim_result_done(&c);
        sleep_us(g, SECOND);
    }
    l = runs_of(g, id);
    assert_int_equal(l.n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(l.items[i].run.state, states[3 - i]);
    run_record_list_done(&l);
}

static void an_unknown_run_is_not_found(void **state)
{
    struct ground *g = *state;
    struct run_record r;

    begin(g);
    assert_int_equal(store_get_run(g->s, (struct uuid){{3}}, &r, NULL), ERR_NOT_FOUND);
    commit(g);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_runs_come_newest_first_whatever_their_state),
    cmocka_unit_test(each_state_can_be_asked_for),
    cmocka_unit_test(pages_of_runs_follow_each_other),
    cmocka_unit_test(a_schedules_runs_are_its_open_dead_and_ended_ones),
    cmocka_unit_test(an_unknown_run_is_not_found),
};
SUITE(list_runs, tests);
