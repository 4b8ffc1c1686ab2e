/*
 * core_internal.h: what the core is inside, for its own files and nobody else.
 *
 *   core.c         inputs, the list of actions, when to wake
 *   core_held.c    a held run's places and states: held_set_state() is the one door
 *   core_run.c     what moves it: its moment, the end of its attempt, a change, the drain
 *   core_target.c  whose turn it is when several wait for a place
 *   core_claim.c   when to claim
 *   core_record.c  outcomes, gathered into groups
 *   core_lease.c   renewals
 *   core_doom.c    what may have been given up unheard
 *
 * Every input does what is its own, then calls core_step(), which looks at everything that time or room may
 * have made possible. Actions are wishes until they are read: what they carry is put together by
 * core_next_action(), so all inputs of one turn of the loop go into one record, one renewal.
 */
#ifndef ENGINE_CORE_INTERNAL_H
#define ENGINE_CORE_INTERNAL_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "engine/core.h"
#include "model/target.h"

#define MONO_NEVER ((struct mono){INT64_MAX})

/*
 * HELD_BEHIND: claimed anew (its lease had run out) while an outcome of the same run is being recorded. It
 * must not start before that record is answered: the answer tells whether the run is over.
 */
#define HELD_STATE_LIST(X)                                                                                   \
    X(HELD_NEW)       /* being taken in */                                                                   \
    X(HELD_WAITING)   /* for its moment, in the heap */                                                      \
    X(HELD_BEHIND)    /* for the answer to a record of the same run */                                       \
    X(HELD_DUE)       /* its moment has come: in its target's queue, for a place there */                    \
    X(HELD_IN_FLIGHT) /* its attempt is under way */                                                         \
    X(HELD_ABORTING)  /* its attempt was given up, the end of it is still to come */                         \
    X(HELD_ENDED)     /* its outcome waits to be recorded */                                                 \
    X(HELD_RECORDING) /* its outcome is in the record that is out */                                         \
    X(HELD_GONE)      /* let go of; freed at once */
#define X(value) value,
enum held_state { HELD_STATE_LIST(X) };
#undef X
enum { HELD_STATES_N = HELD_GONE + 1 };

/* Why an attempt was given up; says what becomes of its run when the target's answer did not come first. */
enum abort_reason {
    ABORT_NONE,
    ABORT_REPLACED, /* a newer run took its place: cancelled */
    ABORT_LOST,     /* the lease passed on: handed back, which the store will refuse as stale */
    ABORT_DRAIN,    /* no time left: handed back, to be delivered again elsewhere */
};

/* An action that is wished for. Lies in the list of actions until it is read. */
struct wish {
    struct list node;
    enum core_action_kind kind;
};

struct held {
    struct run run;
    struct schedule *schedule; /* a counted reference */
    void *user;
    size_t bytes; /* of the definition */
    enum held_state state;
    enum abort_reason aborted;
    bool replaces; /* older runs of its schedule were given up for it, and the notice of that is still to come
                    */
    uint64_t claim_no; /* the claim that brought it last */

    struct target *target; /* whom it calls */
    struct mono started;   /* from HELD_IN_FLIGHT on */

    struct heap_node due; /* HELD_WAITING: in core.waiting by due_at */
    /* HELD_DUE: target.queue; HELD_IN_FLIGHT: target.flying; HELD_ENDED: core_records.ended; HELD_RECORDING:
     * core_records.out */
    struct list in_state;
    struct list by_age;   /* core_leases.held */
    struct list siblings; /* the ring of held runs of one schedule; core.by_schedule points to one of them */
    struct wish start;    /* unread CORE_START */
    struct wish abort;    /* unread CORE_ABORT */
    struct list suspect;  /* core_dooms.suspects or .out */
    struct held *twin;    /* of a HELD_RECORDING one: the HELD_BEHIND one of the same run; and the way back */

    struct mono lease_end; /* by our own clock, from when we asked: never later than the store thinks */
    struct mono renew_at;
    uint64_t renew_token; /* sent in the renewal that is out; 0: not in it */

    struct core_outcome outcome; /* from HELD_ENDED on; .run and .schedule are filled in when sent */
};

enum asking { ASK_NOT, ASK_WISHED, ASK_OUT };

