/*
 * claim.c: what is due becomes leased runs, once; what was lost or waits is taken over in time.
 */
#include "suites.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "model/run.h"

#define DELAY "\"type\":\"delay\",\"schedule\":\"50\""
#define NOWISH "\"type\":\"now\""
#define SECONDLY "\"type\":\"cron\",\"schedule\":\"* * * * * *\""

static void what_is_due_is_claimed_once(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct claim_result again = claim_n(g, 0);
    const struct run *run = &c.items[0].run;

    assert_true(uuid_eq(run->schedule_id, id));
    assert_int_equal(run->schedule_version, 1);
    assert_int_equal(run->scheduled_at.us, g->now.us);
    assert_int_equal(run->due_at.us, g->now.us);
    assert_int_equal(run->state, RUN_RUNNING);
    assert_int_equal(run->attempt, 1);
    assert_int_equal(run->failures, 0);
    assert_true(run->lease_token > 0 && run->lease_token <= INT64_MAX);
    assert_int_equal(run->lease_until.us, g->now.us + 30 * SECOND);
    assert_true(str_eq(c.items[0].schedule->name, STR("k")));
    assert_int_equal(c.now.us, g->now.us);
    claim_result_done(&c);
    claim_result_done(&again);
}

static void a_claimed_run_can_be_read(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct run_record r = run_of(g, c.items[0].run.id);
    struct record rec = record_of(g, id);

    assert_true(uuid_eq(r.run.id, c.items[0].run.id));
    assert_true(uuid_eq(r.run.schedule_id, id));
    assert_int_equal(r.run.scheduled_at.us, g->now.us);
    assert_int_equal(r.run.state, RUN_RUNNING);
    assert_int_equal(r.run.attempt, 1);
    assert_int_equal(r.run.lease_until.us, g->now.us + 30 * SECOND);
    assert_true(wall_is_never(r.started_at));
    assert_true(wall_is_never(r.ended_at));
    assert_int_equal(rec.open_runs, 1);
    assert_int_equal(rec.timer.runs, 1);
    record_done(&rec);
    claim_result_done(&c);
}

static void a_claim_looks_a_horizon_ahead_and_no_farther(void **state)
{
    struct ground *g = *state;
    struct claim_result c;

    (void)registered_as(g, "near", "\"type\":\"delay\",\"schedule\":\"1\"");
    (void)registered_as(g, "far", "\"type\":\"delay\",\"schedule\":\"1.000001\"");
    c = claim_n(g, 1);
    assert_true(str_eq(c.items[0].schedule->name, STR("near")));
    assert_int_equal(c.items[0].run.due_at.us, g->now.us + SECOND);
    assert_int_equal(c.next_due.us, g->now.us + SECOND + 1);
    claim_result_done(&c);
}

static void next_due_is_never_when_nothing_waits(void **state)
{
    struct ground *g = *state;
    struct claim_result c = claim_n(g, 0);

    assert_true(wall_is_never(c.next_due));
    claim_result_done(&c);
}

static void next_due_is_the_earliest_of_timers_retries_and_leases(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct claim_result none;
    struct wall began = g->now;

    (void)registered_as(g, "a", NOWISH);
    (void)registered_as(g, "b", NOWISH);
    (void)registered_as(g, "timer", "\"type\":\"delay\",\"schedule\":\"90\"");
    c = claim_n(g, 2);
    assert_int_equal(c.next_due.us, began.us + 30 * SECOND); /* the leases */
    (void)ended(g, &c.items[0], RUN_RETRYING);               /* at +60 s */
    none = claim_n(g, 0);
    assert_int_equal(none.next_due.us, began.us + 30 * SECOND);
    claim_result_done(&none);
    (void)ended(g, &c.items[1], RUN_SUCCEEDED);
    none = claim_n(g, 0);
    assert_int_equal(none.next_due.us, began.us + 60 * SECOND);
    claim_result_done(&none);
    claim_result_done(&c);
    sleep_us(g, 60 * SECOND);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
    c = claim_n(g, 0);
    assert_int_equal(c.next_due.us, began.us + 90 * SECOND);
    claim_result_done(&c);
}

