/*
 * schema.h: the tables of the embedded store and the numbered steps that lead to them.
 */
#ifndef STORE_SQLITE_SCHEMA_H
#define STORE_SQLITE_SCHEMA_H

#include <stdint.h>

#include "base/error.h"

enum schema { SCHEMA_MAIN, SCHEMA_HISTORY };

struct sqlite3;

/*
 * Brings the database up to this build's version, each step in a transaction of its own. ERR_CONFLICT: it was
 * made by a newer build, or is no database of ours.
 */
CHECKED enum err schema_migrate(struct sqlite3 *db, const char *path, enum schema schema, struct error *err);

/* Nothing is changed. ERR_NOT_FOUND: it is empty; ERR_CONFLICT: it is not of this version. */
CHECKED enum err schema_version_check(struct sqlite3 *db, const char *path, enum schema schema,
                                      struct error *err);

/* The database's version, 0 for an empty one, and the one that this build makes. ERR_CONFLICT: not ours. */
CHECKED enum err schema_versions(struct sqlite3 *db, const char *path, enum schema schema, int64_t *ret,
                                 int64_t *ret_known, struct error *err);

#endif
