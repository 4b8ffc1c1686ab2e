/*
 * sqlite.h: the embedded store: one SQLite file in WAL mode with synchronous=FULL.
 *
 * One process at a time: the file is locked for as long as the process lives (a second one is told so), which
 * is why leases found at the first opening are expired at once: their holders are gone.
 */
#ifndef STORE_SQLITE_SQLITE_H
#define STORE_SQLITE_SQLITE_H

#include "store/store.h"

/* The process's hold on a database file; opens connections of it. Any thread may open; it outlives its
 * connections. */
struct sqlite_file;

struct sqlite_options {
    const char *path; /* made when absent, with its folders */
    bool look;        /* only to be read, beside the process that holds it: no lock, nothing made or migrated.
                         ERR_NOT_FOUND: there is nothing; ERR_CONFLICT: it is of another version than this build's */
    bool history;     /* a history database; its connections have the calls of one */
    bool examines; /* for a doctor: as `look`, whatever is there, and without a trace (look.h). In no process
                      that has the database open otherwise */
    int64_t cache_bytes;             /* page cache of a connection; 0: default 2 MiB */
    struct wall (*clock)(void *arg); /* NULL: clock_wall(); tests put theirs */
    void *clock_arg;
};

/* Hooks SQLite's memory to base/alloc; once, before any other use. */
CHECKED enum err sqlite_setup(struct error *err);
/* Locks, creates or migrates, and expires the leases of a previous life. ERR_CONFLICT: another process holds
 * it. With `examines` none of that; ERR_NOT_FOUND: there is no such file. */
CHECKED enum err sqlite_file_open(const struct sqlite_options *options, struct sqlite_file **ret,
                                  struct error *err);
void sqlite_file_free(struct sqlite_file *f);
CLEANUP_FN(struct sqlite_file, sqlite_file_free)

/* A connection: one may write (the writer lane's), any number may read. With `examines`, ERR_PRECONDITION: it
 * was not shut down cleanly, and only who may write to it can read it. */
CHECKED enum err sqlite_connect(struct sqlite_file *f, bool writes, struct store **ret, struct error *err);

#endif
