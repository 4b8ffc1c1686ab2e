/*
 * fields.c: what a task sends along with its data: header fields, and the settings of a kafka connection.
 * Names and values are judged by RFC 9110, so that nothing in them can end a header and begin another.
 */
#include "model/decode.h"

#include <stdio.h>

#include "base/str.h"
#include "model/chars.h"
#include "model/secret.h"

enum { HEADERS_MAX = 64, HEADER_NAME_MAX = 256, HEADER_VALUE_MAX = 8192, CONFIG_VALUE_MAX = 16384 };

/* RFC 9110, 5.6.2 */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    }
    return s.n > 0 && chars_are_in(s, "!#$%&'*+-.^_`|~");
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
        WORD("host"),
        WORD("content-length"),
        WORD("transfer-encoding"),
        WORD("connection"),
        WORD("keep-alive"),
        WORD("upgrade"),
        WORD("te"),
        WORD("trailer"),
        WORD("expect"),
        WORD("proxy-connection"),
        WORD("idempotency-key"),
        WORD("traceparent"),
    };
    static const struct str ours = WORD("carillon-");

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

void fields_check_headers(struct decoder *d)
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
        WORD("security.protocol"),
        WORD("sasl.mechanism"),
        WORD("sasl.mechanisms"),
        WORD("sasl.username"),
        WORD("sasl.password"),
        WORD("ssl.ca.pem"),
        WORD("ssl.ca.location"),
        WORD("ssl.certificate.pem"),
        WORD("ssl.key.pem"),
        WORD("ssl.key.password"),
        WORD("ssl.endpoint.identification.algorithm"),
        WORD("client.id"),
        WORD("compression.type"),
    };

    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        if (str_eq(name, allowed[i]))
            return true;
    }
    return false;
}

/*
 * Values that matter to the server and not only to the connection. GSSAPI would run kinit; OAUTHBEARER needs
 * code of ours. A certificate's name is left unchecked only where the configuration allows it for all tasks.
 */
static const struct choice {
    struct str name;
    const char *const words[6];
} choices[] = {
    {WORD("security.protocol"), {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}},
    {WORD("sasl.mechanism"), {"plain", "scram-sha-256", "scram-sha-512"}},
    {WORD("sasl.mechanisms"), {"plain", "scram-sha-256", "scram-sha-512"}},
    {WORD("ssl.endpoint.identification.algorithm"), {"https", "none"}},
    {WORD("compression.type"), {"none", "gzip", "snappy", "lz4", "zstd"}},
};

static void check_choice(struct decoder *d, const struct choice *c, struct str value)
{
    char list[96] = "";
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(c->words) && c->words[i]; i++) {
        struct str word = str_of(c->words[i]);

        if (str_eq_nocase(value, word)) {
            if (str_eq(word, STR("none")) && str_starts(c->name, STR("ssl.")) &&
                !d->rules->tls_insecure_allowed)
                decode_fault_at(d, c->name, "this server's configuration does not allow \"none\"");
            return;
        }
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i > 0 ? ", " : "", word.p);
    }
    decode_fault_at(d, c->name, "must be one of %s", list);
}

static void check_value(struct decoder *d, struct str name, struct str value)
{
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        if (str_eq(choices[i].name, name))
            check_choice(d, &choices[i], value);
    }
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
    else if (!d->rules->trusted)
        check_value(d, name, json_str(v));
}

/* Without a mechanism librdkafka would take GSSAPI. */
static void check_login(struct decoder *d, const json_t *config)
{
    const json_t *protocol = json_object_get(config, "security.protocol");
    const struct str sasl = STR("sasl_");
    struct str text;

    if (d->rules->trusted || !json_is_string(protocol))
        return;
    text = json_str(protocol);
    if (text.n < sasl.n || !str_eq_nocase((struct str){text.p, sasl.n}, sasl))
        return;
    if (!json_object_get(config, "sasl.mechanism") && !json_object_get(config, "sasl.mechanisms"))
        decode_fault_at(d, STR("security.protocol"), "needs sasl.mechanism beside it");
}

void fields_check_config(struct decoder *d)
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
        check_login(d, config);
    }
    d->at = at.up;
}
