/*
 * partition.c: see partition.h. Of run_log, and of a history database's one table alike.
 *
 * A run's id begins with the moment it was made (UUIDv7), so the days are ranges of ids, and a run is found
 * in one partition by its id. It may end on a later day than it was made, so a day is dropped only when no
 * row of it ended later than what is kept.
 *
 * A partition is made as a table and then attached, which does not stop those who write to the others;
 * dropping one stops everybody for a moment, so it gives up when it cannot have the lock at once.
 */
#include "store/postgres/partition.h"

#include <stdio.h>

#include "base/str.h"
#include "calendar/iso8601.h"

enum { DAYS_AHEAD = 7, NAME_MAX_BYTES = 40, TEXT_MAX = 1024, DATE_BYTES = 10 };
#define DAY_US (86400 * US_PER_S)
#define LOOK_US (3600 * US_PER_S)
#define AGAIN_US (60 * US_PER_S) /* after a lock that did not come */

static const char *table_of(const struct postgres *p)
{
    return p->history ? "history" : "run_log";
}

void partitions_init(struct partitions *p)
{
    *p = (struct partitions){.looked_at = {INT64_MIN}, .keep_from = {INT64_MIN}};
}

static int64_t day_of(struct wall t)
{
    return t.us / DAY_US - (t.us % DAY_US < 0);
}

/* The least id that a run of this day can have. */
static void first_id(int64_t day, char ret[UUID_TEXT + 1])
{
    uint64_t ms = (uint64_t)(day * (DAY_US / US_PER_MS));
    struct uuid u = {{0}};

    for (size_t i = 0; i < 6; i++)
        u.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    uuid_format(u, ret);
}

/* "run_log_20261123" */
static void name_of(const struct postgres *p, int64_t day, char ret[NAME_MAX_BYTES])
{
    char iso[ISO_TEXT_MAX];

    iso_format((struct wall){day * DAY_US}, iso);
    MUST(snprintf(ret, NAME_MAX_BYTES, "%s_%.4s%.2s%.2s", table_of(p), iso, iso + 5, iso + 8) > 0);
}

/* False: it is not one of ours. */
static bool day_named(const struct postgres *p, struct str name, int64_t *ret)
{
    struct str table = str_of(table_of(p));
    struct iso_time t;
    char iso[ISO_TEXT_MAX];

    if (name.n != table.n + 1 + 8 || !str_starts(name, table) || name.p[table.n] != '_')
        return false;
    name.p += table.n + 1;
    MUST(snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT00:00:00Z", name.p, name.p + 4, name.p + 6) > 0);
    if (iso_parse(str_of(iso), &t, NULL))
        return false;
    *ret = day_of((struct wall){t.local_us});
    return true;
}

/* One statement, its text made from `format` with the schema filled in afterwards. */
PRINTF_LIKE(4, 5)
static enum err exec(const struct postgres *p, struct link *l, struct error *err, const char *format, ...)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    char text[TEXT_MAX];
    va_list args;
    enum err e;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    MUST(n > 0 && (size_t)n < sizeof(text));
    buf_init(&sql, 2 * TEXT_MAX);
    sql_add(&sql, p->schema, text);
    e = buf_check(&sql, "postgres", err);
    return e ? e : link_exec(l, buf_cstr(&sql), NULL, NULL, err);
}

#define DAYS(table)                                                                                          \
    "SELECT c.relname::text FROM pg_catalog.pg_inherits i "                                                  \
    "JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid "                                                      \
    "JOIN pg_catalog.pg_class parent ON parent.oid = i.inhparent "                                           \
    "JOIN pg_catalog.pg_namespace n ON n.oid = parent.relnamespace "                                         \
    "WHERE n.nspname = $1 AND parent.relname = '" table "' ORDER BY 1"

static enum err list(const struct postgres *p, struct link *l, PGresult **ret, struct error *err)
{
    return link_exec(l, p->history ? DAYS("history") : DAYS("run_log"), p->schema, ret, err);
}

static bool has_day(const struct postgres *p, const PGresult *names, int64_t day)
{
    for (size_t i = 0; i < row_n(names); i++) {
        int64_t have;

        if (day_named(p, row_str(names, i, 0), &have) && have == day)
            return true;
    }
    return false;
}

static enum err make(const struct postgres *p, struct link *l, int64_t day, struct error *err)
{
    char name[NAME_MAX_BYTES];
    char from[UUID_TEXT + 1];
    char to[UUID_TEXT + 1];
    enum err e;

    name_of(p, day, name);
    first_id(day, from);
    first_id(day + 1, to);
    e = exec(p, l, err, "CREATE TABLE @%s (LIKE @%s INCLUDING DEFAULTS)", name, table_of(p));
    if (e)
        return e;
    return exec(p, l, err, "ALTER TABLE @%s ATTACH PARTITION @%s FOR VALUES FROM ('%s') TO ('%s')",
                table_of(p), name, from, to);
}

/* The locks that DDL takes are not waited for: everybody else would wait behind us. */
static enum err begin_ddl(struct link *l, struct error *err)
{
    enum err e = link_exec(l, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", NULL, NULL, err);

    return e ? e : link_exec(l, "SELECT set_config('lock_timeout', '200ms', true)", NULL, NULL, err);
}

static enum err end_ddl(struct link *l, enum err e, struct error *err)
{
    if (!e)
        e = link_exec(l, "COMMIT", NULL, NULL, err);
    if (e && !l->lost && link_exec(l, "ROLLBACK", NULL, NULL, NULL))
        l->lost = true;
    return e;
}

/* In a transaction: no two instances are at it at once. */
static enum err take_turn(const struct postgres *p, struct link *l, bool *ret, struct error *err)
{
    RESULT(r);
    enum err e = link_exec(l, "SELECT pg_try_advisory_xact_lock(hashtext('carillon.days'), hashtext($1))",
                           p->schema, &r, err);

