/*
 * ops_hand.c: what is done by hand and in parts, over a database that loses connections, commits and answers
 * by seed: what is told was done is there, once, and in the number told.
 */
#include "store/ops_hand.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "ground.h"
#include "store/faulty/faulty.h"
#include "store/ops_engine.h"
#include "store/ops_once.h"
#include "store/ops_run.h"
#include "store/ops_schedule.h"
#include "store/sqlite/sqlite.h"

enum { SEEDS = 10, DEAD = 2300, TIMES = 2500 };

struct world {
    struct ground *g;
    struct faulty_plan plan;
    struct lane *lane;
};

static enum err open_faulty(void *arg, struct store **ret, struct error *err)
{
    struct world *w = arg;
    struct store *inner = NULL;
    enum err e = sqlite_connect(w->g->own, true, &inner, err);

    return e ? e : faulty_wrap(&w->plan, inner, ret, err);
}

static void lane_begin(struct world *w, struct ground *g, uint64_t seed)
{
    struct lane_options o = {.name = "writer",
                             .open = open_faulty,
                             .open_arg = w,
                             .queue_limit = 100,
                             .group_limit = 10,
                             .give_up_us = 60 * SECOND};
    struct error err = {0};

    *w = (struct world){.g = g};
    ok(lane_new(&o, &w->lane, &err), &err);
    /* From now on; a lane does not forgive that its first connection fails. */
    w->plan = (struct faulty_plan){.rng = {seed}, .drop = 20, .lose_commit = 100, .lose_answer = 200};
}

static void done_by(struct world *w, struct op *op)
{
    struct error err = {0};

    ok(lane_call(w->lane, op, &err), &err);
}

static int64_t runs_in(struct ground *g, struct uuid schedule, int state)
{
    struct run_filter f = {.schedule_id = schedule, .state = state, .limit = 100000};
    struct run_record_list l = {0};
    struct error err = {0};
    int64_t n;

    begin(g);
    ok(store_list_runs(g->s, &f, &l, &err), &err);
    commit(g);
    n = (int64_t)l.n;
    run_record_list_done(&l);
    return n;
}

static struct op_backfill *backfill_of(struct ground *g, struct uuid id, bool in_a_row)
{
    struct op_backfill *o = NULL;
    struct error err = {0};

    ok(op_backfill_new(TIMES, NULL, &o, &err), &err);
    for (size_t i = 0; i < TIMES; i++)
        o->times[i] = wall_add(g->now, ((int64_t)i - TIMES) * SECOND);
    o->id = id;
    o->version = 1;
    o->in_a_row = in_a_row;
    return o;
}

static void a_backfill_tells_what_it_made_whatever_the_connection_did(void **state)
{
    struct ground *g = *state;
    uint64_t lost = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct op_backfill *o;
        struct world w;
        struct uuid id;
        char key[16];

        (void)snprintf(key, sizeof(key), "k%d", (int)seed);
        id = registered_as(g, key, "\"type\":\"cron\",\"schedule\":\"0 0 0 1 1 *\",\"timezone\":\"UTC\"");
        lane_begin(&w, g, seed);
        o = backfill_of(g, id, seed % 2 == 0);
        done_by(&w, &o->op);
        assert_int_equal(o->ret_created, TIMES);
        assert_int_equal(o->ret_skipped, 0);
        op_backfill_free(o);
        o = backfill_of(g, id, false);
        done_by(&w, &o->op);
        assert_int_equal(o->ret_created, 0);
        assert_int_equal(o->ret_skipped, TIMES);
        op_backfill_free(o);
        lane_free(w.lane);
        lost += w.plan.lost_answers;
        assert_int_equal(runs_in(g, id, RUN_PENDING), TIMES);
    }
    assert_true(lost > 5);
}

static void a_backfill_of_a_schedule_that_changes_on_the_way_says_how_far_it_came(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 0 0 1 1 *\"");
    struct op_backfill *o = backfill_of(g, id, false);
    struct op *op = &o->op;
    struct notice notice = {.earliest = WALL_NEVER};
    struct error err = {0};

    begin(g);
    ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
    commit(g);
    assert_true(op->unfinished);
    (void)registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 0 0 2 1 *\"");
    op->parts++;
    op->unfinished = false;
    begin(g);
    ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
    commit(g);
    assert_false(op->unfinished);
    assert_int_equal(op->err.code, ERR_CONFLICT);
    assert_non_null(strstr(op->err.text, "after 1000 runs"));
    op_backfill_free(o);
}