static void a_claim_that_reached_its_limit_says_that_more_is_due(void **state)
{
    struct ground *g = *state;
    struct claim_result c;

    for (int i = 0; i < 5; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%d", i);
        (void)registered_as(g, key, NOWISH);
        sleep_us(g, 1000);
    }
    c = claim_limit(g, 2);
    assert_int_equal(c.n, 2);
    assert_true(str_eq(c.items[0].schedule->name, STR("k0"))); /* the earliest first */
    assert_true(str_eq(c.items[1].schedule->name, STR("k1")));
    assert_true(c.next_due.us <= g->now.us);
    claim_result_done(&c);
    c = claim_limit(g, 3);
    assert_int_equal(c.n, 3);
    assert_true(c.next_due.us > g->now.us);
    claim_result_done(&c);
}

static void a_retry_is_claimed_when_it_is_due_with_the_next_attempt(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct claim_result retry;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_RETRYING); /* in 60 s */
    sleep_us(g, 58 * SECOND);
    retry = claim_n(g, 0);
    claim_result_done(&retry);
    sleep_us(g, SECOND);
    retry = claim_n(g, 1);
    assert_true(uuid_eq(retry.items[0].run.id, c.items[0].run.id));
    assert_int_equal(retry.items[0].run.attempt, 2);
    assert_int_equal(retry.items[0].run.failures, 1);
    assert_int_equal(retry.items[0].run.state, RUN_RUNNING);
    assert_int_equal(retry.items[0].run.due_at.us, g->now.us + SECOND);
    assert_int_equal(retry.items[0].run.scheduled_at.us, c.items[0].run.scheduled_at.us);
    assert_true(retry.items[0].run.lease_token != c.items[0].run.lease_token);
    assert_int_equal(retry.items[0].run.lease_until.us, g->now.us + 30 * SECOND);
    claim_result_done(&c);
    claim_result_done(&retry);
}

static void a_retry_does_not_wait_for_the_end_of_what_is_due(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct uuid retried;
    bool there = false;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    retried = c.items[0].run.id;
    (void)ended(g, &c.items[0], RUN_RETRYING);
    claim_result_done(&c);
    sleep_us(g, 60 * SECOND);
    for (int i = 0; i < 10; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "n%d", i);
        (void)registered_as(g, key, NOWISH);
    }
    c = claim_limit(g, 4); /* more than that is due */
    assert_int_equal(c.n, 4);
    for (size_t i = 0; i < c.n; i++)
        there = there || uuid_eq(c.items[i].run.id, retried);
    assert_true(there);
    claim_result_done(&c);
}

static void even_a_claim_of_one_run_does_not_starve_retries(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct uuid retried;
    bool there = false;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    retried = c.items[0].run.id;
    (void)ended(g, &c.items[0], RUN_RETRYING);
    claim_result_done(&c);
    sleep_us(g, 60 * SECOND);
    for (int i = 0; i < 10; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "n%d", i);
        (void)registered_as(g, key, NOWISH);
    }
    for (int i = 0; i < 4; i++) {
        c = claim_limit(g, 1);
        assert_int_equal(c.n, 1);
        there = there || uuid_eq(c.items[0].run.id, retried);
        claim_result_done(&c);
        sleep_us(g, 1);
    }
    assert_true(there);
}

/* `n` that fire each second and are skipped while their run is open, which it is. */
static void overlapping(struct ground *g, int n)
{
    struct claim_result c;

    for (int i = 0; i < n; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%d", i);
        (void)registered_as(g, key, SECONDLY);
    }
    c = claim_n(g, (size_t)n);
    claim_result_done(&c);
}

static void a_claim_among_timers_that_make_no_run_says_that_there_is_more(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    int claims = 0;

    overlapping(g, 10);
    sleep_us(g, 2 * SECOND + 1000);
    (void)registered_as(g, "new", NOWISH); /* behind all the others */
    do {
        c = claim_limit(g, 4);
        if (c.n == 0)
            assert_true(c.more);
        claims++;
        if (c.n == 0)
            claim_result_done(&c);
    } while (c.n == 0 && claims < 10);
    assert_int_equal(c.n, 1);
    assert_int_equal(claims, 4);
    claim_result_done(&c);
}

static void what_is_put_off_to_its_time_is_not_asked_for_again_at_once(void **state)
{
    struct ground *g = *state;
    struct claim_result c;

    overlapping(g, 10);
    sleep_us(g, SECOND + SECOND / 2); /* the next occurrences are half a second ahead */
    c = claim_limit(g, 4);
    for (int i = 0; i < 10 && c.more; i++) { /* those that are due are counted first */
        claim_result_done(&c);
        c = claim_limit(g, 4);
    }
    assert_int_equal(c.n, 0);
    assert_false(c.more);
    claim_result_done(&c);
}