struct core_changed {
    struct uuid schedule_id;
    int64_t version;
};

/* core_claim.c */
struct core_claims {
    enum asking asking;
    struct wish wish;
    uint64_t no;          /* of the claim that is out, or of the last */
    size_t limit;         /* of that one */
    struct wall next_due; /* the earliest thing known that nobody holds */
    struct wall noticed;  /* the same, told while a claim is out, which may or may not have seen it */
    int64_t lead_us;      /* how long before next_due to claim */
    struct mono sent_at;
    struct wall sent_wall;
    struct mono not_before; /* after a failure: backoff */
    struct mono pause_end;  /* after an answer that did not bring what was said to be due; a notice ends it */
    int64_t backoff_us;
    int64_t pause_us;
    /* told while a claim is out, which may bring runs from before the change */
    struct core_changed *changed;
    size_t changed_n;
    size_t changed_cap;
    bool changed_lost;   /* there were more than could be kept */
    bool changed_missed; /* there were some that nobody named */
};

/* core_record.c */
struct core_records {
    enum asking asking;
    struct wish wish;
    struct list ended; /* held.in_state, oldest first */
    struct list out;   /* the same order as outcomes */
    struct core_outcome *outcomes;
    size_t cap;
    size_t out_n;
    struct mono not_before;
    int64_t backoff_us;
};

/* core_lease.c */
struct core_leases {
    enum asking asking;
    struct wish wish;
    struct list held; /* held.by_age: all that is held, by renew_at */
    struct uuid *runs;
    uint64_t *tokens;
    size_t cap;
    size_t out_n;
    struct mono sent_at;
    struct mono not_before;
    int64_t backoff_us;
};

/* core_run.c: how long to keep from attempts that could not be made for want of descriptors or memory. */
struct core_want {
    int64_t backoff_us; /* 0 since the last attempt that was made */
    struct mono until;
};

/* core_target.c: one that somebody is held for. */
struct target {
    struct uuid key;
    size_t users;       /* held runs */
    size_t places;      /* attempts under way at most */
    size_t in_flight;   /* HELD_IN_FLIGHT and HELD_ABORTING */
    struct list flying; /* HELD_IN_FLIGHT, the oldest start first */
    struct list queue;  /* HELD_DUE, the earliest first */
    size_t queued;
    size_t queued_bytes;
    struct list queueing;   /* core_targets.queueing: .queue is not empty */
    struct list ready;      /* core_targets.ready: one of .queue could start now */
    struct heap_node until; /* core_targets.refused: none may start before that; by mono µs */
    int64_t took_us;        /* by attempts that ended, smoothed */
    struct wall back_at;    /* when the run that was handed back last comes again */
};

struct core_targets {
    struct map by_key;
    struct list ready; /* in the order of their turns */
    struct list queueing;
    struct heap refused;
    struct mono look_at;
};

/* core_doom.c */
struct core_dooms {
    enum asking asking;
    struct wish wish;
    struct list suspects; /* held.suspect: to be asked about */
    struct list out;      /* the same, in the question that is out */
    struct uuid *runs;
    size_t cap;
    struct mono not_before;
    int64_t backoff_us;
};

enum core_phase { CORE_RUNNING, CORE_DRAINING };

struct core {
    struct core_options options;
    struct core_now now; /* of the last input */
    enum core_phase phase;
    struct mono doubt_until; /* nothing starts before that: the wall clock may be wrong */
    struct list wishes;      /* struct wish, oldest first */
    size_t count[HELD_STATES_N];
    size_t bytes;           /* of what is held, but for what is only being recorded */
    struct map by_run;      /* run id: the newest held of it */
    struct map by_schedule; /* schedule id: one of the ring */
    struct heap waiting;
    struct core_targets targets;
    struct core_claims claims;
    struct core_records records;
    struct core_leases leases;
    struct core_dooms dooms;
    struct core_want want;
    struct core_stats stats;
};

/* core.c */
void core_enter(struct core *c, struct core_now now);
void core_step(struct core *c);
void core_wish(struct core *c, struct wish *w, enum core_action_kind kind);
void core_unwish(struct wish *w);
size_t core_held(const struct core *c);
/* min(twice `us`, 30 times the configured backoff); after 0 comes the configured one. */
int64_t core_next_backoff(const struct core *c, int64_t us);

