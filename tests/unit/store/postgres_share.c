/*
 * postgres_share.c: several instances over one PostgreSQL: what is due is claimed by one of them, what they
 * change at the same time stays whole, and one that stalls or loses its connection harms nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/random.h"
#include "cluster.h"
#include "ground.h"
#include "store/ops_engine.h"
#include "store/ops_schedule.h"
#include "store/postgres/postgres.h"

enum { INSTANCES = 4 };
#define NOWISH "\"type\":\"now\""
#define LATER "\"type\":\"delay\",\"schedule\":\"1000\""

static void must(enum err e, const struct error *err, const char *what)
{
    if (!e)
        return;
    (void)fprintf(stderr, "%s: %s: %s: %s\n", what, err_name(e), err->where, err->text);
    abort();
}

static struct op_put *put_op(struct ground *g, const char *const *keys, size_t n, const char *members)
{
    struct op_put *o = NULL;

    MUST(op_put_new(n, NULL, &o, NULL) == ERR_NONE);
    for (size_t i = 0; i < n; i++)
        o->items[i].schedule = define(g, keys[i], members);
    return o;
}

/* --- claiming --- */

enum { DUE = 10000, CLAIM = 500 };

struct claimer {
    struct ground *g;
    pthread_t thread;
    struct uuid got[DUE];
    size_t n;
};

static void register_due(struct ground *g)
{
    for (int i = 0; i < DUE; i += CLAIM) {
        char names[CLAIM][16];
        const char *keys[CLAIM];
        struct notice notice = {.earliest = WALL_NEVER};
        struct error err = {0};
        struct op_put *o;
        struct op *op;

        for (int k = 0; k < CLAIM; k++) {
            (void)snprintf(names[k], sizeof(names[k]), "due%d", i + k);
            keys[k] = names[k];
        }
        o = put_op(g, keys, CLAIM, NOWISH);
        op = &o->op;
        begin(g);
        ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
        commit(g);
        op_put_free(o);
    }
}

static void complete_all(struct store *s, const struct claim_result *r, struct wall now)
{
    static const struct attempt_result fine = {.ok = true, .status = 200, .retry_after_us = -1};
    CLEANUP(alloc_free_p) void *p = NULL;
    struct error err = {0};
    struct outcome *o;

    MUST(alloc_array(r->n, sizeof(*o), &p, NULL) == ERR_NONE);
    o = p;
    for (size_t i = 0; i < r->n; i++)
        o[i] = (struct outcome){.run_id = r->items[i].run.id,
                                .schedule_id = r->items[i].run.schedule_id,
                                .schedule_version = r->items[i].run.schedule_version,
                                .token = r->items[i].run.lease_token,
                                .to = RUN_SUCCEEDED,
                                .ended_at = now,
                                .attempted = true,
                                .result = fine,
                                .schedule = r->items[i].schedule};
    must(store_begin(s, true, &err), &err, "begin");
    must(store_complete(s, o, r->n, now, &err), &err, "complete");
    must(store_commit(s, &err), &err, "commit");
    for (size_t i = 0; i < r->n; i++)
        MUST(!o[i].stale);
}

/* False: nothing is left. What others have locked is not ours to wait for, but there may be more. */
static bool claim_some(struct claimer *c, struct store *s, struct claim_cache *cache)
{
    struct claim_request req = {
        .instance = c->g->instance,
        .horizon_us = SECOND,
        .lease_us = 30 * SECOND,
        .limit = CLAIM,
        .timer_rules = {.misfire_grace_us = 5 * SECOND},
        .schedule_rules = &c->g->rules,
    };
    struct claim_result r = {0};
    struct error err = {0};
    bool more;

    must(store_begin(s, true, &err), &err, "begin");
    must(store_claim(s, cache, &req, c->g->now, &r, &err), &err, "claim");
    must(store_commit(s, &err), &err, "commit");
    for (size_t i = 0; i < r.n; i++)
        c->got[c->n++] = r.items[i].run.schedule_id;
    more = r.next_due.us <= c->g->now.us;
    if (r.n > 0)
        complete_all(s, &r, c->g->now);
    claim_result_done(&r);
    return more;
}

static void *claimer_main(void *arg)
{
    struct claimer *c = arg;
    struct claim_cache *cache = claim_cache_new(100);
    struct store *s = NULL;
    struct error err = {0};

    must(postgres_connect(c->g->own, true, &s, &err), &err, "connect");
    while (claim_some(c, s, cache))
        ;
    store_close(s);
    claim_cache_free(cache);
    return NULL;
}

