/*
 * rows.h: the tables of the store in memory, and changing them so that it can be undone.
 *
 * A row is never changed while it is linked: an edit makes a copy, changes that and swaps the two. So what a
 * transaction did is a list of rows added and rows removed, and undoing it is going back through that list.
 */
#ifndef STORE_MEMORY_ROWS_H
#define STORE_MEMORY_ROWS_H

#include <pthread.h>

#include "store/memory/memory.h"
#include "store/memory/tree.h"

enum row_kind { ROW_SCHEDULE, ROW_TIMER, ROW_RUN, ROW_META, ROW_ANSWER, ROW_OUTBOX };
struct row {
    enum row_kind kind;
};

/* Cold: written when somebody changes the definition. The views are into text. */
struct schedule_row {
    struct row row;
    struct tree_node by_id;
    struct tree_node by_client;
    struct uuid id;
    struct client_hash hash;
    struct client client;
    struct str name;
    struct str definition;
    char text[];
};

struct timer_row {
    struct row row;
    struct tree_node by_id;
    struct tree_node by_due; /* active with a next_at */
    struct tree_node by_end; /* finished */
    uint64_t seq;            /* when it was first made: tells equal times apart */
    struct uuid id;
    int64_t version;
    struct wall created_at;
    struct wall updated_at;
    struct wall finished_at;
    struct timer timer;
    enum run_state last_state;
    struct wall last_at;
};

/* Open, dead and ended runs alike. */
struct run_row {
    struct row row;
    struct tree_node by_id;
    struct tree_node by_schedule; /* then by id */
    struct tree_node by_identity; /* open ones: schedule, scheduled_at */
    struct tree_node by_due;      /* pending and retrying with a due_at */
    struct tree_node by_lease;    /* running */
    struct tree_node by_end;      /* ended, dead ones excepted */
    uint64_t seq;
    struct run run;
    struct uuid owner;
    bool doomed;   /* its schedule was deleted, replaced or paused, or a newer run took its place */
    bool replaced; /* that a newer run did */
    bool owed;     /* see advance.owed_at */
    struct wall started_at;
    struct wall ended_at;
    int64_t took_us;
    int status;
    char error[ATTEMPT_TEXT_MAX];
    size_t label_n;
    char label[];
};

/* An event that waits for the history. */
struct outbox_row {
    struct row row;
    struct tree_node by_n;
    int64_t n;
    struct str text;
    char bytes[];
};

struct meta_row {
    struct row row;
    struct tree_node by_key;
    struct str key;
    struct str value;
    char text[];
};

struct answer_row {
    struct row row;
    struct tree_node by_key;
    struct tree_node by_at;
    struct uuid key;
    struct uuid request;
    struct wall at;
    struct str text; /* p NULL: none yet */
    char held[];
};

struct undo {
    struct row *row;
    bool added;
};

struct memory_db {
    struct memory_options options;
    struct journal *journal; /* of the connection that writes */
    pthread_mutex_t lock;    /* held from begin to commit or rollback; guards all below */
    uint64_t seq;
    struct undo *undo;
    size_t undo_n;
    size_t undo_cap;
    struct tree schedules; /* by_id */
    struct tree clients;   /* by_client */
    struct tree timers;    /* by_id */
    struct tree timers_due;
    struct tree timers_ended;
    struct tree runs; /* by_id */
    struct tree runs_by_schedule;
    struct tree runs_open; /* by_identity */
    struct tree runs_due;
    struct tree runs_leased;
    struct tree runs_ended;
    struct tree metas;
    struct tree answers;
    struct tree answers_by_at;
    struct tree outbox; /* by_n */
    int64_t outbox_last;
};

void rows_init(struct memory_db *db);
void rows_done(struct memory_db *db); /* frees every row */

/* --- changing; on failure a row given is freed and nothing has changed --- */
CHECKED enum err rows_add(struct memory_db *db, struct row *row, struct error *err);
CHECKED enum err rows_remove(struct memory_db *db, struct row *row, struct error *err);
CHECKED enum err rows_swap(struct memory_db *db, struct row *old, struct row *new_row, struct error *err);
/* A copy to be changed and given to rows_swap(). */
CHECKED enum err rows_copy_timer(const struct timer_row *t, struct timer_row **ret, struct error *err);
CHECKED enum err rows_copy_run(const struct run_row *r, struct run_row **ret, struct error *err);
CHECKED enum err rows_new_schedule(struct uuid id, const struct schedule *s, struct str definition,
                                   struct schedule_row **ret, struct error *err);
CHECKED enum err rows_new_run(struct str label, struct run_row **ret, struct error *err); /* zeroed */
CHECKED enum err rows_new_outbox(struct memory_db *db, struct str text, struct outbox_row **ret,
                                 struct error *err);
CHECKED enum err rows_new_meta(struct str key, struct str value, struct meta_row **ret, struct error *err);
CHECKED enum err rows_new_answer(const struct kept_answer *a, struct answer_row **ret, struct error *err);
void rows_commit(struct memory_db *db);
void rows_rollback(struct memory_db *db);

/* --- finding; NULL: none --- */
struct schedule_row *rows_schedule(const struct memory_db *db, struct uuid id);
struct schedule_row *rows_schedule_by_client(const struct memory_db *db, const struct schedule *identity);
struct timer_row *rows_timer(const struct memory_db *db, struct uuid id);
struct run_row *rows_run(const struct memory_db *db, struct uuid id);
struct meta_row *rows_meta(const struct memory_db *db, struct str key);
struct answer_row *rows_answer(const struct memory_db *db, struct uuid key);
/* The first behind `n`. */
struct outbox_row *rows_outbox_after(const struct memory_db *db, int64_t n);
/* The open runs of a schedule by scheduled_at. */
struct run_row *rows_first_open(const struct memory_db *db, struct uuid schedule_id);
struct run_row *rows_next_open(const struct run_row *r);
struct run_row *rows_open_at(const struct memory_db *db, struct uuid schedule_id, struct wall scheduled_at);
bool rows_run_waits(const struct run_row *r); /* for its predecessor */

#define ROW_OF(node, type, member) ((node) ? CONTAINER_OF(node, struct type, member) : NULL)

#endif
