/*
 * occurrence.c: tests of nominal occurrences, their jitter, and counting them without stepping through all.
 * The oracle is cron_next(), one by one.
 */
#include "model_fixture.h"

#include "base/random.h"
#include "model/occurrence.h"

static struct schedule *cron_in(const char *expression, const char *zone, const char *more)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 10000);
    buf_addf(&b, "\"type\":\"cron\",\"schedule\":\"%s\",\"timezone\":\"%s\"%s", expression, zone, more);
    return fixture_with(buf_cstr(&b));
}

static int64_t count_one_by_one(const struct schedule *s, struct wall first, struct wall last)
{
    int64_t n = 0;

    for (struct wall t = first; !wall_is_never(t) && t.us <= last.us; t = occurrence_next(s, t))
        n++;
    return n;
}

static void counting_agrees_with_stepping(void **state)
{
    static const char *const expressions[] = {
        "* * * * * *",     "*/7 * * * * *", "0 * * * *",      "*/15 * * * *", "30 2 * * *",  "0 0 * * *",
        "15,45 1-3 * * *", "H H * * *",     "59 59 23 * * *", "0 0 29 2 *",   "0 9 * * 1-5", "*/20 0 * * * *",
        "0 */5 * * *",     "@monthly",      "0 0 0 * * *",    "30 * * * * 0", "* 2 * * *",
    };
    /* Half an hour of summer time, a change at midnight, a day that never was, a zone without changes. */
    static const struct {
        const char *name;
        const char *from;
    } zones[] = {
        {"Europe/Berlin", "2029-03-20T00:00:00Z"},       {"America/New_York", "2029-10-30T12:34:56Z"},
        {"Australia/Lord_Howe", "2029-03-28T07:00:01Z"}, {"America/Sao_Paulo", "2018-10-30T00:00:00Z"},
        {"Pacific/Apia", "2011-12-25T00:00:00Z"},        {"Asia/Seoul", "2029-12-30T00:00:00.5Z"},
        {"America/Havana", "2029-11-01T00:00:00Z"},      {"Asia/Kathmandu", "2029-01-01T00:00:00Z"},
    };
    struct rng rng = {42};

    (void)state;
    for (size_t z = 0; z < COUNT_OF(zones); z++) {
        for (size_t i = 0; i < COUNT_OF(expressions); i++) {
            CLEANUP(schedule_unref_p) struct schedule *s = cron_in(expressions[i], zones[z].name, "");

            for (int round = 0; round < 3; round++) {
                /* Seconds would take the oracle long: those spans are short. */
                bool dense = i < 2;
                int64_t span = dense ? 86400 : 20 * 86400;
                struct wall from =
                    wall_add(at(zones[z].from),
                             (int64_t)rng_below(&rng, (uint64_t)(dense ? 10 : 2) * 86400) * US_PER_S);
                struct wall first = occurrence_next(s, from);
                struct wall last = wall_add(from, (int64_t)rng_below(&rng, (uint64_t)span * 1000000));

                if (last.us < first.us)
                    continue;
                if (occurrence_count(s, first, last) != count_one_by_one(s, first, last))
                    fail_msg("%s in %s, round %d: %lld, not %lld", expressions[i], zones[z].name, round,
                             (long long)occurrence_count(s, first, last),
                             (long long)count_one_by_one(s, first, last));
            }
        }
    }
}

static void a_year_of_seconds_is_counted_exactly(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = cron_in("* * * * * *", "Europe/Berlin", "");
    CLEANUP(schedule_unref_p) struct schedule *daily = cron_in("30 2 * * *", "Europe/Berlin", "");

    (void)state;
    assert_int_equal(occurrence_count(s, at("2030-01-01T00:00:00Z"), at("2030-12-31T23:59:59Z")),
                     365 * 86400);
    assert_int_equal(occurrence_count(daily, at("2030-01-01T01:30:00Z"), at("2030-12-31T01:30:00Z")), 365);
    assert_int_equal(occurrence_count(s, at("2030-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z")), 1);
}

