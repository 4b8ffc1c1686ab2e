/*
 * cmd_doctor.c: carillon doctor: what the host examines, shown, and its verdict as the exit status.
 */
#include "cli/command.h"
#include "cli/out.h"
#include "cli/settings_file.h"

int command_doctor(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error_list faults = {0};
    struct cli_doctor what = {
        .faults = &faults,
        .deep = args_value(c, a, "deep") != NULL,
        .json = args_value(c, a, "json") != NULL,
    };
    int status;
    int printed;

    if (settings_file_load(host, c, a, &s, &faults))
        s = NULL;
    what.settings = s;
    buf_init(&out, OUT_MAX_BYTES);
    status = host->doctor(host, &what, &out);
    printed = out_print(&out);
    return printed ? printed : status;
}
