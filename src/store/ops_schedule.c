/*
 * ops_schedule.c: registration, deletion and reading, as operations. See ops_schedule.h; acts by hand are in
 * op_act.c.
 *
 * All may be repeated after a commit whose answer was lost: a registration recognises its own work by id,
 * version and time, a deletion by having found the schedule before.
 */
#include "store/ops_schedule.h"

#include <stdint.h>

#include "base/buf.h"
#include "store/journal.h"
#include "store/op.h"

/* The registrations of one stretch of operations, as one call to the store. */
struct batch {
    struct put *puts;
    struct op_put_item **items; /* of each put */
    size_t *starts;             /* of its definition in texts */
    size_t n;
    struct buf texts;
};

static void batch_done(struct batch *b)
{
    alloc_free(b->puts);
    alloc_free(b->items);
    alloc_free(b->starts);
    buf_done(&b->texts);
}

static enum err batch_init(struct batch *b, struct op **ops, size_t n, struct error *err)
{
    size_t total = 0;
    void *p = NULL;
    enum err e;

    for (size_t i = 0; i < n; i++)
        total += OP_AS(ops[i], struct op_put)->n;
    buf_init(&b->texts, SIZE_MAX / 2); /* the API bounds each body and the lane the group */
    e = alloc_array(total, sizeof(*b->puts), &p, err);
    if (e)
        return e;
    b->puts = p;
    e = alloc_array(total, sizeof(struct op_put_item *), &p, err);
    if (e)
        return e;
    b->items = p;
    e = alloc_array(total, sizeof(*b->starts), &p, err);
    if (e)
        return e;
    b->starts = p;
    return ERR_NONE;
}

/* True when an earlier try of this very item is stored: its commit went through, only the answer did not. */
static enum err is_stored(struct store *s, const struct op_put_item *item, bool *ret, struct error *err)
{
    struct record r = {0};
    enum err e;

    *ret = false;
    if (item->made_at.us == 0)
        return ERR_NONE;
    e = store_get(s, item->ret_id, &r, err);
    if (e == ERR_NOT_FOUND)
        return ERR_NONE;
    *ret = !e && r.version == item->ret_version && r.updated_at.us == item->made_at.us;
    record_done(&r);
    return e;
}

static enum err batch_add(struct batch *b, const struct op_put *o, struct op_put_item *item, struct wall now,
                          struct error *err)
{
    struct put *p = &b->puts[b->n];
    enum err e;

    *p = (struct put){
        .schedule = item->schedule,
        /* A group has one time: a µs for each keeps lists in the order of registration. */
        .id = o->by_id ? o->id : uuid_v7(wall_add(now, (int64_t)b->n)),
        .by_id = o->by_id,
        .if_version = o->if_version,
    };
    timer_start(item->schedule, now, &p->timer);
    b->items[b->n] = item;
    b->starts[b->n] = b->texts.n;
    e = schedule_encode(item->schedule, &b->texts, err);
    if (e)
        return e;
    b->n++;
    return ERR_NONE;
}

static enum err batch_fill(struct batch *b, struct store *s, const struct op_put *o, struct wall now,
                           struct error *err)
{
    for (size_t i = 0; i < o->n; i++) {
        struct op_put_item *item = &o->items[i];
        bool stored;
        enum err e;

        if (!item->schedule)
            continue;
        e = is_stored(s, item, &stored, err);
        if (!e && !stored)
            e = batch_add(b, o, item, now, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err batch_answer(const struct batch *b, struct wall now, struct notice *notice, struct error *err)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct put *p = &b->puts[i];
        struct op_put_item *item = b->items[i];

        item->result = p->result;
        if (p->result)
            continue;
        item->ret_id = p->ret_id;
        item->ret_created = p->ret_created;
        item->ret_version = p->ret_version;
        item->ret_state = p->timer.state;
        item->ret_next_at = p->timer.next_at;
        item->made_at = now;
        if (p->timer.state == SCHEDULE_ACTIVE)
            notice->earliest = wall_min(notice->earliest, p->timer.next_at);
        if (!p->ret_created) {
            enum err e = change_list_add(&notice->changed, (struct change){p->ret_id, p->ret_version}, err);

            if (e)
                return e;
        }
    }
    return ERR_NONE;
}

enum { LABEL_MAX = 64 * 1024 };

/* Its one occurrence lies outside its window. */
static enum err note_window(struct journal *j, const struct put *p, struct str label, struct wall now,
                            struct error *err)
{
    struct history_event ev =
        EVENT_OF(EVENT_SKIPPED, now, p->ret_id, .label = label, .kept = p->schedule->task.history_check,
                 .reason = missed_name(MISSED_WINDOW));

