/*
 * settings_file.h: the settings a command line means, checked as far as can be without starting anything.
 */
#ifndef CLI_SETTINGS_FILE_H
#define CLI_SETTINGS_FILE_H

#include "cli/command.h"

/* From --config, the words or CARILLON_CONFIG; refuses what this build cannot do and an unknown time zone. */
CHECKED enum err settings_file_load(const struct cli_host *host, const struct command *c,
                                    const struct args *a, struct settings **ret, struct error_list *faults);
/* Each fault as a line on standard error. */
void settings_file_complain(const struct error_list *faults);

#endif
