/*
 * claim.c: see claim.h. One thread: the lane's. Cost per run: the cache's look-up, or the decoding of a
 * definition.
 */
#include "store/claim.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "store/claim_cache.h"
#include "store/grow.h"
#include "store/journal.h"

/* A claim on its way. */
struct claim {
    struct store *s;
    struct claim_cache *cache;
    const struct claim_request *req;
    struct wall now;
    struct wall until;
    struct lease lease;
    struct claim_result *ret;
    size_t decided; /* timers with which something came of what was due */
    struct advance_list {
        struct advance *items;
        size_t n;
        size_t cap;
    } advances;
    struct insert_list {
        struct run_insert *items;
        size_t n;
        size_t cap;
    } inserts;
    struct note_list { /* of each insert; none where nobody keeps a journal */
        struct note {
            size_t label; /* in .labels */
            bool wanted;
            bool kept;
        } * items;
        size_t n;
        size_t cap;
    } notes;
    struct label_list {
        char **items; /* owned */
        size_t n;
        size_t cap;
    } labels;
};

enum { LABEL_MAX = 64 * 1024 };

static void claim_done(struct claim *c)
{
    for (size_t i = 0; i < c->labels.n; i++)
        alloc_free(c->labels.items[i]);
    alloc_free(c->labels.items);
    alloc_free(c->notes.items);
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

static enum err decode(const struct schedule_rules *rules, struct str definition, struct schedule **ret,
                       struct error *err)
{
    struct error_list faults = {0};
    json_t *json;
    enum err e;

    e = json_parse(definition, JSON_DEPTH_LIMIT, &json, err);
    if (e)
        return e;
    e = schedule_decode(json, rules, NULL, ret, &faults);
    json_free(json);
    if (e && err)
        *err = faults.items[0];
    return e;
}

/* *ret stays NULL for a definition that no longer decodes; running out of memory is an error. */
static enum err definition_of(struct claim *c, struct uuid id, int64_t version, struct str definition,
                              struct schedule **ret, struct error *err)
{
    struct schedule *s = claim_cache_get(c->cache, id, version);
    enum err e;

    if (!s) {
        e = decode(c->req->schedule_rules, definition, &s, err);
        if (e == ERR_MEMORY)
            return e;
        if (e)
            return ERR_NONE;
        /* A one-shot will not be asked for again. */
        if (schedule_recurs(s))
            claim_cache_put(c->cache, id, version, s, definition.n);
    }
    *ret = s;
    return ERR_NONE;
}

static enum err note_broken(struct claim *c, struct uuid id, struct str definition, struct error *err)
{
    CLEANUP(buf_done_p) struct buf label = {0};
    struct history_event ev =
        EVENT_OF(EVENT_PAUSED, c->now, id, .reason = "the definition cannot be read any more");
    struct journal *j = c->s->journal;
    enum err e;

    buf_init(&label, LABEL_MAX);
    e = event_label_stored(definition, &label, &ev.kept, err);
    if (e)
        return e;
    ev.label = buf_str(&label);
    e = journal_add_cancelled(j, c->now, "paused", ev.label, err);
    return e || !journal_wants(j, ev.kept) ? e : journal_add(j, &ev, err);
}

/* Stops a schedule that nobody can read any more. */
static enum err stop_broken(struct claim *c, struct uuid id, const struct timer *timer, struct str definition,
                            struct error *err)
{
    struct timer t = *timer;
    int64_t version;
    enum err e;

    c->decided++;
    timer_pause(&t, c->now);
    e = store_set_timer(c->s, id, 0, &t, true, c->now, &version, err);
    if (!e && c->s->journal)
        e = note_broken(c, id, definition, err);
    if (e)
        return e;
    return add_uuid(&c->ret->broken, id, err);
}

/* The schedule's label, kept until the claim is done. */
static enum err add_label(struct claim *c, const struct schedule *s, struct str *ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf label = {0};
    size_t n;
    enum err e = LIST_RESERVE(&c->labels, err);

    buf_init(&label, LABEL_MAX);
    if (!e)
        e = event_label(s, &label, err);
    if (!e)
        e = buf_take(&label, &c->labels.items[c->labels.n], &n, err);
    if (e)
        return e;
    *ret = (struct str){c->labels.items[c->labels.n++], n};
    return ERR_NONE;
}

/* Notes for the last insert, which is one of `s`. */
static enum err add_note(struct claim *c, const struct schedule *s, struct str label, struct error *err)
{
    struct journal *j = c->s->journal;
    enum err e;

    if (!j)
        return ERR_NONE;
    e = LIST_RESERVE(&c->notes, err);
    if (e)
        return e;
    c->notes.items[c->notes.n++] = (struct note){.label = c->labels.n > 0 ? c->labels.n - 1 : 0,
                                                 .wanted = journal_wants_of(j, s),
                                                 .kept = s->task.history_check};
    if (s->task.history_check)
        c->inserts.items[c->inserts.n - 1].label = label;
    return ERR_NONE;
}

static enum err note_started(struct claim *c, const struct run *run, struct str label, bool kept,
                             struct error *err)
{
    /* Taken ahead of its time: it starts when that comes. */
    struct history_event ev =
        EVENT_OF(EVENT_STARTED, wall_max(c->now, run->due_at), run->schedule_id, .label = label, .kept = kept,
                 .run_id = run->id, .attempt = run->attempt);

    ev.scheduled_at = run->scheduled_at;
    return journal_add(c->s->journal, &ev, err);
}

static enum err note_inserts(struct claim *c, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < c->notes.n; i++) {
        const struct run *run = &c->inserts.items[i].run;
        const struct note *note = &c->notes.items[i];

        if (note->wanted && run->state == RUN_RUNNING)
            e = note_started(c, run, str_of(c->labels.items[note->label]), note->kept, err);
    }
    return e;
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

static enum err keep_plan(struct claim *c, const struct due *d, struct schedule *s, const struct plan *plan,
                          struct str label, struct error *err)
{
    enum err e = LIST_RESERVE(&c->advances, err);

    if (e)
        return e;
    c->advances.items[c->advances.n++] =
        (struct advance){.id = d->id, .after = plan->after, .replace = plan->replace};
    c->decided += decides(&d->timer, plan);
    if (plan->replace) {
        e = add_uuid(&c->ret->replaced, d->id, err);
        if (e)
            return e;
    }
    for (size_t i = 0; i < plan->runs_n; i++) {
        e = add_insert(c, d, &plan->runs[i], err);
        if (!e)
            e = add_note(c, s, label, err);
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

/*
 * True when all open runs of the schedule are of definitions before the present one, and were not due yet
 * when that began. Looked for only shortly after a change, when it can be.
 */
static enum err are_leaving(struct claim *c, const struct due *d, bool *ret, struct error *err)
{
    CLEANUP(run_record_list_done) struct run_record_list open = {0};
    struct run_filter f = {.schedule_id = d->id, .state = RUN_RUNNING, .limit = (size_t)d->open_runs};
    struct wall since = d->timer.started_at;
    enum err e;

    *ret = false;
    if (d->open_runs == 0 || c->now.us > wall_add(since, c->req->horizon_us + LEAVING_US).us)
        return ERR_NONE;
    e = store_list_runs(c->s, &f, &open, err);
    if (e)
        return e;
    *ret = open.n == (size_t)d->open_runs;
    for (size_t i = 0; i < open.n; i++) {
        const struct run *r = &open.items[i].run;

        *ret = *ret && r->schedule_version < d->version && r->due_at.us > since.us;
    }
    return ERR_NONE;
}

static enum err put_off(struct claim *c, const struct due *d, const struct timer *timer, struct error *err)
{
    enum err e = LIST_RESERVE(&c->advances, err);

    if (e)
        return e;
    c->advances.items[c->advances.n++] = (struct advance){.id = d->id, .after = *timer};
    return ERR_NONE;
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
    struct str label = {0};
    enum err e;

    e = definition_of(c, d->id, d->version, definition, &s, err);
    if (e)
        return e;
    if (!s)
        return stop_broken(c, d->id, &d->timer, definition, err);
    if (timer_is_held(&timer, d->held_at) && timer_hold(s, &timer, c->now, c->until, &c->req->timer_rules))
        return put_off(c, d, &timer, err);
    e = are_leaving(c, d, &rules.leaving, err);
    rules.list_missed = journal_wants_of(j, s);
    if (!e && rules.list_missed)
        e = add_label(c, s, &label, err);
    if (!e)
        e = timer_plan(s, &timer, (size_t)d->open_runs, (size_t)d->waiting_runs, c->now, until_held(c, d),
                       &rules, &plan, err);
    if (!e && rules.list_missed)
        e = journal_add_missed(j, c->now, d->id, s, label, &plan.missed, err);
    if (e)
        return e;
    return keep_plan(c, d, s, &plan, label, err);
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
        e = note_inserts(c, err);
    }
    return e;
}

/* A run whose definition no longer decodes: its schedule stops; the run, now doomed, ends with its lease. */
static enum err stop_broken_run(struct claim *c, const struct run *run, struct error *err)
{
    struct record r = {0};
    enum err e;

    e = store_get(c->s, run->schedule_id, &r, err);
    if (e == ERR_NOT_FOUND)
        return ERR_NONE;
    if (!e)
        e = stop_broken(c, run->schedule_id, &r.timer, (struct str){r.definition, r.definition_n}, err);
    record_done(&r);
    return e;
}

/* For the engine, and for the journal. */
static enum err add_retaken(struct claim *c, const struct run *run, struct schedule *s, size_t bytes,
                            struct error *err)
{
    struct str label;
    enum err e = add_claimed(c, run, s, bytes, err);

    if (e || !journal_wants_of(c->s->journal, s))
        return e;
    e = add_label(c, s, &label, err);
    return e ? e : note_started(c, run, label, s->task.history_check, err);
}

/* Whether any attempt of it has come to an end that was recorded. Only max_lateness asks, so few are looked
 * at. */
static enum err look_whether_seen(struct claim *c, const struct schedule *s, struct run *run,
                                  struct error *err)
{
    struct run_record r;
    enum err e;

    if (s->max_lateness_us < 0 || run->attempt <= 1 || run->failures > 0)
        return ERR_NONE;
    e = store_get_run(c->s, run->id, &r, err);
    if (!e)
        run->unseen = wall_is_never(r.started_at);
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
        struct run run;

        e = definition_of(c, t->run.schedule_id, t->run.schedule_version,
                          (struct str){t->definition, t->definition_n}, &s, err);
        if (e)
            break;
        run = t->run;
        if (s)
            e = look_whether_seen(c, s, &run, err);
        if (e)
            break;
        e = s ? add_retaken(c, &run, s, t->definition_n, err) : stop_broken_run(c, &run, err);
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
