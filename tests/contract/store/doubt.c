/*
 * doubt.c: a run that was handed out and may have begun, when its schedule is paused, resumed or replaced:
 * its occurrence is neither lost nor, while its holder answers, made twice.
 */
#include "suites.h"

#include "store/ops_hand.h"
#include "store/ops_schedule.h"

#define NOWISH "\"type\":\"now\""

static void act(struct ground *g, enum op_act_kind kind, struct uuid id)
{
    struct op_act *o = op_act_new(NULL);
    struct op *op = &o->op;
    struct schedule_rules rules = g->rules;
    struct notice n = {.earliest = WALL_NEVER};
    struct error err = {0};

    rules.trusted = true;
    o->kind = kind;
    o->id = id;
    o->rules = &rules;
    begin(g);
    ok(op->type->run(g->s, &op, 1, g->now, &n, &err), &err);
    commit(g);
    assert_int_equal(op->err.code, ERR_NONE);
    change_list_done(&n.changed);
    op_act_free(o);
}

static enum schedule_state state_of(struct ground *g, struct uuid id)
{
    struct record r = record_of(g, id);
    enum schedule_state state = r.timer.state;

    record_done(&r);
    return state;
}

/* It waits for a place at its target, say. */
static struct claim_result handed_out(struct ground *g, struct uuid *ret)
{
    struct claim_result c;

    *ret = registered_as(g, "k", NOWISH);
    sleep_us(g, SECOND);
    c = claim_n(g, 1);
    sleep_us(g, SECOND);
    return c;
}

static void expect_that_it_runs(struct ground *g, struct uuid id)
{
    struct claim_result c = claim_n(g, 1);

    assert_true(uuid_eq(c.items[0].run.schedule_id, id));
    assert_int_equal(c.items[0].run.scheduled_at.us, GROUND_NOW.us);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    assert_int_equal(state_of(g, id), SCHEDULE_FINISHED);
    claim_result_done(&c);
}

static void a_one_shot_that_its_holder_drops_after_pause_and_resumption_runs(void **state)
{
    struct ground *g = *state;
    struct uuid id;
    struct claim_result c = handed_out(g, &id);
    struct claim_result none;

    act(g, OP_PAUSE, id);
    sleep_us(g, 1000);
    act(g, OP_RESUME, id);
    none = claim_n(g, 0); /* it may have begun */
    claim_result_done(&none);
    assert_int_equal(state_of(g, id), SCHEDULE_ACTIVE);
    assert_int_equal(ended(g, &c.items[0], RUN_CANCELLED).made_due.us, GROUND_NOW.us);
    claim_result_done(&c);
    expect_that_it_runs(g, id);
}

static void a_one_shot_that_its_holder_drops_in_a_pause_runs_when_resumed(void **state)
{
    struct ground *g = *state;
    struct uuid id;
    struct claim_result c = handed_out(g, &id);

    act(g, OP_PAUSE, id);
    (void)ended(g, &c.items[0], RUN_CANCELLED);
    claim_result_done(&c);
    act(g, OP_RESUME, id);
    expect_that_it_runs(g, id);
}

static void a_one_shot_whose_holder_is_lost_around_a_pause_runs(void **state)
{
    struct ground *g = *state;
    struct uuid id;
    struct claim_result c = handed_out(g, &id);

    claim_result_done(&c);
    act(g, OP_PAUSE, id);
    act(g, OP_RESUME, id);
    sleep_us(g, 30 * SECOND);
    c = claim_n(g, 0); /* ends what it held */
    claim_result_done(&c);
    expect_that_it_runs(g, id);
}

static void a_one_shot_that_was_under_way_in_a_pause_does_not_run_again(void **state)
{
    struct ground *g = *state;
    struct uuid id;
    struct claim_result c = handed_out(g, &id);

    act(g, OP_PAUSE, id);
    act(g, OP_RESUME, id);
    assert_int_equal(ended(g, &c.items[0], RUN_SUCCEEDED).became, RUN_SUCCEEDED);
    claim_result_done(&c);
    sleep_us(g, SECOND);
    c = claim_n(g, 0);
    claim_result_done(&c);
    assert_int_equal(state_of(g, id), SCHEDULE_FINISHED);
}

/* --- replaced right before its time, and not heard of for so long that it counts as made --- */

#define SECONDLY "\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"allow\""
#define FIRST (GROUND_NOW.us + SECOND)

/* The run of the first occurrence, by the older definition; later ones are made by the newer. */
static struct claim_result taken_for_made(struct ground *g, struct uuid *ret)
{
    struct claim_result old;

