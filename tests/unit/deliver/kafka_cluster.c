/*
 * kafka_cluster.c: see kafka_cluster.h.
 */
#include "kafka_cluster.h"

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];

    MUST(rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK);
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    rd_kafka_t *rk;

    rd_kafka_conf_set_log_cb(conf, on_log);
    if (brokers)
        set(conf, "bootstrap.servers", brokers);
    if (type == RD_KAFKA_CONSUMER)
        set(conf, "group.id", "test");
    rk = rd_kafka_new(type, conf, reason, sizeof(reason));
    MUST(rk);
    return rk;
}

void kafka_cluster_start(struct kafka_cluster *c, int brokers)
{
    c->rk = make(RD_KAFKA_PRODUCER, NULL);
    c->mock = rd_kafka_mock_cluster_new(c->rk, brokers);
    MUST(c->mock);
    c->brokers = rd_kafka_mock_cluster_bootstraps(c->mock);
}

void kafka_cluster_stop(struct kafka_cluster *c)
{
    rd_kafka_mock_cluster_destroy(c->mock);
    rd_kafka_destroy(c->rk);
}

void kafka_cluster_topic(struct kafka_cluster *c, const char *topic, int partitions)
{
    MUST(rd_kafka_mock_topic_create(c->mock, topic, partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

enum { READ_MS = 30000 };

void kafka_cluster_read(struct kafka_cluster *c, const char *topic, size_t n, kafka_cluster_fn fn, void *arg)
{
    rd_kafka_t *rk = make(RD_KAFKA_CONSUMER, c->brokers);
    rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);

    MUST(t && rd_kafka_consume_start(t, 0, RD_KAFKA_OFFSET_BEGINNING) == 0);
    for (size_t i = 0; i < n;) {
        rd_kafka_message_t *m = rd_kafka_consume(t, 0, READ_MS);

        MUST(m);
        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            fn(arg, m);
            i++;
        }
        rd_kafka_message_destroy(m);
    }
    MUST(rd_kafka_consume_stop(t, 0) == 0);
    rd_kafka_topic_destroy(t);
    rd_kafka_destroy(rk);
}

int64_t kafka_cluster_count(struct kafka_cluster *c, const char *topic)
{
    rd_kafka_t *rk = make(RD_KAFKA_CONSUMER, c->brokers);
    int64_t low = 0;
    int64_t high = 0;

    MUST(rd_kafka_query_watermark_offsets(rk, topic, 0, &low, &high, READ_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(rk);
    return high - low;
}
