/*
 * timer_plan_random.c: plans of random schedules at random times, by seeds.
 *
 * Two judges. An oracle lists every occurrence that a plan must look at and applies the rules to the list,
 * one by one, without any of the counting and stepping back that the plan does; and a small life of a
 * schedule, with runs that take random time, checks what must hold over many plans: every nominal occurrence
 * is a run or is counted, exactly once, and no overlap that the policy forbids.
 */
#include "model_fixture.h"

#include "base/random.h"
#include "model/missed.h"
#include "model/occurrence.h"

#include <stdio.h>
#include <string.h>

enum { OCCURRENCES_MAX = 20000, RUNS_MAX = 4096 };
#define HORIZON_US US_PER_S

static const char *pick(struct rng *rng, const char *const *list, size_t n)
{
    return list[rng_below(rng, n)];
}
#define PICK(rng, ...)                                                                                       \
    pick(rng, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

static struct schedule *random_cron(struct rng *rng)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 10000);
    buf_addf(
        &b,
        "\"type\":\"cron\",\"schedule\":\"%s\",\"timezone\":\"%s\",\"misfire\":\"%s\",\"overlap\":\"%s\"%s%s%"
        "s%s",
        PICK(rng, "* * * * * *", "*/7 * * * * *", "* * * * *", "*/15 * * * *", "0,1,2,30 * * * *",
             "0 * * * *", "30 2 * * *", "H * * * *"),
        PICK(rng, "UTC", "Asia/Seoul", "Europe/Berlin"), PICK(rng, "once", "all", "skip"),
        PICK(rng, "skip", "allow", "queue", "replace"),
        PICK(rng, "", "", ",\"jitter\":0.7", ",\"jitter\":45", ",\"jitter\":86400"),
        PICK(rng, "", "", ",\"max_lateness\":0", ",\"max_lateness\":1.5", ",\"max_lateness\":400"),
        PICK(rng, "", "", "", ",\"max_runs\":1", ",\"max_runs\":5"),
        PICK(rng, "", "", ",\"end_at\":\"2030-03-31T03:00:00Z\"", ",\"start_at\":\"2030-03-31T00:30:00Z\""));
    return fixture_with(buf_cstr(&b));
}

/* Mostly little, sometimes hours. */
static int64_t random_span(struct rng *rng)
{
    static const uint64_t most[] = {1000000, 3000000, 60000000, 600000000, 7200000000};

    return (int64_t)rng_below(rng, most[rng_below(rng, COUNT_OF(most))]);
}

/* --- the oracle --- */

struct oracle {
    const struct schedule *s;
    struct wall list[OCCURRENCES_MAX]; /* all acted on by `until` */
    size_t n;
    struct plan_run runs[RUNS_MAX];
    size_t runs_n;
    int64_t missed[MISSED_N];
    int64_t runs_made;
    size_t open;
    size_t waiting;
    bool replace;
    size_t open_before;
};

static void oracle_add(struct oracle *o, struct wall occurrence, struct wall due, bool waits)
{
    MUST(o->runs_n < RUNS_MAX);
    o->runs[o->runs_n++] = (struct plan_run){occurrence, due, waits};
    o->runs_made++;
    o->open++;
    o->waiting += waits;
}

static void oracle_judge(struct oracle *o, struct wall occurrence, struct wall due)
{
    bool is_open = o->open > 0;

    if (!is_open || o->s->overlap == OVERLAP_ALLOW) {
        oracle_add(o, occurrence, due, false);
    } else if (o->s->overlap == OVERLAP_QUEUE && o->waiting == 0) {
        oracle_add(o, occurrence, due, true);
    } else if (o->s->overlap == OVERLAP_REPLACE) {
        o->missed[MISSED_OVERLAP] += (int64_t)o->runs_n;
        o->runs_made -= (int64_t)o->runs_n;
        o->runs_n = 0;
        o->open = 0;
        o->waiting = 0;
        o->replace = o->open_before > 0;
        oracle_add(o, occurrence, due, false);
    } else {
        o->missed[MISSED_OVERLAP]++;
    }
}

static bool oracle_may_run(const struct oracle *o)
{
    return o->s->max_runs < 0 || o->runs_made < o->s->max_runs;
}

/* What to do with the occurrences that are due by now, when one of them was missed. Returns how many were
 * dealt with. */
