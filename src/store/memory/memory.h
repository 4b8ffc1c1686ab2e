/*
 * memory.h: a store in memory, for the simulation and for tests that want a database without a disk.
 *
 * What it promises is what store.h promises, transactions with rollback included; what it holds dies with it.
 * Any number of connections, from any threads: a transaction has the whole database to itself, readers too.
 */
#ifndef STORE_MEMORY_MEMORY_H
#define STORE_MEMORY_MEMORY_H

#include "store/store.h"

struct memory_options {
    struct wall (*clock)(void *arg); /* NULL: clock_wall() */
    void *clock_arg;
};

/* The database; outlives its connections. */
struct memory_db;
CHECKED enum err memory_db_new(const struct memory_options *options, struct memory_db **ret,
                               struct error *err);
void memory_db_free(struct memory_db *db);
CLEANUP_FN(struct memory_db, memory_db_free)

/* A connection, to be ended by store_close(). One that does not write refuses begin(writes). */
CHECKED enum err memory_connect(struct memory_db *db, bool writes, struct store **ret, struct error *err);

#endif
