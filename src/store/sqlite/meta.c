/*
 * meta.c: what the store remembers about itself, and the retention of ended runs.
 */
#include "base/str.h"
#include "store/sqlite/ops.h"

enum err sqlite_get_meta(struct store *store, const char *key, struct buf *ret, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_META_GET);
    bool row = false;
    enum err e;

    bind_str(&q, str_of(key));
    e = query_step(&q, &row, err);
    if (e)
        return e;
    if (!row)
        return error_set(err, ERR_NOT_FOUND, key, "nothing is stored under this name");
    buf_add(ret, col_str(&q, 0));
    return buf_check(ret, key, err);
}

enum err sqlite_set_meta(struct store *store, const char *key, struct str value, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_META_SET);

    bind_str(&q, str_of(key));
    bind_str(&q, value);
    return query_run(&q, NULL, err);
}

static enum err trim(struct sqlite_store *s, enum sql id, struct wall before, size_t limit, size_t *ret_n,
                     struct error *err)
{
    QUERY(q, s, id);
    int64_t n;
    enum err e;

    bind_i64(&q, before.us);
    bind_i64(&q, (int64_t)limit);
    e = query_run(&q, &n, err);
    if (e)
        return e;
    *ret_n = (size_t)n;
    return ERR_NONE;
}

enum err sqlite_trim_runs(struct store *store, struct wall ok_before, struct wall failed_before, size_t limit,
                          size_t *ret_n, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    size_t ok;
    size_t other = 0;
    enum err e;

    e = trim(s, Q_TRIM_OK, ok_before, limit, &ok, err);
    /* What was skipped or cancelled is as worth looking at as what failed. */
    if (!e && ok < limit)
        e = trim(s, Q_TRIM_OTHER, failed_before, limit - ok, &other, err);
    if (e)
        return e;
    *ret_n = ok + other;
    return ERR_NONE;
}
