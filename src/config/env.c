/*
 * env.c: CARILLON_SECTION_MEMBER over the table.
 *
 * A name under a section we know that is no member is an error: a typo must not pass silently. One under no
 * section of ours is told as a note, since others may use the prefix. Kubernetes puts variables of its own
 * (service links) beside ours when a service's name begins with "carillon"; those are told apart by form.
 */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "config/layers.h"
#include "config/near.h"
#include "config/secrets.h"
#include "config/value.h"

static const struct str prefix = {"CARILLON_", 9};

/* Read elsewhere: wiring, the client, the build, the tests. */
static const char *const others[] = {"CARILLON_ZONEINFO", "CARILLON_CONFIG", "CARILLON_URL", "CARILLON_BUILD",
                                     "CARILLON_BIN"};

static bool is_others(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (str_eq(name, str_of(others[i])))
            return true;
    }
    return false;
}

static bool contains(struct str s, const char *part)
{
    return s.n > 0 && memmem(s.p, s.n, part, strlen(part)) != NULL;
}

static bool is_service_link(struct str name, struct str value)
{
    bool address = str_starts(value, STR("tcp://")) || str_starts(value, STR("udp://"));

    return str_ends(name, STR("_SERVICE_HOST")) || contains(name, "_SERVICE_PORT") ||
           contains(name, "_PORT_") || (str_ends(name, STR("_PORT")) && address);
}

static const struct setting *find(struct str name)
{
    char variable[SETTING_NAME_MAX];

    for (size_t i = 0; i < settings_table_n; i++) {
        const struct setting *t = &settings_table[i];

        setting_variable(t, variable);
        if (str_eq(name, str_of(variable)))
            return t;
        /* CARILLON_WAKEUP, as the file's "wakeup: poll" */
        if (t->brief && str_eq_nocase((struct str){name.p + prefix.n, name.n - prefix.n}, str_of(t->section)))
            return t;
    }
    return NULL;
}

static bool in_section(struct str name)
{
    struct str own = {name.p + prefix.n, name.n - prefix.n};

    for (size_t i = 0; i < settings_table_n; i++) {
        struct str section = str_of(settings_table[i].section);

        if (section.n > 0 && own.n > section.n && own.p[section.n] == '_' &&
            str_eq_nocase((struct str){own.p, section.n}, section))
            return true;
    }
    return false;
}

static void unknown(struct layers *l, struct str name)
{
    CLEANUP(buf_done_p) struct buf hint = {0};
    char shown[SETTING_NAME_MAX + 1];
    size_t n = name.n < SETTING_NAME_MAX ? name.n : SETTING_NAME_MAX;

    memcpy(shown, name.p, n);
    shown[n] = '\0';
    buf_init(&hint, 160);
    near_add(&hint, name, NEAR_VARIABLE);
    if (in_section(name))
        (void)error_list_add(l->faults, ERR_INVALID, shown, "no setting has this variable%s",
                             buf_cstr(&hint));
    else
        (void)error_list_add(&l->s->notes, ERR_INVALID, shown,
                             "no setting has this variable, it has no effect%s", buf_cstr(&hint));
}

static const struct str secrets_prefix = {"CARILLON_SECRETS_", 17};

static void apply_secret(struct layers *l, struct str variable, struct str value)
{
    const struct settings_origin origin = {.layer = SETTINGS_ENV};
    char name[SECRET_NAME_MAX + 2];
    char shown[SETTING_NAME_MAX + 1];
    size_t n = variable.n - secrets_prefix.n < sizeof(name) ? variable.n - secrets_prefix.n : sizeof(name);
    size_t shown_n = variable.n < SETTING_NAME_MAX ? variable.n : SETTING_NAME_MAX;
    struct error err = {0};

    if (value.n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        char c = variable.p[secrets_prefix.n + i];

        name[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    memcpy(shown, variable.p, shown_n);
    shown[shown_n] = '\0';
    if (secrets_set_text(l->s, (struct str){name, n}, value, origin, &err))
        (void)error_list_add(l->faults, err.code, shown, "%s", err.text);
}

static void apply(struct layers *l, struct str name, struct str value)
{
    const struct setting *t;
    struct error err = {0};
    char variable[SETTING_NAME_MAX];

    if (!str_starts(name, prefix) || is_others(name) || is_service_link(name, value))
        return;
    if (str_starts(name, secrets_prefix)) {
        apply_secret(l, name, value);
        return;
    }
    t = find(name);
    if (!t) {
        unknown(l, name);
        return;
    }
    if (value.n == 0)
        return; /* as a template leaves what nobody set */
    setting_variable(t, variable);
    layers_mark(l, t, SETTINGS_ENV, 0);
    if (value_set(l->s, t, value, &err))
        (void)error_list_add(l->faults, err.code, variable, "%s", err.text);
}

void env_apply(struct layers *l, const char *const *env)
{
    for (; env && *env; env++) {
        struct str rest = str_of(*env);
        struct str name;

        if (str_cut(&rest, '=', &name) && rest.p)
            apply(l, name, rest);
    }
}
