/*
 * monitor.c: cases with a simulated clock and a store that elects as the real one does: who beats when, who
 * is the monitor, and that never two are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/monitor.h"

enum { MEMBERS = 3 };
#define SECOND US_PER_S

/* What the store knows: its clock runs with the instances', but shows something else. */
struct world {
    struct mono now;
    size_t holder; /* MEMBERS: none */
    struct mono lease_until;
    struct member {
        struct monitor m;
        bool runs;
        bool busy;
        struct monitor_word said;
        struct mono said_at;
        int beats;
    } members[MEMBERS];
};

static const struct monitor_options candidate = {.candidate = true};

static struct world world_of(size_t n)
{
    struct world w = {.now = {1000 * SECOND}, .holder = MEMBERS};

    for (size_t i = 0; i < n; i++) {
        w.members[i].runs = true;
        monitor_init(&w.members[i].m, &candidate, w.now);
    }
    return w;
}

static void elect(struct world *w, size_t i)
{
    const struct monitor_word *word = &w->members[i].said;

    if (word->monitor_us > 0 && (w->holder == i || w->holder == MEMBERS || w->lease_until.us < w->now.us)) {
        w->holder = i;
        w->lease_until = mono_add(w->now, word->monitor_us);
    } else if (word->monitor_us <= 0 && w->holder == i) {
        w->holder = MEMBERS;
    }
}

static bool another_is_busy(const struct world *w, size_t i)
{
    for (size_t k = 0; k < MEMBERS; k++) {
        const struct member *other = &w->members[k];

        if (k != i && other->beats > 0 && mono_add(other->said_at, other->said.good_us).us >= w->now.us &&
            monitor_is_busy_word(&w->members[i].m, other->said.good_us))
            return true;
    }
    return false;
}

/* One look of one member; its beat is answered at once. */
static void look(struct world *w, size_t i)
{
    struct member *x = &w->members[i];
    struct monitor_word word;

    if (!x->runs)
        return;
    if (x->busy)
        monitor_busy(&x->m, w->now);
    if (!monitor_beat(&x->m, w->now, &word))
        return;
    x->said = word;
    x->said_at = w->now;
    x->beats++;
    elect(w, i);
    monitor_answered(&x->m, w->now, w->holder == i && w->lease_until.us >= w->now.us, another_is_busy(w, i));
}

static size_t believers(const struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < MEMBERS; i++)
        n += w->members[i].beats > 0 && monitor_is(&w->members[i].m, w->now);
    return n;
}

static void run_for(struct world *w, int64_t us)
{
    const int64_t step = SECOND / 10;

    for (int64_t t = 0; t < us; t += step) {
        for (size_t i = 0; i < MEMBERS; i++)
            look(w, i);
        assert_true(believers(w) <= 1);
        w->now = mono_add(w->now, step);
    }
}

static void the_first_beat_is_at_once_and_elects(void **state)
{
    struct world w = world_of(1);

    (void)state;
    assert_false(monitor_is(&w.members[0].m, w.now));
    look(&w, 0);
    assert_int_equal(w.members[0].beats, 1);
    assert_true(monitor_is(&w.members[0].m, w.now));
}

static void an_idle_instance_beats_twice_a_minute(void **state)
{
    struct world w = world_of(2);

    (void)state;
    run_for(&w, 600 * SECOND);
    assert_in_range(w.members[0].beats, 19, 21);
    assert_in_range(w.members[1].beats, 19, 21);
    assert_int_equal(believers(&w), 1);
}

static void a_busy_instance_beats_every_three_seconds(void **state)
{
    struct world w = world_of(1);

    (void)state;
    w.members[0].busy = true;
    run_for(&w, 60 * SECOND);
    assert_in_range(w.members[0].beats, 19, 22);
}

