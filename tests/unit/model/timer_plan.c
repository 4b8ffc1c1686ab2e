/*
 * timer_plan.c: tests of what becomes of due occurrences, rule by rule. timer_plan_random.c tries all rules
 * at once.
 */
#include "model_fixture.h"

#include "base/alloc.h"
#include "model/missed.h"

#include <stdio.h>
#include <string.h>

#define GRACE_US (2 * US_PER_S)
#define HORIZON_US US_PER_S

static const struct timer_rules rules = {.misfire_grace_us = GRACE_US};

struct scene {
    struct schedule *s;
    struct timer t;
    struct plan plan;
};

/* A timer started at midnight of 2030-01-01. */
static struct scene begin(const char *members)
{
    struct scene scene = {.s = fixture_with(members)};

    timer_start(scene.s, at("2030-01-01T00:00:00Z"), &scene.t);
    return scene;
}

static void plan_by(struct scene *scene, size_t open, size_t waiting, struct wall now, struct wall until,
                    const struct timer_rules *by)
{
    plan_done(&scene->plan);
    assert_int_equal(timer_plan(scene->s, &scene->t, open, waiting, now, until, by, &scene->plan, NULL),
                     ERR_NONE);
    scene->t = scene->plan.after;
}

static void plan_until(struct scene *scene, size_t open, size_t waiting, struct wall now, struct wall until)
{
    plan_by(scene, open, waiting, now, until, &rules);
}

static void plan(struct scene *scene, size_t open, size_t waiting, const char *now)
{
    plan_until(scene, open, waiting, at(now), at(now));
}

static void end(struct scene *scene)
{
    plan_done(&scene->plan);
    schedule_unref(scene->s);
}

static int64_t missed_sum(const struct timer *t)
{
    int64_t n = 0;

    for (int i = 0; i < MISSED_N; i++)
        n += t->missed[i];
    return n;
}

static void expect_run(const struct scene *scene, size_t i, const char *scheduled_at, const char *due_at,
                       bool waits)
{
    assert_true(i < scene->plan.runs_n);
    assert_wall_equal(scene->plan.runs[i].scheduled_at, at(scheduled_at));
    assert_wall_equal(scene->plan.runs[i].due_at, at(due_at));
    assert_int_equal(scene->plan.runs[i].waits, waits);
}

static void what_is_not_due_is_left_alone(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\"");
    struct timer before = x.t;

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:00:59.999999Z");
    assert_int_equal(x.plan.runs_n, 0);
    assert_memory_equal(&before, &x.t, sizeof(before));
    timer_pause(&x.t, at("2030-01-01T00:00:10Z"));
    before = x.t;
    plan(&x, 0, 0, "2031-01-01T00:00:00Z");
    assert_int_equal(x.plan.runs_n, 0);
    assert_memory_equal(&before, &x.t, sizeof(before));
    end(&x);
}

static void a_due_occurrence_becomes_a_run_and_the_timer_moves_on(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\"");

    (void)state;
    plan_until(&x, 0, 0, at("2030-01-01T00:00:59.5Z"), at("2030-01-01T00:01:00.5Z"));
    assert_int_equal(x.plan.runs_n, 1);
    expect_run(&x, 0, "2030-01-01T00:01:00Z", "2030-01-01T00:01:00Z", false);
    assert_wall_equal(x.t.next_at, at("2030-01-01T00:02:00Z"));
    assert_wall_equal(x.t.occurs_at, x.t.next_at);
    assert_int_equal(x.t.runs, 1);
    assert_int_equal(missed_sum(&x.t), 0);
    assert_false(x.plan.replace);
    end(&x);
}

static void jitter_delays_the_run_and_not_its_identity(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"jitter\":30");
    struct wall act = x.t.next_at;

    (void)state;
    assert_true(act.us > at("2030-01-01T00:01:00Z").us);
    plan_until(&x, 0, 0, wall_add(act, -2), wall_add(act, -1));
    assert_int_equal(x.plan.runs_n, 0);
    plan_until(&x, 0, 0, wall_add(act, -2), act);
    assert_int_equal(x.plan.runs_n, 1);
    assert_wall_equal(x.plan.runs[0].scheduled_at, at("2030-01-01T00:01:00Z"));
    assert_wall_equal(x.plan.runs[0].due_at, act);
    end(&x);
}

