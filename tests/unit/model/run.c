/*
 * run.c: tests of a run's states, of what follows from an attempt, of lateness and of the key.
 */
#include "model_fixture.h"

#include "base/str.h"
#include "model/run.h"

#include <string.h>

static const struct attempt_result failed = {.status = 500, .retry_after_us = -1};

static struct run run_at(const char *iso)
{
    return (struct run){.scheduled_at = at(iso), .due_at = at(iso), .state = RUN_RUNNING, .attempt = 1};
}

static void states_are_spelled_and_read_back(void **state)
{
    enum run_state s;

    (void)state;
    for (unsigned i = RUN_PENDING; i <= RUN_CANCELLED; i++) {
        assert_true(run_state_parse(str_of(run_state_name((enum run_state)i)), &s));
        assert_int_equal(s, i);
    }
    assert_false(run_state_parse(STR("Running"), &s));
    assert_false(run_state_parse(STR(""), &s));
}

static void an_ended_run_takes_no_further_step_but_a_dead_one(void **state)
{
    (void)state;
    for (unsigned from = RUN_PENDING; from <= RUN_CANCELLED; from++) {
        bool any = false;

        for (unsigned to = RUN_PENDING; to <= RUN_CANCELLED; to++)
            any = any || run_step_allowed((enum run_state)from, (enum run_state)to);
        assert_int_equal(any, run_state_open((enum run_state)from) || from == RUN_DEAD);
    }
    assert_true(run_step_allowed(RUN_DEAD, RUN_PENDING));
    assert_true(run_step_allowed(RUN_PENDING, RUN_RUNNING));
    assert_true(run_step_allowed(RUN_RUNNING, RUN_PENDING));
    assert_true(run_step_allowed(RUN_RETRYING, RUN_CANCELLED));
    assert_false(run_step_allowed(RUN_PENDING, RUN_SUCCEEDED));
    assert_false(run_step_allowed(RUN_RETRYING, RUN_FAILED));
}

static void success_ends_the_run_whatever_the_policy(void **state)
{
    static const char *const tasks[] = {"\"failed_policy\":\"ignore\"", "\"failed_policy\":\"retry\"",
                                        "\"failed_policy\":\"retry_dlq\""};
    const struct attempt_result ok = {.ok = true, .status = 204, .retry_after_us = -1};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tasks); i++) {
        CLEANUP(schedule_unref_p) struct schedule *s = fixture_task(tasks[i]);
        struct run run = run_at("2030-01-01T00:00:00Z");

        assert_int_equal(run_judge(s, &run, &ok, at("2030-01-01T00:00:01Z")).to, RUN_SUCCEEDED);
    }
}

static void a_failure_that_is_ignored_ends_the_run(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_task("\"retry_wait\":5");
    struct run run = run_at("2030-01-01T00:00:00Z");

    (void)state;
    assert_int_equal(run_judge(s, &run, &failed, at("2030-01-01T00:00:01Z")).to, RUN_FAILED);
}

static void retries_end_after_their_count(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_task("\"failed_policy\":\"retry\",\"retry_wait\":5,\"max_retry_count\":2");
    CLEANUP(schedule_unref_p)
    struct schedule *dlq =
        fixture_task("\"failed_policy\":\"retry_dlq\",\"retry_wait\":5,\"max_retry_count\":2");
    CLEANUP(schedule_unref_p)
    struct schedule *none = fixture_task("\"failed_policy\":\"retry\",\"max_retry_count\":0");
    struct run run = run_at("2030-01-01T00:00:00Z");
    struct wall now = at("2030-01-01T00:00:01Z");

    (void)state;
    assert_int_equal(run_judge(none, &run, &failed, now).to, RUN_FAILED);
    for (run.failures = 0; run.failures < 2; run.failures++) {
        struct verdict v = run_judge(s, &run, &failed, now);

        assert_int_equal(v.to, RUN_RETRYING);
        assert_wall_equal(v.due_at, at("2030-01-01T00:00:06Z"));
        assert_int_equal(run_judge(dlq, &run, &failed, now).to, RUN_RETRYING);
    }
    assert_int_equal(run_judge(s, &run, &failed, now).to, RUN_FAILED);
    assert_int_equal(run_judge(dlq, &run, &failed, now).to, RUN_DEAD);
}

static void an_attempt_lost_with_its_instance_is_no_failure(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_task("\"failed_policy\":\"retry\",\"max_retry_count\":1");
    struct run run = run_at("2030-01-01T00:00:00Z");

    (void)state;
    run.attempt = 50;
    assert_int_equal(run_judge(s, &run, &failed, at("2030-01-01T00:00:01Z")).to, RUN_RETRYING);
}

static int64_t wait_of(const char *task, int64_t failures, struct attempt_result r)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_task(task);
    struct run run = run_at("2030-01-01T00:00:00Z");
    struct wall now = at("2030-01-01T00:00:10Z");
    struct verdict v;

    run.failures = failures;
    v = run_judge(s, &run, &r, now);
    assert_int_equal(v.to, RUN_RETRYING);
    return v.due_at.us - now.us;
}

