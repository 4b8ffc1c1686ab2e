/*
 * ops_engine.c: see ops_engine.h. All may be repeated: a claim whose commit is undecided looks for what it
 * brought under its own tokens; an outcome recorded twice is stale the second time.
 */
#include "store/ops_engine.h"

#include "base/clock.h"
#include "store/journal.h"
#include "store/op.h"
#include "store/ops_once.h"

/* Takes those out that are in `lost`, which is in the order of the items. */
static void forget_lost(struct claim_result *r, const struct uuid_list *lost)
{
    size_t kept = 0;
    size_t at = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (at < lost->n && uuid_eq(lost->items[at], r->items[i].run.id)) {
            schedule_unref(r->items[i].schedule);
            at++;
        } else {
            r->items[kept++] = r->items[i];
        }
    }
    r->n = kept;
}

/* Renews the leases of what an earlier try brought; what is not there under its token is forgotten. */
static enum err renew_earlier(struct store *s, struct claim_result *r, struct wall until, struct error *err)
{
    CLEANUP(alloc_free_p) void *runs = NULL;
    CLEANUP(alloc_free_p) void *tokens = NULL;
    CLEANUP(uuid_list_done) struct uuid_list lost = {0};
    enum err e = alloc_array(r->n, sizeof(struct uuid), &runs, err);

    if (!e)
        e = alloc_array(r->n, sizeof(uint64_t), &tokens, err);
    if (e)
        return e;
    for (size_t i = 0; i < r->n; i++) {
        ((struct uuid *)runs)[i] = r->items[i].run.id;
        ((uint64_t *)tokens)[i] = r->items[i].run.lease_token;
        r->items[i].run.lease_until = until;
    }
    e = store_renew(s, runs, tokens, r->n, until, &lost, err);
    if (!e)
        forget_lost(r, &lost);
    return e;
}

/*
 * Run again, since the answer to an earlier try's commit was lost, or the try was undone. Nobody but this
 * operation knows the tokens of what that try brought: claimed anew beside it, those runs would wait until
 * their leases end.
 */
static enum err run_claim_once(struct store *s, struct op_claim *o, struct wall now, struct error *err)
{
    enum err e;

    if (o->ret.n > 0) {
        e = renew_earlier(s, &o->ret, wall_add(now, o->request.lease_us), err);
        if (e)
            return e;
    }
    if (o->ret.n > 0) {
        o->ret.now = now;
        return store_next_due(s, &o->ret.next_due, err);
    }
    claim_result_done(&o->ret);
    return store_claim(s, o->cache, &o->request, now, &o->ret, err);
}