static void missed_ones_become_one_run_the_latest(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\"");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T01:00:30Z");
    assert_int_equal(x.plan.runs_n, 1);
    expect_run(&x, 0, "2030-01-01T01:00:00Z", "2030-01-01T01:00:30Z", false);
    assert_int_equal(x.t.missed[MISSED_COALESCED], 59);
    assert_int_equal(missed_sum(&x.t), 59);
    assert_wall_equal(x.t.next_at, at("2030-01-01T01:01:00Z"));
    end(&x);
}

static void within_the_grace_nothing_is_missed(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"allow\"");

    (void)state;
    plan_until(&x, 0, 0, at("2030-01-01T00:00:03Z"), at("2030-01-01T00:00:04Z"));
    assert_int_equal(x.plan.runs_n, 4);
    expect_run(&x, 0, "2030-01-01T00:00:01Z", "2030-01-01T00:00:01Z", false);
    expect_run(&x, 3, "2030-01-01T00:00:04Z", "2030-01-01T00:00:04Z", false);
    assert_int_equal(missed_sum(&x.t), 0);
    end(&x);
    x = begin("\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"allow\"");
    plan_until(&x, 0, 0, at("2030-01-01T00:00:03.000001Z"), at("2030-01-01T00:00:04Z"));
    assert_int_equal(x.plan.runs_n, 2);
    expect_run(&x, 0, "2030-01-01T00:00:03Z", "2030-01-01T00:00:03.000001Z", false);
    expect_run(&x, 1, "2030-01-01T00:00:04Z", "2030-01-01T00:00:04Z", false);
    assert_int_equal(x.t.missed[MISSED_COALESCED], 2);
    end(&x);
}

static void misfire_all_makes_a_run_of_each_of_the_last_thousand(void **state)
{
    struct scene x =
        begin("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"misfire\":\"all\",\"overlap\":\"allow\"");

    (void)state;
    plan(&x, 0, 0, "2030-01-02T00:00:30Z");
    assert_int_equal(x.plan.runs_n, TIMER_ALL_MAX);
    expect_run(&x, 0, "2030-01-01T07:21:00Z", "2030-01-02T00:00:30Z", false);
    expect_run(&x, 999, "2030-01-02T00:00:00Z", "2030-01-02T00:00:30Z", false);
    assert_int_equal(x.t.missed[MISSED_MISFIRE], 440);
    assert_int_equal(missed_sum(&x.t), 440);
    assert_int_equal(x.t.runs, 1000);
    assert_wall_equal(x.t.next_at, at("2030-01-02T00:01:00Z"));
    end(&x);
}

static void misfire_all_under_skip_or_queue_makes_them_wait_in_a_row(void **state)
{
    static const char *const cases[] = {"skip", "queue"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t open = 0; open <= 1; open++) {
            char members[128];
            struct scene x;

            (void)snprintf(
                members, sizeof(members),
                "\"type\":\"cron\",\"schedule\":\"* * * * *\",\"misfire\":\"all\",\"overlap\":\"%s\"",
                cases[i]);
            x = begin(members);
            plan(&x, open, 0, "2030-01-01T00:05:30Z");
            assert_int_equal(x.plan.runs_n, 5);
            for (size_t k = 0; k < 5; k++)
                assert_int_equal(x.plan.runs[k].waits, open > 0 || k > 0);
            assert_int_equal(missed_sum(&x.t), 0);
            assert_false(x.plan.replace);
            end(&x);
        }
    }
}

static void misfire_all_under_replace_leaves_the_newest(void **state)
{
    struct scene x =
        begin("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"misfire\":\"all\",\"overlap\":\"replace\"");

    (void)state;
    plan(&x, 1, 0, "2030-01-01T00:05:30Z");
    assert_int_equal(x.plan.runs_n, 1);
    expect_run(&x, 0, "2030-01-01T00:05:00Z", "2030-01-01T00:05:30Z", false);
    assert_true(x.plan.replace);
    assert_int_equal(x.t.missed[MISSED_OVERLAP], 4);
    assert_int_equal(x.t.runs, 1);
    end(&x);
}

