/*
 * timer.c: tests of a timer's life beside its plans: registration, pause, resumption, changed zones, ended
 * runs, previews.
 */
#include "model_fixture.h"

#include "base/str.h"

#include <string.h>

static struct timer started(const struct schedule *s, const char *now)
{
    struct timer t;

    timer_start(s, at(now), &t);
    return t;
}

static struct schedule *minutely(const char *more)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 1000);
    buf_addf(&b, "\"type\":\"cron\",\"schedule\":\"* * * * *\"%s", more);
    return fixture_with(buf_cstr(&b));
}

static int64_t missed_sum(const struct timer *t)
{
    int64_t n = 0;

    for (int i = 0; i < MISSED_N; i++)
        n += t->missed[i];
    return n;
}

static void each_type_starts_at_its_first_occurrence(void **state)
{
    static const struct {
        const char *members;
        const char *first;
    } cases[] = {
        {"\"type\":\"now\"", "2030-01-01T00:00:30Z"},
        {"\"type\":\"delay\",\"schedule\":\"50\"", "2030-01-01T00:01:20Z"},
        {"\"type\":\"delay-recur\",\"schedule\":\"0.5\"", "2030-01-01T00:00:30.5Z"},
        {"\"type\":\"date\",\"schedule\":\"2030-06-01T00:00:00Z\"", "2030-06-01T00:00:00Z"},
        {"\"type\":\"date\",\"schedule\":\"2020-06-01T00:00:00Z\"", "2020-06-01T00:00:00Z"},
        {"\"type\":\"cron\",\"schedule\":\"* * * * *\"", "2030-01-01T00:01:00Z"},
        {"\"type\":\"cron\",\"schedule\":\"30 * * * * *\"", "2030-01-01T00:01:30Z"},
        {"\"type\":\"cron\",\"schedule\":\"* * * * *\",\"start_at\":\"2030-02-01T00:00:00Z\"",
         "2030-02-01T00:00:00Z"},
        {"\"type\":\"delay-recur\",\"schedule\":\"1\",\"start_at\":\"2030-02-01T00:00:00Z\"",
         "2030-02-01T00:00:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(schedule_unref_p) struct schedule *s = fixture_with(cases[i].members);
        struct timer t = started(s, "2030-01-01T00:00:30Z");

        assert_int_equal(t.state, SCHEDULE_ACTIVE);
        assert_wall_equal(t.occurs_at, at(cases[i].first));
        assert_wall_equal(t.next_at, t.occurs_at);
        assert_wall_equal(t.started_at, at("2030-01-01T00:00:30Z"));
        assert_int_equal(t.runs, 0);
        assert_int_equal(missed_sum(&t), 0);
    }
}

static void a_one_shot_outside_its_window_is_counted_and_finished(void **state)
{
    static const char *const cases[] = {
        "\"type\":\"now\",\"start_at\":\"2031-01-01T00:00:00Z\"",
        "\"type\":\"delay\",\"schedule\":\"10\",\"end_at\":\"2030-01-01T00:00:05Z\"",
        "\"type\":\"date\",\"schedule\":\"2030-06-01T00:00:00Z\",\"end_at\":\"2030-05-01T00:00:00Z\"",
        "\"type\":\"now\",\"end_at\":\"2020-05-01T00:00:00Z\",\"paused\":true",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(schedule_unref_p) struct schedule *s = fixture_with(cases[i]);
        struct timer t = started(s, "2030-01-01T00:00:00Z");

        assert_int_equal(t.state, SCHEDULE_FINISHED);
        assert_wall_equal(t.next_at, WALL_NEVER);
        assert_int_equal(t.missed[MISSED_WINDOW], 1);
        assert_int_equal(missed_sum(&t), 1);
    }
}

static void a_recurring_schedule_without_occurrences_is_finished(void **state)
{
    static const char *const cases[] = {
        "\"type\":\"cron\",\"schedule\":\"* * * * *\",\"end_at\":\"2029-01-01T00:00:00Z\"",
        "\"type\":\"delay-recur\",\"schedule\":\"10\",\"end_at\":\"2030-01-01T00:00:05Z\"",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(schedule_unref_p) struct schedule *s = fixture_with(cases[i]);
        struct timer t = started(s, "2030-01-01T00:00:00Z");

        assert_int_equal(t.state, SCHEDULE_FINISHED);
        assert_int_equal(missed_sum(&t), 0);
    }
}

static void a_schedule_registered_paused_is_silent(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = minutely(",\"paused\":true");
    struct timer t = started(s, "2030-01-01T00:00:30Z");

    (void)state;
    assert_int_equal(t.state, SCHEDULE_PAUSED);
    assert_wall_equal(t.next_at, WALL_NEVER);
    timer_resume(s, &t, at("2030-01-01T01:00:30Z"));
    assert_int_equal(t.state, SCHEDULE_ACTIVE);
    assert_wall_equal(t.next_at, at("2030-01-01T01:01:00Z"));
    assert_int_equal(t.missed[MISSED_PAUSED], 60);
}

static void what_passes_in_a_pause_is_counted(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = minutely("");
    struct timer t = started(s, "2030-01-01T00:00:30Z");

    (void)state;
    timer_pause(&t, at("2030-01-01T00:00:40Z"));
    assert_int_equal(t.state, SCHEDULE_PAUSED);
    assert_wall_equal(t.next_at, WALL_NEVER);
    timer_pause(&t, at("2030-01-01T00:00:45Z"));
    timer_resume(s, &t, at("2030-01-01T00:00:50Z"));
    assert_wall_equal(t.next_at, at("2030-01-01T00:01:00Z"));
    assert_int_equal(missed_sum(&t), 0);
    timer_pause(&t, at("2030-01-01T00:00:55Z"));
    /* At the very moment of an occurrence it has passed. */
    timer_resume(s, &t, at("2030-01-02T00:01:00Z"));
    assert_wall_equal(t.next_at, at("2030-01-02T00:02:00Z"));
    assert_int_equal(t.missed[MISSED_PAUSED], 1441);
    assert_wall_equal(t.started_at, at("2030-01-02T00:01:00Z"));
}

static void a_one_shot_keeps_its_time_over_a_pause(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_with("\"type\":\"delay\",\"schedule\":\"100\"");
    struct timer t = started(s, "2030-01-01T00:00:00Z");
    struct timer late = t;

    (void)state;
    timer_pause(&t, at("2030-01-01T00:00:10Z"));
    timer_resume(s, &t, at("2030-01-01T00:00:20Z"));
    assert_wall_equal(t.next_at, at("2030-01-01T00:01:40Z"));
    timer_pause(&late, at("2030-01-01T00:00:10Z"));
    timer_resume(s, &late, at("2030-01-01T01:00:00Z"));
    assert_int_equal(late.state, SCHEDULE_ACTIVE);
    assert_wall_equal(late.next_at, at("2030-01-01T00:01:40Z"));
    assert_int_equal(missed_sum(&late), 0);
}

static void a_one_shot_whose_run_was_made_is_finished_when_resumed(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_with("\"type\":\"now\"");
    struct timer t = started(s, "2030-01-01T00:00:00Z");

    (void)state;
    t.next_at = WALL_NEVER; /* as after its plan */
    t.runs = 1;
    timer_pause(&t, at("2030-01-01T00:00:10Z"));
    timer_resume(s, &t, at("2030-01-01T00:00:20Z"));
    assert_int_equal(t.state, SCHEDULE_FINISHED);
}

static void a_delay_recur_starts_anew_when_its_time_passed_in_a_pause(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_with("\"type\":\"delay-recur\",\"schedule\":\"100\"");
    struct timer early = started(s, "2030-01-01T00:00:00Z");
    struct timer late = early;
    struct timer open = early;

    (void)state;
    timer_pause(&early, at("2030-01-01T00:00:10Z"));
    timer_resume(s, &early, at("2030-01-01T00:00:20Z"));
    assert_wall_equal(early.next_at, at("2030-01-01T00:01:40Z"));
    timer_pause(&late, at("2030-01-01T00:00:10Z"));
    timer_resume(s, &late, at("2030-01-01T01:00:00Z"));
    assert_wall_equal(late.next_at, at("2030-01-01T01:01:40Z"));
    assert_int_equal(late.missed[MISSED_PAUSED], 1);
    /* Paused while its run was open: that run was cancelled, nothing passed. */
    open.next_at = WALL_NEVER;
    timer_pause(&open, at("2030-01-01T00:01:50Z"));
    timer_resume(s, &open, at("2030-01-01T01:00:00Z"));
    assert_wall_equal(open.next_at, at("2030-01-01T01:01:40Z"));
    assert_int_equal(missed_sum(&open), 0);
}

static void a_schedule_whose_window_closed_in_a_pause_is_finished(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = minutely(",\"end_at\":\"2030-01-01T00:10:00Z\"");
    struct timer t = started(s, "2030-01-01T00:00:30Z");

    (void)state;
    timer_pause(&t, at("2030-01-01T00:00:40Z"));
    timer_resume(s, &t, at("2031-01-01T00:00:00Z"));
    assert_int_equal(t.state, SCHEDULE_FINISHED);
    assert_int_equal(t.missed[MISSED_PAUSED], 10);
}

static void only_what_is_active_pauses_and_only_what_is_paused_resumes(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = minutely("");
    struct timer active = started(s, "2030-01-01T00:00:30Z");
    struct timer finished = active;
    struct timer before;

    (void)state;
    before = active;
    timer_resume(s, &active, at("2031-01-01T00:00:00Z"));
    assert_memory_equal(&before, &active, sizeof(active));
    finished.state = SCHEDULE_FINISHED;
    finished.next_at = WALL_NEVER;
    before = finished;
    timer_pause(&finished, at("2031-01-01T00:00:00Z"));
    timer_resume(s, &finished, at("2031-01-01T00:00:00Z"));
    assert_memory_equal(&before, &finished, sizeof(finished));
}

static void changed_zone_rules_move_what_lies_ahead_and_not_what_is_due(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *old = fixture_with("\"type\":\"cron\",\"schedule\":\"0 9 * * *\",\"timezone\":\"UTC\"");
    CLEANUP(schedule_unref_p)
    struct schedule *new =
        fixture_with("\"type\":\"cron\",\"schedule\":\"0 9 * * *\",\"timezone\":\"Asia/Seoul\"");
    CLEANUP(schedule_unref_p)
    struct schedule *date =
        fixture_with("\"type\":\"date\",\"schedule\":\"2030-06-01T09:00:00\",\"timezone\":\"Asia/Seoul\"");
    struct timer t = started(old, "2030-01-01T00:00:30Z");
    struct timer due = t;
    struct timer paused = t;
    struct timer once = started(date, "2030-01-01T00:00:30Z");

    (void)state;
    assert_true(timer_recompute(new, &t, WALL_NONE_YET, at("2030-01-01T00:00:40Z")));
    assert_wall_equal(t.next_at, at("2030-01-02T00:00:00Z"));
    assert_false(timer_recompute(new, &due, WALL_NONE_YET, at("2030-01-01T09:00:00Z")));
    assert_wall_equal(due.next_at, at("2030-01-01T09:00:00Z"));
    timer_pause(&paused, at("2030-01-01T00:00:30Z"));
    assert_true(timer_recompute(new, &paused, WALL_NONE_YET, at("2030-01-01T00:00:40Z")));
    assert_wall_equal(paused.next_at, WALL_NEVER);
    assert_wall_equal(paused.occurs_at, at("2030-01-02T00:00:00Z"));
    once.occurs_at = once.next_at = at("2030-06-01T01:00:00Z");
    assert_true(timer_recompute(date, &once, WALL_NONE_YET, at("2030-01-01T00:00:40Z")));
    assert_wall_equal(once.next_at, at("2030-06-01T00:00:00Z"));
    once.next_at = WALL_NEVER; /* its run is open */
    assert_false(timer_recompute(date, &once, WALL_NONE_YET, at("2030-01-01T00:00:40Z")));
    assert_wall_equal(once.next_at, WALL_NEVER);
}

static void changed_zone_rules_do_not_bring_back_what_was_made_ahead_of_its_time(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s =
        fixture_with("\"type\":\"cron\",\"schedule\":\"*/15 * * * * *\",\"timezone\":\"UTC\"");
    struct timer t = started(s, "2030-01-01T00:00:01Z");
    struct timer before;

    (void)state;
    /* 00:00:15 is a run already. */
    t.occurs_at = t.next_at = at("2030-01-01T00:00:30Z");
    before = t;
    assert_false(timer_recompute(s, &t, at("2030-01-01T00:00:15Z"), at("2030-01-01T00:00:10Z")));
    assert_memory_equal(&t, &before, sizeof(t));
    t.occurs_at = t.next_at = at("2030-01-01T00:00:40Z"); /* by other rules */
    assert_true(timer_recompute(s, &t, at("2030-01-01T00:00:15Z"), at("2030-01-01T00:00:10Z")));
    assert_wall_equal(t.next_at, at("2030-01-01T00:00:30Z"));
    /* Put off until the open run's end: where it stands is right, and it stays put off. */
    t.next_at = at("2030-01-01T00:00:30.5Z");
    assert_false(timer_recompute(s, &t, at("2030-01-01T00:00:15Z"), at("2030-01-01T00:00:10Z")));
    assert_wall_equal(t.next_at, at("2030-01-01T00:00:30.5Z"));
}

static void a_timer_that_new_zone_rules_leave_without_an_occurrence_is_woken(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s =
        fixture_with("\"type\":\"cron\",\"schedule\":\"0 9 * * *\",\"timezone\":\"Asia/Seoul\","
                     "\"end_at\":\"2030-01-01T09:00:00Z\"");
    struct timer t = started(s, "2030-01-01T00:00:30Z");

    (void)state;
    t.state = SCHEDULE_ACTIVE;
    t.occurs_at = t.next_at = at("2030-01-01T09:00:00Z"); /* by other rules, the last */
    assert_true(timer_recompute(s, &t, WALL_NONE_YET, at("2030-01-01T00:00:40Z")));
    assert_int_equal(t.state, SCHEDULE_ACTIVE);
    assert_wall_equal(t.next_at, at("2030-01-01T00:00:40Z"));
    assert_wall_equal(t.occurs_at, WALL_NEVER);
}

static void a_delay_recur_counts_from_the_end_of_its_run(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_with("\"type\":\"delay-recur\",\"schedule\":\"100\",\"start_at\":\"2030-01-"
                                      "01T00:00:00Z\",\"end_at\":\"2030-01-01T12:00:00Z\"");
    struct timer t = started(s, "2030-01-01T00:00:00Z");
    struct timer two;

    (void)state;
    t.next_at = WALL_NEVER;
    t.runs = 1;
    two = t;
    assert_false(timer_run_ended(s, &two, 1, at("2030-01-01T00:02:00Z")));
    assert_true(timer_run_ended(s, &t, 0, at("2030-01-01T00:02:00Z")));
    assert_wall_equal(t.next_at, at("2030-01-01T00:03:40Z"));
    assert_wall_equal(t.occurs_at, t.next_at);
    t.next_at = WALL_NEVER;
    assert_true(timer_run_ended(s, &t, 0, at("2030-01-01T11:59:00Z")));
    assert_int_equal(t.state, SCHEDULE_FINISHED);
}

static void max_runs_finish_a_delay_recur(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_with("\"type\":\"delay-recur\",\"schedule\":\"100\",\"max_runs\":2");
    struct timer t = started(s, "2030-01-01T00:00:00Z");

    (void)state;
    t.next_at = WALL_NEVER;
    t.runs = 1;
    assert_true(timer_run_ended(s, &t, 0, at("2030-01-01T00:02:00Z")));
    assert_int_equal(t.state, SCHEDULE_ACTIVE);
    t.next_at = WALL_NEVER;
    t.runs = 2;
    assert_true(timer_run_ended(s, &t, 0, at("2030-01-01T00:04:00Z")));
    assert_int_equal(t.state, SCHEDULE_FINISHED);
    assert_wall_equal(t.next_at, WALL_NEVER);
}

static void the_last_open_run_finishes_what_has_nothing_left(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *once = fixture_with("\"type\":\"now\"");
    CLEANUP(schedule_unref_p) struct schedule *cron = minutely(",\"max_runs\":2");
    const struct schedule *both[] = {once, cron};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        struct timer t = started(both[i], "2030-01-01T00:00:00Z");

        t.next_at = WALL_NEVER;
        assert_false(timer_run_ended(both[i], &t, 1, at("2030-01-01T00:00:01Z")));
        assert_int_equal(t.state, SCHEDULE_ACTIVE);
        assert_true(timer_run_ended(both[i], &t, 0, at("2030-01-01T00:00:02Z")));
        assert_int_equal(t.state, SCHEDULE_FINISHED);
        assert_false(timer_run_ended(both[i], &t, 0, at("2030-01-01T00:00:03Z")));
    }
}

