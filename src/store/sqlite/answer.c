/*
 * answer.c: answers that are given again, and the removal of everything.
 */
#include "base/alloc.h"
#include "store/sqlite/ops.h"

enum err sqlite_get_answer(struct store *store, struct uuid key, struct kept_answer *ret, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_ANSWER_GET);
    struct kept_answer a = {.key = key};
    bool row = false;
    enum err e;

    bind_uuid(&q, &key);
    e = query_step(&q, &row, err);
    if (e)
        return e;
    if (!row)
        return error_set(err, ERR_NOT_FOUND, NULL, "no answer is kept under this key");
    a.request = col_uuid(&q, 0);
    a.at = (struct wall){col_i64(&q, 1)};
    if (sqlite3_column_type(q.stmt, 2) != SQLITE_NULL) {
        e = col_copy(&q, 2, &a.text, &a.n, err);
        if (e)
            return e;
    }
    *ret = a;
    return ERR_NONE;
}

enum err sqlite_put_answer(struct store *store, const struct kept_answer *a, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_ANSWER_PUT);

    bind_uuid(&q, &a->key);
    bind_uuid(&q, &a->request);
    bind_i64(&q, a->at.us);
    if (a->text)
        bind_str(&q, (struct str){a->text, a->n});
    else
        bind_null(&q);
    return query_run(&q, NULL, err);
}

enum err sqlite_trim_answers(struct store *store, struct wall before, size_t limit, size_t *ret_n,
                             struct error *err)
{
    QUERY(q, sqlite_of(store), Q_ANSWER_TRIM);
    int64_t n;
    enum err e;

    bind_i64(&q, before.us);
    bind_i64(&q, (int64_t)limit);
    e = query_run(&q, &n, err);
    if (!e)
        *ret_n = (size_t)n;
    return e;
}

static enum err clear(struct sqlite_store *s, enum sql id, size_t limit, size_t *n, struct error *err)
{
    QUERY(q, s, id);
    int64_t cleared;
    enum err e;

    bind_i64(&q, (int64_t)limit);
    e = query_run(&q, &cleared, err);
    if (!e)
        *n += (size_t)cleared;
    return e;
}

enum err sqlite_clear(struct store *store, size_t limit, size_t *ret_runs, size_t *ret_n, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    size_t runs = 0;
    size_t answers = 0;
    enum err e;

    e = clear(s, Q_CLEAR_DEAD, limit, &runs, err);
    if (!e)
        e = clear(s, Q_CLEAR_LOG, limit, &runs, err);
    if (!e)
        e = clear(s, Q_CLEAR_ANSWERS, limit, &answers, err);
    if (e)
        return e;
    *ret_runs = runs;
    *ret_n = runs + answers;
    return ERR_NONE;
}