static void misfire_skip_counts_what_was_missed_and_runs_what_was_not(void **state)
{
    struct scene x =
        begin("\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"misfire\":\"skip\",\"overlap\":\"allow\"");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:01:00Z");
    assert_int_equal(x.plan.runs_n, 3);
    expect_run(&x, 0, "2030-01-01T00:00:58Z", "2030-01-01T00:00:58Z", false);
    assert_int_equal(x.t.missed[MISSED_MISFIRE], 57);
    assert_int_equal(missed_sum(&x.t), 57);
    end(&x);
}

static void a_count_that_is_full_stays_full(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"0 * * * *\",\"max_lateness\":10");

    (void)state;
    x.t.missed[MISSED_LATE] = INT64_MAX - 2;
    plan(&x, 0, 0, "2030-01-01T05:00:30Z");
    assert_int_equal(x.t.missed[MISSED_LATE], INT64_MAX);
    timer_pause(&x.t, at("2030-01-01T05:30:00Z"));
    x.t.missed[MISSED_PAUSED] = INT64_MAX;
    timer_resume(x.s, &x.t, at("2030-01-01T07:30:00Z"));
    assert_int_equal(x.t.missed[MISSED_PAUSED], INT64_MAX);
    end(&x);
}

static void what_is_too_late_is_counted_as_late_and_the_rest_by_misfire(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"max_lateness\":150");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T01:00:30Z");
    assert_int_equal(x.plan.runs_n, 1);
    expect_run(&x, 0, "2030-01-01T01:00:00Z", "2030-01-01T01:00:30Z", false);
    assert_int_equal(x.t.missed[MISSED_LATE], 57);
    assert_int_equal(x.t.missed[MISSED_COALESCED], 2);
    end(&x);
    x = begin("\"type\":\"cron\",\"schedule\":\"0 * * * *\",\"max_lateness\":10");
    plan(&x, 0, 0, "2030-01-01T05:00:30Z");
    assert_int_equal(x.plan.runs_n, 0);
    assert_int_equal(x.t.missed[MISSED_LATE], 5);
    assert_int_equal(missed_sum(&x.t), 5);
    assert_int_equal(x.t.state, SCHEDULE_ACTIVE);
    assert_wall_equal(x.t.next_at, at("2030-01-01T06:00:00Z"));
    end(&x);
}

static void years_of_missed_seconds_are_counted_in_no_time(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"misfire\":\"all\"");

    (void)state;
    plan(&x, 0, 0, "2040-01-01T00:00:00Z");
    assert_int_equal(x.plan.runs_n, TIMER_ALL_MAX);
    assert_int_equal(x.t.missed[MISSED_MISFIRE] + TIMER_ALL_MAX,
                     (at("2040-01-01T00:00:00Z").us - at("2030-01-01T00:00:00Z").us) / US_PER_S);
    end(&x);
}

static void overlap_skip_counts_what_comes_while_a_run_is_open(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\"");

    (void)state;
    plan(&x, 1, 0, "2030-01-01T00:01:00Z");
    assert_int_equal(x.plan.runs_n, 0);
    assert_int_equal(x.t.missed[MISSED_OVERLAP], 1);
    assert_int_equal(x.t.runs, 0);
    assert_wall_equal(x.t.next_at, at("2030-01-01T00:02:00Z"));
    end(&x);
}

static void overlap_allow_starts_it(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"overlap\":\"allow\"");

    (void)state;
    plan_until(&x, 5, 0, at("2030-01-01T00:00:59.5Z"), at("2030-01-01T00:01:00.5Z"));
    assert_int_equal(x.plan.runs_n, 1);
    expect_run(&x, 0, "2030-01-01T00:01:00Z", "2030-01-01T00:01:00Z", false);
    end(&x);
}

static void overlap_queue_lets_one_wait(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"overlap\":\"queue\"");

    (void)state;
    plan(&x, 1, 0, "2030-01-01T00:01:00Z");
    assert_int_equal(x.plan.runs_n, 1);
    expect_run(&x, 0, "2030-01-01T00:01:00Z", "2030-01-01T00:01:00Z", true);
    plan(&x, 2, 1, "2030-01-01T00:02:00Z");
    assert_int_equal(x.plan.runs_n, 0);
    assert_int_equal(x.t.missed[MISSED_OVERLAP], 1);
    assert_int_equal(x.t.runs, 1);
    end(&x);
}

