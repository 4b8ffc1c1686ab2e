/*
 * answer.c: answers that are given again, and the removal of everything.
 */
#include "base/alloc.h"
#include "store/memory/ops.h"

enum err memory_get_answer(struct store *s, struct uuid key, struct kept_answer *ret, struct error *err)
{
    const struct answer_row *r = rows_answer(memory_read(s), key);
    struct kept_answer a;
    enum err e;

    if (!r)
        return error_set(err, ERR_NOT_FOUND, NULL, "no answer is kept under this key");
    a = (struct kept_answer){.key = key, .request = r->request, .at = r->at, .n = r->text.n};
    if (r->text.p) {
        e = alloc_str(r->text, &a.text, err);
        if (e)
            return e;
    }
    *ret = a;
    return ERR_NONE;
}

enum err memory_put_answer(struct store *s, const struct kept_answer *a, struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct answer_row *old = rows_answer(db, a->key);
    struct answer_row *r;
    enum err e = rows_new_answer(a, &r, err);

    if (e)
        return e;
    return old ? rows_swap(db, &old->row, &r->row, err) : rows_add(db, &r->row, err);
}

/* Those from before `before`, at most `limit`. */
static enum err trim(struct memory_db *db, struct wall before, size_t limit, size_t *ret_n, struct error *err)
{
    size_t n = 0;

    while (n < limit) {
        struct answer_row *r = ROW_OF(tree_first(&db->answers_by_at), answer_row, by_at);
        enum err e;

        if (!r || r->at.us >= before.us)
            break;
        e = rows_remove(db, &r->row, err);
        if (e)
            return e;
        n++;
    }
    *ret_n = n;
    return ERR_NONE;
}

enum err memory_trim_answers(struct store *s, struct wall before, size_t limit, size_t *ret_n,
                             struct error *err)
{
    return trim(memory_write(s), before, limit, ret_n, err);
}

enum err memory_clear(struct store *s, size_t limit, size_t *ret_runs, size_t *ret_n, struct error *err)
{
    struct memory_db *db = memory_write(s);
    struct tree_node *node = tree_first(&db->runs);
    size_t runs = 0;
    size_t answers;
    enum err e;

    while (node && runs < limit) {
        struct run_row *r = CONTAINER_OF(node, struct run_row, by_id);

        node = tree_next(node);
        if (run_state_open(r->run.state))
            continue;
        e = rows_remove(db, &r->row, err);
        if (e)
            return e;
        runs++;
    }
    e = trim(db, WALL_NEVER, limit, &answers, err);
    if (e)
        return e;
    *ret_runs = runs;
    *ret_n = runs + answers;
    return ERR_NONE;
}
