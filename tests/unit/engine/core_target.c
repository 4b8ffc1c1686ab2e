/*
 * core_target.c: whose turn it is when runs wait for places at their targets.
 */
#include "core_fixture.h"

#include "base/str.h"

static uint64_t started(struct fixture *f)
{
    return held_run(expect(f, CORE_START).held)->lease_token;
}

/* Run `n` became due before run `n` + 1 and not long ago: equal moments have no order. */
static int64_t just_now(unsigned n)
{
    return (int64_t)n - 100;
}

/* Runs `first` to `first + n - 1` at one host. */
static void fill(struct fixture *f, struct core_claimed *items, unsigned first, unsigned n, const char *host)
{
    for (unsigned i = 0; i < n; i++)
        items[i] = item_at(f, first + i, just_now(first + i), host, "", "");
}

/* Claims what has become due, by hand. */
static void claim_now(struct fixture *f, struct core_claimed *items, size_t n)
{
    core_on_due(f->core, f->now, f->now.wall);
    expect(f, CORE_CLAIM);
    claimed(f, items, n, WALL_NEVER);
}

static void a_target_that_does_not_answer_holds_up_nobody_but_its_own_runs(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[5];
    struct held *first;
    struct attempt_result ok = ok_result();

    (void)state;
    fixture_init(&f, (struct core_options){.target_max = {[TASK_REST] = 2}});
    fill(&f, items, 1, 4, "dead");
    items[4] = item_at(&f, 5, just_now(5), "alive", "", "");
    first_claim(&f, items, 5, WALL_NEVER);
    first = expect(&f, CORE_START).held;
    assert_int_equal(held_run(first)->lease_token, 1);
    assert_int_equal(started(&f), 2);
    assert_int_equal(started(&f), 5);
    expect_nothing(&f);
    assert_int_equal(stats_of(&f).in_flight, 3);
    assert_int_equal(stats_of(&f).queueing, 2);
    core_on_attempt_ended(f.core, f.now, first, &ok);
    assert_int_equal(started(&f), 3);
    expect(&f, CORE_RECORD);
    expect_nothing(&f);
}

static void no_target_takes_all_places_unless_told_to(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[9];

    (void)state;
    fixture_init(&f, (struct core_options){.in_flight_max = 8});
    fill(&f, items, 1, 8, "dead");
    items[8] = item_at(&f, 9, just_now(9), "alive", "", "");
    first_claim(&f, items, 9, WALL_NEVER);
    for (uint64_t i = 1; i <= 6; i++)
        assert_int_equal(started(&f), i);
    assert_int_equal(started(&f), 9);
    expect_nothing(&f);
}

static void several_dead_targets_leave_places_for_the_next_one(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[33];
    struct core_action a;
    uint64_t last = 0;

    (void)state;
    fixture_init(&f, (struct core_options){.in_flight_max = 20});
    fill(&f, items, 1, 16, "dead");
    fill(&f, items + 16, 17, 16, "dead-too");
    items[32] = item_at(&f, 50, just_now(50), "alive", "", "");
    first_claim(&f, items, 33, WALL_NEVER);
    while (core_next_action(f.core, &a)) {
        assert_int_equal(a.kind, CORE_START);
        last = held_run(a.held)->lease_token;
    }
    assert_int_equal(last, 50);
}

static void targets_have_their_turns_one_after_another(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[8];
    struct held *h;
    struct attempt_result ok = ok_result();

    (void)state;
    fixture_init(&f, (struct core_options){.in_flight_max = 1, .record_limit = 1});
    items[0] = item_at(&f, 1, just_now(1), "a", "", "");
    fill(&f, items + 1, 2, 4, "a");
    fill(&f, items + 5, 6, 2, "b");
    items[7] = item_at(&f, 8, just_now(8), "c", "", "");
    first_claim(&f, items, 8, WALL_NEVER);
    h = expect(&f, CORE_START).held;
    for (size_t i = 0; i < 7; i++) {
        static const uint64_t order[] = {6, 8, 2, 7, 3, 4, 5};
        struct core_action a;

        core_on_attempt_ended(f.core, f.now, h, &ok);
        do
            assert_true(core_next_action(f.core, &a));
        while (a.kind != CORE_START);
        h = a.held;
        assert_int_equal(held_run(h)->lease_token, order[i]);
    }
}