static void overlap_replace_gives_up_what_is_open(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"replace\"");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:00:01Z");
    assert_false(x.plan.replace);
    plan(&x, 1, 0, "2030-01-01T00:00:02Z");
    assert_true(x.plan.replace);
    assert_int_equal(x.plan.runs_n, 1);
    /* Two at once: the older one was never made. */
    plan(&x, 1, 0, "2030-01-01T00:00:04Z");
    assert_true(x.plan.replace);
    assert_int_equal(x.plan.runs_n, 1);
    expect_run(&x, 0, "2030-01-01T00:00:04Z", "2030-01-01T00:00:04Z", false);
    assert_int_equal(x.t.missed[MISSED_OVERLAP], 1);
    assert_int_equal(x.t.runs, 3);
    end(&x);
}

/* A second ahead the run that is open now may have ended: skipping then would lose every other second. */
static void overlap_is_judged_at_the_occurrences_time_and_not_ahead_of_it(void **state)
{
    static const char *const cases[] = {"skip", "queue", "replace"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct timer_rules leading = {.misfire_grace_us = GRACE_US, .lead_us = HORIZON_US / 2};
        char members[128];
        struct scene x;

        (void)snprintf(members, sizeof(members),
                       "\"type\":\"cron\",\"schedule\":\"* * * * * *\",\"overlap\":\"%s\"", cases[i]);
        x = begin(members);
        plan_until(&x, 0, 0, at("2030-01-01T00:00:00.5Z"), at("2030-01-01T00:00:01.5Z"));
        assert_int_equal(x.plan.runs_n, 1);
        /* Ahead, and a run is open: put off. Claims find it at its time, not before. */
        plan_by(&x, 1, 0, at("2030-01-01T00:00:01.1Z"), at("2030-01-01T00:00:02.1Z"), &leading);
        assert_int_equal(x.plan.runs_n, 0);
        assert_false(x.plan.replace);
        assert_int_equal(missed_sum(&x.t), 0);
        assert_wall_equal(x.t.occurs_at, at("2030-01-01T00:00:02Z"));
        assert_wall_equal(x.t.next_at, at("2030-01-01T00:00:02.5Z"));
        /* The run ends in time: the occurrence can be prepared ahead again. */
        assert_true(timer_run_ended(x.s, &x.t, 0, at("2030-01-01T00:00:01.2Z")));
        assert_wall_equal(x.t.next_at, at("2030-01-01T00:00:02Z"));
        plan_until(&x, 0, 0, at("2030-01-01T00:00:01.2Z"), at("2030-01-01T00:00:02.2Z"));
        assert_int_equal(x.plan.runs_n, 1);
        expect_run(&x, 0, "2030-01-01T00:00:02Z", "2030-01-01T00:00:02Z", false);
        end(&x);
    }
}

static void an_occurrence_put_off_is_judged_when_its_time_has_come(void **state)
{
    struct timer_rules leading = {.misfire_grace_us = GRACE_US, .lead_us = 10 * HORIZON_US};
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * * *\"");

    (void)state;
    x.t.occurs_at = x.t.next_at = at("2030-01-01T00:00:02Z");
    plan_by(&x, 1, 0, at("2030-01-01T00:00:01.1Z"), at("2030-01-01T00:00:02.1Z"), &leading);
    /* Never later than a claim looks ahead, or the occurrence would be found late. */
    assert_wall_equal(x.t.next_at, at("2030-01-01T00:00:03Z"));
    plan_until(&x, 1, 0, at("2030-01-01T00:00:02Z"), at("2030-01-01T00:00:03Z"));
    assert_int_equal(x.plan.runs_n, 0);
    assert_int_equal(x.t.missed[MISSED_OVERLAP], 1);
    assert_wall_equal(x.t.occurs_at, at("2030-01-01T00:00:03Z"));
    end(&x);
}

