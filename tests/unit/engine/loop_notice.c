/*
 * loop_notice.c: what other threads leave for the loop: never lost, never without bound; and silence when
 * there is nothing to do.
 */
#include "loop_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { CHANGES = 20000, TELLERS = 4 };

static void *tell(void *arg)
{
    struct loop_fixture *f = arg;
    struct notice n = {.earliest = {INT64_MAX}};

    for (size_t i = 0; i < CHANGES; i++) {
        struct change c = {.schedule_id = uuid_v7(clock_wall()), .version = 2};
        assert_int_equal(change_list_add(&n.changed, c, NULL), ERR_NONE);
    }
    engine_notice(f->engine, &n);
    change_list_done(&n.changed);
    return NULL;
}

static void more_changes_than_the_mailbox_holds_are_all_taken(void **state)
{
    struct loop_fixture *f = *state;
    pthread_t tellers[TELLERS];

    for (size_t i = 0; i < TELLERS; i++)
        assert_int_equal(pthread_create(&tellers[i], NULL, tell, f), 0);
    for (size_t i = 0; i < TELLERS; i++)
        assert_int_equal(pthread_join(tellers[i], NULL), 0);
    /* And it lives. */
    (void)fixture_register(f, "k", "\"type\":\"now\",\"schedule\":\"\"", "");
    assert_true(http_server_wait(f->server, 1, LONG_US));
}

static void changes_told_before_the_start_or_after_the_end_wait_for_nobody(void **state)
{
    struct loop_fixture *f = *state;

    engine_stop(f->engine, 0);
    (void)tell(f);
    lane_free(TAKE(f->writer));
    engine_free(TAKE(f->engine));
    assert_int_equal(engine_new(&f->options, &f->engine, NULL), ERR_NONE);
    (void)tell(f);
}

static void many_notices_between_two_turns_cost_few_turns(void **state)
{
    enum { N = 20000 };
    struct loop_fixture *f = *state;
    const struct notice n = {.earliest = wall_add(clock_wall(), 3600 * US_PER_S)};
    struct engine_stats before;
    struct engine_stats after;

    engine_get_stats(f->engine, &before);
    for (size_t i = 0; i < N; i++)
        engine_notice(f->engine, &n);
    engine_get_stats(f->engine, &after);
    assert_true(after.wakeups - before.wakeups < N);
}

static bool has_claimed(const struct engine_stats *s, uint64_t n)
{
    return s->core.claims >= n && s->claim_us_sum > 0;
}

static void an_engine_with_nothing_to_do_sleeps(void **state)
{
    struct loop_fixture *f = *state;
    char members[128];
    char at[48];
    struct engine_stats before;
    struct engine_stats after;
    struct rusage usage_before;
    struct rusage usage_after;
    struct run_record r;
    struct uuid id = fixture_register(f, "now", "\"type\":\"now\",\"schedule\":\"\"", "");

    /* Something far away, and connections kept from what was: neither may wake anybody. */
    (void)snprintf(members, sizeof(members), "\"type\":\"date\",\"schedule\":\"%s\"",
                   instant(wall_add(clock_wall(), 3600 * US_PER_S), at));
    (void)fixture_register(f, "far", members, "");
    wait_stats(f, stats_ended, 1);
    wait_stats(f, has_claimed, 2);
    r = fixture_last_run(f, id);
    assert_int_equal(r.run.state, RUN_SUCCEEDED);
    /* What still follows the last answer is over in a moment. */
    (void)poll(NULL, 0, 300);
    engine_get_stats(f->engine, &before);
    assert_int_equal(getrusage(RUSAGE_SELF, &usage_before), 0);
    (void)poll(NULL, 0, 3000);
    assert_int_equal(getrusage(RUSAGE_SELF, &usage_after), 0);
    engine_get_stats(f->engine, &after);
    assert_true(after.wakeups - before.wakeups <= 1);
    /* One is ours. ThreadSanitizer has a thread of its own that wakes. */
#ifndef __SANITIZE_THREAD__
    assert_true(usage_after.ru_nvcsw - usage_before.ru_nvcsw <= 3);
#endif
}

/* A store that says of every run that it was given up. */
static enum err all_doomed(struct store *s, const struct uuid *runs, size_t n, struct uuid_list *ret,
                           struct uuid_list *ret_replaced, struct error *err)
{
    void *p;
    enum err e = alloc_array(n, sizeof(*ret->items), &p, err);

    (void)s;
    (void)ret_replaced;
    if (e)
        return e;
    ret->items = p;
    ret->cap = n;
    for (; ret->n < n; ret->n++)
        ret->items[ret->n] = runs[ret->n];
    return ERR_NONE;
}

static void doom_all(struct store_ops *ops)
{
    ops->doomed = all_doomed;
}

static void a_notice_of_everything_asks_which_runs_were_given_up(void **state)
{
    struct loop_fixture *f = fixture_new();
    const struct notice everything = {.earliest = {0}, .all = true};
    struct mono end = mono_add(clock_mono(), LONG_US);
    struct uuid id;

    (void)state;
    f->patch = doom_all;
    f->options.core.horizon_us = 60 * US_PER_S;
    fixture_up(f);
    id = fixture_register(f, "k", "\"type\":\"delay\",\"schedule\":\"50\"", "");
    wait_stats(f, stats_held, 1);
    engine_notice(f->engine, &everything);
    while (fixture_last_run(f, id).run.state != RUN_CANCELLED) {
        assert_true(clock_mono().us < end.us);
        (void)poll(NULL, 0, 2);
    }
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(more_changes_than_the_mailbox_holds_are_all_taken),
        CASE(changes_told_before_the_start_or_after_the_end_wait_for_nobody),
        CASE(many_notices_between_two_turns_cost_few_turns),
        CASE(an_engine_with_nothing_to_do_sleeps),
        cmocka_unit_test(a_notice_of_everything_asks_which_runs_were_given_up),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
