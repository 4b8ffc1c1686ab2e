/*
 * ops.h: the PostgreSQL store's calls, by the file that holds each. What they promise is in store.h.
 */
#ifndef STORE_POSTGRES_OPS_H
#define STORE_POSTGRES_OPS_H

#include "store/postgres/conn.h"

/* put.c */
CHECKED enum err postgres_put(struct store *s, struct put *puts, size_t n, struct wall now,
                              struct error *err);
/* schedule.c */
CHECKED enum err postgres_set_timer(struct store *s, struct uuid id, int64_t if_version,
                                    const struct timer *t, bool cancel_runs, struct wall now,
                                    int64_t *ret_version, struct error *err);
CHECKED enum err postgres_remove(struct store *s, const struct filter *f, struct wall now,
                                 struct uuid_list *ret, struct uuid *ret_reached, struct error *err);
CHECKED enum err postgres_remove_id(struct store *s, struct uuid id, int64_t if_version, struct wall now,
                                    struct error *err);
CHECKED enum err postgres_remove_finished(struct store *s, struct wall before, struct wall now, size_t limit,
                                          size_t *ret_n, bool *ret_more, struct error *err);
/* list.c */
CHECKED enum err postgres_get(struct store *s, struct uuid id, struct record *ret, struct error *err);
CHECKED enum err postgres_get_by_client(struct store *s, const struct schedule *identity, struct record *ret,
                                        struct error *err);
CHECKED enum err postgres_list(struct store *s, const struct filter *f, struct record_list *ret,
                               struct error *err);
CHECKED enum err postgres_get_many(struct store *s, const struct uuid *ids, size_t n, struct record_list *ret,
                                   struct error *err);
CHECKED enum err postgres_stats(struct store *s, struct store_stats *ret, struct error *err);
/* Sends the filter's statement for ids alone; *slot as in link_send(). */
CHECKED enum err postgres_ask_ids(struct postgres_store *s, const struct filter *f, PGresult **slot,
                                  struct error *err);
/* list_runs.c */
CHECKED enum err postgres_get_run(struct store *s, struct uuid id, struct run_record *ret, struct error *err);
CHECKED enum err postgres_list_runs(struct store *s, const struct run_filter *f, struct run_record_list *ret,
                                    struct error *err);
CHECKED enum err postgres_list_runs_of(struct store *s, const struct uuid *ids, size_t n,
                                       const struct run_filter *f, size_t most, struct run_record_list *ret,
                                       struct error *err);
/* due.c */
CHECKED enum err postgres_due(struct store *s, struct wall until, size_t limit, struct due_list *ret,
                              struct error *err);
CHECKED enum err postgres_advance(struct store *s, const struct advance *a, size_t n, struct wall now,
                                  struct error *err);
CHECKED enum err postgres_next_due(struct store *s, struct wall *ret, struct error *err);
/* run.c */
CHECKED enum err postgres_insert_runs(struct store *s, struct run_insert *runs, size_t n, struct error *err);
CHECKED enum err postgres_insert_run(struct store *s, struct run_insert *run, struct error *err);
CHECKED enum err postgres_renew(struct store *s, const struct uuid *runs, const uint64_t *tokens, size_t n,
                                struct wall until, struct uuid_list *ret_lost, struct error *err);
CHECKED enum err postgres_doomed(struct store *s, const struct uuid *runs, size_t n, struct uuid_list *ret,
                                 struct uuid_list *ret_replaced, struct error *err);
/* retake.c */
CHECKED enum err postgres_retake(struct store *s, const struct lease *lease, struct wall now,
                                 struct wall until, size_t limit, struct taken_list *ret, struct error *err);
/* complete.c */
CHECKED enum err postgres_complete(struct store *s, struct outcome *outcomes, size_t n, struct wall now,
                                   struct error *err);
/* The same without looking at tokens, for runs that retake() ends. Their timers are locked already. */
CHECKED enum err postgres_end(struct postgres_store *s, struct outcome *outcomes, size_t n, struct wall now,
                              struct error *err);