static void a_one_shot_of_the_past_fires_at_once_and_is_not_missed(void **state)
{
    struct scene x = begin("\"type\":\"date\",\"schedule\":\"2020-06-01T00:00:00Z\",\"misfire\":\"skip\"");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:00:00.1Z");
    assert_int_equal(x.plan.runs_n, 1);
    assert_wall_equal(x.plan.runs[0].scheduled_at, at("2020-06-01T00:00:00Z"));
    assert_int_equal(missed_sum(&x.t), 0);
    assert_wall_equal(x.t.next_at, WALL_NEVER);
    assert_int_equal(x.t.state, SCHEDULE_ACTIVE);
    assert_true(timer_run_ended(x.s, &x.t, 0, at("2030-01-01T00:00:01Z")));
    assert_int_equal(x.t.state, SCHEDULE_FINISHED);
    end(&x);
}

static void a_one_shot_missed_by_an_outage_follows_misfire(void **state)
{
    static const struct {
        const char *members;
        size_t runs;
    } cases[] = {
        {"\"type\":\"delay\",\"schedule\":\"10\",\"misfire\":\"once\"", 1},
        {"\"type\":\"delay\",\"schedule\":\"10\",\"misfire\":\"all\"", 1},
        {"\"type\":\"delay\",\"schedule\":\"10\",\"misfire\":\"skip\"", 0},
        {"\"type\":\"now\",\"misfire\":\"skip\"", 0},
        {"\"type\":\"date\",\"schedule\":\"2020-06-01T00:00:00Z\",\"misfire\":\"skip\"", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scene x = begin(cases[i].members);

        plan(&x, 0, 0, "2030-01-01T00:01:00Z");
        assert_int_equal(x.plan.runs_n, cases[i].runs);
        assert_int_equal(x.t.missed[MISSED_MISFIRE], 1 - cases[i].runs);
        assert_int_equal(x.t.state, cases[i].runs ? SCHEDULE_ACTIVE : SCHEDULE_FINISHED);
        end(&x);
    }
}

static void a_one_shot_too_late_for_its_limit_is_finished(void **state)
{
    struct scene x = begin("\"type\":\"date\",\"schedule\":\"2020-06-01T00:00:00Z\",\"max_lateness\":60");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:00:00Z");
    assert_int_equal(x.plan.runs_n, 0);
    assert_int_equal(x.t.missed[MISSED_LATE], 1);
    assert_int_equal(x.t.state, SCHEDULE_FINISHED);
    end(&x);
}

static void a_one_shot_waits_behind_an_open_run_whatever_overlap_says(void **state)
{
    static const char *const cases[] = {"skip", "allow", "queue", "replace"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char members[128];
        struct scene x;

        (void)snprintf(members, sizeof(members), "\"type\":\"now\",\"overlap\":\"%s\"", cases[i]);
        x = begin(members);
        plan(&x, 2, 1, "2030-01-01T00:00:00Z");
        assert_int_equal(x.plan.runs_n, 1);
        assert_true(x.plan.runs[0].waits);
        assert_false(x.plan.replace);
        assert_int_equal(missed_sum(&x.t), 0);
        end(&x);
    }
}

static void a_one_shot_ahead_of_its_time_does_not_yet_wait(void **state)
{
    struct scene x = begin("\"type\":\"delay\",\"schedule\":\"0.5\"");

    (void)state;
    plan_until(&x, 1, 0, at("2030-01-01T00:00:00Z"), at("2030-01-01T00:00:01Z"));
    assert_int_equal(x.plan.runs_n, 0);
    plan_until(&x, 1, 0, at("2030-01-01T00:00:00.5Z"), at("2030-01-01T00:00:01.5Z"));
    assert_int_equal(x.plan.runs_n, 1);
    assert_true(x.plan.runs[0].waits);
    end(&x);
}

static void a_counted_one_shot_is_finished_once_nothing_is_open(void **state)
{
    struct scene x = begin("\"type\":\"now\",\"misfire\":\"skip\"");

    (void)state;
    plan(&x, 1, 0, "2030-01-01T00:01:00Z");
    assert_int_equal(x.t.missed[MISSED_MISFIRE], 1);
    assert_int_equal(x.t.state, SCHEDULE_ACTIVE);
    assert_wall_equal(x.t.next_at, WALL_NEVER);
    assert_true(timer_run_ended(x.s, &x.t, 0, at("2030-01-01T00:02:00Z")));
    assert_int_equal(x.t.state, SCHEDULE_FINISHED);
    end(&x);
}

static void a_delay_recur_waits_for_its_run_to_end(void **state)
{
    struct scene x = begin("\"type\":\"delay-recur\",\"schedule\":\"10\"");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:00:10Z");
    assert_int_equal(x.plan.runs_n, 1);
    assert_wall_equal(x.t.next_at, WALL_NEVER);
    assert_int_equal(x.t.state, SCHEDULE_ACTIVE);
    assert_true(timer_run_ended(x.s, &x.t, 0, at("2030-01-01T00:00:13Z")));
    plan(&x, 0, 0, "2030-01-01T00:00:23Z");
    assert_int_equal(x.plan.runs_n, 1);
    expect_run(&x, 0, "2030-01-01T00:00:23Z", "2030-01-01T00:00:23Z", false);
    end(&x);
}

static void a_delay_recur_counted_instead_of_run_starts_anew(void **state)
{
    struct scene skip = begin("\"type\":\"delay-recur\",\"schedule\":\"10\",\"misfire\":\"skip\"");
    struct scene late = begin("\"type\":\"delay-recur\",\"schedule\":\"10\",\"max_lateness\":5");
    struct scene open = begin("\"type\":\"delay-recur\",\"schedule\":\"10\"");

    (void)state;
    plan(&skip, 0, 0, "2030-01-01T01:00:00Z");
    assert_int_equal(skip.t.missed[MISSED_MISFIRE], 1);
    assert_wall_equal(skip.t.next_at, at("2030-01-01T01:00:10Z"));
    plan(&late, 0, 0, "2030-01-01T01:00:00Z");
    assert_int_equal(late.t.missed[MISSED_LATE], 1);
    assert_wall_equal(late.t.next_at, at("2030-01-01T01:00:10Z"));
    /* A run triggered by hand is open: its end brings the next one. */
    plan(&open, 1, 0, "2030-01-01T00:00:10Z");
    assert_int_equal(open.t.missed[MISSED_OVERLAP], 1);
    assert_wall_equal(open.t.next_at, WALL_NEVER);
    assert_int_equal(open.t.state, SCHEDULE_ACTIVE);
    assert_true(timer_run_ended(open.s, &open.t, 0, at("2030-01-01T00:00:30Z")));
    assert_wall_equal(open.t.next_at, at("2030-01-01T00:00:40Z"));
    end(&skip);
    end(&late);
    end(&open);
}

static void max_runs_ends_a_schedule(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"max_runs\":2");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:01:00Z");
    assert_wall_equal(x.t.next_at, at("2030-01-01T00:02:00Z"));
    plan(&x, 0, 0, "2030-01-01T00:02:00Z");
    assert_int_equal(x.plan.runs_n, 1);
    assert_wall_equal(x.t.next_at, WALL_NEVER);
    assert_int_equal(x.t.state, SCHEDULE_ACTIVE);
    assert_true(timer_run_ended(x.s, &x.t, 0, at("2030-01-01T00:02:01Z")));
    assert_int_equal(x.t.state, SCHEDULE_FINISHED);
    end(&x);
}

