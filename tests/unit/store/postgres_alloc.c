/*
 * postgres_alloc.c: every allocation of ours on the way of a registration, a replacement, a claim and an
 * outcome fails once: the error is ERR_MEMORY, nothing leaks, nothing is half done, and the connection goes
 * on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/alloc.h"
#include "cluster.h"
#include "ground.h"
#include "store/ops_engine.h"
#include "store/ops_schedule.h"

enum { N_MAX = 5000 };

static enum err transact(struct ground *g, struct op *op, struct error *err)
{
    struct notice notice = {.earliest = WALL_NEVER};
    enum err e;

    e = store_begin(g->s, true, err);
    if (!e)
        e = op->type->run(g->s, &op, 1, g->now, &notice, err);
    if (!e)
        e = store_notify(g->s, &notice, g->now, err);
    if (!e)
        e = store_commit(g->s, err);
    if (e)
        store_rollback(g->s);
    change_list_done(&notice.changed);
    return e;
}

/* Does it with the n-th allocation failing; false when it needed fewer. */
static bool try_op(struct ground *g, struct op *op, uint64_t n, uint64_t *failed)
{
    struct error err = {0};
    bool reached;
    enum err e;

    assert_true(n < N_MAX);
    alloc_test_fail_nth(n);
    e = transact(g, op, &err);
    reached = alloc_test_failed();
    if (e && e != ERR_MEMORY)
        fail_msg("allocation %d: %s: %s", (int)n, err_name(e), err.text);
    *failed += e != ERR_NONE;
    return reached;
}

static struct op_put *put_op(struct ground *g, const char *key)
{
    struct op_put *o;

    assert_int_equal(op_put_new(1, NULL, &o, NULL), ERR_NONE);
    o->items[0].schedule = define(g, key, "\"type\":\"now\"");
    return o;
}

static void a_registration_survives_every_failed_allocation(void **state)
{
    struct ground *g = *state;
    uint64_t failed = 0;
    uint64_t n = 0;
    bool reached;

    do {
        char key[16];
        struct op_put *o;

        (void)snprintf(key, sizeof(key), "k%d", (int)++n);
        o = put_op(g, key);
        reached = try_op(g, &o->op, n, &failed);
        op_put_free(o);
    } while (reached);
    assert_true(failed > 10);
    /* What succeeded is there, all of it and no more. */
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], n - failed);
}

static void a_replacement_survives_every_failed_allocation(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "same", "\"type\":\"now\"");
    struct record r;
    uint64_t failed = 0;
    uint64_t n = 0;
    bool reached;

    do {
        struct op_put *o = put_op(g, "same");

        reached = try_op(g, &o->op, ++n, &failed);
        op_put_free(o);
    } while (reached);
    assert_true(failed > 10);
    r = record_of(g, id);
    assert_int_equal(r.version, 1 + n - failed);
    record_done(&r);
}

static void a_claim_survives_every_failed_allocation(void **state)
{
    struct ground *g = *state;
    struct claim_result rest;
    uint64_t claimed = 0;
    uint64_t failed = 0;
    uint64_t n = 0;
    bool reached;

    do {
        struct op_claim *o = op_claim_new(NULL);
        uint64_t failed_before = failed;
        char key[16];

        (void)snprintf(key, sizeof(key), "k%d", (int)++n);
        (void)registered_as(g, key, "\"type\":\"now\"");
        claim_cache_free(g->cache);
        g->cache = claim_cache_new(10);
        o->cache = g->cache;
        o->request = (struct claim_request){.instance = g->instance,
                                            .horizon_us = SECOND,
                                            .lease_us = 3000 * SECOND,
                                            .limit = 1,
                                            .timer_rules = {.misfire_grace_us = SECOND},
                                            .schedule_rules = &g->rules};
        reached = try_op(g, &o->op, n, &failed);
        if (failed == failed_before) {
            assert_int_equal(o->ret.broken.n, 0);
            claimed += o->ret.n;
        }
        op_claim_free(o);
    } while (reached);
    assert_true(failed > 10);
    /* None was lost: what no claim brought is still to be claimed. */
    rest = claim_limit(g, 100000);
    assert_int_equal(claimed + rest.n, n);
    claim_result_done(&rest);
}

static void an_outcome_survives_every_failed_allocation(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    uint64_t failed = 0;
    uint64_t n = 0;
    bool reached;

    (void)registered_as(g, "k", "\"type\":\"now\"");
    c = claim_n(g, 1);
    do {
        struct op_complete *o;

        assert_int_equal(op_complete_new(1, NULL, &o, NULL), ERR_NONE);
        o->outcomes[0] = outcome_of(g, &c.items[0], RUN_SUCCEEDED);
        o->outcomes[0].schedule = schedule_ref(c.items[0].schedule);
        reached = try_op(g, &o->op, ++n, &failed);
        if (!reached)
            assert_false(o->outcomes[0].stale); /* the first that was recorded */
        op_complete_free(o);
    } while (reached);
    assert_true(failed >= 3 && failed == n - 1); /* what is sent is put together in buffers that are there */
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_SUCCEEDED);
    claim_result_done(&c);
}

int main(void)
{
#define TEST(f)                                                                                              \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)&kind_postgres                              \
    }
    const struct CMUnitTest tests[] = {
        TEST(a_registration_survives_every_failed_allocation),
        TEST(a_replacement_survives_every_failed_allocation),
        TEST(a_claim_survives_every_failed_allocation),
        TEST(an_outcome_survives_every_failed_allocation),
    };

    if (!cluster_installed())
        return 77;
    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
