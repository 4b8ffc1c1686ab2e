/*
 * meta.c: retention of ended runs, and the few values kept by name.
 */
#include "base/str.h"
#include "store/memory/ops.h"

enum err memory_trim_runs(struct store *s, struct wall ok_before, struct wall failed_before, size_t limit,
                          size_t *ret_n, struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct tree_node *node = tree_first(&db->runs_ended);
    struct wall last = wall_max(ok_before, failed_before);
    size_t n = 0;

    while (node && n < limit) {
        struct run_row *r = CONTAINER_OF(node, struct run_row, by_end);
        enum err e;

        node = tree_next(node);
        if (r->ended_at.us >= last.us)
            break;
        if (r->ended_at.us >= (r->run.state == RUN_SUCCEEDED ? ok_before : failed_before).us)
            continue;
        e = rows_remove(db, &r->row, err);
        if (e)
            return e;
        n++;
    }
    *ret_n = n;
    return ERR_NONE;
}

enum err memory_get_meta(struct store *s, const char *key, struct buf *ret, struct error *err)
{
    const struct meta_row *m = rows_meta(memory_read(s), str_of(key));

    if (!m)
        return error_set(err, ERR_NOT_FOUND, key, "no such value");
    buf_add(ret, m->value);
    return buf_check(ret, key, err);
}

enum err memory_set_meta(struct store *s, const char *key, struct str value, struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct meta_row *old = rows_meta(db, str_of(key));
    struct meta_row *m;
    enum err e = rows_new_meta(str_of(key), value, &m, err);

    if (e)
        return e;
    return old ? rows_swap(db, &old->row, &m->row, err) : rows_add(db, &m->row, err);
}
