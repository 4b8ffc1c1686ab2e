/*
 * schema.c: forward-only migrations. A step that was released is never edited: a change is a new step.
 *
 * Identifiers are 16-byte blobs, times microseconds since 1970, NULL is never. The narrow tables are WITHOUT
 * ROWID, so that a row and its key are one b-tree; `schedule` is not, since its wide rows would sit in the
 * inner nodes too. States are the numbers of enum schedule_state and enum run_state, which are therefore
 * frozen.
 *
 * Indexes are partial wherever that keeps a fire from touching one. A fire that succeeds touches: timer and
 * timer_due; run, run_identity and run_lease twice; run_log, run_log_schedule and run_log_ok.
 */
#include "store/sqlite/schema.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/base.h"
#include "model/run.h"
#include "model/timer.h"
#include "store/journal.h"
#include "store/sqlite/file.h"

_Static_assert(SCHEDULE_ACTIVE == 0 && SCHEDULE_PAUSED == 1 && SCHEDULE_FINISHED == 2, "stored numbers");
_Static_assert(RUN_PENDING == 0 && RUN_RUNNING == 1 && RUN_RETRYING == 2 && RUN_SUCCEEDED == 3 &&
                   RUN_FAILED == 4 && RUN_DEAD == 5 && RUN_SKIPPED == 6 && RUN_CANCELLED == 7,
               "stored numbers");
_Static_assert(MISSED_N == 6, "a new reason is a new column of timer: add a migration");