/* Dead runs of one schedule, as their schedule's versions left them. */
static struct uuid with_dead_runs(struct ground *g, size_t n)
{
    struct uuid id =
        registered_as(g, "dead", "\"type\":\"cron\",\"schedule\":\"0 0 0 1 1 *\",\"overlap\":\"allow\"");
    struct error err = {0};

    begin(g);
    for (size_t i = 0; i < n; i++) {
        struct run_insert r = {.run = {.id = uuid_v7(wall_add(g->now, (int64_t)i)),
                                       .schedule_id = id,
                                       .schedule_version = 1,
                                       .scheduled_at = wall_add(g->now, -(int64_t)i * SECOND),
                                       .due_at = g->now,
                                       .state = RUN_DEAD,
                                       .attempt = 3,
                                       .failures = 3}};

        ok(store_insert_runs(g->s, &r, 1, &err), &err);
    }
    commit(g);
    return id;
}

static void many_are_redriven_in_the_number_told(void **state)
{
    struct ground *g = *state;
    struct uuid id = with_dead_runs(g, DEAD);
    int64_t left = DEAD;

    for (uint64_t seed = 1; left > 0; seed++) {
        struct op_run_act *o = NULL;
        struct error err = {0};
        struct world w;

        lane_begin(&w, g, seed);
        ok(op_run_act_new(0, NULL, &o, &err), &err);
        o->kind = RUN_REDRIVE;
        o->by_filter = true;
        o->limit = seed == 1 ? 1500 : 10000;
        done_by(&w, &o->op);
        lane_free(w.lane);
        assert_int_equal(o->ret_refused, 0);
        assert_int_equal(o->ret_done, seed == 1 ? 1500 : left);
        assert_int_equal(o->ret_more, seed == 1);
        left -= o->ret_done;
        op_run_act_free(o);
        assert_int_equal(runs_in(g, id, RUN_DEAD), left);
    }
    assert_int_equal(runs_in(g, id, RUN_PENDING), DEAD);
}

static void one_that_was_redriven_and_not_told_so_is_told_so(void **state)
{
    struct ground *g = *state;
    struct uuid id = with_dead_runs(g, 60);
    struct run_record_list l = runs_of(g, id);
    uint64_t lost = 0;

    for (size_t i = 0; i < l.n; i++) {
        struct op_run_act *o = NULL;
        struct error err = {0};
        struct world w;

        lane_begin(&w, g, i + 1);
        ok(op_run_act_new(1, NULL, &o, &err), &err);
        o->kind = i % 2 ? RUN_REDRIVE : RUN_DISCARD;
        o->acts[0].id = l.items[i].run.id;
        done_by(&w, &o->op);
        assert_int_equal(o->acts[0].result, RUN_ACTED);
        assert_int_equal(o->ret_done, 1);
        op_run_act_free(o);
        lane_free(w.lane);
        lost += w.plan.lost_answers;
    }
    assert_true(lost > 3);
    run_record_list_done(&l);
}

static void a_reset_leaves_nothing_and_tells_how_much_it_was(void **state)
{
    struct ground *g = *state;
    struct op_reset *o = op_reset_new(NULL);
    struct store_stats stats;
    struct world w;
    char key[16];

    (void)with_dead_runs(g, 1300);
    for (int i = 0; i < 700; i++) {
        (void)snprintf(key, sizeof(key), "r%d", i);
        (void)registered_as(g, key, "\"type\":\"delay\",\"schedule\":\"500\"");
    }
    lane_begin(&w, g, 7);
    done_by(&w, &o->op);
    lane_free(w.lane);
    assert_int_equal(o->ret_schedules, 701);
    assert_int_equal(o->ret_runs, 1300);
    op_reset_free(o);
    stats = stats_of(g);
    assert_int_equal(stats.schedules[SCHEDULE_ACTIVE], 0);
    assert_int_equal(stats.runs[RUN_DEAD], 0);
}

/* --- once --- */

static enum err tell_created(void *arg, struct buf *out, bool *ret_keep, struct error *err)
{
    const struct op_backfill *o = arg;

    (void)err;
    buf_addf(out, "%lld", (long long)o->ret_created);
    *ret_keep = o->op.err.code == ERR_NONE;
    return ERR_NONE;
}

static struct op_once once_of(struct op_backfill *inner, unsigned char key, unsigned char request)
{
    struct op_once o;

    op_once_init(&o, NULL);
    o.key = (struct uuid){{key}};
    o.request = (struct uuid){{request}};
    o.inner = &inner->op;
    o.answer = tell_created;
    o.answer_arg = inner;
    o.answer_max = 100;
    return o;
}

