/*
 * filter.h: the statements that serve a filter, and its members bound to them.
 */
#ifndef STORE_SQLITE_FILTER_H
#define STORE_SQLITE_FILTER_H

#include "store/choose.h"
#include "store/sqlite/conn.h"

/* The statement by each index. */
extern const enum sql filter_records[FILTER_INDEXES]; /* RECORD_COLUMNS */
extern const enum sql filter_ids[FILTER_INDEXES];     /* ids alone */

void bind_filter(struct query *q, const struct filter *f);

#endif
