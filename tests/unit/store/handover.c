/*
 * handover.c: what was made ahead of its time when its schedule is replaced or paused: fired once, by the old
 * definition or the new one, whoever gets to it, and not lost to a pause.
 */
#include <stdio.h>

#include "ground.h"
#include "store/ops_schedule.h"

#define SECONDLY "\"type\":\"cron\",\"schedule\":\"* * * * * *\""
#define IN_TWO "\"type\":\"delay\",\"schedule\":\"2\""
#define MS US_PER_MS

/* As a lane does, in a transaction whose time is the clock's. */
static void run_op(struct ground *g, struct op *op)
{
    struct notice notice = {.earliest = WALL_NEVER};
    struct error err = {0};

    begin(g);
    ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
    commit(g);
    change_list_done(&notice.changed);
    assert_int_equal(op->err.code, ERR_NONE);
}

static void act(struct ground *g, struct uuid id, enum op_act_kind kind)
{
    struct op_act *o = op_act_new(NULL);

    o->kind = kind;
    o->id = id;
    o->rules = &g->rules;
    run_op(g, &o->op);
    op_act_free(o);
}

static struct timer timer_of(struct ground *g, struct uuid id)
{
    struct record r = record_of(g, id);
    struct timer t = r.timer;

    record_done(&r);
    return t;
}

static int64_t missed_in_all(struct ground *g, struct uuid id)
{
    struct timer t = timer_of(g, id);
    int64_t n = 0;

    for (size_t i = 0; i < MISSED_N; i++)
        n += t.missed[i];
    return n;
}

/* Claims the one run that is due; when it is of. */
static struct wall fired(struct ground *g)
{
    struct claim_result c = claim_n(g, 1);
    struct wall at = c.items[0].run.scheduled_at;

    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
    return at;
}

static void nothing_is_due(struct ground *g)
{
    struct claim_result c = claim_n(g, 0);

    claim_result_done(&c);
}

/* What the engine drops unattempted. */
static void dropped(struct ground *g, const struct claimed *c)
{
    assert_int_equal(ended(g, c, RUN_PENDING).became, RUN_CANCELLED);
}

/* --- replacement --- */

/* The replacement's transaction began before T, and its commit, with the news of it, came after. */
static void an_occurrence_that_began_while_its_schedule_was_replaced_fires_once(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"overlap\":\"allow\"");
    struct wall t = wall_add(g->now, SECOND);
    struct claim_result c;

    sleep_us(g, SECOND / 2);
    c = claim_n(g, 1);
    assert_int_equal(c.items[0].run.scheduled_at.us, t.us);
    sleep_us(g, SECOND / 2 - 5 * MS);
    (void)registered_as(g, "k", SECONDLY ",\"overlap\":\"allow\",\"max_runs\":5");
    sleep_us(g, 10 * MS);
    assert_false(ended(g, &c.items[0], RUN_SUCCEEDED).stale);
    assert_int_equal(fired(g).us, t.us + SECOND);
    assert_int_equal(missed_in_all(g, id), 0);
    assert_int_equal(timer_of(g, id).runs, 2); /* both count, for max_runs too */
    claim_result_done(&c);
}

static void an_occurrence_that_a_replacement_dropped_fires_by_the_new_definition_as_itself(void **state)
{
    static const char *const overlaps[] = {"skip", "allow", "queue", "replace"};
    struct ground *g = *state;

    for (size_t i = 0; i < COUNT_OF(overlaps); i++) {
        char members[128];
        struct claim_result c;
        struct uuid id;
        struct wall t;

        (void)snprintf(members, sizeof(members), SECONDLY ",\"overlap\":\"%s\"", overlaps[i]);
        id = registered_as(g, overlaps[i], members);
        t = wall_add(g->now, SECOND);
        sleep_us(g, SECOND / 2);
        c = claim_n(g, 1);
        (void)registered_as(g, overlaps[i], members);
        nothing_is_due(g); /* it is not known yet what becomes of the old one */
        sleep_us(g, SECOND / 2 - 1 * MS);
        nothing_is_due(g);
        dropped(g, &c.items[0]);
        assert_int_equal(fired(g).us, t.us);
        assert_int_equal(missed_in_all(g, id), 0);
        claim_result_done(&c);
        begin(g);
        assert_int_equal(store_remove_id(g->s, id, 0, g->now, NULL), ERR_NONE);
        commit(g);
        sleep_us(g, 1 * MS);
    }
}

