/*
 * ops.c: the operations as a lane runs them: their answers, what they tell the engine, and their repetition
 * after a commit whose answer was lost.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "ground.h"
#include "store/op.h"
#include "store/ops_engine.h"
#include "store/ops_run.h"
#include "store/ops_schedule.h"

#define DELAY "\"type\":\"delay\",\"schedule\":\"50\""
#define NOWISH "\"type\":\"now\""
#define SECONDLY "\"type\":\"cron\",\"schedule\":\"* * * * * *\""

/* As a lane does: one transaction; what it told stays in *notice. */
static void run_as(struct ground *g, struct op **ops, size_t n, struct notice *notice, bool commits)
{
    struct error err = {0};

    notice->earliest = WALL_NEVER;
    notice->changed.n = 0;
    for (size_t i = 0; i < n; i++) {
        ops[i]->err = (struct error){0};
        ops[i]->unfinished = false;
    }
    begin(g);
    ok(ops[0]->type->run(g->s, ops, n, g->now, notice, &err), &err);
    if (commits) {
        commit(g);
    } else {
        store_rollback(g->s);
        g->in_transaction = false;
    }
}

static struct notice run_one(struct ground *g, struct op *op)
{
    struct notice notice = {0};

    run_as(g, &op, 1, &notice, true);
    return notice;
}

/* What was told, for one who does not want it. */
static void drop(struct notice n)
{
    change_list_done(&n.changed);
}

static struct op_put *put_op(struct ground *g, const char *key, const char *members)
{
    struct op_put *o = NULL;

    assert_int_equal(op_put_new(1, NULL, &o, NULL), ERR_NONE);
    o->items[0].schedule = define(g, key, members);
    return o;
}

static void registrations_of_a_group_are_each_answered(void **state)
{
    struct ground *g = *state;
    struct op_put *o[3] = {put_op(g, "a", DELAY), put_op(g, "b", NOWISH),
                           put_op(g, "a", "\"type\":\"delay\",\"schedule\":\"7\"")};
    struct op *ops[3] = {&o[0]->op, &o[1]->op, &o[2]->op};
    struct notice n = {0};

    run_as(g, ops, 3, &n, true);
    assert_true(o[0]->items[0].ret_created);
    assert_true(o[1]->items[0].ret_created);
    assert_false(o[2]->items[0].ret_created);
    assert_true(uuid_eq(o[0]->items[0].ret_id, o[2]->items[0].ret_id));
    assert_int_equal(o[2]->items[0].ret_version, 2);
    assert_int_equal(o[0]->items[0].ret_next_at.us, g->now.us + 50 * SECOND);
    assert_int_equal(o[1]->items[0].ret_next_at.us, g->now.us);
    assert_int_equal(n.earliest.us, g->now.us);
    assert_int_equal(n.changed.n, 1);
    assert_true(uuid_eq(n.changed.items[0].schedule_id, o[0]->items[0].ret_id));
    assert_int_equal(n.changed.items[0].version, 2);
    for (size_t i = 0; i < 3; i++)
        op_put_free(o[i]);
    change_list_done(&n.changed);
}

static void a_batch_skips_what_was_refused_before(void **state)
{
    struct ground *g = *state;
    struct op_put *o = NULL;

    assert_int_equal(op_put_new(3, NULL, &o, NULL), ERR_NONE);
    o->items[0].schedule = define(g, "a", DELAY);
    o->items[1].result = ERR_INVALID;
    o->items[2].schedule = define(g, "b", DELAY ",\"paused\":true");
    drop(run_one(g, &o->op));
    assert_int_equal(o->items[0].result, ERR_NONE);
    assert_int_equal(o->items[1].result, ERR_INVALID);
    assert_int_equal(o->items[2].result, ERR_NONE);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 1);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_PAUSED], 1);
    op_put_free(o);
}

static void a_paused_registration_wakes_nobody(void **state)
{
    struct ground *g = *state;
    struct op_put *o = put_op(g, "a", NOWISH ",\"paused\":true");
    struct notice n = run_one(g, &o->op);

    assert_true(wall_is_never(n.earliest));
    drop(n);
    op_put_free(o);
}

