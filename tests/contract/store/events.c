/*
 * events.c: what happens to a schedule with history_check is in the outbox, in the transaction that makes it
 * true, and what happens to others is not. The operations are the shipped ones, run as a lane runs them.
 */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "store/journal.h"
#include "store/ops_engine.h"
#include "store/ops_hand.h"
#include "store/ops_schedule.h"

#define NOWISH "\"type\":\"now\""
#define MINUTELY "\"type\":\"cron\",\"schedule\":\"* * * * *\",\"timezone\":\"UTC\""

/* Of this process's one thread. */
static struct journal journal;

static struct schedule *define_kept(struct ground *g, const char *key, const char *members, bool kept,
                                    const char *task)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 10000);
    buf_addf(
        &b,
        "{\"name\":\"the \\\"%s\\\"\",\"client\":{\"key\":\"%s\",\"application\":\"app\"},"
        "\"task\":{\"type\":\"rest\",\"history_check\":%s,\"connection\":{\"host\":\"http://h/\"}%s},%s}",
        key, key, kept ? "true" : "false", task, members);
    return define_json(g, buf_cstr(&b));
}

/* A transaction with this one operation, as a lane does it. */
static enum err run_op(struct ground *g, struct op *op, bool listened)
{
    static bool made;
    struct notice notice = {.earliest = WALL_NEVER};
    struct error err = {0};

    if (!made)
        journal_init(&journal);
    made = true;
    g->s->journal = &journal;
    begin(g);
    journal_begin(&journal, listened, g->now);
    ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
    ok(journal_flush(&journal, g->s, &err), &err);
    commit(g);
    change_list_done(&notice.changed);
    g->s->journal = NULL;
    return op->err.code;
}

static struct uuid put_as(struct ground *g, const char *key, const char *members, bool kept, const char *task)
{
    struct op_put *o;
    struct error err = {0};
    struct uuid id;

    ok(op_put_new(1, NULL, &o, &err), &err);
    o->items[0].schedule = define_kept(g, key, members, kept, task);
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    assert_int_equal(o->items[0].result, ERR_NONE);
    id = o->items[0].ret_id;
    op_put_free(o);
    return id;
}

static struct uuid put_kept(struct ground *g, const char *key, const char *members)
{
    return put_as(g, key, members, true, "");
}

static void act(struct ground *g, enum op_act_kind kind, struct uuid id)
{
    struct op_act *o = op_act_new(NULL);
    struct schedule_rules rules = g->rules;

    rules.trusted = true;
    o->kind = kind;
    o->id = id;
    o->rules = &rules;
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    op_act_free(o);
}

static void remove_id(struct ground *g, struct uuid id)
{
    struct op_remove *o = op_remove_new(NULL);

    o->by_id = true;
    o->id = id;
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    op_remove_free(o);
}

/* To be freed with op_claim_free(). */
static struct op_claim *claim(struct ground *g, size_t n_expected)
{
    struct op_claim *o = op_claim_new(NULL);

    o->cache = g->cache;
    o->request = (struct claim_request){.instance = g->instance,
                                        .horizon_us = SECOND,
                                        .lease_us = 300 * SECOND,
                                        .limit = 1000,
                                        .timer_rules = {.misfire_grace_us = 2 * SECOND},
                                        .schedule_rules = &g->rules};
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    assert_int_equal(o->ret.n, n_expected);
    return o;
}

static void complete(struct ground *g, const struct claimed *c, enum run_state to, const char *answer)
{
    struct op_complete *o;
    struct error err = {0};

    ok(op_complete_new(1, NULL, &o, &err), &err);
    o->outcomes[0] = outcome_of(g, c, to);
    o->outcomes[0].schedule = schedule_ref(c->schedule);
    o->outcomes[0].scheduled_at = c->run.scheduled_at;
    o->outcomes[0].attempt = c->run.attempt;
    o->outcomes[0].attempted = to != RUN_CANCELLED && to != RUN_SKIPPED;
    o->outcomes[0].result.status = to == RUN_SUCCEEDED ? 200 : 500;
    o->outcomes[0].result.took_us = 1500;
    if (answer)
        ok(attempt_answer_new(str_of(answer), false, &o->outcomes[0].result.answer, &err), &err);
    if (to == RUN_RETRYING)
        o->outcomes[0].due_at = wall_add(g->now, 10 * SECOND);
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    op_complete_free(o);
}

