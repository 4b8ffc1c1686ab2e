/*
 * partition.h: the days of run_log: made ahead of time, dropped when nothing of them is to be kept.
 */
#ifndef STORE_POSTGRES_PARTITION_H
#define STORE_POSTGRES_PARTITION_H

#include "store/postgres/conn.h"

void partitions_init(struct partitions *p);
/*
 * Makes those that are missing, from today on. What another instance is at is left to it. A day that cannot
 * be made, because the default partition has rows of it, is told to the log, and the others are made: that is
 * no failure.
 */
CHECKED enum err partitions_make(const struct postgres *p, struct link *l, struct wall now,
                                 struct error *err);
/*
 * Between transactions: the same before the first one and once an hour, and drops those of which nothing is
 * to be kept, of which trim_runs() told. A failure is tried again with the next hour, a lock that did not
 * come within a minute: rows without a partition of their own go to
 * run_log_default, from where trim_runs() deletes them one by one.
 */
void partitions_tend(struct postgres_store *s);

#endif