static size_t oracle_catch_up(struct oracle *o, size_t from, struct wall now, struct wall limit)
{
    size_t due = from;
    size_t missed = from;

    while (due < o->n && occurrence_act(o->s, o->list[due]).us <= now.us)
        due++;
    while (missed < o->n && occurrence_act(o->s, o->list[missed]).us < limit.us)
        missed++;
    if (o->s->misfire == MISFIRE_SKIP) {
        o->missed[MISSED_MISFIRE] += (int64_t)(missed - from);
        return missed;
    }
    if (o->s->misfire == MISFIRE_ONCE) {
        o->missed[MISSED_COALESCED] += (int64_t)(due - from) - 1;
        oracle_judge(o, o->list[due - 1], now);
        return due;
    }
    for (size_t i = from; i < due; i++) {
        if (due - i > TIMER_ALL_MAX)
            o->missed[MISSED_MISFIRE]++;
        else if (!oracle_may_run(o))
            return i;
        else if (o->s->overlap == OVERLAP_SKIP || o->s->overlap == OVERLAP_QUEUE)
            oracle_add(o, o->list[i], now, o->open > 0);
        else
            oracle_judge(o, o->list[i], now);
    }
    return due;
}

/* Returns how many of the list were considered. */
static size_t oracle_plan(struct oracle *o, struct wall now, const struct timer_rules *rules)
{
    struct wall limit = wall_add(now, -rules->misfire_grace_us);
    size_t i = 0;

    while (o->s->max_lateness_us >= 0 && i < o->n &&
           now.us - occurrence_act(o->s, o->list[i]).us > o->s->max_lateness_us) {
        o->missed[MISSED_LATE]++;
        i++;
    }
    if (i < o->n && occurrence_act(o->s, o->list[i]).us < limit.us)
        i = oracle_catch_up(o, i, now, limit);
    for (; i < o->n && oracle_may_run(o) && o->runs_n < TIMER_ALL_MAX; i++) {
        struct wall act = occurrence_act(o->s, o->list[i]);

        if (act.us > now.us && o->open > 0 && o->s->overlap != OVERLAP_ALLOW)
            break;
        oracle_judge(o, o->list[i], act);
    }
    return i;
}

/* False when there are too many for the list. */
static bool oracle_list(struct oracle *o, const struct timer *t, struct wall until)
{
    for (struct wall at = t->occurs_at; !wall_is_never(at) && occurrence_act(o->s, at).us <= until.us;
         at = occurrence_next(o->s, at)) {
        if (o->n == OCCURRENCES_MAX)
            return false;
        o->list[o->n++] = at;
    }
    return true;
}

static void expect_as_the_oracle(const struct oracle *o, const struct timer *before, const struct plan *p,
                                 size_t considered)
{
    struct wall next = considered < o->n ? o->list[considered]
                       : o->n > 0        ? occurrence_next(o->s, o->list[o->n - 1])
                                         : before->occurs_at;

    assert_int_equal(p->runs_n, o->runs_n);
    for (size_t i = 0; i < p->runs_n; i++) {
        assert_wall_equal(p->runs[i].scheduled_at, o->runs[i].scheduled_at);
        assert_wall_equal(p->runs[i].due_at, o->runs[i].due_at);
        assert_int_equal(p->runs[i].waits, o->runs[i].waits);
    }
    assert_int_equal(p->replace, o->replace);
    assert_int_equal(p->after.runs, o->runs_made);
    for (int i = 0; i < MISSED_N; i++)
        assert_int_equal(p->after.missed[i] - before->missed[i], o->missed[i]);
    if (!oracle_may_run(o))
        next = WALL_NEVER;
    assert_wall_equal(p->after.occurs_at, next);
    assert_int_equal(p->after.state == SCHEDULE_FINISHED, wall_is_never(next) && o->open == 0);
    assert_int_equal(wall_is_never(p->after.next_at), wall_is_never(next));
}

static size_t listed_from(const struct oracle *o, struct wall first, struct wall last)
{
    size_t n = 0;

    for (size_t i = 0; i < o->n; i++)
        n += o->list[i].us >= first.us && o->list[i].us <= last.us;
    return n;
}

