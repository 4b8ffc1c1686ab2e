/*
 * answer.c: answers that are given again, and the removal of everything.
 */
#include <string.h>

#include "base/str.h"
#include "store/postgres/ops.h"

/* Without waiting: a lane that waits for another instance's transaction would keep all its operations. */
static enum err hold(struct postgres_store *s, struct uuid key, struct error *err)
{
    RESULT(held);
    int64_t number;
    enum err e;

    memcpy(&number, key.b, sizeof(number));
    args_i64(link_args(&s->link), number);
    e = link_ask(&s->link, Q_ANSWER_HOLD, &held, err);
    if (!e && row_i64(held, 0, 0) == 0)
        e = error_set(err, ERR_CONFLICT, NULL, "another instance is working on a request with this key");
    return e;
}

enum err postgres_get_answer(struct store *store, struct uuid key, struct kept_answer *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct kept_answer a = {.key = key};
    RESULT(r);
    enum err e;

    /* One statement after the other: what the last holder committed is seen by the second only. */
    e = hold(s, key, err);
    if (e)
        return e;
    args_uuid(link_args(&s->link), key);
    e = link_ask(&s->link, Q_ANSWER_GET, &r, err);
    if (e)
        return e;
    if (row_n(r) == 0)
        return error_set(err, ERR_NOT_FOUND, NULL, "no answer is kept under this key");
    a.request = row_uuid(r, 0, 0);
    a.at = (struct wall){row_i64(r, 0, 1)};
    if (!row_null(r, 0, 2)) {
        e = row_copy(r, 0, 2, &a.text, &a.n, err);
        if (e)
            return e;
    }
    *ret = a;
    return ERR_NONE;
}

enum err postgres_put_answer(struct store *store, const struct kept_answer *kept, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);

    args_uuid(a, kept->key);
    args_uuid(a, kept->request);
    args_i64(a, kept->at.us);
    args_str(a, kept->text ? (struct str){kept->text, kept->n} : (struct str){NULL, 0});
    return link_send(&s->link, Q_ANSWER_PUT, NULL, err);
}

static enum err remove_rows(struct postgres_store *s, enum sql id, const struct wall *before, size_t limit,
                            size_t *n, struct error *err)
{
    struct args *a = link_args(&s->link);
    int64_t removed = 0;
    RESULT(r);
    enum err e;

    if (before)
        args_i64(a, before->us);
    args_i64(a, (int64_t)limit);
    e = link_ask(&s->link, id, &r, err);
    if (e)
        return e;
    MUST(str_to_i64(str_of(PQcmdTuples(r)), &removed)); /* a DELETE says how many */
    *n += (size_t)removed;
    return ERR_NONE;
}

enum err postgres_trim_answers(struct store *store, struct wall before, size_t limit, size_t *ret_n,
                               struct error *err)
{
    size_t n = 0;
    enum err e = remove_rows(postgres_of(store), Q_ANSWERS_TRIM, &before, limit, &n, err);

    if (!e)
        *ret_n = n;
    return e;
}

enum err postgres_clear(struct store *store, size_t limit, size_t *ret_runs, size_t *ret_n, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    size_t runs = 0;
    size_t answers = 0;
    enum err e;

    e = remove_rows(s, Q_CLEAR_DEAD, NULL, limit, &runs, err);
    if (!e)
        e = remove_rows(s, Q_CLEAR_LOG, NULL, limit, &runs, err);
    if (!e)
        e = remove_rows(s, Q_CLEAR_ANSWERS, NULL, limit, &answers, err);
    if (e)
        return e;
    *ret_runs = runs;
    *ret_n = runs + answers;
    return ERR_NONE;
}