static void a_long_attempt_of_the_old_definition_does_not_hold_up_the_new_one(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"overlap\":\"allow\"");
    struct wall t = wall_add(g->now, SECOND);
    struct claim_result c;

    sleep_us(g, SECOND / 2);
    c = claim_n(g, 1);
    (void)registered_as(g, "k", SECONDLY ",\"overlap\":\"allow\"");
    sleep_us(g, SECOND / 2 + SECOND - 1);
    nothing_is_due(g);
    sleep_us(g, 1);
    {
        /* A second after T it must be under way: T is done, T + 1 and what is a second ahead are not. */
        struct claim_result next = claim_n(g, 2);

        assert_int_equal(next.items[0].run.scheduled_at.us, t.us + SECOND);
        assert_int_equal(next.items[1].run.scheduled_at.us, t.us + 2 * SECOND);
        (void)ended(g, &next.items[0], RUN_SUCCEEDED);
        (void)ended(g, &next.items[1], RUN_SUCCEEDED);
        claim_result_done(&next);
    }
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    assert_int_equal(missed_in_all(g, id), 0);
    claim_result_done(&c);
}

static void an_occurrence_of_the_new_definition_alone_does_not_wait(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"*/2 * * * * *\"");
    struct wall t = wall_add(g->now, SECOND);
    struct claim_result c;

    sleep_us(g, 1 * MS);
    (void)registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"*/2 * * * * *\",\"overlap\":\"allow\"");
    sleep_us(g, SECOND);
    c = claim_n(g, 1); /* of T + 1, a second ahead */
    (void)registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"allow\"");
    sleep_us(g, SECOND - 2 * MS);
    dropped(g, &c.items[0]);
    assert_int_equal(fired(g).us, t.us + SECOND);
    assert_int_equal(missed_in_all(g, id), 0);
    claim_result_done(&c);
}

static void a_replacement_whose_old_runs_holder_died_fires_it_at_the_leases_end(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 * * * * *\"");
    struct wall t = wall_add(g->now, 60 * SECOND);
    struct claim_result c;

    sleep_us(g, 60 * SECOND - SECOND / 2);
    c = claim_n(g, 1);
    (void)registered_as(g, "k", "\"type\":\"date\",\"schedule\":\"2030-01-01T00:01:00Z\"");
    nothing_is_due(g);
    sleep_us(g, 1 * MS);
    dropped(g, &c.items[0]);
    assert_int_equal(fired(g).us, t.us);
    assert_int_equal(timer_of(g, id).state, SCHEDULE_FINISHED);
    claim_result_done(&c);
}

/* It never recorded anything, and a second after T others took it for made: it is not, and so it fires. */
static void what_was_taken_for_made_fires_when_its_holder_was_lost(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 * * * * *\"");
    struct wall t = wall_add(g->now, 60 * SECOND);
    struct claim_result c;

    sleep_us(g, 60 * SECOND - SECOND / 2);
    c = claim_n(g, 1);
    (void)registered_as(g, "k", "\"type\":\"date\",\"schedule\":\"2030-01-01T00:01:00Z\"");
    sleep_us(g, 2 * SECOND);
    nothing_is_due(g);
    assert_int_equal(timer_of(g, id).runs, 1);
    sleep_us(g, 60 * SECOND);
    nothing_is_due(g); /* the orphan's lease ends */
    assert_int_equal(fired(g).us, t.us);
    assert_int_equal(timer_of(g, id).runs, 1);
    assert_int_equal(timer_of(g, id).state, SCHEDULE_FINISHED);
    assert_int_equal(missed_in_all(g, id), 0);
    claim_result_done(&c);
}