static void four_that_claim_at_once_get_each_due_schedule_once(void **state)
{
    struct ground *g = *state;
    struct claimer *c[INSTANCES];
    struct map seen;
    size_t total = 0;

    register_due(g);
    for (int i = 0; i < INSTANCES; i++) {
        c[i] = alloc_new(struct claimer);
        c[i]->g = g;
        assert_int_equal(pthread_create(&c[i]->thread, NULL, claimer_main, c[i]), 0);
    }
    map_init(&seen);
    for (int i = 0; i < INSTANCES; i++) {
        assert_int_equal(pthread_join(c[i]->thread, NULL), 0);
        for (size_t k = 0; k < c[i]->n; k++) {
            assert_null(map_get(&seen, c[i]->got[k]));
            assert_int_equal(map_put(&seen, c[i]->got[k], c, NULL), ERR_NONE);
        }
        total += c[i]->n;
        alloc_free(c[i]);
    }
    map_done(&seen);
    assert_int_equal(total, DUE);
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT count(*) FROM carillon.run_log WHERE state = 3"),
                     DUE);
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT count(*) FROM carillon.run"), 0);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_FINISHED], DUE);
}

/* --- changing the same --- */

enum { PUTS_MAX = 20, ROUNDS = 60, FEW = 20, MANY = 1000 };

struct user {
    struct ground *g;
    struct lane *lane;
    pthread_t thread;
    struct rng rng;
    size_t keys;   /* that it and the others use */
    uint64_t made; /* schedules this one was told that it made, less those it removed */
};

static enum err open_writer(void *arg, struct store **ret, struct error *err)
{
    return postgres_connect(arg, true, ret, err);
}

static struct lane *new_lane(struct ground *g)
{
    struct lane_options o = {.name = "writer",
                             .open = open_writer,
                             .open_arg = g->own,
                             .queue_limit = 1000,
                             .group_limit = 100,
                             .give_up_us = 60 * SECOND};
    struct error err = {0};
    struct lane *l = NULL;

    ok(lane_new(&o, &l, &err), &err);
    return l;
}

static void call(struct user *u, struct op *op, const char *what)
{
    struct error err = {0};

    must(lane_call(u->lane, op, &err), &err, what);
}

/* Some of the keys in some order, one of them maybe twice. */
static void put_some(struct user *u)
{
    char names[PUTS_MAX][8];
    const char *keys[PUTS_MAX];
    size_t n = 1 + rng_below(&u->rng, PUTS_MAX);
    struct op_put *o;

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "k%d", (int)rng_below(&u->rng, u->keys));
        keys[i] = names[i];
    }
    o = put_op(u->g, keys, n, rng_below(&u->rng, 2) ? NOWISH : LATER);
    call(u, &o->op, "put");
    for (size_t i = 0; i < n; i++) {
        MUST(o->items[i].result == ERR_NONE);
        u->made += o->items[i].ret_created;
    }
    op_put_free(o);
}

static void remove_some(struct user *u)
{
    struct op_remove *o = op_remove_new(NULL);
    char key[8];

    (void)snprintf(key, sizeof(key), "k%d", (int)rng_below(&u->rng, u->keys));
    if (u->keys <= FEW && rng_below(&u->rng, 4) == 0)
        o->filter.group = STR("grp"); /* all */
    else
        o->filter.key = str_of(key);
    call(u, &o->op, "remove");
    u->made -= (uint64_t)o->ret_count;
    op_remove_free(o);
}

static void claim_and_complete(struct user *u, struct claim_cache *cache)
{
    struct op_claim *c = op_claim_new(NULL);
    struct op_complete *o = NULL;

    c->cache = cache;
    c->request = (struct claim_request){.instance = u->g->instance,
                                        .horizon_us = SECOND,
                                        .lease_us = 30 * SECOND,
                                        .limit = 100,
                                        .timer_rules = {.misfire_grace_us = 5 * SECOND},
                                        .schedule_rules = &u->g->rules};
    call(u, &c->op, "claim");
    if (c->ret.n > 0) {
        MUST(op_complete_new(c->ret.n, NULL, &o, NULL) == ERR_NONE);
        for (size_t i = 0; i < c->ret.n; i++) {
            o->outcomes[i] = outcome_of(u->g, &c->ret.items[i], RUN_SUCCEEDED);
            o->outcomes[i].schedule = schedule_ref(c->ret.items[i].schedule);
        }
        call(u, &o->op, "complete");
        for (size_t i = 0; i < c->ret.n; i++)
            MUST(!o->outcomes[i].stale);
    }
    op_complete_free(o);
    op_claim_free(c);
}