/* core_held.c */
void held_free(struct held *h);
/* Takes in what a claim brought. */
void held_take(struct core *c, struct core_claimed *item);
void held_set_state(struct core *c, struct held *h, enum held_state to);
/* To HELD_WAITING; without memory for its place in the heap it is dropped. */
void held_wait(struct core *c, struct held *h);
/* HELD_WAITING, HELD_BEHIND, HELD_DUE. */
bool held_has_not_started(const struct held *h);
/* Lets go of it unrecorded: its lease runs out and somebody claims it again. */
void held_drop(struct core *c, struct held *h);
/* The outcome of `h` is durable. */
void held_recorded(struct core *c, struct held *h);
/* The outcome of `h` may not have counted: if its run was claimed anew meanwhile, it goes on under that
 * lease. */
bool held_inherit(struct core *c, struct held *h);
/* `fn` may let go of the one it is given, of no other. */
void held_each(struct core *c, void (*fn)(struct core *c, struct held *h));
void held_each_of_schedule(struct core *c, struct uuid schedule_id, int64_t arg,
                           void (*fn)(struct core *c, struct held *h, int64_t arg));

/* core_run.c */
bool held_may_start(const struct core *c);
/* Whether it is still to start; if not, it was let go of, put back or ended. */
bool held_is_fit(struct core *c, struct held *h);
/* Recorded as pending until `due_at`; no attempt is counted. */
void held_hand_back(struct core *c, struct held *h, struct wall due_at);
/* Gives up the attempt of `h`, if one is under way. */
void held_abort(struct core *c, struct held *h, enum abort_reason why);
void held_apply_change(struct core *c, struct uuid schedule_id, int64_t version);
/* The runs of the schedule from earlier claims were given up. */
void held_replace(struct core *c, struct uuid schedule_id);
/* One that has not started will not: it is cancelled. */
void held_refuse_start(struct core *c, struct held *h);
void held_drain(struct core *c);
/* What the last claim brought does not start. */
void held_hand_back_claim(struct core *c);
void held_abort_all(struct core *c);

/* core_target.c */
void targets_init(struct core *c);
void targets_done(struct core *c);
/* NULL: no memory. */
struct target *target_use(struct core *c, const struct schedule *s);
void target_leave(struct core *c, struct target *t); /* NULL is fine */
void target_queue_up(struct core *c, struct held *h);
void target_queue_leave(struct core *c, struct held *h);
void target_fly(struct core *c, struct held *h);
void target_landed(struct core *c, struct held *h);
/* Starts what is due and may; hands back what would wait too long. */
void targets_step(struct core *c);
struct mono targets_wake_at(const struct core *c);

/* core_claim.c */
void claims_init(struct core *c);
void claims_done(struct core *c);
void claims_due(struct core *c, struct wall earliest);
void claims_step(struct core *c);
bool claims_read(struct core *c, struct core_action *ret);
struct core_wake claims_wake_at(const struct core *c);
void claims_remember_change(struct core *c, struct uuid schedule_id, int64_t version);
void claims_remember_missed_changes(struct core *c);

/* core_record.c */
CHECKED enum err records_init(struct core *c, struct error *err);
void records_done(struct core *c);
void records_step(struct core *c);
bool records_read(struct core *c, struct core_action *ret);
struct mono records_wake_at(const struct core *c);

/* core_doom.c */
CHECKED enum err dooms_init(struct core *c, struct error *err);
void dooms_done(struct core *c);
void dooms_suspect_all(struct core *c);
void dooms_suspect_schedule(struct core *c, struct uuid schedule_id);
void dooms_step(struct core *c);
bool dooms_read(struct core *c, struct core_action *ret);
struct mono dooms_wake_at(const struct core *c);

/* core_lease.c */
CHECKED enum err leases_init(struct core *c, struct error *err);
void leases_done(struct core *c);
/* The lease of `h` was given by a call asked for at `asked`. */
void leases_given(struct core *c, struct held *h, struct mono asked);
bool leases_good(const struct core *c, const struct held *h);
void leases_step(struct core *c);
bool leases_read(struct core *c, struct core_action *ret);
struct mono leases_wake_at(const struct core *c);
/* All of them are to be renewed now. */
void leases_hurry(struct core *c);

#endif
