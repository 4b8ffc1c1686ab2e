/*
 * schema.c: forward-only migrations. A step that was released is never edited: a change is a new step. A step
 * must leave older instances working: it adds what they do not look at, and takes away only what the release
 * before stopped using. All missing steps are one transaction, under an advisory lock that ends with it; one
 * that would hold up those who work is given up and tried again.
 *
 * Times are microseconds since 1970 by the database's clock, NULL is never. States are the numbers of enum
 * schedule_state and enum run_state, which are therefore frozen. Texts are compared by bytes (COLLATE "C").
 *
 * `timer` and `run` are rewritten all the time: their pages have room for newer versions of their rows, so
 * that an update that changes no indexed column touches no index, and they are vacuumed early and without
 * pauses. Indexes are partial wherever that keeps a fire from touching one. A fire that succeeds touches:
 * timer and timer_due; run with its key, run_identity and run_lease; run_log with its key, run_log_schedule
 * and run_log_ok.
 */
#include "store/postgres/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"

_Static_assert(SCHEDULE_ACTIVE == 0 && SCHEDULE_PAUSED == 1 && SCHEDULE_FINISHED == 2, "stored numbers");
_Static_assert(RUN_PENDING == 0 && RUN_RUNNING == 1 && RUN_RETRYING == 2 && RUN_SUCCEEDED == 3 &&
                   RUN_FAILED == 4 && RUN_DEAD == 5 && RUN_SKIPPED == 6 && RUN_CANCELLED == 7,
               "stored numbers");
_Static_assert(MISSED_N == 6, "a new reason is a new column of timer: add a migration");

#define C_TEXT "text COLLATE \"C\" NOT NULL"
#define BUSY_TABLE                                                                                           \
    "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, "                            \
    "autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.1, "                              \
    "autovacuum_analyze_threshold = 2000"