/* Paused or not: with no occurrence left it is over. */
static void a_registration_says_the_state_it_is_stored_with(void **state)
{
    struct ground *g = *state;
    static const struct {
        const char *members;
        enum schedule_state state;
    } cases[] = {
        {DELAY, SCHEDULE_ACTIVE},
        {DELAY ",\"paused\":true", SCHEDULE_PAUSED},
        {DELAY ",\"end_at\":\"2020-01-01T00:00:00Z\"", SCHEDULE_FINISHED},
        {DELAY ",\"paused\":true,\"end_at\":\"2020-01-01T00:00:00Z\"", SCHEDULE_FINISHED},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct op_put *o = put_op(g, "a", cases[i].members);
        struct record r;

        drop(run_one(g, &o->op));
        assert_int_equal(o->items[0].ret_state, cases[i].state);
        r = record_of(g, o->items[0].ret_id);
        assert_int_equal(r.timer.state, cases[i].state);
        record_done(&r);
        op_put_free(o);
    }
}

static void a_registration_repeated_after_its_commit_recognises_itself(void **state)
{
    struct ground *g = *state;
    struct op_put *o = put_op(g, "k", DELAY);
    struct uuid id;

    drop(run_one(g, &o->op));
    id = o->items[0].ret_id;
    sleep_us(g, SECOND);
    drop(run_one(g, &o->op)); /* the answer to the commit was lost */
    assert_true(o->items[0].ret_created);
    assert_int_equal(o->items[0].ret_version, 1);
    assert_true(uuid_eq(o->items[0].ret_id, id));
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 1);
    op_put_free(o);
}

static void a_replacement_repeated_after_its_commit_counts_once(void **state)
{
    struct ground *g = *state;
    struct op_put *o = put_op(g, "k", DELAY);
    struct record r;

    (void)registered_as(g, "k", NOWISH);
    drop(run_one(g, &o->op));
    sleep_us(g, SECOND);
    drop(run_one(g, &o->op));
    assert_int_equal(o->items[0].ret_version, 2);
    r = record_of(g, o->items[0].ret_id);
    assert_int_equal(r.version, 2);
    assert_int_equal(r.timer.next_at.us, GROUND_NOW.us + 50 * SECOND);
    record_done(&r);
    op_put_free(o);
}

static void a_registration_repeated_after_a_rollback_is_made(void **state)
{
    struct ground *g = *state;
    struct op_put *o = put_op(g, "k", DELAY);
    struct op *op = &o->op;
    struct notice n = {0};

    run_as(g, &op, 1, &n, false);
    drop(n);
    sleep_us(g, SECOND);
    drop(run_one(g, op));
    assert_true(o->items[0].ret_created);
    assert_int_equal(o->items[0].ret_next_at.us, g->now.us + 50 * SECOND);
    assert_int_equal(get_error(g, o->items[0].ret_id), ERR_NONE);
    op_put_free(o);
}

static void a_put_by_id_answers_why_it_was_refused(void **state)
{
    struct ground *g = *state;
    struct op_put *o = put_op(g, "k", DELAY);

    o->by_id = true;
    o->id = (struct uuid){{4}};
    drop(run_one(g, &o->op));
    assert_int_equal(o->items[0].result, ERR_NOT_FOUND);
    o->id = registered_as(g, "k", DELAY);
    o->if_version = 3;
    drop(run_one(g, &o->op));
    assert_int_equal(o->items[0].result, ERR_PRECONDITION);
    o->if_version = 1;
    drop(run_one(g, &o->op));
    assert_int_equal(o->items[0].result, ERR_NONE);
    assert_int_equal(o->items[0].ret_version, 2);
    op_put_free(o);
}

static void a_removal_by_id_tells_the_engine(void **state)
{
    struct ground *g = *state;
    struct op_remove *o = op_remove_new(NULL);
    struct notice n;

    o->by_id = true;
    o->id = registered_as(g, "k", DELAY);
    n = run_one(g, &o->op);
    assert_int_equal(o->op.err.code, ERR_NONE);
    assert_int_equal(o->ret_count, 1);
    assert_int_equal(n.changed.n, 1);
    assert_true(uuid_eq(n.changed.items[0].schedule_id, o->id));
    assert_int_equal(n.changed.items[0].version, INT64_MAX);
    drop(n);
    drop(run_one(g, &o->op)); /* repeated: it was us */
    assert_int_equal(o->op.err.code, ERR_NONE);
    assert_int_equal(o->ret_count, 1);
    op_remove_free(o);
}

