/*
 * random.h: unpredictable bytes from the system, and a small seeded generator for simulation and spreading.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/base.h"

/* From getrandom(2). Stops the process when the system has none. Any thread. */
void random_bytes(void *ret, size_t n);
uint64_t random_u64(void);

/* splitmix64: same seed, same sequence, on every machine. Not for secrets. */
struct rng {
    uint64_t state;
};
uint64_t rng_next(struct rng *r);
/* 0..below-1 without bias; below > 0. */
uint64_t rng_below(struct rng *r, uint64_t below);

#endif
