/*
 * client.c: what people do with schedules while they fire, by the shipped operations. See sim.h.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "sim.h"

enum { FIRST_SCHEDULES = 10 };

/* --- the checker's memory of it --- */

static struct epoch *current(struct sched *s)
{
    return &s->epochs[s->epochs_n - 1];
}

static struct sched *remember_sched(struct world *w, size_t slot, struct uuid id)
{
    struct sched *s = alloc_new(struct sched);
    void *p = w->scheds;

    *s = (struct sched){.no = w->scheds_n, .slot = slot, .id = id};
    list_init(&s->runs);
    MUST(alloc_resize(&p, w->scheds_n + 1, sizeof(struct sched *), NULL) == ERR_NONE);
    w->scheds = p;
    w->scheds[w->scheds_n++] = s;
    MUST(map_put(&w->sched_by_id, id, s, NULL) == ERR_NONE);
    return s;
}

static void remember_epoch(struct sched *s, const struct def *d, int64_t version, struct wall now)
{
    void *p = s->epochs;

    MUST(alloc_resize(&p, s->epochs_n + 1, sizeof(*s->epochs), NULL) == ERR_NONE);
    s->epochs = p;
    s->version = version;
    s->epochs[s->epochs_n++] = (struct epoch){.def = *d,
                                              .version_from = version,
                                              .version_to = version,
                                              .registered_at = now,
                                              .closed_at = WALL_NEVER};
}

static void remember_pause(struct epoch *e, struct wall from)
{
    void *p = e->pauses;

    MUST(alloc_resize(&p, e->pauses_n + 1, sizeof(*e->pauses), NULL) == ERR_NONE);
    e->pauses = p;
    e->pauses[e->pauses_n++] = (struct pause){.from = from, .until = WALL_NEVER};
}

static void remember_resumption(struct epoch *e, struct wall at)
{
    void *p = e->resumed;

    MUST(e->pauses_n > 0);
    e->pauses[e->pauses_n - 1].until = at;
    MUST(alloc_resize(&p, e->resumed_n + 1, sizeof(*e->resumed), NULL) == ERR_NONE);
    e->resumed = p;
    e->resumed[e->resumed_n++] = at;
}

static void close_epoch(struct world *w, struct sched *s, const struct timer *t)
{
    struct epoch *e = current(s);

    e->closed_at = world_wall(w);
    e->at_close = *t;
    if (e->pauses_n > 0 && wall_is_never(e->pauses[e->pauses_n - 1].until))
        e->pauses[e->pauses_n - 1].until = e->closed_at;
}

/* --- the acts; each is one transaction, done through the instance `via` --- */

static void timer_now(struct world *w, const struct sched *s, struct timer *ret)
{
    struct record r = {0};

    MUST(store_get(w->store, s->id, &r, NULL) == ERR_NONE);
    *ret = r.timer;
    record_done(&r);
}

static void run_op(struct world *w, struct op *op, struct inst *via)
{
    struct notice n = {.earliest = WALL_NEVER};
    struct error err = {0};

    if (op->type->run(w->store, &op, 1, world_wall(w), &n, &err) || op->err.code)
        check_failed(w, "a client's %s failed: %s", op->type->name, op->err.code ? op->err.text : err.text);
    else
        db_notify(w, via, &n);
    change_list_done(&n.changed);
}

/* The schedule that has this identity, if there is one. Deleted ones come back as others. */
static struct sched *living(const struct world *w, size_t slot)
{
    for (size_t k = w->scheds_n; k > 0; k--) {
        if (w->scheds[k - 1]->slot == slot)
            return w->scheds[k - 1]->deleted ? NULL : w->scheds[k - 1];
    }
    return NULL;
}

static struct schedule *decode(struct world *w, const struct def *d)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct error_list faults = {0};
    struct schedule *s = NULL;

    MUST(json_parse((struct str){d->text, strlen(d->text)}, JSON_DEPTH_MAX, &json, NULL) == ERR_NONE);
    if (schedule_decode(json, &w->rules, NULL, &s, &faults))
        check_failed(w, "a definition is refused: %s %s in %s", faults.items[0].where, faults.items[0].text,
                     d->text);
    return s;
}

/* Registers `d`, or replaces by it what has this identity. */
static void put(struct world *w, struct inst *via, size_t slot, struct def d)
{
    struct sched *old = living(w, slot);
    struct op_put *o;
    struct timer t;

    MUST(op_put_new(1, NULL, &o, NULL) == ERR_NONE);
    o->items[0].schedule = decode(w, &d);
    if (!w->failed) {
        MUST(store_begin(w->store, true, NULL) == ERR_NONE);
        if (old)
            timer_now(w, old, &t);
        if (old)
            close_epoch(w, old, &t);
        run_op(w, &o->op, via);
        MUST(store_commit(w->store, NULL) == ERR_NONE);
    }
    if (!w->failed && o->items[0].result != ERR_NONE)
        check_failed(w, "a registration is refused: %s", err_name(o->items[0].result));
    if (!w->failed && o->items[0].ret_created == (old != NULL))
        check_failed(w, "two identities became one, or one became two (slot %zu)", slot);
    if (!w->failed) {
        struct sched *s = old ? old : remember_sched(w, slot, o->items[0].ret_id);

        remember_epoch(s, &d, o->items[0].ret_version, world_wall(w));
        if (d.paused)
            remember_pause(current(s), world_wall(w));
        trace_add(w, old ? "client replaces" : "client registers", (int)via->no, s, NULL,
                  o->items[0].ret_version, (int64_t)d.type);
    }
    op_put_free(o);
}

