/*
 * ops_run.c: see ops_run.h. Reads only.
 */
#include "store/ops_run.h"

#include "store/op.h"

static enum err run_get_run(struct store *s, struct op **ops, size_t n, struct wall now,
                            struct notice *notice, struct error *ret)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_get_run *o = OP_AS(ops[i], struct op_get_run);
        struct error err = {0};
        enum err e = op_judge(ops[i], store_get_run(s, o->id, &o->ret, &err), &err, ret);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type get_run_type = {.name = "get-run", .repeatable = true, .run = run_get_run};

struct op_get_run *op_get_run_new(op_done_fn done)
{
    struct op_get_run *o = alloc_new(struct op_get_run);

    o->op.type = &get_run_type;
    o->op.done = done;
    return o;
}

void op_get_run_free(struct op_get_run *o)
{
    alloc_free(o);
}

static enum err list_runs(struct store *s, struct op_list_runs *o, struct error *err)
{
    struct record r = {0};
    enum err e;

    o->ret.n = 0;
    e = store_list_runs(s, &o->filter, &o->ret, err);
    if (e || !o->check_schedule || o->ret.n > 0)
        return e;
    e = store_get(s, o->filter.schedule_id, &r, err);
    record_done(&r);
    return e;
}

static enum err run_list_runs(struct store *s, struct op **ops, size_t n, struct wall now,
                              struct notice *notice, struct error *ret)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct error err = {0};
        enum err e = op_judge(ops[i], list_runs(s, OP_AS(ops[i], struct op_list_runs), &err), &err, ret);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type list_runs_type = {.name = "list-runs", .repeatable = true, .run = run_list_runs};

struct op_list_runs *op_list_runs_new(op_done_fn done)
{
    struct op_list_runs *o = alloc_new(struct op_list_runs);

    o->op.type = &list_runs_type;
    o->op.done = done;
    o->filter.state = -1;
    return o;
}

void op_list_runs_free(struct op_list_runs *o)
{
    if (!o)
        return;
    run_record_list_done(&o->ret);
    alloc_free(o);
}

static enum err run_stats(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                          struct error *err)
{
    struct op_stats *first = OP_AS(ops[0], struct op_stats);
    enum err e;

    (void)now;
    (void)notice;
    e = store_stats(s, &first->ret, err);
    if (e)
        return e;
    for (size_t i = 1; i < n; i++)
        OP_AS(ops[i], struct op_stats)->ret = first->ret;
    return ERR_NONE;
}

static const struct op_type stats_type = {.name = "stats", .repeatable = true, .run = run_stats};

struct op_stats *op_stats_new(op_done_fn done)
{
    struct op_stats *o = alloc_new(struct op_stats);

    o->op.type = &stats_type;
    o->op.done = done;
    return o;
}

void op_stats_free(struct op_stats *o)
{
    alloc_free(o);
}

static enum err run_ping(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    (void)ops;
    (void)n;
    (void)now;
    (void)notice;
    return store_ping(s, err);
}

/* Not repeatable: whoever asks whether the database answers wants to hear now that it does not. */
static const struct op_type ping_type = {.name = "ping", .run = run_ping};

struct op_ping *op_ping_new(op_done_fn done)
{
    struct op_ping *o = alloc_new(struct op_ping);

    o->op.type = &ping_type;
    o->op.done = done;
    return o;
}

void op_ping_free(struct op_ping *o)
{
    alloc_free(o);
}
