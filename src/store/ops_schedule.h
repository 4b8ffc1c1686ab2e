/*
 * ops_schedule.h: what the API asks of a lane about schedules. Inputs are owned by the operation unless said
 * otherwise; each has a _new and a _free; free only what the lane has given back.
 */
#ifndef STORE_OPS_SCHEDULE_H
#define STORE_OPS_SCHEDULE_H

#include "store/lane.h"

/* Registers n definitions as one: POST /schedules, /schedules/batch. Each is answered alone. Writer lane. */
struct op_put_item {
    struct schedule *schedule; /* owned; NULL: this one was refused before, skip it */
    struct uuid ret_id;
    bool ret_created;
    int64_t ret_version;
    enum schedule_state ret_state;
    struct wall ret_next_at; /* first time it acts */
    enum err result;         /* ERR_NONE, or why this one was refused */
    struct wall made_at;     /* the operation's: of a try whose commit may not have come back */
};
struct op_put {
    struct op op;
    struct op_put_item *items;
    size_t n;
    bool by_id; /* PUT /schedules/{id}: n is 1 */
    struct uuid id;
    int64_t if_version; /* 0: any */
};
CHECKED enum err op_put_new(size_t n, op_done_fn done, struct op_put **ret, struct error *err);
void op_put_free(struct op_put *o);

/*
 * Deletes by id, or all that match the filter. Writer lane. What matches is looked for among REMOVE_LOOK
 * schedules, and up to about REMOVE_AT_ONCE are deleted, in one transaction; more are several, with others'
 * operations in between, so that a large deletion, or one that finds few among many, does not hold up the
 * lane: what is registered meanwhile may be deleted too, and a crash leaves a part, of which nobody was told.
 */
enum { REMOVE_AT_ONCE = 1000, REMOVE_LOOK = 5000 };
struct op_remove {
    struct op op;
    bool by_id;
    struct uuid id;
    int64_t if_version;
    struct filter filter; /* views must outlive the operation */
    int64_t ret_count;
    /* the operation's: where it stands with a filter, and what is committed of it */
    struct uuid reached;
    uint64_t parts;
    int64_t committed;
};
struct op_remove *op_remove_new(op_done_fn done);
void op_remove_free(struct op_remove *o);

/* Reader lane. */
struct op_get {
    struct op op;
    struct uuid id;
    bool by_client;
    struct schedule *identity; /* owned; when by_client: only hash and client are read */
    struct record ret;         /* owned */
};
struct op_get *op_get_new(op_done_fn done);
void op_get_free(struct op_get *o);

struct op_list {
    struct op op;
    struct filter filter; /* views must outlive the operation */
    struct record_list ret;
};
struct op_list *op_list_new(op_done_fn done);
void op_list_free(struct op_list *o);

/*
 * Pause, resume, trigger: each reads the record, applies model/timer, writes. Writer lane. To pause what is
 * paused, or resume what is active, changes nothing and succeeds; either of a finished schedule is
 * ERR_CONFLICT. A trigger makes a run whatever the state and whatever is open; it does not count towards
 * max_runs.
 */
enum op_act_kind { OP_PAUSE, OP_RESUME, OP_TRIGGER };
struct op_act {
    struct op op;
    enum op_act_kind kind;
    struct uuid id;
    int64_t if_version;
    const struct schedule_rules *rules; /* borrowed: decodes the stored definition; outlives the operation */
    struct record ret;                  /* after the act */
    struct run ret_run;                 /* OP_TRIGGER */
    struct wall made_at;                /* the operation's: of a try whose commit may not have come back */
};
struct op_act *op_act_new(op_done_fn done);
void op_act_free(struct op_act *o);

#endif
