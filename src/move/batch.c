/*
 * batch.c: see batch.h. A transaction ends between two schedules, never between one and its runs: killed at
 * any moment, an import that is repeated finds each schedule either there with all its runs or not there.
 * When another instance comes in the way it is done again, from what is gathered; that fails only for a
 * schedule with more runs than are gathered at once.
 */
#include "move/batch.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "store/grow.h"

enum { UNITS_MAX = 500, RUNS_MAX = 2000, BYTES_MAX = 4 << 20, TRIES = 5, TEXT_MAX = MOVE_LINE_MAX };

void batch_init(struct batch *b, const struct import_options *o, struct import_report *report)
{
    *b = (struct batch){.o = o, .report = report};
    b->notice.earliest = WALL_NEVER;
    map_init(&b->seen);
    rehearsal_init(&b->rehearsal);
    journal_init(&b->journal);
}

static void unit_done(struct unit *u)
{
    schedule_unref(TAKE(u->schedule));
    record_done(&u->record);
    buf_done(&u->label);
}

void batch_done(struct batch *b)
{
    if (b->begun)
        store_rollback(b->o->store);
    for (size_t i = 0; i < b->units.n; i++)
        unit_done(&b->units.items[i]);
    alloc_free(TAKE(b->units.items));
    alloc_free(TAKE(b->owners.items));
    moved_run_list_done(&b->runs);
    map_done(&b->seen);
    rehearsal_done(&b->rehearsal);
    journal_done(&b->journal);
    change_list_done(&b->notice.changed);
}

/* --- judging --- */

static void refuse(struct unit *u, const char *where, const char *text)
{
    u->fate = FATE_REFUSED;
    (void)error_set(&u->why, ERR_CONFLICT, where, "%s", text);
}

static void skip(struct unit *u, const struct moved_schedule *m)
{
    char id[UUID_TEXT + 1];

    uuid_format(m->id_taken ? u->record.id : m->same, id);
    u->fate = FATE_SKIPPED;
    (void)error_set(&u->why, ERR_CONFLICT, "", "%s %s",
                    m->id_taken ? "there is a schedule" : "its client has schedule", id);
}

/* What is in the way in the database. */
static enum err judge(struct batch *b, struct unit *u, const struct moved_schedule *m, struct wall now,
                      struct error *err)
{
    const struct timer *t = &u->record.timer;

    if (timer_has_lost_its_next(u->schedule, t, u->made, now)) {
        refuse(u,
               t->state == SCHEDULE_ACTIVE && wall_is_never(t->next_at) ? "/schedule/next_at"
                                                                        : "/schedule/occurs_at",
               "is missing: the schedule would end without what is still to come");
        return ERR_NONE;
    }
    if (!m->id_taken && uuid_is_nil(m->same)) {
        u->fate = FATE_REGISTERED;
        return ERR_NONE;
    }
    switch (b->o->on_conflict) {
    case CONFLICT_SKIP:
        skip(u, m);
        return ERR_NONE;
    case CONFLICT_FAIL:
        return error_set(err, ERR_CONFLICT, u->place, "a schedule with this %s is there",
                         uuid_is_nil(m->same) ? "id" : "client");
    case CONFLICT_REPLACE:
        u->fate = FATE_REPLACED;
        if (m->busy)
            refuse(u, "", "an attempt of the schedule that is there is under way: try again later");
        return ERR_NONE;
    }
    return ERR_NONE;
}

static bool comes(const struct unit *u)
{
    return u->fate == FATE_REGISTERED || u->fate == FATE_REPLACED;
}

/* Of those whose fate is open. */
static enum err look(struct batch *b, struct moved_schedule *m, struct wall now, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; i < b->units.n; i++)
        m[i] = (struct moved_schedule){.schedule = b->units.items[i].schedule,
                                       .record = &b->units.items[i].record};
    if (b->o->store)
        e = store_look_moved(b->o->store, m, b->units.n, now, err);
    for (size_t i = 0; !e && i < b->units.n; i++) {
        struct unit *u = &b->units.items[i];

        rehearsal_look(&b->rehearsal, &m[i]);
        e = judge(b, u, &m[i], now, err);
        if (!e && comes(u))
            e = rehearsal_add(&b->rehearsal, &m[i], u->id_made, err);
    }
    return e;
}

/* --- putting --- */

static enum err clear_way(struct batch *b, const struct unit *u, const struct moved_schedule *m,
                          struct wall now, struct error *err)
{
    struct uuid id = u->record.id;
    enum err e = ERR_NONE;

