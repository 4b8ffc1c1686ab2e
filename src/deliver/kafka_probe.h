/*
 * kafka_probe.h: whether a task's brokers can be reached, as a doctor asks.
 */
#ifndef DELIVER_KAFKA_PROBE_H
#define DELIVER_KAFKA_PROBE_H

#include "base/base.h"
#include "base/error.h"

struct guard;
struct task;

/*
 * Asks the brokers of a kafka task who they are, over a connection as its attempts make one. Nothing is
 * written. Blocks, for `patience_us` and what ending the connection takes. ERR_REFUSED: the guard (NULL:
 * none) forbids it; ERR_UNAVAILABLE: why they cannot be reached, without a secret.
 */
CHECKED enum err kafka_probe(const struct task *task, struct guard *guard, const char *ca_file,
                             int64_t patience_us, size_t *ret_brokers, struct error *err);

#endif
