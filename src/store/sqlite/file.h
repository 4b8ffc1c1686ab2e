/*
 * file.h: the process's hold on a database file, and the thread that checkpoints its log, as connections see
 * them.
 */
#ifndef STORE_SQLITE_FILE_H
#define STORE_SQLITE_FILE_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/base.h"
#include "base/error.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite.h"

struct sqlite_file {
    /* constant */
    char *path;
    enum schema schema;
    int64_t cache_bytes;
    struct wall (*clock)(void *arg);
    void *clock_arg;
    int lock_fd;
    bool examines;
    bool looks; /* whose it is may be alive or dead: the log is left as it is */

    /* The keeper: see keeper.c. Its connection is its thread's alone. */
    bool keeper_started;
    pthread_t keeper;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under .lock */
    bool stop;
    bool wanted; /* a checkpoint was asked for and has not begun */
    bool working;
    int copied; /* pages of the log that the keeper's last job reached; -1: none was done since it was looked
                   at */

    /* the writer's thread only */
    int reached;            /* pages of this log that the keeper is known to have reached */
    struct mono rest_until; /* before it the keeper is not asked again */
    struct mono tried_at;   /* when the writer last tried in vain to finish */
};

/* What a result code of SQLite means to our callers. */
enum err sqlite_code(int rc);
/* A connection with our settings, nothing else done. */
CHECKED enum err sqlite_open_db(const struct sqlite_file *f, bool writes, sqlite3 **ret, struct error *err);

/* Starts the thread. */
CHECKED enum err keeper_start(struct sqlite_file *f, struct error *err);
void keeper_stop(struct sqlite_file *f);
/*
 * From the writer, between its transactions, with the log at `pages`: has the keeper copy the log into the
 * database, or finishes it on `db` itself when little is left, so that the next commit begins the log anew.
 */
void keeper_tend(struct sqlite_file *f, sqlite3 *db, int *pages);

#endif
