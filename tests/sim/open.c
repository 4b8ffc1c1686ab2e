/*
 * open.c: the database of a world. See sim.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sim.h"
#include "store/memory/memory.h"
#include "store/sqlite/sqlite.h"

enum { FOLDER_MAX = 256, PATH_MAX_HERE = FOLDER_MAX + 32 };

struct sim_db {
    struct memory_db *memory;
    struct sqlite_file *sqlite;
    char folder[FOLDER_MAX]; /* of SQLite's files; goes with them */
};

static void file_in(const struct sim_db *db, const char *name, char ret[PATH_MAX_HERE])
{
    int n = snprintf(ret, PATH_MAX_HERE, "%s/%s", db->folder, name);

    MUST(n > 0 && n < PATH_MAX_HERE);
}

static void open_sqlite(struct sim_db *db, struct wall (*clock)(void *arg), void *clock_arg,
                        struct store **ret)
{
    const char *tmp = getenv("TMPDIR");
    char path[PATH_MAX_HERE];
    struct sqlite_options options = {.path = path, .clock = clock, .clock_arg = clock_arg};
    int n = snprintf(db->folder, sizeof(db->folder), "%s/carillon-sim-XXXXXX", tmp ? tmp : "/tmp");

    MUST(n > 0 && (size_t)n < sizeof(db->folder));
    MUST(mkdtemp(db->folder));
    file_in(db, "sim.db", path);
    MUST(sqlite_file_open(&options, &db->sqlite, NULL) == ERR_NONE);
    MUST(sqlite_connect(db->sqlite, true, ret, NULL) == ERR_NONE);
}

struct sim_db *sim_db_new(bool sqlite, struct wall (*clock)(void *arg), void *clock_arg, struct store **ret)
{
    struct memory_options options = {.clock = clock, .clock_arg = clock_arg};
    struct sim_db *db = alloc_new(struct sim_db);

    if (sqlite) {
        open_sqlite(db, clock, clock_arg, ret);
        return db;
    }
    MUST(memory_db_new(&options, &db->memory, NULL) == ERR_NONE);
    MUST(memory_connect(db->memory, true, ret, NULL) == ERR_NONE);
    return db;
}

void sim_db_free(struct sim_db *db, struct store *s)
{
    static const char *const files[] = {"sim.db", "sim.db-wal", "sim.db-shm", "sim.db-lock", "sim.db.lock"};

    store_close(s);
    memory_db_free(db->memory);
    sqlite_file_free(db->sqlite);
    for (size_t k = 0; db->sqlite && k < COUNT_OF(files); k++) {
        char path[PATH_MAX_HERE];

        file_in(db, files[k], path);
        (void)unlink(path); /* most of them are gone */
    }
    if (db->sqlite && rmdir(db->folder) < 0)
        (void)fprintf(stderr, "%s stays behind\n", db->folder);
    alloc_free(db);
}
