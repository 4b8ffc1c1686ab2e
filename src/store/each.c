/*
 * each.c: see each.h. It is looked at after each schedule whether that was too much, so no more than one page
 * is read in vain.
 */
#include "store/each.h"

#include "store/grow.h"

enum err each_too_many(size_t most, struct error *err)
{
    return error_set(err, ERR_TOO_LARGE, NULL, "more than %zu rows in one list of lists: ask for fewer",
                     most);
}

enum err each_get(struct store *s, const struct uuid *ids, size_t n, struct record_list *ret,
                  struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        enum err e = LIST_RESERVE(ret, err);

        if (!e)
            e = store_get(s, ids[i], &ret->items[ret->n], err);
        if (!e)
            ret->n++;
        else if (e != ERR_NOT_FOUND)
            return e;
    }
    return ERR_NONE;
}

enum err each_list_runs(struct store *s, const struct uuid *ids, size_t n, const struct run_filter *f,
                        size_t most, struct run_record_list *ret, struct error *err)
{
    size_t first = ret->n;
    struct run_filter one = *f;

    for (size_t i = 0; i < n; i++) {
        enum err e;

        one.schedule_id = ids[i];
        e = store_list_runs(s, &one, ret, err);
        if (e)
            return e;
        if (ret->n - first > most)
            return each_too_many(most, err);
    }
    return ERR_NONE;
}

enum err each_history_list(struct store *s, const struct uuid *ids, size_t n, const struct history_filter *f,
                           size_t most, struct history_list *ret, struct error *err)
{
    size_t first = ret->n;
    struct history_filter one = *f;

    for (size_t i = 0; i < n; i++) {
        size_t at = ret->n;
        enum err e;

        one.schedule_id = ids[i];
        e = store_history_list(s, &one, ret, err);
        for (; at < ret->n; at++)
            ret->items[at].schedule_id = ids[i];
        if (e)
            return e;
        if (ret->n - first > most)
            return each_too_many(most, err);
    }
    return ERR_NONE;
}
