/*
 * doomed.c: which runs that are under way were given up, and why: instances that missed notices ask.
 */
#include "suites.h"

#define SECONDLY "\"type\":\"cron\",\"schedule\":\"* * * * * *\""
#define REPLACING SECONDLY ",\"overlap\":\"replace\""

enum answer { GOES_ON, DOOMED, REPLACED };

static enum answer ask(struct ground *g, struct uuid run)
{
    CLEANUP(uuid_list_done) struct uuid_list doomed = {0};
    CLEANUP(uuid_list_done) struct uuid_list replaced = {0};
    struct error err = {0};

    begin(g);
    ok(store_doomed(g->s, &run, 1, &doomed, &replaced, &err), &err);
    commit(g);
    assert_true(replaced.n <= doomed.n);
    if (doomed.n > 0)
        assert_true(uuid_eq(doomed.items[0], run));
    if (replaced.n > 0)
        assert_true(uuid_eq(replaced.items[0], run));
    return doomed.n > 0 ? (replaced.n > 0 ? REPLACED : DOOMED) : GOES_ON;
}

/* A store of one instance has nobody who could have missed anything. */
static bool is_shared(const struct ground *g)
{
    return g->s->ops->doomed;
}

/* A run of `id` that is under way. */
static struct uuid under_way(struct ground *g, struct uuid *ret_schedule)
{
    struct claim_result c;
    struct uuid run;

    *ret_schedule = registered_as(g, "k", REPLACING);
    c = claim_n(g, 1);
    run = c.items[0].run.id;
    claim_result_done(&c);
    sleep_us(g, SECOND + SECOND / 2);
    return run;
}

static void pause_it(struct ground *g, struct uuid id)
{
    struct record r = record_of(g, id);
    struct error err = {0};
    int64_t version;

    timer_pause(&r.timer, g->now);
    begin(g);
    ok(store_set_timer(g->s, id, 0, &r.timer, true, g->now, &version, &err), &err);
    commit(g);
    record_done(&r);
}

static void a_run_under_way_is_doomed_but_not_replaced_by_a_change_of_its_schedule(void **state)
{
    struct ground *g = *state;
    struct error err = {0};
    struct uuid id;
    struct uuid run = under_way(g, &id);

    if (!is_shared(g))
        return;
    assert_int_equal(ask(g, run), GOES_ON);
    (void)registered_as(g, "k", REPLACING ",\"max_runs\":9");
    assert_int_equal(ask(g, run), DOOMED);
    pause_it(g, id);
    assert_int_equal(ask(g, run), DOOMED);
    begin(g);
    ok(store_remove_id(g->s, id, 0, g->now, &err), &err);
    commit(g);
    assert_int_equal(ask(g, run), DOOMED);
}

static void a_run_whose_place_a_newer_one_took_is_replaced(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct uuid id;
    struct uuid run = under_way(g, &id);

    if (!is_shared(g))
        return;
    sleep_us(g, SECOND);
    c = claim_n(g, 1);
    assert_int_equal(c.replaced.n, 1);
    assert_int_equal(ask(g, run), REPLACED);
    assert_int_equal(ask(g, c.items[0].run.id), GOES_ON);
    claim_result_done(&c);
    pause_it(g, id);
    assert_int_equal(ask(g, run), REPLACED);
}

/* First its schedule changed, then the newer definition's run took its place. */
static void what_a_change_doomed_can_be_replaced_later(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct uuid id;
    struct uuid run = under_way(g, &id);

    if (!is_shared(g))
        return;
    (void)registered_as(g, "k", REPLACING ",\"max_runs\":9");
    assert_int_equal(ask(g, run), DOOMED);
    sleep_us(g, SECOND);
    c = claim_n(g, 1);
    assert_int_equal(ask(g, run), REPLACED);
    claim_result_done(&c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_run_under_way_is_doomed_but_not_replaced_by_a_change_of_its_schedule),
    cmocka_unit_test(a_run_whose_place_a_newer_one_took_is_replaced),
    cmocka_unit_test(what_a_change_doomed_can_be_replaced_later),
};
SUITE(doomed, tests);
