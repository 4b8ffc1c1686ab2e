/*
 * kafka_config.c: librdkafka's settings: ours, and those that a definition may add (model/fields.c).
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "deliver/kafka_internal.h"

enum { NUMBER_MAX = 24, REASON_MAX = 512, KEY_MAX = 1024 * 1024, LINGER_MS = 1 };

static int64_t timeout_ms(const struct task *task)
{
    return (task->timeout_us + US_PER_MS - 1) / US_PER_MS;
}

enum err kafka_config_key(const struct task *task, struct uuid *ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf config = {0};
    int64_t timeout = timeout_ms(task);
    uint8_t digest[DIGEST_BYTES];
    enum err e = ERR_NONE;

    buf_init(&config, KEY_MAX);
    if (task->config)
        e = json_write_sorted(task->config, &config, err);
    if (!e) {
        const struct str parts[] = {task->host, buf_str(&config), {(const char *)&timeout, sizeof(timeout)}};

        e = digest_parts(parts, COUNT_OF(parts), digest, err);
    }
    if (e)
        return e;
    memcpy(ret->b, digest, sizeof(ret->b));
    return ERR_NONE;
}

/* What librdkafka says names the setting; for a value it cannot take, the value too, which is nobody's secret
 * then: passwords and keys can be anything. */
static enum err set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *err)
{
    char reason[REASON_MAX] = "";

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
        return ERR_NONE;
    return error_set(err, ERR_INVALID, "/task/connection/config", "the setting %s cannot be used: %s", name,
                     reason);
}

static enum err set_ours(rd_kafka_conf_t *conf, const struct task *task, struct error *err)
{
    static const char *const ours[][2] = {
        {"client.id", "carillon"},
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"allow.auto.create.topics", "false"},
        /* A topic that is not there is told soon, and one made after that is found soon. */
        {"topic.metadata.propagation.max.ms", "2000"},
        {"topic.metadata.refresh.interval.ms", "20000"},
        /* The partition that Java's clients choose for the same key. */
        {"partitioner", "murmur2_random"},
        /* A topic may take larger records than the usual 1 MB; the broker judges. */
        {"message.max.bytes", "67108864"},
        {"queue.buffering.max.kbytes", "262144"},
        {"socket.keepalive.enable", "true"},
        {"socket.connection.setup.timeout.ms", "5000"},
        {"reconnect.backoff.max.ms", "2000"},
        {"log.connection.close", "false"},
    };
    char text[NUMBER_MAX];
    enum err e = ERR_NONE;

    for (size_t i = 0; i < COUNT_OF(ours) && !e; i++)
        e = set(conf, ours[i][0], ours[i][1], err);
    (void)snprintf(text, sizeof(text), "%lld", (long long)timeout_ms(task));
    if (!e)
        e = set(conf, "message.timeout.ms", text, err);
    (void)snprintf(text, sizeof(text), "%d", timeout_ms(task) > LINGER_MS ? LINGER_MS : 0);
    return e ? e : set(conf, "linger.ms", text, err);
}

static enum err set_theirs(rd_kafka_conf_t *conf, const struct kafka *k, const struct task *task,
                           struct error *err)
{
    enum err e = ERR_NONE;

    for (void *it = json_object_iter(task->config); it && !e; it = json_object_iter_next(task->config, it))
        e = set(conf, json_object_iter_key(it), json_string_value(json_object_iter_value(it)), err);
    if (!e && k->ca_file && !json_object_get(task->config, "ssl.ca.location") &&
        !json_object_get(task->config, "ssl.ca.pem"))
        e = set(conf, "ssl.ca.location", k->ca_file, err);
    return e;
}

/* Without one librdkafka writes to standard error. What matters comes as events. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

enum err kafka_config_make(const struct kafka *k, const struct task *task, rd_kafka_conf_t **ret,
                           struct error *err)
{
    CLEANUP(buf_done_p) struct buf host = {0};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum err e;

    buf_init(&host, task->host.n + 1);
    buf_add(&host, task->host);
    e = buf_check(&host, "/task/connection/host", err);
    if (!e)
        e = set(conf, "bootstrap.servers", buf_cstr(&host), err);
    if (!e)
        e = set_ours(conf, task, err);
    if (!e)
        e = set_theirs(conf, k, task, err);
    if (e) {
        rd_kafka_conf_destroy(conf);
        return e;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    *ret = conf;
    return ERR_NONE;
}
