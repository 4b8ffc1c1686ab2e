/*
 * loop_ask.c: what the loop asks of the writer lane, and what becomes of the answers. On the loop's thread,
 * but for on_done(), which is on the lane's.
 *
 * An operation's `arg` is its place in engine.asked, which says what kind it is. All go past the lane's queue
 * limit: there is one of each kind at most, and a flood of registrations must not keep due runs from
 * starting.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "engine/loop_internal.h"

static const char *const failing[ASKED_KINDS] = {
    [ASKED_CLAIM] = "claiming due runs fails; it is tried again",
    [ASKED_RECORD] = "recording outcomes fails; they are kept and recorded again",
    [ASKED_RENEW] = "renewing leases fails; it is tried again",
    [ASKED_DOOMED] = "asking which runs were given up fails; it is tried again",
    [ASKED_UPKEEP] = "upkeep fails; it is tried again at its next time",
    [ASKED_BEAT] = "the heartbeat fails; it is tried again",
    [ASKED_NEXT] = "looking for what is due next fails; it is tried again",
    [ASKED_LEAVE] = "leaving fails; the others will miss this instance",
};
static const char *const working[ASKED_KINDS] = {
    [ASKED_CLAIM] = "claiming due runs works again",
    [ASKED_RECORD] = "recording outcomes works again",
    [ASKED_RENEW] = "renewing leases works again",
    [ASKED_DOOMED] = "asking which runs were given up works again",
    [ASKED_UPKEEP] = "upkeep works again",
    [ASKED_BEAT] = "the heartbeat works again",
    [ASKED_NEXT] = "looking for what is due next works again",
    [ASKED_LEAVE] = "leaving works",
};

static void on_done(struct op *op)
{
    struct asked *a = op->arg;

    MUST(queue_push_always(a->engine->answers, &op->node));
}

/* --- asking --- */

static void refuse(struct engine *e, enum asked_kind kind, const struct error *err)
{
    e->asked[kind].refused = true;
    e->asked[kind].refusal = *err;
    loop_wake(e);
}

/* False: the operation is still ours. */
static bool submit(struct engine *e, enum asked_kind kind, struct op *op)
{
    struct error err;

    op->arg = &e->asked[kind];
    if (lane_submit_always(e->writer, op, &err) == ERR_NONE)
        return true;
    refuse(e, kind, &err);
    return false;
}

void loop_ask_claim(struct engine *e, const struct core_action *a)
{
    struct op_claim *o = op_claim_new(on_done);

    o->cache = e->cache;
    o->request = (struct claim_request){
        .instance = e->options.instance,
        .horizon_us = a->horizon_us,
        .lease_us = e->options.core.lease_us,
        .limit = a->limit,
        .timer_rules = e->options.timer_rules,
        .schedule_rules = e->options.schedule_rules,
    };
    o->request.timer_rules.lead_us = a->horizon_us / 2; /* when the core claims, see core_claim.c */
    e->claim_sent_wall = clock_wall();
    e->claim_sent = e->now.mono;
    if (!submit(e, ASKED_CLAIM, &o->op))
        op_claim_free(o);
}

static struct outcome outcome_of(const struct core_outcome *c)
{
    const struct schedule *s = c->schedule;

    (void)attempt_answer_ref(c->result.answer);
    return (struct outcome){
        .run_id = c->run.id,
        .schedule_id = c->run.schedule_id,
        .schedule_version = c->run.schedule_version,
        .token = c->run.lease_token,
        .to = c->to,
        .due_at = c->due_at,
        .ended_at = c->ended_at,
        .failures = c->failures,
        .attempted = c->attempted,
        .scheduled_at = c->run.scheduled_at,
        .attempt = c->run.attempt,
        .result = c->result,
        /* Only its count changes. */
        .schedule = schedule_ref((struct schedule *)(uintptr_t)s),
    };
}

