/*
 * ops_instance.c: see ops_instance.h. All may be repeated: they say what is, not what changed.
 */
#include "store/ops_instance.h"

#include "store/op.h"

static enum err run_heartbeat(struct store *s, struct op **ops, size_t n, struct wall now,
                              struct notice *notice, struct error *ret)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_heartbeat *o = OP_AS(ops[i], struct op_heartbeat);
        struct error err = {0};
        enum err e;

        instance_list_done(&o->ret);
        e = op_judge(ops[i], store_heartbeat(s, &o->heartbeat, &o->ret, &o->ret_now, &err), &err, ret);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type heartbeat_type = {
    .name = "heartbeat", .writes = true, .repeatable = true, .alone = true, .run = run_heartbeat};

struct op_heartbeat *op_heartbeat_new(op_done_fn done)
{
    struct op_heartbeat *o = alloc_new(struct op_heartbeat);

    o->op.type = &heartbeat_type;
    o->op.done = done;
    return o;
}

void op_heartbeat_free(struct op_heartbeat *o)
{
    if (!o)
        return;
    instance_list_done(&o->ret);
    alloc_free(o);
}

static enum err run_instances(struct store *s, struct op **ops, size_t n, struct wall now,
                              struct notice *notice, struct error *ret)
{
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_instances *o = OP_AS(ops[i], struct op_instances);
        struct error err = {0};
        enum err e;

        instance_list_done(&o->ret);
        o->ret_now = now;
        e = op_judge(ops[i], store_instances(s, now, &o->ret, &err), &err, ret);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type instances_type = {.name = "instances", .repeatable = true, .run = run_instances};

struct op_instances *op_instances_new(op_done_fn done)
{
    struct op_instances *o = alloc_new(struct op_instances);

    o->op.type = &instances_type;
    o->op.done = done;
    return o;
}

void op_instances_free(struct op_instances *o)
{
    if (!o)
        return;
    instance_list_done(&o->ret);
    alloc_free(o);
}

static enum err run_next_due(struct store *s, struct op **ops, size_t n, struct wall now,
                             struct notice *notice, struct error *err)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        enum err e = store_next_due(s, &OP_AS(ops[i], struct op_next_due)->ret, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type next_due_type = {.name = "next-due", .repeatable = true, .run = run_next_due};

struct op_next_due *op_next_due_new(op_done_fn done)
{
    struct op_next_due *o = alloc_new(struct op_next_due);

    o->op.type = &next_due_type;
    o->op.done = done;
    return o;
}

void op_next_due_free(struct op_next_due *o)
{
    alloc_free(o);
}

static enum err run_doomed(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                           struct error *err)
{
    (void)now;
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_doomed *o = OP_AS(ops[i], struct op_doomed);
        enum err e;

        o->ret.n = 0;
        o->ret_replaced.n = 0;
        e = store_doomed(s, o->runs, o->n, &o->ret, &o->ret_replaced, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type doomed_type = {.name = "doomed", .repeatable = true, .run = run_doomed};

enum err op_doomed_new(size_t n, op_done_fn done, struct op_doomed **ret, struct error *err)
{
    struct op_doomed *o;
    void *runs;
    enum err e;

    e = alloc_array(n, sizeof(struct uuid), &runs, err);
    if (e)
        return e;
    o = alloc_new(struct op_doomed);
    o->op.type = &doomed_type;
    o->op.done = done;
    o->runs = runs;
    o->n = n;
    *ret = o;
    return ERR_NONE;
}

void op_doomed_free(struct op_doomed *o)
{
    if (!o)
        return;
    alloc_free(o->runs);
    uuid_list_done(&o->ret);
    uuid_list_done(&o->ret_replaced);
    alloc_free(o);
}