    b->notice.all = true; /* whatever is held of them is to be looked after */
    if (m->id_taken)
        e = store_remove_id(b->o->store, id, 0, now, err);
    if (!e && !uuid_is_nil(m->same) && !uuid_eq(m->same, id))
        e = store_remove_id(b->o->store, m->same, 0, now, err);
    /* Gone by itself meanwhile. */
    return e == ERR_NOT_FOUND ? error_set(err, ERR_BUSY, "", "the schedule in the way went meanwhile") : e;
}

/*
 * What the file's times are worth here. One that waits for a run which did not come along, in a file that
 * somebody has changed, would wait for ever: it goes on as though that run ended now.
 */
static void set_times(const struct batch *b, struct unit *u, struct wall now)
{
    struct timer *t = &u->record.timer;

    if (b->retime && t->state != SCHEDULE_FINISHED)
        (void)timer_recompute(u->schedule, t, u->made, now);
    if (t->state == SCHEDULE_ACTIVE && wall_is_never(t->next_at) && !u->has_open_runs) {
        t->next_at = now;
        t->occurs_at = WALL_NEVER;
    }
}

static enum err note_registered(struct batch *b, const struct unit *u, struct wall now, struct error *err)
{
    if (!b->registers || !u->schedule->task.history_check)
        return ERR_NONE;
    return journal_add(&b->journal,
                       &EVENT_OF(u->fate == FATE_REPLACED ? EVENT_UPDATED : EVENT_REGISTERED, now,
                                 u->record.id, .label = buf_str(&u->label), .kept = true),
                       err);
}

static enum err put_units(struct batch *b, struct moved_schedule *m, struct wall now, struct error *err)
{
    size_t n = 0;
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < b->units.n; i++) {
        struct unit *u = &b->units.items[i];

        if (!comes(u))
            continue;
        if (u->fate == FATE_REPLACED)
            e = clear_way(b, u, &m[i], now, err);
        if (u->id_made && !uuid_is_nil(m[i].same))
            u->record.id = m[i].same;
        set_times(b, u, now);
        if (u->record.timer.state == SCHEDULE_ACTIVE)
            b->notice.earliest = wall_min(b->notice.earliest, u->record.timer.next_at);
        if (!e)
            e = note_registered(b, u, now, err);
        m[n++] = m[i];
    }
    return e ? e : store_add_moved(b->o->store, m, n, now, err);
}

/* The runs of those that come, moved to the front. */
static size_t choose_runs(struct batch *b, struct wall now)
{
    size_t n = 0;

    for (size_t i = 0; i < b->runs.n; i++) {
        const struct unit *u = &b->units.items[b->owners.items[i]];
        struct moved_run run = b->runs.items[i];

        if (!comes(u))
            continue;
        run.label = buf_str(&u->label);
        if (uuid_eq(run.record.run.id, u->wakes))
            run.record.run.due_at = now;
        b->notice.earliest =
            wall_min(b->notice.earliest, run.record.run.state == RUN_RUNNING ? now : run.record.run.due_at);
        b->runs.items[i] = b->runs.items[n];
        b->owners.items[i] = b->owners.items[n];
        b->runs.items[n++] = run;
    }
    return n;
}

static enum err put_runs(struct batch *b, struct wall now, struct error *err)
{
    size_t chosen = choose_runs(b, now);
    size_t added = chosen;
    enum err e = ERR_NONE;

    if (!b->o->dry)
        e = store_add_moved_runs(b->o->store, b->runs.items, chosen, true, &added, err);
    b->pending.runs += (int64_t)added;
    return e;
}

/* --- a transaction --- */

static enum err begin(struct batch *b, struct wall *ret_now, struct error *err)
{
    struct store *s = b->o->store;
    enum err e = ERR_NONE;

    *ret_now = b->o->now;
    if (!s)
        return ERR_NONE;
    if (!b->begun)
        e = store_begin(s, !b->o->dry, err);
    b->begun = b->begun || !e;
    return e ? e : store_now(s, ret_now, err);
}

static enum err commit(struct batch *b, struct wall now, struct error *err)
{
    struct store *s = b->o->store;
    enum err e = ERR_NONE;

    if (!s)
        return ERR_NONE;
    if (!b->o->dry) {
        e = journal_flush(&b->journal, s, err);
        if (!e)
            e = store_notify(s, &b->notice, now, err);
    }
    if (!e)
        e = store_commit(s, err);
    if (e)
        return e;
    b->begun = false;
    if (!b->o->dry && s->ops->upkeep)
        s->ops->upkeep(s);
    return ERR_NONE;
}

