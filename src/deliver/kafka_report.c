/*
 * kafka_report.c: from what librdkafka says to a sentence for people.
 *
 * Sentences name brokers and topics. What comes from a broker is searched for our passwords before it is
 * kept.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "deliver/kafka_internal.h"
#include "deliver/outcome.h"

/* How a failure is told: before the topic, behind it; NULL behind: the topic is not named. */
static const struct {
    rd_kafka_resp_err_t code;
    const char *before;
    const char *behind;
} failures[] = {
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "there is no topic ", ""},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "there is no topic ", ""},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, "there is no topic ", ""},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, "the broker does not take the name of topic ", ""},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "not allowed to write to topic ", ""},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "not allowed to write to the cluster", NULL},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "the record is larger than topic ", " takes"},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, "the broker refused the record for topic ", ": it is not valid there"},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, "the broker's policy refused the record for topic ", ""},
};

static void hide_secrets(const struct producer *p, char *text)
{
    for (size_t i = 0; i < KAFKA_SECRETS; i++)
        outcome_hide(text, str_of(p->secrets[i]));
}

/* "ssl://host:9092/bootstrap: Connect to ..." */
void kafka_report_trouble(struct producer *p, rd_kafka_resp_err_t code, const char *text)
{
    /* It follows the errors that say why. */
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && p->trouble[0] != '\0')
        return;
    (void)snprintf(p->trouble, sizeof(p->trouble), "%s", text);
    hide_secrets(p, p->trouble);
}

bool kafka_report_refused(const struct producer *p, const struct errand *e, const rd_kafka_message_t *m,
                          char ret[ATTEMPT_TEXT_MAX])
{
    /* One that was written reached a broker that may be called, whichever others there are. */
    return rd_kafka_message_status(m) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED &&
           kafka_gate_refusal(p->gate, e->begun, ret);
}

static void tell_timeout(const struct producer *p, const struct errand *e, const rd_kafka_message_t *m,
                         char ret[KAFKA_TEXT_MAX])
{
    double timeout_s = (double)e->delivery->schedule->task.timeout_us / (double)US_PER_S;
    char refusal[ATTEMPT_TEXT_MAX];

    if (kafka_report_refused(p, e, m, refusal))
        (void)snprintf(ret, KAFKA_TEXT_MAX, "%s", refusal);
    else if (p->trouble[0] != '\0')
        (void)snprintf(ret, KAFKA_TEXT_MAX, "timeout after %g s: %s", timeout_s, p->trouble);
    else
        (void)snprintf(ret, KAFKA_TEXT_MAX, "timeout after %g s: no acknowledgement from %s", timeout_s,
                       p->host);
}

static bool tell_known(rd_kafka_resp_err_t code, struct str topic, char ret[KAFKA_TEXT_MAX])
{
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        if (failures[i].code != code)
            continue;
        (void)snprintf(ret, KAFKA_TEXT_MAX, "%s%.*s%s", failures[i].before,
                       failures[i].behind ? (int)topic.n : 0, topic.p,
                       failures[i].behind ? failures[i].behind : "");
        return true;
    }
    return false;
}

void kafka_report_refusal(const struct task *task, rd_kafka_resp_err_t code, const char *reason,
                          char ret[KAFKA_TEXT_MAX])
{
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        (void)snprintf(ret, KAFKA_TEXT_MAX, "too many records wait for their brokers");
    else if (!tell_known(code, task->topic, ret))
        (void)snprintf(ret, KAFKA_TEXT_MAX, "the record was refused: %s", reason);
}

void kafka_report_tell(const struct producer *p, const struct errand *e, const rd_kafka_message_t *m,
                       char ret[KAFKA_TEXT_MAX])
{
    const struct str topic = e->delivery->schedule->task.topic;

    if (m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
        tell_timeout(p, e, m, ret);
    else if (!tell_known(m->err, topic, ret))
        (void)snprintf(ret, KAFKA_TEXT_MAX, "%s for topic %.*s%s%s", rd_kafka_err2str(m->err), (int)topic.n,
                       topic.p, p->trouble[0] != '\0' ? ": " : "", p->trouble);
}
