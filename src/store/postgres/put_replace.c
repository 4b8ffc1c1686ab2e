/*
 * put_replace.c: see put.h.
 */
#include "base/alloc.h"
#include "base/map.h"
#include "store/postgres/put.h"
#include "store/postgres/timers.h"

/* A schedule that is there, and what becomes of it. */
struct there {
    struct uuid id;
    struct uuid hash;
    struct client client; /* the result's */
    int64_t version;
    int state;              /* of the timer, as it is in the database */
    const struct put *last; /* what replaces it; NULL: nothing yet */
};

struct replacing {
    struct postgres_store *s;
    struct wall now;
    PGresult *locked;    /* sorted by id */
    PGresult *rows;      /* sorted by id */
    struct there *there; /* of `rows` */
    size_t n;
    struct map by_hash; /* to .there */
};

static void replacing_done(struct replacing *g)
{
    map_done(&g->by_hash);
    PQclear(g->locked);
    PQclear(g->rows);
    alloc_free(g->there);
}

/* --- locking and reading --- */

static enum err send_wanted(struct replacing *g, enum sql id, struct put *const *puts, size_t n,
                            PGresult **slot, struct error *err)
{
    struct args *a = link_args(&g->s->link);

    (void)args_array(a, ARG_TEXT);
    (void)args_array(a, ARG_UUID);
    (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < n; i++) {
        args_add_str(a, 0, puts[i]->schedule->client.key);
        args_add_uuid(a, 1, put_hash(puts[i]));
        if (puts[i]->by_id)
            args_add_uuid(a, 2, puts[i]->id);
    }
    return link_send(&g->s->link, id, slot, err);
}

static void read_there(const PGresult *r, size_t row, struct there *ret)
{
    *ret = (struct there){
        .id = row_uuid(r, row, 0),
        .version = row_i64(r, row, 1),
        .state = (int)row_i64(r, row, 2),
        .hash = row_uuid(r, row, 3),
        .client = {.operation = row_str(r, row, 4),
                   .application = row_str(r, row, 5),
                   .group = row_str(r, row, 6),
                   .key = row_str(r, row, 7),
                   .type = row_str(r, row, 8)},
    };
}

enum err put_changed_meanwhile(struct error *err)
{
    return error_set(err, ERR_BUSY, "postgres", "another instance changed the same schedules meanwhile");
}

static enum err read_all(struct replacing *g, struct put *const *puts, size_t n, struct error *err)
{
    void *p;
    enum err e;

    e = send_wanted(g, Q_PUT_LOCK, puts, n, &g->locked, err);
    if (!e)
        e = send_wanted(g, Q_PUT_READ, puts, n, &g->rows, err);
    if (!e)
        e = link_sync(&g->s->link, err);
    if (!e)
        e = alloc_array(row_n(g->rows), sizeof(*g->there), &p, err);
    if (e)
        return e;
    g->there = p;
    g->n = row_n(g->rows);
    for (size_t i = 0; i < g->n; i++) {
        size_t at;

        read_there(g->rows, i, &g->there[i]);
        if (!row_find(g->locked, 0, g->there[i].id, &at)) {
            /* It came between the two statements. */
            if (puts[0]->by_id || puts[0]->if_version != 0)
                return put_changed_meanwhile(err);
            continue; /* to be found by the insertion, and locked, the next time */
        }
        e = map_put(&g->by_hash, g->there[i].hash, &g->there[i], err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

/* --- judging --- */

static struct there *find_id(const struct replacing *g, struct uuid id)
{
    size_t at;

    return row_find(g->rows, 0, id, &at) ? &g->there[at] : NULL;
}

/* Sets p->result; *ret is what it replaces. */
static void judge(const struct replacing *g, struct put *p, struct there **ret)
{
    struct there *same = map_get(&g->by_hash, put_hash(p));
    struct there *it = p->by_id ? find_id(g, p->id) : same;

    *ret = it;
    if (p->by_id && !it)
        p->result = ERR_NOT_FOUND;
    else if (same && (same != it || !client_eq(&same->client, &p->schedule->client)))
        p->result = ERR_CONFLICT;
    else if (p->if_version != 0 && (!it || it->version != p->if_version))
        p->result = ERR_PRECONDITION;
    else
        p->result = ERR_NONE;
}

static bool changes_identity(const struct there *it, const struct put *p)
{
    return !uuid_eq(it->hash, put_hash(p));
}

/* How many are judged: up to one that changes an identity, which is judged alone. */
static enum err judge_all(struct replacing *g, struct put **puts, size_t n, size_t *ret_n,
                          struct put_list *ret_gone, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct there *it;
        bool alone;

        judge(g, puts[i], &it);
        if (puts[i]->result)
            continue;
        if (!it) {
            enum err e = put_list_add(ret_gone, puts[i], err);

            if (e)
                return e;
            continue;
        }
        alone = changes_identity(it, puts[i]);
        if (alone && i > 0) {
            *ret_n = i;
            return ERR_NONE;
        }
        it->last = puts[i];
        it->version++;
        puts[i]->ret_id = it->id;
        puts[i]->ret_created = false;
        puts[i]->ret_version = it->version;
        if (alone) {
            *ret_n = 1;
            return ERR_NONE;
        }
    }
    *ret_n = n;
    return ERR_NONE;
}

/* --- writing --- */

static enum err write_schedules(struct replacing *g, struct error *err)
{
    struct args *a = put_args(g->s, g->now);
    size_t version = args_array(a, ARG_I64);

    for (size_t i = 0; i < g->n; i++) {
        const struct there *it = &g->there[i];

        if (!it->last)
            continue;
        put_args_schedule(a, it->id, it->last);
        args_add_i64(a, version, it->version);
    }
    return link_send(&g->s->link, Q_PUT_OVER, NULL, err);
}

static enum err write_timers(struct replacing *g, struct error *err)
{
    struct args *a = timer_args(g->s, g->now);

    for (size_t i = 0; i < g->n; i++) {
        const struct there *it = &g->there[i];

        if (!it->last)
            continue;
        timer_args_add(a, it->id, &it->last->timer);
        postgres_tally(g->s, it->state, (int)it->last->timer.state);
    }
    return link_send(&g->s->link, Q_TIMERS_UPDATE, NULL, err);
}

static enum err end_replaced(struct replacing *g, const size_t n, struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct uuid *ids;
    size_t at = 0;
    enum err e;

    e = alloc_array(n, sizeof(*ids), &p, err);
    if (e)
        return e;
    ids = p;
    for (size_t i = 0; i < g->n; i++) {
        if (g->there[i].last)
            ids[at++] = g->there[i].id;
    }
    return timers_end_runs(g->s, ids, n, END_CHANGED, g->now, err);
}

static enum err write_all(struct replacing *g, struct error *err)
{
    size_t n = 0;
    enum err e;

    for (size_t i = 0; i < g->n; i++)
        n += g->there[i].last != NULL;
    if (n == 0)
        return ERR_NONE;
    e = write_schedules(g, err);
    if (!e)
        e = write_timers(g, err);
    return e ? e : end_replaced(g, n, err);
}

enum err put_replace(struct postgres_store *s, struct put **puts, size_t n, struct wall now, size_t *ret_n,
                     struct put_list *ret_gone, struct error *err)
{
    CLEANUP(replacing_done) struct replacing g = {.s = s, .now = now};
    enum err e;

    e = read_all(&g, puts, n, err);
    if (!e)
        e = judge_all(&g, puts, n, ret_n, ret_gone, err);
    return e ? e : write_all(&g, err);
}