static void the_end_of_a_run_does_not_move_a_cron_schedule(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = minutely(",\"jitter\":20");
    struct timer t = started(s, "2030-01-01T00:00:30Z");
    struct timer before = t;

    (void)state;
    assert_false(timer_run_ended(s, &t, 0, at("2030-01-01T00:00:40Z")));
    assert_memory_equal(&before, &t, sizeof(t));
    timer_pause(&t, at("2030-01-01T00:00:40Z"));
    before = t;
    assert_false(timer_run_ended(s, &t, 0, at("2030-01-01T00:00:50Z")));
    assert_memory_equal(&before, &t, sizeof(t));
}

/* --- a one-shot whose run may have begun when it was paused --- */

#define TEN "2030-01-01T00:00:10Z"

/* Its run was handed out, and waits for a place at its target, or is under way. */
static struct timer handed_out(const struct schedule *s)
{
    struct timer t = started(s, "2030-01-01T00:00:00Z");

    t.next_at = WALL_NEVER;
    t.occurs_at = WALL_NEVER;
    t.runs = 1;
    return t;
}

static struct timer paused_in_doubt(const struct schedule *s)
{
    struct timer t = handed_out(s);

    timer_pause(&t, at("2030-01-01T00:00:11Z"));
    timer_doubt(s, &t, at(TEN));
    assert_int_equal(t.state, SCHEDULE_PAUSED);
    return t;
}

