/*
 * account.c: the accounts at the end of the world: each run came to an end that follows from what happened.
 * Those of the occurrences are in account_epoch.c. See sim.h.
 */
#include "sim.h"

enum { PAGE = 1000 };

/* What is late at the end by more than this is stuck. */
static int64_t slack_us(const struct world *w)
{
    return 6 * US_PER_S + w->config.clock_error_us + (w->config.tight ? 20 * US_PER_S : 0);
}

bool account_is_overdue(const struct world *w, struct wall due)
{
    return wall_add(due, slack_us(w)).us < world_wall(w).us;
}

/* --- the store's last word --- */

static void read_runs(struct world *w)
{
    struct run_filter f = {.state = -1, .limit = PAGE};
    size_t n;

    MUST(store_begin(w->store, false, NULL) == ERR_NONE);
    do {
        struct run_record_list page = {0};

        MUST(store_list_runs(w->store, &f, &page, NULL) == ERR_NONE);
        for (size_t k = 0; k < page.n; k++) {
            struct srun *r = srun_see(w, &page.items[k].run);

            r->stored = true;
            r->last = page.items[k];
        }
        n = page.n;
        if (n > 0)
            f.before = page.items[n - 1].run.id;
        run_record_list_done(&page);
    } while (n == PAGE);
    store_rollback(w->store);
    for (size_t k = 0; k < w->runs_n; k++) {
        if (!w->runs[k]->stored)
            check_failed(w, "r%zu has vanished from the store", k);
    }
}

static void read_timers(struct world *w)
{
    MUST(store_begin(w->store, false, NULL) == ERR_NONE);
    for (size_t k = 0; k < w->scheds_n; k++) {
        struct sched *s = w->scheds[k];
        struct record r = {0};

        if (s->deleted)
            continue;
        MUST(store_get(w->store, s->id, &r, NULL) == ERR_NONE);
        s->epochs[s->epochs_n - 1].at_close = r.timer;
        record_done(&r);
    }
    store_rollback(w->store);
}

/* --- one run --- */

bool account_is_open(const struct srun *r)
{
    return run_state_open(r->last.run.state);
}

static bool waits(const struct srun *r)
{
    return r->last.run.state == RUN_PENDING && wall_is_never(r->last.run.due_at);
}

static bool has_open_predecessor(const struct srun *r)
{
    for (struct list *n = r->sched->runs.next; n != &r->sched->runs; n = n->next) {
        const struct srun *x = CONTAINER_OF(n, struct srun, in_sched);

        if (x != r && account_is_open(x) && !waits(x))
            return true;
    }
    return false;
}

bool account_may_be_given_up(const struct srun *r)
{
    return r->version < r->sched->version || epoch_of(r->sched, r->version)->def.overlap == OVERLAP_REPLACE;
}

static bool retries_are_over(const struct srun *r, const struct def *d)
{
    struct wall limit = wall_add(r->scheduled_at, d->retry_for_us);

    if (d->failed_policy == FAILED_IGNORE)
        return true;
    if (d->max_retry_count >= 0 && r->last.run.failures > d->max_retry_count)
        return true;
    return wall_add(r->last.ended_at, d->retry_wait_max_us).us > limit.us;
}

static bool was_delivered_ok(const struct srun *r)
{
    for (struct list *n = r->attempts.next; n != &r->attempts; n = n->next) {
        const struct attempt *a = CONTAINER_OF(n, struct attempt, in_run);

        if (a->delivered && a->result.ok)
            return true;
    }
    return false;
}

static bool was_answered_badly(const struct srun *r)
{
    for (struct list *n = r->attempts.next; n != &r->attempts; n = n->next) {
        const struct attempt *a = CONTAINER_OF(n, struct attempt, in_run);

        if (a->answered && !a->result.ok)
            return true;
    }
    return false;
}

static const char *what_is_wrong_with_failed(const struct srun *r, const struct def *d)
{
    if (list_empty(&r->attempts))
        return "failed without an attempt";
    if (account_may_be_given_up(r))
        return NULL;
    if (!was_answered_badly(r))
        return "failed, and no attempt of it did";
    if (d->failed_policy == FAILED_RETRY_DLQ)
        return "failed instead of being dead";
    return retries_are_over(r, d) ? NULL : "failed with retries left";
}

static const char *what_is_wrong(const struct world *w, const struct srun *r)
{
    const struct def *d = &epoch_of(r->sched, r->version)->def;
    const struct run *run = &r->last.run;

    switch (run->state) {
    case RUN_PENDING:
        if (waits(r))
            return has_open_predecessor(r) ? NULL : "waits for nobody";
        return account_is_overdue(w, run->due_at) ? "is pending, and nobody claims it" : NULL;
    case RUN_RETRYING:
        return account_is_overdue(w, run->due_at) ? "is to be retried, and nobody claims it" : NULL;
    case RUN_RUNNING:
        return account_is_overdue(w, run->lease_until) ? "is leased to nobody alive, and nobody takes it over"
                                                       : NULL;
    case RUN_SUCCEEDED:
        return was_delivered_ok(r) ? NULL : "succeeded, and was never delivered";
    case RUN_FAILED:
        return what_is_wrong_with_failed(r, d);
    case RUN_DEAD:
        return d->failed_policy == FAILED_RETRY_DLQ && retries_are_over(r, d) ? NULL
                                                                              : "is dead without a reason";
    case RUN_SKIPPED:
        return d->max_lateness_us >= 0 ? NULL : "was skipped without a limit of lateness";
    case RUN_CANCELLED:
        return account_may_be_given_up(r) ? NULL : "was cancelled without a reason";
    }
    return "is in no state";
}

static void account_run(struct world *w, const struct srun *r)
{
    const char *wrong = what_is_wrong(w, r);

    if (wrong)
        check_failed(w, "r%zu of s%zu %s", r->no, r->sched->no, wrong);
}

void account_all(struct world *w)
{
    read_runs(w);
    read_timers(w);
    for (size_t k = 0; k < w->runs_n && !w->failed; k++)
        account_run(w, w->runs[k]);
    for (size_t k = 0; k < w->scheds_n && !w->failed; k++) {
        for (size_t n = 0; n < w->scheds[k]->epochs_n && !w->failed; n++)
            account_epoch(w, w->scheds[k], &w->scheds[k]->epochs[n]);
    }
}
