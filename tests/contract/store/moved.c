/*
 * moved.c: schedules and runs leave a database and come into another as they are.
 */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#include "store/grow.h"

#define HOURLY "\"type\":\"cron\",\"schedule\":\"0 * * * *\",\"timezone\":\"UTC\""

/* A store that ends with its process has nothing to move. */
#define NEEDS_MOVING(g)                                                                                      \
    do {                                                                                                     \
        if (!(g)->s->ops->list_moved)                                                                        \
            skip();                                                                                          \
    } while (0)

static const char *encoded(struct schedule *s, struct buf *text)
{
    struct error err = {0};

    buf_init(text, 1 << 16);
    ok(schedule_encode(s, text, &err), &err);
    return buf_cstr(text);
}

/* What another database held of it. The definition is `text`'s. */
static struct record record_with(struct uuid id, struct wall at, const struct buf *text)
{
    return (struct record){.id = id,
                           .version = 7,
                           .created_at = {at.us - 5 * SECOND},
                           .updated_at = {at.us - 4 * SECOND},
                           .definition = text->p,
                           .definition_n = text->n,
                           .timer = {.state = SCHEDULE_ACTIVE,
                                     .next_at = {at.us + 3 * SECOND},
                                     .occurs_at = {at.us + 2 * SECOND},
                                     .started_at = {at.us - SECOND},
                                     .runs = 41,
                                     .missed = {[MISSED_LATE] = 3}},
                           .last_state = RUN_FAILED,
                           .last_at = {at.us - 2 * SECOND}};
}

static struct moved_schedule look(struct ground *g, struct moved_schedule m)
{
    struct error err = {0};

    begin(g);
    ok(store_look_moved(g->s, &m, 1, g->now, &err), &err);
    commit(g);
    return m;
}

static void add(struct ground *g, const struct moved_schedule *m, size_t n)
{
    struct error err = {0};

    begin(g);
    ok(store_add_moved(g->s, m, n, g->now, &err), &err);
    commit(g);
}

static size_t add_runs(struct ground *g, const struct moved_run *runs, size_t n, bool again)
{
    struct error err = {0};
    size_t added;

    begin(g);
    ok(store_add_moved_runs(g->s, runs, n, again, &added, &err), &err);
    commit(g);
    return added;
}

static struct moved_run run_with(struct ground *g, struct uuid schedule, enum run_state state, int64_t at_us)
{
    struct moved_run m = {.record = {.run = {.id = uuid_v7(wall_add(g->now, at_us)),
                                             .schedule_id = schedule,
                                             .schedule_version = 7,
                                             .scheduled_at = wall_add(g->now, at_us),
                                             .due_at = wall_add(g->now, 9 * SECOND),
                                             .state = state,
                                             .attempt = 4,
                                             .failures = 2},
                                     .started_at = {g->now.us - SECOND},
                                     .ended_at = WALL_NEVER,
                                     .took_us = 77,
                                     .status = 503},
                          .label = STR("")};

    (void)snprintf(m.record.error, sizeof(m.record.error), "%s", "no \"luck\"");
    return m;
}

/* All of one kind, three a page. */
static struct moved_run_list listed(struct ground *g, bool dead)
{
    struct moved_page p = {.dead = dead, .scheduled_at = {INT64_MIN}, .limit = 3};
    struct moved_run_list all = {0};
    struct error err = {0};
    size_t before;

    begin(g);
    do {
        before = all.n;
        ok(store_list_moved(g->s, &p, &all, &err), &err);
        if (all.n > before) {
            const struct run *last = &all.items[all.n - 1].record.run;

            p.schedule_id = last->schedule_id;
            p.scheduled_at = last->scheduled_at;
            p.id = last->id;
        }
    } while (all.n == before + 3);
    commit(g);
    return all;
}

