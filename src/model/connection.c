/*
 * connection.c: where a task goes, judged by its syntax: hosts, topics, header fields, kafka's settings.
 * Whether a host may be reached is judged when it is connected to, not here.
 *
 * Nothing that passes can break out of a request line, a header or a log line: control characters are refused
 * everywhere.
 */
#include "model/decode.h"

#include "base/str.h"
#include "model/chars.h"
#include "model/secret.h"

enum { KAFKA_TOPIC_MAX = 249 };

static bool port_ok(struct str s)
{
    int64_t port;

    return s.n > 0 && char_is_digit(s.p[0]) && str_to_i64(s, &port) && port >= 1 && port <= 65535;
}

/* host, host:port or [v6]:port, without user and path. */
static bool authority_ok(struct str s, bool wants_port)
{
    struct str host;
    struct str rest;
    size_t end;

    if (s.n > 0 && s.p[0] == '[') {
        end = str_find(s, ']');
        if (end == s.n)
            return false;
        host = (struct str){s.p + 1, end - 1};
        rest = (struct str){s.p + end + 1, s.n - end - 1};
        if (host.n < 2 || !chars_are_in(host, ":.%-"))
            return false;
    } else {
        end = str_find(s, ':');
        host = (struct str){s.p, end};
        rest = (struct str){s.p + end, s.n - end};
        /* RFC 3986's reg-name and what people's resolvers take beside it. */
        if (host.n == 0 || host.n > 253 || !chars_are_in(host, "-._~%"))
            return false;
    }
    if (rest.n == 0)
        return !wants_port;
    return rest.p[0] == ':' && port_ok((struct str){rest.p + 1, rest.n - 1});
}

/* Cuts "scheme://" off; false when it is not there. */
static bool cut_scheme(struct str *url, struct str scheme)
{
    if (url->n < scheme.n || !str_eq_nocase((struct str){url->p, scheme.n}, scheme))
        return false;
    *url = (struct str){url->p + scheme.n, url->n - scheme.n};
    return true;
}

/* Cuts the authority off what is behind the scheme, and its user and password off that. */
static struct str cut_authority(struct str *rest)
{
    size_t end = 0;
    size_t at;
    struct str authority;

    while (end < rest->n && rest->p[end] != '/' && rest->p[end] != '?' && rest->p[end] != '#')
        end++;
    for (at = end; at > 0 && rest->p[at - 1] != '@'; at--)
        ;
    authority = (struct str){rest->p + at, end - at};
    *rest = (struct str){rest->p + end, rest->n - end};
    return authority;
}

static void check_rest_host(struct decoder *d)
{
    struct str url = d->s->task.host;

    if (!cut_scheme(&url, STR("http://")) && !cut_scheme(&url, STR("https://")))
        decode_fault_at(d, STR("host"), "must be a URL that begins with http:// or https://");
    else if (!chars_are_graphic(url))
        decode_fault_at(d, STR("host"), "must not contain blanks or control characters");
    else if (!authority_ok(cut_authority(&url), false))
        decode_fault_at(d, STR("host"), "has no valid host or port");
}

static void check_kafka_host(struct decoder *d)
{
    struct str rest = d->s->task.host;
    struct str one;

    while (str_cut(&rest, ',', &one)) {
        if (!authority_ok(one, false)) {
            decode_fault_at(d, STR("host"), "must be brokers such as \"kafka1:9092,kafka2:9092\"");
            return;
        }
    }
}

static void check_redis_host(struct decoder *d)
{
    struct str url = d->s->task.host;
    int64_t db;
    bool is_url = cut_scheme(&url, STR("redis://")) || cut_scheme(&url, STR("rediss://"));
    struct str authority;

    if (!is_url) {
        if (!authority_ok(url, false))
            decode_fault_at(d, STR("host"),
                            "must be \"host:port\" or \"redis://user:password@host:port/db\"");
        return;
    }
    if (!d->rules->trusted && d->s->task.host.p[5] != ':') {
        decode_fault_at(d, STR("host"),
                        "rediss:// needs TLS, which this build's Redis library does not have; use redis://");
        return;
    }
    authority = cut_authority(&url);
    if (!chars_are_graphic(d->s->task.host) || !authority_ok(authority, false))
        decode_fault_at(d, STR("host"), "has no valid host or port");
    else if (url.n > 1 && (url.p[0] != '/' || !char_is_digit(url.p[1]) ||
                           !str_to_i64((struct str){url.p + 1, url.n - 1}, &db)))
        decode_fault_at(d, STR("host"), "must end with the database's number, such as /0");
}

/* "***" for user and password keeps those of the definition being replaced. */
static bool keep_userinfo(struct decoder *d)
{
    struct error err = {0};
    struct str own;
    struct str prior;
    json_t *connection;
    json_t *host;
    enum err e;

    if (d->rules->trusted || !secret_userinfo(d->s->task.host, &own) || !str_eq(own, STR(SECRET_MASK)))
        return true;
    if (!d->prior || !secret_userinfo(d->prior->task.host, &prior)) {
        decode_fault_at(d, STR("host"), "there is no user and password to keep for \"***\"");
        return false;
    }
    connection = json_object_get(json_object_get(d->s->json, "task"), "connection");
    e = secret_with_userinfo(d->s->task.host, prior, &host, &err);
    if (e || json_object_set_new(connection, "host", host)) {
        decode_no_memory(d);
        return false;
    }
    d->s->task.host = json_str(host);
    return true;
}

void connection_check_host(struct decoder *d)
{
    if (!keep_userinfo(d))
        return;
    switch (d->s->task.type) {
    case TASK_REST:
        check_rest_host(d);
        break;
    case TASK_KAFKA:
        check_kafka_host(d);
        break;
    case TASK_REDIS:
        check_redis_host(d);
        break;
    }
}

void connection_check_topic(struct decoder *d)
{
    struct str topic = d->s->task.topic;

    if (d->s->task.type == TASK_KAFKA) {
        if (topic.n > KAFKA_TOPIC_MAX || !chars_are_graphic(topic) || !chars_are_in(topic, "._-") ||
            !str_is_utf8(topic) || str_eq(topic, STR(".")) || str_eq(topic, STR("..")))
            decode_fault_at(d, STR("topic"),
                            "must be up to 249 letters, digits, dots, underscores and hyphens");
        return;
    }
    if (chars_have_control(topic))
        decode_fault_at(d, STR("topic"), "must not contain control characters");
}
