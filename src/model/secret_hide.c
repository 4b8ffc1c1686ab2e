/*
 * secret_hide.c: a target may send back what it was sent, secrets and all: they are looked for in its answer
 * before it is kept. See secret.h.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "model/secret.h"

/* PIECE_MIN: parts of a value that are shorter are words, not secrets. */
enum { NEEDLES_MAX = 1024, NEEDLE_BYTES_MAX = 1024 * 1024, PIECE_MIN = 8, USER_MIN = 3 };

struct needles {
    struct buf texts;
    size_t starts[NEEDLES_MAX + 1];
    size_t n;
};

static struct str needle_at(const struct needles *l, size_t i)
{
    return (struct str){l->texts.p + l->starts[i], l->starts[i + 1] - l->starts[i]};
}

static void add_one(struct needles *l, struct str s)
{
    if (s.n == 0 || l->n == NEEDLES_MAX)
        return;
    l->starts[l->n] = l->texts.n;
    buf_add(&l->texts, s);
    l->starts[++l->n] = l->texts.n;
}

/* As JSON writers put it, with and without the slash escaped. */
static void add_escaped(struct needles *l, struct str s)
{
    CLEANUP(buf_done_p) struct buf json = {0};
    CLEANUP(buf_done_p) struct buf slashed = {0};
    struct str inside;

    buf_init(&json, NEEDLE_BYTES_MAX);
    buf_init(&slashed, NEEDLE_BYTES_MAX);
    buf_add_json(&json, s);
    if (!buf_ok(&json) || json.n < 2)
        return;
    inside = (struct str){json.p + 1, json.n - 2};
    if (!str_eq(inside, s))
        add_one(l, inside);
    if (str_find(inside, '/') == inside.n)
        return;
    for (size_t i = 0; i < inside.n; i++) {
        if (inside.p[i] == '/')
            buf_add_char(&slashed, '\\');
        buf_add_char(&slashed, inside.p[i]);
    }
    if (buf_ok(&slashed))
        add_one(l, buf_str(&slashed));
}

static void add(struct needles *l, struct str s)
{
    add_one(l, s);
    add_escaped(l, s);
}

static bool separates(char c)
{
    return c == ' ' || c == ',' || c == ';' || c == '=' || c == '\t' || c == '"';
}

/* A value, and what in it is long enough to be a secret of its own. */
static void add_value(struct needles *l, struct str value)
{
    size_t from = 0;

    add(l, value);
    for (size_t i = 0; i <= value.n; i++) {
        if (i < value.n && !separates(value.p[i]))
            continue;
        if (i - from >= PIECE_MIN && i - from < value.n)
            add(l, (struct str){value.p + from, i - from});
        from = i + 1;
    }
}

static void add_headers(struct needles *l, const struct schedule *s, const struct schedule_rules *rules)
{
    json_t *headers = s->task.headers;

    for (void *it = json_object_iter(headers); it; it = json_object_iter_next(headers, it)) {
        const struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};
        const json_t *value = json_object_iter_value(it);

        if (json_is_string(value) && secret_header(rules, name))
            add_value(l, json_str(value));
    }
}

static void add_decoded(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && i + 2 < s.n ? str_hex_value(s.p[i + 1]) : -1;
        int low = high >= 0 ? str_hex_value(s.p[i + 2]) : -1;

        if (low >= 0) {
            buf_add_char(out, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_add_char(out, s.p[i]);
        }
    }
}

static void add_base64(struct buf *out, struct str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s.n; i += 3) {
        unsigned v = (unsigned)(unsigned char)s.p[i] << 16;

        if (i + 1 < s.n)
            v |= (unsigned)(unsigned char)s.p[i + 1] << 8;
        if (i + 2 < s.n)
            v |= (unsigned char)s.p[i + 2];
        buf_add_char(out, digits[v >> 18]);
        buf_add_char(out, digits[v >> 12 & 63]);
        buf_add_char(out, i + 1 < s.n ? digits[v >> 6 & 63] : '=');
        buf_add_char(out, i + 2 < s.n ? digits[v & 63] : '=');
    }
}

static void add_user(struct needles *l, struct str userinfo)
{
    struct str rest = userinfo;
    struct str user;

    add(l, userinfo);
    if (!str_cut(&rest, ':', &user))
        return;
    if (user.n >= USER_MIN)
        add(l, user);
    if (rest.p)
        add(l, rest);
}

static void add_userinfo(struct needles *l, struct str url)
{
    CLEANUP(buf_done_p) struct buf decoded = {0};
    CLEANUP(buf_done_p) struct buf basic = {0};
    struct str userinfo;

    if (!secret_userinfo(url, &userinfo))
        return;
    buf_init(&decoded, NEEDLE_BYTES_MAX);
    buf_init(&basic, NEEDLE_BYTES_MAX);
    add_user(l, userinfo);
    add_decoded(&decoded, userinfo);
    if (!buf_ok(&decoded))
        return;
    add_user(l, buf_str(&decoded));
    add_base64(&basic, buf_str(&decoded));
    if (buf_ok(&basic))
        add(l, buf_str(&basic));
}

/* How much of `rest` is a secret; with `cut` also one that begins at its end. */
static size_t secret_length(const struct needles *l, struct str rest, bool cut)
{
    size_t longest = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct str s = needle_at(l, i);
        size_t n = s.n <= rest.n ? s.n : rest.n;

        if (s.p[0] != rest.p[0] || n <= longest || (s.n > rest.n && !cut))
            continue;
        if (memcmp(s.p, rest.p, n) == 0)
            longest = n;
    }
    return longest;
}

static void hide(const struct needles *l, struct str text, bool cut, struct buf *out)
{
    size_t from = 0;

    for (size_t i = 0; i < text.n;) {
        size_t n = secret_length(l, (struct str){text.p + i, text.n - i}, cut);

        if (n == 0) {
            i++;
            continue;
        }
        buf_add(out, (struct str){text.p + from, i - from});
        buf_add_cstr(out, SECRET_MASK);
        i += n;
        from = i;
    }
    buf_add(out, (struct str){text.p + from, text.n - from});
}

enum err secret_hide(const struct schedule *s, const struct schedule_rules *rules, struct str text, bool cut,
                     struct buf *out, struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct needles *l;
    enum err e = alloc_array(1, sizeof(*l), &p, err);

    if (e)
        return e;
    l = p;
    buf_init(&l->texts, NEEDLE_BYTES_MAX);
    add_headers(l, s, rules);
    add_userinfo(l, s->task.host);
    /* Better no answer than one of which nobody knows what is in it. */
    e = l->n == NEEDLES_MAX ? error_set(err, ERR_TOO_LARGE, NULL, "too many hidden values")
                            : buf_check(&l->texts, NULL, err);
    if (!e)
        hide(l, text, cut, out);
    buf_done(&l->texts);
    return e ? e : buf_check(out, NULL, err);
}
