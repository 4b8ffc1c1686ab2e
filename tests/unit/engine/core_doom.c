/*
 * core_doom.c: runs that may have been given up without our having been told which.
 */
#include "core_fixture.h"

static bool asks_for(const struct core_action *a, unsigned n)
{
    for (size_t i = 0; i < a->n; i++) {
        if (uuid_eq(a->runs[i], id_of(n)))
            return true;
    }
    return false;
}

/* Run 1 is in flight, run 2 waits for its moment. */
static struct held *one_flies_and_one_waits(struct fixture *f)
{
    struct core_claimed items[2];
    struct held *flying;

    fixture_init(f, (struct core_options){0});
    items[0] = item(f, 1, 1, 0);
    items[1] = item(f, 2, 2, 800 * US_PER_MS);
    first_claim(f, items, 2, WALL_NEVER);
    flying = expect(f, CORE_START).held;
    expect_nothing(f);
    return flying;
}

static void after_missed_changes_the_store_is_asked_about_all_that_is_held(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct uuid doomed[2] = {id_of(1), id_of(2)};
    struct attempt_result ok = ok_result();
    struct held *flying;
    struct core_action a;

    (void)state;
    flying = one_flies_and_one_waits(&f);
    core_on_missed_changes(f.core, f.now);
    a = expect(&f, CORE_ASK_DOOMED);
    assert_int_equal(a.n, 2);
    assert_true(asks_for(&a, 1) && asks_for(&a, 2));
    expect(&f, CORE_CLAIM); /* what is due may have changed, too */
    expect_nothing(&f);
    core_on_doomed(f.core, f.now, &(struct core_doomed){.runs = doomed, .n = 2});
    /* What waits is cancelled; what is under way ends as it does. */
    a = expect(&f, CORE_RECORD);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.outcomes[0].to, RUN_CANCELLED);
    assert_true(uuid_eq(a.outcomes[0].run.id, id_of(2)));
    expect_nothing(&f);
    recorded(&f, 1);
    core_on_attempt_ended(f.core, f.now, flying, &ok);
    assert_int_equal(expect(&f, CORE_RECORD).outcomes[0].to, RUN_SUCCEEDED);
}

static void what_was_not_given_up_goes_on(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    (void)one_flies_and_one_waits(&f);
    core_on_missed_changes(f.core, f.now);
    expect(&f, CORE_ASK_DOOMED);
    expect(&f, CORE_CLAIM);
    core_on_doomed(f.core, f.now, &(struct core_doomed){0});
    claimed(&f, NULL, 0, WALL_NEVER);
    expect_nothing(&f);
    tick(&f, 800 * US_PER_MS);
    assert_int_equal(held_run(expect(&f, CORE_START).held)->lease_token, 2);
}

static void what_a_claim_brings_that_was_out_meanwhile_is_asked_about_too(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct core_claimed one;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){0});
    one = item(&f, 1, 1, 500 * US_PER_MS);
    tick(&f, 0);
    expect(&f, CORE_CLAIM);
    core_on_missed_changes(f.core, f.now);
    expect_nothing(&f);
    claimed(&f, &one, 1, WALL_NEVER);
    do
        assert_true(core_next_action(f.core, &a));
    while (a.kind != CORE_ASK_DOOMED);
    assert_int_equal(a.n, 1);
    assert_true(asks_for(&a, 1));
}

static void a_question_that_fails_is_asked_again_later(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    (void)one_flies_and_one_waits(&f);
    core_on_missed_changes(f.core, f.now);
    expect(&f, CORE_ASK_DOOMED);
    expect(&f, CORE_CLAIM);
    claimed(&f, NULL, 0, WALL_NEVER);
    core_on_ask_doomed_failed(f.core, f.now);
    expect_nothing(&f);
    tick(&f, US_PER_S - 1);
    expect(&f, CORE_START); /* a change takes its second */
    expect_nothing(&f);
    tick(&f, 1);
    assert_int_equal(expect(&f, CORE_ASK_DOOMED).n, 2);
}

static void many_are_asked_about_in_several_questions(void **state)
{
    enum { N = 1500 };
    CLEANUP(fixture_done_p) struct fixture f;
    static struct core_claimed items[N];
    size_t asked;
    struct core_action a;

    (void)state;
    fixture_init(&f, (struct core_options){.claim_limit = N});
    for (unsigned i = 0; i < N; i++)
        items[i] = item(&f, i + 1, i + 1, 900 * US_PER_MS);
    first_claim(&f, items, N, WALL_NEVER);
    core_on_missed_changes(f.core, f.now);
    a = expect(&f, CORE_ASK_DOOMED);
    asked = a.n;
    assert_true(asked < N);
    expect(&f, CORE_CLAIM);
    core_on_doomed(f.core, f.now, &(struct core_doomed){0});
    a = expect(&f, CORE_ASK_DOOMED);
    assert_int_equal(asked + a.n, N);
}