static void *user_main(void *arg)
{
    struct user *u = arg;
    struct claim_cache *cache = claim_cache_new(100);

    for (int i = 0; i < ROUNDS; i++) {
        switch (rng_below(&u->rng, 4)) {
        case 0:
        case 1:
            put_some(u);
            break;
        case 2:
            claim_and_complete(u, cache);
            break;
        default:
            remove_some(u);
            break;
        }
    }
    claim_cache_free(cache);
    return NULL;
}

/* Yields how many groups failed, whatever became of them when they were run again. */
static uint64_t run_users(struct ground *g, void *(*main)(void *), size_t keys, struct user *u,
                          void (*meanwhile)(void))
{
    uint64_t failures = 0;

    for (int i = 0; i < INSTANCES; i++)
        u[i] = (struct user){.g = g, .lane = new_lane(g), .rng = {(uint64_t)i + 1}, .keys = keys};
    for (int i = 0; i < INSTANCES; i++)
        assert_int_equal(pthread_create(&u[i].thread, NULL, main, &u[i]), 0);
    if (meanwhile)
        meanwhile();
    for (int i = 0; i < INSTANCES; i++) {
        struct lane_stats stats;

        assert_int_equal(pthread_join(u[i].thread, NULL), 0);
        lane_stats(u[i].lane, &stats);
        failures += stats.failures;
        lane_free(u[i].lane);
    }
    return failures;
}

/* Yields how many groups failed. */
static uint64_t change_at_once(struct ground *g, size_t keys)
{
    struct cluster *c = cluster_shared();
    struct user u[INSTANCES];
    uint64_t failures = run_users(g, user_main, keys, u, NULL);
    struct store_stats stats;
    uint64_t made = 0;

    for (int i = 0; i < INSTANCES; i++)
        made += u[i].made;
    assert_int_equal(cluster_ask(c, "SELECT count(*) FROM carillon.schedule"), made);
    assert_int_equal(cluster_ask(c, "SELECT count(*) FROM carillon.schedule s FULL JOIN carillon.timer t "
                                    "ON t.id = s.id WHERE s.id IS NULL OR t.id IS NULL"),
                     0);
    assert_int_equal(cluster_ask(c, "SELECT count(*) FROM carillon.run r LEFT JOIN carillon.schedule s "
                                    "ON s.id = r.schedule_id WHERE s.id IS NULL AND NOT r.doomed"),
                     0);
    stats = stats_of(g);
    assert_int_equal(stats.schedules[SCHEDULE_ACTIVE] + stats.schedules[SCHEDULE_FINISHED], made);
    assert_int_equal(stats.schedules[SCHEDULE_ACTIVE],
                     cluster_ask(c, "SELECT count(*) FROM carillon.timer WHERE state = 0"));
    print_message("groups that failed: %d\n", (int)failures);
    return failures;
}

/* Twenty schedules, all of which somebody deletes now and then: groups fail and are run again. */
static void what_four_change_at_once_stays_whole_and_nobody_is_refused(void **state)
{
    (void)change_at_once(*state, FEW);
}

static void instances_are_seldom_in_each_others_way(void **state)
{
    assert_true(change_at_once(*state, MANY) <= INSTANCES * ROUNDS / 50);
}

enum { SAME = 200, TIMES = 5 };

static void *same_main(void *arg)
{
    struct user *u = arg;

    for (int t = 0; t < TIMES; t++) {
        char names[SAME][8];
        const char *keys[SAME];
        struct op_put *o;

        for (size_t i = 0; i < SAME; i++) {
            size_t at = rng_below(&u->rng, i + 1); /* in an order of its own */

            (void)snprintf(names[i], sizeof(names[i]), "s%d", (int)i);
            keys[i] = keys[at];
            keys[at] = names[i];
        }
        o = put_op(u->g, keys, SAME, LATER);
        call(u, &o->op, "put");
        for (size_t i = 0; i < SAME; i++) {
            MUST(o->items[i].result == ERR_NONE);
            u->made += o->items[i].ret_created;
        }
        op_put_free(o);
    }
    return NULL;
}

static void identities_that_four_register_at_once_are_one_schedule_each(void **state)
{
    struct ground *g = *state;
    struct user u[INSTANCES];
    uint64_t made = 0;

    (void)run_users(g, same_main, 0, u, NULL);
    for (int i = 0; i < INSTANCES; i++)
        made += u[i].made;
    assert_int_equal(made, SAME);
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT count(*) FROM carillon.schedule"), SAME);
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT sum(version) FROM carillon.schedule"),
                     SAME * TIMES * INSTANCES);
}

/* --- one that stalls, connections that break --- */

