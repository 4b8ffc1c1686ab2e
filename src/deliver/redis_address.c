/*
 * redis_address.c: "host:port" or "redis://user:password@host:port/db" taken apart. Pure.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/str.h"
#include "deliver/redis_internal.h"

enum { PORT_USUAL = 6379 };

/* Copies `s` with %XX undone to *at, which moves on; terminated. */
static struct str decode_into(char **at, struct str s)
{
    char *start = *at;
    char *p = start;

    for (size_t i = 0; i < s.n; i++) {
        int high = i + 2 < s.n && s.p[i] == '%' ? str_hex_value(s.p[i + 1]) : -1;
        int low = high >= 0 ? str_hex_value(s.p[i + 2]) : -1;

        if (low >= 0) {
            *p++ = (char)(high * 16 + low);
            i += 2;
        } else {
            *p++ = s.p[i];
        }
    }
    *p = '\0';
    *at = p + 1;
    return (struct str){start, (size_t)(p - start)};
}

static struct str copy_lower(char **at, struct str s)
{
    char *start = *at;

    for (size_t i = 0; i < s.n; i++)
        start[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + ('a' - 'A')) : s.p[i];
    start[s.n] = '\0';
    *at = start + s.n + 1;
    return (struct str){start, s.n};
}

static bool parse_port(struct str s, uint16_t *ret)
{
    int64_t port;

    if (!str_to_i64(s, &port) || port < 1 || port > UINT16_MAX)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* host, host:port or [v6]:port */
static bool parse_authority(struct str s, char **at, struct redis_address *a)
{
    size_t close = s.n > 0 && s.p[0] == '[' ? str_find(s, ']') : 0;
    struct str host;
    struct str rest;

    if (close == s.n)
        return false;
    if (close > 0) {
        host = (struct str){s.p + 1, close - 1};
        rest = (struct str){s.p + close + 1, s.n - close - 1};
    } else {
        host = (struct str){s.p, str_find(s, ':')};
        rest = (struct str){s.p + host.n, s.n - host.n};
    }
    if (host.n == 0)
        return false;
    a->host = copy_lower(at, host).p;
    a->port = PORT_USUAL;
    return rest.n == 0 || (rest.p[0] == ':' && parse_port((struct str){rest.p + 1, rest.n - 1}, &a->port));
}

static bool parse_url(struct str url, char **at, struct redis_address *a)
{
    size_t end = str_find(url, '/');
    struct str authority = {url.p, end};
    struct str path = {url.p + end, url.n - end};
    size_t host = authority.n;

    /* The last @: an unescaped one may stand in a password. */
    while (host > 0 && authority.p[host - 1] != '@')
        host--;
    if (host > 0) {
        struct str info = {authority.p, host - 1};
        size_t colon = str_find(info, ':');

        a->user = decode_into(at, (struct str){info.p, colon});
        a->password =
            decode_into(at, colon < info.n ? (struct str){info.p + colon + 1, info.n - colon - 1} : STR(""));
        authority = (struct str){authority.p + host, authority.n - host};
    }
    if (!parse_authority(authority, at, a))
        return false;
    return path.n <= 1 || str_to_i64((struct str){path.p + 1, path.n - 1}, &a->database);
}

enum err redis_address_parse(struct str text, struct redis_address *ret, struct error *err)
{
    const struct str scheme = STR("redis://");
    const struct str secure = STR("rediss://");
    CLEANUP(alloc_free_p) char *copy = NULL;
    struct redis_address a = {.user = STR("")};
    char *at;
    bool ok;
    enum err e;

    if (text.n >= secure.n && str_eq_nocase((struct str){text.p, secure.n}, secure))
        return error_set(err, ERR_UNSUPPORTED, "/task/connection/host",
                         "this build's Redis library has no TLS (rediss://)");
    /* Each of host, user and password with its end. */
    e = alloc_bytes(text.n + 3, &copy, err);
    if (e)
        return e;
    at = copy;
    if (text.n >= scheme.n && str_eq_nocase((struct str){text.p, scheme.n}, scheme))
        ok = parse_url((struct str){text.p + scheme.n, text.n - scheme.n}, &at, &a);
    else
        ok = parse_authority(text, &at, &a);
    if (!ok)
        return error_set(err, ERR_INVALID, "/task/connection/host", "the address cannot be used");
    a.text = TAKE(copy);
    *ret = a;
    return ERR_NONE;
}

void redis_address_done(struct redis_address *a)
{
    alloc_free(a->text);
    *a = (struct redis_address){0};
}

enum err redis_address_key(const struct redis_address *a, struct uuid *ret, struct error *err)
{
    const struct str parts[] = {
        str_of(a->host),
        {(const char *)&a->port, sizeof(a->port)},
        a->user,
        a->password.p ? a->password : STR(""),
        {a->password.p ? "1" : "0", 1},
        {(const char *)&a->database, sizeof(a->database)},
    };
    uint8_t digest[DIGEST_BYTES];
    enum err e = digest_parts(parts, COUNT_OF(parts), digest, err);

    if (e)
        return e;
    memcpy(ret->b, digest, sizeof(ret->b));
    return ERR_NONE;
}
