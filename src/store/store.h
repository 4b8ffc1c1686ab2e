/*
 * store.h: what the engine and the API ask of a database, and what it promises them.
 *
 * One struct store is one connection and belongs to one lane thread. Every call is made between begin() and
 * commit() and takes a set: the cost is per call, not per row. A call that fails leaves the transaction to be
 * rolled back by its caller. Times are the store's clock (store_now()), which is the cluster's clock. Memory
 * that a call returns is the caller's. tests/contract/ runs the same cases over every implementation.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"
#include "model/run.h"
#include "model/schedule.h"
#include "model/timer.h"
#include "store/examine.h"
#include "store/notice.h"

struct store;

/* A schedule as the store keeps it: cold definition and hot timer side by side. */
struct record {
    struct uuid id;
    int64_t version; /* 1 at registration, +1 at each change of the definition, pause or resumption */
    struct wall created_at;
    struct wall updated_at;
    char *definition; /* terminated JSON text; owned */
    size_t definition_n;
    struct timer timer;
    enum run_state last_state; /* of the last run that ended */
    struct wall last_at;       /* when it ended; WALL_NEVER: none yet */
    int64_t open_runs;
};
void record_done(struct record *r); /* frees what it owns; fine on a zeroed one */
struct record_list {
    struct record *items;
    size_t n;
    size_t cap;
};
void record_list_done(struct record_list *l);

/* One registration. */
struct put {
    /* in; `schedule` is borrowed */
    const struct schedule *schedule;
    struct str definition; /* schedule_encode()d */
    struct timer timer;    /* timer_start() */
    struct uuid id;        /* for a new one, and the one to be replaced when `by_id` */
    bool by_id;         /* replace exactly `id`: ERR_NOT_FOUND, ERR_CONFLICT when the new identity is another
                           schedule's */
    int64_t if_version; /* 0: any; else ERR_PRECONDITION when it is not the current one */
    /* out */
    enum err result;
    struct uuid ret_id;
    bool ret_created;
    int64_t ret_version;
};

/* All set members must match. Absent: p NULL (client members, name), -1 (state). */
struct filter {
    struct str operation;
    struct str application;
    struct str group;
    struct str key;
    struct str type;
    struct str name_prefix;
    int state;         /* enum schedule_state or -1 */
    struct uuid after; /* keyset: ids greater than this; nil for the first page. Sorted by id, which is by
                          time of registration */
    size_t limit;
};
/* Everything matches: no filter but paging, or that a name begins with nothing. */
bool filter_is_empty(const struct filter *f);

/* A timer that is due, locked by this transaction, with what timer_plan() needs. */
struct due {
    struct uuid id;
    int64_t version;
    char *definition; /* owned */
    size_t definition_n;
    struct timer timer;
    int64_t open_runs;
    int64_t waiting_runs;
    /* Of the open ones, those under way of definitions before this one that were not due yet when this one
     * began (timer.started_at). */
    int64_t leaving_runs;
    /* The first occurrence from timer.occurs_at on of which a doomed run is open; WALL_NEVER: none. See
     * timer_hold(). */
    struct wall held_at;
};
struct due_list {
    struct due *items;
    size_t n;
    size_t cap;
    size_t max_bytes; /* in: of definitions, about; the first is given all the same. 0: any */
    bool cut;         /* out: more may be due than was given */
};
void due_list_done(struct due_list *l);

/* What a plan made of one due timer; written back by advance(). */
struct advance {
    struct uuid id;
    enum schedule_state before; /* as it is stored: active, as due() gives them, unless said otherwise */
    struct timer after;
    bool replace; /* end the open runs before inserting: pending and retrying ones cancelled, running ones
                     doomed */
    /* {0}: none. The doomed run of this occurrence, which timer_hold() took for its own, is owed: should it
     * turn out that it never began, it goes on as a run of the definition in force, doomed no more. Whatever
     * dooms it again ends that. */
    struct wall owed_at;
};
struct run_insert {
    struct run run;   /* state running with a lease, or pending (waits: due_at never) */
    struct str label; /* event_label() when its schedule keeps a history, else n 0; kept with the run */
};

