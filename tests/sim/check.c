/*
 * check.c: what must hold at every moment. See sim.h.
 *
 * The checker goes by what it saw: which leases the store handed out, what reached targets, what instances
 * were told.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "sim.h"

void check_failed(struct world *w, const char *format, ...)
{
    va_list args;

    if (w->failed)
        return;
    w->failed = true;
    (void)printf("seed %llu: ", (unsigned long long)w->seed);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)printf("\n");
}

/* --- memory --- */

struct sched *sched_of(const struct world *w, struct uuid id)
{
    struct sched *s = map_get(&w->sched_by_id, id);

    MUST(s);
    return s;
}

const struct epoch *epoch_of(const struct sched *s, int64_t version)
{
    for (size_t k = s->epochs_n; k > 0; k--) {
        if (s->epochs[k - 1].version_from <= version)
            return &s->epochs[k - 1];
    }
    must_failed("a version from before the first", __FILE__, __LINE__);
}

struct srun *srun_of(const struct world *w, struct uuid id)
{
    return map_get(&w->run_by_id, id);
}

struct srun *srun_see(struct world *w, const struct run *run)
{
    struct srun *r = srun_of(w, run->id);
    void *p = w->runs;

    if (r)
        return r;
    r = alloc_new(struct srun);
    *r = (struct srun){
        .no = w->runs_n,
        .id = run->id,
        .sched = sched_of(w, run->schedule_id),
        .version = run->schedule_version,
        .scheduled_at = run->scheduled_at,
        .seen_t = w->t,
    };
    list_init(&r->attempts);
    list_push_back(&r->sched->runs, &r->in_sched);
    MUST(alloc_resize(&p, w->runs_n + 1, sizeof(struct srun *), NULL) == ERR_NONE);
    w->runs = p;
    w->runs[w->runs_n++] = r;
    MUST(map_put(&w->run_by_id, run->id, r, NULL) == ERR_NONE);
    return r;
}

/* --- leases --- */

void check_claimed(struct world *w, const struct inst *i, const struct run *run)
{
    bool is_new = !srun_of(w, run->id);
    struct srun *r = srun_see(w, run);

    trace_add(w, "leased", (int)i->no, NULL, r, run->attempt, NOTHING);
    if (r->ended)
        check_failed(w, "r%zu of s%zu was claimed although it has ended", r->no, r->sched->no);
    if (r->leased && r->lease_until.us >= world_wall(w).us)
        check_failed(w, "r%zu of s%zu was claimed while another's lease lasted", r->no, r->sched->no);
    if (is_new) {
        r->first_inst = i->no;
        r->first_boot = i->boot;
    }
    r->leased = true;
    r->token = run->lease_token;
    r->lease_until = run->lease_until;
    r->granted_t = w->t;
}

/* Without doubt: at no time, by a clock that may have been set back since, could it have been taken over. */
static bool has_lease(const struct world *w, const struct srun *r, uint64_t token)
{
    return r->leased && r->token == token && r->lease_until.us >= world_latest_wall(w).us;
}

static bool is_lost(const struct op_renew *o, struct uuid run)
{
    for (size_t k = 0; k < o->ret_lost.n; k++) {
        if (uuid_eq(o->ret_lost.items[k], run))
            return true;
    }
    return false;
}

void check_renewed(struct world *w, const struct op_renew *o)
{
    for (size_t k = 0; k < o->n; k++) {
        struct srun *r = srun_of(w, o->runs[k]);
        bool lost = is_lost(o, o->runs[k]);

        if (lost && has_lease(w, r, o->tokens[k]))
            check_failed(w, "r%zu: a lease that stands was called lost", r->no);
        if (!lost && !(r->leased && r->token == o->tokens[k]))
            check_failed(w, "r%zu: a lease that had passed on was renewed", r->no);
        if (lost)
            continue;
        r->lease_until = o->ret_until;
        r->granted_t = w->t;
    }
}

static bool was_answered_ok(const struct srun *r)
{
    for (struct list *n = r->attempts.next; n != &r->attempts; n = n->next) {
        const struct attempt *a = CONTAINER_OF(n, struct attempt, in_run);

        if (a->answered && a->result.ok && a->delivered)
            return true;
    }
    return false;
}

void check_outcome(struct world *w, const struct inst *i, const struct outcome *o)
{
    struct srun *r = srun_of(w, o->run_id);

    trace_add(w, o->stale ? "stale outcome refused" : "recorded (state)", (int)i->no, NULL, r,
              (int64_t)o->became, NOTHING);
    if (o->stale) {
        if (has_lease(w, r, o->token))
            check_failed(w, "r%zu: the outcome of the lease's holder was refused", r->no);
        return;
    }
    if (!r->leased || r->token != o->token)
        check_failed(w, "r%zu: an outcome without the lease was accepted", r->no);
    if (o->became == RUN_SUCCEEDED && !was_answered_ok(r))
        check_failed(w, "r%zu was recorded as succeeded, but no target said so", r->no);
    r->leased = false;
    r->ended = !run_state_open(o->became);
}