static const char *const step_1[] = {
    "CREATE TABLE @meta (key " C_TEXT " PRIMARY KEY, value " C_TEXT ")",

    "CREATE TABLE @schedule ("
    " id uuid PRIMARY KEY,"
    " hash uuid NOT NULL," /* of the five client members, which are compared too */
    " version bigint NOT NULL,"
    " created_at bigint NOT NULL,"
    " updated_at bigint NOT NULL,"
    " operation " C_TEXT ","
    " application " C_TEXT ","
    " client_group " C_TEXT ","
    " client_key " C_TEXT ","
    " client_type " C_TEXT ","
    " name " C_TEXT ","
    " definition " C_TEXT ")",
    /* The hash alone is the identity; led by the key, the one tree also serves lists by key, and keys that
       are made in some order land on few pages where bare hashes would each land on their own. */
    "CREATE UNIQUE INDEX schedule_identity ON @schedule (client_key, hash)",
    /* These lists come out by id. */
    "CREATE INDEX schedule_group ON @schedule (client_group, id) WHERE client_group <> ''",
    "CREATE INDEX schedule_application ON @schedule (application, id) WHERE application <> ''",

    "CREATE TABLE @timer ("
    " id uuid PRIMARY KEY," /* the schedule's */
    " next_at bigint,"
    " occurs_at bigint,"
    " started_at bigint NOT NULL,"
    " runs bigint NOT NULL,"
    " missed_coalesced bigint NOT NULL,"
    " missed_overlap bigint NOT NULL,"
    " missed_misfire bigint NOT NULL,"
    " missed_late bigint NOT NULL,"
    " missed_paused bigint NOT NULL,"
    " missed_window bigint NOT NULL,"
    " last_at bigint,"
    " finished_at bigint,"
    " state smallint NOT NULL,"
    " last_state smallint"
    ") WITH (fillfactor = 70, " BUSY_TABLE ")",
    "CREATE INDEX timer_due ON @timer (next_at) WHERE state = 0 AND next_at IS NOT NULL",
    "CREATE INDEX timer_paused ON @timer (id) WHERE state = 1",
    "CREATE INDEX timer_finished ON @timer (finished_at) WHERE state = 2",

    "CREATE TABLE @run ("
    " id uuid PRIMARY KEY,"
    " schedule_id uuid NOT NULL,"
    " version bigint NOT NULL,"
    " scheduled_at bigint NOT NULL,"
    " due_at bigint," /* NULL: waits for its predecessor */
    " attempt bigint NOT NULL,"
    " failures bigint NOT NULL,"
    " lease_owner uuid,"
    " lease_token bigint NOT NULL DEFAULT 0,"
    " lease_until bigint NOT NULL DEFAULT 0,"
    " started_at bigint,"
    " ended_at bigint,"
    " took_us bigint NOT NULL DEFAULT 0,"
    " status integer NOT NULL DEFAULT 0,"
    " state smallint NOT NULL,"
    " doomed boolean NOT NULL DEFAULT false," /* its schedule was deleted, replaced or paused: not retried */
    " error " C_TEXT " DEFAULT ''"
    ") WITH (fillfactor = 80, " BUSY_TABLE ")",
    "CREATE UNIQUE INDEX run_identity ON @run (schedule_id, scheduled_at) WHERE state < 3",
    "CREATE INDEX run_due ON @run (due_at) WHERE state IN (0, 2)",
    "CREATE INDEX run_lease ON @run (lease_until) WHERE state = 1",
    "CREATE INDEX run_dead ON @run (id) WHERE state = 5",
    "CREATE INDEX run_dead_schedule ON @run (schedule_id, id) WHERE state = 5",

    /* By day of the run's making, which its id begins with: see partition.c. */
    "CREATE TABLE @run_log ("
    " id uuid PRIMARY KEY,"
    " schedule_id uuid NOT NULL,"
    " version bigint NOT NULL,"
    " scheduled_at bigint NOT NULL,"
    " attempt bigint NOT NULL,"
    " failures bigint NOT NULL,"
    " started_at bigint,"
    " ended_at bigint NOT NULL,"
    " took_us bigint NOT NULL,"
    " status integer NOT NULL,"
    " state smallint NOT NULL,"
    " error " C_TEXT ") PARTITION BY RANGE (id)",
    "CREATE INDEX run_log_schedule ON @run_log (schedule_id, id)",
    "CREATE INDEX run_log_ok ON @run_log (ended_at) WHERE state = 3",
    "CREATE INDEX run_log_other_ended ON @run_log (ended_at) WHERE state <> 3",
    "CREATE INDEX run_log_other ON @run_log (state, id) WHERE state <> 3",
    /* For days that have no partition: whose time is long past, or when nobody made one in time. */
    "CREATE TABLE @run_log_default PARTITION OF @run_log DEFAULT",

    /* How many schedules are in each state, as a sum over slots, so that instances do not wait for each
       other at one row. */
    "CREATE TABLE @tally (slot bigint NOT NULL, state bigint NOT NULL, n bigint NOT NULL,"
    " PRIMARY KEY (slot, state)) WITH (fillfactor = 50, " BUSY_TABLE ")",

    "CREATE TABLE @instance ("
    " id uuid PRIMARY KEY,"
    " name " C_TEXT ","
    " roles " C_TEXT ","
    " version " C_TEXT ","
    " started_at bigint NOT NULL,"
    " heartbeat bigint NOT NULL,"
    " held bigint NOT NULL)",
    /* What one instance at a time may do, and until when it may. */
    "CREATE TABLE @lease (name " C_TEXT " PRIMARY KEY, holder uuid NOT NULL, until bigint NOT NULL)",

    "CREATE TABLE @history_outbox (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event " C_TEXT ")",
    NULL,
};
/* Each instance says itself how long its word is good: an idle one speaks seldom. */
static const char *const step_2[] = {
    "ALTER TABLE @instance ADD COLUMN until bigint NOT NULL DEFAULT 0",
    NULL,
};
/* Runs by hand; answers that are given again. */
static const char *const step_3[] = {
    "ALTER TABLE @run ADD COLUMN by_hand_at bigint NOT NULL DEFAULT 0", /* 0: by the schedule's plan */
    "ALTER TABLE @run_log ADD COLUMN by_hand_at bigint NOT NULL DEFAULT 0",
    "CREATE TABLE @answer ("
    " key uuid PRIMARY KEY,"  /* the digest of an Idempotency-Key */
    " request uuid NOT NULL," /* the digest of the request that came with it */
    " at bigint NOT NULL,"
    " text text COLLATE \"C\")", /* NULL: not yet, the work is under way */
    "CREATE INDEX answer_at ON @answer (at)",
    NULL,
};
static const char *const step_4[] = {
    "ALTER TABLE @run ADD COLUMN label " C_TEXT " DEFAULT ''", /* its schedule's, where a history is kept */
    "ALTER TABLE @history_outbox SET (" BUSY_TABLE ")",
    NULL,
};
/* Of doomed runs: whether a newer one took the place of this one, which others let end; and what is owed by
 * the definition that came after: store.h, advance.owed_at. */