/* `n` runs of a target that takes its time: two are under way for `us`, the others wait. */
static void jam(struct fixture *f, unsigned n, int64_t us)
{
    struct core_claimed items[64];

    assert_true(n <= COUNT_OF(items));
    fill(f, items, 1, n, "dead");
    first_claim(f, items, n, WALL_NEVER);
    assert_int_equal(started(f), 1);
    assert_int_equal(started(f), 2);
    tick(f, us);
}

static void what_would_wait_too_long_is_handed_back_and_leaves_room_for_others(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed other;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){.held_max = 20, .target_max = {[TASK_REST] = 2}});
    jam(&f, 20, 2 * US_PER_S);
    a = expect(&f, CORE_RECORD);
    /* Of the 18 places that the two under way leave, half. */
    assert_int_equal(a.n, 9);
    for (size_t i = 0; i < a.n; i++) {
        assert_int_equal(a.outcomes[i].to, RUN_PENDING);
        assert_false(a.outcomes[i].attempted);
        assert_int_equal(a.outcomes[i].failures, 0);
        assert_true(a.outcomes[i].due_at.us >= in(&f, US_PER_S).us);
        assert_true(a.outcomes[i].due_at.us <= in(&f, 61 * US_PER_S).us);
    }
    recorded(&f, a.n);
    assert_int_equal(stats_of(&f).put_back, 9);
    assert_int_equal(stats_of(&f).queueing, 9);
    other = item_at(&f, 40, just_now(40), "alive", "", "");
    claim_now(&f, &other, 1);
    assert_int_equal(started(&f), 40);
}

static void what_was_quick_when_it_queued_up_is_looked_at_again(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){.held_max = 20, .target_max = {[TASK_REST] = 2}});
    jam(&f, 20, 0);
    expect_nothing(&f);
    assert_true(core_wake_at(f.core).mono.us <= f.now.mono.us + US_PER_S);
    f.now.mono = core_wake_at(f.core).mono;
    core_tick(f.core, f.now);
    assert_int_equal(expect(&f, CORE_RECORD).n, 6); /* what is left will have begun in time */
}

static void a_queue_that_moves_quickly_is_left_alone(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    fixture_init(&f, (struct core_options){.held_max = 20, .target_max = {[TASK_REST] = 2}});
    jam(&f, 20, 100 * US_PER_MS);
    expect_nothing(&f);
    assert_int_equal(stats_of(&f).queueing, 18);
}

static void what_is_handed_back_can_still_be_seen_to_be_too_late(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed late;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){.held_max = 6, .target_max = {[TASK_REST] = 2}});
    jam(&f, 4, 30 * US_PER_MS);
    tick(&f, 20 * US_PER_S);
    a = expect(&f, CORE_RENEW);
    core_on_renewed(f.core, f.now, in(&f, 30 * US_PER_S), NULL, 0);
    late = item_at(&f, 30, just_now(30), "dead", "\"max_lateness\": 5", "");
    claim_now(&f, &late, 1);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].run.lease_token, 30);
    assert_int_equal(a.outcomes[0].to, RUN_PENDING);
    assert_int_equal(a.outcomes[0].due_at.us, in(&f, 5 * US_PER_S + just_now(30)).us);
}

