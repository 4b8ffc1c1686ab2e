/*
 * put.c: registration, replacement, and timers changed by hand.
 */
#include "suites.h"

#define NOWISH "\"type\":\"now\""
#define DELAY "\"type\":\"delay\",\"schedule\":\"50\""
#define SECONDLY "\"type\":\"cron\",\"schedule\":\"* * * * * *\""

static void a_registered_schedule_can_be_read_back(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k1", DELAY);
    CLEANUP(buf_done_p) struct buf text = {0};
    struct put p = put_one(g, (struct put){0}, s);
    struct record r;

    buf_init(&text, 10000);
    assert_int_equal(schedule_encode(s, &text, NULL), ERR_NONE);
    assert_int_equal(p.result, ERR_NONE);
    assert_true(p.ret_created);
    assert_int_equal(p.ret_version, 1);
    r = record_of(g, p.ret_id);
    assert_true(uuid_eq(r.id, p.id));
    assert_int_equal(r.version, 1);
    assert_int_equal(r.created_at.us, g->now.us);
    assert_int_equal(r.updated_at.us, g->now.us);
    assert_string_equal(r.definition, buf_cstr(&text));
    assert_int_equal(r.definition_n, text.n);
    assert_int_equal(r.timer.state, SCHEDULE_ACTIVE);
    assert_int_equal(r.timer.next_at.us, g->now.us + 50 * SECOND);
    assert_int_equal(r.timer.occurs_at.us, g->now.us + 50 * SECOND);
    assert_int_equal(r.timer.started_at.us, g->now.us);
    assert_true(wall_is_never(r.last_at));
    assert_int_equal(r.open_runs, 0);
    record_done(&r);
}

static void every_number_of_a_timer_is_kept(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);
    struct timer t = {
        .state = SCHEDULE_PAUSED,
        .next_at = WALL_NEVER,
        .occurs_at = {WALL_MAX_US},
        .started_at = {-5},
        .runs = 7,
    };
    struct error err = {0};
    struct record r;
    int64_t version;

    for (int i = 0; i < MISSED_N; i++)
        t.missed[i] = 100 + i;
    begin(g);
    ok(store_set_timer(g->s, id, 0, &t, false, g->now, &version, &err), &err);
    commit(g);
    r = record_of(g, id);
    assert_int_equal(version, 2);
    assert_int_equal(r.version, 2);
    assert_int_equal(r.timer.state, SCHEDULE_PAUSED);
    assert_true(wall_is_never(r.timer.next_at));
    assert_int_equal(r.timer.occurs_at.us, WALL_MAX_US);
    assert_int_equal(r.timer.started_at.us, -5);
    assert_int_equal(r.timer.runs, 7);
    for (int i = 0; i < MISSED_N; i++)
        assert_int_equal(r.timer.missed[i], 100 + i);
    record_done(&r);
}

static void a_replaced_schedule_keeps_its_id(void **state)
{
    struct ground *g = *state;
    struct uuid first = registered_as(g, "same", DELAY);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "same", "\"type\":\"delay\",\"schedule\":\"7\"");
    struct put p;
    struct record r;

    sleep_us(g, 3 * SECOND);
    p = put_one(g, (struct put){0}, s);
    assert_int_equal(p.result, ERR_NONE);
    assert_false(p.ret_created);
    assert_true(uuid_eq(p.ret_id, first));
    assert_int_equal(p.ret_version, 2);
    r = record_of(g, first);
    assert_int_equal(r.version, 2);
    assert_int_equal(r.created_at.us, g->now.us - 3 * SECOND);
    assert_int_equal(r.updated_at.us, g->now.us);
    assert_int_equal(r.timer.next_at.us, g->now.us + 7 * SECOND);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 1);
    record_done(&r);
}

static void members_with_commas_do_not_make_two_clients_one(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p)
    struct schedule *a = define_json(
        g, "{\"name\":\"n\",\"client\":{\"application\":\"a,b\",\"group\":\"c\"},\"type\":\"now\","
           "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://h/\"}}}");
    CLEANUP(schedule_unref_p)
    struct schedule *b = define_json(
        g, "{\"name\":\"n\",\"client\":{\"application\":\"a\",\"group\":\"b,c\"},\"type\":\"now\","
           "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://h/\"}}}");
    struct uuid first = registered(g, a);
    struct uuid second = registered(g, b);

    assert_false(uuid_eq(first, second));
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 2);
}