void loop_ask_record(struct engine *e, const struct core_action *a)
{
    struct op_complete *o;
    struct error err;

    if (op_complete_new(a->n, on_done, &o, &err) != ERR_NONE) {
        refuse(e, ASKED_RECORD, &err);
        return;
    }
    for (size_t i = 0; i < a->n; i++)
        o->outcomes[i] = outcome_of(&a->outcomes[i]);
    if (!submit(e, ASKED_RECORD, &o->op))
        op_complete_free(o);
}

void loop_ask_renew(struct engine *e, const struct core_action *a)
{
    struct op_renew *o;
    struct error err;

    if (op_renew_new(a->n, on_done, &o, &err) != ERR_NONE) {
        refuse(e, ASKED_RENEW, &err);
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        o->runs[i] = a->runs[i];
        o->tokens[i] = a->tokens[i];
    }
    o->lease_us = e->options.core.lease_us;
    if (!submit(e, ASKED_RENEW, &o->op))
        op_renew_free(o);
}

void loop_ask_doomed(struct engine *e, const struct core_action *a)
{
    struct op_doomed *o;
    struct error err;

    if (op_doomed_new(a->n, on_done, &o, &err) != ERR_NONE) {
        refuse(e, ASKED_DOOMED, &err);
        return;
    }
    for (size_t i = 0; i < a->n; i++)
        o->runs[i] = a->runs[i];
    if (!submit(e, ASKED_DOOMED, &o->op))
        op_doomed_free(o);
}

void loop_ask_upkeep(struct engine *e)
{
    struct op_upkeep *o = op_upkeep_new(on_done);

    o->keep_finished_us = e->options.keep_finished_us;
    o->keep_ok_us = e->options.keep_ok_us;
    o->keep_failed_us = e->options.keep_failed_us;
    o->limit = UPKEEP_LIMIT;
    if (!submit(e, ASKED_UPKEEP, &o->op))
        op_upkeep_free(o);
}

static void ask_heartbeat(struct engine *e, enum asked_kind kind, const struct heartbeat *h)
{
    struct op_heartbeat *o = op_heartbeat_new(on_done);

    o->heartbeat = *h;
    if (!submit(e, kind, &o->op))
        op_heartbeat_free(o);
}

void loop_ask_beat(struct engine *e, const struct heartbeat *h)
{
    e->beat_sent_wall = clock_wall();
    e->beat_sent = e->now.mono;
    ask_heartbeat(e, ASKED_BEAT, h);
}

void loop_ask_leave(struct engine *e, const struct heartbeat *h)
{
    ask_heartbeat(e, ASKED_LEAVE, h);
}

void loop_ask_next(struct engine *e)
{
    struct op_next_due *o = op_next_due_new(on_done);

    if (!submit(e, ASKED_NEXT, &o->op))
        op_next_due_free(o);
}

/* --- answers --- */

/* The first failure is a line, the others are a number in the line that says it is over. */
static void log_answer(struct engine *e, enum asked_kind kind, const struct error *err)
{
    struct asked *a = &e->asked[kind];

    if (err) {
        if (a->failures++ == 0)
            log_error(e->options.log, LOG_WARN, "engine", failing[kind], err);
    } else if (a->failures > 0) {
        log_event(e->options.log, LOG_INFO, "engine", working[kind],
                  KV_I64("failures", (int64_t)a->failures));
        a->failures = 0;
    }
}

static void arm_upkeep(struct engine *e, int64_t after_us)
{
    const struct reactor *r = uv_reactor_base(e->reactor);

    r->ops->timer_arm(uv_reactor_base(e->reactor), e->upkeep_timer, after_us);
}

void loop_hurry_upkeep(struct engine *e)
{
    e->fired_since_upkeep = true;
    if (e->upkeep_wait_us <= e->options.upkeep_every_us)
        return;
    /* It was put off while nothing happened. */
    e->upkeep_wait_us = e->options.upkeep_every_us;
    arm_upkeep(e, e->upkeep_wait_us);
}