static void a_schedule_comes_as_it_was(void **state)
{
    struct ground *g = *state;

    NEEDS_MOVING(g);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", HOURLY);
    CLEANUP(buf_done_p) struct buf text = {0};
    struct uuid id = uuid_v7((struct wall){g->now.us - 99 * SECOND});
    struct record want;
    struct record got;

    (void)encoded(s, &text);
    want = record_with(id, g->now, &text);
    add(g, &(struct moved_schedule){.schedule = s, .record = &want}, 1);
    got = record_of(g, id);
    assert_int_equal(got.version, 7);
    assert_int_equal(got.created_at.us, want.created_at.us);
    assert_int_equal(got.updated_at.us, want.updated_at.us);
    assert_string_equal(got.definition, want.definition);
    assert_memory_equal(&got.timer, &want.timer, sizeof(got.timer));
    assert_int_equal(got.last_state, RUN_FAILED);
    assert_int_equal(got.last_at.us, want.last_at.us);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 1);
    record_done(&got);
}

static void what_is_in_the_way_is_told(void **state)
{
    struct ground *g = *state;

    NEEDS_MOVING(g);
    CLEANUP(schedule_unref_p) struct schedule *here = define(g, "here", HOURLY);
    CLEANUP(schedule_unref_p) struct schedule *other = define(g, "other", HOURLY);
    struct uuid id = registered(g, here);
    struct uuid strange = uuid_v7(g->now);
    struct record same_id = {.id = id};
    struct record other_id = {.id = strange};
    struct moved_schedule m;

    m = look(g, (struct moved_schedule){.schedule = other, .record = &other_id});
    assert_false(m.id_taken);
    assert_true(uuid_is_nil(m.same));
    m = look(g, (struct moved_schedule){.schedule = other, .record = &same_id});
    assert_true(m.id_taken);
    assert_true(uuid_is_nil(m.same));
    m = look(g, (struct moved_schedule){.schedule = here, .record = &other_id});
    assert_false(m.id_taken);
    assert_true(uuid_eq(m.same, id));
    assert_false(m.busy);
}

static void a_run_that_an_instance_holds_is_told(void **state)
{
    struct ground *g = *state;

    NEEDS_MOVING(g);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", "\"type\":\"now\"");
    struct record r = {.id = registered(g, s)};
    struct record other = {.id = uuid_v7(g->now)};
    struct claim_result c = claim_n(g, 1);

    assert_true(look(g, (struct moved_schedule){.schedule = s, .record = &r}).busy);
    assert_true(look(g, (struct moved_schedule){.schedule = s, .record = &other}).busy);
    sleep_us(g, 31 * SECOND); /* its lease has ended */
    assert_false(look(g, (struct moved_schedule){.schedule = s, .record = &r}).busy);
    claim_result_done(&c);
}

static void runs_come_as_they_were_and_leave_in_order(void **state)
{
    struct ground *g = *state;

    NEEDS_MOVING(g);
    struct moved_run_list open = {0};
    struct moved_run_list dead = {0};
    struct moved_run in[8];
    struct uuid ids[2];

    ids[0] = registered_as(g, "a", HOURLY);
    sleep_us(g, 10);
    ids[1] = registered_as(g, "b", HOURLY);
    for (size_t i = 0; i < 8; i++)
        in[i] = run_with(g, ids[i % 2], i < 5 ? RUN_RETRYING : RUN_DEAD, (int64_t)i * SECOND);
    in[0].record.run.state = RUN_PENDING;
    in[0].record.run.due_at = WALL_NEVER;
    in[1].record.run.state = RUN_RUNNING;
    in[1].doomed = true;
    in[1].owed = true;
    in[3].doomed = true;
    in[2].record.run.by_hand_at = (struct wall){g->now.us - 3};
    assert_int_equal(add_runs(g, in, 8, true), 8);
    open = listed(g, false);
    dead = listed(g, true);
    assert_int_equal(open.n, 5);
    assert_int_equal(dead.n, 3);
    /* By schedule, then by time: 0 2 4 1 3, and of the dead 6 5 7. */
    for (size_t i = 0; i < 8; i++) {
        static const size_t order[] = {0, 2, 4, 1, 3, 6, 5, 7};
        const struct moved_run *want = &in[order[i]];
        const struct moved_run *got = i < 5 ? &open.items[i] : &dead.items[i - 5];

        assert_true(uuid_eq(got->record.run.id, want->record.run.id));
        assert_int_equal(got->record.run.scheduled_at.us, want->record.run.scheduled_at.us);
        assert_int_equal(got->record.run.due_at.us, want->record.run.due_at.us);
        assert_int_equal(got->record.run.state, want->record.run.state);
        assert_int_equal(got->record.run.attempt, 4);
        assert_int_equal(got->record.run.failures, 2);
        assert_int_equal(got->record.run.schedule_version, 7);
        assert_int_equal(got->record.run.by_hand_at.us, want->record.run.by_hand_at.us);
        assert_int_equal(got->doomed, want->doomed);
        assert_int_equal(got->owed, want->owed);
        assert_int_equal(got->record.started_at.us, want->record.started_at.us);
        assert_int_equal(got->record.took_us, 77);
        assert_int_equal(got->record.status, 503);
        assert_string_equal(got->record.error, "no \"luck\"");
    }
    moved_run_list_done(&open);
    moved_run_list_done(&dead);
}

