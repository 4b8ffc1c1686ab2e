/*
 * connection.c: where a task goes, judged by its syntax: hosts, topics, header fields, kafka's settings.
 * Whether a host may be reached is judged when it is connected to, not here.
 *
 * Nothing that passes can break out of a request line, a header or a log line: control characters are refused
 * everywhere.
 */
#include "base/str.h"
#include "model/decode.h"
#include "model/secret.h"

enum {
    HEADERS_MAX = 64,
    HEADER_NAME_MAX = 256,
    HEADER_VALUE_MAX = 8192,
    CONFIG_VALUE_MAX = 16384,
    KAFKA_TOPIC_MAX = 249
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Printable and no blank; bytes of other scripts are let through. */
static bool is_graphic(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= 0x20 || c == 0x7F)
            return false;
    }
    return true;
}

static bool port_ok(struct str s)
{
    int64_t port;

    return s.n > 0 && is_digit(s.p[0]) && str_to_i64(s, &port) && port >= 1 && port <= 65535;
}

static bool all_in(struct str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!is_alnum(c) && (unsigned char)c < 0x80 && str_find(str_of(others), c) == str_of(others).n)
            return false;
    }
    return true;
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
        if (host.n < 2 || !all_in(host, ":.%-"))
            return false;
    } else {
        end = str_find(s, ':');
        host = (struct str){s.p, end};
        rest = (struct str){s.p + end, s.n - end};
        /* RFC 3986's reg-name and what people's resolvers take beside it. */
        if (host.n == 0 || host.n > 253 || !all_in(host, "-._~%"))
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
    else if (!is_graphic(url))
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
    authority = cut_authority(&url);
    if (!is_graphic(d->s->task.host) || !authority_ok(authority, false))
        decode_fault_at(d, STR("host"), "has no valid host or port");
    else if (url.n > 1 &&
             (url.p[0] != '/' || !is_digit(url.p[1]) || !str_to_i64((struct str){url.p + 1, url.n - 1}, &db)))
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
        if (topic.n > KAFKA_TOPIC_MAX || !is_graphic(topic) || !all_in(topic, "._-") || !str_is_utf8(topic) ||
            str_eq(topic, STR(".")) || str_eq(topic, STR("..")))
            decode_fault_at(d, STR("topic"),
                            "must be up to 249 letters, digits, dots, underscores and hyphens");
        return;
    }
    for (size_t i = 0; i < topic.n; i++) {
        if ((unsigned char)topic.p[i] < 0x20 || topic.p[i] == 0x7F) {
            decode_fault_at(d, STR("topic"), "must not contain control characters");
            return;
        }
    }
}

/* RFC 9110, 5.6.2 */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    }
    return s.n > 0 && all_in(s, "!#$%&'*+-.^_`|~");
}

/* RFC 9110, 5.5: visible characters, blanks and tabs. */
static bool is_field_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

/* Those that the connection or Carillon itself sets. */
static bool is_reserved(struct str name)
{
    static const struct str whole[] = {
        {"host", 4},
        {"content-length", 14},
        {"transfer-encoding", 17},
        {"connection", 10},
        {"keep-alive", 10},
        {"upgrade", 7},
        {"te", 2},
        {"trailer", 7},
        {"expect", 6},
        {"proxy-connection", 16},
        {"idempotency-key", 15},
        {"traceparent", 11},
    };
    static const struct str ours = {"carillon-", 9};

    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        if (str_eq_nocase(name, whole[i]))
            return true;
    }
    return name.n >= ours.n && str_eq_nocase((struct str){name.p, ours.n}, ours);
}

/* The value of a member of `object` whose name is `name`, in whatever case; NULL when there is none. */
static json_t *find_nocase(json_t *object, struct str name)
{
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        if (str_eq_nocase((struct str){json_object_iter_key(it), json_object_iter_key_len(it)}, name))
            return json_object_iter_value(it);
    }
    return NULL;
}

