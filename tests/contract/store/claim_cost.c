/*
 * claim_cost.c: what a claim costs: timers written, and calls of the store. Calls take sets, so their number
 * must not grow with what is claimed.
 */
#include "suites.h"

#include <stdio.h>

#include "model/run.h"

#define NOWISH "\"type\":\"now\""
#define SECONDLY "\"type\":\"cron\",\"schedule\":\"* * * * * *\""

/* The store's own calls, with some of them counted on their way. One test at a time. */
static struct {
    const struct store_ops *real;
    struct store_ops ops;
    size_t written; /* timers, by advance() */
    size_t calls;   /* of all that is counted */
    size_t single;  /* of those, those that look at one thing */
} counted;

static enum err count_due(struct store *s, struct wall until, size_t limit, struct due_list *ret,
                          struct error *err)
{
    counted.calls++;
    return counted.real->due(s, until, limit, ret, err);
}

static enum err count_advance(struct store *s, const struct advance *a, size_t n, struct wall now,
                              struct error *err)
{
    counted.calls++;
    counted.written += n;
    return counted.real->advance(s, a, n, now, err);
}

static enum err count_retake(struct store *s, const struct lease *lease, struct wall now, struct wall until,
                             size_t limit, struct taken_list *ret, struct error *err)
{
    counted.calls++;
    return counted.real->retake(s, lease, now, until, limit, ret, err);
}

static enum err count_list_runs(struct store *s, const struct run_filter *f, struct run_record_list *ret,
                                struct error *err)
{
    counted.calls++;
    counted.single++;
    return counted.real->list_runs(s, f, ret, err);
}

static enum err count_get_run(struct store *s, struct uuid id, struct run_record *ret, struct error *err)
{
    counted.calls++;
    counted.single++;
    return counted.real->get_run(s, id, ret, err);
}

static enum err count_get(struct store *s, struct uuid id, struct record *ret, struct error *err)
{
    counted.calls++;
    counted.single++;
    return counted.real->get(s, id, ret, err);
}

/* A claim as the engine makes it, counted. */
static size_t count_claim(struct ground *g)
{
    struct claim_request req = {
        .instance = g->instance,
        .horizon_us = SECOND,
        .lease_us = 30 * SECOND,
        .limit = 1000,
        .timer_rules = {.misfire_grace_us = 5 * SECOND, .lead_us = SECOND / 2},
        .schedule_rules = &g->rules,
    };
    struct claim_result r = {0};
    struct error err = {0};
    size_t n;

    counted.real = g->s->ops;
    counted.ops = *counted.real;
    counted.ops.due = count_due;
    counted.ops.advance = count_advance;
    counted.ops.retake = count_retake;
    counted.ops.list_runs = count_list_runs;
    counted.ops.get_run = count_get_run;
    counted.ops.get = count_get;
    counted.written = 0;
    counted.calls = 0;
    counted.single = 0;
    begin(g);
    g->s->ops = &counted.ops;
    ok(store_claim(g->s, g->cache, &req, g->now, &r, &err), &err);
    g->s->ops = counted.real;
    commit(g);
    n = r.n;
    claim_result_done(&r);
    return n;
}

static void register_each(struct ground *g, int n, const char *members)
{
    for (int i = 0; i < n; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%d", i);
        (void)registered_as(g, key, members);
    }
}

static void a_timer_that_waits_for_its_time_is_written_once(void **state)
{
    struct ground *g = *state;

    register_each(g, 3, SECONDLY);
    assert_int_equal(count_claim(g), 3); /* their runs stay open */
    sleep_us(g, SECOND + SECOND / 2);
    assert_int_equal(count_claim(g), 0); /* the next occurrences cannot be judged before their time */
    assert_int_equal(counted.written, 3);
    for (int i = 0; i < 4; i++) {
        sleep_us(g, SECOND / 10);
        assert_int_equal(count_claim(g), 0);
        assert_int_equal(counted.written, 0);
    }
    sleep_us(g, SECOND / 10);
    assert_int_equal(count_claim(g), 0); /* counted: overlap */
    assert_int_equal(counted.written, 3);
}

/* Replaced right before its time: whether it was begun is known when its run ends, or a second later. */
static void a_timer_that_waits_for_a_doomed_run_is_written_once(void **state)
{
    struct ground *g = *state;

    register_each(g, 3, "\"type\":\"date\",\"schedule\":\"2030-01-01T00:00:01Z\"");
    assert_int_equal(count_claim(g), 3);
    sleep_us(g, SECOND / 2);
    register_each(g, 3, "\"type\":\"date\",\"schedule\":\"2030-01-01T00:00:01Z\",\"max_runs\":1");
    assert_int_equal(count_claim(g), 0);
    assert_int_equal(counted.written, 3);
    sleep_us(g, SECOND);
    for (int i = 0; i < 4; i++) {
        sleep_us(g, SECOND / 10);
        assert_int_equal(count_claim(g), 0);
        assert_int_equal(counted.written, 0);
    }
}

static void a_claim_costs_the_same_number_of_calls_however_many_schedules_were_changed(void **state)
{
    struct ground *g = *state;
    size_t for_one;

    register_each(g, 1, SECONDLY);
    assert_int_equal(count_claim(g), 1);
    sleep_us(g, SECOND - 3000);
    register_each(g, 1, SECONDLY ",\"max_runs\":9");
    sleep_us(g, 3000);
    assert_int_equal(count_claim(g), 0); /* what was replaced may still end */
    assert_int_equal(counted.single, 0);
    for_one = counted.calls;

    sleep_us(g, 10 * SECOND);
    register_each(g, 20, SECONDLY);
    (void)count_claim(g);
    sleep_us(g, SECOND - 3000);
    register_each(g, 20, SECONDLY ",\"max_runs\":9");
    sleep_us(g, 3000);
    (void)count_claim(g);
    assert_int_equal(counted.single, 0);
    assert_int_equal(counted.calls, for_one);
}

static void a_claim_costs_the_same_number_of_calls_however_many_runs_it_takes_over(void **state)
{
    struct ground *g = *state;

    register_each(g, 20, NOWISH ",\"max_lateness\":10");
    assert_int_equal(count_claim(g), 20);
    sleep_us(g, 31 * SECOND);
    assert_int_equal(count_claim(g), 20);
    assert_int_equal(counted.single, 0);
    assert_true(counted.calls <= 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_timer_that_waits_for_its_time_is_written_once),
    cmocka_unit_test(a_timer_that_waits_for_a_doomed_run_is_written_once),
    cmocka_unit_test(a_claim_costs_the_same_number_of_calls_however_many_schedules_were_changed),
    cmocka_unit_test(a_claim_costs_the_same_number_of_calls_however_many_runs_it_takes_over),
};
SUITE(claim_cost, tests);