static int64_t open_runs(struct ground *g)
{
    struct store_stats s = stats_of(g);

    return s.runs[RUN_PENDING] + s.runs[RUN_RUNNING];
}

static void runs_that_wait_count_against_the_limit(void **state)
{
    struct ground *g = *state;
    struct claim_result c;

    for (int i = 0; i < 5; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%d", i);
        (void)registered_as(g, key, SECONDLY ",\"misfire\":\"all\"");
    }
    sleep_us(g, 20 * SECOND);
    c = claim_limit(g, 8);
    assert_int_equal(c.n, 1); /* and 19 or so that wait for it */
    assert_true(open_runs(g) <= 21);
    assert_true(c.more);
    claim_result_done(&c);
    c = claim_limit(g, 8);
    assert_int_equal(c.n, 1);
    assert_true(open_runs(g) <= 42);
    claim_result_done(&c);
}

/* So large that two of them are more than a claim reads. */
static void register_large(struct ground *g, const char *key, const char *members)
{
    enum { N = CLAIM_BYTES_MAX / 3 * 2 };
    CLEANUP(buf_done_p) struct buf text;
    struct schedule *s;

    buf_init(&text, 2 * N);
    buf_addf(&text,
             "{\"name\":\"%s\",\"client\":{\"key\":\"%s\"},%s,\"task\":{\"type\":\"rest\",\"connection\":{"
             "\"host\":"
             "\"http://localhost/\"},\"failed_policy\":\"retry\",\"retry_wait\":60,\"data\":\"",
             key, key, members);
    for (size_t i = 0; i < N / 64; i++)
        buf_add(&text, STR("0123456789012345678901234567890123456789012345678901234567890123"));
    buf_add(&text, STR("\"}}"));
    assert_non_null(buf_cstr(&text));
    s = define_json(g, buf_cstr(&text));
    (void)registered(g, s);
    schedule_unref(s);
}

static void a_claim_reads_so_many_bytes_of_definitions_and_says_that_there_is_more(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct claim_result rest;

    register_large(g, "a", NOWISH);
    register_large(g, "b", NOWISH);
    register_large(g, "c", NOWISH);
    c = claim_n(g, 2);
    assert_true(c.more);
    assert_true(c.items[0].bytes > CLAIM_BYTES_MAX / 2);
    rest = claim_n(g, 1);
    assert_false(rest.more);
    /* The same of those that are taken over. */
    (void)ended(g, &c.items[0], RUN_RETRYING);
    (void)ended(g, &c.items[1], RUN_RETRYING);
    (void)ended(g, &rest.items[0], RUN_RETRYING);
    claim_result_done(&c);
    claim_result_done(&rest);
    sleep_us(g, 60 * SECOND);
    c = claim_n(g, 2);
    claim_result_done(&c);
    c = claim_n(g, 1);
    claim_result_done(&c);
}

static void a_run_is_taken_over_when_its_lease_has_ended(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct claim_result heir;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    sleep_us(g, 30 * SECOND);
    heir = claim_n(g, 0); /* it ends now: still its holder's */
    claim_result_done(&heir);
    sleep_us(g, 1);
    heir = claim_n(g, 1);
    assert_true(uuid_eq(heir.items[0].run.id, c.items[0].run.id));
    assert_int_equal(heir.items[0].run.attempt, 2);
    assert_int_equal(heir.items[0].run.failures, 0);
    assert_true(ended(g, &c.items[0], RUN_SUCCEEDED).stale); /* the zombie's */
    assert_int_equal(run_of(g, c.items[0].run.id).run.state, RUN_RUNNING);
    assert_false(ended(g, &heir.items[0], RUN_SUCCEEDED).stale);
    claim_result_done(&c);
    claim_result_done(&heir);
}

static bool is_too_late(const struct ground *g, const struct claim_result *c)
{
    return run_too_late(c->items[0].schedule, &c->items[0].run, g->now);
}

/* Its holder was lost with it; nobody knows of an attempt. */
static void max_lateness_holds_for_what_was_taken_over_unstarted(void **state)
{
    struct ground *g = *state;
    struct claim_result c;

    (void)registered_as(g, "k", NOWISH ",\"max_lateness\":10");
    c = claim_n(g, 1);
    claim_result_done(&c);
    sleep_us(g, 31 * SECOND);
    c = claim_n(g, 1);
    assert_int_equal(c.items[0].run.attempt, 2);
    assert_true(is_too_late(g, &c));
    claim_result_done(&c);
}