static void who_begins_to_fire_says_so_within_a_second(void **state)
{
    struct world w = world_of(1);

    (void)state;
    run_for(&w, 10 * SECOND);
    assert_int_equal(w.members[0].beats, 1);
    w.members[0].busy = true;
    run_for(&w, SECOND);
    assert_int_equal(w.members[0].beats, 2);
    assert_int_equal(w.members[0].said.good_us, 9 * SECOND);
    w.members[0].busy = false;
    run_for(&w, 10 * SECOND);
    assert_int_equal(w.members[0].said.good_us, 75 * SECOND);
}

static void a_monitor_that_dies_under_load_is_followed_within_twelve_seconds(void **state)
{
    struct world w = world_of(3);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        w.members[i].busy = true;
    run_for(&w, 20 * SECOND);
    assert_int_equal(w.holder, 0);
    w.members[0].runs = false;
    run_for(&w, 12 * SECOND + SECOND / 2);
    assert_int_not_equal(w.holder, 0);
    assert_int_equal(believers(&w), 1);
}

/* The monitor itself has nothing to do; another fires, and a third is as idle as the monitor. */
static void an_idle_monitor_that_dies_while_another_fires_is_followed_too(void **state)
{
    struct world w = world_of(3);

    (void)state;
    run_for(&w, 5 * SECOND);
    w.members[1].busy = true;
    run_for(&w, 60 * SECOND);
    assert_int_equal(w.holder, 0);
    w.members[0].runs = false;
    run_for(&w, 15 * SECOND + SECOND / 2);
    assert_int_not_equal(w.holder, 0);
}

static void who_only_watches_keeps_nobody_awake(void **state)
{
    struct world w = world_of(3);
    int before[MEMBERS];

    (void)state;
    w.members[1].busy = true;
    run_for(&w, 60 * SECOND);
    w.members[1].busy = false;
    run_for(&w, 60 * SECOND);
    for (size_t i = 0; i < MEMBERS; i++)
        before[i] = w.members[i].beats;
    run_for(&w, 300 * SECOND);
    for (size_t i = 0; i < MEMBERS; i++)
        assert_in_range(w.members[i].beats - before[i], 9, 11);
}

static void who_may_not_be_the_monitor_asks_for_nothing_and_watches_nobody(void **state)
{
    const struct monitor_options none = {.candidate = false};
    struct world w = world_of(2);

    (void)state;
    monitor_init(&w.members[0].m, &none, w.now);
    w.members[1].busy = true;
    run_for(&w, 300 * SECOND);
    assert_int_equal(w.holder, 1);
    assert_int_equal(w.members[0].said.monitor_us, 0);
    assert_in_range(w.members[0].beats, 9, 11);
}

static void who_resigns_makes_room_at_once_and_goes_on_beating(void **state)
{
    struct world w = world_of(2);

    (void)state;
    for (size_t i = 0; i < 2; i++)
        w.members[i].busy = true;
    run_for(&w, 10 * SECOND);
    assert_int_equal(w.holder, 0);
    monitor_resign(&w.members[0].m, w.now);
    assert_false(monitor_is(&w.members[0].m, w.now));
    run_for(&w, SECOND / 10);
    assert_int_not_equal(w.holder, 0);
    run_for(&w, 4 * SECOND);
    assert_int_equal(w.holder, 1);
    assert_true(w.now.us - w.members[0].said_at.us < 4 * SECOND);
}

/* What is under way when it resigns would elect it. */
static void who_resigns_while_a_beat_is_out_sends_another(void **state)
{
    struct mono now = {SECOND};
    struct monitor_word word;
    struct monitor m;

    (void)state;
    monitor_init(&m, &candidate, now);
    assert_true(monitor_beat(&m, now, &word));
    assert_true(word.monitor_us > 0);
    monitor_resign(&m, now);
    assert_false(monitor_beat(&m, now, &word));
    now = mono_add(now, SECOND);
    monitor_answered(&m, now, true, false);
    assert_false(monitor_is(&m, now));
    assert_true(monitor_beat(&m, now, &word));
    assert_int_equal(word.monitor_us, 0);
}