/* A run on its way to the engine with its definition; run.unseen is filled in. */
struct taken {
    struct run run;
    char *definition; /* owned */
    size_t definition_n;
};
struct taken_list {
    struct taken *items;
    size_t n;
    size_t cap;
    size_t max_bytes; /* in: as in a due_list */
    size_t bytes;     /* of the definitions in .items */
};
bool taken_list_is_full(const struct taken_list *l);
void taken_list_done(struct taken_list *l);

struct lease {
    struct uuid instance;
    uint64_t token; /* fresh for this claim */
    struct wall until;
};

/* How an attempt, or a run that never had one, ended: from engine to store. */
struct outcome {
    /* in */
    struct uuid run_id;
    struct uuid schedule_id;
    int64_t schedule_version;
    uint64_t token;
    enum run_state
        to; /* succeeded, failed, dead, skipped, cancelled: ended; retrying; pending: handed back */
    struct wall due_at;       /* for retrying and pending */
    struct wall ended_at;     /* when the attempt ended, by the cluster's clock */
    int64_t failures;         /* after this attempt */
    bool attempted;           /* a request was sent */
    struct wall scheduled_at; /* of the run; for the history */
    int64_t attempt;          /* the number of this one; for the history */
    struct attempt_result result;
    const struct schedule *schedule; /* borrowed; for what timer_run_ended() decides */
    /* out */
    bool stale;            /* the token is not the current one: nothing was changed */
    enum run_state became; /* what it really became: a doomed run asked to retry becomes failed (attempted) or
                              cancelled */
    struct wall made_due;  /* the earliest moment at which this made something due: its retry, its schedule's
                              next  occurrence, the run that waited for it; WALL_NEVER: nothing */
};

/* An ended or open run as lists show it. */
struct run_record {
    struct run run;
    struct wall started_at; /* WALL_NEVER unknown */
    struct wall ended_at;   /* WALL_NEVER while open */
    int64_t took_us;        /* of the last attempt */
    int status;             /* of the last attempt */
    char error[ATTEMPT_TEXT_MAX];
};
struct run_record_list {
    struct run_record *items;
    size_t n;
    size_t cap;
};
void run_record_list_done(struct run_record_list *l);

struct run_filter {
    struct uuid schedule_id; /* nil: any */
    int state;               /* enum run_state or -1 */
    struct uuid
        before; /* keyset: run ids less than this; nil for the first page. Newest first: run ids are UUIDv7 */
    size_t limit;
};

/* What can be done to a run by hand. */
enum run_act_kind {
    RUN_REDRIVE, /* a dead one is pending again and due at once, by the definition in force; its failures are
                    counted anew, its attempts go on */
    RUN_DISCARD  /* a dead one, or one that waits for an attempt, ends as cancelled */
};
enum run_act_result {
    RUN_ACTED,
    RUN_UNKNOWN,
    RUN_NOT_NOW, /* its state does not allow it */
    RUN_ORPHAN,  /* redrive: its schedule was deleted */
    RUN_TAKEN    /* redrive: another open run has its identity */
};
struct run_act {
    struct uuid id;
    /* out */
    enum run_act_result result;
    struct run_record ret; /* as it is afterwards; not of an unknown one */
    struct wall made_due;  /* as outcome.made_due */
};

struct wall_list {
    struct wall *items;
    size_t n;
    size_t cap;
};
void wall_list_done(struct wall_list *l);

/* The answer to a request that carried an Idempotency-Key, kept to be given again. */
struct kept_answer {
    struct uuid key;     /* the digest of the key */
    struct uuid request; /* the digest of the request */
    struct wall at;
    char *text; /* NULL: none yet, it is being worked on; owned where a store returned it */
    size_t n;
};
void kept_answer_done(struct kept_answer *a);

struct store_stats {
    int64_t schedules[SCHEDULE_FINISHED + 1];
    int64_t runs[RUN_CANCELLED + 1]; /* open and dead ones */
};

struct uuid_list {
    struct uuid *items;
    size_t n;
    size_t cap;
};
void uuid_list_done(struct uuid_list *l);

