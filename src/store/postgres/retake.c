/*
 * retake.c: runs that wait for nobody any more, and runs whose holder is gone, get a new lease.
 *
 * Nothing here waits for a lock: what another instance has is found by a later claim.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/str.h"
#include "store/grow.h"
#include "store/postgres/ops.h"

static enum err lock_runs(struct postgres_store *s, struct wall now, struct wall until, size_t limit,
                          size_t max_bytes, PGresult **ret, struct error *err)
{
    struct args *a = link_args(&s->link);

    args_i64(a, now.us);
    args_i64(a, until.us);
    args_i64(a, (int64_t)limit);
    args_i64(a, max_bytes > 0 ? (int64_t)max_bytes : INT64_MAX);
    return link_ask(&s->link, Q_RETAKE_LOCK, ret, err);
}

/* Column `col` of all rows as the next parameter. */
static void args_column(struct args *a, const PGresult *r, int col)
{
    size_t ids = args_array(a, ARG_UUID);

    for (size_t i = 0; i < row_n(r); i++)
        args_add_uuid(a, ids, row_uuid(r, i, col));
}

static enum err take(struct postgres_store *s, const struct lease *lease, const PGresult *locked,
                     PGresult **ret, struct error *err)
{
    struct args *a = link_args(&s->link);

    args_column(a, locked, 0);
    args_uuid(a, lease->instance);
    args_i64(a, (int64_t)lease->token);
    args_i64(a, lease->until.us);
    return link_ask(&s->link, Q_RETAKE, ret, err);
}

static enum err add_taken(const PGresult *r, struct taken_list *ret, struct error *err)
{
    for (size_t i = 0; i < row_n(r); i++) {
        struct taken t = {0};
        int at = row_run(r, i, 0, &t.run);
        enum err e = LIST_RESERVE(ret, err);

        t.run.unseen = row_i64(r, i, at) != 0;
        if (!e)
            e = row_copy(r, i, at + 1, &t.definition, &t.definition_n, err);
        if (e)
            return e;
        ret->items[ret->n++] = t;
        ret->bytes += t.definition_n;
    }
    return ERR_NONE;
}

static int earliest_first(const void *a, const void *b)
{
    const struct taken *x = a;
    const struct taken *y = b;

    if (x->run.due_at.us != y->run.due_at.us)
        return x->run.due_at.us < y->run.due_at.us ? -1 : 1;
    return uuid_cmp(x->run.id, y->run.id);
}

/* --- doomed ones, and those left without a definition: not to be tried again --- */

/* Whose timer is there, but another instance has it. */
static bool is_busy(const PGresult *existing, const PGresult *locked, struct uuid schedule)
{
    size_t at;

    return row_find(existing, 0, schedule, &at) && !row_find(locked, 0, schedule, &at);
}

static enum err end_them(struct postgres_store *s, const PGresult *orphans, const PGresult *existing,
                         const PGresult *locked, struct wall now, struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct outcome *o;
    size_t n = 0;
    enum err e;

    e = alloc_array(row_n(orphans), sizeof(*o), &p, err);
    if (e)
        return e;
    o = p;
    for (size_t i = 0; i < row_n(orphans); i++) {
        struct uuid schedule = row_uuid(orphans, i, 1);

        if (is_busy(existing, locked, schedule))
            continue;
        o[n] = (struct outcome){
            .run_id = row_uuid(orphans, i, 0),
            .schedule_id = schedule,
            .to = RUN_CANCELLED,
            .due_at = WALL_NEVER,
            .ended_at = now,
            .failures = row_i64(orphans, i, 2),
            .result = {.error = "its holder was lost after its schedule had changed"},
        };
        n++;
    }
    e = postgres_end(s, o, n, now, err);
    for (size_t i = 0; !e && i < row_n(orphans); i++) {
        struct run run = {.id = row_uuid(orphans, i, 0),
                          .schedule_id = row_uuid(orphans, i, 1),
                          .scheduled_at = row_wall(orphans, i, 3),
                          .attempt = row_i64(orphans, i, 4)};

        if (!is_busy(existing, locked, run.schedule_id))
            e = journal_trace_cancelled(s->store.journal, &run, row_str(orphans, i, 5), err);
    }
    return e;
}

/* `ids` are locked. */
static enum err end_orphans(struct postgres_store *s, const struct uuid_list *ids, struct wall now,
                            struct error *err)
{
    RESULT(orphans);
    RESULT(locked);
    RESULT(existing);
    struct args *a;
    enum err e;

    args_uuids(link_args(&s->link), ids->items, ids->n);
    e = link_ask(&s->link, Q_ORPHANS, &orphans, err);
    if (e)
        return e;
    a = link_args(&s->link);
    args_column(a, orphans, 1);
    e = link_ask(&s->link, Q_ENDS_TIMERS_FREE, &locked, err);
    if (e)
        return e;
    a = link_args(&s->link);
    args_column(a, orphans, 1);
    e = link_ask(&s->link, Q_EXISTING, &existing, err);
    return e ? e : end_them(s, orphans, existing, locked, now, err);
}

static enum err gather_orphans(const PGresult *locked, const struct taken_list *taken, size_t first,
                               struct uuid_list *ret, struct error *err)
{
    struct map is_taken;
    enum err e = ERR_NONE;

    map_init(&is_taken);
    for (size_t i = first; !e && i < taken->n; i++)
        e = map_put(&is_taken, taken->items[i].run.id, ret, err); /* any value says that it is there */
    for (size_t i = 0; !e && i < row_n(locked); i++) {
        if (map_get(&is_taken, row_uuid(locked, i, 0)))
            continue;
        e = LIST_RESERVE(ret, err);
        if (!e)
            ret->items[ret->n++] = row_uuid(locked, i, 0);
    }
    map_done(&is_taken);
    return e;
}

enum err postgres_retake(struct store *store, const struct lease *lease, struct wall now, struct wall until,
                         size_t limit, struct taken_list *ret, struct error *err)
{
    CLEANUP(uuid_list_done) struct uuid_list orphans = {0};
    struct postgres_store *s = postgres_of(store);
    size_t first = ret->n;
    RESULT(locked);
    RESULT(taken);
    enum err e;

    e = lock_runs(s, now, until, limit, ret->max_bytes, &locked, err);
    if (e || row_n(locked) == 0)
        return e;
    e = take(s, lease, locked, &taken, err);
    if (!e)
        e = add_taken(taken, ret, err);
    if (e)
        return e;
    if (ret->n - first > 1)
        qsort(ret->items + first, ret->n - first, sizeof(ret->items[0]), earliest_first);
    if (ret->n - first == row_n(locked))
        return ERR_NONE;
    e = gather_orphans(locked, ret, first, &orphans, err);
    return e ? e : end_orphans(s, &orphans, now, err);
}
