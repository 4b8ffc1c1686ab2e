/*
 * account_epoch.c: the accounts of one definition: each of its nominal occurrences became a run or was
 * counted, by a reason that can be seen. See sim.h.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "sim.h"

/*
 * The runs of an epoch that occurrences made, by scheduled_at.
 *
 * Those that were made ahead of their time and were still open when the schedule was paused are in doubt:
 * dropped, their occurrence is still to come; begun all the same, they are it. Likewise what the definition
 * before had made ahead of its time when it was replaced: an occurrence of both may be its run.
 */
struct made {
    const struct srun **runs;
    size_t n;
    const struct srun **older; /* of the definition before */
    size_t older_n;
    int64_t doubtful; /* of .runs */
    /* Too late when their turn came: counted as late, but those that were given up before are not. */
    int64_t skipped_least;
    int64_t skipped_most;
};

static int by_scheduled_at(const void *a, const void *b)
{
    int64_t x = (*(const struct srun *const *)a)->scheduled_at.us;
    int64_t y = (*(const struct srun *const *)b)->scheduled_at.us;

    return (x > y) - (x < y);
}

/* Made ahead, and not over when its definition ended, or was paused, at `t`. */
static bool was_ahead_at(const struct srun *r, const struct def *d, struct wall t)
{
    /* When it ended is told by its instance's clock; one that never started was cancelled by this, whenever
     * that was; one that ended before its own time did so after a step back, which tells nothing. */
    bool was_over = !account_is_open(r) && r->last.ended_at.us + US_PER_S < t.us &&
                    r->last.ended_at.us >= r->scheduled_at.us &&
                    !(r->last.run.state == RUN_CANCELLED && list_empty(&r->attempts));

    return !r->triggered && !was_over &&
           (!def_recurs(d) || r->scheduled_at.us + d->jitter_us + US_PER_S >= t.us);
}

static bool is_doubtful(const struct srun *r, const struct epoch *e)
{
    for (size_t k = 0; k < e->pauses_n; k++) {
        if (r->version < e->version_to && was_ahead_at(r, &e->def, e->pauses[k].from))
            return true;
    }
    return false;
}

static void gather(const struct sched *s, const struct epoch *e, struct made *ret)
{
    size_t n = 0;
    void *p;
    void *older;

    for (struct list *node = s->runs.next; node != &s->runs; node = node->next)
        n++;
    MUST(alloc_array(n, sizeof(*ret->runs), &p, NULL) == ERR_NONE);
    MUST(alloc_array(n, sizeof(*ret->older), &older, NULL) == ERR_NONE);
    *ret = (struct made){.runs = p, .older = older};
    for (struct list *node = s->runs.next; node != &s->runs; node = node->next) {
        const struct srun *r = CONTAINER_OF(node, struct srun, in_sched);

        if (r->version < e->version_from && was_ahead_at(r, &epoch_of(s, r->version)->def, e->registered_at))
            ret->older[ret->older_n++] = r;
        if (r->version < e->version_from || r->version > e->version_to)
            continue;
        /* Those made by hand are counted, too. */
        if (r->last.run.state == RUN_SKIPPED) {
            ret->skipped_most++;
            ret->skipped_least += !account_may_be_given_up(r);
        }
        if (r->triggered)
            continue;
        ret->runs[ret->n++] = r;
        ret->doubtful += is_doubtful(r, e);
    }
    qsort(ret->runs, ret->n, sizeof(*ret->runs), by_scheduled_at);
}

static int64_t missed_in_all(const struct timer *t)
{
    int64_t sum = 0;

    for (size_t k = 0; k < MISSED_N; k++)
        sum += t->missed[k];
    return sum;
}

/* `missing` occurrences became no run, and `others` may have: are there as many on the timer? */
static bool is_counted(const struct epoch *e, const struct made *made, int64_t missing, int64_t others)
{
    int64_t counted = missed_in_all(&e->at_close);

    return missing + made->skipped_least <= counted &&
           counted <= missing + others + made->skipped_most + made->doubtful;
}