/* A stall, a suspended machine: what was granted is counted from when it was asked for. */
static void an_answer_that_comes_late_elects_for_what_is_left(void **state)
{
    struct mono now = {SECOND};
    struct monitor_word word;
    struct monitor m;

    (void)state;
    monitor_init(&m, &candidate, now);
    assert_true(monitor_beat(&m, now, &word));
    now = mono_add(now, word.monitor_us);
    monitor_answered(&m, now, true, false);
    assert_false(monitor_is(&m, now));
}

static void a_failed_beat_is_repeated_and_takes_nothing_back(void **state)
{
    struct mono now = {SECOND};
    struct monitor_word word;
    struct monitor m;

    (void)state;
    monitor_init(&m, &candidate, now);
    assert_true(monitor_beat(&m, now, &word));
    monitor_answered(&m, now, true, false);
    now = mono_add(now, 30 * SECOND);
    assert_true(monitor_beat(&m, now, &word));
    assert_int_equal(monitor_wake_at(&m).us, INT64_MAX);
    monitor_failed(&m, now);
    assert_true(monitor_is(&m, now));
    assert_int_equal(monitor_wake_at(&m).us, now.us + 3 * SECOND);
    now = mono_add(now, 45 * SECOND);
    assert_false(monitor_is(&m, now));
}

static void who_is_alone_is_the_monitor_and_tells_nobody(void **state)
{
    struct mono now = {SECOND};
    struct monitor_word word;
    struct monitor m;

    (void)state;
    monitor_init(&m, &candidate, now);
    assert_true(monitor_beat(&m, now, &word));
    monitor_alone(&m);
    now = mono_add(now, 1000 * SECOND);
    monitor_busy(&m, now);
    assert_true(monitor_is(&m, now));
    assert_false(monitor_beat(&m, now, &word));
    assert_int_equal(monitor_wake_at(&m).us, INT64_MAX);
    monitor_resign(&m, now);
    assert_false(monitor_is(&m, now));
}

static void a_beat_that_is_wanted_comes_at_once_and_but_once(void **state)
{
    struct monitor_word word;
    struct mono now = {1000 * SECOND};
    struct monitor m;

    (void)state;
    monitor_init(&m, &candidate, now);
    assert_true(monitor_beat(&m, now, &word));
    monitor_hurry(&m, now); /* one is out, but its answer may be older than the wish */
    assert_false(monitor_beat(&m, now, &word));
    monitor_answered(&m, now, true, false);
    assert_true(monitor_beat(&m, now, &word));
    monitor_answered(&m, now, true, false);
    assert_false(monitor_beat(&m, now, &word));
    now = mono_add(now, SECOND);
    monitor_hurry(&m, now);
    assert_int_equal(monitor_wake_at(&m).us, now.us);
    assert_true(monitor_beat(&m, now, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_beat_is_at_once_and_elects),
        cmocka_unit_test(an_idle_instance_beats_twice_a_minute),
        cmocka_unit_test(a_busy_instance_beats_every_three_seconds),
        cmocka_unit_test(who_begins_to_fire_says_so_within_a_second),
        cmocka_unit_test(a_monitor_that_dies_under_load_is_followed_within_twelve_seconds),
        cmocka_unit_test(an_idle_monitor_that_dies_while_another_fires_is_followed_too),
        cmocka_unit_test(who_only_watches_keeps_nobody_awake),
        cmocka_unit_test(who_may_not_be_the_monitor_asks_for_nothing_and_watches_nobody),
        cmocka_unit_test(who_resigns_makes_room_at_once_and_goes_on_beating),
        cmocka_unit_test(who_resigns_while_a_beat_is_out_sends_another),
        cmocka_unit_test(an_answer_that_comes_late_elects_for_what_is_left),
        cmocka_unit_test(a_failed_beat_is_repeated_and_takes_nothing_back),
        cmocka_unit_test(a_beat_that_is_wanted_comes_at_once_and_but_once),
        cmocka_unit_test(who_is_alone_is_the_monitor_and_tells_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