static void max_runs_limits_catching_up_too(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"max_runs\":3,\"misfire\":\"all\"");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:10:30Z");
    assert_int_equal(x.plan.runs_n, 3);
    assert_wall_equal(x.t.next_at, WALL_NEVER);
    assert_int_equal(x.t.runs, 3);
    end(&x);
}

static void the_windows_end_ends_a_schedule(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * "
                           "*\",\"end_at\":\"2030-01-01T00:01:00Z\",\"misfire\":\"skip\"");
    struct scene missed = begin("\"type\":\"cron\",\"schedule\":\"* * * * "
                                "*\",\"end_at\":\"2030-01-01T00:01:00Z\",\"misfire\":\"skip\"");

    (void)state;
    plan(&x, 0, 0, "2030-01-01T00:01:00Z");
    assert_int_equal(x.plan.runs_n, 1);
    assert_wall_equal(x.t.next_at, WALL_NEVER);
    assert_int_equal(x.t.state, SCHEDULE_ACTIVE);
    plan(&missed, 0, 0, "2030-01-01T01:01:00Z");
    assert_int_equal(missed.plan.runs_n, 0);
    assert_int_equal(missed.t.missed[MISSED_MISFIRE], 1);
    assert_int_equal(missed.t.state, SCHEDULE_FINISHED);
    end(&x);
    end(&missed);
}

