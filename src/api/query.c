/*
 * query.c: decoding in place, since a decoded text is never longer than the encoded one.
 */
#include "api/query.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

/* False when a percent sign is not followed by two hex digits, or the outcome is not UTF-8 without NUL. */
static bool decode(char *p, size_t *n, bool plus_is_space)
{
    size_t to = 0;

    for (size_t from = 0; from < *n; from++) {
        char c = p[from];

        if (c == '%') {
            int high = from + 2 < *n ? str_hex_value(p[from + 1]) : -1;
            int low = from + 2 < *n ? str_hex_value(p[from + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            from += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        p[to++] = c;
    }
    *n = to;
    return str_is_utf8((struct str){p, to});
}

static size_t find(const char *p, size_t n, char c)
{
    return str_find((struct str){p, n}, c);
}

static enum err parse_path(char *p, size_t n, struct target *ret, struct error *err)
{
    MUST(n > 0 && p[0] == '/');
    for (size_t at = 1; at <= n;) {
        size_t len = find(p + at, n - at, '/');
        size_t decoded = len;

        if (ret->segments_n == TARGET_SEGMENTS_MAX) {
            ret->too_deep = true;
            return ERR_NONE;
        }
        if (!decode(p + at, &decoded, false))
            return error_set(err, ERR_SYNTAX, "", "the path is not well-formed percent-encoded UTF-8");
        ret->segments[ret->segments_n++] = (struct str){p + at, decoded};
        at += len + 1;
    }
    return ERR_NONE;
}

static enum err parse_param(char *p, size_t n, struct target *ret, struct error *err)
{
    size_t name_n = find(p, n, '=');
    char *value = p + name_n + (name_n < n);
    size_t value_n = n - name_n - (name_n < n);
    char where[sizeof(err->where)];

    if (ret->params_n == QUERY_PARAMS_MAX)
        return error_set(err, ERR_SYNTAX, "", "more than %d query parameters", QUERY_PARAMS_MAX);
    if (!decode(p, &name_n, true))
        return error_set(err, ERR_SYNTAX, "",
                         "a query parameter's name is not well-formed percent-encoded UTF-8");
    if (!decode(value, &value_n, true)) {
        (void)snprintf(where, sizeof(where), "?%.*s", (int)(name_n < 80 ? name_n : 80), p);
        return error_set(err, ERR_SYNTAX, where, "the value is not well-formed percent-encoded UTF-8");
    }
    ret->params[ret->params_n++] = (struct query_param){{p, name_n}, {value, value_n}};
    return ERR_NONE;
}

static enum err parse_query(char *p, size_t n, struct target *ret, struct error *err)
{
    for (size_t at = 0; at < n;) {
        size_t len = find(p + at, n - at, '&');
        enum err e = len > 0 ? parse_param(p + at, len, ret, err) : ERR_NONE;

        if (e)
            return e;
        at += len + 1;
    }
    return ERR_NONE;
}

/* RFC 9112, 3.2.2: a server must take the absolute form, which proxies are sent. */
static size_t skip_authority(const char *p, size_t n)
{
    static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t m = schemes[i].n;

        if (n >= m && str_eq_nocase((struct str){p, m}, schemes[i]))
            return m + find(p + m, n - m, '/');
    }
    return 0;
}

enum err target_parse(char *text, size_t n, struct target *ret, struct error *err)
{
    size_t skipped = skip_authority(text, n);
    size_t path_n;
    enum err e;

    *ret = (struct target){0};
    text += skipped;
    n -= skipped;
    if (n == 0 || text[0] != '/')
        return error_set(err, ERR_SYNTAX, "", "the request target must be a path");
    /* A fragment is never sent by a client that knows HTTP; what follows # is not part of the target. */
    n = find(text, n, '#');
    path_n = find(text, n, '?');
    e = parse_path(text, path_n, ret, err);
    if (e || path_n == n)
        return e;
    return parse_query(text + path_n + 1, n - path_n - 1, ret, err);
}

struct str target_param(const struct target *t, const char *name)
{
    struct str wanted = str_of(name);

    for (size_t i = 0; i < t->params_n; i++) {
        if (str_eq(t->params[i].name, wanted))
            return t->params[i].value;
    }
    return (struct str){NULL, 0};
}

/* "?name", cut so that it fits. */
static void put_where(char *where, size_t size, struct str name)
{
    (void)snprintf(where, size, "?%.*s", (int)(name.n < size - 2 ? name.n : size - 2), name.p);
}

static bool named(const char *const *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(str_of(names[i]), name))
            return true;
    }
    return false;
}

static bool came_before(const struct target *t, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (str_eq(t->params[i].name, t->params[at].name))
            return true;
    }
    return false;
}

void target_check_params(const struct target *t, const char *const *names, size_t n,
                         struct error_list *faults)
{
    char where[sizeof(faults->items[0].where)];

    for (size_t i = 0; i < t->params_n; i++) {
        put_where(where, sizeof(where), t->params[i].name);
        if (!named(names, n, t->params[i].name))
            (void)error_list_add(faults, ERR_INVALID, where, "this call knows no such query parameter");
        else if (came_before(t, i))
            (void)error_list_add(faults, ERR_INVALID, where, "the query parameter is given more than once");
    }
}

int64_t target_number(const struct target *t, const char *name, int64_t absent, int64_t min, int64_t max,
                      struct error_list *faults)
{
    struct str text = target_param(t, name);
    char where[sizeof(faults->items[0].where)];
    int64_t value;

    if (!text.p)
        return absent;
    if (str_to_i64(text, &value) && value >= min && value <= max)
        return value;
    put_where(where, sizeof(where), str_of(name));
    (void)error_list_add(faults, ERR_INVALID, where, "must be a whole number from %lld to %lld",
                         (long long)min, (long long)max);
    return absent;
}

void query_escape(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] = "-._~";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (letter || (c != 0 && strchr(plain, c)))
            buf_add_char(out, (char)c);
        else
            buf_add(out, (struct str){(char[3]){'%', hex[c >> 4], hex[c & 15]}, 3});
    }
}
