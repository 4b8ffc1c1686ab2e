/*
 * ops_hand.c: see ops_hand.h. All may be repeated after a commit whose answer was lost: what an earlier try
 * did is recognised by its time or its id.
 */
#include "store/ops_hand.h"

#include "base/alloc.h"
#include "store/grow.h"
#include "store/journal.h"
#include "store/op.h"

/* --- runs redriven and discarded --- */

/* True when an earlier try of this operation did it: its commit went through, only the answer did not. */
static bool is_ours(const struct op_run_act *o, const struct run_act *a, struct wall made_at)
{
    if (a->result != RUN_NOT_NOW || made_at.us == 0)
        return false;
    if (o->kind == RUN_REDRIVE)
        return a->ret.run.by_hand_at.us == made_at.us;
    return a->ret.run.state == RUN_CANCELLED && a->ret.ended_at.us == made_at.us;
}

/* Of the runs told of before, only those that were acted on are events. */
static enum err note_acts(struct store *s, const struct op_run_act *o, const struct run_act *acts, size_t n,
                          struct wall now, struct error *err)
{
    if (!s->journal)
        return ERR_NONE;
    for (size_t i = 0; i < n; i++) {
        if (acts[i].result != RUN_ACTED)
            journal_drop_trace(s->journal, acts[i].id);
    }
    return journal_add_traces(s->journal, now, o->kind == RUN_REDRIVE ? EVENT_REDRIVEN : EVENT_DISCARDED,
                              NULL, (struct str){0}, err);
}

static enum err trace_acts(struct store *s, const struct run_act *acts, size_t n, struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct uuid *ids;
    enum err e;

    if (!s->journal || n == 0)
        return ERR_NONE;
    e = alloc_array(n, sizeof(*ids), &p, err);
    if (e)
        return e;
    ids = p;
    for (size_t i = 0; i < n; i++)
        ids[i] = acts[i].id;
    return store_trace_runs(s, ids, n, err);
}

static enum err act_on(struct store *s, struct op_run_act *o, struct run_act *acts, size_t n, struct wall now,
                       struct notice *notice, struct error *err)
{
    struct wall made_at = o->made_at;
    enum err e;

    o->first = (struct uuid){{0}};
    e = trace_acts(s, acts, n, err);

    if (!e)
        e = store_act_runs(s, o->kind, acts, n, now, err);
    if (!e)
        e = note_acts(s, o, acts, n, now, err);
    if (e)
        return e;
    for (size_t i = 0; i < n; i++) {
        if (acts[i].result == RUN_ACTED) {
            o->made_at = now;
            o->first = uuid_is_nil(o->first) ? acts[i].id : o->first;
        } else if (is_ours(o, &acts[i], made_at)) {
            acts[i].result = RUN_ACTED;
        }
        if (acts[i].result == RUN_ACTED) {
            o->ret_done++;
            notice->earliest = wall_min(notice->earliest, acts[i].made_due);
        } else {
            o->ret_refused++;
        }
    }
    return ERR_NONE;
}

static enum err list_part(struct store *s, const struct op_run_act *o, size_t limit,
                          struct run_record_list *ret, struct error *err)
{
    struct run_filter f = o->filter;

    f.before = o->reached;
    f.limit = limit;
    return store_list_runs(s, &f, ret, err);
}

static enum err act_on_listed(struct store *s, struct op_run_act *o, const struct run_record_list *l,
                              size_t n, struct wall now, struct notice *notice, struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct run_act *acts;
    enum err e = alloc_array(n, sizeof(*acts), &p, err);

    if (e)
        return e;
    acts = p;
    for (size_t i = 0; i < n; i++)
        acts[i].id = l->items[i].run.id;
    return act_on(s, o, acts, n, now, notice, err);
}

/* True when an earlier try of this part is stored: its commit went through, only the answer did not. */
static enum err part_is_acted(struct store *s, const struct op_run_act *o, bool *ret, struct error *err)
{
    struct run_record r;
    enum err e;