/* Takes one run that is due and ends it so. */
static void fire(struct ground *g, enum run_state to)
{
    struct op_claim *o = claim(g, 1);

    complete(g, &o->ret.items[0], to, NULL);
    op_claim_free(o);
}

static struct outbox_list outbox(struct ground *g)
{
    struct outbox_list l = {0};
    struct error err = {0};

    begin(g);
    ok(store_outbox_take(g->s, 0, 10000, &l, &err), &err);
    commit(g);
    return l;
}

static void add_kind(struct buf *out, const json_t *e)
{
    const json_t *reason = json_object_get(e, "reason");

    buf_addf(out, "%s%s", out->n > 0 ? " " : "", json_string_value(json_object_get(e, "kind")));
    if (reason)
        buf_addf(out, "(%s)", json_string_value(reason));
}

/* "registered started ..." with reasons in brackets, in the outbox's order. */
static void assert_events(struct ground *g, const char *expected)
{
    CLEANUP(outbox_list_done) struct outbox_list l = outbox(g);
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 100000);
    for (size_t i = 0; i < l.n; i++) {
        CLEANUP(json_free_p) json_t *e = NULL;
        struct error err = {0};

        ok(json_parse((struct str){l.items[i].text, l.items[i].text_n}, 10, &e, &err), &err);
        add_kind(&b, e);
    }
    assert_string_equal(buf_cstr(&b), expected);
}

/* The n-th event; the caller's. */
static json_t *event_at(struct ground *g, size_t n)
{
    CLEANUP(outbox_list_done) struct outbox_list l = outbox(g);
    struct error err = {0};
    json_t *e = NULL;

    assert_true(n < l.n);
    ok(json_parse((struct str){l.items[n].text, l.items[n].text_n}, 10, &e, &err), &err);
    return e;
}

static void assert_member(const json_t *e, const char *name, const char *value)
{
    const json_t *v = json_object_get(e, name);

    if (!value) {
        assert_null(v);
        return;
    }
    assert_true(json_is_string(v));
    assert_string_equal(json_string_value(v), value);
}

static void a_schedule_without_history_leaves_no_event(void **state)
{
    struct ground *g = *state;
    struct uuid id = put_as(g, "k", MINUTELY, false, "");

    act(g, OP_TRIGGER, id);
    fire(g, RUN_SUCCEEDED);
    act(g, OP_PAUSE, id);
    act(g, OP_RESUME, id);
    remove_id(g, id);
    assert_events(g, "");
}

static void what_is_done_to_a_schedule_is_an_event(void **state)
{
    struct ground *g = *state;
    struct uuid id = put_kept(g, "k", MINUTELY);

    (void)put_kept(g, "k", MINUTELY);
    act(g, OP_PAUSE, id);
    act(g, OP_PAUSE, id); /* changes nothing */
    act(g, OP_RESUME, id);
    act(g, OP_TRIGGER, id);
    remove_id(g, id);
    assert_events(g, "registered updated paused resumed triggered cancelled(deleted) deleted");
}

static void an_event_says_what_and_whose_it_is(void **state)
{
    struct ground *g = *state;
    struct uuid id = put_kept(g, "k", NOWISH);
    struct op_claim *c = claim(g, 1);
    char text[UUID_TEXT + 1];
    json_t *e;

    complete(g, &c->ret.items[0], RUN_SUCCEEDED, "well \"done\"\n");
    e = event_at(g, 2);
    assert_member(e, "kind", "succeeded");
    uuid_format(id, text);
    assert_member(e, "schedule_id", text);
    uuid_format(c->ret.items[0].run.id, text);
    assert_member(e, "run_id", text);
    assert_member(e, "name", "the \"k\"");
    assert_member(json_object_get(e, "client"), "key", "k");
    assert_member(json_object_get(e, "client"), "application", "app");
    assert_member(json_object_get(e, "client"), "group", "");
    assert_member(e, "scheduled_at", "2030-01-01T00:00:00Z");
    assert_member(e, "answer", "well \"done\"\n");
    assert_member(e, "reason", NULL);
    assert_int_equal(json_integer_value(json_object_get(e, "attempt")), 1);
    assert_int_equal(json_integer_value(json_object_get(e, "status")), 200);
    assert_true(json_real_value(json_object_get(e, "duration_ms")) == 1.5);
    json_free(e);
    op_claim_free(c);
}