/* An instance as the others see it. */
struct instance {
    struct uuid id;
    char *name;    /* owned, as the other texts */
    char *roles;   /* "api,worker,monitor" */
    char *version; /* of the program */
    struct wall started_at;
    struct wall heartbeat_at;
    int64_t expire_us; /* for how long after its heartbeat it is taken for alive, as it said itself */
    int64_t held;      /* runs it holds, likewise */
    bool is_monitor;
};
struct instance_list {
    struct instance *items;
    size_t n;
    size_t cap;
};
void instance_list_done(struct instance_list *l);

/* What an instance says of itself from time to time. */
struct heartbeat {
    struct uuid id;
    const char *name;
    const char *roles;
    const char *version;
    struct wall started_at; /* {0}: now, by the store's clock */
    int64_t held;
    int64_t expire_us;  /* silent for so long, it is forgotten */
    int64_t monitor_us; /* > 0: for so long it would be, or stay, the monitor; 0: it would not */
    bool leaves;        /* it is forgotten at once, and is the monitor no more */
};

/* An event that waits to be moved to the history database. */
struct outbox_item {
    int64_t n;
    char *text; /* owned; JSON, terminated */
    size_t text_n;
};
struct outbox_list {
    struct outbox_item *items;
    size_t n;
    size_t cap;
};
void outbox_list_done(struct outbox_list *l);

/* An event as the history database has it. */
struct history_row {
    struct uuid id; /* begins with its time */
    struct uuid schedule_id;
    int kind; /* enum history_kind */
    struct str text;
};
struct history_filter {
    struct uuid schedule_id; /* nil: any */
    int kind;                /* enum history_kind or -1 */
    struct wall from;        /* at or after; {INT64_MIN}: any */
    struct wall to;          /* before; WALL_NEVER: any */
    struct uuid before;      /* keyset: ids less than this; nil for the first page. Newest first */
    size_t limit;
};
struct history_item {
    struct uuid id;
    struct uuid schedule_id; /* of history_list_of(); nil of history_list() */
    char *text;              /* owned; JSON, terminated */
    size_t text_n;
};
struct history_list {
    struct history_item *items;
    size_t n;
    size_t cap;
};
void history_list_done(struct history_list *l);

/* A schedule on its way from another database: src/move/. */
struct moved_schedule {
    /* in; borrowed */
    const struct schedule *schedule;
    const struct record *record; /* all of it but open_runs */
    /* out, of look_moved() */
    bool id_taken;    /* a schedule with this id is there */
    struct uuid same; /* the one that has this identity; nil: none has */
    bool busy;        /* an instance holds a run of the one or the other */
};

/* A run that is open or dead, with all that its row says but whose lease it has. */
struct moved_run {
    struct run_record record;
    bool doomed;
    bool owed;        /* a doomed one: advance.owed_at */
    struct str label; /* in: as run_insert.label */
};
struct moved_run_list {
    struct moved_run *items;
    size_t n;
    size_t cap;
};
void moved_run_list_done(struct moved_run_list *l);

struct moved_page {
    bool dead; /* these by (schedule, id), else the open ones by (schedule, scheduled_at) */
    /* keyset: behind this one; nil, {INT64_MIN} and nil for the first page */
    struct uuid schedule_id;
    struct wall scheduled_at;
    struct uuid id;
    size_t limit;
};

struct store_ops {
    const char *name; /* for logs and metrics: "sqlite", "postgres", "memory", "faulty" */

    CHECKED enum err (*begin)(struct store *s, bool writes, struct error *err);
    CHECKED enum err (*commit)(struct store *s, struct error *err); /* failed: outcome unknown, ask again */
    void (*rollback)(struct store *s);
    CHECKED enum err (*now)(struct store *s, struct wall *ret, struct error *err);
    CHECKED enum err (*ping)(struct store *s, struct error *err);
    void (*close)(struct store *s);