static const char *const steps[] = {
    /* 1 */
    "CREATE TABLE schedule ("
    " n INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL,"
    " hash BLOB NOT NULL," /* of the five client members, which are compared too */
    " version INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL,"
    " updated_at INTEGER NOT NULL,"
    " operation TEXT NOT NULL,"
    " application TEXT NOT NULL,"
    " client_group TEXT NOT NULL,"
    " client_key TEXT NOT NULL,"
    " client_type TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " definition TEXT NOT NULL" /* last: what is read of a row ends before its overflow pages */
    ");"
    "CREATE UNIQUE INDEX schedule_id ON schedule (id);"
    /* The hash alone is the identity; led by the key, the one tree also serves lists by key, and keys that
       are made in some order land on few pages where bare hashes would each land on their own. */
    "CREATE UNIQUE INDEX schedule_identity ON schedule (client_key, hash);"
    /* These lists come out by id. */
    "CREATE INDEX schedule_group ON schedule (client_group, id) WHERE client_group <> '';"
    "CREATE INDEX schedule_application ON schedule (application, id) WHERE application <> '';"

    "CREATE TABLE timer ("
    " id BLOB PRIMARY KEY," /* the schedule's */
    " state INTEGER NOT NULL,"
    " next_at INTEGER,"
    " occurs_at INTEGER,"
    " started_at INTEGER NOT NULL,"
    " runs INTEGER NOT NULL,"
    " missed_coalesced INTEGER NOT NULL,"
    " missed_overlap INTEGER NOT NULL,"
    " missed_misfire INTEGER NOT NULL,"
    " missed_late INTEGER NOT NULL,"
    " missed_paused INTEGER NOT NULL,"
    " missed_window INTEGER NOT NULL,"
    " last_state INTEGER,"
    " last_at INTEGER,"
    " finished_at INTEGER"
    ") WITHOUT ROWID;"
    "CREATE INDEX timer_due ON timer (next_at) WHERE state = 0 AND next_at IS NOT NULL;"
    "CREATE INDEX timer_paused ON timer (id) WHERE state = 1;"
    "CREATE INDEX timer_finished ON timer (finished_at) WHERE state = 2;"

    "CREATE TABLE run ("
    " id BLOB PRIMARY KEY,"
    " schedule_id BLOB NOT NULL,"
    " version INTEGER NOT NULL,"
    " scheduled_at INTEGER NOT NULL,"
    " due_at INTEGER," /* NULL: waits for its predecessor */
    " state INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL,"
    " failures INTEGER NOT NULL,"
    " doomed INTEGER NOT NULL DEFAULT 0," /* its schedule was deleted, replaced or paused: not retried; 2:
                                             owed */
    " lease_owner BLOB,"
    " lease_token INTEGER NOT NULL DEFAULT 0,"
    " lease_until INTEGER NOT NULL DEFAULT 0,"
    " started_at INTEGER,"
    " ended_at INTEGER,"
    " took_us INTEGER NOT NULL DEFAULT 0,"
    " status INTEGER NOT NULL DEFAULT 0,"
    " error TEXT NOT NULL DEFAULT ''"
    ") WITHOUT ROWID;"
    "CREATE UNIQUE INDEX run_identity ON run (schedule_id, scheduled_at) WHERE state < 3;"
    "CREATE INDEX run_due ON run (due_at) WHERE state IN (0, 2);"
    "CREATE INDEX run_lease ON run (lease_until) WHERE state = 1;"
    "CREATE INDEX run_dead ON run (id) WHERE state = 5;"
    "CREATE INDEX run_dead_schedule ON run (schedule_id, id) WHERE state = 5;"

    "CREATE TABLE run_log ("
    " id BLOB PRIMARY KEY,"
    " schedule_id BLOB NOT NULL,"
    " version INTEGER NOT NULL,"
    " scheduled_at INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " attempt INTEGER NOT NULL,"
    " failures INTEGER NOT NULL,"
    " started_at INTEGER,"
    " ended_at INTEGER NOT NULL,"
    " took_us INTEGER NOT NULL,"
    " status INTEGER NOT NULL,"
    " error TEXT NOT NULL"
    ") WITHOUT ROWID;"
    "CREATE INDEX run_log_schedule ON run_log (schedule_id, id);"
    "CREATE INDEX run_log_ok ON run_log (ended_at) WHERE state = 3;"
    "CREATE INDEX run_log_other_ended ON run_log (ended_at) WHERE state <> 3;"
    "CREATE INDEX run_log_other ON run_log (state, id) WHERE state <> 3;"

    /* How many schedules are in each state: counting a million timers at each scrape would cost. */
    "CREATE TABLE tally (state INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
    "INSERT INTO tally VALUES (0, 0), (1, 0), (2, 0);"

    "CREATE TABLE instance ("
    " id BLOB PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " roles TEXT NOT NULL,"
    " version TEXT NOT NULL,"
    " started_at INTEGER NOT NULL,"
    " heartbeat INTEGER NOT NULL"
    ") WITHOUT ROWID;"
    "CREATE TABLE history_outbox (n INTEGER PRIMARY KEY, event TEXT NOT NULL);",

    /* 2: runs by hand; answers that are given again */
    "ALTER TABLE run ADD COLUMN by_hand_at INTEGER NOT NULL DEFAULT 0;" /* 0: by the schedule's plan */
    "ALTER TABLE run_log ADD COLUMN by_hand_at INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE answer ("
    " n INTEGER PRIMARY KEY,"
    " key BLOB NOT NULL,"     /* the digest of an Idempotency-Key */
    " request BLOB NOT NULL," /* the digest of the request that came with it */
    " at INTEGER NOT NULL,"
    " text TEXT" /* NULL: not yet, the work is under way */
    ");"
    "CREATE UNIQUE INDEX answer_key ON answer (key);"
    "CREATE INDEX answer_at ON answer (at);",
    /* 3: events */
    "ALTER TABLE run ADD COLUMN label TEXT NOT NULL DEFAULT '';" /* its schedule's, where a history is kept */
    "DROP TABLE history_outbox;"                                 /* nothing wrote to it */
    /* A number is never given twice: who removes what was moved may be told to do so again. */
    "CREATE TABLE history_outbox (n INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL);",
#ifdef SQLITE_NEXT_STEP /* of a release to come, which tests of upgrades make up: tests/next/ */
    SQLITE_NEXT_STEP,
#endif
};

/* Of a history database. Kinds are the numbers of enum history_kind: 6 and 9, started and succeeded, are the
 * bulk, so what looks for the others has indexes of its own. */
static const char *const history_steps[] = {
    /* 1 */
    "CREATE TABLE history ("
    " id BLOB PRIMARY KEY," /* begins with the event's time */
    " schedule_id BLOB NOT NULL,"
    " kind INTEGER NOT NULL,"
    " event TEXT NOT NULL);"
    "CREATE INDEX history_schedule ON history (schedule_id, id);"
    "CREATE INDEX history_kind ON history (kind, id) WHERE kind NOT IN (6, 9);"
    "CREATE INDEX history_schedule_kind ON history (schedule_id, kind, id) WHERE kind NOT IN (6, 9);",
};
_Static_assert(EVENT_STARTED == 6 && EVENT_SUCCEEDED == 9, "stored numbers");