    if (e)
        return e;
    *ret = row_i64(r, 0, 0) != 0;
    return ERR_NONE;
}

/* In a transaction of its own. What another instance is at is left to it. */
static enum err make_in_turn(const struct postgres *p, struct link *l, int64_t day, struct error *err)
{
    bool ours = false;
    enum err e;

    e = begin_ddl(l, err);
    if (!e)
        e = take_turn(p, l, &ours, err);
    if (!e && ours)
        e = make(p, l, day, err);
    return end_ddl(l, e, err);
}

/* Days that could not be made. */
struct unmade {
    size_t n;
    int64_t first;
    struct error err; /* of the first */
};

static void tell(const struct postgres *p, const struct unmade *u)
{
    char iso[ISO_TEXT_MAX];

    if (u->n == 0 || !p->log)
        return;
    iso_format((struct wall){u->first * DAY_US}, iso);
    log_event(p->log, LOG_WARN, "store",
              p->history ? "days have no partition; their rows go to history_default, and nothing is lost"
                         : "days have no partition; their rows go to run_log_default, and nothing is lost",
              KV_STR("first", ((struct str){iso, DATE_BYTES})), KV_I64("days", (int64_t)u->n),
              KV_CSTR("detail", u->err.text),
              KV_CSTR("todo", "docs/postgres.md, Days without a partition: how to give them theirs"));
}

/*
 * Day by day: one whose rows are in the default partition already cannot be attached, and that is no reason
 * for the days behind it to go the same way. A lock that does not come ends it: the others would wait for it
 * as long, and whoever has it is gone the next time.
 */
static enum err make_missing(const struct postgres *p, struct link *l, int64_t today, struct unmade *ret,
                             struct error *err)
{
    RESULT(names);
    enum err e = list(p, l, &names, err);

    for (int64_t day = today; !e && day <= today + DAYS_AHEAD; day++) {
        struct error why = {0};

        if (has_day(p, names, day) || !make_in_turn(p, l, day, &why))
            continue;
        if (why.code == ERR_BUSY || l->lost) {
            e = why.code;
            if (err)
                *err = why;
        } else if (ret->n++ == 0) {
            ret->first = day;
            ret->err = why;
        }
    }
    return e;
}

enum err partitions_make(const struct postgres *p, struct link *l, struct wall now, struct error *err)
{
    struct unmade unmade = {0};
    enum err e = make_missing(p, l, day_of(now), &unmade, err);

    tell(p, &unmade);
    return e;
}

/* True when all of this day ended before `keep_from`. By index: its state is asked for each way. */
static enum err is_past(const struct postgres *p, struct link *l, const char *name, struct wall keep_from,
                        bool *ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    char text[TEXT_MAX];
    RESULT(r);
    enum err e;
    int n;

    *ret = true;
    if (p->history) /* an event is of the day that its id says */
        return ERR_NONE;
    n = snprintf(text, sizeof(text),
                 "SELECT NOT EXISTS (SELECT 1 FROM @%s WHERE state = 3 AND ended_at >= %lld) AND "
                 "NOT EXISTS (SELECT 1 FROM @%s WHERE state <> 3 AND ended_at >= %lld)",
                 name, (long long)keep_from.us, name, (long long)keep_from.us);
    MUST(n > 0 && (size_t)n < sizeof(text));
    buf_init(&sql, 2 * TEXT_MAX);
    sql_add(&sql, p->schema, text);
    e = buf_check(&sql, "postgres", err);
    if (!e)
        e = link_exec(l, buf_cstr(&sql), NULL, &r, err);
    if (e)
        return e;
    *ret = row_i64(r, 0, 0) != 0;
    return ERR_NONE;
}

static enum err drop(const struct postgres *p, struct link *l, const char *name, struct wall keep_from,
                     struct error *err)
{
    bool past = false;
    bool ours = false;
    enum err e;

    e = begin_ddl(l, err);
    if (!e)
        e = take_turn(p, l, &ours, err);
    if (!e && ours)
        e = is_past(p, l, name, keep_from, &past, err);
    if (!e && past)
        e = exec(p, l, err, "DROP TABLE @%s", name);
    return end_ddl(l, e, err);
}

static enum err drop_past(const struct postgres *p, struct link *l, struct wall keep_from, struct error *err)
{
    RESULT(names);
    enum err e = list(p, l, &names, err);

    for (size_t i = 0; !e && i < row_n(names); i++) {
        int64_t day;
        char name[NAME_MAX_BYTES];

        if (!day_named(p, row_str(names, i, 0), &day) || day >= day_of(keep_from))
            continue;
        name_of(p, day, name);
        e = drop(p, l, name, keep_from, err);
    }
    return e;
}

void partitions_tend(struct postgres_store *s)
{
    struct partitions *p = &s->partitions;
    struct wall now = s->now;

    /* A connection that has not been used yet does not know what time it is. */
    if (p->looked_at.us == INT64_MIN && postgres_clock(s->db, &s->link, &now, NULL))
        return;
    if (now.us < wall_add(p->looked_at, LOOK_US).us)
        return;
    p->looked_at = now;
    if (partitions_make(s->db, &s->link, now, NULL))
        p->looked_at = wall_add(now, AGAIN_US - LOOK_US);
    else if (p->keep_from.us != INT64_MIN && drop_past(s->db, &s->link, p->keep_from, NULL))
        return; /* see partition.h */
}
