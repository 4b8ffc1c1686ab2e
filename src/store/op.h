/*
 * op.h: what the kinds of operations share.
 */
#ifndef STORE_OP_H
#define STORE_OP_H

#include "base/alloc.h"
#include "store/lane.h"

/* The operation around `p`, whose first member it is. */
#define OP_AS(p, type) CONTAINER_OF(p, type, op)

/*
 * What one operation failed with, on its own account: kept in op->err, and the group goes on. Failures that
 * say something about the database or the process fail the group: returned.
 */
CHECKED enum err op_judge(struct op *op, enum err e, const struct error *err, struct error *ret);

#endif