    /* Registers or replaces, in order: of two with one identity the last wins. Each is judged alone
     * (put.result). */
    CHECKED enum err (*put)(struct store *s, struct put *puts, size_t n, struct wall now, struct error *err);
    /*
     * Looks at f->limit schedules behind f->after, or fewer, and deletes those that match; open runs end as
     * for outcome/replacement (pending and retrying: cancelled, running: doomed). So its work is bounded also
     * where few of many match. *ret_reached is the last that it looked at; nil: there is nothing behind.
     */
    CHECKED enum err (*remove)(struct store *s, const struct filter *f, struct wall now,
                               struct uuid_list *ret, struct uuid *ret_reached, struct error *err);
    CHECKED enum err (*remove_id)(struct store *s, struct uuid id, int64_t if_version, struct wall now,
                                  struct error *err);
    /* Writes a timer changed by hand (pause, resume); bumps the version; `cancel_runs` as for a deletion. */
    CHECKED enum err (*set_timer)(struct store *s, struct uuid id, int64_t if_version, const struct timer *t,
                                  bool cancel_runs, struct wall now, int64_t *ret_version, struct error *err);
    /* Makes a run by hand: its scheduled_at moves on by 1 µs while the identity is taken. */
    CHECKED enum err (*insert_run)(struct store *s, struct run_insert *run, struct error *err);

    CHECKED enum err (*get)(struct store *s, struct uuid id, struct record *ret,
                            struct error *err); /* ERR_NOT_FOUND */
    CHECKED enum err (*get_by_client)(struct store *s, const struct schedule *identity, struct record *ret,
                                      struct error *err);
    CHECKED enum err (*list)(struct store *s, const struct filter *f, struct record_list *ret,
                             struct error *err);
    CHECKED enum err (*get_run)(struct store *s, struct uuid id, struct run_record *ret, struct error *err);
    CHECKED enum err (*list_runs)(struct store *s, const struct run_filter *f, struct run_record_list *ret,
                                  struct error *err);
    CHECKED enum err (*stats)(struct store *s, struct store_stats *ret, struct error *err);
    /*
     * Of many at once; `ids` are sorted and differ. get_many(): what is there, sorted by id. list_runs_of():
     * a page of each of these schedules as list_runs() gives it, in the order of `ids`. More than `most` rows
     * in all: ERR_TOO_LARGE, and the transaction goes on.
     */
    CHECKED enum err (*get_many)(struct store *s, const struct uuid *ids, size_t n, struct record_list *ret,
                                 struct error *err);
    CHECKED enum err (*list_runs_of)(struct store *s, const struct uuid *ids, size_t n,
                                     const struct run_filter *f, size_t most, struct run_record_list *ret,
                                     struct error *err);

    /* Claiming. Locks (no row goes to two) and reads timers with next_at <= until, earliest first. */
    CHECKED enum err (*due)(struct store *s, struct wall until, size_t limit, struct due_list *ret,
                            struct error *err);
    CHECKED enum err (*advance)(struct store *s, const struct advance *a, size_t n, struct wall now,
                                struct error *err);
    /*
     * Never fails for a taken identity: while an open run (a doomed one of an older definition, say) has it,
     * the new run's scheduled_at moves on by 1 µs, here and in `runs`. Ended and dead runs do not count.
     */
    CHECKED enum err (*insert_runs)(struct store *s, struct run_insert *runs, size_t n, struct error *err);
    /*
     * Takes runs whose due_at <= until (pending, retrying), and running ones whose lease ended before `now`,
     * under the new lease, attempt + 1. Doomed ones whose lease ended are ended as cancelled, not taken.
     */
    CHECKED enum err (*retake)(struct store *s, const struct lease *lease, struct wall now, struct wall until,
                               size_t limit, struct taken_list *ret, struct error *err);
    /* The earliest moment anything is due that is leased to nobody, or a lease ends; WALL_NEVER when nothing
     * waits. */
    CHECKED enum err (*next_due)(struct store *s, struct wall *ret, struct error *err);

    /*
     * Records outcomes. One whose lease token is stale changes nothing and is marked so. Ended runs move to
     * run_log (dead ones stay), the schedule's last outcome is set, timer_run_ended() is applied, and the
     * oldest run that waits for its predecessor becomes due when no other is open. A run handed back
     * unattempted gives its attempt number back.
     *
     * timer_run_ended() needs the definition in force. `schedule` of a doomed run is an older one: for such a
     * run timer_doomed_ended() is applied instead. retake() does the same.
     */
    CHECKED enum err (*complete)(struct store *s, struct outcome *outcomes, size_t n, struct wall now,
                                 struct error *err);
    /* Prolongs leases of `instance` with these (run, token); ret_lost names those that are no longer ours (or
     * doomed: *not* lost). */
    CHECKED enum err (*renew)(struct store *s, const struct uuid *runs, const uint64_t *tokens, size_t n,
                              struct wall until, struct uuid_list *ret_lost, struct error *err);