    ev.scheduled_at = timer_first(p->schedule, now);
    return journal_add(j, &ev, err);
}

static enum err note_put(struct journal *j, const struct put *p, struct wall now, struct error *err)
{
    CLEANUP(buf_done_p) struct buf label = {0};
    struct history_event ev = EVENT_OF(p->ret_created ? EVENT_REGISTERED : EVENT_UPDATED, now, p->ret_id,
                                       .kept = p->schedule->task.history_check);
    enum err e;

    buf_init(&label, LABEL_MAX);
    e = event_label(p->schedule, &label, err);
    if (e)
        return e;
    ev.label = buf_str(&label);
    e = journal_add(j, &ev, err);
    if (!e && p->timer.missed[MISSED_WINDOW] > 0)
        e = note_window(j, p, ev.label, now, err);
    return e;
}

/* What was open of the definitions before, too. */
static enum err note_puts(struct journal *j, const struct batch *b, struct wall now, struct error *err)
{
    enum err e = journal_add_cancelled(j, now, "updated", (struct str){0}, err);

    for (size_t i = 0; !e && i < b->n; i++) {
        if (b->puts[i].result == ERR_NONE && journal_wants_of(j, b->puts[i].schedule))
            e = note_put(j, &b->puts[i], now, err);
    }
    return e;
}

static enum err run_put(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                        struct error *err)
{
    CLEANUP(batch_done) struct batch b = {0};
    enum err e;

    e = batch_init(&b, ops, n, err);
    for (size_t i = 0; !e && i < n; i++)
        e = batch_fill(&b, s, OP_AS(ops[i], struct op_put), now, err);
    if (e)
        return e;
    /* Only now: the text moved while it grew. */
    for (size_t i = 0; i < b.n; i++) {
        size_t to = i + 1 < b.n ? b.starts[i + 1] : b.texts.n;

        b.puts[i].definition = (struct str){b.texts.p + b.starts[i], to - b.starts[i]};
    }
    e = store_put(s, b.puts, b.n, now, err);
    if (!e)
        e = batch_answer(&b, now, notice, err);
    return e ? e : note_puts(s->journal, &b, now, err);
}

static const struct op_type put_type = {.name = "put", .writes = true, .repeatable = true, .run = run_put};

enum err op_put_new(size_t n, op_done_fn done, struct op_put **ret, struct error *err)
{
    struct op_put *o;
    void *items;
    enum err e;

    e = alloc_array(n, sizeof(*o->items), &items, err);
    if (e)
        return e;
    o = alloc_new(struct op_put);
    o->op.type = &put_type;
    o->op.weight = n;
    o->op.done = done;
    o->items = items;
    o->n = n;
    *ret = o;
    return ERR_NONE;
}

void op_put_free(struct op_put *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->n; i++)
        schedule_unref(o->items[i].schedule);
    alloc_free(o->items);
    alloc_free(o);
}

static enum err note_removed(struct notice *notice, struct uuid id, struct error *err)
{
    return change_list_add(&notice->changed, (struct change){id, INT64_MAX}, err);
}

static enum err remove_one(struct store *s, struct op_remove *o, struct wall now, struct notice *notice,
                           struct error *err)
{
    bool found_before = o->ret_count > 0;
    enum err e = store_remove_id(s, o->id, o->if_version, now, err);

    /* A repetition: it was there, so it was us. */
    if (e == ERR_NOT_FOUND && found_before)
        return ERR_NONE;
    if (!e)
        e = journal_add_cancelled(s->journal, now, NULL, (struct str){0}, err);
    if (e)
        return e;
    o->ret_count = 1;
    return note_removed(notice, o->id, err);
}