/* Puts what the definition being replaced has in place of "***". */
static void keep_secret(struct decoder *d, json_t *object, void *it, struct str name, json_t *prior_object)
{
    json_t *prior = prior_object ? find_nocase(prior_object, name) : NULL;

    if (!prior)
        decode_fault_at(d, name, "there is no value to keep for \"***\"");
    else if (json_object_iter_set(object, it, prior))
        decode_no_memory(d);
}

static void check_header(struct decoder *d, json_t *headers, void *it)
{
    const struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};
    json_t *v = json_object_iter_value(it);

    if (!is_token(name) || name.n > HEADER_NAME_MAX)
        decode_fault_at(d, name, "is no valid name of a header");
    else if (is_reserved(name))
        decode_fault_at(d, name, "is set by Carillon itself");
    else if (!json_is_string(v))
        decode_fault_at(d, name, "must be a string");
    else if (json_str(v).n > HEADER_VALUE_MAX)
        decode_fault_at(d, name, "must be at most %d bytes long", (int)HEADER_VALUE_MAX);
    else if (!is_field_value(json_str(v)))
        decode_fault_at(d, name, "must not contain control characters");
    else if (find_nocase(headers, name) != v)
        decode_fault_at(d, name, "stands here twice; names of headers know no case");
    else if (!d->rules->trusted && secret_is_mask(v) && secret_header(d->rules, name))
        keep_secret(d, headers, it, name, d->prior ? d->prior->task.headers : NULL);
}

void connection_check_headers(struct decoder *d)
{
    const struct path at = {d->at, STR("headers")};
    json_t *headers = d->s->task.headers;

    d->at = &at;
    if (!json_is_object(headers)) {
        decode_fault(d, "must be an object of strings");
        d->s->task.headers = NULL;
    } else if (json_object_size(headers) > HEADERS_MAX) {
        decode_fault(d, "must be at most %d headers", (int)HEADERS_MAX);
    } else {
        for (void *it = json_object_iter(headers); it; it = json_object_iter_next(headers, it))
            check_header(d, headers, it);
    }
    d->at = at.up;
}

/* What of librdkafka's settings a definition may touch: how to be let in, nothing that costs the server. */
static bool is_allowed_setting(struct str name)
{
    static const struct str allowed[] = {
        {"security.protocol", 17},
        {"sasl.mechanism", 14},
        {"sasl.mechanisms", 15},
        {"sasl.username", 13},
        {"sasl.password", 13},
        {"ssl.ca.pem", 10},
        {"ssl.ca.location", 15},
        {"ssl.certificate.pem", 19},
        {"ssl.key.pem", 11},
        {"ssl.key.password", 16},
        {"ssl.endpoint.identification.algorithm", 37},
        {"client.id", 9},
        {"compression.type", 16},
    };

    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        if (str_eq(name, allowed[i]))
            return true;
    }
    return false;
}

static void check_setting(struct decoder *d, json_t *config, void *it)
{
    const struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};
    json_t *v = json_object_iter_value(it);

    if (!is_allowed_setting(name))
        decode_fault_at(d, name, "is not a setting that a definition may change");
    else if (!json_is_string(v) || json_str(v).n > CONFIG_VALUE_MAX)
        decode_fault_at(d, name, "must be a string of at most %d bytes", (int)CONFIG_VALUE_MAX);
    else if (!d->rules->trusted && secret_is_mask(v) && secret_config(name))
        keep_secret(d, config, it, name, d->prior ? d->prior->task.config : NULL);
}

void connection_check_config(struct decoder *d)
{
    const struct path at = {d->at, STR("config")};
    json_t *config = d->s->task.config;

    d->at = &at;
    if (!json_is_object(config)) {
        decode_fault(d, "must be an object of strings");
        d->s->task.config = NULL;
    } else {
        for (void *it = json_object_iter(config); it; it = json_object_iter_next(config, it))
            check_setting(d, config, it);
    }
    d->at = at.up;
}
