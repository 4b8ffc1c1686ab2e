/*
 * examine.c: the invariants, over trees. A store that is made anew with each process has nothing to inspect.
 */
#include "store/memory/ops.h"

static void add_breach(struct breaches *b, struct uuid id, struct wall since)
{
    if (b->n < BREACHES_SHOWN)
        b->shown[b->n] = id;
    if (b->n == 0)
        b->earliest = since;
    b->n++;
}

static void look_at_leases(const struct memory_db *db, const struct examination *x, struct breaches *ret)
{
    for (struct tree_node *n = tree_first(&db->runs_leased); n && ret->n < x->limit; n = tree_next(n)) {
        const struct run_row *r = CONTAINER_OF(n, struct run_row, by_lease);

        if (r->run.lease_until.us >= x->before.us)
            break;
        add_breach(ret, r->run.id, r->run.lease_until);
    }
}

static void look_at_schedules(const struct memory_db *db, const struct examination *x, struct breaches *ret)
{
    for (struct tree_node *n = tree_first(&db->timers_due); n && ret->n < x->limit; n = tree_next(n)) {
        const struct timer_row *t = CONTAINER_OF(n, struct timer_row, by_due);

        if (t->timer.next_at.us >= x->before.us)
            break;
        add_breach(ret, t->id, t->timer.next_at);
    }
}

static void look_at_runs(const struct memory_db *db, const struct examination *x, struct breaches *ret)
{
    for (struct tree_node *n = tree_first(&db->runs_due); n && ret->n < x->limit; n = tree_next(n)) {
        const struct run_row *r = CONTAINER_OF(n, struct run_row, by_due);

        if (r->run.due_at.us >= x->before.us)
            break;
        add_breach(ret, r->run.id, r->run.due_at);
    }
}

static bool waits_for_nobody(const struct memory_db *db, const struct run_row *r)
{
    if (!rows_run_waits(r))
        return false;
    for (const struct run_row *o = rows_first_open(db, r->run.schedule_id); o; o = rows_next_open(o)) {
        if (!rows_run_waits(o))
            return false;
    }
    return true;
}

static bool is_orphan(const struct memory_db *db, const struct run_row *r)
{
    return run_state_open(r->run.state) && !r->doomed && !rows_schedule(db, r->run.schedule_id);
}

static bool is_lost(const struct memory_db *db, const struct timer_row *t)
{
    return t->timer.state == SCHEDULE_ACTIVE && wall_is_never(t->timer.next_at) &&
           !rows_first_open(db, t->id);
}

/* Ended runs are in the same tree here; they break nothing. */
static void look_at_page(const struct memory_db *db, const struct examination *x, struct breaches *ret)
{
    const struct timer_row timer = {.id = x->after};
    const struct run_row run = {.run.id = x->after};
    bool timers = x->what == INVARIANT_NEXT;
    struct tree_node *n =
        timers ? tree_at_least(&db->timers, &timer.by_id) : tree_at_least(&db->runs, &run.by_id);

    for (; n && ret->looked_at < x->limit; n = tree_next(n)) {
        const struct timer_row *t = CONTAINER_OF(n, struct timer_row, by_id);
        const struct run_row *r = CONTAINER_OF(n, struct run_row, by_id);
        struct uuid id = timers ? t->id : r->run.id;
        bool breach;

        if (uuid_cmp(id, x->after) <= 0)
            continue;
        if (timers)
            breach = is_lost(db, t);
        else
            breach = x->what == INVARIANT_ORPHANS ? is_orphan(db, r) : waits_for_nobody(db, r);
        ret->looked_at++;
        ret->reached = id;
        if (breach)
            add_breach(ret, id, WALL_NEVER);
    }
    if (ret->looked_at < x->limit)
        ret->reached = (struct uuid){{0}};
}

enum err memory_examine(struct store *s, const struct examination *x, struct breaches *ret, struct error *err)
{
    const struct memory_db *db = memory_read(s);

    (void)err;
    *ret = (struct breaches){.earliest = WALL_NEVER};
    switch (x->what) {
    case INVARIANT_LEASES:
        look_at_leases(db, x, ret);
        break;
    case INVARIANT_SCHEDULES:
        look_at_schedules(db, x, ret);
        break;
    case INVARIANT_RUNS:
        look_at_runs(db, x, ret);
        break;
    case INVARIANT_NEXT:
    case INVARIANT_ORPHANS:
    case INVARIANT_WAITING:
    case INVARIANTS:
        look_at_page(db, x, ret);
        break;
    }
    return ERR_NONE;
}

enum err memory_inspect(struct store *s, enum inspection what, struct inspected *ret, struct error *err)
{
    (void)s;
    (void)what;
    (void)ret;
    return error_set(err, ERR_UNSUPPORTED, "memory", "there is nothing to inspect");
}