static const char *const step_5[] = {
    "ALTER TABLE @run ADD COLUMN replaced boolean NOT NULL DEFAULT false",
    "ALTER TABLE @run ADD COLUMN owed boolean NOT NULL DEFAULT false",
    NULL,
};
#ifdef POSTGRES_NEXT_STEP /* of a release to come, which tests of upgrades make up: tests/next/ */
static const char *const next_step[] = {POSTGRES_NEXT_STEP, NULL};
#define NEXT_STEP next_step
#else
#define NEXT_STEP
#endif
static const char *const *const steps[] = {step_1, step_2, step_3, step_4, step_5, NEXT_STEP};

/* Of a history database. Kinds are the numbers of enum history_kind: 6 and 9, started and succeeded, are the
 * bulk, so what looks for the others has indexes of its own. */
static const char *const history_step_1[] = {
    "CREATE TABLE @meta (key " C_TEXT " PRIMARY KEY, value " C_TEXT ")",
    /* By day of the event, which its id begins with: see partition.c. */
    "CREATE TABLE @history ("
    " id uuid PRIMARY KEY,"
    " schedule_id uuid NOT NULL,"
    " kind smallint NOT NULL,"
    " event " C_TEXT ") PARTITION BY RANGE (id)",
    "CREATE INDEX history_schedule ON @history (schedule_id, id)",
    "CREATE INDEX history_kind ON @history (kind, id) WHERE kind NOT IN (6, 9)",
    "CREATE INDEX history_schedule_kind ON @history (schedule_id, kind, id) WHERE kind NOT IN (6, 9)",
    "CREATE TABLE @history_default PARTITION OF @history DEFAULT",
    NULL,
};
static const char *const *const history_steps[] = {history_step_1};
_Static_assert(EVENT_STARTED == 6 && EVENT_SUCCEEDED == 9, "stored numbers");

struct steps {
    const char *const *const *items;
    size_t n;
};

static struct steps steps_of(const struct postgres *p)
{
    if (p->history)
        return (struct steps){history_steps, COUNT_OF(history_steps)};
    return (struct steps){steps, COUNT_OF(steps)};
}

enum { STATEMENT_MAX = 8192, RELATION_MAX = 64 };

static enum err exec(struct link *l, const struct postgres *p, const char *text, const char *param,
                     PGresult **ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    enum err e;

    buf_init(&sql, STATEMENT_MAX);
    sql_add(&sql, p->schema, text);
    e = buf_check(&sql, "postgres", err);
    return e ? e : link_exec(l, buf_cstr(&sql), param, ret, err);
}

/* 0: there is none. */
static enum err current_version(const struct postgres *p, struct link *l, int64_t *ret, struct error *err)
{
    RESULT(there);
    RESULT(r);
    enum err e;