static void waiting_for_a_place_too_long_ends_what_may_not_start_any_more(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[3];
    struct attempt_result ok = ok_result();
    struct core_action a;
    struct held *h;

    (void)state;
    fixture_init(&f, (struct core_options){.target_max = {[TASK_REST] = 1}});
    items[0] = item_at(&f, 1, just_now(1), "slow", "", "");
    items[1] = item_at(&f, 2, just_now(2), "slow", "\"max_lateness\": 2", "");
    items[2] = item_at(&f, 3, just_now(3), "slow", "", "\"failed_policy\": \"retry_dlq\", \"retry_for\": 4");
    items[2].run.failures = 1;
    items[2].run.attempt = 2;
    first_claim(&f, items, 3, WALL_NEVER);
    h = expect(&f, CORE_START).held;
    pass(&f, 5 * US_PER_S);
    core_on_attempt_ended(f.core, f.now, h, &ok);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 3);
    assert_int_equal(a.outcomes[0].to, RUN_SUCCEEDED);
    assert_int_equal(a.outcomes[1].to, RUN_SKIPPED);
    assert_int_equal(a.outcomes[2].to, RUN_DEAD);
    assert_false(a.outcomes[2].attempted);
    assert_string_not_equal(a.outcomes[2].result.error, "");
    expect_nothing(&f);
}

/* --- what the deliverer says --- */

struct gate {
    struct mono from;
    size_t asked;
};

static struct mono admit(void *arg, const struct schedule *s, struct mono now)
{
    struct gate *g = arg;

    (void)now;
    if (!str_eq(s->task.host, STR("http://closed/")))
        return now;
    g->asked++;
    return g->from;
}

static void a_target_that_may_not_be_called_yet_is_asked_for_again_when_it_said(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[4];
    struct gate g = {0};

    (void)state;
    fixture_init(&f, (struct core_options){.admit = admit, .admit_arg = &g});
    fill(&f, items, 1, 3, "closed");
    items[3] = item_at(&f, 4, just_now(4), "open", "", "");
    g.from = mono_add(f.now.mono, 5 * US_PER_S);
    first_claim(&f, items, 4, WALL_NEVER);
    assert_int_equal(started(&f), 4);
    expect_nothing(&f);
    assert_int_equal(g.asked, 1); /* one answer is for all of them */
    assert_int_equal(core_wake_at(f.core).mono.us, g.from.us);
    tick(&f, 4 * US_PER_S);
    expect_nothing(&f);
    assert_int_equal(g.asked, 1);
    tick(&f, US_PER_S);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(started(&f), i);
    expect_nothing(&f);
    assert_int_equal(g.asked, 4);
}

static void the_end_of_an_attempt_there_lets_it_be_asked_for_sooner(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[2];
    struct attempt_result ok = ok_result();
    struct gate g = {0};
    struct held *first;

    (void)state;
    fixture_init(&f, (struct core_options){.admit = admit, .admit_arg = &g, .target_max = {1, 1, 1}});
    fill(&f, items, 1, 2, "closed");
    g.from = f.now.mono;
    first_claim(&f, items, 1, WALL_NEVER);
    first = expect(&f, CORE_START).held;
    claim_now(&f, items + 1, 1);
    g.from = mono_add(f.now.mono, 60 * US_PER_S);
    pass(&f, US_PER_S);
    core_on_attempt_ended(f.core, f.now, first, &ok);
    expect(&f, CORE_RECORD);
    expect_nothing(&f);
    assert_int_equal(g.asked, 2);
    assert_int_equal(core_wake_at(f.core).mono.us < g.from.us, true); /* the lease, before it */
}

static void what_is_refused_for_long_counts_as_slow(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed items[10];
    struct gate g = {0};

    (void)state;
    fixture_init(&f, (struct core_options){.held_max = 10, .admit = admit, .admit_arg = &g});
    fill(&f, items, 1, 10, "closed");
    g.from = mono_add(f.now.mono, 10 * US_PER_S);
    first_claim(&f, items, 10, WALL_NEVER);
    assert_int_equal(expect(&f, CORE_RECORD).n, 5);
    expect_nothing(&f);
}

/* --- what else may happen in a queue --- */

static void one_place(struct fixture *f, struct held **ret_flying)
{
    struct core_claimed items[2];

    fixture_init(f, (struct core_options){.target_max = {[TASK_REST] = 1}});
    fill(f, items, 1, 2, "slow");
    first_claim(f, items, 2, WALL_NEVER);
    *ret_flying = expect(f, CORE_START).held;
    expect_nothing(f);
}

