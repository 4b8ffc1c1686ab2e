/*
 * hand.c: runs redriven, discarded and made by hand.
 */
#include "suites.h"

#include <stdio.h>

#define NOWISH "\"type\":\"now\""
#define EVERY_SECOND "\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"allow\""
#define DAILY "\"type\":\"cron\",\"schedule\":\"0 0 * * *\",\"timezone\":\"UTC\""

static struct run_act act(struct ground *g, enum run_act_kind kind, struct uuid run)
{
    struct run_act a = {.id = run};
    struct error err = {0};

    begin(g);
    ok(store_act_runs(g->s, kind, &a, 1, g->now, &err), &err);
    commit(g);
    return a;
}

/* A schedule whose only run is in this state. */
static struct uuid run_in(struct ground *g, const char *key, enum run_state state, struct uuid *ret_schedule)
{
    struct claim_result c;
    struct uuid run;

    *ret_schedule = registered_as(g, key, NOWISH);
    c = claim_n(g, 1);
    run = c.items[0].run.id;
    if (state != RUN_RUNNING && state != RUN_PENDING)
        (void)ended(g, &c.items[0], state);
    if (state == RUN_PENDING) {
        struct outcome o = outcome_of(g, &c.items[0], RUN_PENDING);

        o.due_at = wall_add(g->now, 1000 * SECOND);
        (void)recorded(g, o);
    }
    claim_result_done(&c);
    return run;
}

static void a_dead_run_is_redriven_at_once_and_keeps_what_it_is(void **state)
{
    struct ground *g = *state;
    struct uuid schedule;
    struct uuid run = run_in(g, "k", RUN_DEAD, &schedule);
    struct run_record before = run_of(g, run);
    struct claim_result c;
    struct run_act a;

    sleep_us(g, 1000 * SECOND);
    a = act(g, RUN_REDRIVE, run);
    assert_int_equal(a.result, RUN_ACTED);
    assert_int_equal(a.made_due.us, g->now.us);
    assert_int_equal(a.ret.run.state, RUN_PENDING);
    assert_int_equal(a.ret.run.by_hand_at.us, g->now.us);
    assert_int_equal(a.ret.run.failures, 0);
    assert_int_equal(a.ret.run.attempt, 1);
    assert_true(wall_is_never(a.ret.ended_at));
    assert_int_equal(stats_of(g).runs[RUN_DEAD], 0);

    c = claim_n(g, 1);
    assert_true(uuid_eq(c.items[0].run.id, run));
    assert_int_equal(c.items[0].run.scheduled_at.us, before.run.scheduled_at.us);
    assert_int_equal(c.items[0].run.attempt, 2);
    assert_int_equal(c.items[0].run.failures, 0);
    assert_int_equal(c.items[0].run.by_hand_at.us, g->now.us);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    assert_int_equal(run_of(g, run).run.state, RUN_SUCCEEDED);
    assert_int_equal(run_of(g, run).run.by_hand_at.us, g->now.us);
    claim_result_done(&c);
}

static void a_run_can_be_redriven_again_after_it_died_again(void **state)
{
    struct ground *g = *state;
    struct uuid schedule;
    struct uuid run = run_in(g, "k", RUN_DEAD, &schedule);

    for (int i = 2; i < 5; i++) {
        struct claim_result c;

        assert_int_equal(act(g, RUN_REDRIVE, run).result, RUN_ACTED);
        c = claim_n(g, 1);
        assert_int_equal(c.items[0].run.attempt, i);
        (void)ended(g, &c.items[0], RUN_DEAD);
        claim_result_done(&c);
    }
    assert_int_equal(stats_of(g).runs[RUN_DEAD], 1);
}

static void only_a_dead_run_is_redriven(void **state)
{
    struct ground *g = *state;

    for (int s = RUN_PENDING; s <= RUN_CANCELLED; s++) {
        struct uuid schedule;
        struct uuid run;
        struct run_act a;
        char key[8];

        if (s == RUN_DEAD)
            continue;
        (void)snprintf(key, sizeof(key), "k%d", s);
        run = run_in(g, key, (enum run_state)s, &schedule);
        a = act(g, RUN_REDRIVE, run);
        assert_int_equal(a.result, RUN_NOT_NOW);
        assert_int_equal(a.ret.run.state, s);
    }
    assert_int_equal(act(g, RUN_REDRIVE, (struct uuid){{7}}).result, RUN_UNKNOWN);
}