static void remove_it(struct world *w, struct inst *via, struct sched *s)
{
    struct op_remove *o = op_remove_new(NULL);
    struct timer t;

    trace_add(w, "client deletes", (int)via->no, s, NULL, NOTHING, NOTHING);
    o->by_id = true;
    o->id = s->id;
    MUST(store_begin(w->store, true, NULL) == ERR_NONE);
    timer_now(w, s, &t);
    close_epoch(w, s, &t);
    run_op(w, &o->op, via);
    MUST(store_commit(w->store, NULL) == ERR_NONE);
    s->deleted = true;
    s->deleted_at = world_wall(w);
    s->version = INT64_MAX;
    op_remove_free(o);
}

static void after_act(struct world *w, struct sched *s, const struct op_act *o, enum schedule_state before)
{
    struct epoch *e = current(s);

    s->version = o->ret.version;
    e->version_to = o->ret.version;
    if (o->kind == OP_PAUSE && before == SCHEDULE_ACTIVE)
        remember_pause(e, world_wall(w));
    if (o->kind == OP_RESUME && before == SCHEDULE_PAUSED)
        remember_resumption(e, world_wall(w));
    if (o->kind == OP_TRIGGER) {
        struct srun *r = srun_see(w, &o->ret_run);

        r->triggered = true;
    }
}

static void act(struct world *w, struct inst *via, struct sched *s, enum op_act_kind kind)
{
    static const char *const names[] = {"client pauses", "client resumes", "client triggers"};
    struct op_act *o;
    struct timer before;

    MUST(store_begin(w->store, true, NULL) == ERR_NONE);
    timer_now(w, s, &before);
    if (before.state == SCHEDULE_FINISHED && kind != OP_TRIGGER) {
        store_rollback(w->store);
        return;
    }
    o = op_act_new(NULL);
    o->kind = kind;
    o->id = s->id;
    o->rules = &w->rules;
    run_op(w, &o->op, via);
    MUST(store_commit(w->store, NULL) == ERR_NONE);
    if (!w->failed) {
        after_act(w, s, o, before.state);
        trace_add(w, names[kind], (int)via->no, s, NULL, o->ret.version, NOTHING);
    }
    op_act_free(o);
}

static void put_random(struct world *w, struct inst *via, size_t slot)
{
    struct def d;

    def_make(&w->rng, slot, world_wall(w), &d);
    put(w, via, slot, d);
}

/* The same definition again, some milliseconds before it fires: each occurrence counts for one of the two. */
static void replace_soon(struct world *w, struct sched *s)
{
    const struct def *d = &current(s)->def;
    struct wall next = d->type == SCHEDULE_CRON ? def_next(d, world_wall(w), 60 * US_PER_S) : WALL_NEVER;

    if (!wall_is_never(next))
        event_add(w, w->t + (next.us - world_wall(w).us) - between(w, 0, 30 * US_PER_MS), EV_REPLACE,
                  NO_INSTANCE, s);
}

void client_replace(struct world *w, struct sched *s)
{
    struct inst *via = instance_any_up(w);
    struct def d = current(s)->def;

    if (s->deleted || !via || !db_reachable(w, via) || world_settling(w))
        return;
    trace_add(w, "client registers the same again", (int)via->no, s, NULL, NOTHING, NOTHING);
    put(w, via, s->slot, d);
}

static void act_on_one(struct world *w, struct inst *via, struct sched *s)
{
    uint64_t roll = pick(w, 100);

    if (roll < 15)
        replace_soon(w, s);
    else if (roll < 30)
        put_random(w, via, s->slot);
    else if (roll < 45)
        remove_it(w, via, s);
    else if (roll < 62)
        act(w, via, s, OP_PAUSE);
    else if (roll < 78)
        act(w, via, s, OP_RESUME);
    else
        act(w, via, s, OP_TRIGGER);
}

void client_act(struct world *w)
{
    struct inst *via = instance_any_up(w);
    size_t slot = pick(w, w->config.schedules);
    struct sched *s = living(w, slot);

    if (w->t < w->end_t)
        event_add(w, w->t + between(w, 1, 2 * FIRST_SCHEDULES * w->config.client_every_us), EV_CLIENT,
                  NO_INSTANCE, NULL);
    if (!via || !db_reachable(w, via) || world_settling(w))
        return; /* answered 503 */
    if (s)
        act_on_one(w, via, s);
    else
        put_random(w, via, slot);
}

void client_begin(struct world *w)
{
    for (size_t k = 0; k < FIRST_SCHEDULES; k++)
        event_add(w, between(w, 0, US_PER_S), EV_CLIENT, NO_INSTANCE, NULL);
}
