/*
 * lane_faulty.c: lanes over a database whose connection drops, whose commits are lost and whose answers are
 * lost, by seed, with several threads asking at once: everything is answered, and what was answered is there
 * exactly once.
 */
#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "ground.h"
#include "store/faulty/faulty.h"
#include "store/journal.h"
#include "store/ops_engine.h"
#include "store/ops_run.h"
#include "store/ops_schedule.h"
#include "store/sqlite/sqlite.h"

enum { SEEDS = 12, USERS = 3, ROUNDS = 6 };

struct world {
    struct ground *g;
    struct faulty_plan plan; /* the lane's thread's, but for set-up and reading afterwards */
    struct lane *lane;
};

static enum err open_faulty(void *arg, struct store **ret, struct error *err)
{
    struct world *w = arg;
    struct store *inner = NULL;
    enum err e = sqlite_connect(w->g->own, true, &inner, err);

    return e ? e : faulty_wrap(&w->plan, inner, ret, err);
}

struct user {
    pthread_t thread;
    struct world *w;
    int number;
    int kept; /* schedules that must be there at the end */
};

/* The lane may give an operation up, but has time enough not to. */
static void must_succeed(struct user *c, struct op *op, const char *what)
{
    struct error err = {0};

    if (lane_call(c->w->lane, op, &err)) {
        (void)fprintf(stderr, "user %d, %s: %s: %s\n", c->number, what, err_name(err.code), err.text);
        MUST(!"an operation was not done");
    }
}

static struct uuid put(struct user *c, const char *key, bool created, int64_t version)
{
    struct op_put *o = NULL;
    struct uuid id;

    MUST(op_put_new(1, NULL, &o, NULL) == ERR_NONE);
    o->items[0].schedule = define(c->w->g, key, "\"type\":\"delay\",\"schedule\":\"1000\"");
    must_succeed(c, &o->op, "put");
    MUST(o->items[0].result == ERR_NONE);
    MUST(o->items[0].ret_created == created);
    MUST(o->items[0].ret_version == version);
    id = o->items[0].ret_id;
    op_put_free(o);
    return id;
}

static void act(struct user *c, struct uuid id, enum op_act_kind kind, int64_t version_before,
                int64_t version_after)
{
    struct op_act *o = op_act_new(NULL);

    o->kind = kind;
    o->id = id;
    o->if_version = version_before;
    o->rules = &c->w->g->rules;
    must_succeed(c, &o->op, "act");
    MUST(o->ret.version == version_after);
    op_act_free(o);
}

static void expect_one_run(struct user *c, struct uuid id)
{
    struct op_list_runs *o = op_list_runs_new(NULL);

    o->filter.schedule_id = id;
    o->filter.limit = 10;
    must_succeed(c, &o->op, "runs");
    MUST(o->ret.n == 1);
    op_list_runs_free(o);
}

static void remove_it(struct user *c, struct uuid id)
{
    struct op_remove *o = op_remove_new(NULL);

    o->by_id = true;
    o->id = id;
    must_succeed(c, &o->op, "remove");
    MUST(o->ret_count == 1);
    op_remove_free(o);
}

static void *user_main(void *arg)
{
    struct user *c = arg;

    for (int round = 0; round < ROUNDS; round++) {
        struct uuid id;
        char key[32];

        (void)snprintf(key, sizeof(key), "c%d-%d", c->number, round);
        id = put(c, key, true, 1);
        MUST(uuid_eq(put(c, key, false, 2), id));
        act(c, id, OP_PAUSE, 2, 3);
        act(c, id, OP_TRIGGER, 3, 3);
        expect_one_run(c, id);
        act(c, id, OP_RESUME, 3, 4);
        if (round % 2 == 0)
            remove_it(c, id);
        else
            c->kept++;
    }
    return NULL;
}