    /*
     * By hand. Each run is judged alone, as it is now; ids must differ. Of several dead ones with one
     * identity one is redriven.
     */
    CHECKED enum err (*act_runs)(struct store *s, enum run_act_kind kind, struct run_act *acts, size_t n,
                                 struct wall now, struct error *err);
    /*
     * The occurrences in from <= t < to that this schedule has a run of, sorted: open, dead or ended, but for
     * those that were never carried through (skipped, cancelled). Not of runs that retention has removed.
     */
    CHECKED enum err (*times_run)(struct store *s, struct uuid schedule_id, struct wall from, struct wall to,
                                  struct wall_list *ret, struct error *err);
    /* The oldest run of this schedule that waits for its predecessor is due now, when no other is open. */
    CHECKED enum err (*release)(struct store *s, struct uuid schedule_id, struct wall now, bool *ret,
                                struct error *err);
    /*
     * Answers that are given again. get_answer() holds the key until the transaction ends: ERR_CONFLICT when
     * another instance has it at this moment, ERR_NOT_FOUND when nothing is kept. put_answer() adds or
     * replaces.
     */
    CHECKED enum err (*get_answer)(struct store *s, struct uuid key, struct kept_answer *ret,
                                   struct error *err);
    CHECKED enum err (*put_answer)(struct store *s, const struct kept_answer *a, struct error *err);
    CHECKED enum err (*trim_answers)(struct store *s, struct wall before, size_t limit, size_t *ret_n,
                                     struct error *err);
    /* Removes what is left when all schedules are removed: dead and ended runs, kept answers. Each call at
     * most `limit` rows of each kind; *ret_runs, *ret_n: runs, and rows in all. */
    CHECKED enum err (*clear)(struct store *s, size_t limit, size_t *ret_runs, size_t *ret_n,
                              struct error *err);

    /* Upkeep, each bounded by `limit` rows; *ret_n what was done. */

    /*
     * Looks at the `limit` schedules that finished longest ago, before `before`, and removes those without a
     * run that is open, or dead and not handled: that needs its definition. The others count as finished at
     * `now`, so that they are not in the way the next time. *ret_more: there may be more.
     */
    CHECKED enum err (*remove_finished)(struct store *s, struct wall before, struct wall now, size_t limit,
                                        size_t *ret_n, bool *ret_more, struct error *err);
    CHECKED enum err (*trim_runs)(struct store *s, struct wall ok_before, struct wall failed_before,
                                  size_t limit, size_t *ret_n, struct error *err);
    CHECKED enum err (*get_meta)(struct store *s, const char *key, struct buf *ret,
                                 struct error *err); /* ERR_NOT_FOUND */
    CHECKED enum err (*set_meta)(struct store *s, const char *key, struct str value, struct error *err);
    /* Between transactions, from time to time: whatever the store wants done (checkpoints). */
    void (*upkeep)(struct store *s);

    /* What a doctor asks, in a transaction that only reads: see examine.h. inspect() of a history database
     * too. */
    CHECKED enum err (*examine)(struct store *s, const struct examination *x, struct breaches *ret,
                                struct error *err);
    CHECKED enum err (*inspect)(struct store *s, enum inspection what, struct inspected *ret,
                                struct error *err); /* ERR_UNSUPPORTED: there is no such thing here */

    /* Tells the journal of these open or dead runs, as cancelled ones are told of. Only where there is one.
     */
    CHECKED enum err (*trace_runs)(struct store *s, const struct uuid *runs, size_t n, struct error *err);

