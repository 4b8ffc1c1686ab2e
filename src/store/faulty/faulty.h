/*
 * faulty.h: a store around a store that goes wrong by seed: the connection drops in the middle of a call, a
 * commit is lost, or only its answer is. For tests and the simulation; the shipped program does not open one.
 *
 * After a fault the wrapped connection is dead, as a real one is: every call is ERR_UNAVAILABLE until it is
 * closed. What was not committed is rolled back then. The faults are counted, so that a test can say what it
 * saw.
 */
#ifndef STORE_FAULTY_FAULTY_H
#define STORE_FAULTY_FAULTY_H

#include "base/random.h"
#include "store/store.h"

/* The plan outlives the connections that follow it. One thread at a time. */
struct faulty_plan {
    struct rng rng;
    /* out of 1,000 */
    unsigned drop;        /* a call finds the connection gone */
    unsigned lose_commit; /* a commit is lost, with its answer */
    unsigned lose_answer; /* a commit is done, its answer is lost */
    unsigned refuse_open; /* opening fails: asked by faulty_wrap() */
    /* what happened */
    uint64_t dropped;
    uint64_t lost_commits;
    uint64_t lost_answers;
    uint64_t refused;
    uint64_t commits; /* that are durable, answered or not */
};

/* *ret owns `inner`. ERR_UNAVAILABLE: by the plan; `inner` is closed. */
CHECKED enum err faulty_wrap(struct faulty_plan *plan, struct store *inner, struct store **ret,
                             struct error *err);

#endif