static enum err run_claim(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                          struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct op_claim *o = OP_AS(ops[i], struct op_claim);
        enum err e = run_claim_once(s, o, now, err);

        /* Others may have under way what was given up. */
        for (size_t k = 0; !e && k < o->ret.replaced.n; k++)
            e = change_list_add(&notice->changed, (struct change){.schedule_id = o->ret.replaced.items[k]},
                                err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type claim_type = {
    .name = "claim", .writes = true, .repeatable = true, .run = run_claim};

struct op_claim *op_claim_new(op_done_fn done)
{
    struct op_claim *o = alloc_new(struct op_claim);

    o->op.type = &claim_type;
    o->op.done = done;
    return o;
}

void op_claim_free(struct op_claim *o)
{
    if (!o)
        return;
    claim_result_done(&o->ret);
    alloc_free(o);
}

enum { LABEL_MAX = 64 * 1024 };

/* What an outcome is called; false: it is no event. */
static bool kind_of(const struct outcome *o, enum history_kind *ret)
{
    switch (o->became) {
    case RUN_PENDING:
        *ret = EVENT_RETURNED;
        return true;
    case RUN_RETRYING:
        *ret = EVENT_ATTEMPT_FAILED;
        return true;
    case RUN_SUCCEEDED:
        *ret = EVENT_SUCCEEDED;
        return true;
    case RUN_FAILED:
        *ret = EVENT_FAILED;
        return true;
    case RUN_DEAD:
        *ret = EVENT_DEAD;
        return true;
    case RUN_SKIPPED:
        *ret = EVENT_SKIPPED;
        return true;
    case RUN_CANCELLED:
        *ret = EVENT_CANCELLED;
        return true;
    case RUN_RUNNING:
        break;
    }
    return false;
}

static enum err note_outcome(struct journal *j, const struct outcome *o, struct error *err)
{
    CLEANUP(buf_done_p) struct buf label = {0};
    struct history_event ev =
        EVENT_OF(EVENT_SUCCEEDED, o->ended_at, o->schedule_id, .kept = o->schedule->task.history_check,
                 .run_id = o->run_id, .attempt = o->attempt);
    enum err e;

    if (!kind_of(o, &ev.kind))
        return ERR_NONE;
    buf_init(&label, LABEL_MAX);
    e = event_label(o->schedule, &label, err);
    if (e)
        return e;
    ev.label = buf_str(&label);
    ev.scheduled_at = o->scheduled_at;
    if (o->became == RUN_RETRYING)
        ev.retry_at = o->due_at;
    if (o->became == RUN_SKIPPED)
        ev.reason = missed_name(MISSED_LATE);
    if (o->attempted) {
        ev.status = o->result.status;
        ev.took_us = o->result.took_us;
        ev.error = o->result.error;
        if (o->result.answer)
            ev.answer = (struct str){o->result.answer->text, o->result.answer->n};
    }
    return journal_add(j, &ev, err);
}

static enum err note_outcomes(struct journal *j, const struct op_complete *o, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t k = 0; !e && k < o->n; k++) {
        if (!o->outcomes[k].stale && o->outcomes[k].schedule && journal_wants_of(j, o->outcomes[k].schedule))
            e = note_outcome(j, &o->outcomes[k], err);
    }
    return e;
}

static enum err run_complete(struct store *s, struct op **ops, size_t n, struct wall now,
                             struct notice *notice, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct op_complete *o = OP_AS(ops[i], struct op_complete);
        enum err e;

        o->ret_earliest = WALL_NEVER;
        for (size_t k = 0; k < o->n; k++)
            o->outcomes[k].made_due = WALL_NEVER;
        e = store_complete(s, o->outcomes, o->n, now, err);
        if (!e)
            e = note_outcomes(s->journal, o, err);
        if (e)
            return e;
        for (size_t k = 0; k < o->n; k++)
            o->ret_earliest = wall_min(o->ret_earliest, o->outcomes[k].made_due);
        notice->earliest = wall_min(notice->earliest, o->ret_earliest);
    }
    return ERR_NONE;
}

static const struct op_type complete_type = {
    .name = "complete", .writes = true, .repeatable = true, .run = run_complete};

enum err op_complete_new(size_t n, op_done_fn done, struct op_complete **ret, struct error *err)
{
    struct op_complete *o;
    void *outcomes;
    enum err e;

    e = alloc_array(n, sizeof(*o->outcomes), &outcomes, err);
    if (e)
        return e;
    o = alloc_new(struct op_complete);
    o->op.type = &complete_type;
    o->op.done = done;
    o->outcomes = outcomes;
    o->n = n;
    *ret = o;
    return ERR_NONE;
}

void op_complete_free(struct op_complete *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->n; i++) {
        /* The reference is ours; `const` only says that nobody changes a schedule. */
        const struct schedule *s = o->outcomes[i].schedule;

        schedule_unref((struct schedule *)(uintptr_t)s);
        attempt_answer_unref(o->outcomes[i].result.answer);
    }
    alloc_free(o->outcomes);
    alloc_free(o);
}

static enum err run_renew(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                          struct error *err)
{
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_renew *o = OP_AS(ops[i], struct op_renew);
        enum err e;