/* Divides both bounds. */
enum { REMOVE_STEP = 250 };

/* *reached becomes nil when there is nothing behind. */
static enum err remove_step(struct store *s, const struct op_remove *o, struct wall now, struct uuid *reached,
                            size_t *ret_n, struct notice *notice, struct error *err)
{
    CLEANUP(uuid_list_done) struct uuid_list removed = {0};
    struct filter f = o->filter;
    enum err e;

    f.after = *reached;
    f.limit = REMOVE_STEP;
    e = store_remove(s, &f, now, &removed, reached, err);
    if (!e)
        e = journal_add_cancelled(s->journal, now, NULL, (struct str){0}, err);
    for (size_t i = 0; !e && i < removed.n; i++)
        e = note_removed(notice, removed.items[i], err);
    *ret_n = removed.n;
    return e;
}

/* A part of what matches. What an earlier try of this part did and lost is done again from where the part
 * began. */
static enum err remove_matching(struct store *s, struct op_remove *o, struct wall now, struct notice *notice,
                                struct error *err)
{
    struct uuid at;
    int64_t removed = 0;
    size_t looked_at = 0;

    if (o->parts != o->op.parts) { /* the last part is committed */
        o->parts = o->op.parts;
        o->committed = o->ret_count;
        o->filter.after = o->reached;
    }
    at = o->filter.after;
    do {
        size_t n;
        enum err e = remove_step(s, o, now, &at, &n, notice, err);

        if (e)
            return e;
        removed += (int64_t)n;
        looked_at += REMOVE_STEP;
    } while (!uuid_is_nil(at) && removed < REMOVE_AT_ONCE && looked_at < REMOVE_LOOK);
    o->reached = at;
    o->op.unfinished = !uuid_is_nil(at);
    /* The larger one: when only a commit's answer was lost, this try found less than that one removed. */
    if (o->committed + removed > o->ret_count)
        o->ret_count = o->committed + removed;
    return ERR_NONE;
}

static enum err run_remove(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                           struct error *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct op_remove *o = OP_AS(ops[i], struct op_remove);
        struct error err = {0};
        enum err e =
            o->by_id ? remove_one(s, o, now, notice, &err) : remove_matching(s, o, now, notice, &err);

        e = op_judge(ops[i], e, &err, ret);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type remove_type = {
    .name = "remove", .writes = true, .repeatable = true, .run = run_remove};

struct op_remove *op_remove_new(op_done_fn done)
{
    struct op_remove *o = alloc_new(struct op_remove);

    o->op.type = &remove_type;
    o->op.done = done;
    o->op.weight = REMOVE_AT_ONCE; /* of one by id: for whoever makes it to lower */
    o->filter.state = -1;
    return o;
}

void op_remove_free(struct op_remove *o)
{
    alloc_free(o);
}

static enum err run_get(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                        struct error *ret)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_get *o = OP_AS(ops[i], struct op_get);
        struct error err = {0};
        enum err e;

        record_done(&o->ret);
        e = o->by_client ? store_get_by_client(s, o->identity, &o->ret, &err)
                         : store_get(s, o->id, &o->ret, &err);
        e = op_judge(ops[i], e, &err, ret);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type get_type = {.name = "get", .repeatable = true, .run = run_get};

struct op_get *op_get_new(op_done_fn done)
{
    struct op_get *o = alloc_new(struct op_get);

    o->op.type = &get_type;
    o->op.done = done;
    return o;
}

void op_get_free(struct op_get *o)
{
    if (!o)
        return;
    schedule_unref(o->identity);
    record_done(&o->ret);
    alloc_free(o);
}

static enum err run_list(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_list *o = OP_AS(ops[i], struct op_list);
        enum err e;

        record_list_done(&o->ret);
        e = store_list(s, &o->filter, &o->ret, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type list_type = {.name = "list", .repeatable = true, .run = run_list};

struct op_list *op_list_new(op_done_fn done)
{
    struct op_list *o = alloc_new(struct op_list);

    o->op.type = &list_type;
    o->op.done = done;
    o->filter.state = -1;
    return o;
}

void op_list_free(struct op_list *o)
{
    if (!o)
        return;
    record_list_done(&o->ret);
    alloc_free(o);
}