static void a_removal_of_nothing_is_not_found_alone(void **state)
{
    struct ground *g = *state;
    struct op_remove *o[2] = {op_remove_new(NULL), op_remove_new(NULL)};
    struct op *ops[2] = {&o[0]->op, &o[1]->op};
    struct notice n = {0};

    o[0]->by_id = true;
    o[0]->id = (struct uuid){{4}};
    o[1]->by_id = true;
    o[1]->id = registered_as(g, "k", DELAY);
    run_as(g, ops, 2, &n, true);
    assert_int_equal(o[0]->op.err.code, ERR_NOT_FOUND);
    assert_int_equal(o[1]->op.err.code, ERR_NONE);
    assert_int_equal(get_error(g, o[1]->id), ERR_NOT_FOUND);
    drop(n);
    op_remove_free(o[0]);
    op_remove_free(o[1]);
}

static void a_large_removal_goes_on_in_further_groups(void **state)
{
    struct ground *g = *state;
    enum { MANY = REMOVE_AT_ONCE + 1500 };
    struct op_put *all = NULL;
    struct op_remove *o = op_remove_new(NULL);
    struct op *op = &o->op;
    struct notice n = {0};

    assert_int_equal(op_put_new(MANY, NULL, &all, NULL), ERR_NONE);
    for (size_t i = 0; i < MANY; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%zu", i);
        all->items[i].schedule = define(g, key, DELAY);
    }
    drop(run_one(g, &all->op));
    op_put_free(all);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], MANY);

    o->filter.application = STR("app");
    run_as(g, &op, 1, &n, false); /* rolled back: does not count */
    run_as(g, &op, 1, &n, true);
    assert_true(op->unfinished);
    assert_int_equal(n.changed.n, REMOVE_AT_ONCE);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], MANY - REMOVE_AT_ONCE);
    while (op->unfinished) {
        op->parts++; /* as the lane does */
        run_as(g, &op, 1, &n, true);
        assert_true(n.changed.n <= REMOVE_AT_ONCE);
    }
    assert_int_equal(o->ret_count, MANY);
    assert_int_equal(stats_of(g).schedules[SCHEDULE_ACTIVE], 0);
    drop(n);
    op_remove_free(o);
}

static struct op_act *act_op(struct ground *g, enum op_act_kind kind, struct uuid id)
{
    struct op_act *o = op_act_new(NULL);

    o->kind = kind;
    o->id = id;
    o->rules = &g->rules;
    return o;
}

static void a_pause_stops_and_a_resumption_goes_on(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct op_act *pause = act_op(g, OP_PAUSE, id);
    struct op_act *resume = act_op(g, OP_RESUME, id);
    struct notice n = run_one(g, &pause->op);

    assert_int_equal(pause->op.err.code, ERR_NONE);
    assert_int_equal(pause->ret.timer.state, SCHEDULE_PAUSED);
    assert_int_equal(pause->ret.version, 2);
    assert_int_equal(n.changed.n, 1);
    assert_int_equal(n.changed.items[0].version, 2);
    assert_true(wall_is_never(n.earliest));
    drop(n);
    sleep_us(g, 10 * SECOND);
    n = run_one(g, &resume->op);
    assert_int_equal(resume->ret.timer.state, SCHEDULE_ACTIVE);
    assert_int_equal(resume->ret.version, 3);
    assert_int_equal(resume->ret.timer.missed[MISSED_PAUSED], 10);
    assert_int_equal(n.earliest.us, g->now.us + SECOND);
    assert_int_equal(n.changed.n, 0);
    drop(n);
    op_act_free(pause);
    op_act_free(resume);
}

static void an_act_repeated_after_its_commit_counts_once(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct op_act *pause = act_op(g, OP_PAUSE, id);
    struct op_act *resume = act_op(g, OP_RESUME, id);
    struct op_act *trigger = act_op(g, OP_TRIGGER, id);
    struct uuid run;

    pause->if_version = 1;
    drop(run_one(g, &pause->op));
    drop(run_one(g, &pause->op));
    assert_int_equal(pause->op.err.code, ERR_NONE);
    assert_int_equal(pause->ret.version, 2);
    drop(run_one(g, &resume->op));
    drop(run_one(g, &resume->op));
    assert_int_equal(resume->ret.version, 3);
    drop(run_one(g, &trigger->op));
    run = trigger->ret_run.id;
    drop(run_one(g, &trigger->op));
    assert_true(uuid_eq(trigger->ret_run.id, run));
    assert_int_equal(stats_of(g).runs[RUN_PENDING], 1);
    op_act_free(pause);
    op_act_free(resume);
    op_act_free(trigger);
}