static void max_lateness_is_no_matter_once_an_attempt_was_made(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct outcome o;

    (void)registered_as(g, "k", NOWISH ",\"max_lateness\":10");
    c = claim_n(g, 1);
    /* Handed back in the middle of an attempt. */
    o = outcome_of(g, &c.items[0], RUN_PENDING);
    o.attempted = true;
    o.due_at = g->now;
    assert_int_equal(recorded(g, o).became, RUN_PENDING);
    claim_result_done(&c);
    c = claim_n(g, 1);
    claim_result_done(&c);
    sleep_us(g, 31 * SECOND);
    c = claim_n(g, 1);
    assert_int_equal(c.items[0].run.attempt, 3);
    assert_false(is_too_late(g, &c));
    claim_result_done(&c);
}

static void a_renewed_lease_holds_and_a_lost_one_is_named(void **state)
{
    struct ground *g = *state;
    struct uuid ids[3];
    uint64_t tokens[3];
    struct uuid_list lost = {0};
    struct error err = {0};
    struct claim_result c;
    struct claim_result none;

    (void)registered_as(g, "a", NOWISH);
    (void)registered_as(g, "b", NOWISH);
    c = claim_n(g, 2);
    (void)ended(g, &c.items[1], RUN_SUCCEEDED);
    ids[0] = c.items[0].run.id;
    tokens[0] = c.items[0].run.lease_token;
    ids[1] = c.items[1].run.id; /* ended */
    tokens[1] = c.items[1].run.lease_token;
    ids[2] = c.items[0].run.id; /* somebody else's token */
    tokens[2] = tokens[0] + 1;
    sleep_us(g, 20 * SECOND);
    begin(g);
    ok(store_renew(g->s, ids, tokens, 3, wall_add(g->now, 30 * SECOND), &lost, &err), &err);
    commit(g);
    assert_int_equal(lost.n, 2);
    assert_true(uuid_eq(lost.items[0], ids[1]));
    assert_true(uuid_eq(lost.items[1], ids[2]));
    uuid_list_done(&lost);
    sleep_us(g, 20 * SECOND); /* past the first lease's end */
    none = claim_n(g, 0);
    assert_int_equal(none.next_due.us, g->now.us + 10 * SECOND);
    claim_result_done(&none);
    claim_result_done(&c);
}

static void a_doomed_runs_lease_can_be_renewed(void **state)
{
    struct ground *g = *state;
    struct uuid_list lost = {0};
    struct error err = {0};
    struct claim_result c;

    (void)registered_as(g, "k", NOWISH);
    c = claim_n(g, 1);
    (void)registered_as(g, "k", DELAY); /* replaced */
    begin(g);
    ok(store_renew(g->s, &c.items[0].run.id, &c.items[0].run.lease_token, 1, wall_add(g->now, 60 * SECOND),
                   &lost, &err),
       &err);
    commit(g);
    assert_int_equal(lost.n, 0);
    claim_result_done(&c);
}

static void a_recurring_schedule_fires_at_each_occurrence(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct record r;

    for (int i = 1; i <= 3; i++) {
        struct claim_result c = claim_n(g, 1);

        assert_int_equal(c.items[0].run.scheduled_at.us, GROUND_NOW.us + i * SECOND);
        sleep_us(g, SECOND);
        (void)ended(g, &c.items[0], RUN_SUCCEEDED);
        claim_result_done(&c);
    }
    r = record_of(g, id);
    assert_int_equal(r.timer.runs, 3);
    assert_int_equal(r.timer.next_at.us, GROUND_NOW.us + 4 * SECOND);
    assert_int_equal(r.last_state, RUN_SUCCEEDED);
    assert_int_equal(r.last_at.us, g->now.us);
    record_done(&r);
}

static void what_was_missed_is_accounted_for(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct claim_result c;
    struct record r;

    sleep_us(g, 100 * SECOND); /* nothing was running */
    c = claim_n(g, 1);
    assert_int_equal(c.items[0].run.scheduled_at.us, g->now.us);
    r = record_of(g, id);
    assert_int_equal(r.timer.missed[MISSED_COALESCED], 99);
    assert_int_equal(r.timer.runs, 1);
    record_done(&r);
    claim_result_done(&c);
}