/* Each try is another request, as after a crash: only the first may do anything. */
static void what_is_done_once_has_the_same_answer_ever_after(void **state)
{
    struct ground *g = *state;
    uint64_t lost = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        char key[16];
        struct world w;
        struct uuid id;

        (void)snprintf(key, sizeof(key), "k%d", (int)seed);
        id = registered_as(g, key, "\"type\":\"cron\",\"schedule\":\"0 0 0 1 1 *\"");
        lane_begin(&w, g, seed);
        for (int again = 0; again < 3; again++) {
            struct op_backfill *inner = backfill_of(g, id, false);
            struct op_once o = once_of(inner, (unsigned char)seed, 1);

            done_by(&w, &o.op);
            /* The first may find its own answer, when only the commit's was lost. */
            assert_true(o.ret == ONCE_AGAIN || (o.ret == ONCE_DONE && again == 0));
            if (o.ret == ONCE_AGAIN)
                assert_string_equal(o.ret_kept.text, "2500");
            op_once_done(&o);
            op_backfill_free(inner);
        }
        lane_free(w.lane);
        lost += w.plan.lost_answers;
        assert_int_equal(runs_in(g, id, RUN_PENDING), TIMES);
    }
    assert_true(lost > 5);
}

static enum once_result run_part(struct ground *g, struct op_once *o)
{
    struct notice notice = {.earliest = WALL_NEVER};
    struct op *op = &o->op;
    struct error err = {0};

    op->unfinished = false;
    begin(g);
    ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
    commit(g);
    if (op->unfinished)
        op->parts++;
    return o->ret;
}

static void between_two_parts_the_key_is_at_work_until_the_work_is_given_up(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 0 0 1 1 *\"");
    struct op_backfill *first = backfill_of(g, id, false);
    struct op_backfill *second = backfill_of(g, id, false);
    struct op_once a = once_of(first, 1, 1);
    struct op_once b = once_of(second, 1, 1);
    struct op_backfill *third = backfill_of(g, id, false);
    struct op_once other = once_of(third, 1, 2);

    assert_int_equal(run_part(g, &a), ONCE_DONE);
    assert_true(a.op.unfinished);
    assert_int_equal(run_part(g, &b), ONCE_AT_WORK);
    assert_int_equal(run_part(g, &other), ONCE_OTHER);
    assert_int_equal(run_part(g, &a), ONCE_DONE);
    assert_true(a.op.unfinished);
    /* Its instance is gone: the next one takes over and finds what was made. */
    sleep_us(g, 61 * SECOND);
    while (run_part(g, &b) == ONCE_DONE && b.op.unfinished)
        ;
    assert_int_equal(b.ret, ONCE_DONE);
    assert_int_equal(second->ret_created, 500);
    assert_int_equal(second->ret_skipped, 2000);
    /* A day later it is a new key. */
    sleep_us(g, ONCE_KEEP_US + SECOND);
    assert_int_equal(run_part(g, &other), ONCE_DONE);
    op_once_done(&a);
    op_once_done(&b);
    op_once_done(&other);
    op_backfill_free(third);
    op_backfill_free(first);
    op_backfill_free(second);
}

static void who_was_away_for_too_long_leaves_the_work_to_who_took_it_over(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 0 0 1 1 *\"");
    struct op_backfill *first = backfill_of(g, id, false);
    struct op_backfill *second = backfill_of(g, id, false);
    struct op_once a = once_of(first, 1, 1);
    struct op_once b = once_of(second, 1, 1);

    assert_int_equal(run_part(g, &a), ONCE_DONE);
    assert_int_equal(run_part(g, &a), ONCE_DONE);
    sleep_us(g, ONCE_WORK_US + SECOND);
    assert_int_equal(run_part(g, &b), ONCE_DONE);
    assert_true(b.op.unfinished);
    assert_int_equal(run_part(g, &a), ONCE_AT_WORK);
    assert_false(a.op.unfinished);
    while (run_part(g, &b) == ONCE_DONE && b.op.unfinished)
        ;
    assert_int_equal(b.ret, ONCE_DONE);
    assert_int_equal(second->ret_created + second->ret_skipped, TIMES);
    assert_int_equal(runs_in(g, id, RUN_PENDING), TIMES);
    op_once_done(&a);
    op_once_done(&b);
    op_backfill_free(first);
    op_backfill_free(second);
}

/* As PostgreSQL does while another instance's transaction looks the same key up. */
static enum err is_looked_up_elsewhere(struct store *s, struct uuid key, struct kept_answer *ret,
                                       struct error *err)
{
    (void)s;
    (void)key;
    (void)ret;
    return error_set(err, ERR_CONFLICT, NULL, "at work elsewhere");
}

