/*
 * store_calls.h: the calls of store.h as functions. Included by store.h and by nobody else.
 */
#ifndef STORE_STORE_CALLS_H
#define STORE_STORE_CALLS_H

#ifndef STORE_STORE_H
#include "store/store.h"
#endif

CHECKED static inline enum err store_begin(struct store *s, bool writes, struct error *err)
{
    return s->ops->begin(s, writes, err);
}

CHECKED static inline enum err store_commit(struct store *s, struct error *err)
{
    return s->ops->commit(s, err);
}

static inline void store_rollback(struct store *s)
{
    s->ops->rollback(s);
}

CHECKED static inline enum err store_now(struct store *s, struct wall *ret, struct error *err)
{
    return s->ops->now(s, ret, err);
}

CHECKED static inline enum err store_ping(struct store *s, struct error *err)
{
    return s->ops->ping(s, err);
}

/* NULL is fine. */
static inline void store_close(struct store *s)
{
    if (s)
        s->ops->close(s);
}
CLEANUP_FN(struct store, store_close)

CHECKED static inline enum err store_put(struct store *s, struct put *puts, size_t n, struct wall now,
                                         struct error *err)
{
    return s->ops->put(s, puts, n, now, err);
}

CHECKED static inline enum err store_remove(struct store *s, const struct filter *f, struct wall now,
                                            struct uuid_list *ret, struct uuid *ret_reached,
                                            struct error *err)
{
    return s->ops->remove(s, f, now, ret, ret_reached, err);
}

CHECKED static inline enum err store_remove_id(struct store *s, struct uuid id, int64_t if_version,
                                               struct wall now, struct error *err)
{
    return s->ops->remove_id(s, id, if_version, now, err);
}

CHECKED static inline enum err store_set_timer(struct store *s, struct uuid id, int64_t if_version,
                                               const struct timer *t, bool cancel_runs, struct wall now,
                                               int64_t *ret_version, struct error *err)
{
    return s->ops->set_timer(s, id, if_version, t, cancel_runs, now, ret_version, err);
}

CHECKED static inline enum err store_insert_run(struct store *s, struct run_insert *run, struct error *err)
{
    return s->ops->insert_run(s, run, err);
}

CHECKED static inline enum err store_get(struct store *s, struct uuid id, struct record *ret,
                                         struct error *err)
{
    return s->ops->get(s, id, ret, err);
}

CHECKED static inline enum err store_get_by_client(struct store *s, const struct schedule *identity,
                                                   struct record *ret, struct error *err)
{
    return s->ops->get_by_client(s, identity, ret, err);
}

CHECKED static inline enum err store_list(struct store *s, const struct filter *f, struct record_list *ret,
                                          struct error *err)
{
    return s->ops->list(s, f, ret, err);
}

CHECKED static inline enum err store_get_run(struct store *s, struct uuid id, struct run_record *ret,
                                             struct error *err)
{
    return s->ops->get_run(s, id, ret, err);
}

CHECKED static inline enum err store_list_runs(struct store *s, const struct run_filter *f,
                                               struct run_record_list *ret, struct error *err)
{
    return s->ops->list_runs(s, f, ret, err);
}

CHECKED static inline enum err store_stats(struct store *s, struct store_stats *ret, struct error *err)
{
    return s->ops->stats(s, ret, err);
}

CHECKED static inline enum err store_get_many(struct store *s, const struct uuid *ids, size_t n,
                                              struct record_list *ret, struct error *err)
{
    return s->ops->get_many(s, ids, n, ret, err);
}

CHECKED static inline enum err store_list_runs_of(struct store *s, const struct uuid *ids, size_t n,
                                                  const struct run_filter *f, size_t most,
                                                  struct run_record_list *ret, struct error *err)
{
    return s->ops->list_runs_of(s, ids, n, f, most, ret, err);
}

CHECKED static inline enum err store_due(struct store *s, struct wall until, size_t limit,
                                         struct due_list *ret, struct error *err)
{
    return s->ops->due(s, until, limit, ret, err);
}

CHECKED static inline enum err store_advance(struct store *s, const struct advance *a, size_t n,
                                             struct wall now, struct error *err)
{
    return s->ops->advance(s, a, n, now, err);
}