    *ret = false;
    if (uuid_is_nil(o->first))
        return ERR_NONE;
    e = store_get_run(s, o->first, &r, err);
    *ret = !e && r.run.by_hand_at.us == o->made_at.us;
    return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

static enum err act_on_next(struct store *s, struct op_run_act *o, struct wall now, struct notice *notice,
                            struct error *err)
{
    CLEANUP(run_record_list_done) struct run_record_list l = {0};
    size_t left = o->limit - (size_t)(o->done + o->refused);
    size_t part = left < RUN_ACTS_PART ? left : RUN_ACTS_PART;
    size_t n;
    enum err e;

    o->reached = o->filter.before;
    o->ret_done = o->done;
    o->ret_refused = o->refused;
    e = list_part(s, o, part + 1, &l, err);
    if (e)
        return e;
    n = l.n < part ? l.n : part;
    o->ret_more = l.n > n;
    if (n == 0)
        return ERR_NONE;
    o->reached = l.items[n - 1].run.id;
    return act_on_listed(s, o, &l, n, now, notice, err);
}

static enum err act_on_part(struct store *s, struct op_run_act *o, struct wall now, struct notice *notice,
                            struct error *err)
{
    bool acted;
    enum err e;

    if (o->parts != o->op.parts) { /* the last part is committed */
        o->parts = o->op.parts;
        o->done = o->ret_done;
        o->refused = o->ret_refused;
        o->filter.before = o->reached;
        o->first = (struct uuid){{0}};
    }
    e = part_is_acted(s, o, &acted, err);
    if (!e && !acted)
        e = act_on_next(s, o, now, notice, err);
    o->op.unfinished = o->ret_more && (size_t)(o->ret_done + o->ret_refused) < o->limit;
    return e;
}

static enum err run_act(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                        struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct op_run_act *o = OP_AS(ops[i], struct op_run_act);
        enum err e;

        if (o->by_filter) {
            e = act_on_part(s, o, now, notice, err);
        } else {
            o->ret_done = 0;
            o->ret_refused = 0;
            e = act_on(s, o, o->acts, o->n, now, notice, err);
        }
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type act_type = {
    .name = "run-act", .writes = true, .repeatable = true, .run = run_act};

enum err op_run_act_new(size_t n, op_done_fn done, struct op_run_act **ret, struct error *err)
{
    struct op_run_act *o;
    void *acts;
    enum err e = alloc_array(n, sizeof(*o->acts), &acts, err);

    if (e)
        return e;
    o = alloc_new(struct op_run_act);
    o->op.type = &act_type;
    o->op.done = done;
    o->op.weight = n > 0 && n < RUN_ACTS_PART ? n : RUN_ACTS_PART; /* of a part */
    o->acts = acts;
    o->n = n;
    o->filter.state = RUN_DEAD;
    *ret = o;
    return ERR_NONE;
}

void op_run_act_free(struct op_run_act *o)
{
    if (!o)
        return;
    alloc_free(o->acts);
    alloc_free(o);
}

/* --- backfill --- */

/* From here on the schedule's own plan makes what is to be made. */
static struct wall plan_begins(const struct timer *t, struct wall now)
{
    if (t->state == SCHEDULE_ACTIVE && !wall_is_never(t->next_at) && !wall_is_never(t->occurs_at))
        return wall_min(t->occurs_at, wall_add(now, 1));
    return wall_add(now, 1);
}

enum { LABEL_MAX = 64 * 1024 };

/* `label` stays empty where no history is kept. */
static enum err check_schedule(struct store *s, const struct op_backfill *o, struct wall now,
                               struct wall *ret_end, struct buf *label, struct error *err)
{
    struct record r = {0};
    bool kept = false;
    enum err e = store_get(s, o->id, &r, err);

    buf_init(label, LABEL_MAX);
    if (!e && s->journal)
        e = event_label_stored((struct str){r.definition, r.definition_n}, label, &kept, err);
    if (!kept)
        buf_clear(label);

    if (!e && r.version != o->version)
        e = error_set(err, ERR_PRECONDITION, NULL, "the schedule was changed meanwhile");
    *ret_end = plan_begins(&r.timer, now);
    record_done(&r);
    return e;
}

struct inserts {
    struct run_insert *items;
    size_t n;
    size_t cap;
};

static void inserts_done(struct inserts *l)
{
    alloc_free(l->items);
}

static enum err add_run(struct inserts *l, const struct op_backfill *o, struct wall at, struct str label,
                        struct wall now, struct error *err)
{
    enum err e = LIST_RESERVE(l, err);

    if (e)
        return e;
    l->items[l->n] =
        (struct run_insert){.label = label,
                            .run = {
                                /* A µs apart, so that lists by id are in the order of the
                                   occurrences, and those at once start in it. */
                                .id = uuid_v7(wall_add(now, (int64_t)l->n)),
                                .schedule_id = o->id,
                                .schedule_version = o->version,
                                .scheduled_at = at,
                                .due_at = o->in_a_row ? WALL_NEVER : wall_add(now, (int64_t)l->n),
                                .state = RUN_PENDING,
                                .by_hand_at = now,
                            }};
    l->n++;
    return ERR_NONE;
}

/* Counts, and gathers what is to be made. Both lists are sorted. */
static enum err choose(struct op_backfill *o, size_t to, struct wall end, const struct wall_list *known,
                       struct str label, struct wall now, struct inserts *ret, struct error *err)
{
    size_t k = 0;

    for (size_t i = o->part_at; i < to; i++) {
        struct wall at = o->times[i];
        enum err e;

        while (k < known->n && known->items[k].us < at.us)
            k++;
        if (at.us >= end.us || (k < known->n && known->items[k].us == at.us)) {
            o->ret_skipped++;
            continue;
        }
        o->ret_created++;
        e = o->dry ? ERR_NONE : add_run(ret, o, at, label, now, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err insert(struct store *s, struct op_backfill *o, struct inserts *l, struct wall now,
                       struct notice *notice, struct error *err)
{
    bool released = false;
    enum err e;

    if (l->n == 0)
        return ERR_NONE;
    o->first = l->items[0].run.id;
    e = store_insert_runs(s, l->items, l->n, err);
    if (!e && o->in_a_row)
        e = store_release(s, o->id, now, &released, err);
    if (!e && (released || !o->in_a_row))
        notice->earliest = wall_min(notice->earliest, now);
    return e;
}

/* True when an earlier try of this part is stored: its commit went through, only the answer did not. */
static enum err part_is_done(struct store *s, const struct op_backfill *o, bool *ret, struct error *err)
{
    struct run_record r;
    enum err e;

    *ret = false;
    if (uuid_is_nil(o->first))
        return ERR_NONE;
    e = store_get_run(s, o->first, &r, err);
    *ret = e == ERR_NONE;
    return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

static enum err make_part(struct store *s, struct op_backfill *o, struct wall now, struct notice *notice,
                          struct error *err)
{
    CLEANUP(wall_list_done) struct wall_list known = {0};
    CLEANUP(inserts_done) struct inserts made = {0};
    CLEANUP(buf_done_p) struct buf label = {0};
    size_t to = o->n - o->part_at < BACKFILL_PART ? o->n : o->part_at + BACKFILL_PART;
    struct wall end;
    enum err e;

    e = check_schedule(s, o, now, &end, &label, err);
    if (!e && o->n > 0)
        e = store_times_run(s, o->id, o->times[o->part_at], wall_add(o->times[to - 1], 1), &known, err);
    if (e)
        return e;
    o->ret_created = o->created;
    o->ret_skipped = o->skipped;
    e = choose(o, to, end, &known, buf_str(&label), now, &made, err);
    if (!e)
        e = insert(s, o, &made, now, notice, err);
    o->at = to;
    return e;
}

static enum err backfill(struct store *s, struct op_backfill *o, struct wall now, struct notice *notice,
                         struct error *err)
{
    bool done;
    enum err e;

    if (o->parts != o->op.parts) { /* the last part is committed */
        o->parts = o->op.parts;
        o->part_at = o->at;
        o->created = o->ret_created;
        o->skipped = o->ret_skipped;
        o->first = (struct uuid){{0}};
    }
    e = part_is_done(s, o, &done, err);
    if (!e && !done)
        e = make_part(s, o, now, notice, err);
    if (e == ERR_PRECONDITION && o->part_at > 0)
        return error_set(err, ERR_CONFLICT, NULL,
                         "the schedule was changed meanwhile, after %lld runs had been made",
                         (long long)o->created);
    o->op.unfinished = !e && o->at < o->n;
    return e;
}

static enum err run_backfill(struct store *s, struct op **ops, size_t n, struct wall now,
                             struct notice *notice, struct error *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct error err = {0};
        enum err e =
            op_judge(ops[i], backfill(s, OP_AS(ops[i], struct op_backfill), now, notice, &err), &err, ret);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type backfill_type = {
    .name = "backfill", .writes = true, .repeatable = true, .run = run_backfill};

enum err op_backfill_new(size_t n, op_done_fn done, struct op_backfill **ret, struct error *err)
{
    struct op_backfill *o;
    void *times;
    enum err e = alloc_array(n, sizeof(*o->times), &times, err);

    if (e)
        return e;
    o = alloc_new(struct op_backfill);
    o->op.type = &backfill_type;
    o->op.done = done;
    o->op.weight = n < BACKFILL_PART ? n : BACKFILL_PART; /* of a part */
    o->times = times;
    o->n = n;
    *ret = o;
    return ERR_NONE;
}

void op_backfill_free(struct op_backfill *o)
{
    if (!o)
        return;
    alloc_free(o->times);
    alloc_free(o);
}

/* --- reset --- */

enum { RESET_PART = 500 };

static enum err remove_schedules(struct store *s, struct wall now, struct notice *notice, size_t *ret_n,
                                 struct error *err)
{
    CLEANUP(uuid_list_done) struct uuid_list removed = {0};
    struct filter all = {.state = -1, .limit = RESET_PART};
    struct uuid reached;
    enum err e = store_remove(s, &all, now, &removed, &reached, err);

    if (!e)
        e = journal_add_cancelled(s->journal, now, "reset", (struct str){0}, err);
    for (size_t i = 0; !e && i < removed.n; i++)
        e = change_list_add(&notice->changed, (struct change){removed.items[i], INT64_MAX}, err);
    *ret_n = removed.n;
    return e;
}

static enum err reset(struct store *s, struct op_reset *o, struct wall now, struct notice *notice,
                      struct error *err)
{
    size_t schedules = 0;
    size_t runs = 0;
    size_t rows = 0;
    enum err e;

    if (o->parts != o->op.parts) { /* the last part is committed */
        o->parts = o->op.parts;
        o->schedules = o->ret_schedules;
        o->runs = o->ret_runs;
    }
    e = remove_schedules(s, now, notice, &schedules, err);
    if (!e && schedules == 0)
        e = store_clear(s, RESET_PART, &runs, &rows, err);
    if (e)
        return e;
    /* The larger one: when only a commit's answer was lost, this try found less than that one removed. */
    if (o->schedules + (int64_t)schedules > o->ret_schedules)
        o->ret_schedules = o->schedules + (int64_t)schedules;
    if (o->runs + (int64_t)runs > o->ret_runs)
        o->ret_runs = o->runs + (int64_t)runs;
    /* Not until nothing is found: the answer to this very request may be among what is cleared, each time. */
    o->op.unfinished = schedules > 0 || runs >= RESET_PART || rows - runs >= RESET_PART;
    return ERR_NONE;
}

static enum err run_reset(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                          struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        enum err e = reset(s, OP_AS(ops[i], struct op_reset), now, notice, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type reset_type = {
    .name = "reset", .writes = true, .repeatable = true, .run = run_reset};

struct op_reset *op_reset_new(op_done_fn done)
{
    struct op_reset *o = alloc_new(struct op_reset);

    o->op.type = &reset_type;
    o->op.done = done;
    o->op.weight = RESET_PART;
    return o;
}

void op_reset_free(struct op_reset *o)
{
    alloc_free(o);
}