/* --- overlap: replace --- */

static struct held *replaceable_flies(struct fixture *f)
{
    struct core_claimed one;

    fixture_init(f, (struct core_options){0});
    one = item_with(f, 1, 0, "", "");
    schedule_unref(one.schedule);
    one.schedule = make_replacing(f);
    first_claim(f, &one, 1, WALL_NEVER);
    return expect(f, CORE_START).held;
}

static void what_another_instance_replaced_is_given_up(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct uuid doomed = id_of(1);
    struct attempt_result none = no_answer();
    struct core_action a;
    struct held *flying;

    (void)state;
    flying = replaceable_flies(&f);
    core_on_changed(f.core, f.now, id_of(1), 0);
    a = expect(&f, CORE_ASK_DOOMED);
    assert_int_equal(a.n, 1);
    core_on_doomed(f.core, f.now, &(struct core_doomed){&doomed, 1, &doomed, 1});
    assert_ptr_equal(expect(&f, CORE_ABORT).held, flying);
    core_on_attempt_ended(f.core, f.now, flying, &none);
    assert_int_equal(expect(&f, CORE_RECORD).outcomes[0].to, RUN_CANCELLED);
}

/* Updated, paused or deleted while notices were missed: that its definition says `replace` is no matter. */
static void what_only_its_schedules_change_doomed_ends_as_it_does(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct uuid doomed = id_of(1);
    struct attempt_result ok = ok_result();
    struct held *flying;

    (void)state;
    flying = replaceable_flies(&f);
    core_on_missed_changes(f.core, f.now);
    expect(&f, CORE_ASK_DOOMED);
    expect(&f, CORE_CLAIM);
    core_on_doomed(f.core, f.now, &(struct core_doomed){.runs = &doomed, .n = 1});
    expect_nothing(&f);
    core_on_attempt_ended(f.core, f.now, flying, &ok);
    assert_int_equal(expect(&f, CORE_RECORD).outcomes[0].to, RUN_SUCCEEDED);
}

static void what_our_own_claim_replaced_is_not_asked_about(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;
    struct uuid replaced = id_of(1);
    struct core_claimed newer;
    struct held *flying;

    (void)state;
    flying = replaceable_flies(&f);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
    /* The lane tells of its commit before it answers. */
    core_on_changed(f.core, f.now, id_of(1), 0);
    newer = item(&f, 2, 1, 0);
    core_on_claimed(
        f.core, f.now,
        &(struct core_claim_answer){
            .items = &newer, .n = 1, .replaced = &replaced, .replaced_n = 1, .next_due = WALL_NEVER});
    assert_ptr_equal(expect(&f, CORE_ABORT).held, flying);
    expect(&f, CORE_START);
    expect_nothing(&f);
}

static void what_another_instance_replaced_while_a_claim_failed_is_asked_about(void **state)
{
    CLEANUP(fixture_done_p) struct fixture f;

    (void)state;
    (void)replaceable_flies(&f);
    core_on_due(f.core, f.now, f.now.wall);
    expect(&f, CORE_CLAIM);
    core_on_changed(f.core, f.now, id_of(1), 0);
    expect_nothing(&f); /* the claim may be what brings the newer run */
    core_on_claim_failed(f.core, f.now);
    assert_int_equal(expect(&f, CORE_ASK_DOOMED).n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_missed_changes_the_store_is_asked_about_all_that_is_held),
        cmocka_unit_test(what_was_not_given_up_goes_on),
        cmocka_unit_test(what_a_claim_brings_that_was_out_meanwhile_is_asked_about_too),
        cmocka_unit_test(a_question_that_fails_is_asked_again_later),
        cmocka_unit_test(many_are_asked_about_in_several_questions),
        cmocka_unit_test(what_another_instance_replaced_is_given_up),
        cmocka_unit_test(what_only_its_schedules_change_doomed_ends_as_it_does),
        cmocka_unit_test(what_our_own_claim_replaced_is_not_asked_about),
        cmocka_unit_test(what_another_instance_replaced_while_a_claim_failed_is_asked_about),
    };

    return cmocka_run_group_tests_name("engine/core_doom", tests, NULL, NULL);
}