CHECKED static inline enum err store_insert_runs(struct store *s, struct run_insert *runs, size_t n,
                                                 struct error *err)
{
    return s->ops->insert_runs(s, runs, n, err);
}

CHECKED static inline enum err store_retake(struct store *s, const struct lease *lease, struct wall now,
                                            struct wall until, size_t limit, struct taken_list *ret,
                                            struct error *err)
{
    return s->ops->retake(s, lease, now, until, limit, ret, err);
}

CHECKED static inline enum err store_next_due(struct store *s, struct wall *ret, struct error *err)
{
    return s->ops->next_due(s, ret, err);
}

CHECKED static inline enum err store_complete(struct store *s, struct outcome *outcomes, size_t n,
                                              struct wall now, struct error *err)
{
    return s->ops->complete(s, outcomes, n, now, err);
}

CHECKED static inline enum err store_renew(struct store *s, const struct uuid *runs, const uint64_t *tokens,
                                           size_t n, struct wall until, struct uuid_list *ret_lost,
                                           struct error *err)
{
    return s->ops->renew(s, runs, tokens, n, until, ret_lost, err);
}

CHECKED static inline enum err store_act_runs(struct store *s, enum run_act_kind kind, struct run_act *acts,
                                              size_t n, struct wall now, struct error *err)
{
    return s->ops->act_runs(s, kind, acts, n, now, err);
}

CHECKED static inline enum err store_times_run(struct store *s, struct uuid schedule_id, struct wall from,
                                               struct wall to, struct wall_list *ret, struct error *err)
{
    return s->ops->times_run(s, schedule_id, from, to, ret, err);
}

CHECKED static inline enum err store_release(struct store *s, struct uuid schedule_id, struct wall now,
                                             bool *ret, struct error *err)
{
    return s->ops->release(s, schedule_id, now, ret, err);
}

CHECKED static inline enum err store_get_answer(struct store *s, struct uuid key, struct kept_answer *ret,
                                                struct error *err)
{
    return s->ops->get_answer(s, key, ret, err);
}

CHECKED static inline enum err store_put_answer(struct store *s, const struct kept_answer *a,
                                                struct error *err)
{
    return s->ops->put_answer(s, a, err);
}

CHECKED static inline enum err store_trim_answers(struct store *s, struct wall before, size_t limit,
                                                  size_t *ret_n, struct error *err)
{
    return s->ops->trim_answers(s, before, limit, ret_n, err);
}

CHECKED static inline enum err store_clear(struct store *s, size_t limit, size_t *ret_runs, size_t *ret_n,
                                           struct error *err)
{
    return s->ops->clear(s, limit, ret_runs, ret_n, err);
}

CHECKED static inline enum err store_remove_finished(struct store *s, struct wall before, struct wall now,
                                                     size_t limit, size_t *ret_n, bool *ret_more,
                                                     struct error *err)
{
    return s->ops->remove_finished(s, before, now, limit, ret_n, ret_more, err);
}

CHECKED static inline enum err store_trim_runs(struct store *s, struct wall ok_before,
                                               struct wall failed_before, size_t limit, size_t *ret_n,
                                               struct error *err)
{
    return s->ops->trim_runs(s, ok_before, failed_before, limit, ret_n, err);
}

CHECKED static inline enum err store_get_meta(struct store *s, const char *key, struct buf *ret,
                                              struct error *err)
{
    return s->ops->get_meta(s, key, ret, err);
}

CHECKED static inline enum err store_set_meta(struct store *s, const char *key, struct str value,
                                              struct error *err)
{
    return s->ops->set_meta(s, key, value, err);
}

static inline void store_upkeep(struct store *s)
{
    s->ops->upkeep(s);
}

CHECKED static inline enum err store_examine(struct store *s, const struct examination *x,
                                             struct breaches *ret, struct error *err)
{
    return s->ops->examine(s, x, ret, err);
}

CHECKED static inline enum err store_inspect(struct store *s, enum inspection what, struct inspected *ret,
                                             struct error *err)
{
    return s->ops->inspect(s, what, ret, err);
}

/* Nothing where nobody keeps a journal. */
CHECKED static inline enum err store_trace_runs(struct store *s, const struct uuid *runs, size_t n,
                                                struct error *err)
{
    return s->journal && n > 0 ? s->ops->trace_runs(s, runs, n, err) : ERR_NONE;
}

