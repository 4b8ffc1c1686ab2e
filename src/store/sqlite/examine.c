/*
 * examine.c: what a doctor asks of the embedded store. What the tables should look like is found out by
 * making them in memory: there is no second list of them that could be forgotten.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "store/sqlite/ops.h"

static const enum sql statements[INVARIANTS] = {
    [INVARIANT_LEASES] = Q_EXAMINE_LEASES,   [INVARIANT_SCHEDULES] = Q_EXAMINE_SCHEDULES,
    [INVARIANT_RUNS] = Q_EXAMINE_RUNS,       [INVARIANT_NEXT] = Q_EXAMINE_NEXT,
    [INVARIANT_ORPHANS] = Q_EXAMINE_ORPHANS, [INVARIANT_WAITING] = Q_EXAMINE_WAITING,
};

static void add_breach(struct breaches *b, struct uuid id)
{
    if (b->n < BREACHES_SHOWN)
        b->shown[b->n] = id;
    b->n++;
}

/* Rows: id and since when. */
static enum err by_index(struct sqlite_store *s, const struct examination *x, struct breaches *ret,
                         struct error *err)
{
    QUERY(q, s, statements[x->what]);
    bool row = false;
    enum err e;

    bind_i64(&q, x->before.us);
    bind_i64(&q, (int64_t)x->limit);
    while ((e = query_step(&q, &row, err)) == ERR_NONE && row) {
        if (ret->n == 0)
            ret->earliest = col_wall(&q, 1);
        add_breach(ret, col_uuid(&q, 0));
    }
    return e;
}

/* Rows: id, and whether it is a breach. */
static enum err by_page(struct sqlite_store *s, const struct examination *x, struct breaches *ret,
                        struct error *err)
{
    QUERY(q, s, statements[x->what]);
    bool row = false;
    enum err e;

    bind_uuid(&q, &x->after);
    bind_i64(&q, (int64_t)x->limit);
    while ((e = query_step(&q, &row, err)) == ERR_NONE && row) {
        ret->looked_at++;
        ret->reached = col_uuid(&q, 0);
        if (col_i64(&q, 1) != 0)
            add_breach(ret, ret->reached);
    }
    if (ret->looked_at < x->limit)
        ret->reached = (struct uuid){{0}};
    return e;
}

enum err sqlite_examine(struct store *store, const struct examination *x, struct breaches *ret,
                        struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);

    *ret = (struct breaches){.earliest = WALL_NEVER};
    return x->what < INVARIANT_NEXT ? by_index(s, x, ret, err) : by_page(s, x, ret, err);
}

/* --- the schema --- */

static enum err version_of(struct sqlite_store *s, struct inspected *ret, struct error *err)
{
    (void)snprintf(ret->about, sizeof(ret->about), "SQLite %s", sqlite3_libversion());
    return schema_versions(s->db, s->file->path, s->file->schema, &ret->version, &ret->known, err);
}

/* Each row of `wanted` in one database must give `asked` a row in the other. */
static const struct piece {
    const char *wanted; /* three texts: which table or index, which of it, how it is made; "" for none */
    const char *asked;
    const char *before; /* what is missing: the first text between these, and the second behind them */
    const char *behind;
} pieces[] = {
    {"SELECT name, '', '' FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
     "ORDER BY name",
     "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 AND ?2 = ''", "the table ",
     " is missing"},
    {"SELECT m.name, c.name, '' FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' "
     "AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, c.cid",
     "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2", "the table ", " has no column "},
    {"SELECT name, '', sql FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite\\_%' ESCAPE "
     "'\\' "
     "ORDER BY name",
     "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1 AND ?2 = ''", "the index ",
     " is missing"},
};

static enum err sqlite_says(sqlite3 *db, const char *path, struct error *err)
{
    return error_set(err, sqlite_code(sqlite3_errcode(db)), path, "cannot read the schema: %s",
                     sqlite3_errmsg(db));
}

static const char *text_of(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);

    return text ? text : "";
}

static enum err compare_rows(sqlite3_stmt *wanted, sqlite3_stmt *asked, const struct piece *p,
                             struct inspected *ret)
{
    int rc;

    while ((rc = sqlite3_step(wanted)) == SQLITE_ROW) {
        const char *one = text_of(wanted, 0);
        const char *two = text_of(wanted, 1);
        bool there;

        if (sqlite3_bind_text(asked, 1, one, -1, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_bind_text(asked, 2, two, -1, SQLITE_STATIC) != SQLITE_OK)
            return ERR_MEMORY;
        rc = sqlite3_step(asked);
        there = rc == SQLITE_ROW;
        (void)sqlite3_reset(asked); /* repeats the error of the step */
        (void)sqlite3_clear_bindings(asked);
        if (!there && rc != SQLITE_DONE)
            return sqlite_code(rc);
        if (!there)
            (void)error_list_add(&ret->faults, ERR_NOT_FOUND, one, "%s%s%s%s", p->before, one, p->behind,
                                 two);
        if (!there && ret->repair[0] == '\0')
            (void)snprintf(ret->repair, sizeof(ret->repair), "%s", text_of(wanted, 2));
    }
    return rc == SQLITE_DONE ? ERR_NONE : sqlite_code(rc);
}

static enum err compare_piece(struct sqlite_store *s, sqlite3 *model, const struct piece *p,
                              struct inspected *ret, struct error *err)
{
    sqlite3_stmt *wanted = NULL;
    sqlite3_stmt *asked = NULL;
    enum err e = ERR_NONE;