static void a_redriven_run_goes_by_the_definition_in_force(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p)
    struct schedule *anew = define(g, "k", "\"type\":\"delay\",\"schedule\":\"500\"");
    struct uuid schedule;
    struct uuid run = run_in(g, "k", RUN_DEAD, &schedule);
    struct claim_result c;

    assert_true(uuid_eq(registered(g, anew), schedule));
    assert_int_equal(act(g, RUN_REDRIVE, run).result, RUN_ACTED);
    c = claim_n(g, 1);
    assert_int_equal(c.items[0].run.schedule_version, 2);
    assert_int_equal(c.items[0].schedule->type, SCHEDULE_DELAY);
    /* Its end is none of the plan's: the delay still comes. */
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
    sleep_us(g, 500 * SECOND);
    c = claim_n(g, 1);
    claim_result_done(&c);
}

static void a_run_that_died_of_an_older_definition_may_be_redriven_and_retried(void **state)
{
    struct ground *g = *state;
    struct uuid schedule = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct outcome o;

    (void)registered_as(g, "k", "\"type\":\"delay\",\"schedule\":\"5000\"");
    (void)ended(g, &c.items[0], RUN_DEAD); /* doomed by then */
    assert_int_equal(act(g, RUN_REDRIVE, c.items[0].run.id).result, RUN_ACTED);
    claim_result_done(&c);
    c = claim_n(g, 1);
    assert_true(uuid_eq(c.items[0].run.schedule_id, schedule));
    o = ended(g, &c.items[0], RUN_RETRYING);
    assert_int_equal(o.became, RUN_RETRYING);
    claim_result_done(&c);
}

static void a_dead_run_of_a_deleted_schedule_can_only_be_discarded(void **state)
{
    struct ground *g = *state;
    struct uuid schedule;
    struct uuid run = run_in(g, "k", RUN_DEAD, &schedule);
    struct error err = {0};

    begin(g);
    ok(store_remove_id(g->s, schedule, 0, g->now, &err), &err);
    commit(g);
    assert_int_equal(act(g, RUN_REDRIVE, run).result, RUN_ORPHAN);
    assert_int_equal(run_of(g, run).run.state, RUN_DEAD);
    assert_int_equal(act(g, RUN_DISCARD, run).result, RUN_ACTED);
    assert_int_equal(run_of(g, run).run.state, RUN_CANCELLED);
}

static void a_dead_run_whose_identity_is_taken_is_not_redriven(void **state)
{
    struct ground *g = *state;
    struct uuid schedule;
    struct uuid run = run_in(g, "k", RUN_DEAD, &schedule);
    struct run open = {
        .id = uuid_v7(wall_add(g->now, SECOND)),
        .schedule_id = schedule,
        .schedule_version = 1,
        .scheduled_at = run_of(g, run).run.scheduled_at,
        .due_at = g->now,
        .state = RUN_PENDING,
    };
    struct error err = {0};

    begin(g);
    ok(insert_run(g, &open, &err), &err);
    commit(g);
    assert_int_equal(act(g, RUN_REDRIVE, run).result, RUN_TAKEN);
    assert_int_equal(run_of(g, run).run.state, RUN_DEAD);
}

static void a_discarded_dead_run_becomes_a_cancelled_line(void **state)
{
    struct ground *g = *state;
    struct uuid schedule;
    struct uuid run = run_in(g, "k", RUN_DEAD, &schedule);
    struct run_act a;

    sleep_us(g, SECOND);
    a = act(g, RUN_DISCARD, run);
    assert_int_equal(a.result, RUN_ACTED);
    assert_int_equal(a.ret.run.state, RUN_CANCELLED);
    assert_int_equal(a.ret.ended_at.us, g->now.us);
    assert_int_equal(a.ret.status, 500);
    assert_string_equal(a.ret.error, "status 500");
    assert_int_equal(stats_of(g).runs[RUN_DEAD], 0);
    assert_int_equal(act(g, RUN_DISCARD, run).result, RUN_NOT_NOW);
}

