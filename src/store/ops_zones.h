/*
 * ops_zones.h: the time zone database is another release than the one that stored times were computed with:
 * what is still to come is computed anew, a page of schedules per transaction. Writer lane.
 *
 * How far it has come is in the store itself, in a row that each page locks. So the pages of several
 * instances that start at once follow each other, each page is done by one of them, all are done when the
 * last answers, and what a crash left undone is done by the next start.
 */
#ifndef STORE_OPS_ZONES_H
#define STORE_OPS_ZONES_H

#include "store/lane.h"

enum { ZONES_RELEASE_MAX = 64 };

struct op_retime {
    struct op op;
    const struct schedule_rules *rules; /* borrowed: decodes stored definitions, by the new release */
    const char *release;                /* borrowed: of this process's database, "2025b" */
    char ret_was[ZONES_RELEASE_MAX];    /* the store's so far; "": it did not say */
    size_t ret_moved;                   /* schedules that this page changed */
    bool ret_more;                      /* another call must follow */
};
struct op_retime *op_retime_new(op_done_fn done);
void op_retime_free(struct op_retime *o);

/* In a transaction: the release that the store's times were computed with; "": it does not say. */
CHECKED enum err zones_seen(struct store *s, char ret[ZONES_RELEASE_MAX], struct error *err);

#endif