static void a_queued_occurrence_waits_and_is_released_by_the_end_of_the_one_before(void **state)
{
    struct ground *g = *state;
    struct claim_result first;
    struct claim_result second;
    struct outcome o;
    struct run_record_list l;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"overlap\":\"queue\"");

    first = claim_n(g, 1);
    sleep_us(g, 2 * SECOND);
    second = claim_n(g, 0); /* the second is made, but waits */
    claim_result_done(&second);
    l = runs_of(g, id);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.items[0].run.state, RUN_PENDING);
    assert_true(wall_is_never(l.items[0].run.due_at));
    assert_int_equal(l.items[0].run.attempt, 0);
    run_record_list_done(&l);
    o = ended(g, &first.items[0], RUN_SUCCEEDED);
    assert_int_equal(o.made_due.us, g->now.us);
    second = claim_n(g, 1);
    assert_int_equal(second.items[0].run.scheduled_at.us, GROUND_NOW.us + 2 * SECOND);
    assert_int_equal(second.items[0].run.attempt, 1);
    claim_result_done(&first);
    claim_result_done(&second);
}

/* Claimed ahead, and replaced before its time: it is doomed and will not start, but its holder has not said
 * so yet. */
static void what_was_replaced_before_its_time_is_not_overlapped_by_its_successor(void **state)
{
    struct ground *g = *state;
    struct claim_result old;
    struct claim_result c;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct record r;

    old = claim_n(g, 1); /* due in a second */
    sleep_us(g, SECOND - 3000);
    (void)registered_as(g, "k", SECONDLY ",\"max_runs\":9");
    sleep_us(g, 3000);
    c = claim_n(g, 0);
    assert_false(c.more);
    assert_true(c.next_due.us > g->now.us); /* or at once, when it is known what became of it */
    claim_result_done(&c);
    assert_int_equal(ended(g, &old.items[0], RUN_CANCELLED).became, RUN_CANCELLED);
    claim_result_done(&old);
    sleep_us(g, SECOND / 10);
    c = claim_n(g, 1);
    assert_int_equal(c.items[0].run.schedule_version, 2);
    assert_int_equal(c.items[0].run.scheduled_at.us, GROUND_NOW.us + SECOND);
    r = record_of(g, id);
    assert_int_equal(r.timer.missed[MISSED_OVERLAP], 0);
    record_done(&r);
    claim_result_done(&c);
}

/* Its holder has not heard of it, or is no more. */
static void what_was_replaced_and_does_not_end_is_overlapped_in_the_end(void **state)
{
    struct ground *g = *state;
    struct claim_result old;
    struct claim_result c;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct record r;

    old = claim_n(g, 1);
    sleep_us(g, SECOND - 3000);
    (void)registered_as(g, "k", SECONDLY ",\"max_runs\":9");
    for (int i = 0; i < 18; i++) {
        c = claim_n(g, 0);
        claim_result_done(&c);
        sleep_us(g, SECOND / 10);
    }
    r = record_of(g, id);
    assert_true(r.timer.missed[MISSED_OVERLAP] >= 1);
    record_done(&r);
    claim_result_done(&old);
}

static void what_was_replaced_in_its_time_is_overlapped_by_its_successor(void **state)
{
    struct ground *g = *state;
    struct claim_result old;
    struct claim_result c;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct record r;

    old = claim_n(g, 1);
    sleep_us(g, SECOND + 3000); /* it is under way */
    (void)registered_as(g, "k", SECONDLY ",\"max_runs\":9");
    sleep_us(g, SECOND);
    c = claim_n(g, 0);
    r = record_of(g, id);
    assert_int_equal(r.timer.missed[MISSED_OVERLAP], 1);
    record_done(&r);
    claim_result_done(&old);
    claim_result_done(&c);
}

static void overlap_replace_gives_up_what_is_open(void **state)
{
    struct ground *g = *state;
    struct claim_result first;
    struct claim_result second;
    struct uuid id = registered_as(g, "k", SECONDLY ",\"overlap\":\"replace\"");

    first = claim_n(g, 1);
    sleep_us(g, 2 * SECOND);
    second = claim_n(g, 1);
    assert_int_equal(second.replaced.n, 1);
    assert_true(uuid_eq(second.replaced.items[0], id));
    assert_int_equal(ended(g, &first.items[0], RUN_RETRYING).became, RUN_FAILED);
    assert_int_equal(run_of(g, second.items[0].run.id).run.state, RUN_RUNNING);
    claim_result_done(&first);
    claim_result_done(&second);
}