static void jitter_is_the_same_each_time_and_within_its_bounds(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = cron_in("* * * * *", "UTC", ",\"jitter\":20");
    CLEANUP(schedule_unref_p) struct schedule *again = cron_in("* * * * *", "UTC", ",\"jitter\":20");
    CLEANUP(schedule_unref_p)
    struct schedule *other = cron_in("* * * * *", "UTC", ",\"jitter\":20,\"client\":{\"key\":\"other\"}");
    struct wall t = at("2030-01-01T00:00:00Z");
    int64_t low = INT64_MAX;
    int64_t high = 0;
    int same = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t jitter = occurrence_act(s, t).us - t.us;

        assert_in_range(jitter, 0, 20 * US_PER_S);
        assert_wall_equal(occurrence_act(again, t), occurrence_act(s, t));
        same += occurrence_act(other, t).us == occurrence_act(s, t).us;
        low = jitter < low ? jitter : low;
        high = jitter > high ? jitter : high;
        t = occurrence_next(s, t);
    }
    /* Spread over the whole range, and no two identities alike. */
    assert_true(low < US_PER_S && high > 19 * US_PER_S);
    assert_true(same < 3);
}

static void jitter_never_passes_the_next_occurrence(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = cron_in("0,1,2,30 * * * *", "UTC", ",\"jitter\":86400");
    struct wall t = at("2030-01-01T00:00:00Z");

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct wall next = occurrence_next(s, t);

        assert_in_range(occurrence_act(s, t).us, t.us, next.us);
        t = next;
    }
}

static void the_last_one_due_is_the_one_that_stepping_finds(void **state)
{
    static const char *const expressions[] = {"* * * * * *", "*/10 * * * *", "0,1,30 * * * *"};
    static const char *const more[] = {"", ",\"jitter\":1", ",\"jitter\":45.5", ",\"jitter\":86400",
                                       ",\"end_at\":\"2030-01-01T00:30:00Z\""};
    struct rng rng = {7};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(expressions) * COUNT_OF(more); i++) {
        CLEANUP(schedule_unref_p)
        struct schedule *s =
            cron_in(expressions[i % COUNT_OF(expressions)], "UTC", more[i / COUNT_OF(expressions)]);
        struct wall first = occurrence_next(s, at("2030-01-01T00:00:00Z"));

        for (int round = 0; round < 20; round++) {
            struct wall by =
                wall_add(occurrence_act(s, first), (int64_t)rng_below(&rng, UINT64_C(3600000000)));
            struct wall last = first;

            for (struct wall t = first; !wall_is_never(t) && occurrence_act(s, t).us <= by.us;
                 t = occurrence_next(s, t))
                last = t;
            assert_wall_equal(occurrence_last_due(s, first, by), last);
        }
    }
}

static void no_occurrence_lies_outside_the_window(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = cron_in("0 * * * *", "UTC",
                                 ",\"start_at\":\"2030-01-01T10:00:00\",\"end_at\":\"2030-01-01T12:00:00\"");

    (void)state;
    assert_wall_equal(occurrence_next(s, at("2029-01-01T00:00:00Z")), at("2030-01-01T10:00:00Z"));
    assert_wall_equal(occurrence_next(s, at("2030-01-01T11:00:00Z")), at("2030-01-01T12:00:00Z"));
    assert_wall_equal(occurrence_next(s, at("2030-01-01T12:00:00Z")), WALL_NEVER);
}

static void h_is_spread_over_identities(void **state)
{
    int minutes[60] = {0};
    int most = 0;

    (void)state;
    for (int i = 0; i < 600; i++) {
        CLEANUP(schedule_unref_p) struct schedule *s = NULL;
        CLEANUP(buf_done_p) struct buf more = {0};
        struct wall next;

        buf_init(&more, 1000);
        buf_addf(&more, ",\"client\":{\"key\":\"%d\"}", i);
        s = cron_in("H * * * *", "UTC", buf_cstr(&more));
        next = occurrence_next(s, at("2030-01-01T00:00:00Z"));
        minutes[next.us / US_PER_S / 60 % 60]++;
    }
    for (int i = 0; i < 60; i++) {
        assert_true(minutes[i] > 0);
        most = minutes[i] > most ? minutes[i] : most;
    }
    assert_true(most < 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counting_agrees_with_stepping),
        cmocka_unit_test(a_year_of_seconds_is_counted_exactly),
        cmocka_unit_test(jitter_is_the_same_each_time_and_within_its_bounds),
        cmocka_unit_test(jitter_never_passes_the_next_occurrence),
        cmocka_unit_test(the_last_one_due_is_the_one_that_stepping_finds),
        cmocka_unit_test(no_occurrence_lies_outside_the_window),
        cmocka_unit_test(h_is_spread_over_identities),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
