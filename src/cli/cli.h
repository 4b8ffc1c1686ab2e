/*
 * cli.h: the command line: which subcommand, its options, its help, its exit status.
 *
 * One thread, until `serve` hands over to the host. Knows no room above config: how the server is put
 * together is main's (struct cli_host).
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/base.h"
#include "base/buf.h"
#include "config/settings.h"

/* Exit statuses: part of the interface, said by every help page. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_WARNED = 3 /* doctor: nothing is broken, but something should be looked at */
};

/* What carillon doctor was asked for. */
struct cli_doctor {
    const struct settings *settings; /* NULL: they cannot be read */
    const struct error_list *faults; /* why */
    bool deep;
    bool json;
};

/* What `export` was asked for. */
struct cli_export {
    int fd;     /* where to */
    bool hides; /* secrets are written as "***" */
};

enum cli_conflict { CLI_SKIP, CLI_REPLACE, CLI_FAIL };

/* What `import` was asked for. */
struct cli_import {
    int fd; /* from where, unless it is from a queue */
    enum cli_conflict on_conflict;
    bool dry;
    bool json;             /* the report */
    const char *queue_url; /* the database of the service before; NULL: from lines */
    const char *queue_table;
    const char *queue_timezone; /* of times that name none */
    bool data_alone;            /* what its targets get: task.data; else the whole event */
};

struct cli_host {
    const char *version;
    struct str graphql_schema; /* as SDL */
    const char *const *env;
    /* Runs the service until it is told to stop. `ready_fd`: where to write its address once it serves; -1:
     * nowhere. */
    int (*serve)(const struct cli_host *host, const struct settings *s, int ready_fd);
    /* The exit status; what there is to be said is said. */
    int (*export_to)(const struct cli_host *host, const struct settings *s, const struct cli_export *o);
    int (*import_from)(const struct cli_host *host, const struct settings *s, const struct cli_import *o);
    /* Examines the installation, without a service, into `out`. */
    int (*doctor)(const struct cli_host *host, const struct cli_doctor *what, struct buf *out);
};

/* Returns the exit status. */
int cli_main(const struct cli_host *host, int argc, char **argv);

/* Where time zones are read from: CARILLON_ZONEINFO, else the system's. */
const char *cli_zoneinfo(void);

#endif
