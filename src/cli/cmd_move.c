/*
 * cmd_move.c: carillon export and import: the file, and the settings with another database. What they do is
 * the host's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cli/output_file.h"
#include "cli/settings_file.h"

/* --- settings --- */

static const struct str database_variable = {"CARILLON_DATABASE_URL=", 22};

/* --database is a setting like any other: the environment with it in place of its own. */
struct env {
    const char **items;
    char *own;
};

static void env_done(struct env *e)
{
    alloc_free(e->items);
    alloc_free(e->own);
}

static enum err env_with(struct env *ret, const char *const *env, const char *url, struct error *err)
{
    CLEANUP(buf_done_p) struct buf own = {0};
    size_t n = 0;
    size_t at = 0;
    enum err e;

    while (env && env[n])
        n++;
    e = alloc_array(n + 2, sizeof(*ret->items), (void **)&ret->items, err);
    if (e)
        return e;
    for (size_t i = 0; i < n; i++) {
        if (!str_starts(str_of(env[i]), database_variable))
            ret->items[at++] = env[i];
    }
    buf_init(&own, 64 * 1024);
    buf_add(&own, database_variable);
    buf_add_cstr(&own, url);
    e = buf_take(&own, &ret->own, NULL, err);
    if (!e)
        ret->items[at] = ret->own;
    return e;
}

/* What it is called where it was given. */
static void name_option(struct error_list *faults)
{
    struct str variable = {database_variable.p, database_variable.n - 1};

    for (size_t i = 0; i < faults->n; i++) {
        if (str_eq(str_of(faults->items[i].where), variable))
            (void)snprintf(faults->items[i].where, sizeof(faults->items[i].where), "--database");
    }
}

static int load_settings(const struct cli_host *host, const struct command *c, const struct args *a,
                         struct settings **ret)
{
    CLEANUP(env_done) struct env env = {0};
    const char *url = args_value(c, a, "database");
    struct args options = *a;
    struct cli_host with = *host;
    struct error_list faults = {0};
    struct error err = {0};

    options.words_n = 0; /* a word is no settings file here */
    if (url && url[0] == '\0')
        return out_usage(c->name, "--database is empty");
    if (url && env_with(&env, host->env, url, &err))
        return out_error(&err);
    if (url)
        with.env = env.items;
    if (settings_file_load(&with, c, &options, ret, &faults)) {
        if (url)
            name_option(&faults);
        settings_file_complain(&faults);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* --- export --- */

int command_export(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    CLEANUP(output_file_done) struct output_file out = {.fd = -1};
    const char *path = args_value(c, a, "output");
    bool shows = args_value(c, a, "with-secrets") != NULL;
    bool hides = args_value(c, a, "without-secrets") != NULL;
    struct error err = {0};
    int status;

    if (shows && hides)
        return out_usage(c->name, "either --with-secrets or --without-secrets");
    if (!path && !shows && !hides && isatty(STDOUT_FILENO))
        return out_usage(c->name, "this terminal would show all secrets: --output FILE, --without-secrets "
                                  "or, if that is meant, --with-secrets");
    status = load_settings(host, c, a, &s);
    if (status)
        return status;
    if (path && output_file_open(&out, path, false, &err))
        return out_error(&err);
    status =
        host->export_to(host, s, &(struct cli_export){.fd = path ? out.fd : STDOUT_FILENO, .hides = hides});
    if (status == EXIT_OK && path && output_file_finish(&out, &err))
        return out_error(&err);
    return status;
}

/* --- import --- */

static bool read_choice(const char *given, const char *const *words, size_t n, size_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (!given || strcmp(given, words[i]) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* What only the one or the other way has. */
static int check_ways(const struct command *c, const struct args *a)
{
    static const char *const of_queue[] = {"table", "timezone", "body"};

    if (args_value(c, a, "from-queue"))
        return a->words_n > 0 ? out_usage(c->name, "either a file or --from-queue") : EXIT_OK;
    for (size_t i = 0; i < COUNT_OF(of_queue); i++) {
        if (args_value(c, a, of_queue[i]))
            return out_usage(c->name, "--%s goes with --from-queue", of_queue[i]);
    }
    return a->words_n == 0 ? out_usage(c->name, "missing: FILE, - or --from-queue URL") : EXIT_OK;
}

static int read_import(const struct command *c, const struct args *a, struct cli_import *ret)
{
    static const char *const conflicts[] = {
        [CLI_SKIP] = "skip", [CLI_REPLACE] = "replace", [CLI_FAIL] = "fail"};
    static const char *const bodies[] = {"event", "data"};
    const char *table = args_value(c, a, "table");
    size_t conflict;
    size_t body;

    if (!read_choice(args_value(c, a, "on-conflict"), conflicts, COUNT_OF(conflicts), &conflict))
        return out_usage(c->name, "--on-conflict must be skip, replace or fail");
    if (!read_choice(args_value(c, a, "body"), bodies, COUNT_OF(bodies), &body))
        return out_usage(c->name, "--body must be event or data");
    *ret = (struct cli_import){
        .fd = -1,
        .on_conflict = (enum cli_conflict)conflict,
        .dry = args_value(c, a, "dry-run") != NULL,
        .json = args_value(c, a, "json") != NULL,
        .queue_url = args_value(c, a, "from-queue"),
        .queue_table = table ? table : "schedule_queue",
        .queue_timezone = args_value(c, a, "timezone"),
        .data_alone = body == 1,
    };
    return check_ways(c, a);
}

static int import_file(const struct cli_host *host, const struct settings *s, struct cli_import *o,
                       const char *path)
{
    struct error err = {0};
    int status;

    if (strcmp(path, "-") == 0) {
        o->fd = STDIN_FILENO;
        return host->import_from(host, s, o);
    }
    o->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (o->fd < 0) {
        (void)error_errno(&err, path, "cannot open the file");
        return out_error(&err);
    }
    status = host->import_from(host, s, o);
    (void)close(o->fd); /* it was only read */
    return status;
}

int command_import(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    struct cli_import o;
    int status = read_import(c, a, &o);

    if (!status)
        status = load_settings(host, c, a, &s);
    if (status)
        return status;
    return o.queue_url ? host->import_from(host, s, &o) : import_file(host, s, &o, a->words[0]);
}
