/*
 * hand.c: what is done to runs by hand: redriven, discarded, made for times that passed.
 */
#include "store/choose.h"
#include "store/grow.h"
#include "store/memory/ops.h"

static enum err redrive(struct memory_db *db, struct run_row *r, struct run_act *a, struct wall now,
                        struct error *err)
{
    const struct timer_row *t = rows_timer(db, r->run.schedule_id);
    struct run_row *after;
    enum err e;

    a->result = RUN_NOT_NOW;
    if (r->run.state != RUN_DEAD)
        return ERR_NONE;
    a->result = t ? RUN_TAKEN : RUN_ORPHAN;
    if (!t || rows_open_at(db, r->run.schedule_id, r->run.scheduled_at))
        return ERR_NONE;
    e = rows_copy_run(r, &after, err);
    if (e)
        return e;
    MUST(run_step_allowed(r->run.state, RUN_PENDING));
    after->run.state = RUN_PENDING;
    after->run.due_at = now;
    after->run.schedule_version = t->version;
    after->run.failures = 0;
    after->run.by_hand_at = now;
    after->doomed = false;
    after->replaced = false;
    after->owed = false;
    after->ended_at = WALL_NEVER;
    a->result = RUN_ACTED;
    a->made_due = now;
    return rows_swap(db, &r->row, &after->row, err);
}

static enum err discard(struct memory_db *db, struct run_row *r, struct run_act *a, struct wall now,
                        struct error *err)
{
    bool waits = r->run.state == RUN_PENDING || r->run.state == RUN_RETRYING;
    struct run_row *after;
    enum err e;

    a->result = RUN_NOT_NOW;
    if (!waits && r->run.state != RUN_DEAD)
        return ERR_NONE;
    e = rows_copy_run(r, &after, err);
    if (e)
        return e;
    MUST(run_step_allowed(r->run.state, RUN_CANCELLED));
    after->run.state = RUN_CANCELLED;
    after->run.due_at = WALL_NEVER;
    after->ended_at = now;
    a->result = RUN_ACTED;
    e = rows_swap(db, &r->row, &after->row, err);
    if (e || !waits)
        return e;
    return memory_after_end(db, after, NULL, now, &a->made_due, err);
}

enum err memory_act_runs(struct store *s, enum run_act_kind kind, struct run_act *acts, size_t n,
                         struct wall now, struct error *err)
{
    struct memory_db *db = memory_write(s);

    for (size_t i = 0; i < n; i++) {
        struct run_act *a = &acts[i];
        struct run_row *r = rows_run(db, a->id);
        enum err e;

        a->made_due = WALL_NEVER;
        a->result = RUN_UNKNOWN;
        if (!r)
            continue;
        e = kind == RUN_REDRIVE ? redrive(db, r, a, now, err) : discard(db, r, a, now, err);
        if (!e)
            e = memory_get_run(s, a->id, &a->ret, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static bool counts(const struct run_row *r, struct wall from, struct wall to)
{
    return r->run.scheduled_at.us >= from.us && r->run.scheduled_at.us < to.us &&
           r->run.state != RUN_SKIPPED && r->run.state != RUN_CANCELLED;
}

enum err memory_times_run(struct store *s, struct uuid schedule_id, struct wall from, struct wall to,
                          struct wall_list *ret, struct error *err)
{
    struct memory_db *db = memory_read(s);
    struct run_row probe = {.run = {.schedule_id = schedule_id}};
    struct tree_node *node = tree_at_least(&db->runs_by_schedule, &probe.by_schedule);

    for (; node; node = tree_next(node)) {
        const struct run_row *r = CONTAINER_OF(node, struct run_row, by_schedule);
        enum err e;

        if (!uuid_eq(r->run.schedule_id, schedule_id))
            break;
        if (!counts(r, from, to))
            continue;
        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        ret->items[ret->n++] = r->run.scheduled_at;
    }
    wall_list_sort(ret);
    return ERR_NONE;
}

enum err memory_release(struct store *s, struct uuid schedule_id, struct wall now, bool *ret,
                        struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct open_count count = memory_count_open(db, schedule_id, WALL_NEVER);

    *ret = count.waiting > 0 && count.waiting == count.open;
    return *ret ? memory_release_waiting(db, schedule_id, now, err) : ERR_NONE;
}