/* A date that is registered again after its run is the same occurrence: it fires again, under the same
 * Idempotency-Key, and a receiver that drops repetitions drops it. See docs/policies.md. */
static void a_date_registered_again_fires_again_as_the_same_occurrence(void **state)
{
    static const char date[] = "\"type\":\"date\",\"schedule\":\"2030-01-01T00:00:01Z\"";
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", date);
    struct wall first;

    sleep_us(g, SECOND);
    first = fired(g);
    sleep_us(g, 10 * SECOND);
    assert_true(uuid_eq(registered_as(g, "k", date), id));
    assert_int_equal(fired(g).us, first.us);
    nothing_is_due(g);
}

/* --- pause --- */

static void a_one_shot_paused_and_resumed_just_before_its_time_fires(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", IN_TWO);
    struct wall t = wall_add(g->now, 2 * SECOND);
    struct claim_result c;

    sleep_us(g, SECOND + SECOND / 2);
    c = claim_n(g, 1);
    act(g, id, OP_PAUSE);
    assert_int_equal(timer_of(g, id).runs, 0);
    act(g, id, OP_RESUME);
    assert_int_equal(timer_of(g, id).state, SCHEDULE_ACTIVE);
    dropped(g, &c.items[0]);
    sleep_us(g, SECOND / 2);
    assert_int_equal(fired(g).us, t.us);
    assert_int_equal(timer_of(g, id).state, SCHEDULE_FINISHED);
    nothing_is_due(g);
    claim_result_done(&c);
}

static void a_one_shot_whose_time_passed_while_it_was_paused_fires_late(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", IN_TWO);
    struct wall t = wall_add(g->now, 2 * SECOND);
    struct claim_result c;

    sleep_us(g, SECOND + SECOND / 2);
    c = claim_n(g, 1);
    act(g, id, OP_PAUSE);
    dropped(g, &c.items[0]);
    sleep_us(g, 100 * SECOND);
    nothing_is_due(g);
    act(g, id, OP_RESUME);
    assert_int_equal(fired(g).us, t.us);
    assert_int_equal(timer_of(g, id).state, SCHEDULE_FINISHED);
    claim_result_done(&c);
}

/* Its attempt began before the news of the pause came. */
static void a_one_shot_that_began_while_it_was_paused_does_not_fire_again(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", IN_TWO);
    struct claim_result c;

    sleep_us(g, 2 * SECOND - 1 * MS);
    c = claim_n(g, 1);
    act(g, id, OP_PAUSE);
    sleep_us(g, 2 * MS);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    assert_int_equal(timer_of(g, id).runs, 1);
    act(g, id, OP_RESUME);
    assert_int_equal(timer_of(g, id).state, SCHEDULE_FINISHED);
    nothing_is_due(g);
    claim_result_done(&c);
}

/* The same, resumed before the outcome came. */
static void a_one_shot_that_was_under_way_all_the_time_does_not_fire_again(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", IN_TWO);
    struct claim_result c;

    sleep_us(g, 2 * SECOND - 1 * MS);
    c = claim_n(g, 1);
    act(g, id, OP_PAUSE);
    act(g, id, OP_RESUME);
    sleep_us(g, 2 * MS);
    nothing_is_due(g);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    nothing_is_due(g);
    assert_int_equal(timer_of(g, id).state, SCHEDULE_FINISHED);
    claim_result_done(&c);
}

/* Due, but its attempt had not begun: it waited in the engine for a free connection. */
static void a_one_shot_that_a_pause_dropped_late_fires_when_resumed(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", IN_TWO);
    struct wall t = wall_add(g->now, 2 * SECOND);
    struct claim_result c;

    sleep_us(g, 2 * SECOND);
    c = claim_n(g, 1);
    sleep_us(g, 3 * SECOND);
    act(g, id, OP_PAUSE);
    dropped(g, &c.items[0]);
    act(g, id, OP_RESUME);
    assert_int_equal(fired(g).us, t.us);
    claim_result_done(&c);
}