static void to_pause_what_is_paused_changes_nothing(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", SECONDLY);
    struct op_act *first = act_op(g, OP_RESUME, id);
    struct op_act *second = act_op(g, OP_PAUSE, id);
    struct op_act *third = act_op(g, OP_PAUSE, id);

    drop(run_one(g, &first->op));
    assert_int_equal(first->op.err.code, ERR_NONE);
    assert_int_equal(first->ret.version, 1);
    drop(run_one(g, &second->op));
    drop(run_one(g, &third->op));
    assert_int_equal(third->op.err.code, ERR_NONE);
    assert_int_equal(third->ret.version, 2);
    op_act_free(first);
    op_act_free(second);
    op_act_free(third);
}

static void an_act_on_what_cannot_bear_it_is_refused(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct claim_result c = claim_n(g, 1);
    struct op_act *pause = act_op(g, OP_PAUSE, id);
    struct op_act *unknown = act_op(g, OP_TRIGGER, (struct uuid){{8}});
    struct op_act *stale = act_op(g, OP_TRIGGER, id);

    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    drop(run_one(g, &pause->op));
    assert_int_equal(pause->op.err.code, ERR_CONFLICT);
    drop(run_one(g, &unknown->op));
    assert_int_equal(unknown->op.err.code, ERR_NOT_FOUND);
    stale->if_version = 9;
    drop(run_one(g, &stale->op));
    assert_int_equal(stale->op.err.code, ERR_PRECONDITION);
    claim_result_done(&c);
    op_act_free(pause);
    op_act_free(unknown);
    op_act_free(stale);
}

static void a_trigger_makes_a_run_that_is_due_now(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY ",\"paused\":true");
    struct op_act *o = act_op(g, OP_TRIGGER, id);
    struct claim_result c;
    struct notice n;

    n = run_one(g, &o->op);
    assert_int_equal(n.earliest.us, g->now.us);
    assert_int_equal(o->ret_run.scheduled_at.us, g->now.us);
    assert_int_equal(o->ret.open_runs, 1);
    drop(n);
    c = claim_n(g, 1);
    assert_true(uuid_eq(c.items[0].run.id, o->ret_run.id));
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
    op_act_free(o);
}

static void reading_answers_what_is_asked(void **state)
{
    struct ground *g = *state;
    struct op_get *get = op_get_new(NULL);
    struct op_get *by_client = op_get_new(NULL);
    struct op_get *missing = op_get_new(NULL);
    struct op_list *list = op_list_new(NULL);
    struct op_stats *stats = op_stats_new(NULL);
    struct op_ping *ping = op_ping_new(NULL);
    struct op *gets[3] = {&get->op, &by_client->op, &missing->op};
    struct notice n = {0};

    get->id = registered_as(g, "k", DELAY);
    by_client->by_client = true;
    by_client->identity = define(g, "k", NOWISH);
    missing->id = (struct uuid){{3}};
    run_as(g, gets, 3, &n, true);
    assert_true(uuid_eq(get->ret.id, get->id));
    assert_true(uuid_eq(by_client->ret.id, get->id));
    assert_int_equal(missing->op.err.code, ERR_NOT_FOUND);
    run_as(g, gets, 3, &n, true); /* repeated: no leak, the same */
    assert_true(uuid_eq(get->ret.id, get->id));
    list->filter.limit = 10;
    drop(run_one(g, &list->op));
    drop(run_one(g, &list->op));
    assert_int_equal(list->ret.n, 1);
    drop(run_one(g, &stats->op));
    assert_int_equal(stats->ret.schedules[SCHEDULE_ACTIVE], 1);
    drop(run_one(g, &ping->op));
    op_get_free(get);
    op_get_free(by_client);
    op_get_free(missing);
    op_list_free(list);
    op_stats_free(stats);
    op_ping_free(ping);
}

