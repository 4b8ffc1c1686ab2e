/*
 * identity.h: what tells a receiver which attempt of which run it has before it: names and values, the same
 * for every kind of target. HTTP and Kafka carry them as headers, a Redis stream as fields. Pure.
 */
#ifndef DELIVER_IDENTITY_H
#define DELIVER_IDENTITY_H

#include "base/base.h"
#include "base/random.h"
#include "model/run.h"

enum { IDENTITY_N = 6, IDENTITY_VALUE_MAX = RUN_KEY_MAX };

struct identity_item {
    struct str name;
    char value[IDENTITY_VALUE_MAX]; /* terminated */
};

struct identity {
    struct identity_item items[IDENTITY_N];
};

/* `rng` gives each attempt a span of its own. */
void identity_make(const struct run *run, struct rng *rng, struct identity *ret);

/* A name that is ours to set: nobody else's value is sent under it. In whatever case. */
bool identity_owns(struct str name);

#endif
