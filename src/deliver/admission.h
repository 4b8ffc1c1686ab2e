/*
 * admission.h: when an attempt at a target may begin: so many a second, and of one that does not answer only
 * one at a time, at growing intervals.
 *
 * A target's circuit is closed while it answers, whatever it answers. After so many attempts in a row that
 * got no answer (no connection, a connection that broke, a timeout) it opens: nothing begins for a second.
 * Then one attempt, the probe, may begin; when it gets no answer either, the circuit stays open for twice as
 * long, up to a minute. Any answer closes it. Runs meanwhile wait in the engine, neither attempted nor
 * failed.
 *
 * Pure but for its random generator: the time is an argument. One deliverer has one, on the loop's thread.
 */
#ifndef DELIVER_ADMISSION_H
#define DELIVER_ADMISSION_H

#include "base/base.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"
#include "base/uuid.h"
#include "deliver/deliver.h"

enum {
    ADMISSION_TARGETS_MAX =
        10000,                  /* remembered; of more, those that were asked for longest ago are forgotten */
    ADMISSION_BURST_PER_S = 10, /* a burst is what a target gets in a tenth of a second, at least one */
};
#define ADMISSION_OPEN_MIN_US (1 * US_PER_S)
#define ADMISSION_OPEN_MAX_US (60 * US_PER_S)

struct admission {
    int64_t rate;      /* attempts a second at one target; 0: any */
    unsigned failures; /* in a row, that open a circuit; 0: never */
    struct map targets;
    struct list by_age; /* asked for longest ago first */
    struct rng rng;
    size_t open; /* circuits, those being probed included */
    uint64_t opened;
    uint64_t closed;
};

/* How an attempt ended, as far as its target's health is concerned. */
enum admission_end {
    ADMISSION_UNKNOWN,  /* given up, not sent, refused by ourselves */
    ADMISSION_ANSWERED, /* the target said something */
    ADMISSION_SILENT,   /* it cannot be reached, or said nothing */
};

void admission_init(struct admission *a, int64_t rate, unsigned failures);
void admission_done(struct admission *a);

/* deliver.h's admit(): a time not after `now` is a yes, which has been counted. `timeout_us`: what the
 * attempt may take. */
struct mono admission_ask(struct admission *a, struct uuid target, int64_t timeout_us, struct mono now);
/*
 * The attempt, known by its address, has begun, with or without having been asked for; and it has ended, each
 * once.
 */
void admission_began(struct admission *a, struct uuid target, const void *attempt);
enum circuit_change admission_ended(struct admission *a, struct uuid target, const void *attempt,
                                    enum admission_end how, struct mono now);

void admission_stats(const struct admission *a, struct deliver_stats *ret);

#endif