static void fail(struct engine *e, enum asked_kind kind, const struct error *err)
{
    if (kind != ASKED_BEAT || err->code != ERR_UNSUPPORTED)
        log_answer(e, kind, err);
    switch (kind) {
    case ASKED_CLAIM:
        core_on_claim_failed(e->core, e->now);
        break;
    case ASKED_RECORD:
        core_on_record_failed(e->core, e->now);
        break;
    case ASKED_RENEW:
        core_on_renew_failed(e->core, e->now);
        break;
    case ASKED_DOOMED:
        core_on_ask_doomed_failed(e->core, e->now);
        break;
    case ASKED_UPKEEP:
        arm_upkeep(e, e->options.upkeep_every_us);
        break;
    case ASKED_BEAT:
        loop_fail_beat(e, err);
        break;
    case ASKED_NEXT:
        loop_took_look(e);
        break;
    case ASKED_LEAVE:
        break;
    }
}

/*
 * The store read its clock at some moment between our sending and our taking the answer, so the offset lies
 * between the two differences. It is moved no further than they demand: a store whose clock is ours stays at
 * exactly zero, and for another each quick answer narrows it down.
 */
void loop_measure_clock(struct engine *e, struct wall store_now, struct mono sent, struct wall sent_wall)
{
    int64_t least = store_now.us - e->own_wall.us;
    int64_t most = store_now.us - sent_wall.us;

    if (sent.us < e->clock_set_at.us || least > most)
        return; /* our clock was set in between: this tells nothing */
    if (e->offset_us < least)
        e->offset_us = least;
    else if (e->offset_us > most)
        e->offset_us = most;
    /* What a claim brought is looked at by the clock it was leased by. */
    e->now.wall = wall_add(e->own_wall, e->offset_us);
    core_trust_clock(e->core);
}

static void take_claim(struct engine *e, struct op_claim *o)
{
    CLEANUP(alloc_free_p) void *items = NULL;
    struct claim_result *r = &o->ret;
    struct core_claimed *claimed;
    struct error err;

    e->stats.claim_us_sum += (uint64_t)(e->now.mono.us - e->claim_sent.us);
    if (alloc_array(r->n, sizeof(*claimed), &items, &err) != ERR_NONE) {
        fail(e, ASKED_CLAIM, &err); /* their leases run out, and they are claimed again */
        return;
    }
    log_answer(e, ASKED_CLAIM, NULL);
    loop_measure_clock(e, r->now, e->claim_sent, e->claim_sent_wall);
    for (size_t i = 0; i < r->broken.n; i++)
        log_event(e->options.log, LOG_WARN, "engine",
                  "a stored definition cannot be read any more; its schedule is paused",
                  KV_UUID("schedule", r->broken.items[i]));
    claimed = items;
    for (size_t i = 0; i < r->n; i++)
        claimed[i] = (struct core_claimed){
            .run = r->items[i].run, .schedule = TAKE(r->items[i].schedule), .bytes = r->items[i].bytes};
    core_on_claimed(e->core, e->now,
                    &(struct core_claim_answer){
                        .items = claimed,
                        .n = r->n,
                        .replaced = r->replaced.items,
                        .replaced_n = r->replaced.n,
                        .next_due = r->next_due,
                        .more = r->more,
                    });
    loop_tell_next(e, r->next_due);
}

static void take_record(struct engine *e, const struct op_complete *o)
{
    log_answer(e, ASKED_RECORD, NULL);
    for (size_t i = 0; i < o->n; i++)
        e->stale[i] = o->outcomes[i].stale;
    core_on_recorded(e->core, e->now, e->stale, o->n);
}

static void take_renewal(struct engine *e, const struct op_renew *o)
{
    log_answer(e, ASKED_RENEW, NULL);
    core_on_renewed(e->core, e->now, o->ret_until, o->ret_lost.items, o->ret_lost.n);
}

static void take_doomed(struct engine *e, const struct op_doomed *o)
{
    log_answer(e, ASKED_DOOMED, NULL);
    core_on_doomed(e->core, e->now,
                   &(struct core_doomed){.runs = o->ret.items,
                                         .n = o->ret.n,
                                         .replaced = o->ret_replaced.items,
                                         .replaced_n = o->ret_replaced.n});
}

