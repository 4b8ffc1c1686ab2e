/*
 * ops_history.h: what is asked of a history database's lane, and of the writer lane about the outbox.
 *
 * None waits for a history database that is away: its callers decide what to do meanwhile.
 */
#ifndef STORE_OPS_HISTORY_H
#define STORE_OPS_HISTORY_H

#include "store/lane.h"

/* Events are added; those that are there already are left as they are. */
struct op_history_add {
    struct op op;
    const struct history_row *rows; /* borrowed, with their texts */
    size_t n;
};
struct op_history_add *op_history_add_new(op_done_fn done);
void op_history_add_free(struct op_history_add *o);

struct op_history_list {
    struct op op;
    struct history_filter filter;
    struct history_list ret;
};
struct op_history_list *op_history_list_new(op_done_fn done);
void op_history_list_free(struct op_history_list *o);

/* Retention, in small batches. */
struct op_history_trim {
    struct op op;
    int64_t keep_us;
    size_t limit;
    bool ret_more; /* another call should follow */
};
struct op_history_trim *op_history_trim_new(op_done_fn done);
void op_history_trim_free(struct op_history_trim *o);

/* Writer lane, of a store that is not shared: what was moved leaves the outbox. */
struct op_outbox_remove {
    struct op op;
    const int64_t *ns; /* borrowed */
    size_t n;
};
struct op_outbox_remove *op_outbox_remove_new(op_done_fn done);
void op_outbox_remove_free(struct op_outbox_remove *o);

#endif