static void every_attempt_of_a_run_is_told(void **state)
{
    struct ground *g = *state;
    json_t *e;

    (void)put_as(g, "k", NOWISH, true, ",\"failed_policy\":\"retry_dlq\"");
    fire(g, RUN_RETRYING);
    sleep_us(g, 10 * SECOND);
    fire(g, RUN_PENDING); /* handed back */
    sleep_us(g, 10 * SECOND);
    fire(g, RUN_DEAD);
    assert_events(g, "registered started attempt_failed started returned started dead");
    e = event_at(g, 2);
    assert_member(e, "retry_at", "2030-01-01T00:00:10Z");
    json_free(e);
}

static void a_run_that_is_not_attempted_says_why(void **state)
{
    struct ground *g = *state;

    (void)put_kept(g, "late", NOWISH);
    fire(g, RUN_SKIPPED);
    (void)put_kept(g, "given up", NOWISH);
    fire(g, RUN_CANCELLED);
    (void)put_kept(g, "failed", NOWISH);
    fire(g, RUN_FAILED);
    assert_events(g,
                  "registered started skipped(late) registered started cancelled registered started failed");
}

/* A run that waits for its retry. */
static struct uuid with_open_run(struct ground *g, const char *key, bool kept)
{
    struct uuid id = put_as(g, key, MINUTELY, kept, "");

    act(g, OP_TRIGGER, id);
    fire(g, RUN_RETRYING);
    return id;
}

static void what_ends_with_its_schedules_change_is_told(void **state)
{
    struct ground *g = *state;
    struct uuid paused = with_open_run(g, "paused", true);
    struct op_remove *o = op_remove_new(NULL);

    act(g, OP_PAUSE, paused);
    assert_events(g, "registered triggered started attempt_failed paused cancelled(paused)");
    (void)with_open_run(g, "updated", true);
    (void)put_as(g, "updated", MINUTELY, false, ""); /* the run is still of one with a history */
    assert_events(g, "registered triggered started attempt_failed paused cancelled(paused) "
                     "registered triggered started attempt_failed cancelled(updated)");
    (void)with_open_run(g, "unkept", false);
    (void)with_open_run(g, "removed", true);
    o->filter.application = STR("app");
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    assert_int_equal(o->ret_count, 4);
    op_remove_free(o);
    {
        CLEANUP(outbox_list_done) struct outbox_list l = outbox(g);

        /* registered, triggered, started, attempt_failed of "removed"; cancelled; two deletions. */
        assert_int_equal(l.n, 11 + 4 + 1 + 2);
    }
}

static void a_run_that_overlap_replaces_is_told(void **state)
{
    struct ground *g = *state;
    struct op_claim *c;

    (void)put_kept(g, "k", MINUTELY ",\"overlap\":\"replace\"");
    sleep_us(g, 60 * SECOND);
    fire(g, RUN_RETRYING);
    sleep_us(g, 60 * SECOND);
    c = claim(g, 1);
    op_claim_free(c);
    assert_events(g, "registered started attempt_failed cancelled(replaced) started");
}

static void a_run_lost_after_its_schedule_was_deleted_is_told_and_whose_it_was(void **state)
{
    struct ground *g = *state;
    struct uuid id = put_kept(g, "k", NOWISH);
    struct op_claim *c = claim(g, 1);
    json_t *e;

    remove_id(g, id);
    op_claim_free(c);
    sleep_us(g, 600 * SECOND); /* its lease is over */
    c = claim(g, 0);
    op_claim_free(c);
    assert_events(g, "registered started deleted cancelled(its holder was lost)");
    e = event_at(g, 3);
    assert_member(e, "name", "the \"k\"");
    assert_member(json_object_get(e, "client"), "key", "k");
    json_free(e);
}

