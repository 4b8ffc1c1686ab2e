/*
 * op_act.c: pause, resume and trigger. See ops_schedule.h.
 */
#include "base/json.h"
#include "store/journal.h"
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

enum { LABEL_MAX = 64 * 1024 };

/* An act's event. The label is put together from the definition as it is stored, whatever became of it. */
static enum err note(struct store *s, const struct record *r, struct history_event ev, struct str *ret_label,
                     struct buf *label, struct error *err)
{
    enum err e;

    buf_init(label, LABEL_MAX);
    e = event_label_stored((struct str){r->definition, r->definition_n}, label, &ev.kept, err);
    if (e)
        return e;
    *ret_label = buf_str(label);
    if (!journal_wants(s->journal, ev.kept))
        return ERR_NONE;
    ev.label = *ret_label;
    return journal_add(s->journal, &ev, err);
}

static enum err note_pause(struct store *s, const struct record *r, struct wall now, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    struct str label;
    enum err e;

    if (!s->journal)
        return ERR_NONE;
    e = note(s, r, EVENT_OF(EVENT_PAUSED, now, r->id, .reason = NULL), &label, &text, err);
    return e ? e : journal_add_cancelled(s->journal, now, "paused", label, err);
}

/* With what passed in the pause. */
static enum err note_resume(struct store *s, const struct record *r, const struct schedule *schedule,
                            struct wall now, struct error *err)
{
    CLEANUP(missed_list_done) struct missed_list missed = {0};
    CLEANUP(buf_done_p) struct buf text = {0};
    struct str label;
    enum err e;

    if (!journal_wants_of(s->journal, schedule))
        return ERR_NONE;
    e = note(s, r, EVENT_OF(EVENT_RESUMED, now, r->id, .reason = NULL), &label, &text, err);
    if (!e)
        e = missed_by_pause(schedule, &r->timer, now, &missed, err);
    return e ? e : journal_add_missed(s->journal, now, r->id, schedule, label, &missed, err);
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
    e = write_timer(s, o, &t, now, notice, err);
    return e ? e : note_resume(s, r, schedule, now, err);
}

enum { RUNS_LOOKED_AT = 1000 };

/* Made by the definition in force, and no attempt of it is known. */
static bool is_unattempted(const struct run_record *x, const struct record *r)
{
    const struct run *run = &x->run;

    return run->schedule_version == r->version && run->by_hand_at.us == 0 && run->failures == 0 &&
           wall_is_never(x->started_at);
}

/* Of those: and none can have begun. */
static bool is_unbegun(const struct run *run, struct wall now)
{
    return run->state == RUN_PENDING || (run->attempt <= 1 && run->due_at.us > now.us);
}

static enum err take_back(struct store *s, const struct record *r, const struct schedule *schedule,
                          struct wall now, struct timer *t, struct error *err)
{
    static const enum run_state states[] = {RUN_PENDING, RUN_RUNNING};

    for (size_t i = 0; i < COUNT_OF(states); i++) {
        struct run_filter f = {.schedule_id = r->id, .state = (int)states[i], .limit = RUNS_LOOKED_AT};
        struct run_record_list l = {0};
        enum err e = store_list_runs(s, &f, &l, err);

        for (size_t k = 0; !e && k < l.n; k++) {
            const struct run *run = &l.items[k].run;

            if (!is_unattempted(&l.items[k], r))
                continue;
            if (is_unbegun(run, now))
                timer_take_back(schedule, t, run->scheduled_at, now);
            else
                timer_doubt(schedule, t, run->scheduled_at);
        }
        run_record_list_done(&l);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err pause_it(struct store *s, struct op_act *o, const struct record *r, struct wall now,
                         struct notice *notice, struct error *err)
{
    CLEANUP(schedule_unref_p) struct schedule *schedule = NULL;
    struct timer t = r->timer;
    enum err e;

    timer_pause(&t, now);
    e = decode(o, r, &schedule, err);
    if (e == ERR_MEMORY)
        return e;
    /* What cannot be read any more can be paused all the same; it cannot be resumed either. */
    if (!e && r->open_runs > 0)
        e = take_back(s, r, schedule, now, &t, err);
    else
        e = ERR_NONE;
    if (!e)
        e = write_timer(s, o, &t, now, notice, err);
    return e ? e : note_pause(s, r, now, err);
}

static enum err trigger_it(struct store *s, struct op_act *o, const struct record *r, struct wall now,
                           struct notice *notice, struct error *err)
{
    CLEANUP(buf_done_p) struct buf label = {0};
    struct run_insert made = {.run = {
                                  .id = uuid_v7(now),
                                  .schedule_id = r->id,
                                  .schedule_version = r->version,
                                  .scheduled_at = now,
                                  .due_at = now,
                                  .state = RUN_PENDING,
                                  .by_hand_at = now,
                              }};
    struct history_event ev = EVENT_OF(EVENT_TRIGGERED, now, r->id, .run_id = made.run.id);
    enum err e = ERR_NONE;

    buf_init(&label, LABEL_MAX);
    if (s->journal)
        e = event_label_stored((struct str){r->definition, r->definition_n}, &label, &ev.kept, err);
    ev.label = buf_str(&label);
    if (ev.kept)
        made.label = ev.label;
    if (!e)
        e = store_insert_run(s, &made, err);
    ev.scheduled_at = made.run.scheduled_at;
    if (!e && journal_wants(s->journal, ev.kept))
        e = journal_add(s->journal, &ev, err);
    if (e)
        return e;
    o->ret_run = made.run;
    o->made_at = now;
    notice->earliest = wall_min(notice->earliest, made.run.due_at);
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