/* --- attempts --- */

/* A step of the cluster's clock may end leases early, which their holders cannot know. */
static bool stepped_since(const struct world *w, int64_t t)
{
    return w->step_t >= t;
}

/* Whether what `a` did may be repeated by others: its instance was not in a state to keep or record it. */
static bool is_excused(const struct world *w, const struct attempt *a)
{
    int64_t since = a->started_t - w->config.core.lease_us;

    return a->crashed || a->aborted || w->inst[a->inst].trouble_t >= since || stepped_since(w, since);
}

/* The later one was made, or let go, by its own definition's rules while the other was open. */
static bool may_overlap(const struct srun *a, const struct srun *b)
{
    const struct srun *later = a->no > b->no ? a : b;
    const struct def *d = &epoch_of(later->sched, later->version)->def;

    return a->triggered || b->triggered ||
           (def_recurs(d) && d->overlap != OVERLAP_SKIP && d->overlap != OVERLAP_QUEUE);
}

static bool is_first(const struct attempt *a)
{
    return a->run->attempts.next == &a->in_run;
}

static void check_overlap(struct world *w, const struct attempt *a)
{
    const struct srun *r = a->run;

    for (struct list *n = w->in_flight.next; n != &w->in_flight; n = n->next) {
        const struct attempt *x = CONTAINER_OF(n, struct attempt, in_flight);

        if (x == a || x->run->sched != r->sched || is_excused(w, x))
            continue;
        if (x->run == r)
            check_failed(w, "r%zu is under way twice, in i%zu and i%zu, both healthy", r->no, x->inst,
                         a->inst);
        else if (!may_overlap(x->run, r))
            check_failed(w, "r%zu and r%zu of s%zu overlap", x->run->no, r->no, r->sched->no);
    }
}

/* What was over must not be done again, unless nobody could know that it was over. */
static void check_repetition(struct world *w, const struct attempt *a)
{
    const struct srun *r = a->run;
    bool never_again = epoch_of(r->sched, r->version)->def.failed_policy == FAILED_IGNORE;

    for (struct list *n = r->attempts.next; n != &r->attempts; n = n->next) {
        const struct attempt *x = CONTAINER_OF(n, struct attempt, in_run);

        if (x == a || !x->answered || !(x->result.ok || never_again))
            continue;
        w->doubles += x->result.ok;
        if (!is_excused(w, x))
            check_failed(w, "r%zu of s%zu was attempted again after its end was known", r->no, r->sched->no);
    }
}

/* When the run could start at the earliest: what lies in the past when it is asked for is due at once. */
static struct wall could_start(const struct srun *r, const struct run *run)
{
    const struct epoch *e = epoch_of(r->sched, r->version);
    struct wall asked = e->resumed_n > 0 ? e->resumed[e->resumed_n - 1] : e->registered_at;

    return wall_max(run->due_at, asked);
}

/* Claimed on time, started on time, by a clock that may be a little slow: this is what prefetching is for. */
static int64_t allowed_lateness_us(const struct world *w)
{
    return 150 * US_PER_MS + w->config.clock_error_us + 10 * w->config.call_us;
}

/*
 * What was replaced right before its time is waited for a while, until it has ended; and a clock that is a
 * little fast may have begun it already.
 */
static bool replaces_at_the_last_moment(const struct world *w, const struct srun *r, const struct run *run)
{
    const struct epoch *e = epoch_of(r->sched, r->version);
    int64_t ahead_us = run->due_at.us - e->registered_at.us;

    return e->version_from > 1 && ahead_us < w->config.core.horizon_us + w->config.clock_error_us;
}

static void check_time(struct world *w, const struct inst *i, const struct attempt *a, const struct run *run)
{
    const struct def *d = &epoch_of(a->run->sched, a->run->version)->def;
    int64_t wall = instance_now(w, i).wall.us;
    int64_t late = world_wall(w).us - could_start(a->run, run).us;

    if (wall < run->due_at.us)
        check_failed(w, "r%zu started before it was due", a->run->no);
    /* It may have been made by a clock that was set back since. */
    if (run->due_at.us + US_PER_MS < run->scheduled_at.us && !stepped_since(w, 0))
        check_failed(w, "r%zu was due before its occurrence", a->run->no);
    /* Whoever triggers a run knows what time it is. */
    if (d->max_lateness_us >= 0 && (run->attempt == 1 || is_first(a)) && !a->run->triggered &&
        wall > run->scheduled_at.us + d->jitter_us + d->max_lateness_us)
        check_failed(w, "r%zu of s%zu started after its max_lateness", a->run->no, a->run->sched->no);
    if (replaces_at_the_last_moment(w, a->run, run))
        late -= 5 * US_PER_S / 2;
    if (is_first(a) && late > allowed_lateness_us(w) && !w->config.tight &&
        i->host_full_t[d->host] < w->t - late && world_quiet(w) &&
        !world_disturbed_at(w, run->due_at, world_wall(w)))
        check_failed(w, "r%zu of s%zu started %lld ms late, and nothing was wrong", a->run->no,
                     a->run->sched->no, (long long)(late / US_PER_MS));
}