static void what_never_became_a_run_is_told_with_its_time_and_reason(void **state)
{
    struct ground *g = *state;
    struct op_claim *c;
    struct uuid id;
    json_t *e;

    (void)put_kept(g, "k", MINUTELY);
    sleep_us(g, 3 * 60 * SECOND);
    c = claim(g, 1);
    assert_events(g, "registered skipped(coalesced) skipped(coalesced) started");
    e = event_at(g, 1);
    assert_member(e, "scheduled_at", "2030-01-01T00:01:00Z");
    json_free(e);
    sleep_us(g, 60 * SECOND); /* the run is still open */
    op_claim_free(claim(g, 0));
    assert_events(g, "registered skipped(coalesced) skipped(coalesced) started skipped(overlap)");
    op_claim_free(c);
    id = put_kept(g, "paused", MINUTELY);
    act(g, OP_PAUSE, id);
    sleep_us(g, 90 * SECOND);
    act(g, OP_RESUME, id);
    (void)put_kept(g, "out",
                   "\"type\":\"date\",\"schedule\":\"2031-01-01T00:00:00Z\","
                   "\"end_at\":\"2030-06-01T00:00:00Z\"");
    assert_events(g, "registered skipped(coalesced) skipped(coalesced) started skipped(overlap) "
                     "registered paused resumed skipped(paused) registered skipped(window)");
    e = event_at(g, 10);
    assert_member(e, "scheduled_at", "2031-01-01T00:00:00Z");
    json_free(e);
}

static struct uuid dead_run(struct ground *g, const char *key, bool kept)
{
    struct op_claim *c;
    struct uuid run;

    (void)put_as(g, key, NOWISH, kept, "");
    c = claim(g, 1);
    run = c->ret.items[0].run.id;
    complete(g, &c->ret.items[0], RUN_DEAD, NULL);
    op_claim_free(c);
    return run;
}

static void act_on_run(struct ground *g, enum run_act_kind kind, struct uuid run)
{
    struct op_run_act *o;
    struct error err = {0};

    ok(op_run_act_new(1, NULL, &o, &err), &err);
    o->kind = kind;
    o->acts[0].id = run;
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    op_run_act_free(o);
}

static void a_dead_run_redriven_or_discarded_is_told(void **state)
{
    struct ground *g = *state;
    struct uuid run = dead_run(g, "k", true);
    struct uuid unkept = dead_run(g, "unkept", false);
    json_t *e;

    act_on_run(g, RUN_REDRIVE, run);
    act_on_run(g, RUN_REDRIVE, run); /* not dead any more */
    act_on_run(g, RUN_REDRIVE, unkept);
    act_on_run(g, RUN_DISCARD, unkept);
    act_on_run(g, RUN_DISCARD, run);
    assert_events(g, "registered started dead redriven discarded");
    e = event_at(g, 3);
    assert_member(e, "name", "the \"k\"");
    json_free(e);
}

static void what_is_backfilled_is_told_as_any_run(void **state)
{
    struct ground *g = *state;
    struct op_backfill *o;
    struct error err = {0};

    sleep_us(g, 3600 * SECOND);
    ok(op_backfill_new(2, NULL, &o, &err), &err);
    o->id = put_kept(g, "k", MINUTELY ",\"overlap\":\"allow\"");
    o->version = 1;
    o->times[0] = GROUND_NOW;
    o->times[1] = wall_add(GROUND_NOW, 60 * SECOND);
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    assert_int_equal(o->ret_created, 2);
    remove_id(g, o->id);
    assert_events(g, "registered cancelled(deleted) cancelled(deleted) deleted");
    op_backfill_free(o);
}

static void a_finished_schedule_that_retention_removes_is_told(void **state)
{
    struct ground *g = *state;
    struct op_upkeep *o = op_upkeep_new(NULL);

    (void)put_kept(g, "k", NOWISH);
    fire(g, RUN_SUCCEEDED);
    sleep_us(g, 100 * SECOND);
    o->keep_finished_us = 10 * SECOND;
    o->keep_ok_us = o->keep_failed_us = 1000 * SECOND;
    o->limit = 100;
    assert_int_equal(run_op(g, &o->op, false), ERR_NONE);
    op_upkeep_free(o);
    assert_events(g, "registered started succeeded deleted(finished)");
}

static void what_comes_to_nothing_leaves_no_event(void **state)
{
    struct ground *g = *state;
    struct op_put *o;
    struct op *op;
    struct notice notice = {.earliest = WALL_NEVER};
    struct error err = {0};

    ok(op_put_new(1, NULL, &o, &err), &err);
    op = &o->op;
    o->items[0].schedule = define_kept(g, "k", NOWISH, true, "");
    g->s->journal = &journal;
    ok(store_begin(g->s, true, &err), &err);
    journal_begin(&journal, false, g->now);
    ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
    ok(journal_flush(&journal, g->s, &err), &err);
    store_rollback(g->s);
    g->s->journal = NULL;
    op_put_free(o);
    assert_events(g, "");
}

