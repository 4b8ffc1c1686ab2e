/*
 * ops_many.c: see ops_many.h. Reads only.
 */
#include "store/ops_many.h"

#include <stddef.h>
#include <stdlib.h>

#include "store/op.h"

static int by_id(const void *a, const void *b)
{
    return uuid_cmp(*(const struct uuid *)a, *(const struct uuid *)b);
}

/* Sorted, each once. *ret is zeroed. */
static enum err ids_init(struct uuid_list *ret, const struct uuid *ids, size_t n, struct error *err)
{
    void *p;
    enum err e = alloc_array(n, sizeof(*ids), &p, err);

    if (e)
        return e;
    *ret = (struct uuid_list){.items = p, .cap = n};
    for (size_t i = 0; i < n; i++)
        ret->items[i] = ids[i];
    if (n > 0)
        qsort(ret->items, n, sizeof(ret->items[0]), by_id);
    for (size_t i = 0; i < n; i++) {
        if (ret->n == 0 || !uuid_eq(ret->items[ret->n - 1], ret->items[i]))
            ret->items[ret->n++] = ret->items[i];
    }
    if (ret->n <= MANY_IDS)
        return ERR_NONE;
    uuid_list_done(ret);
    return error_set(err, ERR_TOO_LARGE, NULL, "more than %d schedules at once: ask for fewer", MANY_IDS);
}

/* Items that are sorted by an identifier in them. */
struct sorted {
    const void *items;
    size_t n;
    size_t item_bytes;
    size_t id_at;
};

/* How many of them are less than `id`; with `or_equal`, than or equal to it. */
static size_t count_below(const struct sorted *s, struct uuid id, bool or_equal)
{
    size_t low = 0;
    size_t high = s->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order =
            uuid_cmp(*(const struct uuid *)((const char *)s->items + mid * s->item_bytes + s->id_at), id);

        if (order < 0 || (or_equal && order == 0))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The first of those with this `id`, and how many there are. */
static size_t find_page(struct sorted s, struct uuid id, size_t *ret_n)
{
    size_t from = count_below(&s, id, false);

    *ret_n = count_below(&s, id, true) - from;
    return from;
}

#define SORTED(l, member)                                                                                    \
    ((struct sorted){(l)->items, (l)->n, sizeof(*(l)->items), offsetof(__typeof__(*(l)->items), member)})

/* What is too much is so for this one operation, and nothing was written. */
static enum err judge(struct op *op, enum err e, const struct error *err, struct error *ret)
{
    if (e == ERR_TOO_LARGE) {
        op->err = *err;
        return ERR_NONE;
    }
    return op_judge(op, e, err, ret);
}

static enum err run_get_many(struct store *s, struct op **ops, size_t n, struct wall now,
                             struct notice *notice, struct error *err)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_get_many *o = OP_AS(ops[i], struct op_get_many);
        enum err e;

        record_list_done(&o->ret);
        e = store_get_many(s, o->ids.items, o->ids.n, &o->ret, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type get_many_type = {.name = "get-many", .repeatable = true, .run = run_get_many};

enum err op_get_many_new(const struct uuid *ids, size_t n, op_done_fn done, struct op_get_many **ret,
                         struct error *err)
{
    struct uuid_list sorted;
    enum err e = ids_init(&sorted, ids, n, err);

    if (e)
        return e;
    *ret = alloc_new(struct op_get_many);
    **ret = (struct op_get_many){.op = {.type = &get_many_type, .done = done}, .ids = sorted};
    return ERR_NONE;
}

void op_get_many_free(struct op_get_many *o)
{
    if (!o)
        return;
    uuid_list_done(&o->ids);
    record_list_done(&o->ret);
    alloc_free(o);
}

const struct record *op_get_many_find(const struct op_get_many *o, struct uuid id)
{
    size_t n;
    size_t at = find_page(SORTED(&o->ret, id), id, &n);

    return n > 0 ? &o->ret.items[at] : NULL;
}

static enum err run_runs_of(struct store *s, struct op **ops, size_t n, struct wall now,
                            struct notice *notice, struct error *ret)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_runs_of *o = OP_AS(ops[i], struct op_runs_of);
        struct error err = {0};
        enum err e;

        o->ret.n = 0;
        e = store_list_runs_of(s, o->ids.items, o->ids.n, &o->filter, MANY_RUNS, &o->ret, &err);
        e = judge(ops[i], e, &err, ret);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type runs_of_type = {.name = "runs-of", .repeatable = true, .run = run_runs_of};

enum err op_runs_of_new(const struct uuid *ids, size_t n, op_done_fn done, struct op_runs_of **ret,
                        struct error *err)
{
    struct uuid_list sorted;
    enum err e = ids_init(&sorted, ids, n, err);

    if (e)
        return e;
    *ret = alloc_new(struct op_runs_of);
    **ret = (struct op_runs_of){
        .op = {.type = &runs_of_type, .done = done}, .ids = sorted, .filter = {.state = -1}};
    return ERR_NONE;
}

void op_runs_of_free(struct op_runs_of *o)
{
    if (!o)
        return;
    uuid_list_done(&o->ids);
    run_record_list_done(&o->ret);
    alloc_free(o);
}

const struct run_record *op_runs_of_page(const struct op_runs_of *o, struct uuid schedule, size_t *ret_n)
{
    size_t at = find_page(SORTED(&o->ret, run.schedule_id), schedule, ret_n);

    return *ret_n > 0 ? &o->ret.items[at] : NULL;
}

static enum err run_history_of(struct store *s, struct op **ops, size_t n, struct wall now,
                               struct notice *notice, struct error *ret)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_history_of *o = OP_AS(ops[i], struct op_history_of);
        struct error err = {0};
        enum err e;

        history_list_done(&o->ret);
        e = store_history_list_of(s, o->ids.items, o->ids.n, &o->filter, MANY_EVENTS, &o->ret, &err);
        e = judge(ops[i], e, &err, ret);
        if (e)
            return e;
    }
    return ERR_NONE;
}

/* Not repeatable, as no reading of a history is: see ops_history.h. */
static const struct op_type history_of_type = {.name = "history-of", .run = run_history_of};

enum err op_history_of_new(const struct uuid *ids, size_t n, op_done_fn done, struct op_history_of **ret,
                           struct error *err)
{
    struct uuid_list sorted;
    enum err e = ids_init(&sorted, ids, n, err);

    if (e)
        return e;
    *ret = alloc_new(struct op_history_of);
    **ret = (struct op_history_of){.op = {.type = &history_of_type, .done = done},
                                   .ids = sorted,
                                   .filter = {.kind = -1, .from = {INT64_MIN}, .to = WALL_NEVER}};
    return ERR_NONE;
}

void op_history_of_free(struct op_history_of *o)
{
    if (!o)
        return;
    uuid_list_done(&o->ids);
    history_list_done(&o->ret);
    alloc_free(o);
}

const struct history_item *op_history_of_page(const struct op_history_of *o, struct uuid schedule,
                                              size_t *ret_n)
{
    size_t at = find_page(SORTED(&o->ret, schedule_id), schedule, ret_n);

    return *ret_n > 0 ? &o->ret.items[at] : NULL;
}