static struct run_insert run_at(struct ground *g, struct uuid schedule, struct wall scheduled_at)
{
    return (struct run_insert){.run = {.id = uuid_v7(g->now),
                                       .schedule_id = schedule,
                                       .schedule_version = 1,
                                       .scheduled_at = scheduled_at,
                                       .due_at = scheduled_at,
                                       .state = RUN_RUNNING,
                                       .attempt = 1,
                                       .lease_token = 77,
                                       .lease_until = wall_add(g->now, 30 * SECOND)}};
}

static void a_taken_identity_moves_on_instead_of_failing_the_group(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);
    struct run_insert runs[3] = {run_at(g, id, g->now), run_at(g, id, g->now), run_at(g, id, g->now)};
    struct error err = {0};

    begin(g);
    ok(store_insert_runs(g->s, runs, 3, &err), &err);
    commit(g);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(runs[i].run.scheduled_at.us, g->now.us + i);
        assert_int_equal(run_of(g, runs[i].run.id).run.scheduled_at.us, g->now.us + i);
    }
}

static void the_identity_of_an_ended_run_is_free_again(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", DELAY);
    struct uuid id = registered(g, s);
    struct run_insert first = run_at(g, id, g->now);
    struct run_insert dead = run_at(g, id, g->now);
    struct run_insert third = run_at(g, id, g->now);
    struct claimed c = {.schedule = s};
    struct error err = {0};

    begin(g);
    ok(store_insert_runs(g->s, &first, 1, &err), &err);
    commit(g);
    c.run = first.run;
    (void)ended(g, &c, RUN_SUCCEEDED);
    begin(g);
    ok(store_insert_runs(g->s, &dead, 1, &err), &err);
    commit(g);
    assert_int_equal(dead.run.scheduled_at.us, g->now.us);
    c.run = dead.run;
    (void)ended(g, &c, RUN_DEAD);
    begin(g);
    ok(store_insert_runs(g->s, &third, 1, &err), &err);
    commit(g);
    assert_int_equal(third.run.scheduled_at.us, g->now.us);
}

static void a_run_made_by_hand_is_claimed_like_any_other(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);
    struct run run = {.id = uuid_v7(g->now),
                      .schedule_id = id,
                      .schedule_version = 1,
                      .scheduled_at = g->now,
                      .due_at = g->now,
                      .state = RUN_PENDING};
    struct error err = {0};
    struct claim_result c;

    begin(g);
    ok(insert_run(g, &run, &err), &err);
    commit(g);
    c = claim_n(g, 1);
    assert_true(uuid_eq(c.items[0].run.id, run.id));
    assert_int_equal(c.items[0].run.attempt, 1);
    claim_result_done(&c);
}

static void a_definition_that_no_longer_decodes_stops_its_schedule_alone(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "broken", NOWISH);
    struct put p = {
        .schedule = s, .definition = STR("{\"type\":\"now\",\"timezone\":\"Nowhere/Gone\"}"), .id = {{5}}};
    struct error err = {0};
    struct claim_result c;
    struct record r;

    timer_start(s, g->now, &p.timer);
    begin(g);
    ok(store_put(g->s, &p, 1, g->now, &err), &err);
    commit(g);
    (void)registered_as(g, "sound", NOWISH);
    c = claim_n(g, 1);
    assert_true(str_eq(c.items[0].schedule->name, STR("sound")));
    assert_int_equal(c.broken.n, 1);
    assert_true(uuid_eq(c.broken.items[0], p.id));
    claim_result_done(&c);
    r = record_of(g, p.id);
    assert_int_equal(r.timer.state, SCHEDULE_PAUSED);
    record_done(&r);
    c = claim_n(g, 0);
    assert_int_equal(c.broken.n, 0);
    claim_result_done(&c);
}

