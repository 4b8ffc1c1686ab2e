/*
 * ops_many.h: what a list within a list asks of a reader lane: one operation for all the schedules of a
 * level, never one for each. It costs a shared database one statement, an embedded one one transaction.
 *
 * Identifiers are given as they come, in any order, the same ones several times; what came of one is found
 * by it. ERR_TOO_LARGE: more than MANY_IDS different ones were given (from _new), or there is more to give
 * than MANY_RUNS or MANY_EVENTS (from the operation), of which a caller learns how to ask for less.
 */
#ifndef STORE_OPS_MANY_H
#define STORE_OPS_MANY_H

#include "store/lane.h"

enum { MANY_IDS = 10000, MANY_RUNS = 50000, MANY_EVENTS = 10000 };

/* Schedules by their ids; those that are not there are left out. */
struct op_get_many {
    struct op op;
    struct uuid_list ids;   /* sorted, each once */
    struct record_list ret; /* likewise */
};
CHECKED enum err op_get_many_new(const struct uuid *ids, size_t n, op_done_fn done, struct op_get_many **ret,
                                 struct error *err);
void op_get_many_free(struct op_get_many *o);
/* NULL: there is none. */
const struct record *op_get_many_find(const struct op_get_many *o, struct uuid id);

/* A page of the runs of each of these schedules: what op_list_runs gives of it. An unknown one has none. */
struct op_runs_of {
    struct op op;
    struct uuid_list ids;
    struct run_filter filter; /* its limit: of each; its schedule is not looked at */
    struct run_record_list ret;
};
CHECKED enum err op_runs_of_new(const struct uuid *ids, size_t n, op_done_fn done, struct op_runs_of **ret,
                                struct error *err);
void op_runs_of_free(struct op_runs_of *o);
/* Newest first; *ret_n how many. */
const struct run_record *op_runs_of_page(const struct op_runs_of *o, struct uuid schedule, size_t *ret_n);

/* A page of the events of each of these schedules: what op_history_list gives of it. The history's lane. */
struct op_history_of {
    struct op op;
    struct uuid_list ids;
    struct history_filter filter; /* its limit: of each; its schedule is not looked at */
    struct history_list ret;
};
CHECKED enum err op_history_of_new(const struct uuid *ids, size_t n, op_done_fn done,
                                   struct op_history_of **ret, struct error *err);
void op_history_of_free(struct op_history_of *o);
const struct history_item *op_history_of_page(const struct op_history_of *o, struct uuid schedule,
                                              size_t *ret_n);

#endif
