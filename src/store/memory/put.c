/*
 * put.c: registering, replacing, changing by hand, deleting.
 */
#include "store/memory/ops.h"

#include "base/alloc.h"
#include "base/str.h"
#include "store/grow.h"
#include "store/journal.h"

static enum err cancel(struct memory_db *db, const struct run_row *r, struct wall now, struct error *err)
{
    struct run_row *after;
    enum err e = rows_copy_run(r, &after, err);

    if (e)
        return e;
    MUST(run_step_allowed(r->run.state, RUN_CANCELLED));
    after->run.state = RUN_CANCELLED;
    after->run.due_at = WALL_NEVER;
    after->ended_at = now;
    e = rows_swap(db, (struct row *)&r->row, &after->row, err);
    return e ? e : memory_trace_cancelled(db, after, err);
}

static enum err doom(struct memory_db *db, struct run_row *r, enum memory_end why, struct error *err)
{
    bool replaced = r->replaced || why == END_REPLACED;
    struct run_row *after;
    enum err e;

    if (r->doomed && r->replaced == replaced && !r->owed)
        return ERR_NONE;
    e = rows_copy_run(r, &after, err);
    if (e)
        return e;
    after->doomed = true;
    after->replaced = replaced;
    after->owed = false;
    return rows_swap(db, &r->row, &after->row, err);
}

/* *cancelled: how many ended by it. */
static enum err end_open(struct memory_db *db, struct uuid schedule_id, enum memory_end why, struct wall now,
                         size_t *cancelled, struct error *err)
{
    struct run_row *r = rows_first_open(db, schedule_id);

    *cancelled = 0;
    while (r) {
        struct run_row *next = rows_next_open(r);
        bool running = r->run.state == RUN_RUNNING;
        enum err e = running ? doom(db, r, why, err) : cancel(db, r, now, err);

        if (e)
            return e;
        *cancelled += !running;
        r = next;
    }
    return ERR_NONE;
}

enum err memory_end_open(struct memory_db *db, struct uuid schedule_id, enum memory_end why, struct wall now,
                         struct error *err)
{
    size_t cancelled;

    return end_open(db, schedule_id, why, now, &cancelled, err);
}

static enum err swap_timer(struct memory_db *db, struct timer_row **t, struct timer_row *after,
                           const struct timer *timer, struct wall now, struct error *err)
{
    enum err e;

    after->timer = *timer;
    if (timer->state != SCHEDULE_FINISHED)
        after->finished_at = WALL_NEVER;
    else if (wall_is_never(after->finished_at))
        after->finished_at = now;
    e = rows_swap(db, &(*t)->row, &after->row, err);
    if (!e)
        *t = after;
    return e;
}

enum err memory_write_timer(struct memory_db *db, struct timer_row **t, const struct timer *timer,
                            struct wall now, struct error *err)
{
    struct timer_row *after;
    enum err e = rows_copy_timer(*t, &after, err);

    return e ? e : swap_timer(db, t, after, timer, now, err);
}

/* The same for a change that somebody made: a new version, and with `cancel_runs` the end of what is open. */
static enum err change_timer(struct memory_db *db, struct timer_row **t, const struct timer *timer,
                             bool cancel_runs, struct wall now, struct error *err)
{
    struct timer_row *after;
    size_t cancelled = 0;
    enum err e = ERR_NONE;

    if (cancel_runs)
        e = end_open(db, (*t)->id, END_CHANGED, now, &cancelled, err);
    if (!e)
        e = rows_copy_timer(*t, &after, err);
    if (e)
        return e;
    after->version++;
    after->updated_at = now;
    if (cancelled > 0) {
        after->last_state = RUN_CANCELLED;
        after->last_at = now;
    }
    return swap_timer(db, t, after, timer, now, err);
}

/* --- put --- */

static enum err insert(struct memory_db *db, struct put *p, struct wall now, struct error *err)
{
    struct schedule_row *s;
    struct timer_row *t;
    void *mem;
    enum err e = rows_new_schedule(p->id, p->schedule, p->definition, &s, err);

    if (e)
        return e;
    e = rows_add(db, &s->row, err);
    if (e)
        return e;
    e = alloc_array(1, sizeof(*t), &mem, err);
    if (e)
        return e;
    t = mem;
    *t = (struct timer_row){
        .row = {ROW_TIMER},
        .seq = db->seq++,
        .id = p->id,
        .version = 1,
        .created_at = now,
        .updated_at = now,
        .finished_at = p->timer.state == SCHEDULE_FINISHED ? now : WALL_NEVER,
        .timer = p->timer,
        .last_at = WALL_NEVER,
    };
    e = rows_add(db, &t->row, err);
    if (e)
        return e;
    p->ret_id = p->id;
    p->ret_created = true;
    p->ret_version = 1;
    return ERR_NONE;
}

static enum err replace(struct memory_db *db, struct schedule_row *old, struct put *p, struct wall now,
                        struct error *err)
{
    struct timer_row *t = rows_timer(db, old->id);
    struct schedule_row *s;
    struct uuid id = old->id;
    enum err e = rows_new_schedule(id, p->schedule, p->definition, &s, err);

    if (e)
        return e;
    e = rows_swap(db, &old->row, &s->row, err);
    if (e)
        return e;
    e = change_timer(db, &t, &p->timer, true, now, err);
    if (e)
        return e;
    p->ret_id = id;
    p->ret_created = false;
    p->ret_version = t->version;
    return ERR_NONE;
}

