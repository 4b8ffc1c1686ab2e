/*
 * claim.c: see claim.h. One thread: the lane's. Cost per run: the cache's look-up, or the decoding of a
 * definition. The number of calls of the store does not depend on how much is due.
 */
#include "store/claim.h"

#include "base/alloc.h"
#include "base/random.h"
#include "store/claim_internal.h"
#include "store/grow.h"
#include "store/journal.h"

static void claim_done(struct claim *c)
{
    claim_note_done(c);
    alloc_free(c->advances.items);
    alloc_free(c->inserts.items);
}

void claim_result_done(struct claim_result *r)
{
    for (size_t i = 0; i < r->n; i++)
        schedule_unref(r->items[i].schedule);
    alloc_free(r->items);
    uuid_list_done(&r->replaced);
    uuid_list_done(&r->broken);
    *r = (struct claim_result){0};
}

static enum err add_uuid(struct uuid_list *l, struct uuid id, struct error *err)
{
    enum err e = LIST_RESERVE(l, err);

    if (e)
        return e;
    l->items[l->n++] = id;
    return ERR_NONE;
}

static enum err add_insert(struct claim *c, const struct due *d, const struct plan_run *p, struct error *err)
{
    struct run *run;
    enum err e = LIST_RESERVE(&c->inserts, err);

    if (e)
        return e;
    c->inserts.items[c->inserts.n] = (struct run_insert){0};
    run = &c->inserts.items[c->inserts.n++].run;
    *run = (struct run){
        /* A µs apart, so that lists by id are in the order of the plans. */
        .id = uuid_v7(wall_add(c->now, (int64_t)c->inserts.n)),
        .schedule_id = d->id,
        .schedule_version = d->version,
        .scheduled_at = p->scheduled_at,
        .due_at = p->waits ? WALL_NEVER : p->due_at,
        .state = p->waits ? RUN_PENDING : RUN_RUNNING,
        .attempt = p->waits ? 0 : 1,
        .lease_token = p->waits ? 0 : c->lease.token,
        .lease_until = p->waits ? (struct wall){0} : c->lease.until,
    };
    return ERR_NONE;
}

/* The run goes to the engine; its schedule's reference with it. */
static enum err add_claimed(struct claim *c, const struct run *run, struct schedule *s, size_t bytes,
                            struct error *err)
{
    enum err e = LIST_RESERVE(c->ret, err);

    if (e)
        return e;
    c->ret->items[c->ret->n++] = (struct claimed){.run = *run, .schedule = schedule_ref(s), .bytes = bytes};
    return ERR_NONE;
}

/* Not one that is only put off to its time: to ask for it again at once would be to ask without end. */
static bool decides(const struct timer *before, const struct plan *plan)
{
    const struct timer *after = &plan->after;

    return plan->runs_n > 0 || after->occurs_at.us != before->occurs_at.us || after->state != before->state ||
           wall_is_never(after->next_at);
}

/* Where the timer stands now; what stands where it was read is not written. */
static enum err add_advance(struct claim *c, const struct due *d, const struct timer *after, bool replace,
                            struct wall owed_at, struct error *err)
{
    enum err e;

    if (!replace && timer_eq(&d->timer, after))
        return ERR_NONE;
    e = LIST_RESERVE(&c->advances, err);
    if (e)
        return e;
    c->advances.items[c->advances.n++] =
        (struct advance){.id = d->id, .after = *after, .replace = replace, .owed_at = owed_at};
    return ERR_NONE;
}

static enum err keep_plan(struct claim *c, const struct due *d, struct schedule *s, const struct plan *plan,
                          struct wall owed_at, struct str label, struct error *err)
{
    enum err e = add_advance(c, d, &plan->after, plan->replace, owed_at, err);

