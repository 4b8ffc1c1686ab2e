/*
 * ops_many.c: one operation for many schedules: identifiers as they come, and what came of one found by it.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "ground.h"
#include "store/op.h"
#include "store/ops_many.h"

#define DELAY "\"type\":\"delay\",\"schedule\":\"50\""

/* As a lane does. */
static enum err run_op(struct ground *g, struct op *op)
{
    struct notice notice = {.earliest = WALL_NEVER};
    struct error err = {0};

    op->err = (struct error){0};
    begin(g);
    ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
    commit(g);
    assert_false(op->type->writes);
    return op->err.code;
}

static void run_in(struct ground *g, struct uuid schedule)
{
    struct run run = {.id = uuid_v7(g->now),
                      .schedule_id = schedule,
                      .schedule_version = 1,
                      .scheduled_at = g->now,
                      .due_at = g->now,
                      .state = RUN_PENDING};
    struct error err = {0};

    begin(g);
    ok(insert_run(g, &run, &err), &err);
    commit(g);
    sleep_us(g, SECOND);
}

static void schedules_are_found_by_their_ids_in_whatever_order_they_were_asked_for(void **state)
{
    struct ground *g = *state;
    struct uuid a = registered_as(g, "a", DELAY);
    struct uuid b = registered_as(g, "b", DELAY);
    const struct uuid unknown = {{9}};
    const struct uuid ids[] = {b, a, unknown, b, b, a};
    struct op_get_many *o = NULL;
    struct error err = {0};

    ok(op_get_many_new(ids, COUNT_OF(ids), NULL, &o, &err), &err);
    assert_int_equal(o->ids.n, 3);
    assert_int_equal(run_op(g, &o->op), ERR_NONE);
    assert_int_equal(run_op(g, &o->op), ERR_NONE); /* a repetition gives the same */
    assert_int_equal(o->ret.n, 2);
    assert_true(uuid_eq(op_get_many_find(o, a)->id, a));
    assert_true(uuid_eq(op_get_many_find(o, b)->id, b));
    assert_null(op_get_many_find(o, unknown));
    op_get_many_free(o);
}

static void runs_are_found_by_their_schedule(void **state)
{
    struct ground *g = *state;
    const struct uuid ids[] = {registered_as(g, "a", DELAY), registered_as(g, "b", DELAY),
                               registered_as(g, "c", DELAY)};
    const struct uuid asked[] = {ids[2], ids[1], ids[0], ids[2]};
    struct op_runs_of *o = NULL;
    struct error err = {0};
    const struct run_record *page;
    size_t n;

    for (size_t i = 0; i < 3; i++)
        run_in(g, ids[0]);
    run_in(g, ids[2]);
    ok(op_runs_of_new(asked, COUNT_OF(asked), NULL, &o, &err), &err);
    o->filter.limit = 2;
    assert_int_equal(run_op(g, &o->op), ERR_NONE);
    assert_int_equal(run_op(g, &o->op), ERR_NONE);
    page = op_runs_of_page(o, ids[0], &n);
    assert_int_equal(n, 2);
    assert_true(uuid_eq(page[0].run.schedule_id, ids[0]) && uuid_eq(page[1].run.schedule_id, ids[0]));
    assert_true(uuid_cmp(page[0].run.id, page[1].run.id) > 0);
    assert_null(op_runs_of_page(o, ids[1], &n));
    assert_int_equal(n, 0);
    page = op_runs_of_page(o, ids[2], &n);
    assert_true(n == 1 && uuid_eq(page->run.schedule_id, ids[2]));
    op_runs_of_free(o);
}

/* Its calls are the ground's but for this one. */
static enum err too_large(struct store *s, const struct uuid *ids, size_t n, const struct run_filter *f,
                          size_t most, struct run_record_list *ret, struct error *err)
{
    (void)s;
    (void)ids;
    (void)n;
    (void)f;
    (void)ret;
    assert_int_equal(most, MANY_RUNS);
    return error_set(err, ERR_TOO_LARGE, NULL, "too much");
}

