/*
 * due.c: what a claim asks: the timers that are due, their runs, and the runs to be taken over.
 */
#include "base/alloc.h"
#include "store/grow.h"
#include "store/memory/ops.h"

struct open_count memory_count_open(const struct memory_db *db, struct uuid schedule_id,
                                    struct wall occurrence)
{
    struct open_count count = {.held_at = WALL_NEVER};

    for (struct run_row *r = rows_first_open(db, schedule_id); r; r = rows_next_open(r)) {
        count.open++;
        count.waiting += rows_run_waits(r);
        if (r->doomed && r->run.scheduled_at.us >= occurrence.us)
            count.held_at = wall_min(count.held_at, r->run.scheduled_at);
    }
    return count;
}

/* See due.leaving_runs. */
static int64_t count_leaving(const struct memory_db *db, const struct timer_row *t)
{
    int64_t n = 0;

    for (struct run_row *r = rows_first_open(db, t->id); r; r = rows_next_open(r))
        n += r->run.state == RUN_RUNNING && r->run.schedule_version < t->version &&
             r->run.due_at.us > t->timer.started_at.us;
    return n;
}

static enum err fill_due(const struct memory_db *db, const struct timer_row *t, struct due *ret,
                         struct error *err)
{
    const struct schedule_row *s = rows_schedule(db, t->id);
    struct open_count count = memory_count_open(db, t->id, t->timer.occurs_at);
    char *definition;
    enum err e = alloc_str(s->definition, &definition, err);

    if (e)
        return e;
    *ret = (struct due){
        .id = t->id,
        .version = t->version,
        .definition = definition,
        .definition_n = s->definition.n,
        .timer = t->timer,
        .open_runs = count.open,
        .waiting_runs = count.waiting,
        .leaving_runs = count_leaving(db, t),
        .held_at = count.held_at,
    };
    return ERR_NONE;
}

enum err memory_due(struct store *s, struct wall until, size_t limit, struct due_list *ret, struct error *err)
{
    struct memory_db *db = memory_write(s);
    size_t first = ret->n;
    size_t bytes = 0;
    enum err e = ERR_NONE;

    for (struct tree_node *n = tree_first(&db->timers_due); n && !e && !ret->cut; n = tree_next(n)) {
        const struct timer_row *t = CONTAINER_OF(n, struct timer_row, by_due);

        if (t->timer.next_at.us > until.us)
            break;
        e = LIST_RESERVE(ret, err);
        if (!e)
            e = fill_due(db, t, &ret->items[ret->n], err);
        if (e)
            break;
        bytes += ret->items[ret->n++].definition_n;
        ret->cut = ret->n - first == limit || (ret->max_bytes > 0 && bytes >= ret->max_bytes);
    }
    return e;
}

static enum err owe(struct memory_db *db, struct uuid schedule_id, struct wall scheduled_at,
                    struct error *err)
{
    struct run_row *r = rows_open_at(db, schedule_id, scheduled_at);
    struct run_row *after;
    enum err e;

    if (!r || !r->doomed)
        return ERR_NONE;
    e = rows_copy_run(r, &after, err);
    if (e)
        return e;
    after->owed = true;
    return rows_swap(db, &r->row, &after->row, err);
}

enum err memory_advance(struct store *s, const struct advance *a, size_t n, struct wall now,
                        struct error *err)
{
    struct memory_db *db = memory_write(s);

