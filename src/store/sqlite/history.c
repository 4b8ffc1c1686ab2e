/*
 * history.c: the calls of a history database.
 */
#include "store/grow.h"
#include "store/history_page.h"
#include "store/sqlite/ops.h"

enum err sqlite_history_add(struct store *store, const struct history_row *rows, size_t n, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_HISTORY_ADD);

    for (size_t i = 0; i < n; i++) {
        enum err e;

        query_again(&q);
        bind_uuid(&q, &rows[i].id);
        bind_uuid(&q, &rows[i].schedule_id);
        bind_i64(&q, rows[i].kind);
        bind_str(&q, rows[i].text);
        e = query_run(&q, NULL, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err sqlite_history_list(struct store *store, const struct history_filter *f, struct history_list *ret,
                             struct error *err)
{
    static const enum sql lists[HISTORY_SOURCES] = {
        [HISTORY_ALL] = Q_HISTORY_LIST,        [HISTORY_KIND] = Q_HISTORY_LIST_KIND,
        [HISTORY_RARE] = Q_HISTORY_LIST_RARE,  [HISTORY_OF] = Q_HISTORY_OF,
        [HISTORY_OF_KIND] = Q_HISTORY_OF_KIND, [HISTORY_OF_RARE] = Q_HISTORY_OF_RARE,
    };
    const struct history_page page = history_page_of(f);
    QUERY(q, sqlite_of(store), lists[page.source]);
    bool row = false;
    enum err e;

    bind_uuid(&q, &page.below);
    bind_uuid(&q, &page.least);
    bind_i64(&q, (int64_t)f->limit);
    /* A statement has the parameters that it names. */
    if (page.source >= HISTORY_OF || page.source == HISTORY_KIND || page.source == HISTORY_RARE)
        bind_i64(&q, f->kind);
    if (page.source >= HISTORY_OF)
        bind_uuid(&q, &f->schedule_id);
    while (!(e = query_step(&q, &row, err)) && row) {
        struct history_item item = {.id = col_uuid(&q, 0)};

        e = LIST_RESERVE(ret, err);
        if (!e)
            e = col_copy(&q, 1, &item.text, &item.text_n, err);
        if (e)
            return e;
        ret->items[ret->n++] = item;
    }
    return e;
}

enum err sqlite_history_trim(struct store *store, struct wall before, size_t limit, size_t *ret_n,
                             struct error *err)
{
    QUERY(q, sqlite_of(store), Q_HISTORY_TRIM);
    struct uuid least = uuid_v7_least(before);
    int64_t n;
    enum err e;

    bind_uuid(&q, &least);
    bind_i64(&q, (int64_t)limit);
    e = query_run(&q, &n, err);
    if (e)
        return e;
    *ret_n = (size_t)n;
    return ERR_NONE;
}