/* What is listed is what was counted, and no run is among what is listed singly. */
static void expect_listed(const struct oracle *o, const struct plan *p)
{
    int64_t sums[MISSED_N] = {0};

    for (size_t i = 0; i < p->missed.n; i++) {
        const struct missed_span *m = &p->missed.items[i];
        size_t there = listed_from(o, m->first, m->last);

        sums[m->why] += m->n;
        assert_int_equal(listed_from(o, m->first, m->first), 1);
        assert_int_equal(listed_from(o, m->last, m->last), 1);
        assert_true(m->n == 1 ? there == 1 : (size_t)m->n <= there);
        assert_true(m->n == 1 || i >= MISSED_SINGLY_MAX - 1);
        for (size_t k = 0; m->n == 1 && k < p->runs_n; k++)
            assert_int_not_equal(p->runs[k].scheduled_at.us, m->first.us);
    }
    for (int i = 0; i < MISSED_N; i++)
        assert_int_equal(sums[i], o->missed[i]);
}

static void try_one_plan(struct rng *rng, const struct schedule *s)
{
    static struct oracle o;
    struct timer_rules rules = {.misfire_grace_us = (int64_t)rng_below(rng, 5000000),
                                .lead_us = (int64_t)rng_below(rng, HORIZON_US),
                                .list_missed = rng_below(rng, 2) > 0};
    struct timer t;
    struct wall now;
    struct wall until;
    struct plan p;

    timer_start(s, wall_add(at("2030-03-30T23:00:00Z"), random_span(rng)), &t);
    if (t.state != SCHEDULE_ACTIVE)
        return;
    now = wall_add(t.next_at, random_span(rng) - HORIZON_US);
    until = wall_add(now, HORIZON_US);
    o = (struct oracle){.s = s, .open = rng_below(rng, 3)};
    o.open_before = o.open;
    o.waiting = o.open > 0 ? rng_below(rng, o.open) : 0;
    assert_int_equal(timer_plan(s, &t, o.open, o.waiting, now, until, &rules, &p, NULL), ERR_NONE);
    if (oracle_list(&o, &t, until)) {
        size_t considered = oracle_plan(&o, now, &rules);

        expect_as_the_oracle(&o, &t, &p, considered);
        if (rules.list_missed)
            expect_listed(&o, &p);
        else
            assert_int_equal(p.missed.n, 0);
    }
    plan_done(&p);
}

static void a_plan_is_what_the_rules_say_of_each_occurrence(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        struct rng rng = {seed};
        CLEANUP(schedule_unref_p) struct schedule *s = random_cron(&rng);

        for (int i = 0; i < 4; i++)
            try_one_plan(&rng, s);
    }
}

/* --- a life --- */

struct life {
    const struct schedule *s;
    struct timer t;
    struct timer_rules rules;
    struct wall ends[RUNS_MAX]; /* of the runs that started, when each will end */
    size_t started;
    size_t waiting;
    struct wall considered; /* every occurrence up to here is accounted for */
    int64_t accounted;
    int64_t nominal;
    size_t most_open;
    struct rng rng;
    int64_t longest_us; /* a run takes up to this */
};

static void life_start_run(struct life *l, struct wall at_time)
{
    MUST(l->started < RUNS_MAX);
    l->ends[l->started++] = wall_add(at_time, (int64_t)rng_below(&l->rng, (uint64_t)l->longest_us) + 1);
    l->most_open = l->started > l->most_open ? l->started : l->most_open;
}

/* Ends the runs whose time has come, oldest first, as a store would. */
static void life_end_runs(struct life *l, struct wall now)
{
    for (;;) {
        size_t first = l->started;

        for (size_t i = 0; i < l->started; i++) {
            if (l->ends[i].us <= now.us && (first == l->started || l->ends[i].us < l->ends[first].us))
                first = i;
        }
        if (first == l->started)
            return;
        struct wall ended = l->ends[first];

        l->ends[first] = l->ends[--l->started];
        (void)timer_run_ended(l->s, &l->t, l->started + l->waiting, ended);
        if (l->started == 0 && l->waiting > 0) {
            l->waiting--;
            life_start_run(l, ended);
        }
    }
}

static int64_t missed_sum(const struct timer *t)
{
    int64_t n = 0;

    for (int i = 0; i < MISSED_N; i++)
        n += t->missed[i];
    return n;
}

/* Everything from the timer's old occurrence up to its new one was considered: it must be accounted for. */
static void life_account(struct life *l, const struct timer *before, const struct plan *p)
{
    struct wall stop = p->after.occurs_at;
    bool more = l->s->max_runs < 0 || p->after.runs < l->s->max_runs;

    l->accounted += p->after.runs - before->runs + missed_sum(&p->after) - missed_sum(before);
    for (struct wall t = before->occurs_at; more && !wall_is_never(t) && t.us < stop.us;
         t = occurrence_next(l->s, t))
        l->nominal++;
    if (more)
        assert_int_equal(l->accounted, l->nominal);
}

