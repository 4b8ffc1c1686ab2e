/*
 * kafka_record.c: the record of an attempt: key, body, and the user's and the run's headers.
 */
#include "base/str.h"
#include "deliver/identity.h"
#include "deliver/kafka_internal.h"
#include "model/event.h"

enum { PARTS = 6 };

static bool add(rd_kafka_headers_t *headers, struct str name, struct str value)
{
    return rd_kafka_header_add(headers, name.p, (ssize_t)name.n, value.p, (ssize_t)value.n) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_headers_t *make_headers(struct kafka *k, const struct delivery *d)
{
    json_t *theirs = d->schedule->task.headers;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(json_object_size(theirs) + IDENTITY_N);
    struct identity identity;
    bool ok = true;

    for (void *it = json_object_iter(theirs); it; it = json_object_iter_next(theirs, it)) {
        const struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};

        if (!identity_owns(name))
            ok = ok && add(headers, name, json_str(json_object_iter_value(it)));
    }
    identity_make(&d->run, &k->rng, &identity);
    for (size_t i = 0; i < IDENTITY_N; i++)
        ok = ok && add(headers, identity.items[i].name, str_of(identity.items[i].value));
    /* It refuses nothing but what has no name, which no definition has. */
    MUST(ok);
    return headers;
}

static enum err refused(const struct task *task, rd_kafka_error_t *why, struct error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(why);
    char text[KAFKA_TEXT_MAX];

    kafka_report_refusal(task, code, rd_kafka_error_string(why), text);
    rd_kafka_error_destroy(why);
    return error_set(err, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? ERR_MEMORY : ERR_REFUSED, "kafka", "%s",
                     text);
}

enum err kafka_record_send(struct kafka *k, rd_kafka_t *rk, const struct delivery *d, void *opaque,
                           struct error *err)
{
    const struct task *task = &d->schedule->task;
    const struct str key = d->schedule->client.key;
    rd_kafka_headers_t *headers;
    rd_kafka_vu_t parts[PARTS + 1];
    size_t n = 0;
    rd_kafka_error_t *why;
    enum err e;

    buf_clear(&k->topic);
    buf_add(&k->topic, task->topic);
    buf_clear(&k->value);
    e = event_body(d->schedule, &d->run, &k->value, err);
    if (!e)
        e = buf_check(&k->topic, NULL, err);
    if (e)
        return e;
    headers = make_headers(k, d);
    parts[n].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[n++].u.cstr = buf_cstr(&k->topic);
    parts[n].vtype = RD_KAFKA_VTYPE_VALUE;
    /* Never NULL, which would be a tombstone. */
    parts[n].u.mem.ptr = (void *)(uintptr_t)buf_str(&k->value).p;
    parts[n++].u.mem.size = k->value.n;
    parts[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[n++].u.i = RD_KAFKA_MSG_F_COPY;
    parts[n].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[n++].u.headers = headers;
    parts[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts[n++].u.ptr = opaque;
    /* Without a key records go to any partition, rather than all to one. */
    if (key.n > 0) {
        parts[n].vtype = RD_KAFKA_VTYPE_KEY;
        parts[n].u.mem.ptr = (void *)(uintptr_t)key.p;
        parts[n++].u.mem.size = key.n;
    }
    why = rd_kafka_produceva(rk, parts, n);
    if (!why)
        return ERR_NONE;
    /* They are librdkafka's only when the record is. */
    rd_kafka_headers_destroy(headers);
    return refused(task, why, err);
}
