/*
 * task_decode.c: a definition's `task` with its connection: what may stand in it, its defaults, and what only
 * makes sense for some types of task or with some settings of the server.
 */
#include "model/decode.h"

#include "base/str.h"

enum { HOST_MAX_BYTES = 8192, TOPIC_MAX_BYTES = 1024, SIGN_MAX_BYTES = 128 };
#define MAXLEN_MAX INT64_C(1000000000000)
#define TIMEOUT_MIN_US US_PER_MS
#define TIMEOUT_MAX_US (INT64_C(3600) * US_PER_S)

static void read_method(struct decoder *d, const struct member *m, json_t *v);
static void read_connection(struct decoder *d, const struct member *m, json_t *v);

static const struct member tls_members[] = {
    {MEMBER("insecure", read_bool), INTO(task.tls_insecure)},
};

static const struct member connection_members[] = {
    {MEMBER("host", read_text), INTO(task.host), .required = true, .given = GIVEN_HOST,
     RANGE(1, HOST_MAX_BYTES)},
    {MEMBER("headers", read_any), INTO(task.headers), .given = GIVEN_HEADERS},
    {MEMBER("topic", read_text), INTO(task.topic), .given = GIVEN_TOPIC, RANGE(1, TOPIC_MAX_BYTES)},
    {MEMBER("config", read_any), INTO(task.config), .given = GIVEN_CONFIG},
    {MEMBER("mode", read_word), INTO(task.mode), .given = GIVEN_MODE, .words = &redis_mode_words},
    {MEMBER("maxlen", read_integer), INTO(task.maxlen), .given = GIVEN_MAXLEN, RANGE(1, MAXLEN_MAX)},
    {MEMBER("tls", read_object), .given = GIVEN_TLS, .table = tls_members, .table_n = COUNT_OF(tls_members)},
};

const struct member task_members[] = {
    {MEMBER("type", read_word), INTO(task.type), .required = true, .given = GIVEN_TASK_TYPE,
     .words = &task_type_words},
    {MEMBER("connection", read_connection), .required = true},
    {MEMBER("data", read_any), INTO(task.data)},
    {MEMBER("history_check", read_bool), INTO(task.history_check)},
    {MEMBER("failed_policy", read_word), INTO(task.failed_policy), .words = &failed_policy_words},
    {MEMBER("retry_wait", read_seconds), INTO(task.retry_wait_us), .given = GIVEN_RETRY_WAIT,
     RANGE(0, DECODE_SPAN_MAX_US)},
    {MEMBER("retry_wait_max", read_seconds), INTO(task.retry_wait_max_us), .given = GIVEN_RETRY_WAIT_MAX,
     RANGE(0, DECODE_SPAN_MAX_US)},
    {MEMBER("retry_backoff", read_milli), INTO(task.retry_backoff_milli), RANGE(1000, 100000)},
    {MEMBER("max_retry_count", read_integer), INTO(task.max_retry_count), RANGE(-1, INT32_MAX)},
    {MEMBER("retry_for", read_seconds), INTO(task.retry_for_us), RANGE(0, DECODE_SPAN_MAX_US)},
    {MEMBER("method", read_method), INTO(task.method), .given = GIVEN_METHOD},
    {MEMBER("timeout", read_seconds), INTO(task.timeout_us), RANGE(TIMEOUT_MIN_US, TIMEOUT_MAX_US)},
    {MEMBER("body", read_word), INTO(task.body), .words = &task_body_words},
    {MEMBER("sign", read_text), INTO(task.sign), .given = GIVEN_SIGN, RANGE(1, SIGN_MAX_BYTES)},
};
const size_t task_members_n = COUNT_OF(task_members);

void task_defaults(struct task *t)
{
    *t = (struct task){
        .host = STR(""),
        .topic = STR(""),
        .method = STR("POST"),
        .data = json_null(),
        .sign = STR(""),
        .timeout_us = 10 * US_PER_S,
        .retry_wait_us = 60 * US_PER_S,
        .retry_wait_max_us = 3600 * US_PER_S,
        .retry_backoff_milli = 1000,
        .max_retry_count = -1,
        .retry_for_us = 86400 * US_PER_S,
    };
}

