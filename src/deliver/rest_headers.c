/*
 * rest_headers.c: the header lines of an attempt: the user's, the run's identity, the trace.
 *
 * The lines lie in one buffer and their list items in one array, both reused: libcurl only reads the chain,
 * and curl_slist_append() would allocate twice a line.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "calendar/iso8601.h"
#include "deliver/rest_internal.h"

/* Names that are ours to set: the run's identity, and what follows from the body and the connection. */
static bool header_is_ours(struct str name)
{
    static const char *const ours[] = {"Idempotency-Key", "traceparent", "Content-Length",
                                       "Transfer-Encoding", "Expect"};
    const struct str prefix = STR("Carillon-");

    for (size_t i = 0; i < COUNT_OF(ours); i++) {
        if (str_eq_nocase(name, str_of(ours[i])))
            return true;
    }
    return name.n >= prefix.n && str_eq_nocase((struct str){name.p, prefix.n}, prefix);
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

static void add_cstr(struct transfer *t, size_t *n, struct str name, const char *value)
{
    add_line(t, n, name, str_of(value));
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

        if (header_is_ours(name))
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

/*
 * W3C Trace Context: the trace id is the run's id, so all attempts of a run are one trace and can be looked
 * up by it; each attempt is a span of its own. Sampled, or a receiver that follows its parent's choice would
 * keep nothing.
 */
static void add_traceparent(struct transfer *t, size_t *n)
{
    static const char hex[] = "0123456789abcdef";
    char text[] = "00-00000000000000000000000000000000-0000000000000000-01";
    uint64_t span = rng_next(&t->rest->rng) | 1; /* all zero is not a span */

    for (size_t i = 0; i < 16; i++) {
        text[3 + 2 * i] = hex[t->delivery->run.id.b[i] >> 4];
        text[4 + 2 * i] = hex[t->delivery->run.id.b[i] & 15];
    }
    for (size_t i = 0; i < 16; i++)
        text[36 + i] = hex[(span >> (60 - 4 * i)) & 15];
    add_line(t, n, STR("traceparent"), (struct str){text, sizeof(text) - 1});
}

static void add_identity(struct transfer *t, size_t *n)
{
    const struct run *run = &t->delivery->run;
    char key[RUN_KEY_MAX];
    char id[UUID_TEXT + 1];
    char at[ISO_TEXT_MAX];
    char attempt[24];

    run_key(run, key);
    add_cstr(t, n, STR("Idempotency-Key"), key);
    uuid_format(run->schedule_id, id);
    add_cstr(t, n, STR("Carillon-Schedule-Id"), id);
    uuid_format(run->id, id);
    add_cstr(t, n, STR("Carillon-Run-Id"), id);
    iso_format(run->scheduled_at, at);
    add_cstr(t, n, STR("Carillon-Scheduled-At"), at);
    (void)snprintf(attempt, sizeof(attempt), "%lld", (long long)run->attempt);
    add_cstr(t, n, STR("Carillon-Attempt"), attempt);
    add_traceparent(t, n);
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
    /* Takes "Expect: 100-continue" away, which libcurl adds to large bodies and many servers leave
     * unanswered. */
    buf_add(&t->text, (struct str){"Expect:", sizeof("Expect:")});
    n++;
    e = buf_check(&t->text, "/task/connection/headers", err);
    if (e)
        return e;
    return chain(t, offset, n, err);
}
