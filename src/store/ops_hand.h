/*
 * ops_hand.h: what people ask of the writer lane beside changing schedules: runs redriven or discarded, past
 * occurrences made up for, everything removed.
 *
 * What is large is done in parts, each a transaction, with others' operations in between.
 */
#ifndef STORE_OPS_HAND_H
#define STORE_OPS_HAND_H

#include "store/lane.h"

/*
 * Runs by their ids, each judged alone, in one transaction; or (redrive only) those that match a filter,
 * newest first, in parts, at most `limit`. A crash leaves a part, of which nobody was told.
 */
enum { RUN_ACTS_PART = 1000 };
struct op_run_act {
    struct op op;
    enum run_act_kind kind;
    struct run_act *acts; /* owned; their ids are set by the submitter, and differ */
    size_t n;
    bool by_filter;
    struct run_filter filter; /* its state is RUN_DEAD; views and limit are the operation's */
    size_t limit;             /* by_filter */
    int64_t ret_done;
    int64_t ret_refused;
    bool ret_more; /* by_filter: there are more than `limit` */
    /* the operation's */
    struct wall made_at; /* of a try whose commit may not have come back */
    struct uuid first;   /* the first run that this try acted on; nil: none */
    struct uuid reached;
    uint64_t parts;
    int64_t done;    /* what is committed of ret_done */
    int64_t refused; /* and of ret_refused */
};
CHECKED enum err op_run_act_new(size_t n, op_done_fn done, struct op_run_act **ret, struct error *err);
void op_run_act_free(struct op_run_act *o);

/*
 * Makes runs of a schedule's past occurrences. Those that have a run already are left alone, as are those
 * that the schedule's own plan will still make. With `in_a_row` they run one behind the other.
 * ERR_PRECONDITION: the schedule has another version than the one the occurrences were computed from.
 */
enum { BACKFILL_PART = 1000 };
struct op_backfill {
    struct op op;
    struct uuid id;
    int64_t version;
    struct wall *times; /* owned, sorted */
    size_t n;
    bool in_a_row;
    bool dry; /* counts only */
    int64_t ret_created;
    int64_t ret_skipped;
    /* the operation's */
    size_t at; /* the next one */
    uint64_t parts;
    struct uuid first; /* the first run of the part under way; nil: none yet */
    size_t part_at;    /* where the part under way began, and what was counted before it */
    int64_t created;
    int64_t skipped;
};
CHECKED enum err op_backfill_new(size_t n, op_done_fn done, struct op_backfill **ret, struct error *err);
void op_backfill_free(struct op_backfill *o);

/* Removes everything: schedules with their runs, dead letters, ended runs, kept answers. */
struct op_reset {
    struct op op;
    int64_t ret_schedules;
    int64_t ret_runs;
    /* the operation's: what is committed */
    uint64_t parts;
    int64_t schedules;
    int64_t runs;
};
struct op_reset *op_reset_new(op_done_fn done);
void op_reset_free(struct op_reset *o);

#endif