static void a_waiting_run_is_cancelled_and_its_schedule_goes_on(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"delay-recur\",\"schedule\":\"10\"");
    struct claim_result c;
    struct run_act a;

    sleep_us(g, 10 * SECOND);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_RETRYING);
    a = act(g, RUN_DISCARD, c.items[0].run.id);
    assert_int_equal(a.result, RUN_ACTED);
    assert_int_equal(a.ret.run.state, RUN_CANCELLED);
    assert_int_equal(a.made_due.us, g->now.us);
    claim_result_done(&c);
    /* The next claim plans the next occurrence: ten seconds from the end. */
    c = claim_n(g, 0);
    claim_result_done(&c);
    sleep_us(g, 10 * SECOND);
    c = claim_n(g, 1);
    assert_true(uuid_eq(c.items[0].run.schedule_id, id));
    claim_result_done(&c);
}

static void the_run_behind_a_cancelled_one_has_its_turn(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct claim_result next;

    (void)registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"*/10 * * * * *\",\"overlap\":\"queue\"");
    sleep_us(g, 10 * SECOND);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_RETRYING);
    sleep_us(g, 10 * SECOND);
    next = claim_n(g, 0);
    claim_result_done(&next);
    assert_int_equal(act(g, RUN_DISCARD, c.items[0].run.id).made_due.us, g->now.us);
    next = claim_n(g, 1);
    claim_result_done(&next);
    claim_result_done(&c);
}

static void a_run_under_way_or_over_is_not_discarded(void **state)
{
    struct ground *g = *state;
    static const enum run_state states[] = {RUN_RUNNING, RUN_SUCCEEDED, RUN_FAILED, RUN_SKIPPED};

    for (size_t i = 0; i < COUNT_OF(states); i++) {
        struct uuid schedule;
        struct uuid run;
        char key[8];

        (void)snprintf(key, sizeof(key), "k%zu", i);
        run = run_in(g, key, states[i], &schedule);
        assert_int_equal(act(g, RUN_DISCARD, run).result, RUN_NOT_NOW);
        assert_int_equal(run_of(g, run).run.state, states[i]);
    }
    assert_int_equal(act(g, RUN_DISCARD, (struct uuid){{7}}).result, RUN_UNKNOWN);
}

static void many_are_judged_each_alone(void **state)
{
    struct ground *g = *state;
    struct uuid schedules[3];
    struct run_act acts[4] = {{.id = run_in(g, "a", RUN_DEAD, &schedules[0])},
                              {.id = run_in(g, "b", RUN_RETRYING, &schedules[1])},
                              {.id = (struct uuid){{9}}},
                              {.id = run_in(g, "c", RUN_DEAD, &schedules[2])}};
    static const enum run_act_result expected[] = {RUN_ACTED, RUN_NOT_NOW, RUN_UNKNOWN, RUN_ACTED};
    struct error err = {0};

    begin(g);
    ok(store_act_runs(g->s, RUN_REDRIVE, acts, COUNT_OF(acts), g->now, &err), &err);
    commit(g);
    for (size_t i = 0; i < COUNT_OF(acts); i++)
        assert_int_equal(acts[i].result, expected[i]);
    begin(g);
    ok(store_act_runs(g->s, RUN_DISCARD, acts, COUNT_OF(acts), g->now, &err), &err);
    commit(g);
    for (size_t i = 0; i < COUNT_OF(acts); i++)
        assert_int_equal(acts[i].result, i == 2 ? RUN_UNKNOWN : RUN_ACTED);
    assert_int_equal(stats_of(g).runs[RUN_PENDING] + stats_of(g).runs[RUN_RETRYING], 0);
}

static struct wall_list times(struct ground *g, struct uuid id, struct wall from, struct wall to)
{
    struct wall_list l = {0};
    struct error err = {0};

    begin(g);
    ok(store_times_run(g->s, id, from, to, &l, &err), &err);
    commit(g);
    return l;
}

