/*
 * kafka_cluster.h: librdkafka's mock cluster for tests, and its own consumer to read back what arrived.
 */
#ifndef TESTS_KAFKA_CLUSTER_H
#define TESTS_KAFKA_CLUSTER_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/base.h"

enum { KAFKA_API_PRODUCE = 0, KAFKA_API_METADATA = 3, KAFKA_API_INIT_PRODUCER_ID = 22 };

struct kafka_cluster {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
    const char *brokers;
};

void kafka_cluster_start(struct kafka_cluster *c, int brokers);
void kafka_cluster_stop(struct kafka_cluster *c);
void kafka_cluster_topic(struct kafka_cluster *c, const char *topic, int partitions);

typedef void (*kafka_cluster_fn)(void *arg, const rd_kafka_message_t *m);
/* Shows the first `n` records of partition 0; waits until they are there. */
void kafka_cluster_read(struct kafka_cluster *c, const char *topic, size_t n, kafka_cluster_fn fn, void *arg);
/* Records in partition 0. */
int64_t kafka_cluster_count(struct kafka_cluster *c, const char *topic);

#endif
