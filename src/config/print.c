/*
 * print.c: settings for eyes and scripts, and the reference page. Secrets are *** in all of them.
 */
#include <string.h>

#include "base/str.h"
#include "config/settings.h"
#include "config/table.h"
#include "config/value.h"

enum { VALUE_MAX_BYTES = 16 * 1024 };

static void add_origin(const struct settings *s, size_t i, struct buf *out)
{
    char variable[SETTING_NAME_MAX];

    switch (s->origins[i].layer) {
    case SETTINGS_DEFAULT:
        buf_add_cstr(out, "default");
        return;
    case SETTINGS_FILE:
        buf_addf(out, "%s:%zu", s->source, s->origins[i].line);
        return;
    case SETTINGS_ENV:
        setting_variable(&settings_table[i], variable);
        buf_add_cstr(out, variable);
        return;
    }
}

/* The members of the group at table place `i` that are before `i`? Groups are runs of neighbours in the
 * table. */
static bool starts_section(size_t i)
{
    return i == 0 || strcmp(settings_table[i].section, settings_table[i - 1].section) != 0;
}

/* Of "tls.cert": length of "tls."; 0 without a group. */
static size_t group_n(const char *member)
{
    const char *dot = strchr(member, '.');

    return dot ? (size_t)(dot - member) + 1 : 0;
}

static bool starts_group(size_t i)
{
    const char *member = settings_table[i].member;
    size_t n = group_n(member);

    return n > 0 && (i == 0 || strncmp(settings_table[i - 1].member, member, n) != 0);
}

/* A word that means itself in a list of YAML. */
static bool is_plain(struct str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && memchr("-_./", c, 4))))
            return false;
    }
    return word.n > 0;
}

/* Numbers and words stand bare; all other texts are quoted as JSON, which YAML reads too. */
static void add_yaml_value(const struct settings *s, const struct setting *t, struct buf *out)
{
    CLEANUP(buf_done_p) struct buf value = {0};
    struct str rest;
    struct str one;

    buf_init(&value, VALUE_MAX_BYTES);
    value_add(s, t, &value);
    rest = buf_str(&value);
    if (t->kind == SETTING_LIST) {
        buf_add_char(out, '[');
        for (bool first = true; rest.n > 0 && str_cut(&rest, ',', &one); first = false) {
            buf_add_cstr(out, first ? "" : ", ");
            if (is_plain(one))
                buf_add(out, one);
            else
                buf_add_json(out, one);
        }
        buf_add_char(out, ']');
    } else if (t->kind == SETTING_TEXT) {
        buf_add_json(out, rest);
    } else {
        buf_add(out, rest);
    }
}

/* The URL that database.host and its companions make is shown beside them as a comment: a file has one of
 * both. So is what follows for the history. */
static bool is_derived(const struct settings *s, const struct setting *t)
{
    return (s->database.url_made && t->offset == offsetof(struct settings, database.url)) ||
           (s->history.url_made && t->offset == offsetof(struct settings, history.url)) ||
           (s->history.schema_made && t->offset == offsetof(struct settings, history.schema));
}