static void take_upkeep(struct engine *e, const struct op_upkeep *o)
{
    int64_t every_us = e->options.upkeep_every_us;
    int64_t longer_us = e->upkeep_wait_us * 2;

    log_answer(e, ASKED_UPKEEP, NULL);
    if (o->ret_n > 0 || e->fired_since_upkeep)
        e->upkeep_wait_us = every_us;
    else
        e->upkeep_wait_us = longer_us < every_us * UPKEEP_SELDOM ? longer_us : every_us * UPKEEP_SELDOM;
    e->fired_since_upkeep = false;
    arm_upkeep(e, o->ret_more ? UPKEEP_AGAIN_US : e->upkeep_wait_us);
}

static void answer_free(enum asked_kind kind, struct op *op)
{
    switch (kind) {
    case ASKED_CLAIM:
        op_claim_free(CONTAINER_OF(op, struct op_claim, op));
        break;
    case ASKED_RECORD:
        op_complete_free(CONTAINER_OF(op, struct op_complete, op));
        break;
    case ASKED_RENEW:
        op_renew_free(CONTAINER_OF(op, struct op_renew, op));
        break;
    case ASKED_DOOMED:
        op_doomed_free(CONTAINER_OF(op, struct op_doomed, op));
        break;
    case ASKED_UPKEEP:
        op_upkeep_free(CONTAINER_OF(op, struct op_upkeep, op));
        break;
    case ASKED_BEAT:
    case ASKED_LEAVE:
        op_heartbeat_free(CONTAINER_OF(op, struct op_heartbeat, op));
        break;
    case ASKED_NEXT:
        op_next_due_free(CONTAINER_OF(op, struct op_next_due, op));
        break;
    }
}

static void take_answer(struct engine *e, enum asked_kind kind, struct op *op)
{
    if (op->err.code != ERR_NONE) {
        fail(e, kind, &op->err);
        return;
    }
    switch (kind) {
    case ASKED_CLAIM:
        take_claim(e, CONTAINER_OF(op, struct op_claim, op));
        break;
    case ASKED_RECORD:
        take_record(e, CONTAINER_OF(op, struct op_complete, op));
        break;
    case ASKED_RENEW:
        take_renewal(e, CONTAINER_OF(op, struct op_renew, op));
        break;
    case ASKED_DOOMED:
        take_doomed(e, CONTAINER_OF(op, struct op_doomed, op));
        break;
    case ASKED_UPKEEP:
        take_upkeep(e, CONTAINER_OF(op, struct op_upkeep, op));
        break;
    case ASKED_BEAT:
        log_answer(e, ASKED_BEAT, NULL);
        loop_take_beat(e, CONTAINER_OF(op, struct op_heartbeat, op));
        break;
    case ASKED_NEXT:
        log_answer(e, ASKED_NEXT, NULL);
        loop_took_look(e);
        loop_tell_next(e, CONTAINER_OF(op, struct op_next_due, op)->ret);
        break;
    case ASKED_LEAVE:
        break;
    }
}

void loop_take_answers(struct engine *e)
{
    struct queue_node *node = queue_take(e->answers, 0);

    while (node) {
        struct op *op = CONTAINER_OF(node, struct op, node);
        const struct asked *a = op->arg;

        node = node->next;
        take_answer(e, a->kind, op);
        answer_free(a->kind, op);
    }
    for (size_t i = 0; i < ASKED_KINDS; i++) {
        struct asked *a = &e->asked[i];

        if (a->refused) {
            a->refused = false;
            fail(e, a->kind, &a->refusal);
        }
    }
}

void loop_drop_answers(struct engine *e)
{
    struct queue_node *node = queue_take(e->answers, 0);

    while (node) {
        struct op *op = CONTAINER_OF(node, struct op, node);
        const struct asked *a = op->arg;

        node = node->next;
        answer_free(a->kind, op);
    }
}
