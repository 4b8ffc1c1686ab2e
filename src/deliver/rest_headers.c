/*
 * rest_headers.c: the header lines of an attempt: the user's, the run's identity, the trace.
 *
 * The lines lie in one buffer and their list items in one array, both reused: libcurl only reads the chain,
 * and curl_slist_append() would allocate twice a line.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/identity.h"
#include "deliver/rest_internal.h"
#include "deliver/sign.h"

/* Names that are ours to set: the run's identity, and what follows from the body and the connection. */
static bool header_is_ours(const struct task *task, struct str name)
{
    return identity_owns(name) || (task->sign.n > 0 && sign_owns(name)) ||
           str_eq_nocase(name, STR("Content-Length")) || str_eq_nocase(name, STR("Transfer-Encoding")) ||
           str_eq_nocase(name, STR("Expect"));
}

/* A line break would let a value write further headers, or a second request. */
static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static bool name_is_sound(struct str name)
{
    return name.n > 0 && !has_control(name) && str_find(name, ':') == name.n &&
           str_find(name, ';') == name.n && str_find(name, ' ') == name.n;
}

/* One terminated line. libcurl wants "Name;" for an empty value: "Name:" would take the header away. */
static void add_line(struct transfer *t, size_t *n, struct str name, struct str value)
{
    bool empty = str_trim(value).n == 0;

    buf_add(&t->text, name);
    buf_add_cstr(&t->text, empty ? ";" : ": ");
    if (!empty)
        buf_add(&t->text, value);
    buf_add_char(&t->text, '\0');
    (*n)++;
}

static enum err add_user_headers(struct transfer *t, size_t *n, bool *ret_has_type, struct error *err)
{
    json_t *headers = t->delivery->schedule->task.headers;
    const char *key;
    json_t *value;

    *ret_has_type = false;
    json_object_foreach(headers, key, value)
    {
        struct str name = str_of(key);
        struct str text = {json_string_value(value), json_string_length(value)};

        if (header_is_ours(&t->delivery->schedule->task, name))
            continue;
        if (!name_is_sound(name))
            return error_set(err, ERR_INVALID, "/task/connection/headers", "a header's name is not one");
        /* Never the value: it may be a secret. */
        if (!text.p || has_control(text))
            return error_set(err, ERR_INVALID, "/task/connection/headers",
                             "header %s holds what a header cannot hold", key);
        if (str_eq_nocase(name, STR("Content-Type")))
            *ret_has_type = true;
        add_line(t, n, name, text);
    }
    return ERR_NONE;
}

static void add_identity(struct transfer *t, size_t *n)
{
    struct identity identity;

    identity_make(&t->delivery->run, &t->rest->rng, &identity);
    for (size_t i = 0; i < IDENTITY_N; i++)
        add_line(t, n, identity.items[i].name, str_of(identity.items[i].value));
}

/* The id is the same for every attempt at one occurrence, the time is this attempt's. */
static enum err add_signature(struct transfer *t, bool has_body, size_t *n, struct error *err)
{
    const struct delivery *d = t->delivery;
    struct str body = has_body ? buf_str(&t->body) : (struct str){"", 0};
    int64_t now_s = clock_wall().us / US_PER_S;
    char id[RUN_KEY_MAX];
    char stamp[24];
    enum err e;

    if (d->schedule->task.sign.n == 0)
        return ERR_NONE;
    run_key(&d->run, id);
    (void)snprintf(stamp, sizeof(stamp), "%lld", (long long)now_s);
    add_line(t, n, STR("webhook-id"), str_of(id));
    add_line(t, n, STR("webhook-timestamp"), str_of(stamp));
    buf_add_cstr(&t->text, "webhook-signature: ");
    e = signer_sign(t->rest->options.signer, d->schedule->task.sign, str_of(id), now_s, body, &t->text, err);
    buf_add_char(&t->text, '\0');
    (*n)++;
    return e;
}

/* Makes the chain over the `n` terminated lines that begin at `offset`. */
static enum err chain(struct transfer *t, size_t offset, size_t n, struct error *err)
{
    char *line = t->text.p + offset;

    if (n > t->headers_cap) {
        void *grown = t->headers;
        enum err e = alloc_resize(&grown, n, sizeof(*t->headers), err);
        if (e)
            return e;
        t->headers = grown;
        t->headers_cap = n;
    }
    for (size_t i = 0; i < n; i++) {
        t->headers[i].data = line;
        t->headers[i].next = i + 1 < n ? &t->headers[i + 1] : NULL;
        line += strlen(line) + 1;
    }
    return ERR_NONE;
}

enum err rest_headers_build(struct transfer *t, bool has_body, struct error *err)
{
    size_t offset = t->text.n;
    size_t n = 0;
    bool has_type;
    enum err e = add_user_headers(t, &n, &has_type, err);

    if (e)
        return e;
    if (has_body && !has_type)
        add_line(t, &n, STR("Content-Type"), STR("application/json"));
    add_identity(t, &n);
    e = add_signature(t, has_body, &n, err);
    if (e)
        return e;
    /* Takes "Expect: 100-continue" away, which libcurl adds to large bodies and many servers leave
     * unanswered. */
    buf_add(&t->text, (struct str){"Expect:", sizeof("Expect:")});
    n++;
    e = buf_check(&t->text, "/task/connection/headers", err);
    if (e)
        return e;
    return chain(t, offset, n, err);
}
