/*
 * loop_trouble.c: a store that fails for a while, a store whose clock is not ours, and upkeep.
 */
#include "loop_fixture.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define NOW "\"type\":\"now\",\"schedule\":\"\""

/* Which calls of the store fail now, and how often they did. The calls are the lane's thread's, the test is
 * not. */
static _Atomic bool due_fails;
static _Atomic bool complete_fails;
static _Atomic uint64_t due_failures;
static _Atomic uint64_t complete_failures;
static struct store_ops real;

static enum err due(struct store *s, struct wall until, size_t limit, struct due_list *ret, struct error *err)
{
    if (!atomic_load(&due_fails))
        return real.due(s, until, limit, ret, err);
    atomic_fetch_add(&due_failures, 1);
    return error_set(err, ERR_INTERNAL, "due", "a test wants this to fail");
}

static enum err complete(struct store *s, struct outcome *outcomes, size_t n, struct wall now,
                         struct error *err)
{
    if (!atomic_load(&complete_fails))
        return real.complete(s, outcomes, n, now, err);
    atomic_fetch_add(&complete_failures, 1);
    return error_set(err, ERR_INTERNAL, "complete", "a test wants this to fail");
}

static void patch(struct store_ops *ops)
{
    real = *ops;
    ops->due = due;
    ops->complete = complete;
}

static void wait_counter(const _Atomic uint64_t *counter, uint64_t n)
{
    struct mono end = mono_add(clock_mono(), LONG_US);

    while (atomic_load(counter) < n) {
        assert_true(clock_mono().us < end.us);
        (void)poll(NULL, 0, 2);
    }
}

struct trouble {
    struct loop_fixture *f;
    struct log *log;
    int log_fd;
};

static void trouble_init(struct trouble *t)
{
    due_fails = complete_fails = false;
    due_failures = complete_failures = 0;
    t->f = fixture_new();
    t->log_fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(t->log_fd >= 0);
    t->log = log_new(t->log_fd, LOG_JSON, LOG_DEBUG);
    t->f->options.log = t->log;
    t->f->options.core.backoff_us = 10 * US_PER_MS;
    t->f->patch = patch;
}