static bool is_older(const struct made *made, struct wall occurrence)
{
    for (size_t k = 0; k < made->older_n; k++) {
        if (made->older[k]->scheduled_at.us / US_PER_S == occurrence.us / US_PER_S)
            return true;
    }
    return false;
}

static void account_reasons(struct world *w, const struct sched *s, const struct epoch *e)
{
    const int64_t *missed = e->at_close.missed;
    const struct def *d = &e->def;
    const char *wrong = NULL;

    if (missed[MISSED_COALESCED] > 0 && d->misfire != MISFIRE_ONCE)
        wrong = "coalesced";
    if (missed[MISSED_MISFIRE] > 0 && d->misfire == MISFIRE_ONCE)
        wrong = "misfire";
    if (missed[MISSED_OVERLAP] > 0 && d->overlap == OVERLAP_ALLOW)
        wrong = "overlap";
    if (missed[MISSED_LATE] > 0 && d->max_lateness_us < 0)
        wrong = "late";
    if (missed[MISSED_PAUSED] > 0 && e->pauses_n == 0)
        wrong = "paused";
    if (missed[MISSED_WINDOW] > 0 && def_recurs(d))
        wrong = "window";
    if (wrong)
        check_failed(w, "s%zu: an occurrence was counted as %s, which its definition excludes", s->no, wrong);
}

/* --- cron --- */

/* The first occurrence that the timer has not decided about; never: it is through with all of them. */
static struct wall undecided_from(const struct epoch *e)
{
    const struct timer *t = &e->at_close;

    if (t->state == SCHEDULE_FINISHED || (t->state == SCHEDULE_ACTIVE && wall_is_never(t->next_at)))
        return WALL_NEVER;
    if (!def_recurs(&e->def))
        return t->runs > 0 ? WALL_NEVER : t->occurs_at;
    /* Known to be made by a run that was in doubt, and not stepped over yet. */
    return t->occurs_at.us <= t->started_at.us ? wall_add(t->started_at, 1) : t->occurs_at;
}

static bool was_paused(const struct epoch *e, struct wall from, struct wall until)
{
    for (size_t k = 0; k < e->pauses_n; k++) {
        if (e->pauses[k].from.us <= until.us && from.us <= e->pauses[k].until.us)
            return true;
    }
    return false;
}

/* Of an older definition, and never started: nothing of this one is skipped for it. */
static bool left_before(const struct srun *r, const struct epoch *e)
{
    return r->version < e->version_from && list_empty(&r->attempts) && !account_is_open(r);
}

static bool was_open(const struct sched *s, const struct epoch *e, struct wall from, struct wall until)
{
    for (struct list *n = s->runs.next; n != &s->runs; n = n->next) {
        const struct srun *r = CONTAINER_OF(n, struct srun, in_sched);

        if (left_before(r, e))
            continue;
        if (r->scheduled_at.us <= until.us && (account_is_open(r) || from.us <= r->last.ended_at.us))
            return true;
    }
    return false;
}

/* Why an occurrence may have become no run: each time it must be possible to say. */
static bool may_be_missed(const struct world *w, const struct sched *s, const struct epoch *e,
                          struct wall occurrence)
{
    struct wall from = wall_add(occurrence, -US_PER_S);
    struct wall until = wall_add(occurrence, e->def.jitter_us + 3 * US_PER_S);

    return w->config.tight || was_paused(e, from, until) || world_disturbed_at(w, from, until) ||
           was_open(s, e, from, until);
}

/* The run that was the last of max_runs: its own, or one that the definition before had begun for it. */
static struct wall last_made(const struct made *made)
{
    struct wall last = {INT64_MIN};

    if (made->n > 0)
        last = made->runs[made->n - 1]->scheduled_at;
    for (size_t k = 0; made->n == 0 && k < made->older_n; k++) {
        if (made->older[k]->scheduled_at.us > last.us)
            last = made->older[k]->scheduled_at;
    }
    return last;
}

