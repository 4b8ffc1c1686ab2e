/*
 * kafka.h: attempts as records to Kafka, by librdkafka: acks=all, idempotent; the broker's acknowledgement is
 * success.
 *
 * One producer for each distinct connection (brokers and settings) and task.timeout, shared by all schedules
 * that name it: librdkafka keeps a record's time only per topic of a producer, and a record whose attempt has
 * failed must not be written later. A producer has threads of its own, so there are at most
 * KAFKA_PRODUCERS_MAX; idle ones are ended after a minute. librdkafka looks at its clocks once a second: an
 * attempt may end up to about that much after its task.timeout. Topics are not created by writing to them.
 */
#ifndef DELIVER_KAFKA_H
#define DELIVER_KAFKA_H

#include "deliver/deliver.h"

enum { KAFKA_PRODUCERS_MAX = 32 };

CHECKED enum err kafka_open(struct reactor *reactor, const struct deliver_options *options,
                            struct deliverer **ret, struct error *err);

#endif