static void the_times_that_have_a_run_are_known_whatever_became_of_it(void **state)
{
    struct ground *g = *state;
    static const enum run_state states[] = {RUN_SUCCEEDED, RUN_DEAD,    RUN_FAILED,
                                            RUN_SKIPPED,   RUN_RUNNING, RUN_RETRYING};
    struct uuid id = registered_as(g, "k", EVERY_SECOND);
    struct wall from = wall_add(g->now, SECOND);
    struct wall_list l;

    for (size_t i = 0; i < COUNT_OF(states); i++) {
        struct claim_result c = claim_n(g, 1);

        if (states[i] != RUN_RUNNING)
            (void)ended(g, &c.items[0], states[i]);
        claim_result_done(&c);
        sleep_us(g, SECOND);
    }
    l = times(g, id, from, wall_add(from, 100 * SECOND));
    assert_int_equal(l.n, 5); /* without the one that was skipped */
    for (size_t i = 1; i < l.n; i++)
        assert_true(l.items[i].us > l.items[i - 1].us);
    wall_list_done(&l);
    l = times(g, id, wall_add(from, 2 * SECOND), wall_add(from, 3 * SECOND));
    assert_int_equal(l.n, 1);
    assert_int_equal(l.items[0].us, wall_add(from, 2 * SECOND).us);
    wall_list_done(&l);
    l = times(g, (struct uuid){{4}}, from, wall_add(from, 100 * SECOND));
    assert_int_equal(l.n, 0);
}

static struct run_insert by_hand(struct ground *g, struct uuid id, int64_t day, bool waits)
{
    return (struct run_insert){.run = {.id = uuid_v7(wall_add(g->now, day)),
                                       .schedule_id = id,
                                       .schedule_version = 1,
                                       .scheduled_at = wall_add(g->now, -day * 86400 * SECOND),
                                       .due_at = waits ? WALL_NEVER : g->now,
                                       .state = RUN_PENDING,
                                       .by_hand_at = g->now}};
}

static bool release(struct ground *g, struct uuid id)
{
    struct error err = {0};
    bool released;

    begin(g);
    ok(store_release(g->s, id, g->now, &released, &err), &err);
    commit(g);
    return released;
}

static void runs_by_hand_that_wait_start_one_behind_the_other_the_oldest_first(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DAILY);
    struct run_insert runs[] = {by_hand(g, id, 1, true), by_hand(g, id, 3, true), by_hand(g, id, 2, true)};
    static const size_t order[] = {1, 2, 0};
    struct error err = {0};

    assert_false(release(g, id));
    begin(g);
    ok(store_insert_runs(g->s, runs, COUNT_OF(runs), &err), &err);
    commit(g);
    assert_true(release(g, id));
    assert_false(release(g, id));
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        struct claim_result c = claim_n(g, 1);

        assert_true(uuid_eq(c.items[0].run.id, runs[order[i]].run.id));
        assert_int_equal(c.items[0].run.by_hand_at.us, g->now.us);
        (void)ended(g, &c.items[0], RUN_SUCCEEDED);
        claim_result_done(&c);
    }
}

static void giving_up_one_that_waits_starts_none_beside_the_one_under_way(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DAILY);
    struct run_insert runs[] = {by_hand(g, id, 3, true), by_hand(g, id, 2, true), by_hand(g, id, 1, true)};
    struct error err = {0};
    struct claim_result c;
    struct claim_result none;

    begin(g);
    ok(store_insert_runs(g->s, runs, COUNT_OF(runs), &err), &err);
    commit(g);
    assert_true(release(g, id));
    c = claim_n(g, 1);
    assert_int_equal(act(g, RUN_DISCARD, runs[2].run.id).result, RUN_ACTED);
    none = claim_n(g, 0);
    claim_result_done(&none);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
    c = claim_n(g, 1);
    assert_true(uuid_eq(c.items[0].run.id, runs[1].run.id));
    claim_result_done(&c);
}

/* --- answers --- */

static struct kept_answer answer(unsigned char key, struct wall at, const char *text)
{
    return (struct kept_answer){.key = {{key}},
                                .request = {{1, key}},
                                .at = at,
                                .text = (char *)(uintptr_t)text,
                                .n = text ? str_of(text).n : 0};
}

static void put_answer(struct ground *g, struct kept_answer a)
{
    struct error err = {0};

    begin(g);
    ok(store_put_answer(g->s, &a, &err), &err);
    commit(g);
}

static enum err get_answer(struct ground *g, unsigned char key, struct kept_answer *ret)
{
    enum err e;

    begin(g);
    e = store_get_answer(g->s, (struct uuid){{key}}, ret, NULL);
    commit(g);
    return e;
}