/* Ends with the log's text in `log`. */
static void trouble_done(struct trouble *t, struct buf *log)
{
    char chunk[4096];
    ssize_t n;

    fixture_free(t->f);
    log_free(t->log);
    assert_int_equal(lseek(t->log_fd, 0, SEEK_SET), 0);
    while ((n = read(t->log_fd, chunk, sizeof(chunk))) > 0)
        buf_add(log, (struct str){chunk, (size_t)n});
    assert_int_equal(close(t->log_fd), 0);
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

static void claims_that_fail_are_tried_again_and_told_once(void **state)
{
    CLEANUP(buf_done_p) struct buf log;
    struct trouble t;

    (void)state;
    buf_init(&log, 1 << 20);
    trouble_init(&t);
    due_fails = true;
    fixture_up(t.f);
    (void)fixture_register(t.f, "k", NOW, "");
    wait_counter(&due_failures, 5);
    assert_int_equal(http_server_requests(t.f->server), 0);
    due_fails = false;
    assert_true(http_server_wait(t.f->server, 1, LONG_US));
    wait_stats(t.f, stats_ended, 1);
    trouble_done(&t, &log);
    assert_int_equal(count_of(buf_cstr(&log), "claiming due runs fails"), 1);
    assert_int_equal(count_of(buf_cstr(&log), "a test wants this to fail"), 1);
    assert_int_equal(count_of(buf_cstr(&log), "claiming due runs works again"), 1);
}

static void outcomes_that_cannot_be_recorded_are_kept_until_they_can(void **state)
{
    CLEANUP(buf_done_p) struct buf log;
    struct trouble t;
    struct uuid id;

    (void)state;
    buf_init(&log, 1 << 20);
    trouble_init(&t);
    complete_fails = true;
    fixture_up(t.f);
    id = fixture_register(t.f, "k", NOW, "");
    assert_true(http_server_wait(t.f->server, 1, LONG_US));
    wait_counter(&complete_failures, 5);
    assert_int_equal(fixture_last_run(t.f, id).run.state, RUN_RUNNING);
    complete_fails = false;
    wait_stats(t.f, stats_ended, 1);
    assert_int_equal(fixture_last_run(t.f, id).run.state, RUN_SUCCEEDED);
    assert_int_equal(http_server_requests(t.f->server), 1);
    trouble_done(&t, &log);
    assert_int_equal(count_of(buf_cstr(&log), "recording outcomes fails"), 1);
    assert_int_equal(count_of(buf_cstr(&log), "recording outcomes works again"), 1);
    assert_int_equal(count_of(buf_cstr(&log), "\"attempt ended\""), 1);
}

/* Also for what the very first claim brings, before which nothing is known of the store's clock. */
static void the_stores_clock_is_the_one_that_counts(void **state)
{
    static const int64_t ahead_us[] = {3600 * US_PER_S, -3600 * US_PER_S};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ahead_us); i++) {
        struct loop_fixture *f = fixture_new();
        struct http_seen seen;
        struct wall registered;

        f->store_ahead_us = ahead_us[i];
        fixture_up(f);
        registered = clock_wall();
        (void)fixture_register(f, "k", "\"type\":\"delay\",\"schedule\":\"0.8\"", "");
        fixture_down(f, 0);
        fixture_up(f);
        assert_true(http_server_wait(f->server, 1, LONG_US));
        http_server_seen(f->server, 0, &seen);
        /* Half a second after the claim that measured the offset; only the trip to the store and back is not
         * known. */
        assert_in_range(seen.at.us - registered.us, 600 * US_PER_MS, 5 * US_PER_S);
        fixture_free(f);
    }
}

/* A store that others share. */
static enum err beat(struct store *s, const struct heartbeat *h, struct instance_list *ret,
                     struct wall *ret_now, struct error *err)
{
    (void)h;
    (void)ret;
    return store_now(s, ret_now, err);
}

static void share(struct store_ops *ops)
{
    ops->heartbeat = beat;
}

static bool is_an_hour_ahead(const struct engine_stats *s, uint64_t n)
{
    (void)n;
    return s->clock_offset_us > 3599 * US_PER_S && s->clock_offset_us < 3601 * US_PER_S;
}

static void who_claims_nothing_knows_the_stores_clock_by_its_heartbeats(void **state)
{
    struct loop_fixture *f = fixture_new();

    (void)state;
    f->store_ahead_us = 3600 * US_PER_S;
    f->options.core.never_claims = true;
    f->patch = share;
    fixture_up(f);
    wait_stats(f, is_an_hour_ahead, 0);
    fixture_free(f);
}

static void upkeep_removes_what_is_finished(void **state)
{
    struct loop_fixture *f = fixture_new();
    struct mono end = mono_add(clock_mono(), LONG_US);
    struct store_stats s;

    (void)state;
    f->options.monitor = true;
    f->options.upkeep_every_us = 50 * US_PER_MS;
    fixture_up(f);
    (void)fixture_register(f, "k", NOW, "");
    assert_true(http_server_wait(f->server, 1, LONG_US));
    wait_stats(f, stats_ended, 1);
    do {
        assert_true(clock_mono().us < end.us);
        (void)poll(NULL, 0, 5);
        fixture_runs(f, &s);
    } while (s.schedules[SCHEDULE_FINISHED] + s.schedules[SCHEDULE_ACTIVE] > 0);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_that_fail_are_tried_again_and_told_once),
        cmocka_unit_test(outcomes_that_cannot_be_recorded_are_kept_until_they_can),
        cmocka_unit_test(the_stores_clock_is_the_one_that_counts),
        cmocka_unit_test(who_claims_nothing_knows_the_stores_clock_by_its_heartbeats),
        cmocka_unit_test(upkeep_removes_what_is_finished),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