static void account_cron(struct world *w, const struct sched *s, const struct epoch *e,
                         const struct made *made)
{
    struct wall end = undecided_from(e);
    bool stopped = e->def.max_runs >= 0 && e->at_close.runs >= e->def.max_runs && made->n + made->older_n > 0;
    struct wall at = e->registered_at;
    int64_t missing = 0;
    int64_t others = 0; /* that may be runs of the definition before */
    size_t k = 0;

    if (wall_is_never(end) && stopped)
        end = last_made(made);
    else if (wall_is_never(end))
        end = wall_add(e->def.end_at, 1);
    else
        end = wall_add(end, -1);
    if (wall_is_never(end)) {
        check_failed(w, "s%zu: a cron schedule without an end has come to one", s->no);
        return;
    }
    for (;;) {
        at = def_next(&e->def, at, 7200 * US_PER_S);
        if (wall_is_never(at) || at.us > end.us)
            break;
        if (k < made->n && made->runs[k]->scheduled_at.us / US_PER_S == at.us / US_PER_S) {
            k++;
            /* One that a pause took back was made again. */
            while (k < made->n && made->runs[k]->scheduled_at.us / US_PER_S == at.us / US_PER_S &&
                   (is_doubtful(made->runs[k - 1], e) || is_doubtful(made->runs[k], e)))
                k++;
            continue;
        }
        if (is_older(made, at)) {
            others++;
            continue;
        }
        missing++;
        if (!may_be_missed(w, s, e, at))
            check_failed(w, "s%zu: the occurrence at %lld s was missed, and nothing was in its way", s->no,
                         (long long)(at.us / US_PER_S));
    }
    while (k < made->n && is_doubtful(made->runs[k], e))
        k++; /* taken back, and still ahead */
    if (k < made->n)
        check_failed(w, "s%zu: r%zu is of no occurrence, or of one that has a run already", s->no,
                     made->runs[k]->no);
    /* A pause after a step back may take back one from before others that were counted: they come again. */
    if (w->stepped_back && e->pauses_n > 0)
        others += missed_in_all(&e->at_close);
    if (!is_counted(e, made, missing, others))
        check_failed(w,
                     "s%zu: %lld occurrences became no run and %lld to %lld came too late, %lld are counted",
                     s->no, (long long)missing, (long long)made->skipped_least, (long long)made->skipped_most,
                     (long long)missed_in_all(&e->at_close));
}

/* --- one-shots --- */

static struct wall nominal(const struct epoch *e)
{
    if (e->def.type == SCHEDULE_DATE)
        return e->def.date;
    return wall_add(e->registered_at, e->def.type == SCHEDULE_DELAY ? e->def.delay_us : 0);
}

static bool was_attempted(const struct srun *const *runs, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (!list_empty(&runs[k]->attempts))
            return true;
    }
    return false;
}

/* Finished by itself, and nobody was ever called. */
static bool was_lost(const struct epoch *e, const struct made *made)
{
    return wall_is_never(e->closed_at) && e->at_close.state == SCHEDULE_FINISHED &&
           missed_in_all(&e->at_close) == 0 && !was_attempted(made->runs, made->n) &&
           !was_attempted(made->older, made->older_n);
}

static void account_one_shot(struct world *w, const struct sched *s, const struct epoch *e,
                             const struct made *made)
{
    struct wall at = nominal(e);
    bool decided = wall_is_never(undecided_from(e));
    int64_t missing = decided - (int64_t)made->n;

    if (was_lost(e, made))
        check_failed(w, "s%zu: a one-shot is finished and was never attempted", s->no);
    if (!is_counted(e, made, missing, 0) && made->doubtful == 0 && made->older_n == 0)
        check_failed(w, "s%zu: a one-shot has %zu runs and %lld missed, and is %s", s->no, made->n,
                     (long long)missed_in_all(&e->at_close), decided ? "decided" : "undecided");
    if (made->n > 0 &&
        (made->runs[0]->scheduled_at.us < at.us || made->runs[0]->scheduled_at.us > at.us + US_PER_MS))
        check_failed(w, "s%zu: r%zu is not at the time that was asked for", s->no, made->runs[0]->no);
    if (made->n > 0 && (at.us < e->def.start_at.us || at.us > e->def.end_at.us))
        check_failed(w, "s%zu: r%zu is outside the window", s->no, made->runs[0]->no);
}

