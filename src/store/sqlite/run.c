/*
 * run.c: runs are made, and their leases prolonged.
 */
#include "store/grow.h"
#include "store/sqlite/ops.h"
#include "store/sqlite/rows.h"

/* How far an identity may be moved: each step is an open run that has it, and they are few. */
enum { NUDGE_MAX = 10000 };

/* Moves `run->scheduled_at` on while an open run has it. */
static enum err insert(struct sqlite_store *s, struct run_insert *in, struct error *err)
{
    struct run *run = &in->run;
    QUERY(q, s, Q_RUN_INSERT);

    for (int i = 0; i < NUDGE_MAX; i++) {
        int64_t made;
        enum err e;

        bind_uuid(&q, &run->id);
        bind_uuid(&q, &run->schedule_id);
        bind_i64(&q, run->schedule_version);
        bind_i64(&q, run->scheduled_at.us);
        bind_wall(&q, run->due_at);
        bind_i64(&q, (int64_t)run->state);
        bind_i64(&q, run->attempt);
        bind_i64(&q, run->failures);
        bind_i64(&q, (int64_t)run->lease_token);
        bind_i64(&q, run->lease_until.us);
        bind_i64(&q, run->by_hand_at.us);
        bind_str(&q, in->label);
        e = query_run(&q, &made, err);
        if (e || made > 0)
            return e;
        run->scheduled_at = wall_add(run->scheduled_at, 1);
        query_again(&q);
    }
    return error_set(err, ERR_CONFLICT, NULL, "too many open runs at one time of one schedule");
}

enum err sqlite_insert_runs(struct store *store, struct run_insert *runs, size_t n, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);

    for (size_t i = 0; i < n; i++) {
        enum err e = insert(s, &runs[i], err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err sqlite_insert_run(struct store *store, struct run_insert *run, struct error *err)
{
    return insert(sqlite_of(store), run, err);
}

enum err sqlite_renew(struct store *store, const struct uuid *runs, const uint64_t *tokens, size_t n,
                      struct wall until, struct uuid_list *ret_lost, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_RENEW);

    for (size_t i = 0; i < n; i++) {
        int64_t renewed;
        enum err e;

        query_again(&q);
        bind_i64(&q, until.us);
        bind_uuid(&q, &runs[i]);
        bind_i64(&q, (int64_t)tokens[i]);
        e = query_run(&q, &renewed, err);
        if (e)
            return e;
        if (renewed > 0)
            continue;
        e = LIST_RESERVE(ret_lost, err);
        if (e)
            return e;
        ret_lost->items[ret_lost->n++] = runs[i];
    }
    return ERR_NONE;
}
