/*
 * cmd_config.c: carillon serve's settings, and config check, show and reference.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "calendar/zones.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cli/settings_file.h"

enum { PRINT_MAX_BYTES = 1024 * 1024 };

/* --config, a word, or CARILLON_CONFIG; NULL: wherever settings_load() looks. */
static const char *file_of(const struct command *c, const struct args *a)
{
    const char *path = args_value(c, a, "config");

    if (!path && a->words_n > 0)
        path = a->words[0];
    if (!path)
        path = getenv("CARILLON_CONFIG"); /* NOLINT(concurrency-mt-unsafe): before threads */
    return path && path[0] != '\0' ? path : NULL;
}

static enum err check_zone(const struct settings *s, struct error_list *faults)
{
    CLEANUP(zones_free_p) struct zones *zones = NULL;
    const struct zone *zone;
    struct error err = {0};
    enum err e = zones_new(cli_zoneinfo(), &zones, &err);

    if (e)
        return error_list_add(faults, e, "time zones", "%s: %s (CARILLON_ZONEINFO names another folder)",
                              err.where, err.text);
    e = zones_get(zones, str_of(s->scheduler.timezone), &zone, &err);
    return e ? error_list_add(faults, e, "scheduler.timezone", "%s", err.text) : ERR_NONE;
}

enum err settings_file_load(const struct cli_host *host, const struct command *c, const struct args *a,
                            struct settings **ret, struct error_list *faults)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    enum err e = settings_load(file_of(c, a), host->env, &s, faults);

    if (e)
        return e;
    e = settings_supported(s, faults);
    if (check_zone(s, faults) && !e)
        e = ERR_INVALID;
    if (e)
        return e;
    *ret = TAKE(s);
    return ERR_NONE;
}

void settings_file_complain(const struct error_list *faults)
{
    for (size_t i = 0; i < faults->n; i++)
        (void)out_error(&faults->items[i]);
    if (faults->dropped > 0)
        (void)out_fail("and %zu more", faults->dropped);
}

static void add_list(struct buf *out, const struct error_list *l)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < l->n; i++) {
        buf_add_cstr(out, i ? ",{\"where\":" : "{\"where\":");
        buf_add_json(out, str_of(l->items[i].where));
        buf_add_cstr(out, ",\"text\":");
        buf_add_json(out, str_of(l->items[i].text));
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static int answer_json(const struct settings *s, const struct error_list *faults)
{
    static const struct error_list none = {0};
    CLEANUP(buf_done_p) struct buf out = {0};
    int status;

    buf_init(&out, PRINT_MAX_BYTES);
    buf_addf(&out, "{\"ok\":%s,\"faults\":", s ? "true" : "false");
    add_list(&out, faults);
    buf_add_cstr(&out, ",\"notes\":");
    add_list(&out, s ? &s->notes : &none);
    buf_add_cstr(&out, "}\n");
    status = out_print(&out);
    return s ? status : EXIT_FAILED;
}

static int answer_text(const struct settings *s, const struct error_list *faults)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    if (!s) {
        settings_file_complain(faults);
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < s->notes.n; i++)
        (void)out_fail("note: %s: %s", s->notes.items[i].where, s->notes.items[i].text);
    buf_init(&out, PRINT_MAX_BYTES);
    buf_add_cstr(&out, s->source[0] != '\0' ? s->source : "no file, built-in settings");
    buf_add_cstr(&out, ": ok\n");
    return out_print(&out);
}

int command_config_check(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    struct error_list faults = {0};

    if (settings_file_load(host, c, a, &s, &faults))
        s = NULL;
    return args_value(c, a, "json") ? answer_json(s, &faults) : answer_text(s, &faults);
}

/* Shows what is well-formed, whether or not this build can do it. */
int command_config_show(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error_list faults = {0};
    struct error err = {0};
    enum err e;

    if (settings_load(file_of(c, a), host->env, &s, &faults)) {
        settings_file_complain(&faults);
        return EXIT_FAILED;
    }
    buf_init(&out, PRINT_MAX_BYTES);
    e = args_value(c, a, "json") ? settings_print_json(s, &out, &err) : settings_print(s, &out, &err);
    return e ? out_error(&err) : out_print(&out);
}

int command_config_reference(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};

    (void)host;
    (void)c;
    (void)a;
    buf_init(&out, PRINT_MAX_BYTES);
    return settings_reference(&out, &err) ? out_error(&err) : out_print(&out);
}
