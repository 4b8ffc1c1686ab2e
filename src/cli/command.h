/*
 * command.h: a subcommand as data: its words, options and help, and the function that does it.
 *
 * The table in commands.c is what is parsed by, what --help prints and what the manual is tested against.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/base.h"
#include "base/buf.h"
#include "cli/cli.h"

enum { OPTIONS_MAX = 12, WORDS_MAX = 100 };

struct option {
    const char *name;  /* "timezone", given as --timezone; NULL ends the list */
    char letter;       /* 'n' for -n; 0 for none */
    const char *value; /* what it takes, for the help: "ZONE"; NULL: a flag */
    const char *about;
};

/* What was given. Views into argv. */
struct args {
    const char *values[OPTIONS_MAX]; /* by place in the command's options; a flag that is given is "" */
    const char *words[WORDS_MAX];
    size_t words_n;
};

struct command {
    const char *name;  /* "config check" */
    const char *words; /* "FILE|-", "" for none */
    size_t words_min;
    size_t words_max;
    const char *about; /* one line */
    const char *description;
    const char *environment; /* lines of "  NAME  meaning", "" for none */
    const char *examples;
    const char *statuses;               /* lines of "  N  meaning"; NULL: those that all have */
    struct option options[OPTIONS_MAX]; /* ends with one without a name */
    int (*run)(const struct cli_host *host, const struct command *c, const struct args *a);
};

extern const struct command commands[];
extern const size_t commands_n;

/* The value of option `name`, or NULL. The command must have such an option. */
const char *args_value(const struct command *c, const struct args *a, const char *name);
/* Reads argv[at..]. False: it is wrong, and what is wrong was said. */
CHECKED bool args_parse(const struct command *c, int argc, char **argv, int at, struct args *ret);

/* The manual page of one command, and the list of all. */
void help_command(const struct command *c, struct buf *out);
void help_all(const char *version, struct buf *out);

/* --- the commands --- */
int command_serve(const struct cli_host *host, const struct command *c, const struct args *a);
int command_config_check(const struct cli_host *host, const struct command *c, const struct args *a);
int command_config_show(const struct cli_host *host, const struct command *c, const struct args *a);
int command_config_reference(const struct cli_host *host, const struct command *c, const struct args *a);
int command_next(const struct cli_host *host, const struct command *c, const struct args *a);
int command_graphql_schema(const struct cli_host *host, const struct command *c, const struct args *a);
int command_export(const struct cli_host *host, const struct command *c, const struct args *a);
int command_import(const struct cli_host *host, const struct command *c, const struct args *a);
int command_version(const struct cli_host *host, const struct command *c, const struct args *a);
int command_add(const struct cli_host *host, const struct command *c, const struct args *a);
int command_list(const struct cli_host *host, const struct command *c, const struct args *a);
int command_get(const struct cli_host *host, const struct command *c, const struct args *a);
int command_delete(const struct cli_host *host, const struct command *c, const struct args *a);
int command_trigger(const struct cli_host *host, const struct command *c, const struct args *a);
int command_pause(const struct cli_host *host, const struct command *c, const struct args *a);
int command_resume(const struct cli_host *host, const struct command *c, const struct args *a);
int command_backfill(const struct cli_host *host, const struct command *c, const struct args *a);
int command_runs(const struct cli_host *host, const struct command *c, const struct args *a);
int command_history(const struct cli_host *host, const struct command *c, const struct args *a);
int command_redrive(const struct cli_host *host, const struct command *c, const struct args *a);
int command_discard(const struct cli_host *host, const struct command *c, const struct args *a);
int command_health(const struct cli_host *host, const struct command *c, const struct args *a);
int command_doctor(const struct cli_host *host, const struct command *c, const struct args *a);
int command_instances(const struct cli_host *host, const struct command *c, const struct args *a);

#endif
