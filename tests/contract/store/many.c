/*
 * many.c: what is asked of many schedules at once is what is asked of each, one after another.
 */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/random.h"

#define DELAY "\"type\":\"delay\",\"schedule\":\"1000000\""

enum { SCHEDULES = 14, RUNS = 160, MOST = 1000 };

struct scene {
    struct uuid ids[SCHEDULES]; /* sorted; the last two are nobody's, and nobody's with runs left */
    struct uuid runs[RUNS];
    struct rng rng;
};

static int by_id(const void *a, const void *b)
{
    return uuid_cmp(*(const struct uuid *)a, *(const struct uuid *)b);
}

/* A run under way, and what became of it. */
static struct uuid one_run(struct ground *g, struct rng *rng, struct uuid schedule)
{
    static const enum run_state ends[] = {RUN_SUCCEEDED, RUN_FAILED,    RUN_DEAD,
                                          RUN_RETRYING,  RUN_SUCCEEDED, RUN_SKIPPED,
                                          RUN_PENDING,   RUN_RUNNING,   RUN_CANCELLED};
    enum run_state end = ends[rng_below(rng, COUNT_OF(ends))];
    struct run run = {.id = uuid_v7(g->now),
                      .schedule_id = schedule,
                      .schedule_version = 1,
                      .scheduled_at = g->now,
                      .due_at = g->now,
                      .state = RUN_RUNNING,
                      .attempt = 1,
                      .lease_token = 7,
                      .lease_until = wall_add(g->now, 10000 * SECOND)};
    struct claimed c = {.run = run};
    struct error err = {0};

    begin(g);
    ok(insert_run(g, &run, &err), &err);
    commit(g);
    c.schedule = define(g, "any", DELAY);
    if (end != RUN_RUNNING) {
        struct outcome o = outcome_of(g, &c, end);

        if (end == RUN_PENDING)
            o.due_at = wall_add(g->now, 10000 * SECOND);
        (void)recorded(g, o);
    }
    schedule_unref(c.schedule);
    sleep_us(g, (int64_t)rng_below(rng, 3 * SECOND));
    return run.id;
}

static struct scene populate(struct ground *g)
{
    struct scene s = {.rng = {20261123}};
    struct error err = {0};

    for (size_t i = 0; i < SCHEDULES - 1; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%zu", i);
        s.ids[i] = registered_as(g, key, DELAY);
        sleep_us(g, SECOND);
    }
    s.ids[SCHEDULES - 1] = (struct uuid){{1, 2, 3}};
    /* One has no runs, and some have many more than others. */
    for (size_t i = 0; i < RUNS; i++) {
        uint64_t wide = rng_below(&s.rng, SCHEDULES - 2);

        s.runs[i] = one_run(g, &s.rng, s.ids[rng_below(&s.rng, wide + 1)]);
    }
    begin(g);
    ok(store_remove_id(g->s, s.ids[1], 0, g->now, &err), &err);
    commit(g);
    qsort(s.ids, SCHEDULES, sizeof(s.ids[0]), by_id);
    return s;
}

static void assert_same_record(const struct record *a, const struct record *b)
{
    assert_true(uuid_eq(a->id, b->id));
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->created_at.us, b->created_at.us);
    assert_string_equal(a->definition, b->definition);
    assert_int_equal(a->definition_n, b->definition_n);
    assert_int_equal(a->timer.state, b->timer.state);
    assert_int_equal(a->timer.next_at.us, b->timer.next_at.us);
    assert_int_equal(a->last_at.us, b->last_at.us);
    assert_int_equal(a->open_runs, b->open_runs);
}

static void many_schedules_are_those_that_are_there_one_by_one(void **state)
{
    struct ground *g = *state;
    struct scene s = populate(g);
    CLEANUP(record_list_done) struct record_list all = {0};
    struct error err = {0};
    size_t at = 0;

    begin(g);
    ok(store_get_many(g->s, s.ids, SCHEDULES, &all, &err), &err);
    commit(g);
    assert_int_equal(all.n, SCHEDULES - 2);
    for (size_t i = 0; i < SCHEDULES; i++) {
        struct record one = {0};
        enum err e;

        begin(g);
        e = store_get(g->s, s.ids[i], &one, NULL);
        commit(g);
        if (e == ERR_NONE)
            assert_same_record(&one, &all.items[at++]);
        record_done(&one);
    }
    assert_int_equal(at, all.n);
}

