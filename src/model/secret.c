/*
 * secret.c: what is write-only. See secret.h.
 */
#include "model/secret.h"

#include "base/buf.h"
#include "base/str.h"
#include "model/names.h"

bool secret_is_mask(const json_t *v)
{
    return json_is_string(v) && str_eq(json_str(v), STR(SECRET_MASK));
}

static bool ends_nocase(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq_nocase((struct str){s.p + (s.n - suffix.n), suffix.n}, suffix);
}

/* Whole names, and endings that say what a header carries whoever invented it. */
static bool builtin_header(struct str name)
{
    static const struct str whole[] = {
        WORD("authorization"), WORD("proxy-authorization"),
        WORD("cookie"),        WORD("set-cookie"),
        WORD("apikey"),        WORD("api-key"),
        WORD("token"),
    };
    static const struct str endings[] = {
        WORD("-token"),   WORD("-secret"), WORD("-password"),
        WORD("-api-key"), WORD("-apikey"), WORD("-authorization"),
    };

    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        if (str_eq_nocase(name, whole[i]))
            return true;
    }
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        if (ends_nocase(name, endings[i]))
            return true;
    }
    return false;
}

bool secret_header(const struct schedule_rules *rules, struct str name)
{
    if (builtin_header(name))
        return true;
    for (size_t i = 0; rules && i < rules->hidden_headers_n; i++) {
        if (str_eq_nocase(name, rules->hidden_headers[i]))
            return true;
    }
    return false;
}

bool secret_config(struct str name)
{
    return str_eq(name, STR("sasl.password")) || str_eq(name, STR("ssl.key.pem")) ||
           str_eq(name, STR("ssl.key.password"));
}

bool secret_userinfo(struct str url, struct str *ret)
{
    size_t scheme = str_find(url, ':');
    struct str rest;
    size_t end = 0;
    size_t at;

    if (scheme + 3 > url.n || !str_starts((struct str){url.p + scheme, url.n - scheme}, STR("://")))
        return false;
    rest = (struct str){url.p + scheme + 3, url.n - scheme - 3};
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
        end++;
    /* The last one: libraries let an unescaped @ stand in a password. */
    at = end;
    while (at > 0 && rest.p[at - 1] != '@')
        at--;
    if (at == 0)
        return false;
    *ret = (struct str){rest.p, at - 1};
    return true;
}

enum err secret_with_userinfo(struct str url, struct str userinfo, json_t **ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    struct str own;
    enum err e;

    MUST(secret_userinfo(url, &own));
    buf_init(&b, url.n + userinfo.n);
    buf_add(&b, (struct str){url.p, (size_t)(own.p - url.p)});
    buf_add(&b, userinfo);
    buf_add(&b, (struct str){own.p + own.n, url.n - (size_t)(own.p - url.p) - own.n});
    e = buf_check(&b, NULL, err);
    if (e)
        return e;
    *ret = json_stringn(b.p, b.n);
    return *ret ? ERR_NONE : error_set(err, ERR_MEMORY, NULL, "out of memory for JSON");
}
