/*
 * cmd_serve.c: carillon serve, and what the host says of itself: version, graphql-schema.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/str.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cli/settings_file.h"

int command_serve(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    const char *ready = args_value(c, a, "ready-fd");
    struct error_list faults = {0};
    int64_t fd = -1;

    if (ready && (!str_to_i64(str_of(ready), &fd) || fd < 0 || fd > 1023 || fcntl((int)fd, F_GETFD) < 0))
        return out_usage(c->name, "--ready-fd %s is no open file descriptor", ready);
    if (settings_file_load(host, c, a, &s, &faults)) {
        settings_file_complain(&faults);
        return EXIT_FAILED;
    }
    return host->serve(host, s, (int)fd);
}

/* Also --version, which has no arguments to look at. */
int command_graphql_schema(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    (void)c;
    (void)a;
    buf_init(&out, OUT_MAX_BYTES);
    buf_add(&out, host->graphql_schema);
    return out_print(&out);
}

int command_version(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(buf_done_p) struct buf out = {0};
    bool json = c && args_value(c, a, "json");

    buf_init(&out, 256);
    buf_addf(&out, json ? "{\"version\":\"%s\"}\n" : "carillon %s\n", host->version);
    return out_print(&out);
}