/* hand.c */
CHECKED enum err postgres_act_runs(struct store *s, enum run_act_kind kind, struct run_act *acts, size_t n,
                                   struct wall now, struct error *err);
CHECKED enum err postgres_times_run(struct store *s, struct uuid schedule_id, struct wall from,
                                    struct wall to, struct wall_list *ret, struct error *err);
CHECKED enum err postgres_release(struct store *s, struct uuid schedule_id, struct wall now, bool *ret,
                                  struct error *err);
/* answer.c */
CHECKED enum err postgres_get_answer(struct store *s, struct uuid key, struct kept_answer *ret,
                                     struct error *err);
CHECKED enum err postgres_put_answer(struct store *s, const struct kept_answer *a, struct error *err);
CHECKED enum err postgres_trim_answers(struct store *s, struct wall before, size_t limit, size_t *ret_n,
                                       struct error *err);
CHECKED enum err postgres_clear(struct store *s, size_t limit, size_t *ret_runs, size_t *ret_n,
                                struct error *err);
/* outbox.c */
CHECKED enum err postgres_trace_runs(struct store *s, const struct uuid *runs, size_t n, struct error *err);
CHECKED enum err postgres_outbox_add(struct store *s, const struct str *texts, size_t n, struct error *err);
CHECKED enum err postgres_outbox_take(struct store *s, int64_t after, size_t limit, struct outbox_list *ret,
                                      struct error *err);
CHECKED enum err postgres_outbox_remove(struct store *s, const int64_t *ns, size_t n, struct error *err);
CHECKED enum err postgres_outbox_size(struct store *s, int64_t *ret, struct error *err);
/* moved.c */
CHECKED enum err postgres_list_moved(struct store *s, const struct moved_page *p, struct moved_run_list *ret,
                                     struct error *err);
CHECKED enum err postgres_look_moved(struct store *s, struct moved_schedule *m, size_t n, struct wall now,
                                     struct error *err);
CHECKED enum err postgres_add_moved(struct store *s, const struct moved_schedule *m, size_t n,
                                    struct wall now, struct error *err);
CHECKED enum err postgres_add_moved_runs(struct store *s, const struct moved_run *runs, size_t n, bool again,
                                         size_t *ret_n, struct error *err);
/* history.c: of a history database */
CHECKED enum err postgres_history_add(struct store *s, const struct history_row *rows, size_t n,
                                      struct error *err);
CHECKED enum err postgres_history_list(struct store *s, const struct history_filter *f,
                                       struct history_list *ret, struct error *err);
CHECKED enum err postgres_history_list_of(struct store *s, const struct uuid *ids, size_t n,
                                          const struct history_filter *f, size_t most,
                                          struct history_list *ret, struct error *err);
CHECKED enum err postgres_history_trim(struct store *s, struct wall before, size_t limit, size_t *ret_n,
                                       struct error *err);
/* meta.c */
CHECKED enum err postgres_trim_runs(struct store *s, struct wall ok_before, struct wall failed_before,
                                    size_t limit, size_t *ret_n, struct error *err);
CHECKED enum err postgres_get_meta(struct store *s, const char *key, struct buf *ret, struct error *err);
CHECKED enum err postgres_set_meta(struct store *s, const char *key, struct str value, struct error *err);
/* instance.c */
CHECKED enum err postgres_heartbeat(struct store *s, const struct heartbeat *h, struct instance_list *ret,
                                    struct wall *ret_now, struct error *err);
CHECKED enum err postgres_instances(struct store *s, struct wall now, struct instance_list *ret,
                                    struct error *err);
/* notify.c */
CHECKED enum err postgres_notify(struct store *s, const struct notice *n, struct wall now, struct error *err);

/* examine.c */
CHECKED enum err postgres_examine(struct store *s, const struct examination *x, struct breaches *ret,
                                  struct error *err);
CHECKED enum err postgres_inspect(struct store *s, enum inspection what, struct inspected *ret,
                                  struct error *err);

#endif