/* The store could not read the definition when the run ended: it left the time and asks the plan. */
static void a_timer_woken_by_the_store_goes_on_as_after_a_run(void **state)
{
    struct scene recur = begin("\"type\":\"delay-recur\",\"schedule\":\"10\"");
    struct scene once = begin("\"type\":\"now\"");
    struct scene open = begin("\"type\":\"now\"");

    (void)state;
    recur.t.next_at = at("2030-01-01T00:05:00Z");
    recur.t.occurs_at = WALL_NEVER;
    plan_until(&recur, 0, 0, at("2030-01-01T00:05:00.1Z"), at("2030-01-01T00:05:01.1Z"));
    assert_int_equal(recur.plan.runs_n, 0);
    assert_wall_equal(recur.t.next_at, at("2030-01-01T00:05:10Z"));
    assert_wall_equal(recur.t.occurs_at, at("2030-01-01T00:05:10Z"));
    once.t.next_at = at("2030-01-01T00:05:00Z");
    once.t.occurs_at = WALL_NEVER;
    plan(&once, 0, 0, "2030-01-01T00:05:01Z");
    assert_int_equal(once.plan.runs_n, 0);
    assert_int_equal(once.t.state, SCHEDULE_FINISHED);
    open.t.next_at = at("2030-01-01T00:05:00Z");
    open.t.occurs_at = WALL_NEVER;
    plan(&open, 1, 0, "2030-01-01T00:05:01Z");
    assert_int_equal(open.t.state, SCHEDULE_ACTIVE);
    assert_wall_equal(open.t.next_at, WALL_NEVER);
    end(&recur);
    end(&once);
    end(&open);
}

static const struct timer_rules listing = {.misfire_grace_us = GRACE_US, .list_missed = true};

static void what_was_missed_is_listed_with_its_time_and_reason(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * *\"");
    const struct missed_span *m;

    (void)state;
    plan_by(&x, 0, 0, at("2030-01-01T00:04:30Z"), at("2030-01-01T00:04:30Z"), &listing);
    expect_run(&x, 0, "2030-01-01T00:04:00Z", "2030-01-01T00:04:30Z", false);
    m = x.plan.missed.items;
    assert_int_equal(x.plan.missed.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(m[i].why, MISSED_COALESCED);
        assert_int_equal(m[i].n, 1);
        assert_wall_equal(m[i].first, wall_add(at("2030-01-01T00:01:00Z"), (int64_t)i * 60 * US_PER_S));
        assert_wall_equal(m[i].last, m[i].first);
    }
    end(&x);
}

static void what_is_too_much_to_be_listed_is_one_span(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"* * * * * *\"");
    const struct missed_span *last;

    (void)state;
    plan_by(&x, 0, 0, at("2031-01-01T00:00:00Z"), at("2031-01-01T00:00:00Z"), &listing);
    assert_int_equal(x.plan.missed.n, MISSED_SINGLY_MAX + 1);
    last = &x.plan.missed.items[MISSED_SINGLY_MAX];
    assert_int_equal(last->n, 365 * 86400 - 1 - MISSED_SINGLY_MAX);
    assert_wall_equal(last->first, wall_add(at("2030-01-01T00:00:00Z"), (MISSED_SINGLY_MAX + 1) * US_PER_S));
    assert_wall_equal(last->last, at("2030-12-31T23:59:59Z"));
    end(&x);
}

static void the_occurrences_of_a_pause_are_listed(void **state)
{
    struct scene x = begin("\"type\":\"cron\",\"schedule\":\"0 * * * *\"");
    struct missed_list missed = {0};
    struct timer after;
    struct wall now = at("2030-01-01T03:30:00Z");

    (void)state;
    timer_pause(&x.t, at("2030-01-01T00:30:00Z"));
    after = x.t;
    timer_resume(x.s, &after, now);
    assert_int_equal(missed_by_pause(x.s, &x.t, now, &missed, NULL), ERR_NONE);
    assert_int_equal(after.missed[MISSED_PAUSED], 3);
    assert_int_equal(missed.n, 3);
    assert_wall_equal(missed.items[0].first, at("2030-01-01T01:00:00Z"));
    assert_wall_equal(missed.items[2].first, at("2030-01-01T03:00:00Z"));
    assert_int_equal(missed.items[2].why, MISSED_PAUSED);
    missed_list_done(&missed);
    end(&x);
}