struct steps {
    const char *const *items;
    size_t n;
    const char *ours; /* counts the tables that tell our databases of this kind from others: 2 */
};
static const struct steps schemas[] = {
    [SCHEMA_MAIN] = {steps, COUNT_OF(steps),
                     "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'timer')"},
    [SCHEMA_HISTORY] = {history_steps, COUNT_OF(history_steps),
                        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' "
                        "AND name IN ('meta', 'history')"},
};

static enum err failed(struct sqlite3 *db, const char *path, const char *what, struct error *err)
{
    return error_set(err, sqlite_code(sqlite3_errcode(db)), path, "%s: %s", what, sqlite3_errmsg(db));
}

static enum err exec(struct sqlite3 *db, const char *path, const char *what, const char *sql,
                     struct error *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return failed(db, path, what, err);
    return ERR_NONE;
}

/* One number; `absent` when there is no row. */
static enum err ask(struct sqlite3 *db, const char *path, const char *sql, int64_t absent, int64_t *ret,
                    struct error *err)
{
    sqlite3_stmt *q = NULL;
    enum err e = ERR_NONE;
    int rc;

    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
        return failed(db, path, "cannot read the schema", err);
    rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(q, 0);
    else if (rc == SQLITE_DONE)
        *ret = absent;
    else
        e = failed(db, path, "cannot read the schema", err);
    (void)sqlite3_finalize(q); /* repeats the error of the step */
    return e;
}

/* 0: an empty file. */
static enum err current_version(struct sqlite3 *db, const char *path, const struct steps *of, int64_t *ret,
                                struct error *err)
{
    int64_t tables = 0; /* gcc does not see that a failure is returned */
    int64_t ours = 0;
    enum err e;

    e = ask(db, path, "SELECT count(*) FROM sqlite_schema", 0, &tables, err);
    if (e)
        return e;
    if (tables == 0) {
        *ret = 0;
        return ERR_NONE;
    }
    e = ask(db, path, of->ours, 0, &ours, err);
    if (e)
        return e;
    if (ours != 2)
        return error_set(err, ERR_CONFLICT, path,
                         "this is a database, but not one of Carillon's of this kind");
    return ask(db, path, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'schema_version'", 0, ret, err);
}

enum err schema_version_check(struct sqlite3 *db, const char *path, enum schema schema, struct error *err)
{
    const struct steps *of = &schemas[schema];
    int64_t version;
    enum err e = current_version(db, path, of, &version, err);

    if (e || version == (int64_t)of->n)
        return e;
    if (version == 0)
        return error_set(err, ERR_NOT_FOUND, path, "there is no database");
    return error_set(err, ERR_CONFLICT, path,
                     "the database has schema version %" PRId64
                     ", this build's is %zu: let its carillon serve start on it once",
                     version, of->n);
}

static enum err step_to(struct sqlite3 *db, const char *path, const struct steps *of, size_t version,
                        struct error *err)
{
    static const char meta[] = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";
    char note[96];
    enum err e;
    int n;

    n = snprintf(note, sizeof(note), "INSERT OR REPLACE INTO meta VALUES ('schema_version', '%zu')", version);
    MUST(n > 0 && (size_t)n < sizeof(note));
    e = exec(db, path, "cannot begin a migration", "BEGIN IMMEDIATE", err);
    if (e)
        return e;
    if (version == 1)
        e = exec(db, path, "cannot migrate the schema", meta, err);
    if (!e)
        e = exec(db, path, "cannot migrate the schema", of->items[version - 1], err);
    if (!e)
        e = exec(db, path, "cannot migrate the schema", note, err);
    if (!e)
        e = exec(db, path, "cannot commit a migration", "COMMIT", err);
    if (e && !sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* the first error is the one to tell */
    return e;
}

enum err schema_migrate(struct sqlite3 *db, const char *path, enum schema schema, struct error *err)
{
    const struct steps *of = &schemas[schema];
    int64_t version;
    enum err e;

    e = current_version(db, path, of, &version, err);
    if (e)
        return e;
    if (version < 0 || version > (int64_t)of->n)
        return error_set(err, ERR_CONFLICT, path,
                         "the database has schema version %" PRId64
                         ", this build knows up to %zu: it was made by a newer one",
                         version, of->n);
    for (size_t next = (size_t)version + 1; next <= of->n; next++) {
        e = step_to(db, path, of, next, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err schema_versions(struct sqlite3 *db, const char *path, enum schema schema, int64_t *ret,
                         int64_t *ret_known, struct error *err)
{
    *ret_known = (int64_t)schemas[schema].n;
    return current_version(db, path, &schemas[schema], ret, err);
}