static void a_change_ends_what_is_in_a_queue(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_action a;
    struct held *flying;

    (void)state;
    one_place(&f, &flying);
    core_on_changed(f.core, f.now, id_of(2), 2);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].to, RUN_CANCELLED);
}

static void a_drain_hands_back_what_is_in_a_queue(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_action a;
    struct held *flying;

    (void)state;
    one_place(&f, &flying);
    core_drain(f.core, f.now);
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].to, RUN_PENDING);
    assert_false(a.outcomes[0].attempted);
}

static void a_lease_lost_in_a_queue_is_let_go(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct uuid lost = id_of(2);
    struct attempt_result ok = ok_result();
    struct held *flying;

    (void)state;
    one_place(&f, &flying);
    tick(&f, 11 * US_PER_S);
    expect(&f, CORE_RENEW);
    core_on_renewed(f.core, f.now, in(&f, 30 * US_PER_S), &lost, 1);
    assert_int_equal(stats_of(&f).queueing, 0);
    core_on_attempt_ended(f.core, f.now, flying, &ok);
    expect(&f, CORE_RECORD);
    expect_nothing(&f);
}

static void a_clock_set_back_makes_what_is_in_a_queue_wait_for_its_moment_again(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct attempt_result ok = ok_result();
    struct held *flying;

    (void)state;
    one_place(&f, &flying);
    step_wall(&f, -5 * US_PER_S);
    core_on_attempt_ended(f.core, f.now, flying, &ok);
    expect(&f, CORE_RECORD);
    expect_nothing(&f);
    assert_int_equal(core_wake_at(f.core).wall.us, in(&f, 5 * US_PER_S + just_now(2)).us);
    tick(&f, 5 * US_PER_S);
    assert_int_equal(started(&f), 2);
}

/* A stall longer than the lease, while all room is taken: the queue's last run goes, and its target with it.
 */
static void a_queue_whose_last_run_is_let_go_of_ends(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed closed;
    struct core_claimed open;
    struct gate g = {0};

    (void)state;
    fixture_init(&f, (struct core_options){.held_max = 2, .admit = admit, .admit_arg = &g});
    closed = item_at(&f, 1, just_now(1), "closed", "", "");
    g.from = mono_add(f.now.mono, 1000 * US_PER_S);
    first_claim(&f, &closed, 1, WALL_NEVER);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
    pass(&f, 31 * US_PER_S);
    open = item_at(&f, 2, 500 * US_PER_MS, "open", "", "");
    claimed(&f, &open, 1, WALL_NEVER);
    assert_int_equal(stats_of(&f).dropped, 1);
    assert_int_equal(stats_of(&f).queueing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_that_does_not_answer_holds_up_nobody_but_its_own_runs),
        cmocka_unit_test(no_target_takes_all_places_unless_told_to),
        cmocka_unit_test(several_dead_targets_leave_places_for_the_next_one),
        cmocka_unit_test(targets_have_their_turns_one_after_another),
        cmocka_unit_test(what_would_wait_too_long_is_handed_back_and_leaves_room_for_others),
        cmocka_unit_test(what_was_quick_when_it_queued_up_is_looked_at_again),
        cmocka_unit_test(a_queue_that_moves_quickly_is_left_alone),
        cmocka_unit_test(what_is_handed_back_can_still_be_seen_to_be_too_late),
        cmocka_unit_test(waiting_for_a_place_too_long_ends_what_may_not_start_any_more),
        cmocka_unit_test(a_target_that_may_not_be_called_yet_is_asked_for_again_when_it_said),
        cmocka_unit_test(the_end_of_an_attempt_there_lets_it_be_asked_for_sooner),
        cmocka_unit_test(what_is_refused_for_long_counts_as_slow),
        cmocka_unit_test(a_change_ends_what_is_in_a_queue),
        cmocka_unit_test(a_drain_hands_back_what_is_in_a_queue),
        cmocka_unit_test(a_lease_lost_in_a_queue_is_let_go),
        cmocka_unit_test(a_clock_set_back_makes_what_is_in_a_queue_wait_for_its_moment_again),
        cmocka_unit_test(a_queue_whose_last_run_is_let_go_of_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
