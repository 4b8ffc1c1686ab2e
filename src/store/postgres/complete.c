/*
 * complete.c: outcomes are recorded, a set at a time: what they touch is locked and read, each outcome is
 * judged in its order on what was read and what the ones before it made of it, and the result is written by
 * one statement per table.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "store/outcome.h"
#include "store/postgres/ops.h"
#include "store/postgres/timers.h"

/* A schedule that runs of this call belong to. */
struct ending {
    struct uuid id;
    struct timer timer;
    enum schedule_state before;
    int64_t open;
    int64_t waiting;
    bool ended;   /* a run of it did: its last outcome is to be written */
    bool release; /* the oldest that waits is due now */
    enum run_state last_state;
    struct wall last_at;
};

struct settling {
    struct postgres_store *s;
    struct wall now;
    bool trusted;           /* tokens are not looked at */
    PGresult *timers;       /* sorted by id */
    PGresult *runs;         /* sorted by id */
    PGresult *open;         /* sorted by schedule */
    struct ending *endings; /* of the rows of `timers` */
    bool *settled;          /* of the rows of `runs`: an outcome of this call has it */
};

static void settling_done(struct settling *g)
{
    PQclear(g->timers);
    PQclear(g->runs);
    PQclear(g->open);
    alloc_free(g->endings);
    alloc_free(g->settled);
}

/* --- reading --- */

static enum err send_ids(struct settling *g, enum sql id, const struct outcome *o, size_t n, bool of_runs,
                         PGresult **slot, struct error *err)
{
    struct args *a = link_args(&g->s->link);
    size_t ids = args_array(a, ARG_UUID);

    for (size_t i = 0; i < n; i++)
        args_add_uuid(a, ids, of_runs ? o[i].run_id : o[i].schedule_id);
    return link_send(&g->s->link, id, slot, err);
}

static enum err read_all(struct settling *g, const struct outcome *o, size_t n, struct error *err)
{
    enum err e;

    e = send_ids(g, Q_ENDS_TIMERS, o, n, false, &g->timers, err);
    if (!e)
        e = send_ids(g, Q_ENDS_RUNS, o, n, true, &g->runs, err);
    if (!e)
        e = send_ids(g, Q_ENDS_OPEN, o, n, false, &g->open, err);
    return e ? e : link_sync(&g->s->link, err);
}

static enum err make_endings(struct settling *g, struct error *err)
{
    void *p;
    enum err e;

    e = alloc_array(row_n(g->timers), sizeof(*g->endings), &p, err);
    if (e)
        return e;
    g->endings = p;
    e = alloc_array(row_n(g->runs), sizeof(*g->settled), &p, err);
    if (e)
        return e;
    g->settled = p;
    for (size_t i = 0; i < row_n(g->timers); i++) {
        struct ending *x = &g->endings[i];
        size_t at;

        x->id = row_uuid(g->timers, i, 0);
        (void)row_timer(g->timers, i, 1, &x->timer);
        x->before = x->timer.state;
        if (row_find(g->open, 0, x->id, &at)) {
            x->open = row_i64(g->open, at, 1);
            x->waiting = row_i64(g->open, at, 2);
        }
    }
    return ERR_NONE;
}

/* --- judging --- */

struct held {
    struct run run;
    bool doomed;
    bool owed;
    struct wall started_at; /* of its first attempt; never: none has ended yet */
};

/* What is left of a run after its outcome, beside the outcome. */
struct left {
    struct run run;
    struct wall started_at;
};

/* False: it is not ours to judge (any more). */
static bool hold(struct settling *g, const struct outcome *o, struct held *ret)
{
    size_t row;
    int at;

    if (!row_find(g->runs, 0, o->run_id, &row) || g->settled[row])
        return false;
    at = row_run(g->runs, row, 0, &ret->run);
    ret->doomed = row_i64(g->runs, row, at) != 0;
    ret->started_at = row_wall(g->runs, row, at + 1);
    ret->owed = row_i64(g->runs, row, at + 2) != 0;
    if (!g->trusted && (ret->run.state != RUN_RUNNING || ret->run.lease_token != o->token))
        return false;
    g->settled[row] = true;
    return true;
}

