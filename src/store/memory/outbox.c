/*
 * outbox.c: events that wait for the history database.
 */
#include "base/alloc.h"
#include "store/grow.h"
#include "store/journal.h"
#include "store/memory/ops.h"

enum err memory_outbox_add(struct store *s, const struct str *texts, size_t n, struct error *err)
{
    struct memory_db *db = memory_write(s);

    for (size_t i = 0; i < n; i++) {
        struct outbox_row *o;
        enum err e = rows_new_outbox(db, texts[i], &o, err);

        if (!e)
            e = rows_add(db, &o->row, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err memory_outbox_take(struct store *s, int64_t after, size_t limit, struct outbox_list *ret,
                            struct error *err)
{
    const struct memory_db *db = memory_read(s);
    const struct outbox_row *o = rows_outbox_after(db, after);

    while (o && ret->n < limit) {
        struct outbox_item item = {.n = o->n, .text_n = o->text.n};
        enum err e = LIST_RESERVE(ret, err);

        if (!e)
            e = alloc_str(o->text, &item.text, err);
        if (e)
            return e;
        ret->items[ret->n++] = item;
        o = rows_outbox_after(db, o->n);
    }
    return ERR_NONE;
}

enum err memory_outbox_remove(struct store *s, const int64_t *ns, size_t n, struct error *err)
{
    struct memory_db *db = memory_write(s);

    for (size_t i = 0; i < n; i++) {
        struct outbox_row *o = rows_outbox_after(db, ns[i] - 1);
        enum err e = o && o->n == ns[i] ? rows_remove(db, &o->row, err) : ERR_NONE;

        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err memory_outbox_size(struct store *s, int64_t *ret, struct error *err)
{
    const struct memory_db *db = memory_read(s);
    const struct outbox_row *first = rows_outbox_after(db, 0);

    (void)err;
    *ret = first ? db->outbox_last - first->n + 1 : 0;
    return ERR_NONE;
}

enum err memory_trace_cancelled(struct memory_db *db, const struct run_row *r, struct error *err)
{
    return journal_trace_cancelled(db->journal, &r->run, (struct str){r->label, r->label_n}, err);
}

enum err memory_trace_runs(struct store *s, const struct uuid *runs, size_t n, struct error *err)
{
    struct memory_db *db = memory_write(s);
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < n; i++) {
        const struct run_row *r = rows_run(db, runs[i]);

        if (r && (run_state_open(r->run.state) || r->run.state == RUN_DEAD))
            e = memory_trace_cancelled(db, r, err);
    }
    return e;
}
