/*
 * moved.c: schedules and runs on their way to and from another database, as their rows are.
 */
#include <string.h>

#include "base/random.h"
#include "base/str.h"
#include "store/grow.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

/* In the column `doomed`. */
enum { OWED = 2 };

static void col_moved(struct query *q, struct moved_run *ret)
{
    struct moved_run m = {0};

    int64_t doomed = col_i64(q, col_run_record(q, &m.record));

    m.doomed = doomed != 0;
    m.owed = doomed == OWED;
    *ret = m;
}

enum err sqlite_list_moved(struct store *store, const struct moved_page *p, struct moved_run_list *ret,
                           struct error *err)
{
    QUERY(q, sqlite_of(store), p->dead ? Q_MOVED_DEAD : Q_MOVED_OPEN);
    bool row = false;
    enum err e;

    bind_uuid(&q, &p->schedule_id);
    if (p->dead) {
        bind_uuid(&q, &p->id);
    } else {
        bind_i64(&q, p->scheduled_at.us);
    }
    bind_i64(&q, (int64_t)p->limit);
    while (!(e = query_step(&q, &row, err)) && row) {
        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        col_moved(&q, &ret->items[ret->n++]);
    }
    return e;
}

static enum err has_id(struct sqlite_store *s, enum sql id, const struct uuid *u, bool *ret,
                       struct error *err)
{
    QUERY(q, s, id);

    bind_uuid(&q, u);
    return query_step(&q, ret, err);
}

static enum err find_same(struct sqlite_store *s, const struct schedule *want, struct uuid *ret,
                          struct error *err)
{
    QUERY(q, s, Q_FIND_BY_IDENTITY);
    bool there = false;
    enum err e;

    bind_str(&q, want->client.key);
    bind_bytes(&q, want->hash.b, sizeof(want->hash.b));
    e = query_step(&q, &there, err);
    if (!e)
        *ret = there ? col_uuid(&q, 0) : (struct uuid){{0}};
    return e;
}

static enum err look_busy(struct sqlite_store *s, struct moved_schedule *m, struct wall now,
                          struct error *err)
{
    QUERY(q, s, Q_MOVED_BUSY);

    bind_uuid(&q, &m->record->id);
    bind_uuid(&q, &m->same);
    bind_i64(&q, now.us);
    return query_step(&q, &m->busy, err);
}

enum err sqlite_look_moved(struct store *store, struct moved_schedule *m, size_t n, struct wall now,
                           struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < n; i++) {
        e = has_id(s, Q_FIND_BY_ID, &m[i].record->id, &m[i].id_taken, err);
        if (!e)
            e = find_same(s, m[i].schedule, &m[i].same, err);
        if (!e)
            e = look_busy(s, &m[i], now, err);
    }
    return e;
}

static enum err add_schedule(struct sqlite_store *s, const struct moved_schedule *m, struct error *err)
{
    const struct schedule *d = m->schedule;
    const struct record *r = m->record;
    QUERY(q, s, Q_MOVED_SCHEDULE);

    bind_uuid(&q, &r->id);
    bind_bytes(&q, d->hash.b, sizeof(d->hash.b));
    bind_str(&q, d->client.operation);
    bind_str(&q, d->client.application);
    bind_str(&q, d->client.group);
    bind_str(&q, d->client.key);
    bind_str(&q, d->client.type);
    bind_str(&q, d->name);
    bind_str(&q, (struct str){r->definition, r->definition_n});
    bind_i64(&q, r->version);
    bind_i64(&q, r->created_at.us);
    bind_i64(&q, r->updated_at.us);
    return query_run(&q, NULL, err);
}

enum err sqlite_add_moved(struct store *store, const struct moved_schedule *m, size_t n, struct wall now,
                          struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < n; i++) {
        const struct record *r = m[i].record;

        e = add_schedule(s, &m[i], err);
        if (!e)
            e = timer_write(s, Q_TIMER_INSERT, &r->id, &r->timer, -1, now, err);
        if (!e && !wall_is_never(r->last_at))
            e = timer_set_last(s, &r->id, r->last_state, r->last_at, err);
    }
    return e;
}

/* A running one is known by its token; it is nobody's who lives. */
static int64_t token_of(const struct run *r)
{
    return r->state == RUN_RUNNING ? (int64_t)((random_u64() & INT64_MAX) | 1) : 0;
}

static enum err add_run(struct sqlite_store *s, const struct moved_run *m, int64_t *ret_made,
                        struct error *err)
{
    const struct run *r = &m->record.run;
    QUERY(q, s, Q_MOVED_RUN);

    bind_uuid(&q, &r->id);
    bind_uuid(&q, &r->schedule_id);
    bind_i64(&q, r->schedule_version);
    bind_i64(&q, r->scheduled_at.us);
    bind_wall(&q, r->due_at);
    bind_i64(&q, (int64_t)r->state);
    bind_i64(&q, r->attempt);
    bind_i64(&q, r->failures);
    bind_i64(&q, token_of(r));
    bind_i64(&q, r->by_hand_at.us);
    bind_str(&q, m->label);
    bind_i64(&q, m->owed ? OWED : m->doomed);
    bind_wall(&q, m->record.started_at);
    bind_wall(&q, m->record.ended_at);
    bind_i64(&q, m->record.took_us);
    bind_i64(&q, m->record.status);
    bind_str(&q, str_of(m->record.error));
    return query_run(&q, ret_made, err);
}

static enum err delete_ended(struct sqlite_store *s, const struct uuid *id, struct error *err)
{
    QUERY(q, s, Q_LOG_DELETE);

    bind_uuid(&q, id);
    return query_run(&q, NULL, err);
}

enum err sqlite_add_moved_runs(struct store *store, const struct moved_run *runs, size_t n, bool again,
                               size_t *ret_n, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    size_t added = 0;

    for (size_t i = 0; i < n; i++) {
        const struct uuid *id = &runs[i].record.run.id;
        bool ended_here = false;
        int64_t made = 0;
        enum err e = has_id(s, Q_LOG_HAS, id, &ended_here, err);

        if (!e && (again || !ended_here))
            e = add_run(s, &runs[i], &made, err);
        if (!e && made > 0 && ended_here)
            e = delete_ended(s, id, err);
        if (e)
            return e;
        added += made > 0;
    }
    *ret_n = added;
    return ERR_NONE;
}
