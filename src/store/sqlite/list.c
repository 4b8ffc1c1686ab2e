/*
 * list.c: reading schedules: one, a page of many, how many.
 */
#include "base/str.h"
#include "store/grow.h"
#include "store/sqlite/filter.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

const enum sql filter_records[FILTER_INDEXES] = {
    [FILTER_BY_ID] = Q_LIST_BY_ID,         [FILTER_BY_KEY] = Q_LIST_BY_KEY,
    [FILTER_BY_GROUP] = Q_LIST_BY_GROUP,   [FILTER_BY_APPLICATION] = Q_LIST_BY_APPLICATION,
    [FILTER_BY_PAUSED] = Q_LIST_BY_PAUSED,
};
const enum sql filter_ids[FILTER_INDEXES] = {
    [FILTER_BY_ID] = Q_IDS_BY_ID,         [FILTER_BY_KEY] = Q_IDS_BY_KEY,
    [FILTER_BY_GROUP] = Q_IDS_BY_GROUP,   [FILTER_BY_APPLICATION] = Q_IDS_BY_APPLICATION,
    [FILTER_BY_PAUSED] = Q_IDS_BY_PAUSED,
};

static void bind_wish(struct query *q, struct str s)
{
    if (s.p)
        bind_str(q, s);
    else
        bind_null(q);
}

void bind_filter(struct query *q, const struct filter *f)
{
    bind_uuid(q, &f->after); /* nil sorts before every id */
    bind_wish(q, f->operation);
    bind_wish(q, f->application);
    bind_wish(q, f->group);
    bind_wish(q, f->key);
    bind_wish(q, f->type);
    bind_wish(q, f->name_prefix);
    if (f->state >= 0)
        bind_i64(q, f->state);
    else
        bind_null(q);
    bind_i64(q, (int64_t)f->limit);
}

static enum err col_record(struct query *q, struct record *ret, struct error *err)
{
    struct record r = {0};
    enum err e;
    int at;

    r.id = col_uuid(q, 0);
    r.version = col_i64(q, 1);
    r.created_at = (struct wall){col_i64(q, 2)};
    r.updated_at = (struct wall){col_i64(q, 3)};
    at = col_timer(q, 5, &r.timer);
    r.last_state = (enum run_state)col_i64(q, at);
    r.last_at = col_wall(q, at + 1);
    r.open_runs = col_i64(q, at + 2);
    e = col_copy(q, 4, &r.definition, &r.definition_n, err);
    if (e)
        return e;
    *ret = r;
    return ERR_NONE;
}

enum err sqlite_get(struct store *store, struct uuid id, struct record *ret, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_GET);
    bool row = false;
    enum err e;

    bind_uuid(&q, &id);
    e = query_step(&q, &row, err);
    if (e)
        return e;
    if (!row)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    return col_record(&q, ret, err);
}

static enum err id_of(struct sqlite_store *s, const struct schedule *identity, bool *ret_there,
                      struct uuid *ret, struct error *err)
{
    QUERY(q, s, Q_FIND_BY_IDENTITY);
    struct client have;
    enum err e;

    bind_str(&q, identity->client.key);
    bind_bytes(&q, identity->hash.b, sizeof(identity->hash.b));
    e = query_step(&q, ret_there, err);
    if (e || !*ret_there)
        return e;
    have = (struct client){
        .operation = col_str(&q, 3),
        .application = col_str(&q, 4),
        .group = col_str(&q, 5),
        .key = col_str(&q, 6),
        .type = col_str(&q, 7),
    };
    *ret_there = client_eq(&have, &identity->client);
    *ret = col_uuid(&q, 0);
    return ERR_NONE;
}

enum err sqlite_get_by_client(struct store *store, const struct schedule *identity, struct record *ret,
                              struct error *err)
{
    struct uuid id = {{0}};
    bool there;
    enum err e;

    e = id_of(sqlite_of(store), identity, &there, &id, err);
    if (e)
        return e;
    if (!there)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    return sqlite_get(store, id, ret, err);
}

enum err sqlite_list(struct store *store, const struct filter *f, struct record_list *ret, struct error *err)
{
    QUERY(q, sqlite_of(store), filter_records[choose_index(f)]);
    bool row = false;
    enum err e;

    bind_filter(&q, f);
    while (!(e = query_step(&q, &row, err)) && row) {
        e = LIST_RESERVE(ret, err);
        if (!e)
            e = col_record(&q, &ret->items[ret->n], err);
        if (e)
            return e;
        ret->n++;
    }
    return e;
}

static enum err count_into(struct sqlite_store *s, enum sql id, int64_t *counts, size_t n, struct error *err)
{
    QUERY(q, s, id);
    bool row = false;
    enum err e;

    while (!(e = query_step(&q, &row, err)) && row) {
        int64_t state = col_i64(&q, 0);

        if (state >= 0 && (size_t)state < n)
            counts[state] = col_i64(&q, 1);
    }
    return e;
}

enum err sqlite_stats(struct store *store, struct store_stats *ret, struct error *err)
{
    static const enum sql run_counts[] = {Q_STATS_WAITING, Q_STATS_RUNNING, Q_STATS_DEAD};
    struct sqlite_store *s = sqlite_of(store);
    struct store_stats stats = {0};
    enum err e;

    e = count_into(s, Q_STATS_SCHEDULES, stats.schedules, COUNT_OF(stats.schedules), err);
    for (size_t i = 0; !e && i < COUNT_OF(run_counts); i++)
        e = count_into(s, run_counts[i], stats.runs, COUNT_OF(stats.runs), err);
    if (e)
        return e;
    *ret = stats;
    return ERR_NONE;
}