static void the_locks_of_one_that_stalls_are_let_go(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", LATER);
    struct record r = {0};
    struct store *other = NULL;
    struct error err = {0};
    struct mono began;

    begin(g);
    ok(store_get(g->s, id, &r, &err), &err); /* locked, and now it does nothing more */
    record_done(&r);
    ok(postgres_connect(g->own, true, &other, &err), &err);
    began = clock_mono();
    ok(store_begin(other, true, &err), &err);
    ok(store_remove_id(other, id, 0, g->now, &err), &err);
    ok(store_commit(other, &err), &err);
    assert_true(clock_mono().us - began.us < 9 * SECOND);
    store_close(other);
    /* It comes back to itself and is told. */
    assert_int_equal(store_commit(g->s, &err), ERR_UNAVAILABLE);
    store_rollback(g->s);
    g->in_transaction = false;
}

static void cut(void)
{
    for (int i = 0; i < 20; i++) {
        struct mono until = mono_add(clock_mono(), 20 * US_PER_MS);

        cluster_exec(cluster_shared(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                       "WHERE application_name = 'carillon' AND state <> 'idle'");
        while (clock_mono().us < until.us)
            (void)sched_yield();
    }
}

static void restart(void)
{
    cluster_restart(cluster_shared(), "immediate");
    cluster_restart(cluster_shared(), "fast");
}

enum { EACH = 100 };

static void *registrar_main(void *arg)
{
    struct user *u = arg;

    for (int i = 0; i < EACH; i++) {
        char key[24];
        const char *keys[1] = {key};
        struct op_put *o;

        (void)snprintf(key, sizeof(key), "r%d-%d", (int)u->rng.state, i);
        o = put_op(u->g, keys, 1, LATER);
        call(u, &o->op, "put");
        MUST(o->items[0].result == ERR_NONE);
        u->made++;
        op_put_free(o);
    }
    return NULL;
}

static void register_while(struct ground *g, void (*meanwhile)(void))
{
    struct cluster *c = cluster_shared();
    struct user u[INSTANCES];
    uint64_t failures = run_users(g, registrar_main, 0, u, meanwhile);

    print_message("groups that failed: %d\n", (int)failures);
    assert_true(failures > 0);
    assert_int_equal(cluster_ask(c, "SELECT count(*) FROM carillon.schedule"), INSTANCES * EACH);
    assert_int_equal(cluster_ask(c, "SELECT count(DISTINCT client_key) FROM carillon.schedule"),
                     INSTANCES * EACH);
}

static void what_is_registered_while_connections_are_cut_is_there_once(void **state)
{
    register_while(*state, cut);
}

static void what_is_registered_while_the_server_restarts_is_there_once(void **state)
{
    register_while(*state, restart);
}

/* --- behind a pooler --- */

static void prepared_statements_behind_a_pooler_are_refused_with_advice(void **state)
{
    struct ground *g = *state;
    struct postgres_options o = {.url = cluster_pooled_url(cluster_shared())};
    struct postgres *p = NULL;
    struct store *s[2] = {NULL, NULL};
    struct error err = {0};
    enum err e = ERR_NONE;

    (void)g;
    ok(postgres_open(&o, &p, &err), &err);
    for (int i = 0; i < 2; i++) {
        ok(postgres_connect(p, true, &s[i], &err), &err);
        e = store_begin(s[i], true, &err);
        if (!e)
            ok(store_commit(s[i], &err), &err);
    }
    /* The second met what the first had prepared on the same session of the server. */
    assert_int_equal(e, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "database.prepared"));
    for (int i = 0; i < 2; i++)
        store_close(s[i]);
    postgres_free(p);
}

int main(void)
{
#define TEST_POOLED(f)                                                                                       \
    {                                                                                                        \
#f " (pooled)", f, ground_setup, ground_teardown, (void *)(uintptr_t)&kind_pooled                    \
    }
#define TEST(f)                                                                                              \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)&kind_postgres                              \
    }
    const struct CMUnitTest tests[] = {
        TEST(four_that_claim_at_once_get_each_due_schedule_once),
        TEST(what_four_change_at_once_stays_whole_and_nobody_is_refused),
        TEST(instances_are_seldom_in_each_others_way),
        TEST(identities_that_four_register_at_once_are_one_schedule_each),
        TEST(the_locks_of_one_that_stalls_are_let_go),
        TEST_POOLED(four_that_claim_at_once_get_each_due_schedule_once),
        TEST_POOLED(what_four_change_at_once_stays_whole_and_nobody_is_refused),
        TEST_POOLED(prepared_statements_behind_a_pooler_are_refused_with_advice),
        TEST(what_is_registered_while_connections_are_cut_is_there_once),
        TEST(what_is_registered_while_the_server_restarts_is_there_once),
    };

    if (!cluster_pooler_installed())
        return 77;
    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
