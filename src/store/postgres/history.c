/*
 * history.c: the calls of a history database.
 */
#include "base/str.h"
#include "store/choose.h"
#include "store/each.h"
#include "store/grow.h"
#include "store/history_page.h"
#include "store/postgres/ops.h"

enum err postgres_history_add(struct store *store, const struct history_row *rows, size_t n,
                              struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);

    (void)args_array(a, ARG_UUID);
    (void)args_array(a, ARG_UUID);
    (void)args_array(a, ARG_I64);
    (void)args_array(a, ARG_TEXT);
    for (size_t i = 0; i < n; i++) {
        args_add_uuid(a, 0, rows[i].id);
        args_add_uuid(a, 1, rows[i].schedule_id);
        args_add_i64(a, 2, rows[i].kind);
        args_add_str(a, 3, rows[i].text);
    }
    return link_ask(&s->link, Q_HISTORY_ADD, NULL, err);
}

static enum err read_items(const PGresult *r, struct history_list *ret, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < row_n(r); i++) {
        struct history_item item = {.id = row_uuid(r, i, 0)};

        if (PQnfields(r) > 2)
            item.schedule_id = row_uuid(r, i, 2);
        e = LIST_RESERVE(ret, err);
        if (!e)
            e = row_copy(r, i, 1, &item.text, &item.text_n, err);
        if (!e)
            ret->items[ret->n++] = item;
    }
    return e;
}

static void args_page(struct args *a, const struct history_page *page, size_t limit)
{
    args_uuid(a, page->below);
    args_uuid(a, page->least);
    args_i64(a, (int64_t)limit);
}

enum err postgres_history_list(struct store *store, const struct history_filter *f, struct history_list *ret,
                               struct error *err)
{
    static const enum sql lists[HISTORY_SOURCES] = {
        [HISTORY_ALL] = Q_HISTORY_LIST,        [HISTORY_KIND] = Q_HISTORY_LIST_KIND,
        [HISTORY_RARE] = Q_HISTORY_LIST_RARE,  [HISTORY_OF] = Q_HISTORY_OF,
        [HISTORY_OF_KIND] = Q_HISTORY_OF_KIND, [HISTORY_OF_RARE] = Q_HISTORY_OF_RARE,
    };
    struct postgres_store *s = postgres_of(store);
    const struct history_page page = history_page_of(f);
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    args_page(a, &page, f->limit);
    if (page.source >= HISTORY_OF)
        args_uuid(a, f->schedule_id);
    if (f->kind >= 0)
        args_i64(a, f->kind);
    e = link_ask(&s->link, lists[page.source], &r, err);
    return e ? e : read_items(r, ret, err);
}

enum err postgres_history_list_of(struct store *store, const struct uuid *ids, size_t n,
                                  const struct history_filter *f, size_t most, struct history_list *ret,
                                  struct error *err)
{
    static const enum sql lists[HISTORY_SOURCES] = {
        [HISTORY_OF] = Q_HISTORY_OF_EACH,
        [HISTORY_OF_KIND] = Q_HISTORY_OF_EACH_KIND,
        [HISTORY_OF_RARE] = Q_HISTORY_OF_EACH_RARE,
    };
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    struct history_filter of_one = *f;
    struct history_page page;
    size_t first = ret->n;
    RESULT(r);
    enum err e;

    of_one.schedule_id = (struct uuid){{1}}; /* any but nil */
    page = history_page_of(&of_one);
    args_page(a, &page, f->limit);
    args_uuids(a, ids, n);
    args_i64(a, (int64_t)most + 1);
    if (f->kind >= 0)
        args_i64(a, f->kind);
    e = link_ask(&s->link, lists[page.source], &r, err);
    if (e)
        return e;
    if (row_n(r) > most)
        return each_too_many(most, err);
    e = read_items(r, ret, err);
    history_pages_sort(ret, first);
    return e;
}

enum err postgres_history_trim(struct store *store, struct wall before, size_t limit, size_t *ret_n,
                               struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    RESULT(r);
    int64_t n = 0;
    enum err e;

    args_uuid(a, uuid_v7_least(before));
    args_i64(a, (int64_t)limit);
    e = link_ask(&s->link, Q_HISTORY_TRIM, &r, err);
    if (e)
        return e;
    MUST(str_to_i64(str_of(PQcmdTuples(r)), &n)); /* a DELETE says how many */
    s->partitions.keep_from = before; /* days that lie before it are dropped whole: conn_upkeep() */
    *ret_n = (size_t)n;
    return ERR_NONE;
}