static void runs_of_an_unknown_schedule_are_not_found_but_those_of_a_removed_one_are(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", NOWISH);
    struct uuid quiet = registered_as(g, "quiet", DELAY);
    struct claim_result c = claim_n(g, 1);
    struct op_list_runs *o = op_list_runs_new(NULL);
    struct op_get_run *get = op_get_run_new(NULL);

    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    o->check_schedule = true;
    o->filter.limit = 10;
    o->filter.schedule_id = (struct uuid){{7}};
    drop(run_one(g, &o->op));
    assert_int_equal(o->op.err.code, ERR_NOT_FOUND);
    o->filter.schedule_id = quiet;
    drop(run_one(g, &o->op));
    assert_int_equal(o->op.err.code, ERR_NONE);
    assert_int_equal(o->ret.n, 0);
    begin(g);
    assert_int_equal(store_remove_id(g->s, id, 0, g->now, NULL), ERR_NONE);
    commit(g);
    o->filter.schedule_id = id;
    drop(run_one(g, &o->op));
    assert_int_equal(o->op.err.code, ERR_NONE);
    assert_int_equal(o->ret.n, 1);
    get->id = c.items[0].run.id;
    drop(run_one(g, &get->op));
    assert_int_equal(get->ret.run.state, RUN_SUCCEEDED);
    get->id = (struct uuid){{7}};
    drop(run_one(g, &get->op));
    assert_int_equal(get->op.err.code, ERR_NOT_FOUND);
    claim_result_done(&c);
    op_list_runs_free(o);
    op_get_run_free(get);
}

static struct op_claim *claim_op(struct ground *g)
{
    struct op_claim *o = op_claim_new(NULL);

    o->cache = g->cache;
    o->request = (struct claim_request){.instance = g->instance,
                                        .horizon_us = SECOND,
                                        .lease_us = 30 * SECOND,
                                        .limit = 10,
                                        .timer_rules = {.misfire_grace_us = SECOND},
                                        .schedule_rules = &g->rules};
    return o;
}

/* The turn of an engine: claim, renew, complete; then the retention of what it left. */
static void an_engines_turn(void **state)
{
    struct ground *g = *state;
    struct op_claim *claim = claim_op(g);
    struct op_renew *renew = NULL;
    struct op_complete *complete = NULL;
    struct op_upkeep *upkeep = op_upkeep_new(NULL);
    struct notice n;

    (void)registered_as(g, "a", NOWISH);
    (void)registered_as(g, "b", "\"type\":\"delay-recur\",\"schedule\":\"1\"");
    drop(run_one(g, &claim->op));
    assert_int_equal(claim->ret.n, 2);

    assert_int_equal(op_renew_new(2, NULL, &renew, NULL), ERR_NONE);
    renew->lease_us = 40 * SECOND;
    renew->runs[0] = claim->ret.items[0].run.id;
    renew->tokens[0] = claim->ret.items[0].run.lease_token;
    renew->runs[1] = claim->ret.items[1].run.id;
    renew->tokens[1] = 5;
    drop(run_one(g, &renew->op));
    drop(run_one(g, &renew->op)); /* repeated: named once */
    assert_int_equal(renew->ret_until.us, g->now.us + 40 * SECOND);
    assert_int_equal(renew->ret_lost.n, 1);

    sleep_us(g, 2 * SECOND);
    assert_int_equal(op_complete_new(2, NULL, &complete, NULL), ERR_NONE);
    for (size_t i = 0; i < 2; i++) {
        complete->outcomes[i] = outcome_of(g, &claim->ret.items[i], RUN_SUCCEEDED);
        complete->outcomes[i].schedule = schedule_ref(claim->ret.items[i].schedule);
    }
    n = run_one(g, &complete->op);
    assert_int_equal(complete->ret_earliest.us, g->now.us + SECOND);
    assert_int_equal(n.earliest.us, g->now.us + SECOND);
    drop(n);
    n = run_one(g, &complete->op); /* repeated: all of it is stale */
    assert_true(complete->outcomes[0].stale && complete->outcomes[1].stale);
    drop(n);

    sleep_us(g, 2 * SECOND);
    upkeep->limit = 1;
    upkeep->keep_finished_us = SECOND;
    upkeep->keep_ok_us = SECOND;
    upkeep->keep_failed_us = SECOND;
    do {
        drop(run_one(g, &upkeep->op));
        upkeep->op.parts++; /* as the lane does */
    } while (upkeep->op.unfinished);
    assert_false(upkeep->ret_more);
    assert_int_equal(upkeep->ret_n, 3); /* two runs and a schedule, one at a time */
    assert_int_equal(stats_of(g).schedules[SCHEDULE_FINISHED], 0);
    op_claim_free(claim);
    op_renew_free(renew);
    op_complete_free(complete);
    op_upkeep_free(upkeep);
}

