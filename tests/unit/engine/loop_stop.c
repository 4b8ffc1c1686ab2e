/*
 * loop_stop.c: stopping: what is in flight ends, the rest is handed back, and nothing waits for ever.
 */
#include "loop_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "store/op.h"

#define NOW "\"type\":\"now\",\"schedule\":\"\""

static void *stop_patiently(void *arg)
{
    engine_stop(((struct loop_fixture *)arg)->engine, LONG_US);
    return NULL;
}

static void stopping_waits_for_what_is_in_flight(void **state)
{
    struct loop_fixture *f = *state;
    struct uuid id;
    struct run_record r;
    pthread_t stopper;

    http_server_answer(f->server, &(struct http_answer){.stall = true});
    id = fixture_register(f, "k", NOW, "\"timeout\":20");
    assert_true(http_server_wait(f->server, 1, LONG_US));
    assert_int_equal(pthread_create(&stopper, NULL, stop_patiently, f), 0);
    http_server_release(f->server);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    r = fixture_last_run(f, id);
    assert_int_equal(r.run.state, RUN_SUCCEEDED);
    assert_int_equal(r.run.attempt, 1);
}

static void what_does_not_end_in_time_is_handed_back_and_fires_again(void **state)
{
    struct loop_fixture *f = *state;
    struct uuid id;
    struct run_record r;
    struct http_seen first;
    struct http_seen second;
    struct str key;
    struct mono start;

    http_server_answer(f->server, &(struct http_answer){.stall = true});
    id = fixture_register(f, "k", NOW, "\"timeout\":60");
    assert_true(http_server_wait(f->server, 1, LONG_US));
    start = clock_mono();
    engine_stop(f->engine, 100 * US_PER_MS);
    assert_in_range(clock_mono().us - start.us, 100 * US_PER_MS, 5 * US_PER_S);
    r = fixture_last_run(f, id);
    assert_int_equal(r.run.state, RUN_PENDING);
    fixture_down(f, 0);

    http_server_answer(f->server, &(struct http_answer){.raw = NULL});
    fixture_up(f);
    assert_true(http_server_wait(f->server, 2, LONG_US));
    wait_stats(f, stats_ended, 1);
    assert_int_equal(fixture_last_run(f, id).run.state, RUN_SUCCEEDED);
    http_server_seen(f->server, 0, &first);
    http_server_seen(f->server, 1, &second);
    key = http_header(first.head, "Idempotency-Key");
    assert_memory_equal(key.p, http_header(second.head, "Idempotency-Key").p, key.n);
    assert_int_equal(http_header(second.head, "Carillon-Attempt").p[0], '2');
}

static void what_waits_is_handed_back_at_once_and_fires_in_time_elsewhere(void **state)
{
    struct loop_fixture *f = *state;
    struct wall due = wall_add(clock_wall(), 900 * US_PER_MS);
    char members[128];
    char at[48];
    struct uuid id;
    struct run_record r;
    struct http_seen seen;

    (void)snprintf(members, sizeof(members), "\"type\":\"date\",\"schedule\":\"%s\"", instant(due, at));
    id = fixture_register(f, "k", members, "");
    wait_stats(f, stats_held, 1);
    engine_stop(f->engine, LONG_US);
    r = fixture_last_run(f, id);
    assert_int_equal(r.run.state, RUN_PENDING);
    assert_int_equal(http_server_requests(f->server), 0);
    fixture_down(f, 0);

    fixture_up(f);
    assert_true(http_server_wait(f->server, 1, LONG_US));
    http_server_seen(f->server, 0, &seen);
    assert_true(seen.at.us >= due.us);
    wait_stats(f, stats_ended, 1);
    assert_int_equal(fixture_last_run(f, id).run.state, RUN_SUCCEEDED);
    assert_int_equal(fixture_last_run(f, id).run.attempt, 1);
}

static void an_engine_that_never_started_can_be_stopped_and_freed(void **state)
{
    struct loop_fixture *f = fixture_new();
    const struct notice n = {.earliest = {0}};

    (void)state;
    assert_int_equal(engine_new(&f->options, &f->engine, NULL), ERR_NONE);
    engine_notice(f->engine, &n);
    engine_stop(f->engine, 0);
    engine_free(TAKE(f->engine));
    engine_free(NULL);
    fixture_free(f);
}