/* Which schedule `p` replaces; NULL with ERR_NONE: it is a new one. */
static enum err judge(const struct memory_db *db, const struct put *p, struct schedule_row **ret)
{
    struct schedule_row *same = rows_schedule_by_client(db, p->schedule);
    struct schedule_row *row = p->by_id ? rows_schedule(db, p->id) : same;

    if (p->by_id && !row)
        return ERR_NOT_FOUND;
    if (p->by_id && same && same != row)
        return ERR_CONFLICT;
    if (p->if_version != 0 && (!row || rows_timer(db, row->id)->version != p->if_version))
        return ERR_PRECONDITION;
    *ret = row;
    return ERR_NONE;
}

enum err memory_put(struct store *s, struct put *puts, size_t n, struct wall now, struct error *err)
{
    struct memory_db *db = memory_write(s);

    for (size_t i = 0; i < n; i++) {
        struct put *p = &puts[i];
        struct schedule_row *old = NULL;
        enum err e;

        p->result = judge(db, p, &old);
        if (p->result)
            continue;
        e = old ? replace(db, old, p, now, err) : insert(db, p, now, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

/* --- by hand --- */

static enum err find(const struct memory_db *db, struct uuid id, int64_t if_version, struct timer_row **ret,
                     struct error *err)
{
    struct timer_row *t = rows_timer(db, id);

    if (!t)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    if (if_version != 0 && t->version != if_version)
        return error_set(err, ERR_PRECONDITION, NULL, "the schedule was changed meanwhile");
    *ret = t;
    return ERR_NONE;
}

enum err memory_set_timer(struct store *s, struct uuid id, int64_t if_version, const struct timer *timer,
                          bool cancel_runs, struct wall now, int64_t *ret_version, struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct timer_row *t;
    enum err e = find(db, id, if_version, &t, err);

    if (e)
        return e;
    e = change_timer(db, &t, timer, cancel_runs, now, err);
    if (e)
        return e;
    *ret_version = t->version;
    return ERR_NONE;
}

/* --- deletion --- */

static enum err remove_one(struct memory_db *db, struct timer_row *t, struct wall now, struct error *err)
{
    struct schedule_row *s = rows_schedule(db, t->id);
    enum err e = memory_end_open(db, t->id, END_CHANGED, now, err);

    if (!e && journal_wants(db->journal, str_contains(s->definition, STR(DEFINITION_KEEPS))))
        e = journal_trace_removed(db->journal, t->id, s->definition, err);
    if (!e)
        e = rows_remove(db, &s->row, err);
    return e ? e : rows_remove(db, &t->row, err);
}

enum err memory_remove_id(struct store *s, struct uuid id, int64_t if_version, struct wall now,
                          struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct timer_row *t;
    enum err e = find(db, id, if_version, &t, err);

    return e ? e : remove_one(db, t, now, err);
}

enum err memory_remove(struct store *s, const struct filter *f, struct wall now, struct uuid_list *ret,
                       struct uuid *ret_reached, struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct schedule_row probe = {.id = f->after};
    struct tree_node *node = tree_at_least(&db->schedules, &probe.by_id);
    struct uuid reached = f->after;
    size_t looked_at = 0;
    enum err e = ERR_NONE;

    if (node && uuid_eq(CONTAINER_OF(node, struct schedule_row, by_id)->id, f->after))
        node = tree_next(node);
    for (; node && !e && looked_at < f->limit; looked_at++) {
        struct schedule_row *row = CONTAINER_OF(node, struct schedule_row, by_id);

        node = tree_next(node);
        reached = row->id;
        if (!memory_matches(db, row, f))
            continue;
        e = LIST_RESERVE(ret, err);
        if (!e) {
            ret->items[ret->n++] = row->id;
            e = remove_one(db, rows_timer(db, row->id), now, err);
        }
    }
    if (e)
        return e;
    *ret_reached = looked_at < f->limit ? (struct uuid){{0}} : reached;
    return ERR_NONE;
}

static bool has_dead(const struct memory_db *db, struct uuid schedule_id)
{
    struct run_row probe = {.run.schedule_id = schedule_id};

    for (struct tree_node *n = tree_at_least(&db->runs_by_schedule, &probe.by_schedule); n;
         n = tree_next(n)) {
        const struct run_row *r = CONTAINER_OF(n, struct run_row, by_schedule);

        if (!uuid_eq(r->run.schedule_id, schedule_id))
            return false;
        if (r->run.state == RUN_DEAD)
            return true;
    }
    return false;
}

static enum err finish_at(struct memory_db *db, struct timer_row *t, struct wall now, struct error *err)
{
    struct timer_row *after;
    enum err e = rows_copy_timer(t, &after, err);

    if (e)
        return e;
    after->finished_at = now;
    return rows_swap(db, &t->row, &after->row, err);
}

enum err memory_remove_finished(struct store *s, struct wall before, struct wall now, size_t limit,
                                size_t *ret_n, bool *ret_more, struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct tree_node *node = tree_first(&db->timers_ended);
    size_t looked_at = 0;
    size_t n = 0;

    for (; node && looked_at < limit; looked_at++) {
        struct timer_row *t = CONTAINER_OF(node, struct timer_row, by_end);
        bool kept = rows_first_open(db, t->id) || has_dead(db, t->id);
        enum err e;

        node = tree_next(node);
        if (t->finished_at.us >= before.us)
            break;
        e = kept ? finish_at(db, t, now, err) : remove_one(db, t, before, err);
        if (e)
            return e;
        n += !kept;
    }
    *ret_n = n;
    *ret_more = looked_at == limit;
    return ERR_NONE;
}