static void too_many_rows_are_one_operations_own_failure(void **state)
{
    struct ground *g = *state;
    const struct uuid id = registered_as(g, "a", DELAY);
    const struct store_ops *usual = g->s->ops;
    struct store_ops full = *usual;
    struct op_runs_of *o = NULL;
    struct error err = {0};

    ok(op_runs_of_new(&id, 1, NULL, &o, &err), &err);
    full.list_runs_of = too_large;
    g->s->ops = &full;
    assert_int_equal(run_op(g, &o->op), ERR_TOO_LARGE);
    g->s->ops = usual;
    assert_int_equal(run_op(g, &o->op), ERR_NONE);
    op_runs_of_free(o);
}

static void more_schedules_than_one_operation_takes_are_refused(void **state)
{
    struct op_get_many *o = NULL;
    struct uuid *ids;
    struct error err = {0};
    void *p;

    (void)state;
    ok(alloc_array(MANY_IDS + 1, sizeof(*ids), &p, &err), &err);
    ids = p;
    for (size_t i = 0; i <= MANY_IDS; i++)
        ids[i] = (struct uuid){{(uint8_t)(i >> 8), (uint8_t)i}};
    assert_int_equal(op_get_many_new(ids, MANY_IDS + 1, NULL, &o, &err), ERR_TOO_LARGE);
    assert_null(o);
    ids[7] = ids[8]; /* the same one counts once */
    ok(op_get_many_new(ids, MANY_IDS + 1, NULL, &o, &err), &err);
    op_get_many_free(o);
    alloc_free(ids);
}

/* As a lane does when an operation fails its group: nothing is left of it. */
static enum err try_op(struct ground *g, struct op *op, struct error *err)
{
    struct notice notice = {.earliest = WALL_NEVER};
    enum err e = store_begin(g->s, false, err);

    if (!e)
        e = op->type->run(g->s, &op, 1, g->now, &notice, err);
    if (!e)
        e = store_commit(g->s, err);
    if (e)
        store_rollback(g->s);
    return e;
}

static enum err read_both(struct ground *g, const struct uuid *ids, size_t n, struct error *err)
{
    struct op_get_many *records = NULL;
    struct op_runs_of *runs = NULL;
    size_t n_runs = 0;
    enum err e = op_get_many_new(ids, n, NULL, &records, err);

    if (!e)
        e = op_runs_of_new(ids, n, NULL, &runs, err);
    if (!e) {
        runs->filter.limit = 100;
        e = try_op(g, &records->op, err);
    }
    if (!e)
        e = try_op(g, &runs->op, err);
    if (!e) {
        (void)op_runs_of_page(runs, ids[0], &n_runs);
        assert_int_equal(n_runs, 20);
        assert_non_null(op_get_many_find(records, ids[1]));
    }
    op_get_many_free(records);
    op_runs_of_free(runs);
    return e;
}

static void every_failed_allocation_is_survived(void **state)
{
    struct ground *g = *state;
    const struct uuid ids[] = {registered_as(g, "a", DELAY), registered_as(g, "b", DELAY)};
    uint64_t failed = 0;
    bool reached = true;

    for (size_t i = 0; i < 20; i++)
        run_in(g, ids[0]);
    for (uint64_t n = 1; reached; n++) {
        struct error err = {0};
        enum err e;

        alloc_test_fail_nth(n);
        e = read_both(g, ids, COUNT_OF(ids), &err);
        reached = alloc_test_failed();
        if (e && e != ERR_MEMORY)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, err_name(e), err.text);
        failed += e != ERR_NONE;
    }
    assert_true(failed > 4);
}

int main(void)
{
#define SENTENCE(f)                                                                                          \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)kinds[0]                                    \
    }
    const struct CMUnitTest tests[] = {
        SENTENCE(every_failed_allocation_is_survived),
        SENTENCE(schedules_are_found_by_their_ids_in_whatever_order_they_were_asked_for),
        SENTENCE(runs_are_found_by_their_schedule),
        SENTENCE(too_many_rows_are_one_operations_own_failure),
        SENTENCE(more_schedules_than_one_operation_takes_are_refused),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
