/*
 * remove.c: schedules leave: by id, by filter, or because they finished long ago.
 */
#include "store/grow.h"
#include "store/sqlite/filter.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

static enum err delete_row(struct sqlite_store *s, enum sql id, const struct uuid *schedule,
                           struct error *err)
{
    QUERY(q, s, id);

    bind_uuid(&q, schedule);
    return query_run(&q, NULL, err);
}

struct found {
    bool there;
    int64_t version;
    int state;
};

static enum err find(struct sqlite_store *s, const struct uuid *id, struct found *ret, struct error *err)
{
    QUERY(q, s, Q_FIND_BY_ID);
    enum err e;

    bind_uuid(&q, id);
    e = query_step(&q, &ret->there, err);
    if (e || !ret->there)
        return e;
    ret->version = col_i64(&q, 1);
    ret->state = (int)col_i64(&q, 2);
    return ERR_NONE;
}

/* For the journal, before it goes. */
static enum err trace_removed(struct sqlite_store *s, const struct uuid *id, struct error *err)
{
    QUERY(q, s, Q_SCHEDULE_KEEPS);
    bool row = false;
    enum err e;

    if (!s->store.journal)
        return ERR_NONE;
    bind_uuid(&q, id);
    bind_i64(&q, s->store.journal->listened);
    e = query_step(&q, &row, err);
    return e || !row ? e : journal_trace_removed(s->store.journal, *id, col_str(&q, 0), err);
}

static enum err remove_found(struct sqlite_store *s, const struct uuid *id, int state, struct wall now,
                             struct error *err)
{
    enum err e;

    e = end_open_runs(s, id, now, NULL, err);
    if (!e)
        e = trace_removed(s, id, err);
    if (!e)
        e = delete_row(s, Q_SCHEDULE_DELETE, id, err);
    if (!e)
        e = delete_row(s, Q_TIMER_DELETE, id, err);
    if (e)
        return e;
    tally_move(s, state, -1);
    return ERR_NONE;
}

enum err sqlite_remove_id(struct store *store, struct uuid id, int64_t if_version, struct wall now,
                          struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    struct found old = {0};
    enum err e;

    e = find(s, &id, &old, err);
    if (e)
        return e;
    if (!old.there)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    if (if_version != 0 && if_version != old.version)
        return error_set(err, ERR_PRECONDITION, NULL, "the schedule was changed meanwhile");
    return remove_found(s, &id, old.state, now, err);
}

/* The ids are gathered first: a statement must not walk an index that others change under it. */
static enum err look(struct sqlite_store *s, const struct filter *f, struct uuid_list *ret,
                     struct uuid *ret_reached, struct error *err)
{
    QUERY(q, s, filter_ids[choose_index(f)]);
    struct uuid reached = f->after;
    size_t looked_at = 0;
    bool row = false;
    enum err e;

    bind_filter(&q, f);
    for (; !(e = query_step(&q, &row, err)) && row; looked_at++) {
        reached = col_uuid(&q, 0);
        if (col_i64(&q, 1) == 0)
            continue;
        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        ret->items[ret->n++] = reached;
    }
    if (e)
        return e;
    *ret_reached = looked_at < f->limit ? (struct uuid){{0}} : reached;
    return ERR_NONE;
}

static enum err remove_each(struct sqlite_store *s, const struct uuid_list *ids, struct wall now,
                            struct error *err)
{
    for (size_t i = 0; i < ids->n; i++) {
        struct found old = {0};
        enum err e = find(s, &ids->items[i], &old, err);

        if (!e && old.there)
            e = remove_found(s, &ids->items[i], old.state, now, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err sqlite_remove(struct store *store, const struct filter *f, struct wall now, struct uuid_list *ret,
                       struct uuid *ret_reached, struct error *err)
{
    CLEANUP(uuid_list_done) struct uuid_list ids = {0};
    struct sqlite_store *s = sqlite_of(store);
    enum err e;

    e = look(s, f, &ids, ret_reached, err);
    if (!e)
        e = remove_each(s, &ids, now, err);
    if (e)
        return e;
    uuid_list_done(ret);
    *ret = ids;
    ids = (struct uuid_list){0};
    return ERR_NONE;
}

static enum err finish_each(struct sqlite_store *s, const struct uuid_list *ids, struct wall now,
                            struct error *err)
{
    QUERY(q, s, Q_FINISHED_KEEP);

    for (size_t i = 0; i < ids->n; i++) {
        enum err e;

        query_again(&q);
        bind_i64(&q, now.us);
        bind_uuid(&q, &ids->items[i]);
        e = query_run(&q, NULL, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

/* Those that may go, and those that must stay. */
static enum err gather_finished(struct sqlite_store *s, struct wall before, size_t limit,
                                struct uuid_list *gone, struct uuid_list *kept, struct error *err)
{
    QUERY(q, s, Q_FINISHED);
    bool row = false;
    enum err e;

    bind_i64(&q, before.us);
    bind_i64(&q, (int64_t)limit);
    while (!(e = query_step(&q, &row, err)) && row) {
        struct uuid_list *l = col_i64(&q, 1) != 0 ? kept : gone;

        e = LIST_RESERVE(l, err);
        if (e)
            return e;
        l->items[l->n++] = col_uuid(&q, 0);
    }
    return e;
}

enum err sqlite_remove_finished(struct store *store, struct wall before, struct wall now, size_t limit,
                                size_t *ret_n, bool *ret_more, struct error *err)
{
    CLEANUP(uuid_list_done) struct uuid_list gone = {0};
    CLEANUP(uuid_list_done) struct uuid_list kept = {0};
    struct sqlite_store *s = sqlite_of(store);
    enum err e;

    e = gather_finished(s, before, limit, &gone, &kept, err);
    if (!e)
        e = remove_each(s, &gone, before, err);
    if (!e)
        e = finish_each(s, &kept, now, err);
    if (e)
        return e;
    *ret_n = gone.n;
    *ret_more = gone.n + kept.n == limit;
    return ERR_NONE;
}