/* True when the timer changed. See complete() in store.h. */
static bool tell_timer(struct ending *x, const struct outcome *o, const struct held *h)
{
    struct doomed_end end = {
        .scheduled_at = h->run.scheduled_at,
        .delivered = o->attempted || !wall_is_never(h->started_at) || h->run.failures > 0,
        .by_hand = h->run.by_hand_at.us != 0,
        .ended_at = o->ended_at,
        .open_runs = (size_t)x->open,
    };
    bool late = o->became == RUN_SKIPPED;

    /* The counts are those of the definition in force: they began anew when it came. */
    if (!o->schedule || h->doomed)
        return timer_doomed_ended(&x->timer, &end);
    if (late)
        x->timer.missed[MISSED_LATE]++;
    return timer_run_ended(o->schedule, &x->timer, (size_t)x->open, o->ended_at) || late;
}

/* A run of this schedule has left the open ones. */
static void end_one(struct settling *g, struct outcome *o, const struct held *h)
{
    struct ending *x;
    struct wall next_at;
    size_t at;

    if (!row_find(g->timers, 0, h->run.schedule_id, &at))
        return; /* the schedule was deleted meanwhile */
    x = &g->endings[at];
    x->ended = true;
    x->last_state = o->became;
    x->last_at = o->ended_at;
    x->open--;
    /* One that waited for its turn, and was given up. */
    if (h->run.state == RUN_PENDING && wall_is_never(h->run.due_at) && x->waiting > 0)
        x->waiting--;
    if (x->waiting > 0 && x->waiting == x->open) {
        x->release = true;
        x->waiting--;
        o->made_due = g->now;
    }
    next_at = x->timer.next_at;
    if (tell_timer(x, o, h) && x->timer.state == SCHEDULE_ACTIVE && x->timer.next_at.us != next_at.us)
        o->made_due = wall_min(o->made_due, x->timer.next_at);
}

static void judge(struct settling *g, struct outcome *o, struct left *left)
{
    struct held h = {0};

    o->made_due = WALL_NEVER;
    o->stale = !hold(g, o, &h);
    if (o->stale)
        return;
    outcome_become(o,
                   &(struct outcome_run){.doomed = h.doomed,
                                         .owed = h.owed,
                                         .begun = !wall_is_never(h.started_at) || h.run.failures > 0},
                   g->now);
    left->run = h.run;
    left->started_at = h.started_at;
    if (wall_is_never(h.started_at) && o->attempted)
        left->started_at = wall_add(o->ended_at, -o->result.took_us);
    if (run_state_open(o->became))
        o->made_due = o->due_at;
    else
        end_one(g, o, &h);
}

/* --- writing --- */

static bool stays(const struct outcome *o)
{
    return !o->stale && (run_state_open(o->became) || o->became == RUN_DEAD);
}

static bool goes(const struct outcome *o)
{
    return !o->stale && !stays(o);
}

static void add_kept(struct args *a, const struct outcome *o, const struct left *left)
{
    bool dead = o->became == RUN_DEAD;
    bool handed_back = o->became == RUN_PENDING && !o->attempted && left->run.attempt > 0;

    args_add_uuid(a, 0, o->run_id);
    args_add_i64(a, 1, (int64_t)o->became);
    args_add_wall(a, 2, dead ? left->run.due_at : o->due_at);
    args_add_i64(a, 3, handed_back ? left->run.attempt - 1 : left->run.attempt);
    args_add_i64(a, 4, o->failures);
    args_add_wall(a, 5, left->started_at);
    args_add_wall(a, 6, dead ? o->ended_at : WALL_NEVER);
    args_add_i64(a, 7, o->attempted);
    args_add_i64(a, 8, o->result.took_us);
    args_add_i64(a, 9, o->result.status);
    args_add_str(a, 10, str_of(o->result.error));
}

/* Those that go on later, or are dead, stay in `run`. */
static enum err write_kept(struct settling *g, const struct outcome *o, const struct left *left, size_t n,
                           struct error *err)
{
    struct args *a = link_args(&g->s->link);
    bool any = false;

    (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < 9; i++)
        (void)args_array(a, ARG_I64);
    (void)args_array(a, ARG_TEXT);
    for (size_t i = 0; i < n; i++) {
        if (!stays(&o[i]))
            continue;
        add_kept(a, &o[i], &left[i]);
        any = true;
    }
    return any ? link_send(&g->s->link, Q_RUNS_KEEP, NULL, err) : ERR_NONE;
}