static void life_claim(struct life *l, struct wall now)
{
    struct wall until = wall_add(now, HORIZON_US);
    struct timer before = l->t;
    struct plan p;

    if (l->t.state != SCHEDULE_ACTIVE || l->t.next_at.us > until.us)
        return;
    assert_int_equal(
        timer_plan(l->s, &before, l->started + l->waiting, l->waiting, now, until, &l->rules, &p, NULL),
        ERR_NONE);
    l->t = p.after;
    life_account(l, &before, &p);
    if (p.replace) {
        l->started = 0;
        l->waiting = 0;
    }
    for (size_t i = 0; i < p.runs_n; i++) {
        assert_true(i == 0 || p.runs[i].scheduled_at.us > p.runs[i - 1].scheduled_at.us);
        assert_true(p.runs[i].due_at.us >= p.runs[i].scheduled_at.us);
        assert_true(p.runs[i].scheduled_at.us >= before.occurs_at.us);
        if (p.runs[i].waits)
            l->waiting++;
        else
            life_start_run(l, wall_max(now, p.runs[i].due_at));
    }
    plan_done(&p);
}

/* When an engine would claim next: half a horizon before the timer acts. */
static struct wall life_next_claim(const struct life *l, struct wall now)
{
    struct wall next = wall_add(l->t.next_at, -l->rules.lead_us);

    return wall_is_never(l->t.next_at) ? wall_add(now, HORIZON_US) : wall_max(next, wall_add(now, 1000));
}

static struct wall life_first_end(const struct life *l)
{
    struct wall first = WALL_NEVER;

    for (size_t i = 0; i < l->started; i++)
        first = wall_min(first, l->ends[i]);
    return first;
}

static void live(struct life *l, struct wall from, int64_t span_us, int64_t outage_us)
{
    struct wall now = from;

    timer_start(l->s, now, &l->t);
    for (int turn = 0; turn < 400 && now.us < from.us + span_us && l->t.state == SCHEDULE_ACTIVE; turn++) {
        struct wall next = life_next_claim(l, now);

        now = wall_min(next, wall_max(life_first_end(l), now));
        if (outage_us > 0 && rng_below(&l->rng, 20) == 0)
            now = wall_add(now, (int64_t)rng_below(&l->rng, (uint64_t)outage_us));
        life_end_runs(l, now);
        life_claim(l, now);
    }
}

static void every_occurrence_is_a_run_or_counted_once(void **state)
{
    static const int64_t longest[] = {10000, 900000, 5000000, 100000000};

    (void)state;
    for (uint64_t seed = 1; seed <= 800; seed++) {
        struct life l = {.rng = {seed},
                         .rules = {.misfire_grace_us = 2 * US_PER_S, .lead_us = HORIZON_US / 2}};
        CLEANUP(schedule_unref_p) struct schedule *s = random_cron(&l.rng);

        l.s = s;
        l.longest_us = longest[rng_below(&l.rng, COUNT_OF(longest))];
        live(&l, wall_add(at("2030-03-30T23:00:00Z"), random_span(&l.rng)), 2 * 86400 * US_PER_S,
             random_span(&l.rng));
        if (s->overlap != OVERLAP_ALLOW)
            assert_in_range(l.most_open, 0, 1);
    }
}

/* The default policy, runs much shorter than the period, no outage: each second fires, exactly. */
static void short_runs_of_a_secondly_schedule_are_never_skipped(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_with("\"type\":\"cron\",\"schedule\":\"* * * * * *\"");

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct life l = {.s = s,
                         .rng = {seed},
                         .rules = {.misfire_grace_us = 2 * US_PER_S, .lead_us = HORIZON_US / 2},
                         .longest_us = 950000};

        live(&l, at("2030-01-01T00:00:00Z"), 100 * US_PER_S, 0);
        assert_in_range(l.t.runs, 99, 102);
        assert_int_equal(missed_sum(&l.t), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_what_the_rules_say_of_each_occurrence),
        cmocka_unit_test(every_occurrence_is_a_run_or_counted_once),
        cmocka_unit_test(short_runs_of_a_secondly_schedule_are_never_skipped),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