    /*
     * Events on their way to the history database. take(): the oldest behind `after`; on a store that is
     * shared they are locked until the transaction ends, and what others have locked is left out; elsewhere
     * it may be called in a transaction that only reads. size(): how many wait, about, without counting them.
     */
    CHECKED enum err (*outbox_add)(struct store *s, const struct str *texts, size_t n, struct error *err);
    CHECKED enum err (*outbox_take)(struct store *s, int64_t after, size_t limit, struct outbox_list *ret,
                                    struct error *err);
    CHECKED enum err (*outbox_remove)(struct store *s, const int64_t *ns, size_t n, struct error *err);
    CHECKED enum err (*outbox_size)(struct store *s, int64_t *ret, struct error *err);

    /*
     * A history database has these and what transactions need, and nothing of the above; other stores have
     * none of these. add(): what is there already (by id) is left as it is. trim(): removes what is older, at
     * most `limit` rows; *ret_n how many.
     */
    CHECKED enum err (*history_add)(struct store *s, const struct history_row *rows, size_t n,
                                    struct error *err);
    CHECKED enum err (*history_list)(struct store *s, const struct history_filter *f,
                                     struct history_list *ret, struct error *err);
    /* As list_runs_of(). */
    CHECKED enum err (*history_list_of)(struct store *s, const struct uuid *ids, size_t n,
                                        const struct history_filter *f, size_t most, struct history_list *ret,
                                        struct error *err);
    CHECKED enum err (*history_trim)(struct store *s, struct wall before, size_t limit, size_t *ret_n,
                                     struct error *err);

    /*
     * Moving to and from another database. NULL in stores that end with their process.
     */

    /* Open or dead runs, of schedules that are there and of others. */
    CHECKED enum err (*list_moved)(struct store *s, const struct moved_page *p, struct moved_run_list *ret,
                                   struct error *err);
    /* What is in the way of these; may be called in a transaction that only reads. */
    CHECKED enum err (*look_moved)(struct store *s, struct moved_schedule *m, size_t n, struct wall now,
                                   struct error *err);
    /* Adds them with ids, versions, times and counters as they are. No two have one id or identity. ERR_BUSY:
     * another instance's registration came in the way since look_moved(). */
    CHECKED enum err (*add_moved)(struct store *s, const struct moved_schedule *m, size_t n, struct wall now,
                                  struct error *err);
    /*
     * Adds runs; running ones under a lease that has ended, so that they are retaken at once. One that is
     * there already (its id in a run, its identity in an open one) is left as it is. One that ended here:
     * `again`, it is brought back, else left alone too. *ret_n: how many were added.
     */
    CHECKED enum err (*add_moved_runs)(struct store *s, const struct moved_run *runs, size_t n, bool again,
                                       size_t *ret_n, struct error *err);

    /*
     * For stores that several instances share. NULL in those that one process has to itself, where there is
     * nobody to be told, no other to be elected, and no notice that says `all`.
     */

    /* Tells the other instances, when the transaction commits. Called last in it. */
    CHECKED enum err (*notify)(struct store *s, const struct notice *n, struct wall now, struct error *err);
    /*
     * Says that this instance lives, and for how long it is the monitor when no other is; lists the living.
     * Alone among the calls it may be made outside of a transaction too: it is one statement, so that an
     * idle instance costs the database next to nothing. *ret_now: the store's clock.
     */
    CHECKED enum err (*heartbeat)(struct store *s, const struct heartbeat *h, struct instance_list *ret,
                                  struct wall *ret_now, struct error *err);
    /* The living. */
    CHECKED enum err (*instances)(struct store *s, struct wall now, struct instance_list *ret,
                                  struct error *err);
    /* Of these runs, those that are doomed; and of those, the ones whose place a newer run took
     * (advance.replace): others were doomed by a change of their schedule. */
    CHECKED enum err (*doomed)(struct store *s, const struct uuid *runs, size_t n, struct uuid_list *ret,
                               struct uuid_list *ret_replaced, struct error *err);
};

struct journal;
struct store {
    const struct store_ops *ops; /* an implementation embeds struct store as its first member */
    /*
     * Where events are noted: its lane's, which sets it; NULL: nobody does. Calls that end schedules or runs
     * on their own (put, remove, set_timer, advance, retake) tell it of them: journal_trace_*().
     */
    struct journal *journal;
};

/* Callers use these thin wrappers, never s->ops themselves. */
#include "store/store_calls.h"

#endif