CHECKED static inline enum err store_outbox_add(struct store *s, const struct str *texts, size_t n,
                                                struct error *err)
{
    return s->ops->outbox_add(s, texts, n, err);
}

CHECKED static inline enum err store_outbox_take(struct store *s, int64_t after, size_t limit,
                                                 struct outbox_list *ret, struct error *err)
{
    return s->ops->outbox_take(s, after, limit, ret, err);
}

CHECKED static inline enum err store_outbox_remove(struct store *s, const int64_t *ns, size_t n,
                                                   struct error *err)
{
    return s->ops->outbox_remove(s, ns, n, err);
}

CHECKED static inline enum err store_outbox_size(struct store *s, int64_t *ret, struct error *err)
{
    return s->ops->outbox_size(s, ret, err);
}

CHECKED static inline enum err store_history_add(struct store *s, const struct history_row *rows, size_t n,
                                                 struct error *err)
{
    return s->ops->history_add(s, rows, n, err);
}

CHECKED static inline enum err store_history_list(struct store *s, const struct history_filter *f,
                                                  struct history_list *ret, struct error *err)
{
    return s->ops->history_list(s, f, ret, err);
}

CHECKED static inline enum err store_history_list_of(struct store *s, const struct uuid *ids, size_t n,
                                                     const struct history_filter *f, size_t most,
                                                     struct history_list *ret, struct error *err)
{
    return s->ops->history_list_of(s, ids, n, f, most, ret, err);
}

CHECKED static inline enum err store_history_trim(struct store *s, struct wall before, size_t limit,
                                                  size_t *ret_n, struct error *err)
{
    return s->ops->history_trim(s, before, limit, ret_n, err);
}

CHECKED static inline enum err store_list_moved(struct store *s, const struct moved_page *p,
                                                struct moved_run_list *ret, struct error *err)
{
    return s->ops->list_moved(s, p, ret, err);
}

CHECKED static inline enum err store_look_moved(struct store *s, struct moved_schedule *m, size_t n,
                                                struct wall now, struct error *err)
{
    return n > 0 ? s->ops->look_moved(s, m, n, now, err) : ERR_NONE;
}

CHECKED static inline enum err store_add_moved(struct store *s, const struct moved_schedule *m, size_t n,
                                               struct wall now, struct error *err)
{
    return n > 0 ? s->ops->add_moved(s, m, n, now, err) : ERR_NONE;
}

CHECKED static inline enum err store_add_moved_runs(struct store *s, const struct moved_run *runs, size_t n,
                                                    bool again, size_t *ret_n, struct error *err)
{
    *ret_n = 0;
    return n > 0 ? s->ops->add_moved_runs(s, runs, n, again, ret_n, err) : ERR_NONE;
}

/* Nothing where there is nobody to be told. */
CHECKED static inline enum err store_notify(struct store *s, const struct notice *n, struct wall now,
                                            struct error *err)
{
    return s->ops->notify ? s->ops->notify(s, n, now, err) : ERR_NONE;
}

/* ERR_UNSUPPORTED where there is one instance. */
CHECKED static inline enum err store_heartbeat(struct store *s, const struct heartbeat *h,
                                               struct instance_list *ret, struct wall *ret_now,
                                               struct error *err)
{
    if (!s->ops->heartbeat)
        return error_set(err, ERR_UNSUPPORTED, s->ops->name, "this store is one instance's");
    return s->ops->heartbeat(s, h, ret, ret_now, err);
}

/* The same. */
CHECKED static inline enum err store_instances(struct store *s, struct wall now, struct instance_list *ret,
                                               struct error *err)
{
    if (!s->ops->instances)
        return error_set(err, ERR_UNSUPPORTED, s->ops->name, "this store is one instance's");
    return s->ops->instances(s, now, ret, err);
}

/* None where there is one instance. */
CHECKED static inline enum err store_doomed(struct store *s, const struct uuid *runs, size_t n,
                                            struct uuid_list *ret, struct uuid_list *ret_replaced,
                                            struct error *err)
{
    return s->ops->doomed && n > 0 ? s->ops->doomed(s, runs, n, ret, ret_replaced, err) : ERR_NONE;
}

#endif