static bool its_run_ends(struct timer *t, bool delivered, const char *ended_at)
{
    struct doomed_end end = {.scheduled_at = at(TEN), .delivered = delivered, .ended_at = at(ended_at)};

    return timer_doomed_ended(t, &end);
}

static void a_one_shot_that_was_dropped_unbegun_runs_after_pause_and_resumption(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_with("\"type\":\"delay\",\"schedule\":\"10\"");

    (void)state;
    /* Its end may be known before the resumption, after it, or after several. */
    for (int known_after = 0; known_after < 3; known_after++) {
        struct timer t = paused_in_doubt(s);

        for (int i = 0; i < 3; i++) {
            if (i == known_after)
                assert_true(its_run_ends(&t, false, "2030-01-01T00:00:13Z"));
            if (i == 1) {
                timer_pause(&t, at("2030-01-01T00:00:14Z"));
            }
            timer_resume(s, &t, at("2030-01-01T00:00:15Z"));
            assert_int_equal(t.state, SCHEDULE_ACTIVE);
            assert_true(i < known_after ? wall_is_never(t.next_at) : t.next_at.us == at(TEN).us);
        }
        assert_int_equal(t.runs, 0);
        assert_wall_equal(t.occurs_at, at(TEN));
        assert_true(t.started_at.us >= at("2030-01-01T00:00:13Z").us); /* not missed: due at once */
    }
}

