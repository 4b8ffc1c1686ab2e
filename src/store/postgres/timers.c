/*
 * timers.c: see timers.h.
 */
#include "store/postgres/timers.h"

#include "store/journal.h"

struct args *timer_args(struct postgres_store *s, struct wall now)
{
    struct args *a = link_args(&s->link);

    args_i64(a, now.us);
    (void)args_array(a, ARG_UUID);
    for (size_t i = 0; i < 5 + MISSED_N; i++)
        (void)args_array(a, ARG_I64);
    return a;
}

void timer_args_add(struct args *a, struct uuid id, const struct timer *t)
{
    args_add_uuid(a, 1, id);
    args_add_i64(a, 2, (int64_t)t->state);
    args_add_wall(a, 3, t->next_at);
    args_add_wall(a, 4, t->occurs_at);
    args_add_i64(a, 5, t->started_at.us);
    args_add_i64(a, 6, t->runs);
    for (size_t i = 0; i < MISSED_N; i++)
        args_add_i64(a, 7 + i, t->missed[i]);
}

enum err timers_trace_runs(struct postgres_store *s, const PGresult *r, struct error *err)
{
    for (size_t i = 0; i < row_n(r); i++) {
        struct run run = {.id = row_uuid(r, i, 0),
                          .schedule_id = row_uuid(r, i, 1),
                          .scheduled_at = row_wall(r, i, 2),
                          .attempt = row_i64(r, i, 3)};
        enum err e = journal_trace_cancelled(s->store.journal, &run, row_str(r, i, 4), err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err timers_end_runs(struct postgres_store *s, const struct uuid *ids, size_t n, enum timers_end why,
                         struct wall now, struct error *err)
{
    const struct journal *j = s->store.journal;
    RESULT(cancelled);
    struct args *a;
    enum err e;

    if (n == 0)
        return ERR_NONE;
    a = link_args(&s->link);
    args_uuids(a, ids, n);
    args_i64(a, now.us);
    args_i64(a, why == END_CHANGED);
    args_i64(a, j && j->listened);
    e = link_send(&s->link, Q_OPEN_CANCEL, j ? &cancelled : NULL, err);
    if (e)
        return e;
    a = link_args(&s->link);
    args_uuids(a, ids, n);
    args_i64(a, why == END_REPLACED);
    e = link_send(&s->link, Q_OPEN_DOOM, NULL, err);
    if (e || !j)
        return e;
    e = link_sync(&s->link, err);
    return e ? e : timers_trace_runs(s, cancelled, err);
}
