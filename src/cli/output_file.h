/*
 * output_file.h: a file that appears under its name when it is whole, readable by its owner alone (mode
 * 0600).
 *
 * Until then it has no name (O_TMPFILE), so that whatever ends the process leaves nothing behind. Where the
 * file system cannot do that it has a name beside its own, which SIGTERM, SIGINT and SIGHUP remove; after a
 * SIGKILL it stays. A symbolic link is followed: what it leads to is replaced, not the link.
 *
 * One thread; where there is a name another one waits for the signals.
 */
#ifndef CLI_OUTPUT_FILE_H
#define CLI_OUTPUT_FILE_H

#include <pthread.h>
#include <signal.h>

#include "base/base.h"
#include "base/error.h"

struct output_file {
    const char *told; /* the path as it was given */
    char *path;       /* without links */
    char *part;       /* its name so far; NULL: none */
    int fd;           /* -1: not open */
    bool held;        /* .signals are blocked */
    bool watched;     /* they are .watcher's */
    pthread_t watcher;
    sigset_t signals;
    sigset_t before; /* what was blocked before */
};

/*
 * `named`: as where the file system has no files without name. Before the process has other threads, as they
 * would take the signals. ERR_INVALID: there is something that is no file.
 */
CHECKED enum err output_file_open(struct output_file *o, const char *path, bool named, struct error *err);
/* It is whole: synced, and named. */
CHECKED enum err output_file_finish(struct output_file *o, struct error *err);
/* Without output_file_finish() before, nothing is left of it. One that is all zero but fd -1 is fine. */
void output_file_done(struct output_file *o);

#endif