static void an_answer_is_kept_under_its_key_and_replaced(void **state)
{
    struct ground *g = *state;
    struct kept_answer a = {0};

    assert_int_equal(get_answer(g, 1, &a), ERR_NOT_FOUND);
    put_answer(g, answer(1, g->now, NULL));
    assert_int_equal(get_answer(g, 1, &a), ERR_NONE);
    assert_null(a.text);
    put_answer(g, answer(1, wall_add(g->now, 5), "200\n\n{\"a\":\"é\"}"));
    assert_int_equal(get_answer(g, 1, &a), ERR_NONE);
    assert_string_equal(a.text, "200\n\n{\"a\":\"é\"}");
    assert_int_equal(a.at.us, g->now.us + 5);
    assert_true(uuid_eq(a.request, (struct uuid){{1, 1}}));
    kept_answer_done(&a);
    assert_int_equal(get_answer(g, 2, &a), ERR_NOT_FOUND);
}

static void old_answers_are_trimmed_a_few_at_a_time(void **state)
{
    struct ground *g = *state;
    struct kept_answer a = {0};
    struct error err = {0};
    size_t n = 9;

    for (unsigned char key = 1; key <= 5; key++)
        put_answer(g, answer(key, wall_add(g->now, key * SECOND), "x"));
    begin(g);
    ok(store_trim_answers(g->s, wall_add(g->now, 4 * SECOND), 2, &n, &err), &err);
    assert_int_equal(n, 2);
    ok(store_trim_answers(g->s, wall_add(g->now, 4 * SECOND), 2, &n, &err), &err);
    assert_int_equal(n, 1);
    ok(store_trim_answers(g->s, wall_add(g->now, 4 * SECOND), 2, &n, &err), &err);
    assert_int_equal(n, 0);
    commit(g);
    assert_int_equal(get_answer(g, 3, &a), ERR_NOT_FOUND);
    assert_int_equal(get_answer(g, 4, &a), ERR_NONE);
    kept_answer_done(&a);
}

static void what_is_left_without_schedules_is_cleared_a_few_at_a_time(void **state)
{
    struct ground *g = *state;
    struct uuid schedules[4];
    struct error err = {0};
    size_t total = 0;
    size_t runs;
    size_t n;

    (void)run_in(g, "a", RUN_DEAD, &schedules[0]);
    (void)run_in(g, "b", RUN_SUCCEEDED, &schedules[1]);
    (void)run_in(g, "c", RUN_FAILED, &schedules[2]);
    (void)run_in(g, "d", RUN_RUNNING, &schedules[3]);
    put_answer(g, answer(1, g->now, "x"));
    for (int i = 0; i < 10; i++) {
        begin(g);
        ok(store_clear(g->s, 1, &runs, &n, &err), &err);
        commit(g);
        total += n;
        if (n == 0)
            break;
    }
    assert_int_equal(total, 4);
    assert_int_equal(stats_of(g).runs[RUN_DEAD], 0);
    assert_int_equal(stats_of(g).runs[RUN_RUNNING], 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_dead_run_is_redriven_at_once_and_keeps_what_it_is),
    cmocka_unit_test(a_run_can_be_redriven_again_after_it_died_again),
    cmocka_unit_test(only_a_dead_run_is_redriven),
    cmocka_unit_test(a_redriven_run_goes_by_the_definition_in_force),
    cmocka_unit_test(a_run_that_died_of_an_older_definition_may_be_redriven_and_retried),
    cmocka_unit_test(a_dead_run_of_a_deleted_schedule_can_only_be_discarded),
    cmocka_unit_test(a_dead_run_whose_identity_is_taken_is_not_redriven),
    cmocka_unit_test(a_discarded_dead_run_becomes_a_cancelled_line),
    cmocka_unit_test(a_waiting_run_is_cancelled_and_its_schedule_goes_on),
    cmocka_unit_test(the_run_behind_a_cancelled_one_has_its_turn),
    cmocka_unit_test(a_run_under_way_or_over_is_not_discarded),
    cmocka_unit_test(many_are_judged_each_alone),
    cmocka_unit_test(the_times_that_have_a_run_are_known_whatever_became_of_it),
    cmocka_unit_test(runs_by_hand_that_wait_start_one_behind_the_other_the_oldest_first),
    cmocka_unit_test(giving_up_one_that_waits_starts_none_beside_the_one_under_way),
    cmocka_unit_test(an_answer_is_kept_under_its_key_and_replaced),
    cmocka_unit_test(old_answers_are_trimmed_a_few_at_a_time),
    cmocka_unit_test(what_is_left_without_schedules_is_cleared_a_few_at_a_time),
};
SUITE(hand, tests);
