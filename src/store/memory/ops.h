/*
 * ops.h: the calls of the store in memory, by the file that holds each. What they promise is in store.h.
 */
#ifndef STORE_MEMORY_OPS_H
#define STORE_MEMORY_OPS_H

#include "store/memory/rows.h"

struct memory_store {
    struct store base;
    struct memory_db *db;
    bool may_write;
    enum memory_tx { TX_NONE, TX_READ, TX_WRITE } tx;
};

/* The database, for a call that reads (writes); the calls of store.h are made in a transaction. */
struct memory_db *memory_read(struct store *s);
struct memory_db *memory_write(struct store *s);

/* put.c */
CHECKED enum err memory_put(struct store *s, struct put *puts, size_t n, struct wall now, struct error *err);
CHECKED enum err memory_set_timer(struct store *s, struct uuid id, int64_t if_version, const struct timer *t,
                                  bool cancel_runs, struct wall now, int64_t *ret_version, struct error *err);
CHECKED enum err memory_remove(struct store *s, const struct filter *f, struct wall now,
                               struct uuid_list *ret, struct uuid *ret_reached, struct error *err);
CHECKED enum err memory_remove_id(struct store *s, struct uuid id, int64_t if_version, struct wall now,
                                  struct error *err);
CHECKED enum err memory_remove_finished(struct store *s, struct wall before, struct wall now, size_t limit,
                                        size_t *ret_n, bool *ret_more, struct error *err);
/* Changes a timer by way of a copy. `t` becomes the row that stands now. */
CHECKED enum err memory_write_timer(struct memory_db *db, struct timer_row **t, const struct timer *timer,
                                    struct wall now, struct error *err);
/* Why runs are given up. */
enum memory_end { END_CHANGED, END_REPLACED };
/* Waiting runs end as cancelled, running ones are doomed. */
CHECKED enum err memory_end_open(struct memory_db *db, struct uuid schedule_id, enum memory_end why,
                                 struct wall now, struct error *err);

/* list.c */
bool memory_matches(const struct memory_db *db, const struct schedule_row *row, const struct filter *f);
CHECKED enum err memory_get(struct store *s, struct uuid id, struct record *ret, struct error *err);
CHECKED enum err memory_get_by_client(struct store *s, const struct schedule *identity, struct record *ret,
                                      struct error *err);
CHECKED enum err memory_list(struct store *s, const struct filter *f, struct record_list *ret,
                             struct error *err);
CHECKED enum err memory_get_run(struct store *s, struct uuid id, struct run_record *ret, struct error *err);
CHECKED enum err memory_list_runs(struct store *s, const struct run_filter *f, struct run_record_list *ret,
                                  struct error *err);
CHECKED enum err memory_stats(struct store *s, struct store_stats *ret, struct error *err);

/* due.c */
struct open_count {
    int64_t open;
    int64_t waiting;     /* of those */
    struct wall held_at; /* the first from `occurrence` on of which a doomed one is */
};
struct open_count memory_count_open(const struct memory_db *db, struct uuid schedule_id,
                                    struct wall occurrence);
CHECKED enum err memory_due(struct store *s, struct wall until, size_t limit, struct due_list *ret,
                            struct error *err);
CHECKED enum err memory_advance(struct store *s, const struct advance *a, size_t n, struct wall now,
                                struct error *err);
CHECKED enum err memory_insert_runs(struct store *s, struct run_insert *runs, size_t n, struct error *err);
CHECKED enum err memory_insert_run(struct store *s, struct run_insert *run, struct error *err);
CHECKED enum err memory_retake(struct store *s, const struct lease *lease, struct wall now, struct wall until,
                               size_t limit, struct taken_list *ret, struct error *err);
CHECKED enum err memory_next_due(struct store *s, struct wall *ret, struct error *err);

/* complete.c */
CHECKED enum err memory_complete(struct store *s, struct outcome *outcomes, size_t n, struct wall now,
                                 struct error *err);
CHECKED enum err memory_doomed(struct store *s, const struct uuid *runs, size_t n, struct uuid_list *ret,
                               struct uuid_list *ret_replaced, struct error *err);
CHECKED enum err memory_renew(struct store *s, const struct uuid *runs, const uint64_t *tokens, size_t n,
                              struct wall until, struct uuid_list *ret_lost, struct error *err);
/*
 * `r` has ended: its schedule's last outcome, its timer, the run that waited. `definition`: its own, or NULL
 * when it is not at hand; of a doomed run it is not the one in force. What became due is put into *made_due.
 */
CHECKED enum err memory_after_end(struct memory_db *db, const struct run_row *r,
                                  const struct schedule *definition, struct wall now, struct wall *made_due,
                                  struct error *err);

/* The oldest that waits is due now; there must be one. */
CHECKED enum err memory_release_waiting(struct memory_db *db, struct uuid schedule_id, struct wall now,
                                        struct error *err);

/* hand.c */
CHECKED enum err memory_act_runs(struct store *s, enum run_act_kind kind, struct run_act *acts, size_t n,
                                 struct wall now, struct error *err);
CHECKED enum err memory_times_run(struct store *s, struct uuid schedule_id, struct wall from, struct wall to,
                                  struct wall_list *ret, struct error *err);
CHECKED enum err memory_release(struct store *s, struct uuid schedule_id, struct wall now, bool *ret,
                                struct error *err);
/* answer.c */
CHECKED enum err memory_get_answer(struct store *s, struct uuid key, struct kept_answer *ret,
                                   struct error *err);
CHECKED enum err memory_put_answer(struct store *s, const struct kept_answer *a, struct error *err);
CHECKED enum err memory_trim_answers(struct store *s, struct wall before, size_t limit, size_t *ret_n,
                                     struct error *err);
CHECKED enum err memory_clear(struct store *s, size_t limit, size_t *ret_runs, size_t *ret_n,
                              struct error *err);
/* outbox.c */
CHECKED enum err memory_trace_runs(struct store *s, const struct uuid *runs, size_t n, struct error *err);
CHECKED enum err memory_outbox_add(struct store *s, const struct str *texts, size_t n, struct error *err);
CHECKED enum err memory_outbox_take(struct store *s, int64_t after, size_t limit, struct outbox_list *ret,
                                    struct error *err);
CHECKED enum err memory_outbox_remove(struct store *s, const int64_t *ns, size_t n, struct error *err);
CHECKED enum err memory_outbox_size(struct store *s, int64_t *ret, struct error *err);
/* A run that ended on its own: for the journal. */
CHECKED enum err memory_trace_cancelled(struct memory_db *db, const struct run_row *r, struct error *err);

/* examine.c */
CHECKED enum err memory_examine(struct store *s, const struct examination *x, struct breaches *ret,
                                struct error *err);
CHECKED enum err memory_inspect(struct store *s, enum inspection what, struct inspected *ret,
                                struct error *err);

/* meta.c */
CHECKED enum err memory_trim_runs(struct store *s, struct wall ok_before, struct wall failed_before,
                                  size_t limit, size_t *ret_n, struct error *err);
CHECKED enum err memory_get_meta(struct store *s, const char *key, struct buf *ret, struct error *err);
CHECKED enum err memory_set_meta(struct store *s, const char *key, struct str value, struct error *err);

#endif