    e = exec(l, p,
             "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
             "WHERE n.nspname = $1 AND c.relname = 'meta'",
             p->schema, &there, err);
    if (e)
        return e;
    *ret = 0;
    if (row_n(there) == 0)
        return ERR_NONE;
    e = exec(l, p, "SELECT value::bigint FROM @meta WHERE key = 'schema_version'", NULL, &r, err);
    if (e)
        return e;
    if (row_n(r) == 0)
        return error_set(err, ERR_CONFLICT, "postgres", "schema %s is there, but is not one of Carillon's",
                         p->schema);
    *ret = row_i64(r, 0, 0);
    if (*ret > 0 && *ret <= (int64_t)steps_of(p).n)
        return ERR_NONE;
    return error_set(err, ERR_CONFLICT, "postgres",
                     "the database has schema version %" PRId64
                     ", this build knows up to %zu: it was made by a newer one",
                     *ret, steps_of(p).n);
}

enum err postgres_check_schema(const struct postgres *p, struct link *l, struct error *err)
{
    int64_t version;
    enum err e = current_version(p, l, &version, err);

    if (e || version == (int64_t)steps_of(p).n)
        return e;
    if (version == 0)
        return error_set(err, ERR_NOT_FOUND, "postgres", "there is no schema %s of Carillon's", p->schema);
    return error_set(err, ERR_CONFLICT, "postgres",
                     "the database has schema version %" PRId64
                     ", this build's is %zu: let its carillon serve start on it once",
                     version, steps_of(p).n);
}

/* --- what there should be --- */

/* The word behind `start` in `text`, without the sign of the schema; false when it begins otherwise. */
static bool name_behind(const char *text, const char *start, char ret[RELATION_MAX])
{
    size_t n = strlen(start);

    if (strncmp(text, start, n) != 0)
        return false;
    text += n + (text[n] == '@');
    n = strcspn(text, " ");
    MUST(n > 0 && n < RELATION_MAX); /* our own texts */
    memcpy(ret, text, n);
    ret[n] = '\0';
    return true;
}

static bool is_dropped(const struct postgres *p, const char *start, const char *name)
{
    char dropped[RELATION_MAX];

    for (size_t i = 0; i < steps_of(p).n; i++) {
        for (const char *const *text = steps_of(p).items[i]; *text; text++) {
            if (name_behind(*text, start, dropped) && strcmp(dropped, name) == 0)
                return true;
        }
    }
    return false;
}

void postgres_each_relation(const struct postgres *p, postgres_relation_fn fn, void *arg)
{
    static const struct {
        const char *made;
        const char *dropped;
        bool is_index;
    } kinds[] = {
        {"CREATE TABLE ", "DROP TABLE ", false},
        {"CREATE INDEX ", "DROP INDEX ", true},
        {"CREATE UNIQUE INDEX ", "DROP INDEX ", true},
    };
    char name[RELATION_MAX];

    for (size_t i = 0; i < steps_of(p).n; i++) {
        for (const char *const *text = steps_of(p).items[i]; *text; text++) {
            for (size_t k = 0; k < COUNT_OF(kinds); k++) {
                if (name_behind(*text, kinds[k].made, name) && !is_dropped(p, kinds[k].dropped, name))
                    fn(arg, kinds[k].is_index, name, *text);
            }
        }
    }
}

int64_t postgres_known_version(const struct postgres *p)
{
    return (int64_t)steps_of(p).n;
}

/* --- made and migrated --- */

/* Asked first: who may use the schema need not be allowed to make one. */
static enum err make_schema(const struct postgres *p, struct link *l, struct error *err)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    RESULT(there);
    enum err e;

    e = exec(l, p, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", p->schema, &there, err);
    if (e || row_n(there) > 0)
        return e;
    buf_init(&sql, STATEMENT_MAX);
    buf_addf(&sql, "CREATE SCHEMA \"%s\"", p->schema);
    e = buf_check(&sql, "postgres", err);
    return e ? e : link_exec(l, buf_cstr(&sql), NULL, NULL, err);
}