static void a_running_run_that_came_is_taken_up_at_once(void **state)
{
    struct ground *g = *state;

    NEEDS_MOVING(g);
    struct claim_result c;
    struct moved_run run;
    struct uuid id;

    id = registered_as(g, "k", HOURLY);
    run = run_with(g, id, RUN_RUNNING, -SECOND);
    run.record.run.schedule_version = 1;
    assert_int_equal(add_runs(g, &run, 1, true), 1);
    c = claim_n(g, 1);
    assert_true(uuid_eq(c.items[0].run.id, run.record.run.id));
    assert_int_equal(c.items[0].run.attempt, 5);
    claim_result_done(&c);
}

static void a_run_is_added_once(void **state)
{
    struct ground *g = *state;

    NEEDS_MOVING(g);
    struct moved_run run;
    struct moved_run twin;

    run = run_with(g, registered_as(g, "k", HOURLY), RUN_RETRYING, 0);
    twin = run;
    twin.record.run.id = uuid_v7(wall_add(g->now, 5)); /* the same identity */
    assert_int_equal(add_runs(g, &run, 1, true), 1);
    assert_int_equal(add_runs(g, &run, 1, true), 0);
    assert_int_equal(add_runs(g, &twin, 1, true), 0);
}

static void a_run_that_ended_here_comes_back_when_asked_alone(void **state)
{
    struct ground *g = *state;

    NEEDS_MOVING(g);
    struct claim_result c;
    struct moved_run run;

    run = run_with(g, registered_as(g, "k", HOURLY), RUN_RETRYING, -SECOND);
    run.record.run.schedule_version = 1;
    run.record.run.due_at = g->now;
    assert_int_equal(add_runs(g, &run, 1, true), 1);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
    assert_int_equal(add_runs(g, &run, 1, false), 0);
    assert_int_equal(run_of(g, run.record.run.id).run.state, RUN_SUCCEEDED);
    assert_int_equal(add_runs(g, &run, 1, true), 1);
    assert_int_equal(run_of(g, run.record.run.id).run.state, RUN_RETRYING);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED); /* what it left in the log is in nobody's way */
    claim_result_done(&c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_schedule_comes_as_it_was),
    cmocka_unit_test(what_is_in_the_way_is_told),
    cmocka_unit_test(a_run_that_an_instance_holds_is_told),
    cmocka_unit_test(runs_come_as_they_were_and_leave_in_order),
    cmocka_unit_test(a_running_run_that_came_is_taken_up_at_once),
    cmocka_unit_test(a_run_is_added_once),
    cmocka_unit_test(a_run_that_ended_here_comes_back_when_asked_alone),
};
SUITE(moved, tests);