static void whichever_allocation_fails_an_engine_is_made_or_not_at_all(void **state)
{
    struct loop_fixture *f = fixture_new();
    uint64_t n = 1;

    (void)state;
    for (;; n++) {
        struct error err;
        enum err e;

        assert_true(n < 1000);
        alloc_test_fail_nth(n);
        e = engine_new(&f->options, &f->engine, &err);
        alloc_test_fail_nth(0);
        if (!e)
            break;
        assert_int_equal(e, ERR_MEMORY);
        assert_null(f->engine);
    }
    assert_true(n > 5);
    fixture_free(f);
}

static void several_engines_live_side_by_side(void **state)
{
    struct loop_fixture *f = *state;
    struct engine *second;

    assert_int_equal(engine_new(&f->options, &second, NULL), ERR_NONE);
    assert_int_equal(engine_start(second, f->writer, NULL), ERR_NONE);
    (void)fixture_register(f, "k", NOW, "");
    assert_true(http_server_wait(f->server, 1, LONG_US));
    engine_stop(second, LONG_US);
    fixture_down(f, LONG_US);
    engine_free(second);
    assert_int_equal(http_server_requests(f->server), 1);
}

/* --- a lane that does not answer --- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool entered;
    bool open;
};

struct op_gate {
    struct op op;
    struct gate *gate;
};

static enum err run_gate(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    struct gate *g = OP_AS(ops[0], struct op_gate)->gate;

    (void)s;
    (void)n;
    (void)now;
    (void)notice;
    (void)err;
    MUST(pthread_mutex_lock(&g->lock) == 0);
    g->entered = true;
    MUST(pthread_cond_broadcast(&g->moved) == 0);
    while (!g->open)
        MUST(pthread_cond_wait(&g->moved, &g->lock) == 0);
    MUST(pthread_mutex_unlock(&g->lock) == 0);
    return ERR_NONE;
}

static void no_answer(struct op *op)
{
    (void)op;
}

static const struct op_type gate_type = {.name = "gate", .writes = true, .repeatable = true, .run = run_gate};

static void stopping_ends_even_when_the_lane_does_not_answer(void **state)
{
    struct loop_fixture *f = *state;
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    struct op_gate op = {.op = {.type = &gate_type, .done = no_answer}, .gate = &gate};
    struct uuid id;
    struct run_record r;
    struct mono start;

    http_server_answer(f->server, &(struct http_answer){.stall = true});
    id = fixture_register(f, "k", NOW, "\"timeout\":60");
    assert_true(http_server_wait(f->server, 1, LONG_US));
    assert_int_equal(lane_submit(f->writer, &op.op, NULL), ERR_NONE);
    MUST(pthread_mutex_lock(&gate.lock) == 0);
    while (!gate.entered)
        MUST(pthread_cond_wait(&gate.moved, &gate.lock) == 0);
    MUST(pthread_mutex_unlock(&gate.lock) == 0);

    start = clock_mono();
    engine_stop(f->engine, 50 * US_PER_MS);
    assert_in_range(clock_mono().us - start.us, 5 * US_PER_S, 15 * US_PER_S);

    /* The record that was asked for is answered after the engine's end: nobody is hurt, and it counted. */
    MUST(pthread_mutex_lock(&gate.lock) == 0);
    gate.open = true;
    MUST(pthread_cond_broadcast(&gate.moved) == 0);
    MUST(pthread_mutex_unlock(&gate.lock) == 0);
    r = fixture_last_run(f, id);
    assert_int_equal(r.run.state, RUN_PENDING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(stopping_waits_for_what_is_in_flight),
        CASE(what_does_not_end_in_time_is_handed_back_and_fires_again),
        CASE(what_waits_is_handed_back_at_once_and_fires_in_time_elsewhere),
        cmocka_unit_test(an_engine_that_never_started_can_be_stopped_and_freed),
        cmocka_unit_test(whichever_allocation_fails_an_engine_is_made_or_not_at_all),
        CASE(several_engines_live_side_by_side),
        CASE(stopping_ends_even_when_the_lane_does_not_answer),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
