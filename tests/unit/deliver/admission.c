/*
 * admission.c: when attempts at a target may begin: its rate, and its circuit. Time is what the tests say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/admission.h"
#include "deliver/deliver.h"

#define TIMEOUT_US (10 * US_PER_S)

static struct uuid target(unsigned n)
{
    struct uuid u = {{0}};

    u.b[0] = (uint8_t)n;
    u.b[1] = (uint8_t)(n >> 8);
    u.b[15] = 1;
    return u;
}

static struct mono at(int64_t us)
{
    return (struct mono){1000 * US_PER_S + us};
}

/* For how long it is refused; 0: it may begin. */
static int64_t refused_us(struct admission *a, unsigned n, struct mono now)
{
    int64_t us = admission_ask(a, target(n), TIMEOUT_US, now).us - now.us;

    return us > 0 ? us : 0;
}

static enum circuit_change attempt(struct admission *a, unsigned n, enum admission_end how, struct mono now)
{
    int it = 0;

    admission_began(a, target(n), &it);
    return admission_ended(a, target(n), &it, how, now);
}

static void silent_times(struct admission *a, unsigned n, unsigned times, struct mono now)
{
    for (unsigned i = 0; i < times; i++)
        attempt(a, n, ADMISSION_SILENT, now);
}

static struct deliver_stats stats_of(const struct admission *a)
{
    struct deliver_stats s;

    admission_stats(a, &s);
    return s;
}

static void without_limits_everything_may_begin_and_nothing_is_remembered(void **state)
{
    struct admission a;

    (void)state;
    admission_init(&a, 0, 0);
    for (unsigned n = 0; n < 100; n++) {
        assert_int_equal(refused_us(&a, n, at(0)), 0);
        attempt(&a, n, ADMISSION_SILENT, at(0));
    }
    assert_int_equal(a.targets.n, 0);
    admission_done(&a);
}

static void a_target_gets_so_many_attempts_a_second(void **state)
{
    struct admission a;
    unsigned n = 0;

    (void)state;
    admission_init(&a, 20, 0);
    /* Ten seconds, a look each millisecond. */
    for (int64_t ms = 0; ms < 10000; ms++)
        n += refused_us(&a, 1, at(ms * US_PER_MS)) == 0;
    assert_in_range(n, 200, 202);
    admission_done(&a);
}

static void the_time_it_names_is_the_time_it_lets_the_next_one_go(void **state)
{
    static const int64_t rates[] = {1, 3, 7, 1000, 99999};
    struct mono now = at(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        struct admission a;
        int64_t wait;

        admission_init(&a, rates[i], 0);
        while ((wait = refused_us(&a, 1, now)) == 0)
            continue;
        assert_in_range(wait, 1, US_PER_S / rates[i] + 1);
        assert_true(refused_us(&a, 1, (struct mono){now.us + wait - 1}) > 0);
        assert_int_equal(refused_us(&a, 1, (struct mono){now.us + wait}), 0);
        admission_done(&a);
    }
}

static void a_burst_is_a_tenth_of_a_second_however_long_it_was_quiet(void **state)
{
    struct admission a;
    unsigned n = 0;

    (void)state;
    admission_init(&a, 50, 0);
    assert_int_equal(refused_us(&a, 1, at(0)), 0);
    while (refused_us(&a, 1, at(INT64_C(100000) * US_PER_S)) == 0)
        n++;
    assert_int_equal(n, 5);
    assert_int_equal(refused_us(&a, 2, at(0)), 0); /* another target has its own */
    admission_done(&a);
}

static void a_target_that_says_nothing_is_left_alone_then_probed_at_growing_intervals(void **state)
{
    struct admission a;
    int64_t now = 0;
    int64_t last = 0;
    int64_t wait;

    (void)state;
    admission_init(&a, 0, 3);
    silent_times(&a, 1, 2, at(now));
    assert_int_equal(refused_us(&a, 1, at(now)), 0);
    assert_int_equal(attempt(&a, 1, ADMISSION_SILENT, at(now)), CIRCUIT_OPENED);
    assert_int_equal(stats_of(&a).circuits_open, 1);
    for (int i = 0; i < 12; i++) {
        wait = refused_us(&a, 1, at(now));
        assert_in_range(wait, 750 * US_PER_MS, 60 * US_PER_S);
        if (last < 40 * US_PER_S)
            assert_true(wait > last);
        last = wait;
        assert_true(refused_us(&a, 1, at(now + wait - 1)) > 0);
        now += wait;
        assert_int_equal(refused_us(&a, 1, at(now)), 0);
        assert_true(refused_us(&a, 1, at(now)) > 0); /* one at a time */
        assert_int_equal(attempt(&a, 1, ADMISSION_SILENT, at(now)), CIRCUIT_SAME);
    }
    assert_true(last >= 45 * US_PER_S);
    assert_int_equal(stats_of(&a).circuits_opened, 1);
    assert_int_equal(stats_of(&a).circuits_closed, 0);
    admission_done(&a);
}