        o->ret_lost.n = 0;
        o->ret_until = wall_add(now, o->lease_us);
        e = store_renew(s, o->runs, o->tokens, o->n, o->ret_until, &o->ret_lost, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type renew_type = {
    .name = "renew", .writes = true, .repeatable = true, .run = run_renew};

enum err op_renew_new(size_t n, op_done_fn done, struct op_renew **ret, struct error *err)
{
    struct op_renew *o;
    void *runs;
    void *tokens;
    enum err e;

    e = alloc_array(n, sizeof(*o->runs), &runs, err);
    if (e)
        return e;
    e = alloc_array(n, sizeof(*o->tokens), &tokens, err);
    if (e) {
        alloc_free(runs);
        return e;
    }
    o = alloc_new(struct op_renew);
    o->op.type = &renew_type;
    o->op.done = done;
    o->runs = runs;
    o->tokens = tokens;
    o->n = n;
    *ret = o;
    return ERR_NONE;
}

void op_renew_free(struct op_renew *o)
{
    if (!o)
        return;
    alloc_free(o->runs);
    alloc_free(o->tokens);
    uuid_list_done(&o->ret_lost);
    alloc_free(o);
}

enum { FIRST_STEP = 50, LEAST_STEP = 10 };

/* An answer may be a thousand times as large as a run. */
static size_t answers_limit(size_t limit)
{
    return limit < 50 ? limit : 50;
}

/* `n` rows of each kind, at most. */
static enum err upkeep_step(struct store *s, struct op_upkeep *o, size_t n, struct wall now,
                            struct error *err)
{
    size_t removed;
    size_t trimmed;
    size_t answers;
    bool more;
    enum err e;

    e = store_remove_finished(s, wall_add(now, -o->keep_finished_us), now, n, &removed, &more, err);
    if (!e)
        e = journal_add_cancelled(s->journal, now, "finished", (struct str){0}, err);
    if (!e)
        e = store_trim_runs(s, wall_add(now, -o->keep_ok_us), wall_add(now, -o->keep_failed_us), n, &trimmed,
                            err);
    if (!e)
        e = store_trim_answers(s, wall_add(now, -ONCE_KEEP_US), answers_limit(n), &answers, err);
    if (e)
        return e;
    o->ret_n += removed + trimmed;
    o->ret_more = more || trimmed >= n || answers >= answers_limit(n);
    return ERR_NONE;
}

/* As many rows as take about a quarter of a part: on a disk that must be read from, a row may take a
 * thousand times as long as in memory. */
static size_t next_step(const struct op_upkeep *o, int64_t took_us)
{
    size_t step = o->step;

    if (took_us > UPKEEP_PART_US / 2)
        step = step / 2 > LEAST_STEP ? step / 2 : LEAST_STEP;
    else if (took_us < UPKEEP_PART_US / 8)
        step *= 2;
    return step < o->limit ? step : o->limit;
}

static enum err upkeep_part(struct store *s, struct op_upkeep *o, struct wall now, struct error *err)
{
    struct mono began = clock_mono();
    struct mono at = began;

    if (o->parts != o->op.parts) { /* the last part is committed */
        o->parts = o->op.parts;
        o->committed = o->ret_n;
    }
    o->ret_n = o->committed;
    if (o->step == 0)
        o->step = FIRST_STEP < o->limit ? FIRST_STEP : o->limit;
    do {
        struct mono before = at;
        enum err e = upkeep_step(s, o, o->step, now, err);

        if (e)
            return e;
        at = clock_mono();
        o->step = next_step(o, at.us - before.us);
    } while (o->ret_more && at.us - began.us < UPKEEP_PART_US);
    o->op.unfinished = o->ret_more && o->parts + 1 < UPKEEP_PARTS;
    return ERR_NONE;
}

static enum err run_upkeep(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                           struct error *err)
{
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        enum err e = upkeep_part(s, OP_AS(ops[i], struct op_upkeep), now, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type upkeep_type = {
    .name = "upkeep", .writes = true, .repeatable = true, .run = run_upkeep};

struct op_upkeep *op_upkeep_new(op_done_fn done)
{
    struct op_upkeep *o = alloc_new(struct op_upkeep);

    o->op.type = &upkeep_type;
    o->op.done = done;
    return o;
}

void op_upkeep_free(struct op_upkeep *o)
{
    alloc_free(o);
}
