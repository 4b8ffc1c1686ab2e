/*
 * ops_instance.h: what instances that share a store ask of a lane about each other.
 */
#ifndef STORE_OPS_INSTANCE_H
#define STORE_OPS_INSTANCE_H

#include "store/lane.h"

/*
 * Says that this instance lives and who else does. ERR_UNSUPPORTED, as the operation's own error, on a store
 * that one process has to itself: it is alone, and the monitor.
 */
struct op_heartbeat {
    struct op op;
    struct heartbeat heartbeat; /* its texts must outlive the operation */
    struct instance_list ret;   /* owned */
    struct wall ret_now;        /* the store's clock */
};
struct op_heartbeat *op_heartbeat_new(op_done_fn done);
void op_heartbeat_free(struct op_heartbeat *o);

/* Who lives. A read; ERR_UNSUPPORTED as above. */
struct op_instances {
    struct op op;
    struct instance_list ret; /* owned; by the time of their start */
    struct wall ret_now;
};
struct op_instances *op_instances_new(op_done_fn done);
void op_instances_free(struct op_instances *o);

/* What is due next that nobody holds: for a monitor that claims nothing. A read. */
struct op_next_due {
    struct op op;
    struct wall ret;
};
struct op_next_due *op_next_due_new(op_done_fn done);
void op_next_due_free(struct op_next_due *o);

/* After a notice that says `all`: which of the runs that are held are doomed. */
struct op_doomed {
    struct op op;
    struct uuid *runs; /* owned, n */
    size_t n;
    struct uuid_list ret;
    struct uuid_list ret_replaced; /* of those: a newer run took their place */
};
CHECKED enum err op_doomed_new(size_t n, op_done_fn done, struct op_doomed **ret, struct error *err);
void op_doomed_free(struct op_doomed *o);

#endif