static void who_listens_hears_all_and_the_outbox_has_its_own_alone(void **state)
{
    struct ground *g = *state;
    struct uuid id = put_as(g, "k", MINUTELY, false, "");
    struct op_remove *o = op_remove_new(NULL);
    struct str text;

    act(g, OP_TRIGGER, id);
    o->by_id = true;
    o->id = id;
    assert_int_equal(run_op(g, &o->op, true), ERR_NONE);
    op_remove_free(o);
    assert_int_equal(journal.n, 2);
    assert_int_equal(journal.items[0].kind, EVENT_CANCELLED);
    assert_int_equal(journal.items[1].kind, EVENT_DELETED);
    text = (struct str){journal.texts.p + journal.items[1].text_at, journal.items[1].text_n};
    assert_true(str_contains(text, STR("\"application\":\"app\"")));
    assert_events(g, "");
}

static void what_was_taken_from_the_outbox_stays_until_it_is_removed(void **state)
{
    struct ground *g = *state;
    const struct str texts[] = {STR("{\"a\":1}"), STR("{\"b\":\"\xea\xb0\x80\"}"), STR("{}")};
    struct outbox_list l = {0};
    struct error err = {0};
    int64_t ns[2];
    int64_t n;

    begin(g);
    ok(store_outbox_size(g->s, &n, &err), &err);
    assert_int_equal(n, 0);
    ok(store_outbox_add(g->s, texts, 3, &err), &err);
    commit(g);
    begin(g);
    ok(store_outbox_take(g->s, 0, 2, &l, &err), &err);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.items[1].text, texts[1].p);
    assert_true(l.items[0].n < l.items[1].n);
    ns[0] = l.items[0].n;
    ns[1] = l.items[1].n;
    outbox_list_done(&l);
    ok(store_outbox_take(g->s, ns[1], 100, &l, &err), &err);
    assert_int_equal(l.n, 1);
    outbox_list_done(&l);
    ok(store_outbox_remove(g->s, ns, 2, &err), &err);
    commit(g);
    begin(g);
    ok(store_outbox_remove(g->s, ns, 2, &err), &err); /* again: nothing of others */
    ok(store_outbox_size(g->s, &n, &err), &err);
    assert_int_equal(n, 1);
    ok(store_outbox_take(g->s, 0, 100, &l, &err), &err);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.items[0].text, "{}");
    commit(g);
    ns[0] = l.items[0].n;
    outbox_list_done(&l);
    /* A number that was given is not given again, even when none is left. */
    begin(g);
    ok(store_outbox_remove(g->s, ns, 1, &err), &err);
    commit(g);
    begin(g);
    ok(store_outbox_add(g->s, texts, 1, &err), &err);
    commit(g);
    begin(g);
    ok(store_outbox_take(g->s, 0, 100, &l, &err), &err);
    assert_true(l.n == 1 && l.items[0].n > ns[0]);
    commit(g);
    outbox_list_done(&l);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_schedule_without_history_leaves_no_event),
    cmocka_unit_test(what_is_done_to_a_schedule_is_an_event),
    cmocka_unit_test(an_event_says_what_and_whose_it_is),
    cmocka_unit_test(every_attempt_of_a_run_is_told),
    cmocka_unit_test(a_run_that_is_not_attempted_says_why),
    cmocka_unit_test(what_ends_with_its_schedules_change_is_told),
    cmocka_unit_test(a_run_that_overlap_replaces_is_told),
    cmocka_unit_test(a_run_lost_after_its_schedule_was_deleted_is_told_and_whose_it_was),
    cmocka_unit_test(what_never_became_a_run_is_told_with_its_time_and_reason),
    cmocka_unit_test(a_dead_run_redriven_or_discarded_is_told),
    cmocka_unit_test(what_is_backfilled_is_told_as_any_run),
    cmocka_unit_test(a_finished_schedule_that_retention_removes_is_told),
    cmocka_unit_test(what_comes_to_nothing_leaves_no_event),
    cmocka_unit_test(who_listens_hears_all_and_the_outbox_has_its_own_alone),
    cmocka_unit_test(what_was_taken_from_the_outbox_stays_until_it_is_removed),
};
SUITE(events, tests);
