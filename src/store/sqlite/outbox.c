/*
 * outbox.c: events that wait for the history database.
 */
#include "store/grow.h"
#include "store/journal.h"
#include "store/sqlite/ops.h"

enum err sqlite_outbox_add(struct store *store, const struct str *texts, size_t n, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_OUTBOX_ADD);

    for (size_t i = 0; i < n; i++) {
        enum err e;

        query_again(&q);
        bind_str(&q, texts[i]);
        e = query_run(&q, NULL, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err sqlite_outbox_take(struct store *store, int64_t after, size_t limit, struct outbox_list *ret,
                            struct error *err)
{
    QUERY(q, sqlite_of(store), Q_OUTBOX_TAKE);
    bool row = false;
    enum err e;

    bind_i64(&q, after);
    bind_i64(&q, (int64_t)limit);
    while (!(e = query_step(&q, &row, err)) && row) {
        struct outbox_item item = {.n = col_i64(&q, 0)};

        e = LIST_RESERVE(ret, err);
        if (!e)
            e = col_copy(&q, 1, &item.text, &item.text_n, err);
        if (e)
            return e;
        ret->items[ret->n++] = item;
    }
    return e;
}

enum err sqlite_outbox_remove(struct store *store, const int64_t *ns, size_t n, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_OUTBOX_REMOVE);

    for (size_t i = 0; i < n; i++) {
        enum err e;

        query_again(&q);
        bind_i64(&q, ns[i]);
        e = query_run(&q, NULL, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err sqlite_outbox_size(struct store *store, int64_t *ret, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_OUTBOX_SIZE);
    bool row = false;
    enum err e = query_step(&q, &row, err);

    if (e)
        return e;
    *ret = row ? col_i64(&q, 0) : 0; /* NULL, when none waits, reads as 0 */
    return ERR_NONE;
}

enum err sqlite_trace_runs(struct store *store, const struct uuid *runs, size_t n, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_RUN_TRACE);

    for (size_t i = 0; i < n; i++) {
        bool row = false;
        enum err e;

        query_again(&q);
        bind_uuid(&q, &runs[i]);
        bind_i64(&q, store->journal->listened);
        e = query_step(&q, &row, err);
        if (!e && row) {
            struct run run = {.id = runs[i],
                              .schedule_id = col_uuid(&q, 0),
                              .scheduled_at = col_wall(&q, 1),
                              .attempt = col_i64(&q, 2)};

            e = journal_trace_cancelled(store->journal, &run, col_str(&q, 3), err);
        }
        if (e)
            return e;
    }
    return ERR_NONE;
}
