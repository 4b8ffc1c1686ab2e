/*
 * schedule.c: timers changed by hand, and schedules that leave: by id, by filter, or because they finished
 * long ago. Whoever changes or removes a schedule has locked its timer.
 */
#include "store/grow.h"
#include "store/postgres/ops.h"
#include "store/postgres/timers.h"

struct found {
    int state;
    int64_t version;
};

/* Locks one and judges its version. */
static enum err lock_one(struct postgres_store *s, struct uuid id, int64_t if_version, struct found *ret,
                         struct error *err)
{
    RESULT(timer);
    RESULT(schedule);
    enum err e;

    args_uuids(link_args(&s->link), &id, 1);
    e = link_send(&s->link, Q_TIMERS_LOCK, &timer, err);
    if (e)
        return e;
    args_uuid(link_args(&s->link), id);
    e = link_ask(&s->link, Q_VERSION, &schedule, err);
    if (e)
        return e;
    if (row_n(timer) == 0 || row_n(schedule) == 0)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    *ret = (struct found){.state = (int)row_i64(timer, 0, 1), .version = row_i64(schedule, 0, 0)};
    if (if_version != 0 && if_version != ret->version)
        return error_set(err, ERR_PRECONDITION, NULL, "the schedule was changed meanwhile");
    return ERR_NONE;
}

static enum err touch(struct postgres_store *s, struct uuid id, struct wall now, struct error *err)
{
    struct args *a = link_args(&s->link);

    args_i64(a, now.us);
    args_uuid(a, id);
    return link_send(&s->link, Q_SCHEDULE_TOUCH, NULL, err);
}

enum err postgres_set_timer(struct store *store, struct uuid id, int64_t if_version, const struct timer *t,
                            bool cancel_runs, struct wall now, int64_t *ret_version, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct found old;
    enum err e;

    e = lock_one(s, id, if_version, &old, err);
    if (!e)
        e = touch(s, id, now, err);
    if (e)
        return e;
    timer_args_add(timer_args(s, now), id, t);
    e = link_send(&s->link, Q_TIMERS_UPDATE, NULL, err);
    if (!e && cancel_runs)
        e = timers_end_runs(s, &id, 1, END_CHANGED, now, err);
    if (e)
        return e;
    postgres_tally(s, old.state, (int)t->state);
    *ret_version = old.version + 1;
    return ERR_NONE;
}

/* --- removal --- */

static enum err trace_removed(struct postgres_store *s, const PGresult *r, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < row_n(r); i++)
        e = journal_trace_removed(s->store.journal, row_uuid(r, i, 0), row_str(r, i, 1), err);
    return e;
}

/* Of these ids, whose timers are locked. */
static enum err remove_locked(struct postgres_store *s, const struct uuid *ids, size_t n, struct wall now,
                              struct error *err)
{
    const struct journal *j = s->store.journal;
    RESULT(gone);
    struct args *a;
    enum err e;

    if (n == 0)
        return ERR_NONE;
    e = timers_end_runs(s, ids, n, END_REMOVED, now, err);
    if (e)
        return e;
    a = link_args(&s->link);
    args_uuids(a, ids, n);
    args_i64(a, j && j->listened);
    e = link_send(&s->link, Q_SCHEDULES_DELETE, j ? &gone : NULL, err);
    if (e)
        return e;
    args_uuids(link_args(&s->link), ids, n);
    e = link_send(&s->link, Q_TIMERS_DELETE, NULL, err);
    if (e || !j)
        return e;
    e = link_sync(&s->link, err);
    return e ? e : trace_removed(s, gone, err);
}

enum err postgres_remove_id(struct store *store, struct uuid id, int64_t if_version, struct wall now,
                            struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct found old;
    enum err e;

    e = lock_one(s, id, if_version, &old, err);
    if (!e)
        e = remove_locked(s, &id, 1, now, err);
    if (e)
        return e;
    postgres_tally(s, old.state, -1);
    return ERR_NONE;
}

static enum err ids_of(const PGresult *r, struct uuid_list *ret, struct error *err)
{
    for (size_t i = 0; i < row_n(r); i++) {
        enum err e = LIST_RESERVE(ret, err);

        if (e)
            return e;
        ret->items[ret->n++] = row_uuid(r, i, 0);
    }
    return ERR_NONE;
}

/* Locks those of `ids` that are still there, and removes them; they are left in `ids`. */
static enum err remove_ids(struct postgres_store *s, struct uuid_list *ids, struct wall now,
                           struct error *err)
{
    RESULT(locked);
    enum err e;

    args_uuids(link_args(&s->link), ids->items, ids->n);
    e = link_ask(&s->link, Q_TIMERS_LOCK, &locked, err);
    if (e)
        return e;
    ids->n = 0;
    e = ids_of(locked, ids, err);
    if (!e)
        e = remove_locked(s, ids->items, ids->n, now, err);
    for (size_t i = 0; !e && i < row_n(locked); i++)
        postgres_tally(s, (int)row_i64(locked, i, 1), -1);
    return e;
}

enum err postgres_remove(struct store *store, const struct filter *f, struct wall now, struct uuid_list *ret,
                         struct uuid *ret_reached, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(seen);
    enum err e;

    ret->n = 0;
    e = postgres_ask_ids(s, f, &seen, err);
    if (e)
        return e;
    for (size_t i = 0; i < row_n(seen); i++) {
        if (row_i64(seen, i, 1) == 0)
            continue;
        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        ret->items[ret->n++] = row_uuid(seen, i, 0);
    }
    *ret_reached = row_n(seen) < f->limit ? (struct uuid){{0}} : row_uuid(seen, row_n(seen) - 1, 0);
    return ret->n > 0 ? remove_ids(s, ret, now, err) : ERR_NONE;
}

static void add_ids(struct args *a, const PGresult *r)
{
    size_t at = args_array(a, ARG_UUID);

    for (size_t i = 0; i < row_n(r); i++)
        args_add_uuid(a, at, row_uuid(r, i, 0));
}

/*
 * Two steps: a run may have been made, or a timer resumed, between what the first statement saw and its lock.
 */
enum err postgres_remove_finished(struct store *store, struct wall before, struct wall now, size_t limit,
                                  size_t *ret_n, bool *ret_more, struct error *err)
{
    CLEANUP(uuid_list_done) struct uuid_list ids = {0};
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    RESULT(finished);
    RESULT(closed);
    enum err e;

    args_i64(a, before.us);
    args_i64(a, (int64_t)limit);
    *ret_n = 0;
    *ret_more = false;
    e = link_ask(&s->link, Q_FINISHED_LOCK, &finished, err);
    if (e || row_n(finished) == 0)
        return e;
    add_ids(link_args(&s->link), finished);
    e = link_ask(&s->link, Q_WITHOUT_RUNS, &closed, err);
    if (!e)
        e = ids_of(closed, &ids, err);
    if (!e)
        e = remove_locked(s, ids.items, ids.n, before, err);
    /* Those that are left. */
    if (!e && ids.n < row_n(finished)) {
        a = link_args(&s->link);
        add_ids(a, finished);
        args_i64(a, now.us);
        e = link_send(&s->link, Q_FINISHED_KEEP, NULL, err);
    }
    if (e)
        return e;
    for (size_t i = 0; i < ids.n; i++)
        postgres_tally(s, (int)SCHEDULE_FINISHED, -1);
    *ret_n = ids.n;
    *ret_more = row_n(finished) == limit;
    return ERR_NONE;
}