static void roll_back(struct batch *b)
{
    if (b->begun)
        store_rollback(b->o->store);
    b->begun = false;
    if (!b->o->dry)
        rehearsal_done(&b->rehearsal);
    b->pending = (struct import_report){0};
    b->notice.earliest = WALL_NEVER;
    b->notice.all = false;
}

/* All that is gathered, in the transaction that is open or in a new one; `fresh`: none of it is in one yet.
 */
static enum err put(struct batch *b, bool fresh, bool ends, struct error *err)
{
    CLEANUP(alloc_free_p) void *m = NULL;
    struct wall now;
    enum err e = alloc_array(b->units.n + 1, sizeof(struct moved_schedule), &m, err);

    if (!e)
        e = begin(b, &now, err);
    if (e)
        return e;
    if (fresh) {
        journal_begin(&b->journal, false, now);
        e = look(b, m, now, err);
        if (!e && !b->o->dry)
            e = put_units(b, m, now, err);
    }
    if (!e)
        e = put_runs(b, now, err);
    return e || !ends ? e : commit(b, now, err);
}

static void count(struct batch *b, const struct unit *u)
{
    switch (u->fate) {
    case FATE_REGISTERED:
        b->pending.registered++;
        break;
    case FATE_REPLACED:
        b->pending.replaced++;
        break;
    case FATE_SKIPPED:
        b->pending.skipped++;
        b->o->skipped(b->o->arg, u->place, u->why.text);
        break;
    case FATE_REFUSED:
        b->pending.refused++;
        b->o->refused(b->o->arg, u->place, &u->why);
        break;
    case FATE_OPEN:
        break;
    }
}

static void add_report(struct import_report *to, const struct import_report *from)
{
    to->registered += from->registered;
    to->replaced += from->replaced;
    to->skipped += from->skipped;
    to->refused += from->refused;
    to->runs += from->runs;
}

static void forget_runs(struct batch *b)
{
    b->runs.n = 0;
    b->owners.n = 0;
}

/* Committed. */
static void settle(struct batch *b)
{
    for (size_t i = 0; i < b->units.n; i++) {
        count(b, &b->units.items[i]);
        unit_done(&b->units.items[i]);
    }
    add_report(b->report, &b->pending);
    if (!b->o->dry)
        rehearsal_done(&b->rehearsal);
    b->report->unsure = b->report->unsure || b->rehearsal.full;
    b->pending = (struct import_report){0};
    b->units.n = 0;
    b->bytes = 0;
    forget_runs(b);
    map_done(&b->seen);
    map_init(&b->seen);
    b->notice.earliest = WALL_NEVER;
    b->notice.all = false;
}

static enum err put_again(struct batch *b, bool ends, struct error *err)
{
    bool fresh = b->units.n == 0 || b->units.items[b->units.n - 1].fate == FATE_OPEN;
    enum err e = ERR_NONE;

    for (int i = 0; i < TRIES; i++) {
        bool begun = b->begun;

        e = put(b, fresh, ends, err);
        if (!e)
            return ERR_NONE;
        roll_back(b);
        for (size_t k = 0; fresh && k < b->units.n; k++)
            b->units.items[k].fate = FATE_OPEN;
        if (e != ERR_BUSY || begun || b->o->dry) /* what was rehearsed is not undone */
            return e;
    }
    return e;
}

static enum err append_run(struct batch *b, const struct moved_run *run, struct error *err)
{
    enum err e = LIST_RESERVE(&b->runs, err);

    if (!e)
        e = LIST_RESERVE(&b->owners, err);
    if (e)
        return e;
    b->runs.items[b->runs.n++] = *run;
    b->owners.items[b->owners.n++] = b->units.n - 1;
    return ERR_NONE;
}

/*
 * The last schedule's runs are complete. The first of those that wait is due now if none is going whose end
 * would wake it: in a file that somebody has changed the run before it may not have come along.
 */
static enum err complete_runs(struct batch *b, struct error *err)
{
    struct unit *u = b->units.n > 0 ? &b->units.items[b->units.n - 1] : NULL;
    enum err e;

    if (!u || !u->has_waiting)
        return ERR_NONE;
    e = append_run(b, &u->waiting, err);
    if (e)
        return e;
    if (!u->has_going_run)
        u->wakes = u->waiting.record.run.id;
    u->has_waiting = false;
    return ERR_NONE;
}

enum err batch_end(struct batch *b, struct error *err)
{
    enum err e = complete_runs(b, err);

    if (e || b->units.n == 0)
        return e;
    e = put_again(b, true, err);
    if (!e)
        settle(b);
    return e;
}

