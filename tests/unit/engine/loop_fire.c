/*
 * loop_fire.c: what is registered fires, on time, once, and its outcome is recorded.
 */
#include "loop_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

static void a_now_schedule_fires_once_and_is_recorded(void **state)
{
    struct loop_fixture *f = *state;
    struct uuid id = fixture_register(f, "k", "\"type\":\"now\",\"schedule\":\"\"", "");
    struct http_seen seen;
    struct run_record r;
    char key[RUN_KEY_MAX];
    struct engine_stats s;

    wait_stats(f, stats_ended, 1);
    assert_int_equal(http_server_requests(f->server), 1);
    http_server_seen(f->server, 0, &seen);
    assert_string_equal(seen.body, "{\"key\":\"k\"}");
    r = fixture_last_run(f, id);
    assert_int_equal(r.run.state, RUN_SUCCEEDED);
    assert_int_equal(r.run.attempt, 1);
    assert_int_equal(r.status, 200);
    run_key(&r.run, key);
    assert_memory_equal(http_header(seen.head, "Idempotency-Key").p, key, strlen(key));
    engine_get_stats(f->engine, &s);
    assert_int_equal(s.attempts_ok[TASK_REST], 1);
    assert_int_equal(s.attempts_failed[TASK_REST], 0);
    assert_int_equal(s.delivery_us_buckets[15], 1);
    assert_true(s.delivery_us_sum > 0);
    assert_int_equal(s.core.stale, 0);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void due_times_are_met_never_early_and_soon(void **state)
{
    enum { N = 20 };
    struct loop_fixture *f = *state;
    struct wall first = wall_add(clock_wall(), 700 * US_PER_MS);
    struct wall due[N];
    int64_t late[N];

    for (size_t i = 0; i < N; i++) {
        char members[128];
        char at[48];
        char key[8];

        /* To the microsecond, so that no clock tick is met by chance. */
        due[i] = wall_add(first, (int64_t)i * 30 * US_PER_MS + 137);
        (void)snprintf(key, sizeof(key), "%zu", i);
        (void)snprintf(members, sizeof(members), "\"type\":\"date\",\"schedule\":\"%s\"",
                       instant(due[i], at));
        (void)fixture_register(f, key, members, "");
    }
    assert_true(http_server_wait(f->server, N, LONG_US));
    for (size_t i = 0; i < N; i++) {
        struct http_seen seen;
        size_t k;

        http_server_seen(f->server, i, &seen);
        assert_int_equal(sscanf(seen.body, "{\"key\":\"%zu\"}", &k), 1);
        assert_true(k < N);
        late[k] = seen.at.us - due[k].us;
        assert_true(late[k] >= 0);
    }
    qsort(late, N, sizeof(late[0]), by_value);
    print_message("lateness at the receiver: least %lld us, median %lld us, most %lld us\n",
                  (long long)late[0], (long long)late[N / 2], (long long)late[N - 1]);
    /* The least one: others may have had to wait for whatever else this machine does. */
    assert_true(late[0] < 5 * US_PER_MS);
}

static void five_hundred_due_at_once_all_fire_once(void **state)
{
    enum { N = 500 };
    struct loop_fixture *f = *state;
    char members[128];
    char at[48];
    bool fired[N] = {false};
    struct store_stats runs;

    (void)snprintf(members, sizeof(members), "\"type\":\"date\",\"schedule\":\"%s\"",
                   instant(wall_add(clock_wall(), US_PER_S), at));
    fixture_register_many(f, N, members);
    assert_true(http_server_wait(f->server, N, LONG_US));
    wait_stats(f, stats_ended, N);
    assert_int_equal(http_server_requests(f->server), N);
    assert_true(http_server_connections(f->server) <= 64);
    for (size_t i = 0; i < N; i++) {
        struct http_seen seen;
        size_t k;

        http_server_seen(f->server, i, &seen);
        assert_int_equal(sscanf(seen.body, "{\"key\":\"%zu\"}", &k), 1);
        assert_true(k < N && !fired[k]);
        fired[k] = true;
    }
    fixture_runs(f, &runs);
    assert_int_equal(runs.runs[RUN_PENDING] + runs.runs[RUN_RUNNING] + runs.runs[RUN_RETRYING], 0);
    assert_int_equal(runs.schedules[SCHEDULE_FINISHED], N);
}

static void a_failed_attempt_is_tried_again_as_the_policy_says(void **state)
{
    struct loop_fixture *f = *state;
    struct uuid id;
    struct http_seen first;
    struct http_seen second;
    struct str key;
    struct run_record r;

    http_server_answer(f->server,
                       &(struct http_answer){.raw = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"});
    id = fixture_register(f, "k", "\"type\":\"now\",\"schedule\":\"\"",
                          "\"failed_policy\":\"retry\",\"retry_wait\":0.2");
    assert_true(http_server_wait(f->server, 1, LONG_US));
    http_server_answer(f->server, &(struct http_answer){.raw = NULL});
    assert_true(http_server_wait(f->server, 2, LONG_US));
    wait_stats(f, stats_ended, 2);

    http_server_seen(f->server, 0, &first);
    http_server_seen(f->server, 1, &second);
    assert_true(second.at.us - first.at.us >= 200 * US_PER_MS);
    key = http_header(first.head, "Idempotency-Key");
    assert_memory_equal(key.p, http_header(second.head, "Idempotency-Key").p, key.n);
    assert_int_equal(http_header(first.head, "Carillon-Attempt").p[0], '1');
    assert_int_equal(http_header(second.head, "Carillon-Attempt").p[0], '2');
    r = fixture_last_run(f, id);
    assert_int_equal(r.run.state, RUN_SUCCEEDED);
    assert_int_equal(r.run.failures, 1);
    assert_int_equal(http_server_requests(f->server), 2);
}

static void a_recurring_delay_goes_on(void **state)
{
    struct loop_fixture *f = *state;

    (void)fixture_register(f, "k", "\"type\":\"delay-recur\",\"schedule\":\"0.05\"", "");
    assert_true(http_server_wait(f->server, 5, LONG_US));
}

static void what_was_deleted_does_not_fire_though_it_was_held(void **state)
{
    struct loop_fixture *f = *state;
    char members[128];
    char at[48];
    struct uuid id;
    struct http_seen seen;

    (void)snprintf(members, sizeof(members), "\"type\":\"date\",\"schedule\":\"%s\"",
                   instant(wall_add(clock_wall(), 500 * US_PER_MS), at));
    id = fixture_register(f, "deleted", members, "");
    (void)snprintf(members, sizeof(members), "\"type\":\"date\",\"schedule\":\"%s\"",
                   instant(wall_add(clock_wall(), 600 * US_PER_MS), at));
    (void)fixture_register(f, "kept", members, "");
    wait_stats(f, stats_held, 2);
    fixture_remove(f, id);
    assert_true(http_server_wait(f->server, 1, LONG_US));
    wait_stats(f, stats_ended, 1);
    http_server_seen(f->server, 0, &seen);
    assert_string_equal(seen.body, "{\"key\":\"kept\"}");
    assert_int_equal(http_server_requests(f->server), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_now_schedule_fires_once_and_is_recorded),
        CASE(due_times_are_met_never_early_and_soon),
        CASE(five_hundred_due_at_once_all_fire_once),
        CASE(a_failed_attempt_is_tried_again_as_the_policy_says),
        CASE(a_recurring_delay_goes_on),
        CASE(what_was_deleted_does_not_fire_though_it_was_held),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