static void each_wait_grows_by_the_factor_up_to_the_limit(void **state)
{
    static const char task[] =
        "\"failed_policy\":\"retry\",\"retry_wait\":10,\"retry_backoff\":2.5,\"retry_wait_max\":100";

    (void)state;
    assert_int_equal(wait_of(task, 0, failed), 10 * US_PER_S);
    assert_int_equal(wait_of(task, 1, failed), 25 * US_PER_S);
    assert_int_equal(wait_of(task, 2, failed), 62500000);
    assert_int_equal(wait_of(task, 3, failed), 100 * US_PER_S);
    assert_int_equal(wait_of(task, 1000000, failed), 100 * US_PER_S);
    assert_int_equal(wait_of(task, INT64_MAX, failed), 100 * US_PER_S);
}

static void a_wait_of_nothing_is_a_short_one(void **state)
{
    static const char task[] = "\"failed_policy\":\"retry\",\"retry_wait\":0,\"retry_backoff\":100";

    (void)state;
    assert_int_equal(wait_of(task, 0, failed), 100 * US_PER_MS);
    assert_int_equal(wait_of(task, INT64_MAX, failed), 100 * US_PER_MS);
}

static void what_a_busy_target_asks_for_is_honoured_up_to_the_limit(void **state)
{
    static const char task[] = "\"failed_policy\":\"retry\",\"retry_wait\":10,\"retry_wait_max\":100";

    (void)state;
    assert_int_equal(
        wait_of(task, 0, (struct attempt_result){.status = 429, .retry_after_us = 30 * US_PER_S}),
        30 * US_PER_S);
    assert_int_equal(
        wait_of(task, 0, (struct attempt_result){.status = 503, .retry_after_us = 99999 * US_PER_S}),
        100 * US_PER_S);
    assert_int_equal(wait_of(task, 0, (struct attempt_result){.status = 503, .retry_after_us = US_PER_S}),
                     10 * US_PER_S);
    assert_int_equal(wait_of(task, 0, (struct attempt_result){.status = 503, .retry_after_us = -1}),
                     10 * US_PER_S);
    assert_int_equal(
        wait_of(task, 0, (struct attempt_result){.status = 500, .retry_after_us = 30 * US_PER_S}),
        10 * US_PER_S);
}

static void no_retry_starts_after_retry_for(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_task("\"failed_policy\":\"retry_dlq\",\"retry_wait\":10,\"retry_for\":60");
    struct run run = run_at("2030-01-01T00:00:00Z");

    (void)state;
    assert_int_equal(run_judge(s, &run, &failed, at("2030-01-01T00:00:50Z")).to, RUN_RETRYING);
    assert_int_equal(run_judge(s, &run, &failed, at("2030-01-01T00:00:50.000001Z")).to, RUN_DEAD);
}

static void lateness_is_asked_of_the_first_attempt_only(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_with("\"type\":\"now\",\"max_lateness\":30");
    CLEANUP(schedule_unref_p) struct schedule *any = fixture_with("\"type\":\"now\"");
    struct run run = run_at("2030-01-01T00:00:00Z");

    (void)state;
    assert_false(run_too_late(s, &run, at("2030-01-01T00:00:30Z")));
    assert_true(run_too_late(s, &run, at("2030-01-01T00:00:30.000001Z")));
    assert_false(run_too_late(any, &run, at("2040-01-01T00:00:00Z")));
    run.attempt = 2;
    assert_false(run_too_late(s, &run, at("2030-01-01T00:01:00Z")));
    run.attempt = 1;
    run.failures = 1;
    assert_false(run_too_late(s, &run, at("2030-01-01T00:01:00Z")));
}

static void the_key_is_the_schedule_and_its_occurrence(void **state)
{
    struct run run = run_at("2030-01-01T00:00:00.25Z");
    char key[RUN_KEY_MAX];

    (void)state;
    assert_true(uuid_parse(STR("01890a5d-ac96-774b-bcce-b302099a8057"), &run.schedule_id));
    run_key(&run, key);
    assert_string_equal(key, "01890a5d-ac96-774b-bcce-b302099a8057/2030-01-01T00:00:00.250Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_spelled_and_read_back),
        cmocka_unit_test(an_ended_run_takes_no_further_step_but_a_dead_one),
        cmocka_unit_test(success_ends_the_run_whatever_the_policy),
        cmocka_unit_test(a_failure_that_is_ignored_ends_the_run),
        cmocka_unit_test(retries_end_after_their_count),
        cmocka_unit_test(an_attempt_lost_with_its_instance_is_no_failure),
        cmocka_unit_test(each_wait_grows_by_the_factor_up_to_the_limit),
        cmocka_unit_test(a_wait_of_nothing_is_a_short_one),
        cmocka_unit_test(what_a_busy_target_asks_for_is_honoured_up_to_the_limit),
        cmocka_unit_test(no_retry_starts_after_retry_for),
        cmocka_unit_test(lateness_is_asked_of_the_first_attempt_only),
        cmocka_unit_test(the_key_is_the_schedule_and_its_occurrence),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
