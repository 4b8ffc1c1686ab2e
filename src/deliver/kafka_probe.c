/*
 * kafka_probe.c: see kafka_probe.h. A producer of its own for one question: those of the deliverer are its
 * loop's.
 */
#include "deliver/kafka_probe.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "deliver/kafka_internal.h"
#include "deliver/outcome.h"

enum { REASON_MAX = 512 };

static void hide_secrets(const struct task *task, char *text)
{
    static const char *const secret[] = {"sasl.password", "ssl.key.password"};

    for (size_t i = 0; i < COUNT_OF(secret); i++) {
        const json_t *v = json_object_get(task->config, secret[i]);

        if (v)
            outcome_hide(text, json_str(v));
    }
}

/* What librdkafka told of its connections while it tried: the first that is not only that all are down. */
static void read_trouble(rd_kafka_t *rk, char ret[REASON_MAX])
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(rk);
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR && ret[0] == '\0' &&
            rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
            (void)snprintf(ret, REASON_MAX, "%s", rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
}

static enum err ask(rd_kafka_t *rk, struct kafka_gate *gate, const struct task *task, int64_t patience_us,
                    size_t *ret_brokers, struct error *err)
{
    const struct rd_kafka_metadata *found = NULL;
    char refusal[ATTEMPT_TEXT_MAX];
    char reason[REASON_MAX] = "";
    struct mono begun = clock_mono();
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, NULL, &found, (int)(patience_us / US_PER_MS));

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *ret_brokers = (size_t)found->broker_cnt;
        rd_kafka_metadata_destroy(found);
        return ERR_NONE;
    }
    if (kafka_gate_refusal(gate, begun, refusal))
        return error_set(err, ERR_REFUSED, "kafka", "%s", refusal);
    read_trouble(rk, reason);
    hide_secrets(task, reason);
    return error_set(err, ERR_UNAVAILABLE, "kafka", "%s",
                     reason[0] != '\0' ? reason : rd_kafka_err2str(code));
}

enum err kafka_probe(const struct task *task, struct guard *guard, const char *ca_file, int64_t patience_us,
                     size_t *ret_brokers, struct error *err)
{
    const struct kafka k = {.ca_file = (char *)(uintptr_t)ca_file}; /* only read */
    struct kafka_gate *gate = NULL;
    rd_kafka_conf_t *conf = NULL;
    char reason[REASON_MAX] = "";
    rd_kafka_t *rk;
    enum err e = guard ? kafka_gate_judge(guard, task->host, err) : ERR_NONE;

    if (!e)
        e = kafka_config_make(&k, task, &conf, err);
    if (e)
        return e;
    gate = kafka_gate_new(guard);
    kafka_gate_set(gate, conf);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (rk) {
        e = ask(rk, gate, task, patience_us, ret_brokers, err);
        rd_kafka_destroy(rk); /* and its threads */
    } else {
        rd_kafka_conf_destroy(conf); /* taken over only on success */
        hide_secrets(task, reason);
        e = error_set(err, ERR_UNAVAILABLE, "kafka", "%s", reason);
    }
    kafka_gate_unref(gate);
    return e;
}
