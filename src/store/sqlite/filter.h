/*
 * filter.h: which statement serves a filter: the index of its most telling member, the rest compared row by
 * row.
 */
#ifndef STORE_SQLITE_FILTER_H
#define STORE_SQLITE_FILTER_H

#include "store/sqlite/conn.h"

struct filter_sqls {
    enum sql by_id;
    enum sql by_key;
    enum sql by_group;
    enum sql by_application;
    enum sql by_paused;
};
extern const struct filter_sqls filter_records; /* RECORD_COLUMNS */
extern const struct filter_sqls filter_ids;     /* ids alone */

enum sql filter_sql(const struct filter *f, const struct filter_sqls *of);
void bind_filter(struct query *q, const struct filter *f);

#endif
