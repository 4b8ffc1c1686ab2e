/*
 * ops_history.c: see ops_history.h.
 */
#include "store/ops_history.h"

#include "store/op.h"

static enum err run_add(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                        struct error *err)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        const struct op_history_add *o = OP_AS(ops[i], struct op_history_add);
        enum err e = store_history_add(s, o->rows, o->n, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type add_type = {.name = "history-add", .writes = true, .run = run_add};

struct op_history_add *op_history_add_new(op_done_fn done)
{
    struct op_history_add *o = alloc_new(struct op_history_add);

    o->op.type = &add_type;
    o->op.done = done;
    return o;
}

void op_history_add_free(struct op_history_add *o)
{
    alloc_free(o);
}

static enum err run_list(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_history_list *o = OP_AS(ops[i], struct op_history_list);
        enum err e;

        history_list_done(&o->ret);
        e = store_history_list(s, &o->filter, &o->ret, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type list_type = {.name = "history-list", .run = run_list};

struct op_history_list *op_history_list_new(op_done_fn done)
{
    struct op_history_list *o = alloc_new(struct op_history_list);

    o->op.type = &list_type;
    o->op.done = done;
    o->filter.kind = -1;
    o->filter.from.us = INT64_MIN;
    o->filter.to = WALL_NEVER;
    return o;
}

void op_history_list_free(struct op_history_list *o)
{
    if (!o)
        return;
    history_list_done(&o->ret);
    alloc_free(o);
}

static enum err run_trim(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_history_trim *o = OP_AS(ops[i], struct op_history_trim);
        size_t trimmed = 0;
        enum err e = store_history_trim(s, wall_add(now, -o->keep_us), o->limit, &trimmed, err);

        if (e)
            return e;
        o->ret_more = trimmed >= o->limit;
    }
    return ERR_NONE;
}

static const struct op_type trim_type = {.name = "history-trim", .writes = true, .run = run_trim};

struct op_history_trim *op_history_trim_new(op_done_fn done)
{
    struct op_history_trim *o = alloc_new(struct op_history_trim);

    o->op.type = &trim_type;
    o->op.done = done;
    return o;
}

void op_history_trim_free(struct op_history_trim *o)
{
    alloc_free(o);
}

static enum err run_remove(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                           struct error *err)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        const struct op_outbox_remove *o = OP_AS(ops[i], struct op_outbox_remove);
        enum err e = store_outbox_remove(s, o->ns, o->n, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type remove_type = {
    .name = "outbox-remove", .writes = true, .repeatable = true, .run = run_remove};

struct op_outbox_remove *op_outbox_remove_new(op_done_fn done)
{
    struct op_outbox_remove *o = alloc_new(struct op_outbox_remove);

    o->op.type = &remove_type;
    o->op.done = done;
    return o;
}

void op_outbox_remove_free(struct op_outbox_remove *o)
{
    alloc_free(o);
}
