/*
 * outbox.c: events that wait for the history database.
 */
#include "store/grow.h"
#include "store/journal.h"
#include "store/postgres/ops.h"
#include "store/postgres/timers.h"

enum err postgres_outbox_add(struct store *store, const struct str *texts, size_t n, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    size_t at = args_array(a, ARG_TEXT);

    for (size_t i = 0; i < n; i++)
        args_add_str(a, at, texts[i]);
    return link_send(&s->link, Q_OUTBOX_ADD, NULL, err);
}

enum err postgres_outbox_take(struct store *store, int64_t after, size_t limit, struct outbox_list *ret,
                              struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a;
    RESULT(r);
    enum err e;

    (void)link_args(&s->link); /* none */
    e = link_send(&s->link, Q_OUTBOX_PATIENCE, NULL, err);

    if (e)
        return e;
    a = link_args(&s->link);
    args_i64(a, after);
    args_i64(a, (int64_t)limit);
    e = link_ask(&s->link, Q_OUTBOX_TAKE, &r, err);
    for (size_t i = 0; !e && i < row_n(r); i++) {
        struct outbox_item item = {.n = row_i64(r, i, 0)};

        e = LIST_RESERVE(ret, err);
        if (!e)
            e = row_copy(r, i, 1, &item.text, &item.text_n, err);
        if (!e)
            ret->items[ret->n++] = item;
    }
    return e;
}

enum err postgres_outbox_remove(struct store *store, const int64_t *ns, size_t n, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    size_t at = args_array(a, ARG_I64);

    for (size_t i = 0; i < n; i++)
        args_add_i64(a, at, ns[i]);
    return link_send(&s->link, Q_OUTBOX_REMOVE, NULL, err);
}

enum err postgres_outbox_size(struct store *store, int64_t *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(r);
    enum err e;

    (void)link_args(&s->link);
    e = link_ask(&s->link, Q_OUTBOX_SIZE, &r, err);
    if (e)
        return e;
    *ret = row_i64(r, 0, 0);
    return ERR_NONE;
}

enum err postgres_trace_runs(struct store *store, const struct uuid *runs, size_t n, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    RESULT(r);
    enum err e;

    args_uuids(a, runs, n);
    args_i64(a, store->journal->listened);
    e = link_ask(&s->link, Q_RUN_TRACE, &r, err);
    return e ? e : timers_trace_runs(s, r, err);
}