static void of_two_with_one_identity_in_a_batch_the_last_wins(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *a = define(g, "k", "\"type\":\"delay\",\"schedule\":\"1\"");
    CLEANUP(schedule_unref_p) struct schedule *b = define(g, "k", "\"type\":\"delay\",\"schedule\":\"2\"");
    struct put puts[2] = {{.schedule = a, .definition = STR("{\"n\":1}"), .id = uuid_v7(g->now)},
                          {.schedule = b, .definition = STR("{\"n\":2}"), .id = uuid_v7(g->now)}};
    struct error err = {0};
    struct record r;

    timer_start(a, g->now, &puts[0].timer);
    timer_start(b, g->now, &puts[1].timer);
    begin(g);
    ok(store_put(g->s, puts, 2, g->now, &err), &err);
    commit(g);
    assert_true(puts[0].ret_created);
    assert_false(puts[1].ret_created);
    assert_true(uuid_eq(puts[0].ret_id, puts[1].ret_id));
    r = record_of(g, puts[0].ret_id);
    assert_string_equal(r.definition, "{\"n\":2}");
    assert_int_equal(r.version, 2);
    assert_int_equal(r.timer.next_at.us, g->now.us + 2 * SECOND);
    record_done(&r);
}

static void a_replacement_of_an_unknown_id_is_not_found(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", DELAY);
    struct put p = put_one(g, (struct put){.by_id = true, .id = {{9}}}, s);

    assert_int_equal(p.result, ERR_NOT_FOUND);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 0);
}

static void a_replacement_by_id_may_change_the_identity(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "old", DELAY);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "new", DELAY);
    CLEANUP(schedule_unref_p) struct schedule *old = define(g, "old", DELAY);
    struct put p = put_one(g, (struct put){.by_id = true, .id = id}, s);
    struct record r = {0};
    struct error err = {0};

    assert_int_equal(p.result, ERR_NONE);
    assert_true(uuid_eq(p.ret_id, id));
    begin(g);
    ok(store_get_by_client(g->s, s, &r, &err), &err);
    assert_true(uuid_eq(r.id, id));
    record_done(&r);
    assert_int_equal(store_get_by_client(g->s, old, &r, &err), ERR_NOT_FOUND);
    commit(g);
}

static void a_replacement_by_id_cannot_take_anothers_identity(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "mine", DELAY);
    CLEANUP(schedule_unref_p) struct schedule *theirs = define(g, "theirs", DELAY);
    struct put p;
    struct record r;

    (void)registered(g, theirs);
    p = put_one(g, (struct put){.by_id = true, .id = id}, theirs);
    assert_int_equal(p.result, ERR_CONFLICT);
    r = record_of(g, id);
    assert_int_equal(r.version, 1);
    record_done(&r);
}

static void a_stale_version_is_refused_and_changes_nothing(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", "\"type\":\"delay\",\"schedule\":\"9\"");
    struct record r;

    assert_int_equal(put_one(g, (struct put){.by_id = true, .id = id, .if_version = 2}, s).result,
                     ERR_PRECONDITION);
    assert_int_equal(put_one(g, (struct put){.if_version = 2}, s).result, ERR_PRECONDITION);
    r = record_of(g, id);
    assert_int_equal(r.version, 1);
    assert_int_equal(r.timer.next_at.us, g->now.us + 50 * SECOND);
    record_done(&r);
    assert_int_equal(put_one(g, (struct put){.by_id = true, .id = id, .if_version = 1}, s).result, ERR_NONE);
    assert_int_equal(put_one(g, (struct put){.if_version = 2}, s).ret_version, 3);
}

static void a_version_asked_of_what_is_not_there_is_refused(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", DELAY);

    assert_int_equal(put_one(g, (struct put){.if_version = 1}, s).result, ERR_PRECONDITION);
}

static void one_refused_in_a_batch_does_not_refuse_the_others(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *a = define(g, "a", DELAY);
    CLEANUP(schedule_unref_p) struct schedule *b = define(g, "b", DELAY);
    struct put puts[2] = {{.schedule = a, .definition = STR("{}"), .by_id = true, .id = {{9}}},
                          {.schedule = b, .definition = STR("{}"), .id = uuid_v7(g->now)}};
    struct error err = {0};

    timer_start(a, g->now, &puts[0].timer);
    timer_start(b, g->now, &puts[1].timer);
    begin(g);
    ok(store_put(g->s, puts, 2, g->now, &err), &err);
    commit(g);
    assert_int_equal(puts[0].result, ERR_NOT_FOUND);
    assert_int_equal(puts[1].result, ERR_NONE);
    assert_int_equal(get_error(g, puts[1].ret_id), ERR_NONE);
}

