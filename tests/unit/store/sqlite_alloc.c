/*
 * sqlite_alloc.c: every allocation on the way of a registration and of a claim fails once, in SQLite, in
 * jansson and in our own code: the error is ERR_MEMORY, nothing leaks, nothing is half done, and nothing
 * sound is taken for broken.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "ground.h"
#include "store/ops_engine.h"
#include "store/ops_schedule.h"
#include "store/sqlite/conn.h"

/* A connection of its own, so that statements are prepared each time. */
static enum err reconnect(struct ground *g, struct error *err)
{
    store_close(TAKE(g->s));
    return sqlite_connect(g->own, true, &g->s, err);
}

static enum err transact(struct ground *g, struct op *op, struct error *err)
{
    struct notice notice = {.earliest = WALL_NEVER};
    enum err e;

    e = store_begin(g->s, true, err);
    if (!e)
        e = op->type->run(g->s, &op, 1, g->now, &notice, err);
    if (!e)
        e = store_commit(g->s, err);
    if (e)
        store_rollback(g->s);
    change_list_done(&notice.changed);
    return e;
}

/* Stays open meanwhile: SQLite tidies the file up when its last connection closes, which takes its time. */
static struct store *hold_open(struct ground *g)
{
    struct store *s = NULL;
    struct error err = {0};

    ok(sqlite_connect(g->own, false, &s, &err), &err);
    ok(store_begin(s, false, &err), &err);
    ok(store_ping(s, &err), &err);
    ok(store_commit(s, &err), &err);
    return s;
}

enum { N_MAX = 20000 };

static void a_registration_survives_every_failed_allocation(void **state)
{
    struct ground *g = *state;
    struct store *other = hold_open(g);
    uint64_t failed = 0;
    uint64_t n = 0;
    bool reached;

    do {
        struct error err = {0};
        struct op_put *o;
        enum err e;
        char key[16];

        assert_true(++n < N_MAX);
        assert_int_equal(op_put_new(1, NULL, &o, NULL), ERR_NONE);
        (void)snprintf(key, sizeof(key), "k%llu", (unsigned long long)n);
        o->items[0].schedule = define(g, key, "\"type\":\"now\"");
        alloc_test_fail_nth(n);
        e = reconnect(g, &err);
        if (!e)
            e = transact(g, &o->op, &err);
        reached = alloc_test_failed();
        if (e && e != ERR_MEMORY)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, err_name(e), err.text);
        failed += e != ERR_NONE;
        if (!g->s)
            ok(reconnect(g, &err), &err);
        op_put_free(o);
    } while (reached);
    assert_true(failed > 50);
    /* What succeeded is there, all of it and no more. */
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], n - failed);
    store_close(other);
}

static void a_claim_survives_every_failed_allocation(void **state)
{
    struct ground *g = *state;
    struct store *other = hold_open(g);
    struct claim_result rest;
    uint64_t failed = 0;
    uint64_t claimed = 0;
    uint64_t n = 0;
    bool reached;

    (void)registered_as(g, "cron", "\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"allow\"");
    do {
        struct op_claim *o = op_claim_new(NULL);
        struct error err = {0};
        enum err e;
        char key[16];

        assert_true(++n < N_MAX);
        (void)snprintf(key, sizeof(key), "k%llu", (unsigned long long)n);
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
        alloc_test_fail_nth(n);
        e = reconnect(g, &err);
        if (!e)
            e = transact(g, &o->op, &err);
        reached = alloc_test_failed();
        if (e && e != ERR_MEMORY)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, err_name(e), err.text);
        if (o->ret.broken.n > 0 && !e)
            fail_msg("allocation %llu: a sound definition was taken for broken", (unsigned long long)n);
        failed += e != ERR_NONE;
        claimed += e ? 0 : o->ret.n;
        if (!g->s)
            ok(reconnect(g, &err), &err);
        op_claim_free(o);
    } while (reached);
    assert_true(failed > 50);
    /* None was lost: what no claim brought is still to be claimed. */
    rest = claim_limit(g, 100000);
    assert_true(claimed + rest.n >= n + 1);
    assert_int_equal(stats_of(g).runs[RUN_RUNNING], claimed + rest.n);
    claim_result_done(&rest);
    store_close(other);
}

int main(void)
{
#define SENTENCE(f)                                                                                          \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)kinds[0]                                    \
    }
    const struct CMUnitTest tests[] = {
        SENTENCE(a_registration_survives_every_failed_allocation),
        SENTENCE(a_claim_survives_every_failed_allocation),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
