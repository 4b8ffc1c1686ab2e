/*
 * ops_run.h: what the API asks of the reader lane about runs, numbers and health.
 */
#ifndef STORE_OPS_RUN_H
#define STORE_OPS_RUN_H

#include "store/lane.h"

struct op_get_run {
    struct op op;
    struct uuid id;
    struct run_record ret;
};
struct op_get_run *op_get_run_new(op_done_fn done);
void op_get_run_free(struct op_get_run *o);

struct op_list_runs {
    struct op op;
    struct run_filter filter;
    bool check_schedule; /* filter.schedule_id must exist, else ERR_NOT_FOUND (or have runs left) */
    struct run_record_list ret;
};
struct op_list_runs *op_list_runs_new(op_done_fn done);
void op_list_runs_free(struct op_list_runs *o);

struct op_stats {
    struct op op;
    struct store_stats ret;
};
struct op_stats *op_stats_new(op_done_fn done);
void op_stats_free(struct op_stats *o);

/* Readiness: the database answers. */
struct op_ping {
    struct op op;
};
struct op_ping *op_ping_new(op_done_fn done);
void op_ping_free(struct op_ping *o);

#endif