static void a_one_shot_that_had_begun_does_not_run_again_after_pause_and_resumption(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_with("\"type\":\"delay\",\"schedule\":\"10\"");
    struct timer t = paused_in_doubt(s);

    (void)state;
    timer_resume(s, &t, at("2030-01-01T00:00:12Z"));
    assert_true(its_run_ends(&t, true, "2030-01-01T00:00:13Z"));
    assert_int_equal(t.state, SCHEDULE_ACTIVE);
    assert_true(wall_is_never(t.occurs_at)); /* the next plan finds that nothing is left */
    assert_wall_equal(t.next_at, at("2030-01-01T00:00:13Z"));
    assert_int_equal(t.runs, 1);

    t = paused_in_doubt(s);
    assert_true(its_run_ends(&t, true, "2030-01-01T00:00:13Z"));
    timer_resume(s, &t, at("2030-01-01T00:00:15Z"));
    assert_int_equal(t.state, SCHEDULE_FINISHED);
}

static void only_a_one_shots_own_run_settles_its_doubt(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_with("\"type\":\"delay\",\"schedule\":\"10\"");
    CLEANUP(schedule_unref_p) struct schedule *cron = minutely("");
    struct doomed_end other = {
        .scheduled_at = at(TEN), .by_hand = true, .ended_at = at("2030-01-01T00:00:12Z"), .open_runs = 1};
    struct timer t = paused_in_doubt(s);
    struct timer before = t;

    (void)state;
    assert_false(timer_doomed_ended(&t, &other));
    other.by_hand = false;
    other.scheduled_at = at("2030-01-01T00:00:11Z");
    assert_false(timer_doomed_ended(&t, &other));
    assert_memory_equal(&before, &t, sizeof(t));
    /* A recurring schedule's next occurrence is not its last run's. */
    t = started(cron, "2030-01-01T00:00:30Z");
    t.runs = 1;
    timer_pause(&t, at("2030-01-01T00:01:01Z"));
    before = t;
    timer_doubt(cron, &t, at("2030-01-01T00:01:00Z"));
    assert_memory_equal(&before, &t, sizeof(t));
}