static void one_seed(struct world *w, uint64_t seed)
{
    struct user users[USERS];
    struct error err = {0};
    struct lane_options o = {
        .name = "writer",
        .open = open_faulty,
        .open_arg = w,
        .queue_limit = 100,
        .group_limit = 10,
        .give_up_us = 60 * SECOND,
    };

    /* Opening may fail too, but for the first time, which a lane does not forgive. */
    w->plan = (struct faulty_plan){.rng = {seed}, .drop = 30, .lose_commit = 50, .lose_answer = 50};
    ok(lane_new(&o, &w->lane, &err), &err);
    for (int i = 0; i < USERS; i++) {
        users[i] = (struct user){.w = w, .number = (int)seed * 100 + i};
        MUST(pthread_create(&users[i].thread, NULL, user_main, &users[i]) == 0);
    }
    for (int i = 0; i < USERS; i++)
        MUST(pthread_join(users[i].thread, NULL) == 0);
    lane_free(TAKE(w->lane));
}

static void what_was_answered_is_there_once_whatever_the_connection_did(void **state)
{
    struct world w = {.g = *state};
    uint64_t dropped = 0;
    uint64_t lost_commits = 0;
    uint64_t lost_answers = 0;
    struct store_stats stats;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        one_seed(&w, seed);
        dropped += w.plan.dropped;
        lost_commits += w.plan.lost_commits;
        lost_answers += w.plan.lost_answers;
    }
    stats = stats_of(w.g);
    assert_int_equal(stats.schedules[SCHEDULE_ACTIVE], SEEDS * USERS * ROUNDS / 2);
    assert_int_equal(stats.schedules[SCHEDULE_PAUSED], 0);
    assert_true(dropped > 10);
    assert_true(lost_commits > 10);
    assert_true(lost_answers > 10);
}

/* What the lane told, of one operation. */
struct told {
    struct world w;
    struct wall earliest;
    struct change changed[8];
    size_t n;
    size_t events;      /* told to those who listen */
    size_t events_lost; /* how often they were told that some may be missing */
};

static bool somebody_listens(void *arg)
{
    (void)arg;
    return true;
}

static void on_events(void *arg, const struct journal *j)
{
    struct told *t = arg;

    t->events += j->n;
}

static void on_events_lost(void *arg)
{
    struct told *t = arg;

    t->events_lost++;
}

static void on_notice(void *arg, const struct notice *n)
{
    struct told *t = arg;

    t->earliest = wall_min(t->earliest, n->earliest);
    for (size_t i = 0; i < n->changed.n && t->n < COUNT_OF(t->changed); i++)
        t->changed[t->n++] = n->changed.items[i];
}

/* The first connection loses the answer of its first commit, the second is sound. */
static enum err open_losing_once(void *arg, struct store **ret, struct error *err)
{
    struct told *t = arg;

    t->w.plan.lose_answer = t->w.plan.lost_answers == 0 ? 1000 : 0;
    return open_faulty(&t->w, ret, err);
}

static void call_once_lost(struct told *t, struct op *op)
{
    struct lane_options o = {
        .name = "writer",
        .open = open_losing_once,
        .open_arg = t,
        .notice = on_notice,
        .notice_arg = t,
        .journal = true,
        .listened = somebody_listens,
        .events = on_events,
        .events_lost = on_events_lost,
        .events_arg = t,
        .queue_limit = 10,
        .group_limit = 10,
        .give_up_us = 60 * SECOND,
    };
    struct error err = {0};

    t->w.plan = (struct faulty_plan){.rng = {1}};
    t->earliest = WALL_NEVER;
    t->n = 0;
    t->events = 0;
    t->events_lost = 0;
    ok(lane_new(&o, &t->w.lane, &err), &err);
    ok(lane_call(t->w.lane, op, &err), &err);
    lane_free(TAKE(t->w.lane));
    assert_int_equal(t->w.plan.lost_answers, 1);
}