static void any_answer_closes_the_circuit(void **state)
{
    struct admission a;
    int early = 0;

    (void)state;
    admission_init(&a, 0, 3);
    /* Not in a row. */
    silent_times(&a, 1, 2, at(0));
    attempt(&a, 1, ADMISSION_ANSWERED, at(0));
    silent_times(&a, 1, 2, at(0));
    assert_int_equal(stats_of(&a).circuits_open, 0);
    assert_int_equal(refused_us(&a, 1, at(0)), 0);
    /* That of the probe. */
    attempt(&a, 1, ADMISSION_SILENT, at(0));
    assert_int_equal(refused_us(&a, 1, at(US_PER_S)), 0);
    assert_int_equal(attempt(&a, 1, ADMISSION_ANSWERED, at(US_PER_S)), CIRCUIT_CLOSED_AGAIN);
    assert_int_equal(stats_of(&a).circuits_open, 0);
    assert_int_equal(refused_us(&a, 1, at(US_PER_S)), 0);
    assert_int_equal(refused_us(&a, 1, at(US_PER_S)), 0);
    /* That of one that had begun before. */
    admission_began(&a, target(1), &early);
    silent_times(&a, 1, 3, at(2 * US_PER_S));
    assert_int_equal(stats_of(&a).circuits_open, 1);
    admission_ended(&a, target(1), &early, ADMISSION_ANSWERED, at(2 * US_PER_S));
    assert_int_equal(stats_of(&a).circuits_open, 0);
    assert_int_equal(stats_of(&a).circuits_closed, 2);
    /* The next time it begins with a short pause again. */
    silent_times(&a, 1, 3, at(3 * US_PER_S));
    assert_in_range(refused_us(&a, 1, at(3 * US_PER_S)), 1, US_PER_S);
    admission_done(&a);
}

static void who_had_begun_before_does_not_speak_for_the_probe(void **state)
{
    struct admission a;
    int early = 0;
    int probe = 0;
    int64_t wait;

    (void)state;
    admission_init(&a, 0, 1);
    admission_began(&a, target(1), &early);
    attempt(&a, 1, ADMISSION_SILENT, at(0));
    wait = refused_us(&a, 1, at(0));
    assert_int_equal(refused_us(&a, 1, at(wait)), 0);
    admission_began(&a, target(1), &probe);
    admission_ended(&a, target(1), &early, ADMISSION_SILENT, at(wait));
    assert_true(refused_us(&a, 1, at(wait)) > 5 * US_PER_S); /* the probe is still out */
    /* Given up, it says nothing: the next one goes at once. */
    admission_ended(&a, target(1), &probe, ADMISSION_UNKNOWN, at(wait));
    assert_int_equal(refused_us(&a, 1, at(wait)), 0);
    /* One that is never heard of does not keep the circuit open for ever. */
    assert_int_equal(refused_us(&a, 1, at(wait + TIMEOUT_US + 10 * US_PER_S)), 0);
    admission_done(&a);
}

static void what_says_nothing_of_the_target_counts_for_nothing(void **state)
{
    struct admission a;

    (void)state;
    admission_init(&a, 0, 2);
    for (int i = 0; i < 10; i++)
        attempt(&a, 1, ADMISSION_UNKNOWN, at(0));
    assert_int_equal(a.targets.n, 0);
    attempt(&a, 1, ADMISSION_SILENT, at(0));
    attempt(&a, 1, ADMISSION_UNKNOWN, at(0));
    attempt(&a, 1, ADMISSION_SILENT, at(0));
    assert_int_equal(stats_of(&a).circuits_open, 1);
    admission_done(&a);
}

static void only_so_many_targets_are_remembered(void **state)
{
    struct admission a;

    (void)state;
    admission_init(&a, 5, 2);
    for (unsigned n = 0; n < 3 * ADMISSION_TARGETS_MAX; n++)
        silent_times(&a, n, 2, at(n));
    assert_in_range(a.targets.n, 1, ADMISSION_TARGETS_MAX);
    assert_int_equal(stats_of(&a).circuits_open, a.targets.n);
    admission_done(&a);
    /* What is well and quiet goes before. */
    admission_init(&a, 5, 2);
    for (unsigned n = 0; n < 1000; n++)
        assert_int_equal(refused_us(&a, n, at((int64_t)n * US_PER_S)), 0);
    assert_in_range(a.targets.n, 1, 3);
    admission_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_everything_may_begin_and_nothing_is_remembered),
        cmocka_unit_test(a_target_gets_so_many_attempts_a_second),
        cmocka_unit_test(the_time_it_names_is_the_time_it_lets_the_next_one_go),
        cmocka_unit_test(a_burst_is_a_tenth_of_a_second_however_long_it_was_quiet),
        cmocka_unit_test(a_target_that_says_nothing_is_left_alone_then_probed_at_growing_intervals),
        cmocka_unit_test(any_answer_closes_the_circuit),
        cmocka_unit_test(who_had_begun_before_does_not_speak_for_the_probe),
        cmocka_unit_test(what_says_nothing_of_the_target_counts_for_nothing),
        cmocka_unit_test(only_so_many_targets_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