static void a_plan_without_memory_changes_nothing_and_leaks_nothing(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_with("\"type\":\"cron\",\"schedule\":\"* * * * *\",\"misfire\":\"all\"");
    struct timer t;
    bool worked = false;

    (void)state;
    timer_start(s, at("2030-01-01T00:00:00Z"), &t);
    for (uint64_t nth = 1; !worked; nth++) {
        struct plan p = {.runs_n = 77};
        enum err e;

        assert_true(nth < 50);
        alloc_test_fail_nth(nth);
        e = timer_plan(s, &t, 0, 0, at("2030-01-01T10:00:00Z"), at("2030-01-01T10:00:00Z"), &listing, &p,
                       NULL);
        alloc_test_fail_nth(0);
        worked = e == ERR_NONE;
        if (worked)
            plan_done(&p);
        else
            assert_true(e == ERR_MEMORY && p.runs_n == 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_due_is_left_alone),
        cmocka_unit_test(a_due_occurrence_becomes_a_run_and_the_timer_moves_on),
        cmocka_unit_test(jitter_delays_the_run_and_not_its_identity),
        cmocka_unit_test(missed_ones_become_one_run_the_latest),
        cmocka_unit_test(within_the_grace_nothing_is_missed),
        cmocka_unit_test(misfire_all_makes_a_run_of_each_of_the_last_thousand),
        cmocka_unit_test(misfire_all_under_skip_or_queue_makes_them_wait_in_a_row),
        cmocka_unit_test(misfire_all_under_replace_leaves_the_newest),
        cmocka_unit_test(misfire_skip_counts_what_was_missed_and_runs_what_was_not),
        cmocka_unit_test(what_is_too_late_is_counted_as_late_and_the_rest_by_misfire),
        cmocka_unit_test(a_count_that_is_full_stays_full),
        cmocka_unit_test(years_of_missed_seconds_are_counted_in_no_time),
        cmocka_unit_test(overlap_skip_counts_what_comes_while_a_run_is_open),
        cmocka_unit_test(overlap_allow_starts_it),
        cmocka_unit_test(overlap_queue_lets_one_wait),
        cmocka_unit_test(overlap_replace_gives_up_what_is_open),
        cmocka_unit_test(overlap_is_judged_at_the_occurrences_time_and_not_ahead_of_it),
        cmocka_unit_test(an_occurrence_put_off_is_judged_when_its_time_has_come),
        cmocka_unit_test(a_one_shot_of_the_past_fires_at_once_and_is_not_missed),
        cmocka_unit_test(a_one_shot_missed_by_an_outage_follows_misfire),
        cmocka_unit_test(a_one_shot_too_late_for_its_limit_is_finished),
        cmocka_unit_test(a_one_shot_waits_behind_an_open_run_whatever_overlap_says),
        cmocka_unit_test(a_one_shot_ahead_of_its_time_does_not_yet_wait),
        cmocka_unit_test(a_counted_one_shot_is_finished_once_nothing_is_open),
        cmocka_unit_test(a_delay_recur_waits_for_its_run_to_end),
        cmocka_unit_test(a_delay_recur_counted_instead_of_run_starts_anew),
        cmocka_unit_test(max_runs_ends_a_schedule),
        cmocka_unit_test(max_runs_limits_catching_up_too),
        cmocka_unit_test(the_windows_end_ends_a_schedule),
        cmocka_unit_test(a_timer_woken_by_the_store_goes_on_as_after_a_run),
        cmocka_unit_test(what_was_missed_is_listed_with_its_time_and_reason),
        cmocka_unit_test(what_is_too_much_to_be_listed_is_one_span),
        cmocka_unit_test(the_occurrences_of_a_pause_are_listed),
        cmocka_unit_test(a_plan_without_memory_changes_nothing_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
