/*
 * schedule.c: registration, replacement, and timers changed by hand.
 */
#include "base/str.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

/* What is stored under an identity or id. */
struct found {
    bool there;
    bool collides; /* same hash, other members: never seen, but not excluded */
    struct uuid id;
    int64_t version;
    int state; /* of the timer */
};

static void col_found(struct query *q, struct found *ret)
{
    ret->id = col_uuid(q, 0);
    ret->version = col_i64(q, 1);
    ret->state = (int)col_i64(q, 2);
}

static enum err find_by_identity(struct sqlite_store *s, const struct schedule *want, struct found *ret,
                                 struct error *err)
{
    QUERY(q, s, Q_FIND_BY_IDENTITY);
    struct client have;
    enum err e;

    bind_str(&q, want->client.key);
    bind_bytes(&q, want->hash.b, sizeof(want->hash.b));
    e = query_step(&q, &ret->there, err);
    if (e || !ret->there)
        return e;
    col_found(&q, ret);
    have = (struct client){
        .operation = col_str(&q, 3),
        .application = col_str(&q, 4),
        .group = col_str(&q, 5),
        .key = col_str(&q, 6),
        .type = col_str(&q, 7),
    };
    ret->collides = !client_eq(&have, &want->client);
    return ERR_NONE;
}

static enum err find_by_id(struct sqlite_store *s, const struct uuid *id, struct found *ret,
                           struct error *err)
{
    QUERY(q, s, Q_FIND_BY_ID);
    enum err e;

    bind_uuid(&q, id);
    e = query_step(&q, &ret->there, err);
    if (!e && ret->there)
        col_found(&q, ret);
    return e;
}

static void bind_schedule(struct query *q, const struct put *p, struct wall now, const struct uuid *id)
{
    const struct schedule *s = p->schedule;

    bind_bytes(q, s->hash.b, sizeof(s->hash.b));
    bind_str(q, s->client.operation);
    bind_str(q, s->client.application);
    bind_str(q, s->client.group);
    bind_str(q, s->client.key);
    bind_str(q, s->client.type);
    bind_str(q, s->name);
    bind_str(q, p->definition);
    bind_i64(q, now.us);
    bind_uuid(q, id);
}

static enum err put_new(struct sqlite_store *s, struct put *p, struct wall now, struct error *err)
{
    QUERY(q, s, Q_SCHEDULE_INSERT);
    enum err e;

    bind_schedule(&q, p, now, &p->id);
    e = query_run(&q, NULL, err);
    if (e)
        return e;
    e = timer_write(s, Q_TIMER_INSERT, &p->id, &p->timer, -1, now, err);
    if (e)
        return e;
    p->ret_id = p->id;
    p->ret_created = true;
    p->ret_version = 1;
    return ERR_NONE;
}

static enum err cancel_for_change(struct sqlite_store *s, const struct uuid *id, struct wall now,
                                  struct error *err)
{
    int64_t cancelled;
    enum err e;

    e = end_open_runs(s, id, now, &cancelled, err);
    if (e || cancelled == 0)
        return e;
    return timer_set_last(s, id, RUN_CANCELLED, now, err);
}

static enum err put_over(struct sqlite_store *s, struct put *p, const struct found *old, struct wall now,
                         struct error *err)
{
    QUERY(q, s, Q_SCHEDULE_UPDATE);
    enum err e;

    bind_schedule(&q, p, now, &old->id);
    e = query_run(&q, NULL, err);
    if (e)
        return e;
    e = timer_write(s, Q_TIMER_UPDATE, &old->id, &p->timer, old->state, now, err);
    if (e)
        return e;
    e = cancel_for_change(s, &old->id, now, err);
    if (e)
        return e;
    p->ret_id = old->id;
    p->ret_created = false;
    p->ret_version = old->version + 1;
    return ERR_NONE;
}

/* Judges one before anything of it is written; sets p->result. */
static enum err judge(struct sqlite_store *s, struct put *p, struct found *ret, struct error *err)
{
    struct found same = {0};
    enum err e;

    e = find_by_identity(s, p->schedule, &same, err);
    if (e)
        return e;
    *ret = same;
    if (p->by_id && !(same.there && uuid_eq(same.id, p->id))) {
        e = find_by_id(s, &p->id, ret, err);
        if (e)
            return e;
    }
    if (p->by_id && !ret->there)
        p->result = ERR_NOT_FOUND;
    else if (same.collides || (same.there && !uuid_eq(same.id, ret->id)))
        p->result = ERR_CONFLICT;
    else if (p->if_version != 0 && (!ret->there || ret->version != p->if_version))
        p->result = ERR_PRECONDITION;
    else
        p->result = ERR_NONE;
    return ERR_NONE;
}

enum err sqlite_put(struct store *store, struct put *puts, size_t n, struct wall now, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);

    for (size_t i = 0; i < n; i++) {
        struct found old = {0};
        enum err e = judge(s, &puts[i], &old, err);

        if (!e && puts[i].result == ERR_NONE)
            e = old.there ? put_over(s, &puts[i], &old, now, err) : put_new(s, &puts[i], now, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err touch(struct sqlite_store *s, const struct uuid *id, struct wall now, struct error *err)
{
    QUERY(q, s, Q_SCHEDULE_TOUCH);

    bind_i64(&q, now.us);
    bind_uuid(&q, id);
    return query_run(&q, NULL, err);
}

enum err sqlite_set_timer(struct store *store, struct uuid id, int64_t if_version, const struct timer *t,
                          bool cancel_runs, struct wall now, int64_t *ret_version, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    struct found old = {0};
    enum err e;

    e = find_by_id(s, &id, &old, err);
    if (e)
        return e;
    if (!old.there)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    if (if_version != 0 && if_version != old.version)
        return error_set(err, ERR_PRECONDITION, NULL, "the schedule was changed meanwhile");
    e = touch(s, &id, now, err);
    if (!e)
        e = timer_write(s, Q_TIMER_UPDATE, &id, t, old.state, now, err);
    if (!e && cancel_runs)
        e = cancel_for_change(s, &id, now, err);
    if (e)
        return e;
    *ret_version = old.version + 1;
    return ERR_NONE;
}
