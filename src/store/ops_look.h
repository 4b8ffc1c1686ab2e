/*
 * ops_look.h: what a doctor asks of a lane, and for how long it waits for the answer. Nothing is written.
 */
#ifndef STORE_OPS_LOOK_H
#define STORE_OPS_LOOK_H

#include "store/examine.h"
#include "store/lane.h"
#include "store/ops_zones.h"

enum look {
    LOOK_EXAMINE,
    LOOK_INSPECT,
    LOOK_CLOCK, /* ret_now alone */
    LOOK_ZONES,
    LOOK_INSTANCES, /* ERR_UNSUPPORTED: one process has the store to itself */
    LOOK_OUTBOX,
    LOOK_SCHEDULES /* a page of them */
};

/* What is asked, and the answer. */
struct looked {
    /* in, by what is asked */
    enum look look;
    struct examination examination;
    enum inspection inspection;
    struct uuid after; /* LOOK_SCHEDULES */
    size_t limit;
    /* out */
    struct wall now; /* the store's */
    struct breaches breaches;
    struct inspected inspected;
    char release[ZONES_RELEASE_MAX]; /* that the times were computed with; "": it does not say */
    struct instance_list instances;  /* the caller's */
    int64_t waiting;                 /* events in the outbox, about */
    struct record_list schedules;    /* the caller's */
};
void looked_done(struct looked *l);

/*
 * Asks and waits, until `until` at most: ERR_TIMEOUT then, and whatever the lane still answers is dropped. On
 * success what is "out" in *l is set.
 */
CHECKED enum err lane_look(struct lane *lane, struct looked *l, struct mono until, struct error *err);

#endif
