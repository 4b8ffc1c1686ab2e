/*
 * moved.c: schedules and runs on their way to and from another database, as their rows are; sets at a time.
 */
#include "base/random.h"
#include "base/str.h"
#include "store/grow.h"
#include "store/postgres/ops.h"
#include "store/postgres/put.h"
#include "store/postgres/timers.h"

/* What RUN_RECORD_COLUMNS are followed by. */
enum { COL_DOOMED = 16, COL_OWED };

enum err postgres_list_moved(struct store *store, const struct moved_page *p, struct moved_run_list *ret,
                             struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    args_uuid(a, p->schedule_id);
    if (p->dead)
        args_uuid(a, p->id);
    else
        args_i64(a, p->scheduled_at.us);
    args_i64(a, (int64_t)p->limit);
    e = link_ask(&s->link, p->dead ? Q_MOVED_DEAD : Q_MOVED_OPEN, &r, err);
    for (size_t i = 0; !e && i < row_n(r); i++) {
        struct moved_run *m;

        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        m = &ret->items[ret->n++];
        *m = (struct moved_run){.doomed = row_i64(r, i, COL_DOOMED) != 0,
                                .owed = row_i64(r, i, COL_OWED) != 0};
        row_run_record(r, i, &m->record);
    }
    return e;
}

static struct uuid hash_of(const struct schedule *s)
{
    return put_hash(&(struct put){.schedule = s});
}

enum err postgres_look_moved(struct store *store, struct moved_schedule *m, size_t n, struct wall now,
                             struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    (void)args_array(a, ARG_TEXT);
    (void)args_array(a, ARG_UUID);
    (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < n; i++) {
        args_add_str(a, 0, m[i].schedule->client.key);
        args_add_uuid(a, 1, hash_of(m[i].schedule));
        args_add_uuid(a, 2, m[i].record->id);
    }
    args_i64(a, now.us);
    e = link_ask(&s->link, Q_MOVED_LOOK, &r, err);
    if (e)
        return e;
    if (row_n(r) != n)
        return error_set(err, ERR_INTERNAL, "postgres", "%zu schedules were asked for, %zu told", n,
                         row_n(r));
    for (size_t i = 0; i < n; i++) {
        m[i].id_taken = row_i64(r, i, 0) != 0;
        m[i].same = row_uuid(r, i, 1);
        m[i].busy = row_i64(r, i, 2) != 0;
    }
    return ERR_NONE;
}

static enum err add_schedules(struct postgres_store *s, const struct moved_schedule *m, size_t n,
                              struct error *err)
{
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    for (size_t i = 0; i < 2; i++)
        (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < 7; i++)
        (void)args_array(a, ARG_TEXT);
    for (size_t i = 0; i < 3; i++)
        (void)args_array(a, ARG_I64);
    for (size_t i = 0; i < n; i++) {
        const struct schedule *d = m[i].schedule;
        const struct record *rec = m[i].record;

        args_add_uuid(a, 0, rec->id);
        args_add_uuid(a, 1, hash_of(d));
        args_add_str(a, 2, d->client.operation);
        args_add_str(a, 3, d->client.application);
        args_add_str(a, 4, d->client.group);
        args_add_str(a, 5, d->client.key);
        args_add_str(a, 6, d->client.type);
        args_add_str(a, 7, d->name);
        args_add_str(a, 8, (struct str){rec->definition, rec->definition_n});
        args_add_i64(a, 9, rec->version);
        args_add_i64(a, 10, rec->created_at.us);
        args_add_i64(a, 11, rec->updated_at.us);
    }
    e = link_ask(&s->link, Q_MOVED_SCHEDULES, &r, err);
    if (!e && row_n(r) != n)
        return put_changed_meanwhile(err);
    return e;
}

static enum err add_last(struct postgres_store *s, const struct moved_schedule *m, size_t n,
                         struct error *err)
{
    struct args *a = link_args(&s->link);

