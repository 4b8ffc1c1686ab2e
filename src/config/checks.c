/*
 * checks.c: texts that must be more than text: addresses, URLs, identifiers. Shape only: whether an address
 * can be bound or a database reached is found out by those who use it.
 */
#include <string.h>

#include "base/network.h"
#include "base/str.h"
#include "config/value.h"

/* "HOST:PORT", an IPv6 host in brackets; without a host every address is meant. */
static bool split_listen(struct str text, struct str *ret_host, int64_t *ret_port)
{
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    struct str host;

    if (!colon)
        return false;
    host = (struct str){text.p, (size_t)(colon - text.p)};
    if (!str_to_i64((struct str){colon + 1, text.n - host.n - 1}, ret_port))
        return false;
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct str){host.p + 1, host.n - 2};
    else if (str_find(host, ':') < host.n)
        return false;
    *ret_host = host;
    return true;
}

enum err check_listen(struct str text, struct error *err)
{
    struct str host;
    int64_t port;

    if (!split_listen(text, &host, &port) || port < 0 || port > 65535)
        return error_set(err, ERR_INVALID, NULL,
                         "must be ADDRESS:PORT, such as 127.0.0.1:9902, 0.0.0.0:9902 or [::1]:9902");
    return ERR_NONE;
}

bool settings_listens_beyond_loopback(const char *listen)
{
    struct str host;
    int64_t port;

    if (!split_listen(str_of(listen), &host, &port))
        return true;
    return !(str_starts(host, STR("127.")) || str_eq(host, STR("::1")) ||
             str_eq_nocase(host, STR("localhost")));
}

enum err check_store_url(struct str text, struct error *err)
{
    const struct str sqlite = STR("sqlite:");

    if (str_starts(text, sqlite)) {
        if (text.n == sqlite.n)
            return error_set(err, ERR_INVALID, NULL, "names no file: sqlite:PATH");
        /* sqlite:///var/x.db is what others write for an absolute path; two slashes would name a host. */
        if (str_starts(text, STR("sqlite://")) && !str_starts(text, STR("sqlite:///")))
            return error_set(
                err, ERR_INVALID, NULL,
                "must be sqlite:PATH without a host: sqlite:./data/x.db or sqlite:/var/lib/x.db");
        return ERR_NONE;
    }
    if (str_starts(text, STR("postgresql://")) || str_starts(text, STR("postgres://")))
        return ERR_NONE;
    return error_set(err, ERR_INVALID, NULL, "must be sqlite:PATH or postgresql://...");
}

enum err check_postgres_url(struct str text, struct error *err)
{
    if (str_starts(text, STR("postgresql://")) || str_starts(text, STR("postgres://")))
        return ERR_NONE;
    return error_set(err, ERR_INVALID, NULL, "must be postgresql://...");
}

enum err check_schema(struct str text, struct error *err)
{
    enum { SCHEMA_MAX = 40 };
    const struct str allowed = STR("abcdefghijklmnopqrstuvwxyz_0123456789");
    bool ok = text.n > 0 && text.n <= SCHEMA_MAX && !(text.p[0] >= '0' && text.p[0] <= '9');

    for (size_t i = 0; ok && i < text.n; i++)
        ok = memchr(allowed.p, text.p[i], allowed.n) != NULL;
    if (!ok)
        return error_set(err, ERR_INVALID, NULL,
                         "must be a schema's name: lower case letters, digits and _, at most %d", SCHEMA_MAX);
    return ERR_NONE;
}

enum err check_redis_url(struct str text, struct error *err)
{
    if (str_starts(text, STR("redis://")) || str_starts(text, STR("rediss://")))
        return ERR_NONE;
    return error_set(err, ERR_INVALID, NULL,
                     "must be redis://HOST:PORT or redis://USER:PASSWORD@HOST:PORT/DB");
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

enum err check_identifier(struct str text, struct error *err)
{
    enum { IDENTIFIER_MAX = 63 }; /* PostgreSQL's */
    bool ok = text.n > 0 && text.n <= IDENTIFIER_MAX && !(text.p[0] >= '0' && text.p[0] <= '9');

    for (size_t i = 0; ok && i < text.n; i++)
        ok = is_word_char(text.p[i]);
    if (!ok)
        return error_set(err, ERR_INVALID, NULL, "must be a table's name: letters, digits and _, at most %d",
                         IDENTIFIER_MAX);
    return ERR_NONE;
}

enum err check_header_name(struct str text, struct error *err)
{
    const struct str marks = STR("!#$%&'*+-.^`|~");

    for (size_t i = 0; i < text.n; i++) {
        /* RFC 9110, 5.6.2: token */
        if (!is_word_char(text.p[i]) && !memchr(marks.p, text.p[i], marks.n))
            return error_set(err, ERR_INVALID, NULL, "must be names of HTTP headers");
    }
    return ERR_NONE;
}

enum err check_host_rule(struct str text, struct error *err)
{
    enum { SHOWN = 60 };
    struct host_rule unused;
    struct error why;
    enum err e = host_rule_parse(text, &unused, &why);

    if (!e)
        return ERR_NONE;
    return error_set(err, e, NULL, "%.*s %s", (int)(text.n < SHOWN ? text.n : SHOWN), text.p, why.text);
}