/* Replaced right before its time, and its holder was never heard of again. */
static void a_held_one_shot_is_in_doubt_until_its_run_ends(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_with("\"type\":\"date\",\"schedule\":\"2030-01-01T00:00:10Z\"");
    const struct timer_rules by = {.misfire_grace_us = US_PER_S};
    struct timer t = started(s, "2030-01-01T00:00:09.5Z");
    struct wall late = at("2030-01-01T00:00:11Z");

    (void)state;
    assert_true(timer_is_held(&t, at(TEN)));
    assert_true(timer_hold(s, &t, at(TEN), late, &by));
    assert_false(wall_is_never(t.next_at));
    assert_true(timer_hold(s, &t, late, wall_add(late, US_PER_S), &by));
    assert_true(wall_is_never(t.next_at));
    assert_int_equal(t.runs, 1);
    timer_pause(&t, at("2030-01-01T00:00:12Z"));
    timer_resume(s, &t, at("2030-01-01T00:00:13Z"));
    assert_int_equal(t.state, SCHEDULE_ACTIVE);
    assert_true(its_run_ends(&t, false, "2030-01-01T00:00:40Z"));
    assert_wall_equal(t.next_at, at(TEN));
    assert_int_equal(t.runs, 0);
}

static void previews_tell_when_a_definition_would_fire(void **state)
{
    static const struct {
        const char *members;
        size_t n;
        const char *times[3];
    } cases[] = {
        {"\"type\":\"now\"", 1, {"2030-01-01T00:00:30Z"}},
        {"\"type\":\"delay\",\"schedule\":\"5\"", 1, {"2030-01-01T00:00:35Z"}},
        {"\"type\":\"date\",\"schedule\":\"2020-01-01T00:00:00Z\"", 1, {"2030-01-01T00:00:30Z"}},
        {"\"type\":\"date\",\"schedule\":\"2031-01-01T00:00:00Z\"", 1, {"2031-01-01T00:00:00Z"}},
        {"\"type\":\"date\",\"schedule\":\"2031-01-01T00:00:00Z\",\"end_at\":\"2030-12-01T00:00:00Z\"",
         0,
         {0}},
        {"\"type\":\"delay-recur\",\"schedule\":\"10\"",
         3,
         {"2030-01-01T00:00:40Z", "2030-01-01T00:00:50Z", "2030-01-01T00:01:00Z"}},
        {"\"type\":\"cron\",\"schedule\":\"* * * * *\",\"paused\":true",
         3,
         {"2030-01-01T00:01:00Z", "2030-01-01T00:02:00Z", "2030-01-01T00:03:00Z"}},
        {"\"type\":\"cron\",\"schedule\":\"* * * * *\",\"max_runs\":2",
         2,
         {"2030-01-01T00:01:00Z", "2030-01-01T00:02:00Z"}},
        {"\"type\":\"cron\",\"schedule\":\"* * * * *\",\"end_at\":\"2030-01-01T00:01:00Z\"",
         1,
         {"2030-01-01T00:01:00Z"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(schedule_unref_p) struct schedule *s = fixture_with(cases[i].members);
        struct wall times[3];

        assert_int_equal(timer_preview(s, at("2030-01-01T00:00:30Z"), times, 3), cases[i].n);
        for (size_t k = 0; k < cases[i].n; k++)
            assert_wall_equal(times[k], at(cases[i].times[k]));
    }
}

static void a_preview_shows_the_jitter_that_the_timer_will_have(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = minutely(",\"jitter\":20");
    struct timer t = started(s, "2030-01-01T00:00:30Z");
    struct wall time;

    (void)state;
    assert_int_equal(timer_preview(s, at("2030-01-01T00:00:30Z"), &time, 1), 1);
    assert_wall_equal(time, t.next_at);
    assert_true(t.next_at.us > t.occurs_at.us);
}

static void states_and_reasons_are_spelled_and_read_back(void **state)
{
    enum schedule_state s;

    (void)state;
    for (unsigned i = SCHEDULE_ACTIVE; i <= SCHEDULE_FINISHED; i++) {
        assert_true(schedule_state_parse(str_of(schedule_state_name((enum schedule_state)i)), &s));
        assert_int_equal(s, i);
    }
    assert_false(schedule_state_parse(STR("x"), &s));
    assert_string_equal(missed_name(MISSED_WINDOW), "window");
    assert_string_equal(schedule_type_name(SCHEDULE_DELAY_RECUR), "delay-recur");
    assert_string_equal(failed_policy_name(FAILED_RETRY_DLQ), "retry_dlq");
    assert_string_equal(misfire_name(MISFIRE_ALL), "all");
    assert_string_equal(overlap_name(OVERLAP_REPLACE), "replace");
    assert_string_equal(task_type_name(TASK_KAFKA), "kafka");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_starts_at_its_first_occurrence),
        cmocka_unit_test(a_one_shot_outside_its_window_is_counted_and_finished),
        cmocka_unit_test(a_recurring_schedule_without_occurrences_is_finished),
        cmocka_unit_test(a_schedule_registered_paused_is_silent),
        cmocka_unit_test(what_passes_in_a_pause_is_counted),
        cmocka_unit_test(a_one_shot_keeps_its_time_over_a_pause),
        cmocka_unit_test(a_one_shot_whose_run_was_made_is_finished_when_resumed),
        cmocka_unit_test(a_delay_recur_starts_anew_when_its_time_passed_in_a_pause),
        cmocka_unit_test(a_schedule_whose_window_closed_in_a_pause_is_finished),
        cmocka_unit_test(only_what_is_active_pauses_and_only_what_is_paused_resumes),
        cmocka_unit_test(changed_zone_rules_move_what_lies_ahead_and_not_what_is_due),
        cmocka_unit_test(changed_zone_rules_do_not_bring_back_what_was_made_ahead_of_its_time),
        cmocka_unit_test(a_timer_that_new_zone_rules_leave_without_an_occurrence_is_woken),
        cmocka_unit_test(a_delay_recur_counts_from_the_end_of_its_run),
        cmocka_unit_test(max_runs_finish_a_delay_recur),
        cmocka_unit_test(the_last_open_run_finishes_what_has_nothing_left),
        cmocka_unit_test(the_end_of_a_run_does_not_move_a_cron_schedule),
        cmocka_unit_test(a_one_shot_that_was_dropped_unbegun_runs_after_pause_and_resumption),
        cmocka_unit_test(a_one_shot_that_had_begun_does_not_run_again_after_pause_and_resumption),
        cmocka_unit_test(only_a_one_shots_own_run_settles_its_doubt),
        cmocka_unit_test(a_held_one_shot_is_in_doubt_until_its_run_ends),
        cmocka_unit_test(previews_tell_when_a_definition_would_fire),
        cmocka_unit_test(a_preview_shows_the_jitter_that_the_timer_will_have),
        cmocka_unit_test(states_and_reasons_are_spelled_and_read_back),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