    if (e)
        return e;
    c->decided += decides(&d->timer, plan);
    if (plan->replace) {
        e = add_uuid(&c->ret->replaced, d->id, err);
        if (e)
            return e;
    }
    for (size_t i = 0; i < plan->runs_n; i++) {
        e = add_insert(c, d, &plan->runs[i], err);
        if (!e)
            e = claim_note_insert(c, s, label, err);
        if (!e && !plan->runs[i].waits)
            e = add_claimed(c, &c->inserts.items[c->inserts.n - 1].run, s, d->definition_n, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

/* How long after a change what was claimed before it is looked for: a claim's horizon and the time to tell
 * others. */
#define LEAVING_US (2 * US_PER_S)

/* All open runs of the schedule are of definitions before the present one, and were not due yet when that
 * began. Only shortly after a change. */
static bool are_leaving(const struct claim *c, const struct due *d)
{
    return d->open_runs > 0 && d->leaving_runs == d->open_runs &&
           c->now.us <= wall_add(d->timer.started_at, c->req->horizon_us + LEAVING_US).us;
}

/* A later one of these occurrences that is in doubt is looked at when its turn comes. */
static struct wall until_held(const struct claim *c, const struct due *d)
{
    bool later = d->held_at.us > d->timer.occurs_at.us;

    return later ? wall_min(c->until, wall_add(d->held_at, -1)) : c->until;
}

static enum err plan_due(struct claim *c, const struct due *d, struct error *err)
{
    struct timer timer = d->timer;
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    CLEANUP(plan_done) struct plan plan = {0};
    struct str definition = {d->definition, d->definition_n};
    struct timer_rules rules = c->req->timer_rules;
    struct journal *j = c->s->journal;
    struct wall owed_at = {0};
    struct str label = {0};
    enum err e;

    e = claim_definition_get(c, d->id, d->version, definition, &s, err);
    if (e)
        return e;
    if (!s)
        return claim_definition_stop(c, d->id, &d->timer, definition, err);
    if (timer_is_held(&timer, d->held_at)) {
        if (timer_hold(s, &timer, c->now, c->until, &c->req->timer_rules))
            return add_advance(c, d, &timer, false, owed_at, err);
        owed_at = d->held_at;
    }
    rules.leaving = are_leaving(c, d);
    rules.list_missed = journal_wants_of(j, s);
    if (rules.list_missed)
        e = claim_note_label(c, s, &label, err);
    if (!e)
        e = timer_plan(s, &timer, (size_t)d->open_runs, (size_t)d->waiting_runs, c->now, until_held(c, d),
                       &rules, &plan, err);
    if (!e && rules.list_missed)
        e = journal_add_missed(j, c->now, d->id, s, label, &plan.missed, err);
    if (e)
        return e;
    return keep_plan(c, d, s, &plan, owed_at, label, err);
}

/* insert_runs() may have moved a scheduled_at on: what goes to the engine must say the same. */
static void follow_moves(struct claim *c, size_t first)
{
    size_t at = first;

    for (size_t i = 0; i < c->inserts.n; i++) {
        const struct run *run = &c->inserts.items[i].run;

        if (run->state == RUN_RUNNING)
            c->ret->items[at++].run.scheduled_at = run->scheduled_at;
    }
}

static enum err claim_due(struct claim *c, size_t limit, struct error *err)
{
    CLEANUP(due_list_done) struct due_list due = {.max_bytes = CLAIM_BYTES_MAX};
    size_t first = c->ret->n;
    size_t i = 0;
    enum err e;

    e = store_due(c->s, c->until, limit, &due, err);
    /* Those that wait for their predecessor are made, too. */
    for (; !e && i < due.n && c->inserts.n < limit; i++)
        e = plan_due(c, &due.items[i], err);
    c->ret->more = (due.cut || i < due.n) && c->decided > 0;
    if (!e)
        e = store_advance(c->s, c->advances.items, c->advances.n, c->now, err);
    if (!e)
        e = journal_add_cancelled(c->s->journal, c->now, "replaced", (struct str){0}, err);
    if (!e)
        e = store_insert_runs(c->s, c->inserts.items, c->inserts.n, err);
    if (!e) {
        follow_moves(c, first);
        e = claim_note_inserts(c, err);
    }
    return e;
}

static enum err claim_retaken(struct claim *c, size_t limit, struct error *err)
{
    CLEANUP(taken_list_done) struct taken_list taken = {.max_bytes = CLAIM_BYTES_MAX};
    enum err e;

    e = store_retake(c->s, &c->lease, c->now, c->until, limit, &taken, err);
    if (!e)
        e = journal_add_cancelled(c->s->journal, c->now, "its holder was lost", (struct str){0}, err);
    for (size_t i = 0; !e && i < taken.n; i++) {
        const struct taken *t = &taken.items[i];
        CLEANUP(schedule_unref_p) struct schedule *s = NULL;

        e = claim_definition_get(c, t->run.schedule_id, t->run.schedule_version,
                                 (struct str){t->definition, t->definition_n}, &s, err);
        if (!e && !s)
            e = claim_definition_stop_of(c, &t->run, err);
        if (e || !s)
            continue;
        e = add_claimed(c, &t->run, s, t->definition_n, err);
        if (!e)
            e = claim_note_retaken(c, s, &t->run, err);
    }
    return e;
}

/*
 * So many of a claim's runs are kept free for what was begun before: when there is always more due than a
 * claim takes, retries and runs of lost holders must not wait for the end of it. Of small claims every other
 * one keeps a place, as its moment has it.
 */
static size_t kept_free(const struct claim *c)
{
    size_t limit = c->req->limit;

    return limit < 4 ? (size_t)(c->now.us & 1) : limit / 4;
}

/* What was begun before is retaken last, since a plan may give it up. */
static enum err claim_both(struct claim *c, struct error *err)
{
    size_t limit = c->req->limit;
    size_t kept = kept_free(c);
    enum err e = kept < limit ? claim_due(c, limit - kept, err) : ERR_NONE;

    if (!e && c->ret->n < limit)
        e = claim_retaken(c, limit - c->ret->n, err);
    if (!e && kept == limit && c->ret->n == 0)
        e = claim_due(c, limit, err);
    return e;
}

static uint64_t new_token(void)
{
    uint64_t token;

    do {
        token = random_u64() & INT64_MAX;
    } while (token == 0);
    return token;
}

enum err store_claim(struct store *s, struct claim_cache *cache, const struct claim_request *req,
                     struct wall now, struct claim_result *ret, struct error *err)
{
    CLEANUP(claim_done)
    struct claim c = {
        .s = s,
        .cache = cache,
        .req = req,
        .now = now,
        .until = wall_add(now, req->horizon_us),
        .lease = {.instance = req->instance, .token = new_token(), .until = wall_add(now, req->lease_us)},
        .ret = ret,
    };
    enum err e;

    ret->now = now;
    MUST(req->limit > 0);
    e = claim_both(&c, err);
    if (!e)
        e = store_next_due(s, &ret->next_due, err);
    return e;
}
