/*
 * list.c: reading schedules: one, a page of many, how many.
 */
#include "store/choose.h"
#include "store/grow.h"
#include "store/postgres/ops.h"

static const enum sql records[FILTER_INDEXES] = {
    [FILTER_BY_ID] = Q_LIST_BY_ID,         [FILTER_BY_KEY] = Q_LIST_BY_KEY,
    [FILTER_BY_GROUP] = Q_LIST_BY_GROUP,   [FILTER_BY_APPLICATION] = Q_LIST_BY_APPLICATION,
    [FILTER_BY_PAUSED] = Q_LIST_BY_PAUSED,
};
static const enum sql ids_alone[FILTER_INDEXES] = {
    [FILTER_BY_ID] = Q_IDS_BY_ID,         [FILTER_BY_KEY] = Q_IDS_BY_KEY,
    [FILTER_BY_GROUP] = Q_IDS_BY_GROUP,   [FILTER_BY_APPLICATION] = Q_IDS_BY_APPLICATION,
    [FILTER_BY_PAUSED] = Q_IDS_BY_PAUSED,
};

static void args_filter(struct args *a, const struct filter *f)
{
    args_uuid(a, f->after); /* nil sorts before every id */
    args_str(a, f->operation);
    args_str(a, f->application);
    args_str(a, f->group);
    args_str(a, f->key);
    args_str(a, f->type);
    args_str(a, f->name_prefix);
    if (f->state >= 0)
        args_i64(a, f->state);
    else
        args_null(a, ARG_I64);
    args_i64(a, (int64_t)f->limit);
}

static enum err ask(struct postgres_store *s, const struct filter *f, const enum sql *of, PGresult **slot,
                    struct error *err)
{
    args_filter(link_args(&s->link), f);
    return link_ask(&s->link, of[choose_index(f)], slot, err);
}

enum err postgres_ask_ids(struct postgres_store *s, const struct filter *f, PGresult **slot,
                          struct error *err)
{
    return ask(s, f, ids_alone, slot, err);
}

static enum err read_record(const PGresult *r, size_t row, struct record *ret, struct error *err)
{
    struct record rec = {0};
    enum err e;
    int at;

    rec.id = row_uuid(r, row, 0);
    rec.version = row_i64(r, row, 1);
    rec.created_at = (struct wall){row_i64(r, row, 2)};
    rec.updated_at = (struct wall){row_i64(r, row, 3)};
    at = row_timer(r, row, 5, &rec.timer);
    rec.last_state = (enum run_state)row_i64(r, row, at);
    rec.last_at = row_wall(r, row, at + 1);
    rec.open_runs = row_i64(r, row, at + 2);
    e = row_copy(r, row, 4, &rec.definition, &rec.definition_n, err);
    if (e)
        return e;
    *ret = rec;
    return ERR_NONE;
}

enum err postgres_get(struct store *store, struct uuid id, struct record *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(r);
    enum err e = ERR_NONE;

    /* Who reads in order to write must not write over what came in between. */
    if (s->writing) {
        args_uuid(link_args(&s->link), id);
        e = link_send(&s->link, Q_GET_LOCK, NULL, err);
    }
    if (e)
        return e;
    args_uuid(link_args(&s->link), id);
    e = link_ask(&s->link, Q_GET, &r, err);
    if (e)
        return e;
    if (row_n(r) == 0)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    return read_record(r, 0, ret, err);
}

enum err postgres_get_by_client(struct store *store, const struct schedule *identity, struct record *ret,
                                struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    struct uuid hash;
    RESULT(r);
    struct client have;
    enum err e;

    for (size_t i = 0; i < sizeof(hash.b); i++)
        hash.b[i] = identity->hash.b[i];
    args_str(a, identity->client.key);
    args_uuid(a, hash);
    e = link_ask(&s->link, Q_ID_BY_IDENTITY, &r, err);
    if (e)
        return e;
    if (row_n(r) == 0)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    have = (struct client){
        .operation = row_str(r, 0, 1),
        .application = row_str(r, 0, 2),
        .group = row_str(r, 0, 3),
        .key = row_str(r, 0, 4),
        .type = row_str(r, 0, 5),
    };
    if (!client_eq(&have, &identity->client))
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    return postgres_get(store, row_uuid(r, 0, 0), ret, err);
}

static enum err read_records(const PGresult *r, struct record_list *ret, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < row_n(r); i++) {
        e = LIST_RESERVE(ret, err);
        if (!e)
            e = read_record(r, i, &ret->items[ret->n], err);
        if (!e)
            ret->n++;
    }
    return e;
}

enum err postgres_list(struct store *store, const struct filter *f, struct record_list *ret,
                       struct error *err)
{
    RESULT(r);
    enum err e = ask(postgres_of(store), f, records, &r, err);

    return e ? e : read_records(r, ret, err);
}

enum err postgres_get_many(struct store *store, const struct uuid *ids, size_t n, struct record_list *ret,
                           struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(r);
    enum err e;

    args_uuids(link_args(&s->link), ids, n);
    e = link_ask(&s->link, Q_GET_MANY, &r, err);
    return e ? e : read_records(r, ret, err);
}

static void count_into(const PGresult *r, int64_t *counts, size_t n)
{
    for (size_t i = 0; i < row_n(r); i++) {
        int64_t state = row_i64(r, i, 0);

        if (state >= 0 && (size_t)state < n)
            counts[state] = row_i64(r, i, 1);
    }
}

enum err postgres_stats(struct store *store, struct store_stats *ret, struct error *err)
{
    static const enum sql counts[] = {Q_STATS_SCHEDULES, Q_STATS_WAITING, Q_STATS_RUNNING, Q_STATS_DEAD};
    struct postgres_store *s = postgres_of(store);
    PGresult *r[COUNT_OF(counts)] = {NULL};
    struct store_stats stats = {0};
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < COUNT_OF(counts); i++) {
        (void)link_args(&s->link);
        e = link_send(&s->link, counts[i], &r[i], err);
    }
    if (!e)
        e = link_sync(&s->link, err);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        if (!e && i == 0)
            count_into(r[i], stats.schedules, COUNT_OF(stats.schedules));
        else if (!e)
            count_into(r[i], stats.runs, COUNT_OF(stats.runs));
        PQclear(r[i]);
    }
    if (!e)
        *ret = stats;
    return e;
}