static void assert_same_run(const struct run_record *a, const struct run_record *b)
{
    assert_true(uuid_eq(a->run.id, b->run.id));
    assert_true(uuid_eq(a->run.schedule_id, b->run.schedule_id));
    assert_int_equal(a->run.state, b->run.state);
    assert_int_equal(a->run.scheduled_at.us, b->run.scheduled_at.us);
    assert_int_equal(a->run.due_at.us, b->run.due_at.us);
    assert_int_equal(a->run.attempt, b->run.attempt);
    assert_int_equal(a->started_at.us, b->started_at.us);
    assert_int_equal(a->ended_at.us, b->ended_at.us);
    assert_int_equal(a->took_us, b->took_us);
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->error, b->error);
}

/* With what list_runs() gives of one after another. How many there are. */
static size_t compare_pages(struct ground *g, const struct scene *s, struct run_filter f)
{
    CLEANUP(run_record_list_done) struct run_record_list all = {0};
    struct error err = {0};
    size_t n = 0;

    begin(g);
    ok(store_list_runs_of(g->s, s->ids, SCHEDULES, &f, MOST, &all, &err), &err);
    for (size_t i = 0; i < SCHEDULES; i++) {
        CLEANUP(run_record_list_done) struct run_record_list page = {0};

        f.schedule_id = s->ids[i];
        ok(store_list_runs(g->s, &f, &page, &err), &err);
        assert_true(page.n <= f.limit && n + page.n <= all.n);
        for (size_t k = 0; k < page.n; k++)
            assert_same_run(&all.items[n++], &page.items[k]);
    }
    commit(g);
    assert_int_equal(all.n, n);
    return n;
}

static void pages_of_many_schedules_are_the_pages_of_each(void **state)
{
    struct ground *g = *state;
    struct scene s = populate(g);
    static const size_t limits[] = {1, 3, 10, 1000};
    size_t seen = 0;

    for (int st = -1; st <= (int)RUN_CANCELLED; st++) {
        for (size_t i = 0; i < COUNT_OF(limits); i++) {
            struct run_filter f = {.state = st, .limit = limits[i]};

            seen += compare_pages(g, &s, f);
            f.before = s.runs[rng_below(&s.rng, RUNS)];
            seen += compare_pages(g, &s, f);
        }
    }
    assert_true(seen > 1000);
    assert_int_equal(compare_pages(g, &s, (struct run_filter){.state = -1, .limit = 1000}), RUNS);
}

static void more_than_may_be_given_is_told_and_the_transaction_goes_on(void **state)
{
    struct ground *g = *state;
    struct scene s = populate(g);
    CLEANUP(run_record_list_done) struct run_record_list l = {0};
    struct run_filter f = {.state = -1, .limit = 1000};
    struct error err = {0};

    begin(g);
    assert_int_equal(store_list_runs_of(g->s, s.ids, SCHEDULES, &f, RUNS - 1, &l, NULL), ERR_TOO_LARGE);
    l.n = 0;
    ok(store_list_runs_of(g->s, s.ids, SCHEDULES, &f, RUNS, &l, &err), &err);
    commit(g);
    assert_int_equal(l.n, RUNS);
}

static void nothing_is_asked_of_none(void **state)
{
    struct ground *g = *state;
    CLEANUP(run_record_list_done) struct run_record_list runs = {0};
    CLEANUP(record_list_done) struct record_list records = {0};
    struct run_filter f = {.state = -1, .limit = 10};
    struct error err = {0};

    begin(g);
    ok(store_list_runs_of(g->s, NULL, 0, &f, 10, &runs, &err), &err);
    ok(store_get_many(g->s, NULL, 0, &records, &err), &err);
    commit(g);
    assert_int_equal(runs.n + records.n, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(many_schedules_are_those_that_are_there_one_by_one),
    cmocka_unit_test(pages_of_many_schedules_are_the_pages_of_each),
    cmocka_unit_test(more_than_may_be_given_is_told_and_the_transaction_goes_on),
    cmocka_unit_test(nothing_is_asked_of_none),
};
SUITE(many, tests);