static void add_logged(struct args *a, const struct outcome *o, const struct left *left)
{
    args_add_uuid(a, 0, o->run_id);
    args_add_uuid(a, 1, left->run.schedule_id);
    args_add_i64(a, 2, left->run.schedule_version);
    args_add_i64(a, 3, left->run.scheduled_at.us);
    args_add_i64(a, 4, (int64_t)o->became);
    args_add_i64(a, 5, left->run.attempt);
    args_add_i64(a, 6, o->failures);
    args_add_wall(a, 7, left->started_at);
    args_add_i64(a, 8, o->ended_at.us);
    args_add_i64(a, 9, o->result.took_us);
    args_add_i64(a, 10, o->result.status);
    args_add_str(a, 11, str_of(o->result.error));
    args_add_i64(a, 12, left->run.by_hand_at.us);
}

/* Those that ended move to `run_log`. */
static enum err write_logged(struct settling *g, const struct outcome *o, const struct left *left, size_t n,
                             struct error *err)
{
    struct args *a = link_args(&g->s->link);
    bool any = false;
    enum err e;

    (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < n; i++) {
        if (!goes(&o[i]))
            continue;
        args_add_uuid(a, 0, o[i].run_id);
        any = true;
    }
    if (!any)
        return ERR_NONE;
    e = link_send(&g->s->link, Q_RUNS_DELETE, NULL, err);
    if (e)
        return e;
    a = link_args(&g->s->link);
    for (size_t i = 0; i < 2; i++)
        (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < 9; i++)
        (void)args_array(a, ARG_I64);
    (void)args_array(a, ARG_TEXT);
    (void)args_array(a, ARG_I64);
    for (size_t i = 0; i < n; i++) {
        if (goes(&o[i]))
            add_logged(a, &o[i], &left[i]);
    }
    return link_send(&g->s->link, Q_LOG_INSERT, NULL, err);
}

static enum err write_released(struct settling *g, struct error *err)
{
    struct args *a = link_args(&g->s->link);
    bool any = false;

    (void)args_array(a, ARG_UUID);
    args_i64(a, g->now.us);
    for (size_t i = 0; i < row_n(g->timers); i++) {
        if (!g->endings[i].release)
            continue;
        args_add_uuid(a, 0, g->endings[i].id);
        any = true;
    }
    return any ? link_send(&g->s->link, Q_RUNS_RELEASE, NULL, err) : ERR_NONE;
}

static enum err write_timers(struct settling *g, struct error *err)
{
    struct args *a = timer_args(g->s, g->now);
    size_t state = args_array(a, ARG_I64);
    size_t at = args_array(a, ARG_I64);
    bool any = false;

    for (size_t i = 0; i < row_n(g->timers); i++) {
        const struct ending *x = &g->endings[i];

        if (!x->ended)
            continue;
        timer_args_add(a, x->id, &x->timer);
        args_add_i64(a, state, (int64_t)x->last_state);
        args_add_i64(a, at, x->last_at.us);
        postgres_tally(g->s, (int)x->before, (int)x->timer.state);
        any = true;
    }
    return any ? link_send(&g->s->link, Q_TIMERS_ENDED, NULL, err) : ERR_NONE;
}

static enum err settle(struct settling *g, struct outcome *o, size_t n, struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct left *left;
    enum err e;

    e = read_all(g, o, n, err);
    if (!e)
        e = make_endings(g, err);
    if (!e)
        e = alloc_array(n, sizeof(*left), &p, err);
    if (e)
        return e;
    left = p;
    for (size_t i = 0; i < n; i++)
        judge(g, &o[i], &left[i]);
    e = write_kept(g, o, left, n, err);
    if (!e)
        e = write_logged(g, o, left, n, err);
    if (!e)
        e = write_released(g, err);
    return e ? e : write_timers(g, err);
}

enum err postgres_complete(struct store *store, struct outcome *outcomes, size_t n, struct wall now,
                           struct error *err)
{
    CLEANUP(settling_done) struct settling g = {.s = postgres_of(store), .now = now};

    return n > 0 ? settle(&g, outcomes, n, err) : ERR_NONE;
}

enum err postgres_end(struct postgres_store *s, struct outcome *outcomes, size_t n, struct wall now,
                      struct error *err)
{
    CLEANUP(settling_done) struct settling g = {.s = s, .now = now, .trusted = true};

    return n > 0 ? settle(&g, outcomes, n, err) : ERR_NONE;
}