static void a_waiting_run_whose_definition_no_longer_decodes_does_not_come_back(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "broken", DELAY);
    struct put p = {
        .schedule = s, .definition = STR("{\"type\":\"now\",\"timezone\":\"Nowhere/Gone\"}"), .id = {{5}}};
    struct run run = {.id = uuid_v7(g->now),
                      .schedule_id = p.id,
                      .schedule_version = 1,
                      .scheduled_at = g->now,
                      .due_at = g->now,
                      .state = RUN_PENDING};
    struct error err = {0};
    struct claim_result c;

    timer_start(s, g->now, &p.timer);
    begin(g);
    ok(store_put(g->s, &p, 1, g->now, &err), &err);
    ok(insert_run(g, &run, &err), &err);
    commit(g);
    c = claim_n(g, 0);
    assert_int_equal(c.broken.n, 1);
    claim_result_done(&c);
    sleep_us(g, 31 * SECOND);
    c = claim_n(g, 0);
    assert_true(wall_is_never(c.next_due));
    claim_result_done(&c);
    assert_int_equal(run_of(g, run.id).run.state, RUN_CANCELLED);
}

static void a_schedule_changed_between_claims_is_read_anew(void **state)
{
    struct ground *g = *state;
    CLEANUP(schedule_unref_p) struct schedule *renamed = NULL;
    struct claim_result c;

    (void)registered_as(g, "k", SECONDLY);
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
    renamed = define_json(
        g, "{\"name\":\"new name\",\"client\":{\"key\":\"k\",\"application\":\"app\",\"group\":\"grp\"},"
           "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://h/\"}}," SECONDLY "}");
    (void)registered(g, renamed);
    sleep_us(g, 2 * SECOND);
    c = claim_n(g, 1);
    assert_true(str_eq(c.items[0].schedule->name, STR("new name")));
    assert_int_equal(c.items[0].run.schedule_version, 2);
    claim_result_done(&c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_due_is_claimed_once),
    cmocka_unit_test(a_claimed_run_can_be_read),
    cmocka_unit_test(a_claim_looks_a_horizon_ahead_and_no_farther),
    cmocka_unit_test(next_due_is_never_when_nothing_waits),
    cmocka_unit_test(next_due_is_the_earliest_of_timers_retries_and_leases),
    cmocka_unit_test(a_claim_that_reached_its_limit_says_that_more_is_due),
    cmocka_unit_test(a_retry_is_claimed_when_it_is_due_with_the_next_attempt),
    cmocka_unit_test(a_retry_does_not_wait_for_the_end_of_what_is_due),
    cmocka_unit_test(a_run_is_taken_over_when_its_lease_has_ended),
    cmocka_unit_test(a_renewed_lease_holds_and_a_lost_one_is_named),
    cmocka_unit_test(a_doomed_runs_lease_can_be_renewed),
    cmocka_unit_test(a_recurring_schedule_fires_at_each_occurrence),
    cmocka_unit_test(what_was_missed_is_accounted_for),
    cmocka_unit_test(a_queued_occurrence_waits_and_is_released_by_the_end_of_the_one_before),
    cmocka_unit_test(overlap_replace_gives_up_what_is_open),
    cmocka_unit_test(a_taken_identity_moves_on_instead_of_failing_the_group),
    cmocka_unit_test(the_identity_of_an_ended_run_is_free_again),
    cmocka_unit_test(what_was_replaced_before_its_time_is_not_overlapped_by_its_successor),
    cmocka_unit_test(what_was_replaced_and_does_not_end_is_overlapped_in_the_end),
    cmocka_unit_test(what_was_replaced_in_its_time_is_overlapped_by_its_successor),
    cmocka_unit_test(max_lateness_holds_for_what_was_taken_over_unstarted),
    cmocka_unit_test(max_lateness_is_no_matter_once_an_attempt_was_made),
    cmocka_unit_test(even_a_claim_of_one_run_does_not_starve_retries),
    cmocka_unit_test(a_claim_among_timers_that_make_no_run_says_that_there_is_more),
    cmocka_unit_test(what_is_put_off_to_its_time_is_not_asked_for_again_at_once),
    cmocka_unit_test(runs_that_wait_count_against_the_limit),
    cmocka_unit_test(a_claim_reads_so_many_bytes_of_definitions_and_says_that_there_is_more),
    cmocka_unit_test(a_run_made_by_hand_is_claimed_like_any_other),
    cmocka_unit_test(a_definition_that_no_longer_decodes_stops_its_schedule_alone),
    cmocka_unit_test(a_waiting_run_whose_definition_no_longer_decodes_does_not_come_back),
    cmocka_unit_test(a_schedule_changed_between_claims_is_read_anew),
};
SUITE(claim, tests);
