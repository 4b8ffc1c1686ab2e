/*
 * db.c: calls to the store: the shipped operations over the store in memory, with latency, outages, lost
 * answers and sabotage. See sim.h.
 */
#include "base/alloc.h"
#include "sim.h"

/* How long a caller waits before it gives a call up. */
#define CALL_TIMEOUT_US (800 * US_PER_MS)

void call_free(struct call *c)
{
    if (!c)
        return;
    op_claim_free(c->claim);
    op_complete_free(c->record);
    op_renew_free(c->renew);
    op_doomed_free(c->doomed);
    alloc_free(c->sent_tokens);
    alloc_free(c);
}

bool db_reachable(const struct world *w, const struct inst *i)
{
    return w->store_down_until <= w->t && i->cut_off_until <= w->t;
}

/* Calls of one instance are done in the order they were sent: it has one lane. */
void call_send(struct world *w, struct inst *i, struct call *c)
{
    int64_t t = w->t + between(w, 100, 2 * w->config.call_us);

    i->exec_t = t > i->exec_t ? t : i->exec_t + 1;
    event_add(w, i->exec_t, EV_EXEC, (int)i->no, c);
}

static void answer(struct world *w, struct inst *i, struct call *c, int64_t us)
{
    int64_t t = w->t + us;

    i->answer_t = t > i->answer_t ? t : i->answer_t + 1;
    event_add(w, i->answer_t, EV_ANSWER, (int)i->no, c);
}

/* --- sabotage: what a broken store or lane would do --- */

static bool strikes(struct world *w, enum sabotage s)
{
    if (w->sabotage != s || w->t < 10 * US_PER_S || world_settling(w))
        return false;
    w->sabotaged = true;
    return true;
}

/* Each outcome is given the token that the store wants to see. */
static void accept_stale(struct world *w, struct call *c)
{
    struct op_complete *o = c->record;
    void *p;

    MUST(alloc_array(o->n, sizeof(*c->sent_tokens), &p, NULL) == ERR_NONE);
    c->sent_tokens = p;
    for (size_t k = 0; k < o->n; k++) {
        struct run_record r;

        c->sent_tokens[k] = o->outcomes[k].token;
        if (store_get_run(w->store, o->outcomes[k].run_id, &r, NULL) == ERR_NONE &&
            r.run.state == RUN_RUNNING)
            o->outcomes[k].token = r.run.lease_token;
    }
}

/* Ends a lease before its time, so that the next claim takes the run. */
static void steal_lease(struct world *w)
{
    struct uuid_list lost = {0};

    for (struct list *n = w->in_flight.next; n != &w->in_flight; n = n->next) {
        const struct srun *r = CONTAINER_OF(n, struct attempt, in_flight)->run;

        if (r->leased && chance(w, 100))
            MUST(store_renew(w->store, &r->id, &r->token, 1, wall_add(world_wall(w), -1), &lost, NULL) ==
                 ERR_NONE);
    }
    uuid_list_done(&lost);
}

static void change_timer(struct world *w, void (*change)(const struct def *def, struct timer *t))
{
    for (size_t k = 0; k < w->scheds_n; k++) {
        const struct sched *s = w->scheds[k];
        const struct def *d = &s->epochs[s->epochs_n - 1].def;
        struct record r = {0};
        struct advance a = {.id = s->id};

        if (s->deleted || d->type != SCHEDULE_CRON || !chance(w, 20))
            continue;
        MUST(store_get(w->store, s->id, &r, NULL) == ERR_NONE);
        a.after = r.timer;
        record_done(&r);
        if (a.after.state != SCHEDULE_ACTIVE || wall_is_never(a.after.next_at))
            continue;
        change(d, &a.after);
        MUST(store_advance(w->store, &a, 1, world_wall(w), NULL) == ERR_NONE);
    }
}

static void skip_one(const struct def *def, struct timer *t)
{
    struct wall next = def_next(def, t->occurs_at, 600 * US_PER_S);

    if (wall_is_never(next))
        return;
    t->occurs_at = next;
    t->next_at = next;
}

static void count_one(const struct def *def, struct timer *t)
{
    (void)def;
    t->missed[MISSED_OVERLAP]++;
}

/* --- notices --- */

static void tell(struct world *w, const struct inst *i, const struct notice *n, int64_t least_us,
                 int64_t most_us)
{
    if (!wall_is_never(n->earliest))
        event_add(w, w->t + between(w, least_us, most_us), EV_DUE, (int)i->no, NULL)->wall = n->earliest;
    for (size_t k = 0; k < n->changed.n; k++) {
        struct sched *s = sched_of(w, n->changed.items[k].schedule_id);

        event_add(w, w->t + between(w, least_us, most_us), EV_CHANGED, (int)i->no, s)->version =
            n->changed.items[k].version;
    }
}

/* Its connection was lost: it hears that there was something when it has another one. */
static void miss(struct world *w, const struct inst *i)
{
    int64_t t = w->t + between(w, US_PER_MS, 3 * US_PER_S);

    event_add(w, t, EV_MISSED, (int)i->no, NULL);
    world_disturb(w, t);
}