    *ret = registered_as(g, "k", SECONDLY);
    old = claim_n(g, 1);
    sleep_us(g, SECOND - 3000);
    (void)registered_as(g, "k", SECONDLY ",\"max_lateness\":60");
    sleep_us(g, 3000);
    for (int i = 0; i < 4; i++) {
        struct claim_result c;

        sleep_us(g, SECOND / 2);
        c = claim_limit(g, 1000);
        for (size_t k = 0; k < c.n; k++) {
            assert_true(c.items[k].run.scheduled_at.us > FIRST);
            (void)ended(g, &c.items[k], RUN_SUCCEEDED);
        }
        claim_result_done(&c);
    }
    return old;
}

/* How often it comes in a claim now. */
static size_t first_comes(struct ground *g)
{
    struct claim_result c = claim_limit(g, 1000);
    size_t n = 0;

    for (size_t k = 0; k < c.n; k++) {
        const struct run *run = &c.items[k].run;

        if (run->scheduled_at.us == FIRST) {
            assert_int_equal(run->schedule_version, 2);
            assert_true(c.items[k].schedule->max_lateness_us == 60 * SECOND);
            assert_true(run->unseen);
            n++;
        }
        (void)ended(g, &c.items[k], RUN_SUCCEEDED);
    }
    claim_result_done(&c);
    return n;
}

static int64_t runs_made(struct ground *g, struct uuid id)
{
    struct record r = record_of(g, id);
    int64_t n = r.timer.runs;

    record_done(&r);
    return n;
}

static void what_a_lost_holder_never_began_is_run_by_the_newer_definition(void **state)
{
    struct ground *g = *state;
    struct uuid id;
    struct claim_result old = taken_for_made(g, &id);

    assert_int_equal(first_comes(g), 0);
    sleep_us(g, 30 * SECOND);
    assert_int_equal(first_comes(g), 1);
    assert_int_equal(run_of(g, old.items[0].run.id).run.state, RUN_SUCCEEDED);
    sleep_us(g, 60 * SECOND);
    assert_int_equal(first_comes(g), 0);
    claim_result_done(&old);
}

static void what_is_dropped_late_is_run_by_the_newer_definition(void **state)
{
    struct ground *g = *state;
    struct uuid id;
    struct claim_result old = taken_for_made(g, &id);
    int64_t made = runs_made(g, id);
    struct outcome o = ended(g, &old.items[0], RUN_CANCELLED);

    assert_int_equal(o.became, RUN_PENDING);
    assert_int_equal(o.made_due.us, g->now.us);
    assert_int_equal(runs_made(g, id), made);
    assert_true(ended(g, &old.items[0], RUN_SUCCEEDED).stale);
    assert_int_equal(first_comes(g), 1);
    assert_int_equal(first_comes(g), 0);
    claim_result_done(&old);
}

static void what_was_under_way_after_all_does_not_run_again(void **state)
{
    struct ground *g = *state;
    struct uuid id;
    struct claim_result old = taken_for_made(g, &id);

    assert_int_equal(ended(g, &old.items[0], RUN_RETRYING).became, RUN_FAILED);
    sleep_us(g, 90 * SECOND);
    assert_int_equal(first_comes(g), 0);
    claim_result_done(&old);
}

static void what_a_later_change_dooms_again_is_owed_no_more(void **state)
{
    struct ground *g = *state;
    struct uuid id;
    struct claim_result old = taken_for_made(g, &id);

    act(g, OP_PAUSE, id);
    assert_int_equal(ended(g, &old.items[0], RUN_CANCELLED).became, RUN_CANCELLED);
    act(g, OP_RESUME, id);
    sleep_us(g, 31 * SECOND);
    assert_int_equal(first_comes(g), 0);
    claim_result_done(&old);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_one_shot_that_its_holder_drops_after_pause_and_resumption_runs),
    cmocka_unit_test(a_one_shot_that_its_holder_drops_in_a_pause_runs_when_resumed),
    cmocka_unit_test(a_one_shot_whose_holder_is_lost_around_a_pause_runs),
    cmocka_unit_test(a_one_shot_that_was_under_way_in_a_pause_does_not_run_again),
    cmocka_unit_test(what_a_lost_holder_never_began_is_run_by_the_newer_definition),
    cmocka_unit_test(what_is_dropped_late_is_run_by_the_newer_definition),
    cmocka_unit_test(what_was_under_way_after_all_does_not_run_again),
    cmocka_unit_test(what_a_later_change_dooms_again_is_owed_no_more),
};
SUITE(doubt, tests);