/* --- delay-recur --- */

static bool follows(const struct sched *s, const struct epoch *e, struct wall at)
{
    int64_t delay = e->def.delay_us;

    if (at.us == e->def.start_at.us || at.us == e->registered_at.us + delay)
        return true;
    for (size_t k = 0; k < e->resumed_n; k++) {
        if (at.us == e->resumed[k].us + delay)
            return true;
    }
    for (struct list *n = s->runs.next; n != &s->runs; n = n->next) {
        const struct srun *r = CONTAINER_OF(n, struct srun, in_sched);

        if (!account_is_open(r) && at.us >= r->last.ended_at.us + delay &&
            at.us <= r->last.ended_at.us + delay + 10)
            return true;
    }
    return false;
}

/* One made by hand beside the others: whichever is recorded last is what the next one follows. */
static bool has_triggered(const struct sched *s)
{
    for (struct list *n = s->runs.next; n != &s->runs; n = n->next) {
        if (CONTAINER_OF(n, struct srun, in_sched)->triggered)
            return true;
    }
    return false;
}

static void account_recur(struct world *w, const struct sched *s, const struct epoch *e,
                          const struct made *made)
{
    /* One that was counted instead of run is taken as ended when it was counted. */
    bool exact = missed_in_all(&e->at_close) == 0;
    for (size_t k = 0; k < made->n; k++) {
        const struct srun *r = made->runs[k];

        if (exact && !follows(s, e, r->scheduled_at))
            check_failed(w, "s%zu: r%zu does not follow the end of a run", s->no, r->no);
        /* A clock set back puts them out of order; a pause leaves what was under way behind. */
        if (k == 0 || e->resumed_n > 0 || w->step_t >= 0 || has_triggered(s))
            continue;
        if (account_is_open(made->runs[k - 1]) ||
            r->scheduled_at.us < made->runs[k - 1]->last.ended_at.us + e->def.delay_us)
            check_failed(w, "s%zu: r%zu came before the delay after r%zu", s->no, r->no,
                         made->runs[k - 1]->no);
    }
}

/* --- all --- */

static void account_liveness(struct world *w, const struct sched *s, const struct epoch *e)
{
    const struct timer *t = &e->at_close;

    if (!wall_is_never(e->closed_at) || t->state != SCHEDULE_ACTIVE)
        return;
    if (!wall_is_never(t->next_at)) {
        if (account_is_overdue(w, t->next_at))
            check_failed(w, "s%zu is due, and nobody claims it", s->no);
        return;
    }
    for (struct list *n = s->runs.next; n != &s->runs; n = n->next) {
        if (account_is_open(CONTAINER_OF(n, struct srun, in_sched)))
            return;
    }
    check_failed(w, "s%zu is active, has nothing open and never acts again", s->no);
}

void account_epoch(struct world *w, const struct sched *s, const struct epoch *e)
{
    struct made made;

    gather(s, e, &made);
    account_liveness(w, s, e);
    account_reasons(w, s, e);
    if (e->at_close.runs < (int64_t)made.n - made.doubtful ||
        e->at_close.runs > (int64_t)(made.n + made.older_n))
        check_failed(w, "s%zu: %zu runs were made, %lld are counted", s->no, made.n,
                     (long long)e->at_close.runs);
    if (e->def.max_runs >= 0 && (int64_t)made.n - made.doubtful > e->def.max_runs)
        check_failed(w, "s%zu: %zu runs, more than max_runs", s->no, made.n);
    if (e->def.type == SCHEDULE_CRON)
        account_cron(w, s, e, &made);
    else if (e->def.type == SCHEDULE_DELAY_RECUR)
        account_recur(w, s, e, &made);
    else
        account_one_shot(w, s, e, &made);
    alloc_free(made.runs);
    alloc_free(made.older);
}