    if (sqlite3_prepare_v2(model, p->wanted, -1, &wanted, NULL) != SQLITE_OK)
        e = sqlite_says(model, ":memory:", err);
    else if (sqlite3_prepare_v2(s->db, p->asked, -1, &asked, NULL) != SQLITE_OK)
        e = sqlite_says(s->db, s->file->path, err);
    if (!e) {
        e = compare_rows(wanted, asked, p, ret);
        if (e)
            (void)error_set(err, e, s->file->path, "cannot compare the schema");
    }
    (void)sqlite3_finalize(wanted);
    (void)sqlite3_finalize(asked);
    return e;
}

static enum err compare_schema(struct sqlite_store *s, struct inspected *ret, struct error *err)
{
    sqlite3 *model = NULL;
    enum err e = ERR_NONE;

    if (sqlite3_open(":memory:", &model) != SQLITE_OK)
        e = error_set(err, ERR_MEMORY, s->file->path, "out of memory for a schema to compare with");
    if (!e)
        e = schema_migrate(model, ":memory:", s->file->schema, err);
    for (size_t i = 0; !e && i < COUNT_OF(pieces); i++)
        e = compare_piece(s, model, &pieces[i], ret, err);
    MUST(sqlite3_close(model) == SQLITE_OK); /* no statement is left */
    return e;
}

/* --- rights --- */

static void judge_access(const char *path, bool must_be_there, struct inspected *ret)
{
    if (access(path, F_OK) < 0 && !must_be_there)
        return;
    if (access(path, R_OK | W_OK) < 0)
        (void)error_list_add(&ret->faults, ERR_REFUSED, path, "user %u may not read and write %s",
                             (unsigned)geteuid(), path);
}

static enum err rights_of(struct sqlite_store *s, struct inspected *ret, struct error *err)
{
    static const char *const beside[] = {"-wal", "-shm", ".lock"};
    CLEANUP(buf_done_p) struct buf path = {0};
    const char *slash = strrchr(s->file->path, '/');
    enum err e = ERR_NONE;

    (void)snprintf(ret->about, sizeof(ret->about), "user %u", (unsigned)geteuid());
    judge_access(s->file->path, true, ret);
    buf_init(&path, strlen(s->file->path) + 16);
    for (size_t i = 0; !e && i < COUNT_OF(beside); i++) {
        buf_clear(&path);
        buf_addf(&path, "%s%s", s->file->path, beside[i]);
        e = buf_check(&path, s->file->path, err);
        if (!e)
            judge_access(buf_cstr(&path), false, ret);
    }
    if (e)
        return e;
    buf_clear(&path);
    buf_add(&path, (struct str){s->file->path, slash > s->file->path ? (size_t)(slash - s->file->path) : 1});
    e = buf_check(&path, s->file->path, err);
    if (!e && access(buf_cstr(&path), W_OK | X_OK) < 0)
        (void)error_list_add(&ret->faults, ERR_REFUSED, buf_cstr(&path),
                             "user %u may not make files in %s, where SQLite keeps its log",
                             (unsigned)geteuid(), buf_cstr(&path));
    return e;
}

/* --- pages --- */

static enum err check_pages(struct sqlite_store *s, struct inspected *ret, struct error *err)
{
    sqlite3_stmt *q = NULL;
    int rc;

    if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(10)", -1, &q, NULL) != SQLITE_OK)
        return sqlite_says(s->db, s->file->path, err);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        if (strcmp(text_of(q, 0), "ok") != 0)
            (void)error_list_add(&ret->faults, ERR_IO, s->file->path, "%s", text_of(q, 0));
    }
    (void)sqlite3_finalize(q); /* repeats the error of the last step */
    /* A file too broken to be walked says so by an error. */
    if (rc != SQLITE_DONE)
        (void)error_list_add(&ret->faults, ERR_IO, s->file->path, "%s", sqlite3_errmsg(s->db));
    return ERR_NONE;
}

enum err sqlite_inspect(struct store *store, enum inspection what, struct inspected *ret, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);

    *ret = (struct inspected){.version = 0};
    switch (what) {
    case INSPECT_SCHEMA:
        return version_of(s, ret, err);
    case INSPECT_INDEXES:
        return compare_schema(s, ret, err);
    case INSPECT_RIGHTS:
        return rights_of(s, ret, err);
    case INSPECT_PAGES:
        return check_pages(s, ret, err);
    }
    return error_set(err, ERR_INTERNAL, "sqlite", "no such inspection");
}