    for (size_t i = 0; i < n; i++) {
        struct timer_row *t = rows_timer(db, a[i].id);
        enum err e = ERR_NONE;

        if (!t)
            return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
        if (a[i].owed_at.us != 0)
            e = owe(db, a[i].id, a[i].owed_at, err);
        if (!e && a[i].replace)
            e = memory_end_open(db, a[i].id, END_REPLACED, now, err);
        if (!e)
            e = memory_write_timer(db, &t, &a[i].after, now, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err insert(struct memory_db *db, struct run_insert *in, struct uuid owner, struct error *err)
{
    struct run *run = &in->run;
    struct run_row *r;
    enum err e = rows_new_run(in->label, &r, err);

    if (e)
        return e;
    while (rows_open_at(db, run->schedule_id, run->scheduled_at))
        run->scheduled_at.us++;
    r->seq = db->seq++;
    r->run = *run;
    r->owner = owner;
    r->started_at = WALL_NEVER;
    r->ended_at = WALL_NEVER;
    return rows_add(db, &r->row, err);
}

enum err memory_insert_runs(struct store *s, struct run_insert *runs, size_t n, struct error *err)
{
    struct memory_db *db = memory_write(s);

    for (size_t i = 0; i < n; i++) {
        enum err e = insert(db, &runs[i], (struct uuid){{0}}, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err memory_insert_run(struct store *s, struct run_insert *run, struct error *err)
{
    return insert(memory_write(s), run, (struct uuid){{0}}, err);
}

/* --- taking over --- */

static enum err take(struct memory_db *db, struct run_row *r, const struct lease *lease,
                     struct taken_list *list, struct error *err)
{
    const struct schedule_row *s = rows_schedule(db, r->run.schedule_id);
    const struct timer_row *t = rows_timer(db, r->run.schedule_id);
    struct run_row *after;
    char *definition;
    enum err e = LIST_RESERVE(list, err);

    MUST(s && t); /* only running runs outlive their schedule, and those are doomed */
    if (e)
        return e;
    e = rows_copy_run(r, &after, err);
    if (e)
        return e;
    MUST(run_step_allowed(r->run.state, RUN_RUNNING));
    after->run.state = RUN_RUNNING;
    after->run.attempt++;
    if (r->owed)
        after->run.schedule_version = t->version;
    after->doomed = after->owed = false;
    after->run.lease_token = lease->token;
    after->run.lease_until = lease->until;
    after->owner = lease->instance;
    e = rows_swap(db, &r->row, &after->row, err);
    if (e)
        return e;
    e = alloc_str(s->definition, &definition, err);
    if (e)
        return e;
    list->items[list->n++] =
        (struct taken){.run = after->run, .definition = definition, .definition_n = s->definition.n};
    list->items[list->n - 1].run.unseen = wall_is_never(after->started_at);
    list->bytes += s->definition.n;
    return ERR_NONE;
}

/* Its holder is gone, and nobody wants it any more. */
static enum err end_doomed(struct memory_db *db, struct run_row *r, struct wall now, struct error *err)
{
    struct wall ignored = WALL_NEVER;
    struct run_row *after;
    enum err e = rows_copy_run(r, &after, err);

    if (e)
        return e;
    after->run.state = RUN_CANCELLED;
    after->run.due_at = WALL_NEVER;
    after->run.lease_token = 0;
    after->run.lease_until = (struct wall){0};
    after->ended_at = now;
    e = rows_swap(db, &r->row, &after->row, err);
    if (!e)
        e = memory_trace_cancelled(db, after, err);
    return e ? e : memory_after_end(db, after, NULL, now, &ignored, err);
}

/* Running ones whose lease is over; `most` in all in the list. */
static enum err retake_lost(struct memory_db *db, const struct lease *lease, struct wall now, size_t most,
                            struct taken_list *list, struct error *err)
{
    while (list->n < most && !taken_list_is_full(list)) {
        struct run_row *r = ROW_OF(tree_first(&db->runs_leased), run_row, by_lease);
        enum err e;

        if (!r || r->run.lease_until.us >= now.us)
            break;
        e = r->doomed && !r->owed ? end_doomed(db, r, now, err) : take(db, r, lease, list, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err retake_due(struct memory_db *db, const struct lease *lease, struct wall until, size_t most,
                           struct taken_list *list, struct error *err)
{
    while (list->n < most && !taken_list_is_full(list)) {
        struct run_row *r = ROW_OF(tree_first(&db->runs_due), run_row, by_due);
        enum err e;

        if (!r || r->run.due_at.us > until.us)
            break;
        e = take(db, r, lease, list, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err memory_retake(struct store *s, const struct lease *lease, struct wall now, struct wall until,
                       size_t limit, struct taken_list *ret, struct error *err)
{
    struct memory_db *db = memory_write(s);
    size_t most = ret->n + limit;
    enum err e = retake_lost(db, lease, now, most, ret, err);

    return e ? e : retake_due(db, lease, until, most, ret, err);
}

enum err memory_next_due(struct store *s, struct wall *ret, struct error *err)
{
    struct memory_db *db = memory_read(s);
    const struct timer_row *t = ROW_OF(tree_first(&db->timers_due), timer_row, by_due);
    const struct run_row *due = ROW_OF(tree_first(&db->runs_due), run_row, by_due);
    const struct run_row *leased = ROW_OF(tree_first(&db->runs_leased), run_row, by_lease);
    struct wall next = WALL_NEVER;

    (void)err;
    if (t)
        next = wall_min(next, t->timer.next_at);
    if (due)
        next = wall_min(next, due->run.due_at);
    if (leased)
        next = wall_min(next, leased->run.lease_until);
    *ret = next;
    return ERR_NONE;
}