static void a_repetition_that_looks_between_two_parts_does_not_end_the_work(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 0 0 1 1 *\"");
    const struct store_ops *usual = g->s->ops;
    struct store_ops busy = *usual;
    struct op_backfill *first = backfill_of(g, id, false);
    struct op_backfill *second = backfill_of(g, id, false);
    struct op_once a = once_of(first, 1, 1);
    struct op_once b = once_of(second, 1, 1);

    busy.get_answer = is_looked_up_elsewhere;
    assert_int_equal(run_part(g, &a), ONCE_DONE);
    g->s->ops = &busy;
    assert_int_equal(run_part(g, &b), ONCE_AT_WORK);
    assert_int_equal(run_part(g, &a), ONCE_DONE);
    assert_true(a.op.unfinished);
    g->s->ops = usual;
    while (run_part(g, &a) == ONCE_DONE && a.op.unfinished)
        ;
    assert_int_equal(a.ret, ONCE_DONE);
    assert_int_equal(first->ret_created, TIMES);
    assert_int_equal(run_part(g, &b), ONCE_AGAIN);
    op_once_done(&a);
    op_once_done(&b);
    op_backfill_free(first);
    op_backfill_free(second);
}

static void what_fails_in_the_middle_leaves_its_key_free(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 0 0 1 1 *\"");
    struct op_backfill *first = backfill_of(g, id, false);
    struct op_backfill *second = backfill_of(g, id, false);
    struct op_once a = once_of(first, 1, 1);
    struct op_once b = once_of(second, 1, 9);

    assert_int_equal(run_part(g, &a), ONCE_DONE);
    (void)registered_as(g, "k", "\"type\":\"cron\",\"schedule\":\"0 0 0 2 1 *\"");
    assert_int_equal(run_part(g, &a), ONCE_DONE);
    assert_false(a.op.unfinished);
    assert_int_equal(first->op.err.code, ERR_CONFLICT);
    second->version = 2;
    assert_int_equal(run_part(g, &b), ONCE_DONE);
    op_once_done(&a);
    op_once_done(&b);
    op_backfill_free(first);
    op_backfill_free(second);
}

static void upkeep_removes_answers_that_are_not_given_again_any_more(void **state)
{
    struct ground *g = *state;
    struct kept_answer found = {0};
    struct notice notice = {.earliest = WALL_NEVER};
    struct op_upkeep *o = op_upkeep_new(NULL);
    struct op *op = &o->op;
    struct error err = {0};
    bool more = true;

    for (unsigned char key = 1; key <= 120; key++) {
        struct kept_answer a = {
            .key = {{key}}, .request = {{1}}, .at = g->now, .text = (char[]){"x"}, .n = 1};

        if (key == 120)
            a.at = wall_add(g->now, 2 * SECOND);
        begin(g);
        ok(store_put_answer(g->s, &a, &err), &err);
        commit(g);
    }
    sleep_us(g, ONCE_KEEP_US + SECOND);
    o->limit = 1000;
    while (more) {
        begin(g);
        ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
        commit(g);
        more = o->ret_more;
    }
    begin(g);
    assert_int_equal(store_get_answer(g->s, (struct uuid){{119}}, &found, NULL), ERR_NOT_FOUND);
    ok(store_get_answer(g->s, (struct uuid){{120}}, &found, &err), &err);
    commit(g);
    kept_answer_done(&found);
    op_upkeep_free(o);
}

#define SENTENCE(name)                                                                                       \
    {                                                                                                        \
#name, name, ground_setup, ground_teardown, (void *)(uintptr_t)kinds[0]                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        SENTENCE(a_backfill_tells_what_it_made_whatever_the_connection_did),
        SENTENCE(a_backfill_of_a_schedule_that_changes_on_the_way_says_how_far_it_came),
        SENTENCE(many_are_redriven_in_the_number_told),
        SENTENCE(one_that_was_redriven_and_not_told_so_is_told_so),
        SENTENCE(a_reset_leaves_nothing_and_tells_how_much_it_was),
        SENTENCE(what_is_done_once_has_the_same_answer_ever_after),
        SENTENCE(between_two_parts_the_key_is_at_work_until_the_work_is_given_up),
        SENTENCE(who_was_away_for_too_long_leaves_the_work_to_who_took_it_over),
        SENTENCE(a_repetition_that_looks_between_two_parts_does_not_end_the_work),
        SENTENCE(what_fails_in_the_middle_leaves_its_key_free),
        SENTENCE(upkeep_removes_answers_that_are_not_given_again_any_more),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