void db_notify(struct world *w, struct inst *self, const struct notice *n)
{
    bool lost = !wall_is_never(n->earliest) && strikes(w, SABOTAGE_LOSE_NOTICE);

    for (size_t k = 0; k < w->config.instances; k++) {
        struct inst *i = &w->inst[k];
        struct notice some = *n;

        if (i->state == INST_DOWN)
            continue;
        if (lost)
            some.earliest = WALL_NEVER;
        if (i == self) {
            tell(w, i, &some, 0, 500);
            continue;
        }
        /* Wake-ups may get lost: the poll makes up for them. */
        if (chance(w, w->config.deaf_permille))
            some.earliest = WALL_NEVER;
        if (chance(w, w->config.mute_permille))
            miss(w, i);
        else
            tell(w, i, &some, US_PER_MS, 900 * US_PER_MS);
    }
}

/* --- doing it --- */

static enum err run_op(struct world *w, struct call *c, struct notice *n)
{
    struct op *op = c->claim    ? &c->claim->op
                    : c->record ? &c->record->op
                    : c->renew  ? &c->renew->op
                                : &c->doomed->op;
    struct error err = {0};
    enum err e = op->type->run(w->store, &op, 1, world_wall(w), n, &err);

    if (e)
        check_failed(w, "the store failed: %s", err.text);
    return e;
}

static void before(struct world *w, struct call *c)
{
    if (c->record && strikes(w, SABOTAGE_ACCEPT_STALE))
        accept_stale(w, c);
    if (c->claim && strikes(w, SABOTAGE_STEAL_LEASE))
        steal_lease(w);
    if (c->claim && strikes(w, SABOTAGE_SKIP_OCCURRENCE))
        change_timer(w, skip_one);
    if (c->claim && strikes(w, SABOTAGE_COUNT_TWICE))
        change_timer(w, count_one);
}

/* What is under way of it is given up, wherever it is. */
static void mark_replaced(struct world *w, const struct sched *s)
{
    for (struct list *n = s->runs.next; n != &s->runs; n = n->next)
        CONTAINER_OF(n, struct srun, in_sched)->replaced = true;
    for (struct list *n = w->in_flight.next; n != &w->in_flight; n = n->next) {
        struct attempt *a = CONTAINER_OF(n, struct attempt, in_flight);

        if (a->run->sched == s && a->replaced_t == 0)
            a->replaced_t = w->t;
    }
}

static void after(struct world *w, struct inst *i, struct call *c)
{
    if (c->claim) {
        const struct claim_result *r = &c->claim->ret;

        if (r->broken.n > 0)
            check_failed(w, "a definition no longer decodes");
        if (r->n == 0)
            check_empty_claim(w, i);
        else
            trace_add(w, "claimed", (int)i->no, NULL, NULL, (int64_t)r->n, NOTHING);
        for (size_t k = 0; k < r->replaced.n; k++)
            mark_replaced(w, sched_of(w, r->replaced.items[k]));
        for (size_t k = 0; k < r->n; k++)
            check_claimed(w, i, &r->items[k].run);
    }
    for (size_t k = 0; c->record && k < c->record->n; k++) {
        if (c->sent_tokens)
            c->record->outcomes[k].token = c->sent_tokens[k];
        check_outcome(w, i, &c->record->outcomes[k]);
    }
    if (c->renew)
        check_renewed(w, c->renew);
}

static void commit(struct world *w, struct inst *i, struct call *c, bool lost)
{
    struct notice n = {.earliest = WALL_NEVER};

    MUST(store_begin(w->store, true, NULL) == ERR_NONE);
    before(w, c);
    if (run_op(w, c, &n) || (lost && chance(w, 500))) {
        store_rollback(w->store);
    } else {
        MUST(store_commit(w->store, NULL) == ERR_NONE);
        after(w, i, c);
        /* A lane that does not know what became of a commit tells nobody of it. */
        if (!lost)
            db_notify(w, i, &n);
    }
    change_list_done(&n.changed);
}

void call_exec(struct world *w, struct inst *i, struct call *c)
{
    bool lost = chance(w, w->config.lost_permille);

    c->failed = lost;
    c->step_us = w->step_us;
    if (!db_reachable(w, i)) {
        c->failed = true;
        instance_trouble(w, i);
        answer(w, i, c, between(w, US_PER_MS, CALL_TIMEOUT_US));
        return;
    }
    if (c->record && strikes(w, SABOTAGE_DROP_RECORD) && chance(w, 50)) {
        trace_add(w, "SABOTAGE a record is dropped", (int)i->no, NULL, NULL, (int64_t)c->record->n, NOTHING);
        answer(w, i, c, US_PER_MS);
        return;
    }
    commit(w, i, c, lost);
    if (lost) {
        trace_add(w, "an answer is lost", (int)i->no, NULL, NULL, (int64_t)c->kind, NOTHING);
        instance_trouble(w, i);
    }
    answer(w, i, c, lost ? CALL_TIMEOUT_US : between(w, 100, w->config.call_us));
}