/* A new run of a schedule whose runs replace each other: what its own instance has under way is given up
 * first. */
static void check_replacement(struct world *w, const struct attempt *a, const struct run *run)
{
    const struct srun *r = a->run;
    const struct def *d = &epoch_of(r->sched, r->version)->def;

    if (!def_recurs(d) || d->overlap != OVERLAP_REPLACE || r->triggered || run->attempt != 1 ||
        r->first_inst != a->inst || r->first_boot != a->boot)
        return;
    for (struct list *n = w->in_flight.next; n != &w->in_flight; n = n->next) {
        const struct attempt *x = CONTAINER_OF(n, struct attempt, in_flight);

        if (x != a && x->run->sched == r->sched && x->run->no < r->no && x->inst == a->inst && !x->aborted &&
            !is_excused(w, x))
            check_failed(w, "r%zu of s%zu replaces r%zu, which goes on", r->no, r->sched->no, x->run->no);
    }
}

/* Every instance hears of it within a second, and then asks which of its runs it was. */
#define REPLACED_US (5 * US_PER_S / 2)

void check_replaced(struct world *w, const struct attempt *a)
{
    if (a->replaced_t > 0 && !a->aborted && !a->crashed && w->t - a->replaced_t > REPLACED_US &&
        w->store->ops->doomed && world_quiet(w) && !is_excused(w, a))
        check_failed(w, "r%zu of s%zu was replaced and went on", a->run->no, a->run->sched->no);
}

/* A change of its schedule lets an attempt end; only a newer run, a lost lease or a drain gives it up. */
void check_abort(struct world *w, const struct inst *i, const struct attempt *a)
{
    const struct srun *r = a->run;
    bool lost = r->ended || !r->leased || r->token != held_run(a->held)->lease_token;

    if (!r->replaced && !lost && i->state == INST_UP && !is_excused(w, a))
        check_failed(w, "r%zu of s%zu was given up and nothing took its place", r->no, r->sched->no);
}

/*
 * By its own steady clock a lease is over at the latest `lease_us` after the store gave it, whatever any
 * clock on any wall says; and by the cluster's clock, as the instance knows it, when that clock says so.
 */
static void check_lease(struct world *w, const struct inst *i, const struct srun *r, const struct run *run)
{
    if (w->t >= r->granted_t + w->config.core.lease_us)
        check_failed(w, "r%zu started when its lease must have been over", r->no);
    if (instance_now(w, i).wall.us >= run->lease_until.us)
        check_failed(w, "r%zu started when its lease was over by the clock", r->no);
    /* Even a zombie must not. Only a clock step that it has not heard of can deceive it. */
    if ((r->ended || !r->leased || r->token != run->lease_token) &&
        !stepped_since(w, w->t - w->config.core.lease_us))
        check_failed(w, "r%zu started without a lease", r->no);
}

void check_start(struct world *w, const struct inst *i, struct attempt *a)
{
    const struct run *run = held_run(a->held);
    const struct srun *r = a->run;

    if (run->schedule_version < r->sched->told[i->no])
        check_failed(w, "r%zu started after its schedule had changed and its instance been told", r->no);
    check_lease(w, i, r, run);
    check_time(w, i, a, run);
    check_overlap(w, a);
    check_repetition(w, a);
    check_replacement(w, a, run);
}

/* --- what it costs --- */

enum { IDLE_WAKES_MAX = 5, EMPTY_CLAIMS_MAX = 40 };

void check_wake(struct world *w, struct inst *i, bool acted)
{
    i->idle_wakes = acted ? 0 : i->idle_wakes + 1;
    if (i->idle_wakes > IDLE_WAKES_MAX)
        check_failed(w, "i%zu wakes again and again and has nothing to do", i->no);
}

void check_empty_claim(struct world *w, struct inst *i)
{
    if (i->second != w->t / US_PER_S) {
        i->second = w->t / US_PER_S;
        i->empty_claims = 0;
        i->notices = 0;
    }
    /* Told that something is due, it may look, even if another is quicker. */
    if (++i->empty_claims > EMPTY_CLAIMS_MAX + i->notices)
        check_failed(w, "i%zu claims again and again", i->no);
}
