/*
 * cli.c: finds the subcommand and hands it its arguments.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/command.h"
#include "cli/out.h"

const char *cli_zoneinfo(void)
{
    const char *given = getenv("CARILLON_ZONEINFO"); /* NOLINT(concurrency-mt-unsafe): before threads */

    return given && given[0] != '\0' ? given : "/usr/share/zoneinfo";
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* The words of `name` ("config check") against argv; how many matched, 0 when not all. */
static int match(const char *name, int argc, char **argv, int at)
{
    struct str rest = str_of(name);
    struct str word;
    int n = 0;

    while (str_cut(&rest, ' ', &word)) {
        if (at + n >= argc || !str_eq(word, str_of(argv[at + n])))
            return 0;
        n++;
    }
    return n;
}

static const struct command *find(int argc, char **argv, int at, int *ret_words)
{
    for (size_t i = 0; i < commands_n; i++) {
        *ret_words = match(commands[i].name, argc, argv, at);
        if (*ret_words > 0)
            return &commands[i];
    }
    return NULL;
}

static int show_all(const struct cli_host *host)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    buf_init(&out, OUT_MAX_BYTES);
    help_all(host->version, &out);
    return out_print(&out);
}

static int show_one(const struct command *c)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    buf_init(&out, OUT_MAX_BYTES);
    help_command(c, &out);
    return out_print(&out);
}

/* "carillon config": the pages of a group of commands. */
static int show_group(const char *group)
{
    CLEANUP(buf_done_p) struct buf out = {0};
    size_t n = strlen(group);

    buf_init(&out, OUT_MAX_BYTES);
    for (size_t i = 0; i < commands_n; i++) {
        if (strncmp(commands[i].name, group, n) == 0 && commands[i].name[n] == ' ')
            buf_addf(&out, "  carillon %-18s %s\n", commands[i].name, commands[i].about);
    }
    return out.n > 0 ? out_print(&out) : -1;
}

static bool asks_help(int argc, char **argv, int at)
{
    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        if (is_help(argv[at]))
            return true;
    }
    return false;
}

static int run(const struct cli_host *host, const struct command *c, int argc, char **argv, int at)
{
    struct args a;

    if (asks_help(argc, argv, at))
        return show_one(c);
    if (!args_parse(c, argc, argv, at, &a))
        return EXIT_USAGE;
    return c->run(host, c, &a);
}

int cli_main(const struct cli_host *host, int argc, char **argv)
{
    const struct command *c;
    int words = 0;
    int at = 1;
    int shown;

    if (argc < 2) {
        (void)show_all(host);
        return EXIT_USAGE;
    }
    if (is_help(argv[1]) || (strcmp(argv[1], "help") == 0 && argc == 2))
        return show_all(host);
    if (strcmp(argv[1], "--version") == 0)
        return command_version(host, NULL, NULL);
    if (strcmp(argv[1], "help") == 0)
        at = 2;
    c = find(argc, argv, at, &words);
    if (c)
        return at == 2 ? show_one(c) : run(host, c, argc, argv, at + words);
    shown = show_group(argv[at]);
    if (shown >= 0)
        return at == 2 || (argc > at + 1 && is_help(argv[at + 1])) ? shown : EXIT_USAGE;
    return out_usage("", "unknown command %s", argv[at]);
}
