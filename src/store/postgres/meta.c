/*
 * meta.c: what the store remembers about itself, and the retention of ended runs.
 */
#include "base/str.h"
#include "store/postgres/ops.h"

enum err postgres_get_meta(struct store *store, const char *key, struct buf *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(r);
    enum err e;

    args_str(link_args(&s->link), str_of(key));
    e = link_ask(&s->link, Q_META_GET, &r, err);
    if (e)
        return e;
    if (row_n(r) == 0)
        return error_set(err, ERR_NOT_FOUND, key, "nothing is stored under this name");
    buf_add(ret, row_str(r, 0, 0));
    return buf_check(ret, key, err);
}

enum err postgres_set_meta(struct store *store, const char *key, struct str value, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);

    args_str(a, str_of(key));
    args_str(a, value);
    return link_send(&s->link, Q_META_SET, NULL, err);
}

static enum err trim(struct postgres_store *s, enum sql id, struct wall before, size_t limit, size_t *ret_n,
                     struct error *err)
{
    struct args *a = link_args(&s->link);
    RESULT(r);
    int64_t n = 0;
    enum err e;

    args_i64(a, before.us);
    args_i64(a, (int64_t)limit);
    e = link_ask(&s->link, id, &r, err);
    if (e)
        return e;
    MUST(str_to_i64(str_of(PQcmdTuples(r)), &n)); /* a DELETE says how many */
    *ret_n = (size_t)n;
    return ERR_NONE;
}

enum err postgres_trim_runs(struct store *store, struct wall ok_before, struct wall failed_before,
                            size_t limit, size_t *ret_n, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    size_t ok;
    size_t other = 0;
    enum err e;

    e = trim(s, Q_TRIM_OK, ok_before, limit, &ok, err);
    /* What was skipped or cancelled is as worth looking at as what failed. */
    if (!e && ok < limit)
        e = trim(s, Q_TRIM_OTHER, failed_before, limit - ok, &other, err);
    if (e)
        return e;
    /* Days of which nothing is left to keep are dropped whole: conn_upkeep(). */
    s->partitions.keep_from = ok_before.us < failed_before.us ? ok_before : failed_before;
    *ret_n = ok + other;
    return ERR_NONE;
}