static enum err run_step(const struct postgres *p, struct link *l, size_t version, struct error *err)
{
    char number[24];

    for (const char *const *text = steps_of(p).items[version - 1]; *text; text++) {
        enum err e = exec(l, p, *text, NULL, NULL, err);

        if (e) {
            error_prefix(err, "cannot migrate the schema to version %zu", version);
            return e;
        }
    }
    MUST(snprintf(number, sizeof(number), "%zu", version) > 0);
    return exec(l, p,
                "INSERT INTO @meta VALUES ('schema_version', $1) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                number, NULL, err);
}

/* In a transaction that holds the lock. */
static enum err run_steps(const struct postgres *p, struct link *l, struct error *err)
{
    int64_t version;
    enum err e;

    e = current_version(p, l, &version, err); /* again: another instance may have done it meanwhile */
    if (!e && version == 0)
        e = make_schema(p, l, err);
    for (size_t next = (size_t)version + 1; !e && next <= steps_of(p).n; next++)
        e = run_step(p, l, next, err);
    return e;
}

/*
 * Tables are locked while instances work with them: each waits for locks of the other's, which is a deadlock;
 * and what waits for a long reader (pg_dump, say) holds up all who come after it. So no lock is waited for
 * longer than LOCK_WAIT, all is let go, and tried again after a pause that is long against it: those who work
 * stand still for a small share of the time. Pauses grow, for a reader that is still there is a long one, and
 * differ, so that several who start at once do not come in step.
 */
#define LOCK_WAIT "100ms"
#define PAUSE_MIN_US (US_PER_S / 2)
#define PAUSE_MAX_US (4 * US_PER_S) /* and up to a quarter more */
enum { PATIENCE_S = 120 };          /* deploy/: startup probes have more */

static enum err migrate_once(const struct postgres *p, struct link *l, struct error *err)
{
    enum err e;

    e = link_exec(l, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, NULL, err);
    /* Waits for whoever is at it, however long that takes. */
    if (!e)
        e = link_exec(l, "SELECT pg_advisory_xact_lock(hashtext('carillon'), hashtext($1))", p->schema, NULL,
                      err);
    if (!e)
        e = link_exec(l, "SET LOCAL lock_timeout = '" LOCK_WAIT "'", NULL, NULL, err);
    if (!e)
        e = run_steps(p, l, err);
    if (!e)
        e = link_exec(l, "COMMIT", NULL, NULL, err);
    if (e && !l->lost && link_exec(l, "ROLLBACK", NULL, NULL, NULL))
        l->lost = true;
    return e;
}

static enum err pause_for(struct link *l, int64_t us, struct error *err)
{
    char text[24];

    MUST(snprintf(text, sizeof(text), "%" PRId64, us) > 0);
    return link_exec(l, "SELECT pg_sleep($1::float8 / 1000000)", text, NULL, err);
}

static enum err migrate_patiently(const struct postgres *p, struct link *l, struct error *err)
{
    struct mono until = mono_add(clock_mono(), PATIENCE_S * US_PER_S);
    int64_t pause_us = PAUSE_MIN_US;
    enum err e = migrate_once(p, l, err);

    while (e == ERR_BUSY && !l->lost) {
        int64_t us = pause_us + (int64_t)(random_u64() % (uint64_t)(pause_us / 4));

        if (clock_mono().us + us >= until.us)
            return e;
        e = pause_for(l, us, err);
        if (!e || e == ERR_BUSY) /* a statement_timeout may have cut it short */
            e = migrate_once(p, l, err);
        pause_us = pause_us * 2 < PAUSE_MAX_US ? pause_us * 2 : PAUSE_MAX_US;
    }
    return e;
}

enum err postgres_migrate(const struct postgres *p, struct link *l, struct error *err)
{
    int64_t version;
    enum err e;

    e = current_version(p, l, &version, err);
    if (e || version == (int64_t)steps_of(p).n)
        return e;
    return migrate_patiently(p, l, err);
}