static void expect_changed(const struct told *t, struct uuid id, int64_t version)
{
    assert_int_equal(t->n, 1);
    assert_true(uuid_eq(t->changed[0].schedule_id, id));
    assert_int_equal(t->changed[0].version, version);
}

static struct uuid put_once_lost(struct told *t, const char *key)
{
    struct op_put *o = NULL;
    struct uuid id;

    assert_int_equal(op_put_new(1, NULL, &o, NULL), ERR_NONE);
    o->items[0].schedule = define(t->w.g, key, "\"type\":\"delay-recur\",\"schedule\":\"10\"");
    call_once_lost(t, &o->op);
    id = o->items[0].ret_id;
    op_put_free(o);
    return id;
}

static void act_once_lost(struct told *t, struct uuid id, enum op_act_kind kind)
{
    struct op_act *o = op_act_new(NULL);

    o->kind = kind;
    o->id = id;
    o->rules = &t->w.g->rules;
    call_once_lost(t, &o->op);
    op_act_free(o);
}

static void what_a_commit_did_whose_answer_was_lost_is_told(void **state)
{
    struct told t = {.w = {.g = *state}};
    struct ground *g = t.w.g;
    struct op_remove *all = op_remove_new(NULL);
    struct uuid id = put_once_lost(&t, "k");

    assert_int_equal(t.earliest.us, g->now.us + 10 * SECOND);
    /* That it was registered is found as done; who listens cannot be told more than that. */
    assert_int_equal(t.events, 0);
    assert_int_equal(t.events_lost, 1);
    assert_true(uuid_eq(put_once_lost(&t, "k"), id));
    assert_int_equal(t.earliest.us, g->now.us + 10 * SECOND);
    expect_changed(&t, id, 2);
    act_once_lost(&t, id, OP_PAUSE);
    expect_changed(&t, id, 3);
    act_once_lost(&t, id, OP_RESUME);
    assert_int_equal(t.earliest.us, g->now.us + 10 * SECOND);
    act_once_lost(&t, id, OP_TRIGGER);
    assert_int_equal(t.earliest.us, g->now.us);
    all->filter.application = STR("app");
    call_once_lost(&t, &all->op);
    assert_int_equal(all->ret_count, 1);
    expect_changed(&t, id, INT64_MAX);
    op_remove_free(all);
}

static void what_an_outcome_made_due_is_told_though_it_is_stale_when_repeated(void **state)
{
    struct told t = {.w = {.g = *state}};
    struct ground *g = t.w.g;
    struct op_complete *o = NULL;
    struct claim_result c;

    (void)registered_as(g, "k", "\"type\":\"delay-recur\",\"schedule\":\"10\"");
    sleep_us(g, 10 * SECOND);
    c = claim_n(g, 1);
    assert_int_equal(op_complete_new(1, NULL, &o, NULL), ERR_NONE);
    o->outcomes[0] = outcome_of(g, &c.items[0], RUN_SUCCEEDED);
    o->outcomes[0].schedule = schedule_ref(c.items[0].schedule);
    call_once_lost(&t, &o->op);
    assert_true(o->outcomes[0].stale);
    assert_int_equal(t.earliest.us, g->now.us + 10 * SECOND);
    op_complete_free(o);
    claim_result_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"what_a_commit_did_whose_answer_was_lost_is_told", what_a_commit_did_whose_answer_was_lost_is_told,
         ground_setup, ground_teardown, (void *)(uintptr_t)kinds[0]},
        {"what_an_outcome_made_due_is_told_though_it_is_stale_when_repeated",
         what_an_outcome_made_due_is_told_though_it_is_stale_when_repeated, ground_setup, ground_teardown,
         (void *)(uintptr_t)kinds[0]},
        {"what_was_answered_is_there_once_whatever_the_connection_did",
         what_was_answered_is_there_once_whatever_the_connection_did, ground_setup, ground_teardown,
         (void *)(uintptr_t)kinds[0]},
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
