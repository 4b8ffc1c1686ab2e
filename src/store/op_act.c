/*
 * op_act.c: pause, resume and trigger. See ops_schedule.h.
 */
#include "base/json.h"
#include "store/op.h"
#include "store/ops_schedule.h"

/* True when an earlier try of this act is stored: its commit went through, only the answer did not. */
static enum err is_done(struct store *s, const struct op_act *o, const struct record *r, bool *ret,
                        struct error *err)
{
    struct run_record run;
    enum err e;

    *ret = false;
    if (o->made_at.us == 0)
        return ERR_NONE;
    if (o->kind != OP_TRIGGER) {
        *ret = r->version == o->ret.version && r->updated_at.us == o->made_at.us;
        return ERR_NONE;
    }
    e = store_get_run(s, o->ret_run.id, &run, err);
    *ret = e == ERR_NONE;
    return e == ERR_NOT_FOUND ? ERR_NONE : e;
}

static enum err write_timer(struct store *s, struct op_act *o, const struct timer *t, struct wall now,
                            struct notice *notice, struct error *err)
{
    int64_t version;
    enum err e;

    e = store_set_timer(s, o->id, 0, t, o->kind == OP_PAUSE, now, &version, err);
    if (e)
        return e;
    o->made_at = now;
    if (o->kind == OP_PAUSE)
        return change_list_add(&notice->changed, (struct change){o->id, version}, err);
    if (t->state == SCHEDULE_ACTIVE)
        notice->earliest = wall_min(notice->earliest, t->next_at);
    return ERR_NONE;
}

static enum err decode(const struct op_act *o, const struct record *r, struct schedule **ret,
                       struct error *err)
{
    struct error_list faults = {0};
    json_t *json;
    enum err e;

    e = json_parse((struct str){r->definition, r->definition_n}, JSON_DEPTH_LIMIT, &json, err);
    if (e)
        return e;
    e = schedule_decode(json, o->rules, NULL, ret, &faults);
    json_free(json);
    if (e)
        *err = faults.items[0];
    return e;
}

static enum err pause_it(struct store *s, struct op_act *o, const struct record *r, struct wall now,
                         struct notice *notice, struct error *err)
{
    struct timer t = r->timer;

    timer_pause(&t, now);
    return write_timer(s, o, &t, now, notice, err);
}

static enum err resume_it(struct store *s, struct op_act *o, const struct record *r, struct wall now,
                          struct notice *notice, struct error *err)
{
    CLEANUP(schedule_unref_p) struct schedule *schedule = NULL;
    struct timer t = r->timer;
    enum err e;

    e = decode(o, r, &schedule, err);
    if (e == ERR_MEMORY)
        return e;
    if (e) {
        error_prefix(err, "the stored definition cannot be used");
        err->code = ERR_CONFLICT;
        return ERR_CONFLICT;
    }
    timer_resume(schedule, &t, now);
    return write_timer(s, o, &t, now, notice, err);
}

static enum err trigger_it(struct store *s, struct op_act *o, const struct record *r, struct wall now,
                           struct notice *notice, struct error *err)
{
    struct run run = {
        .id = uuid_v7(now),
        .schedule_id = r->id,
        .schedule_version = r->version,
        .scheduled_at = now,
        .due_at = now,
        .state = RUN_PENDING,
        .by_hand_at = now,
    };
    enum err e;

    e = store_insert_run(s, &run, err);
    if (e)
        return e;
    o->ret_run = run;
    o->made_at = now;
    notice->earliest = wall_min(notice->earliest, run.due_at);
    return ERR_NONE;
}

static enum err act_on(struct store *s, struct op_act *o, const struct record *r, struct wall now,
                       struct notice *notice, struct error *err)
{
    if (o->if_version != 0 && o->if_version != r->version)
        return error_set(err, ERR_PRECONDITION, NULL, "the schedule was changed meanwhile");
    if (o->kind == OP_TRIGGER)
        return trigger_it(s, o, r, now, notice, err);
    if (r->timer.state == SCHEDULE_FINISHED)
        return error_set(err, ERR_CONFLICT, NULL, "the schedule is finished: it has no occurrence left");
    if (o->kind == OP_PAUSE)
        return r->timer.state == SCHEDULE_PAUSED ? ERR_NONE : pause_it(s, o, r, now, notice, err);
    return r->timer.state == SCHEDULE_ACTIVE ? ERR_NONE : resume_it(s, o, r, now, notice, err);
}

static enum err act(struct store *s, struct op_act *o, struct wall now, struct notice *notice,
                    struct error *err)
{
    struct record before = {0};
    struct record after = {0};
    bool done;
    enum err e;

    e = store_get(s, o->id, &before, err);
    if (e)
        return e;
    e = is_done(s, o, &before, &done, err);
    if (!e && !done)
        e = act_on(s, o, &before, now, notice, err);
    record_done(&before);
    if (!e)
        e = store_get(s, o->id, &after, err);
    if (e)
        return e;
    record_done(&o->ret);
    o->ret = after;
    return ERR_NONE;
}

static enum err run_act(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                        struct error *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct error err = {0};
        enum err e = op_judge(ops[i], act(s, OP_AS(ops[i], struct op_act), now, notice, &err), &err, ret);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type act_type = {.name = "act", .writes = true, .repeatable = true, .run = run_act};

struct op_act *op_act_new(op_done_fn done)
{
    struct op_act *o = alloc_new(struct op_act);

    o->op.type = &act_type;
    o->op.done = done;
    return o;
}

void op_act_free(struct op_act *o)
{
    if (!o)
        return;
    record_done(&o->ret);
    alloc_free(o);
}