static void a_recurring_occurrence_that_a_pause_took_back_fires_when_it_is_still_ahead(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct wall t = wall_add(g->now, SECOND);
    struct claim_result c;

    sleep_us(g, SECOND / 2);
    c = claim_n(g, 1);
    act(g, id, OP_PAUSE);
    act(g, id, OP_RESUME);
    dropped(g, &c.items[0]);
    sleep_us(g, SECOND / 2);
    assert_int_equal(fired(g).us, t.us);
    assert_int_equal(missed_in_all(g, id), 0);
    claim_result_done(&c);
}

static void a_recurring_occurrence_that_a_pause_took_back_and_that_passed_is_counted(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct wall t = wall_add(g->now, SECOND);
    struct claim_result c;

    sleep_us(g, SECOND / 2);
    c = claim_n(g, 1);
    act(g, id, OP_PAUSE);
    dropped(g, &c.items[0]);
    sleep_us(g, 2 * SECOND);
    act(g, id, OP_RESUME);
    assert_int_equal(timer_of(g, id).missed[MISSED_PAUSED], 2);
    assert_int_equal(timer_of(g, id).runs, 0);
    sleep_us(g, SECOND / 2);
    assert_int_equal(fired(g).us, t.us + 2 * SECOND);
    claim_result_done(&c);
}

/* A trigger is none of its occurrences: a pause cancels it for good. */
static void what_was_triggered_by_hand_is_not_taken_back(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", IN_TWO);

    act(g, id, OP_TRIGGER);
    act(g, id, OP_PAUSE);
    assert_int_equal(timer_of(g, id).occurs_at.us, g->now.us + 2 * SECOND);
    assert_int_equal(timer_of(g, id).runs, 0);
    act(g, id, OP_RESUME);
    nothing_is_due(g);
}

int main(void)
{
#define SENTENCE(f)                                                                                          \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, NULL                                                           \
    }
    struct CMUnitTest tests[] = {
        SENTENCE(an_occurrence_that_began_while_its_schedule_was_replaced_fires_once),
        SENTENCE(an_occurrence_that_a_replacement_dropped_fires_by_the_new_definition_as_itself),
        SENTENCE(a_long_attempt_of_the_old_definition_does_not_hold_up_the_new_one),
        SENTENCE(an_occurrence_of_the_new_definition_alone_does_not_wait),
        SENTENCE(a_replacement_whose_old_runs_holder_died_fires_it_at_the_leases_end),
        SENTENCE(what_was_taken_for_made_fires_when_its_holder_was_lost),
        SENTENCE(a_date_registered_again_fires_again_as_the_same_occurrence),
        SENTENCE(a_one_shot_paused_and_resumed_just_before_its_time_fires),
        SENTENCE(a_one_shot_whose_time_passed_while_it_was_paused_fires_late),
        SENTENCE(a_one_shot_that_began_while_it_was_paused_does_not_fire_again),
        SENTENCE(a_one_shot_that_was_under_way_all_the_time_does_not_fire_again),
        SENTENCE(a_one_shot_that_a_pause_dropped_late_fires_when_resumed),
        SENTENCE(a_recurring_occurrence_that_a_pause_took_back_fires_when_it_is_still_ahead),
        SENTENCE(a_recurring_occurrence_that_a_pause_took_back_and_that_passed_is_counted),
        SENTENCE(what_was_triggered_by_hand_is_not_taken_back),
    };
    int failed = 0;

    ground_process_setup();
    for (size_t k = 0; k < kinds_n; k++) {
        if (kinds[k]->available && !kinds[k]->available())
            continue;
        for (size_t i = 0; i < COUNT_OF(tests); i++)
            tests[i].initial_state = (void *)(uintptr_t)kinds[k];
        failed += cmocka_run_group_tests_name(kinds[k]->name, tests, NULL, NULL);
    }
    return failed;
}