static void a_replacement_cancels_what_waits_for_its_retry(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct uuid run = c.items[0].run.id;
    struct run_record r;
    struct record rec;

    (void)ended(g, &c.items[0], RUN_RETRYING);
    claim_result_done(&c);
    (void)registered_as(g, "k", DELAY);
    r = run_of(g, run);
    assert_int_equal(r.run.state, RUN_CANCELLED);
    assert_int_equal(r.ended_at.us, g->now.us);
    assert_int_equal(r.status, 500);
    rec = record_of(g, id);
    assert_int_equal(rec.open_runs, 0);
    assert_int_equal(rec.last_state, RUN_CANCELLED);
    record_done(&rec);
    sleep_us(g, 61 * SECOND); /* the retry's time has come, and the new delay's */
    c = claim_n(g, 1);
    assert_false(uuid_eq(c.items[0].run.id, run));
    claim_result_done(&c);
}

static void a_replacement_lets_the_attempt_in_flight_end_without_retry(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct outcome o;
    struct record rec;

    (void)registered_as(g, "k", DELAY);
    rec = record_of(g, id);
    assert_int_equal(rec.open_runs, 1);
    record_done(&rec);
    o = ended(g, &c.items[0], RUN_RETRYING);
    assert_false(o.stale);
    assert_int_equal(o.became, RUN_FAILED);
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_FAILED);
    rec = record_of(g, id);
    assert_int_equal(rec.open_runs, 0);
    assert_int_equal(rec.timer.state, SCHEDULE_ACTIVE);
    assert_int_equal(rec.timer.next_at.us, g->now.us + 50 * SECOND);
    record_done(&rec);
    claim_result_done(&c);
}

static void a_timer_set_with_a_stale_version_is_refused(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);
    struct record r = record_of(g, id);
    int64_t version = -1;

    begin(g);
    assert_int_equal(store_set_timer(g->s, id, 5, &r.timer, false, g->now, &version, NULL), ERR_PRECONDITION);
    assert_int_equal(store_set_timer(g->s, (struct uuid){{7}}, 0, &r.timer, false, g->now, &version, NULL),
                     ERR_NOT_FOUND);
    commit(g);
    assert_int_equal(version, -1);
    record_done(&r);
}

static void a_pause_cancels_what_is_open_and_dooms_what_is_in_flight(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"overlap\":\"allow\"");
    struct claim_result c;
    struct record r;
    struct error err = {0};
    int64_t version;

    sleep_us(g, SECOND);
    c = claim_n(g, 2);
    (void)ended(g, &c.items[0], RUN_RETRYING);
    r = record_of(g, id);
    timer_pause(&r.timer, g->now);
    begin(g);
    ok(store_set_timer(g->s, id, 1, &r.timer, true, g->now, &version, &err), &err);
    commit(g);
    record_done(&r);
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_CANCELLED);
    assert_int_equal(run_of(g, c.items[1].run.id).run.state, RUN_RUNNING);
    assert_int_equal(ended(g, &c.items[1], RUN_RETRYING).became, RUN_FAILED);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_PAUSED], 1);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 0);
    claim_result_done(&c);
    sleep_us(g, 100 * SECOND);
    c = claim_n(g, 0);
    claim_result_done(&c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_registered_schedule_can_be_read_back),
    cmocka_unit_test(every_number_of_a_timer_is_kept),
    cmocka_unit_test(a_replaced_schedule_keeps_its_id),
    cmocka_unit_test(members_with_commas_do_not_make_two_clients_one),
    cmocka_unit_test(of_two_with_one_identity_in_a_batch_the_last_wins),
    cmocka_unit_test(a_replacement_of_an_unknown_id_is_not_found),
    cmocka_unit_test(a_replacement_by_id_may_change_the_identity),
    cmocka_unit_test(a_replacement_by_id_cannot_take_anothers_identity),
    cmocka_unit_test(a_stale_version_is_refused_and_changes_nothing),
    cmocka_unit_test(a_version_asked_of_what_is_not_there_is_refused),
    cmocka_unit_test(one_refused_in_a_batch_does_not_refuse_the_others),
    cmocka_unit_test(a_replacement_cancels_what_waits_for_its_retry),
    cmocka_unit_test(a_replacement_lets_the_attempt_in_flight_end_without_retry),
    cmocka_unit_test(a_timer_set_with_a_stale_version_is_refused),
    cmocka_unit_test(a_pause_cancels_what_is_open_and_dooms_what_is_in_flight),
};
SUITE(put, tests);