/* --- gathering --- */

static bool is_full(const struct batch *b)
{
    return b->units.n >= UNITS_MAX || b->runs.n >= RUNS_MAX || b->bytes >= BYTES_MAX;
}

static enum err make_text(struct unit *u, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    enum err e;

    buf_init(&text, TEXT_MAX);
    e = schedule_encode(u->schedule, &text, err);
    if (!e)
        e = buf_take(&text, &u->record.definition, &u->record.definition_n, err);
    buf_init(&u->label, TEXT_MAX);
    if (!e && u->schedule->task.history_check)
        e = event_label(u->schedule, &u->label, err);
    return e ? e : buf_check(&u->label, "", err);
}

enum err batch_add(struct batch *b, const char *place, struct schedule *schedule, const struct record *record,
                   bool id_made, struct error *err)
{
    struct unit u = {.schedule = schedule, .record = *record, .made = WALL_NONE_YET, .id_made = id_made};
    bool twice = map_get(&b->seen, record->id) || map_get(&b->seen, rehearsal_hash(schedule));
    enum err e = complete_runs(b, err);

    if (!e && (is_full(b) || twice || b->begun))
        e = batch_end(b, err);
    (void)snprintf(u.place, sizeof(u.place), "%s", place);
    if (!e)
        e = make_text(&u, err);
    if (!e)
        e = map_put(&b->seen, record->id, b, err); /* any value says that it is there */
    if (!e)
        e = map_put(&b->seen, rehearsal_hash(schedule), b, err);
    if (!e)
        e = LIST_RESERVE(&b->units, err);
    if (e) {
        unit_done(&u);
        return e;
    }
    b->bytes += u.record.definition_n;
    b->units.items[b->units.n++] = u;
    return ERR_NONE;
}

/*
 * The runs of one schedule are more than are gathered: what there is goes into a transaction that stays open,
 * and of the schedules only the last, whose fate is known now, is kept.
 */
static enum err put_part(struct batch *b, struct error *err)
{
    enum err e = put_again(b, false, err);
    struct unit last;

    if (e)
        return e;
    last = b->units.items[b->units.n - 1];
    for (size_t i = 0; i + 1 < b->units.n; i++) {
        count(b, &b->units.items[i]);
        unit_done(&b->units.items[i]);
    }
    b->units.items[0] = last;
    b->units.n = 1;
    forget_runs(b);
    return ERR_NONE;
}

static bool is_before(const struct run *a, const struct run *b)
{
    if (a->scheduled_at.us != b->scheduled_at.us)
        return a->scheduled_at.us < b->scheduled_at.us;
    return uuid_cmp(a->id, b->id) < 0;
}

/* The first of those that wait is kept back until it is known whether it waits for anything. */
static enum err add_waiting(struct batch *b, struct unit *u, const struct moved_run *run, struct error *err)
{
    struct moved_run later = *run;

    if (!u->has_waiting) {
        u->waiting = *run;
        u->has_waiting = true;
        return ERR_NONE;
    }
    if (is_before(&run->record.run, &u->waiting.record.run)) {
        later = u->waiting;
        u->waiting = *run;
    }
    return append_run(b, &later, err);
}

enum err batch_add_run(struct batch *b, const struct moved_run *run, struct error *err)
{
    const struct run *r = &run->record.run;
    bool open = run_state_open(r->state);
    bool going = open && (r->state == RUN_RUNNING || !wall_is_never(r->due_at));
    struct unit *u;
    enum err e = b->runs.n >= RUNS_MAX ? put_part(b, err) : ERR_NONE;

    MUST(b->units.n > 0);
    if (e)
        return e;
    u = &b->units.items[b->units.n - 1];
    u->has_open_runs = u->has_open_runs || open;
    u->has_going_run = u->has_going_run || going;
    if (open)
        u->made = wall_max(u->made, r->scheduled_at);
    return open && !going ? add_waiting(b, u, run, err) : append_run(b, run, err);
}

enum err batch_add_orphan(struct batch *b, const struct moved_run *run, struct error *err)
{
    struct wall now;
    size_t added = 1;
    enum err e;

    MUST(b->units.n == 0);
    if (!b->o->store)
        return ERR_NONE;
    e = begin(b, &now, err);
    if (!e && !b->o->dry)
        e = store_add_moved_runs(b->o->store, run, 1, false, &added, err);
    if (!e)
        e = commit(b, now, err);
    if (e) {
        roll_back(b);
        return e;
    }
    b->report->runs += (int64_t)added;
    return ERR_NONE;
}