static void a_claim_repeated_after_a_rollback_brings_the_same(void **state)
{
    struct ground *g = *state;
    struct op_claim *o = claim_op(g);
    struct op *op = &o->op;
    struct notice n = {0};

    (void)registered_as(g, "a", NOWISH);
    run_as(g, &op, 1, &n, false);
    assert_int_equal(o->ret.n, 1);
    run_as(g, &op, 1, &n, true);
    assert_int_equal(o->ret.n, 1);
    assert_int_equal(stats_of(g).runs[RUN_RUNNING], 1);
    drop(n);
    op_claim_free(o);
}

/* Its answer was lost: what it brought is not left to the end of leases that nobody knows of. */
static void a_claim_repeated_after_its_commit_brings_what_it_has(void **state)
{
    struct ground *g = *state;
    struct op_claim *o = claim_op(g);
    struct claim_result other;
    struct run first;
    struct wall until;

    (void)registered_as(g, "a", NOWISH);
    (void)registered_as(g, "b", NOWISH);
    drop(run_one(g, &o->op));
    assert_int_equal(o->ret.n, 2);
    first = o->ret.items[1].run;
    until = o->ret.items[1].run.lease_until;
    (void)ended(g, &o->ret.items[0], RUN_SUCCEEDED); /* as by another, who had taken it over */
    g->now = wall_add(g->now, 5 * SECOND);
    (void)registered_as(g, "c", NOWISH);
    drop(run_one(g, &o->op));
    assert_int_equal(o->ret.n, 1);
    assert_true(uuid_eq(o->ret.items[0].run.id, first.id));
    assert_int_equal(o->ret.items[0].run.lease_token, first.lease_token);
    assert_int_equal(o->ret.items[0].run.attempt, 1);
    assert_true(o->ret.items[0].run.lease_until.us > until.us);
    assert_true(o->ret.next_due.us <= g->now.us); /* of the third */
    assert_int_equal(stats_of(g).runs[RUN_RUNNING], 1);
    other = claim_n(g, 1);
    claim_result_done(&other);
    /* And where all are gone, it claims. */
    (void)ended(g, &o->ret.items[0], RUN_SUCCEEDED);
    (void)registered_as(g, "d", NOWISH);
    drop(run_one(g, &o->op));
    assert_int_equal(o->ret.n, 1);
    assert_false(uuid_eq(o->ret.items[0].run.id, first.id));
    op_claim_free(o);
}

int main(void)
{
#define SENTENCE(f)                                                                                          \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)kinds[0]                                    \
    }
    const struct CMUnitTest tests[] = {
        SENTENCE(registrations_of_a_group_are_each_answered),
        SENTENCE(a_batch_skips_what_was_refused_before),
        SENTENCE(a_paused_registration_wakes_nobody),
        SENTENCE(a_registration_says_the_state_it_is_stored_with),
        SENTENCE(a_registration_repeated_after_its_commit_recognises_itself),
        SENTENCE(a_replacement_repeated_after_its_commit_counts_once),
        SENTENCE(a_registration_repeated_after_a_rollback_is_made),
        SENTENCE(a_put_by_id_answers_why_it_was_refused),
        SENTENCE(a_removal_by_id_tells_the_engine),
        SENTENCE(a_removal_of_nothing_is_not_found_alone),
        SENTENCE(a_large_removal_goes_on_in_further_groups),
        SENTENCE(a_pause_stops_and_a_resumption_goes_on),
        SENTENCE(an_act_repeated_after_its_commit_counts_once),
        SENTENCE(to_pause_what_is_paused_changes_nothing),
        SENTENCE(an_act_on_what_cannot_bear_it_is_refused),
        SENTENCE(a_trigger_makes_a_run_that_is_due_now),
        SENTENCE(reading_answers_what_is_asked),
        SENTENCE(runs_of_an_unknown_schedule_are_not_found_but_those_of_a_removed_one_are),
        SENTENCE(an_engines_turn),
        SENTENCE(a_claim_repeated_after_a_rollback_brings_the_same),
        SENTENCE(a_claim_repeated_after_its_commit_brings_what_it_has),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