    (void)args_array(a, ARG_UUID);
    (void)args_array(a, ARG_I64);
    (void)args_array(a, ARG_I64);
    for (size_t i = 0; i < n; i++) {
        const struct record *r = m[i].record;

        if (wall_is_never(r->last_at))
            continue;
        args_add_uuid(a, 0, r->id);
        args_add_i64(a, 1, (int64_t)r->last_state);
        args_add_i64(a, 2, r->last_at.us);
    }
    return link_ask(&s->link, Q_MOVED_LAST, NULL, err);
}

enum err postgres_add_moved(struct store *store, const struct moved_schedule *m, size_t n, struct wall now,
                            struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a;
    enum err e = add_schedules(s, m, n, err);

    if (e)
        return e;
    a = timer_args(s, now);
    for (size_t i = 0; i < n; i++)
        timer_args_add(a, m[i].record->id, &m[i].record->timer);
    e = link_send(&s->link, Q_PUT_NEW_TIMERS, NULL, err);
    if (!e)
        e = add_last(s, m, n, err);
    for (size_t i = 0; !e && i < n; i++)
        postgres_tally(s, -1, (int)m[i].record->timer.state);
    return e;
}

/* A running one is known by its token; it is nobody's who lives. */
static int64_t token_of(const struct run *r)
{
    return r->state == RUN_RUNNING ? (int64_t)((random_u64() & INT64_MAX) | 1) : 0;
}

static void args_moved_run(struct args *a, const struct moved_run *m)
{
    const struct run *r = &m->record.run;

    args_add_uuid(a, 1, r->id);
    args_add_uuid(a, 2, r->schedule_id);
    args_add_i64(a, 3, r->schedule_version);
    args_add_i64(a, 4, r->scheduled_at.us);
    args_add_wall(a, 5, r->due_at);
    args_add_i64(a, 6, (int64_t)r->state);
    args_add_i64(a, 7, r->attempt);
    args_add_i64(a, 8, r->failures);
    args_add_i64(a, 9, token_of(r));
    args_add_i64(a, 10, r->by_hand_at.us);
    args_add_i64(a, 11, m->owed ? 2 : m->doomed);
    args_add_wall(a, 12, m->record.started_at);
    args_add_wall(a, 13, m->record.ended_at);
    args_add_i64(a, 14, m->record.took_us);
    args_add_i64(a, 15, m->record.status);
    args_add_str(a, 16, m->label);
    args_add_str(a, 17, str_of(m->record.error));
}

static enum err add_runs(struct postgres_store *s, const struct moved_run *runs, size_t n, bool again,
                         PGresult **ret, struct error *err)
{
    struct args *a = link_args(&s->link);

    args_i64(a, again);
    for (size_t i = 0; i < 2; i++)
        (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < 13; i++)
        (void)args_array(a, ARG_I64);
    for (size_t i = 0; i < 2; i++)
        (void)args_array(a, ARG_TEXT);
    for (size_t i = 0; i < n; i++)
        args_moved_run(a, &runs[i]);
    return link_ask(&s->link, Q_MOVED_RUNS, ret, err);
}

static enum err delete_ended(struct postgres_store *s, const PGresult *added, struct error *err)
{
    struct args *a = link_args(&s->link);
    size_t at = args_array(a, ARG_UUID);

    for (size_t i = 0; i < row_n(added); i++)
        args_add_uuid(a, at, row_uuid(added, i, 0));
    return link_send(&s->link, Q_LOG_DELETE, NULL, err);
}

enum err postgres_add_moved_runs(struct store *store, const struct moved_run *runs, size_t n, bool again,
                                 size_t *ret_n, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(added);
    enum err e = add_runs(s, runs, n, again, &added, err);

    if (!e && again)
        e = delete_ended(s, added, err);
    if (e)
        return e;
    *ret_n = row_n(added);
    return ERR_NONE;
}