static void read_method(struct decoder *d, const struct member *m, json_t *v)
{
    static const char *const list[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    static const struct words methods = {list, COUNT_OF(list)};
    unsigned i;

    (void)m;
    if (!json_is_string(v) || !words_find(&methods, json_str(v), &i)) {
        decode_fault(d, "must be one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS");
        return;
    }
    d->s->task.method = json_str(v);
}

static void refuse_unless(struct decoder *d, bool right, uint32_t given, struct str member, const char *whose)
{
    if (!right && (d->given & given))
        decode_fault_at(d, member, "is for %s tasks only", whose);
}

static void check_topic(struct decoder *d)
{
    if (d->s->task.type == TASK_REST)
        refuse_unless(d, false, GIVEN_TOPIC, STR("topic"), "kafka and redis");
    else if (d->given & GIVEN_TOPIC)
        connection_check_topic(d);
    else if (!(d->present & GIVEN_TOPIC))
        decode_fault_at(d, STR("topic"), "is required for %s tasks", task_type_name(d->s->task.type));
}

static void check_connection(struct decoder *d)
{
    const struct task *t = &d->s->task;

    if (t->tls_insecure && !d->rules->tls_insecure_allowed && !d->rules->trusted) {
        const struct path tls = {d->at, STR("tls")};

        d->at = &tls;
        decode_fault_at(d, STR("insecure"), "this server's configuration does not allow it");
        d->at = tls.up;
    }
    if (d->given & GIVEN_HEADERS)
        fields_check_headers(d);
    if (d->given & GIVEN_CONFIG)
        fields_check_config(d);
    if (!(d->given & GIVEN_TASK_TYPE))
        return;
    if (d->given & GIVEN_HOST)
        connection_check_host(d);
    check_topic(d);
    refuse_unless(d, t->type != TASK_REDIS, GIVEN_HEADERS, STR("headers"), "rest and kafka");
    refuse_unless(d, t->type == TASK_REDIS, GIVEN_MODE, STR("mode"), "redis");
    if (t->type != TASK_REDIS || t->mode != REDIS_STREAM)
        refuse_unless(d, false, GIVEN_MAXLEN, STR("maxlen"), "redis \"stream\"");
    refuse_unless(d, t->type == TASK_KAFKA, GIVEN_CONFIG, STR("config"), "kafka");
    refuse_unless(d, t->type == TASK_REST, GIVEN_TLS, STR("tls"), "rest");
}

/*
 * Only the members here: what they may hold depends on the task's type, which may come later in the text. So
 * the rest is judged in task_check().
 */
static void read_connection(struct decoder *d, const struct member *m, json_t *v)
{
    (void)m;
    if (!json_is_object(v)) {
        decode_fault(d, "must be an object");
        return;
    }
    d->given |= GIVEN_CONNECTION;
    decode_members(d, connection_members, COUNT_OF(connection_members), v);
}

static void check_sign(struct decoder *d)
{
    const struct schedule_rules *rules = d->rules;

    if (!(d->given & GIVEN_SIGN) || rules->trusted)
        return;
    for (size_t i = 0; i < rules->secrets_n; i++) {
        if (str_eq(rules->secrets[i], d->s->task.sign))
            return;
    }
    decode_fault_at(d, STR("sign"), "no secret of this name is configured");
}

static void check_retry_wait_max(struct decoder *d)
{
    struct task *t = &d->s->task;

    if (t->retry_wait_max_us >= t->retry_wait_us)
        return;
    /* Who asks for two hours of waiting has not asked for the default limit of one. */
    if (d->given & GIVEN_RETRY_WAIT_MAX)
        decode_fault_at(d, STR("retry_wait_max"), "must not be less than retry_wait");
    else
        t->retry_wait_max_us = t->retry_wait_us;
}

void task_check(struct decoder *d)
{
    const struct path connection = {d->at, STR("connection")};
    const struct task *t = &d->s->task;

    if (d->given & GIVEN_CONNECTION) {
        d->at = &connection;
        check_connection(d);
        d->at = connection.up;
    }
    check_retry_wait_max(d);
    check_sign(d);
    if (!(d->given & GIVEN_TASK_TYPE))
        return;
    refuse_unless(d, t->type == TASK_REST, GIVEN_METHOD, STR("method"), "rest");
    refuse_unless(d, t->type == TASK_REST, GIVEN_SIGN, STR("sign"), "rest");
    if (!d->rules->trusted && !d->rules->task_enabled[t->type])
        decode_fault_at(d, STR("type"), "this server cannot deliver %s tasks", task_type_name(t->type));
}