static void add_secret_origin(const struct settings *s, const struct settings_secret *secret, struct buf *out)
{
    if (secret->origin.layer == SETTINGS_FILE) {
        buf_addf(out, "%s:%zu", s->source, secret->origin.line);
        return;
    }
    buf_add_cstr(out, "CARILLON_SECRETS_");
    for (const char *p = secret->name; *p != '\0'; p++)
        buf_add_char(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
}

static void add_secrets(const struct settings *s, struct buf *out)
{
    if (s->secrets_n > 0)
        buf_add_cstr(out, "secrets:\n");
    for (size_t i = 0; i < s->secrets_n; i++) {
        const struct settings_secret *secret = &s->secrets[i];
        size_t line_start = out->n;

        buf_addf(out, "  %s: %s", secret->name, secret->n > 1 ? "[\"***\", \"***\"]" : "\"***\"");
        do
            buf_add_char(out, ' ');
        while (buf_ok(out) && out->n - line_start < 50);
        buf_add_cstr(out, "# ");
        add_secret_origin(s, secret, out);
        buf_add_char(out, '\n');
    }
}

static void add_secrets_json(const struct settings *s, struct buf *out)
{
    if (s->secrets_n == 0)
        return;
    buf_add_cstr(out, ",\"secrets\":{");
    for (size_t i = 0; i < s->secrets_n; i++) {
        const struct settings_secret *secret = &s->secrets[i];

        buf_addf(out, "%s\"%s\":{\"value\":%s,\"from\":\"%s\"}", i > 0 ? "," : "", secret->name,
                 secret->n > 1 ? "[\"***\",\"***\"]" : "\"***\"",
                 secret->origin.layer == SETTINGS_FILE ? "file" : "environment");
    }
    buf_add_char(out, '}');
}

enum err settings_print(const struct settings *s, struct buf *out, struct error *err)
{
    for (size_t i = 0; i < settings_table_n; i++) {
        const struct setting *t = &settings_table[i];
        size_t group = group_n(t->member);
        size_t line_start;

        if (starts_section(i) && t->section[0] != '\0')
            buf_addf(out, "%s:\n", t->section);
        if (starts_group(i))
            buf_addf(out, "  %.*s:\n", (int)group - 1, t->member);
        line_start = out->n;
        buf_addf(out, "%s%s%s%s: ", t->section[0] ? "  " : "", group ? "  " : "",
                 is_derived(s, t) ? "# " : "", t->member + group);
        add_yaml_value(s, t, out);
        do
            buf_add_char(out, ' ');
        while (buf_ok(out) && out->n - line_start < 50);
        buf_add_cstr(out, "# ");
        add_origin(s, i, out);
        buf_add_char(out, '\n');
    }
    add_secrets(s, out);
    return buf_check(out, "settings", err);
}

static void add_json_value(const struct settings *s, const struct setting *t, struct buf *out)
{
    CLEANUP(buf_done_p) struct buf value = {0};
    struct str rest;
    struct str one;

    buf_init(&value, VALUE_MAX_BYTES);
    value_add(s, t, &value);
    rest = buf_str(&value);
    if (t->kind == SETTING_LIST) {
        buf_add_char(out, '[');
        for (bool first = true; rest.n > 0 && str_cut(&rest, ',', &one); first = false) {
            buf_add_cstr(out, first ? "" : ",");
            buf_add_json(out, one);
        }
        buf_add_char(out, ']');
    } else if (t->kind == SETTING_COUNT || t->kind == SETTING_BOOL) {
        buf_add(out, rest);
    } else {
        buf_add_json(out, rest);
    }
}

enum err settings_print_json(const struct settings *s, struct buf *out, struct error *err)
{
    buf_add_char(out, '{');
    for (size_t i = 0; i < settings_table_n; i++) {
        const struct setting *t = &settings_table[i];
        bool top = t->section[0] == '\0';

        if (starts_section(i) && i > 0)
            buf_add_cstr(out, settings_table[i - 1].section[0] ? "}," : ",");
        else if (i > 0)
            buf_add_char(out, ',');
        if (starts_section(i) && !top)
            buf_addf(out, "\"%s\":{", t->section);
        buf_addf(out, "\"%s\":{\"value\":", t->member);
        add_json_value(s, t, out);
        buf_add_cstr(out, ",\"from\":\"");
        buf_add_cstr(out, s->origins[i].layer == SETTINGS_DEFAULT ? "default"
                          : s->origins[i].layer == SETTINGS_FILE  ? "file"
                                                                  : "environment");
        buf_add_cstr(out, "\"}");
    }
    buf_add_cstr(out, settings_table[settings_table_n - 1].section[0] ? "}" : "");
    add_secrets_json(s, out);
    buf_add_cstr(out, "}\n");
    return buf_check(out, "settings", err);
}

static void add_kind(const struct setting *t, struct buf *out)
{
    struct str rest;
    struct str one;

    if (t->choices) {
        rest = str_of(t->choices);
        for (bool first = true; str_cut(&rest, '|', &one); first = false)
            buf_addf(out, "%s`%.*s`", first ? "" : ", ", (int)one.n, one.p);
        return;
    }
    switch (t->kind) {
    case SETTING_TEXT:
    case SETTING_CHOICE:
        buf_add_cstr(out, "text");
        return;
    case SETTING_LIST:
        buf_add_cstr(out, "list");
        return;
    case SETTING_COUNT:
        buf_add_cstr(out, "number");
        return;
    case SETTING_DURATION:
        buf_add_cstr(out, "duration");
        return;
    case SETTING_SIZE:
        buf_add_cstr(out, "size");
        return;
    case SETTING_BOOL:
        buf_add_cstr(out, "true or false");
        return;
    }
}

enum err settings_reference(struct buf *out, struct error *err)
{
    char name[SETTING_NAME_MAX];

    buf_add_cstr(out, "| member | variable | takes | default | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < settings_table_n; i++) {
        const struct setting *t = &settings_table[i];

        setting_path(t, name);
        buf_addf(out, "| `%s` ", name);
        setting_variable(t, name);
        buf_addf(out, "| `%s` | ", name);
        add_kind(t, out);
        if (t->fallback[0] != '\0')
            buf_addf(out, " | `%s` | %s |\n", t->fallback, t->about);
        else
            buf_addf(out, " | | %s |\n", t->about);
    }
    buf_add_cstr(
        out,
        "| `secrets.NAME` | `CARILLON_SECRETS_NAME` | one or two secrets | | What `task.sign: NAME` signs "
        "requests by: `whsec_` and base64 of 24 to 64 bytes. Two, as a list or separated by a comma, "
        "while one replaces the other: requests then carry both signatures. Never shown. NAME is of "
        "lower-case letters, digits and `_`; in the variable of upper-case ones. |\n");
    return buf_check(out, "reference", err);
}
