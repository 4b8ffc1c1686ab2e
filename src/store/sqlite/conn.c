/*
 * conn.c: connections: opening, transactions, statements. One thread at a time each.
 */
#include "store/sqlite/conn.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/each.h"
#include "store/sqlite/look.h"
#include "store/sqlite/ops.h"

const char *sql_text(enum sql q)
{
    static const char *const texts[] = {
#define X(name, text) [name] = text,
        SQL_LIST(X)
#undef X
    };

    return texts[q];
}

enum err sqlite_error(struct sqlite_store *s, int rc, const char *what, struct error *err)
{
    /* The connection's message belongs to its last call, which a failed bind may not be. */
    const char *text = sqlite3_errcode(s->db) == rc ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);

    return error_set(err, sqlite_code(rc), s->file->path, "%s: %s", what, text);
}

struct query query_begin(struct sqlite_store *s, enum sql id)
{
    struct query q = {.s = s, .id = id, .rc = SQLITE_OK};

    if (!s->stmts[id])
        q.rc = sqlite3_prepare_v3(s->db, sql_text(id), -1, SQLITE_PREPARE_PERSISTENT, &s->stmts[id], NULL);
    q.stmt = s->stmts[id];
    return q;
}

void query_again(struct query *q)
{
    /* Repeats the error of the step before, which was told then. */
    (void)sqlite3_reset(q->stmt);
    q->at = 0;
}

void query_done(struct query *q)
{
    (void)sqlite3_reset(q->stmt);
}

static void bound(struct query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void bind_i64(struct query *q, int64_t v)
{
    if (q->rc == SQLITE_OK)
        bound(q, sqlite3_bind_int64(q->stmt, ++q->at, v));
}

void bind_null(struct query *q)
{
    if (q->rc == SQLITE_OK)
        bound(q, sqlite3_bind_null(q->stmt, ++q->at));
}

void bind_bytes(struct query *q, const void *p, size_t n)
{
    if (q->rc == SQLITE_OK)
        bound(q, sqlite3_bind_blob64(q->stmt, ++q->at, p, n, SQLITE_STATIC));
}

void bind_uuid(struct query *q, const struct uuid *u)
{
    bind_bytes(q, u->b, sizeof(u->b));
}

void bind_wall(struct query *q, struct wall t)
{
    if (wall_is_never(t))
        bind_null(q);
    else
        bind_i64(q, t.us);
}

void bind_str(struct query *q, struct str s)
{
    if (q->rc == SQLITE_OK)
        bound(q, sqlite3_bind_text64(q->stmt, ++q->at, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8));
}

enum err query_step(struct query *q, bool *ret_row, struct error *err)
{
    int rc = q->rc;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(q->stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sqlite_error(q->s, rc, "a statement failed", err);
    *ret_row = rc == SQLITE_ROW;
    return ERR_NONE;
}

enum err query_run(struct query *q, int64_t *ret_n, struct error *err)
{
    bool row = false;
    enum err e;

    e = query_step(q, &row, err);
    if (e)
        return e;
    MUST(!row);
    if (ret_n)
        *ret_n = sqlite3_changes64(q->s->db);
    return ERR_NONE;
}

struct wall col_wall(struct query *q, int i)
{
    if (sqlite3_column_type(q->stmt, i) == SQLITE_NULL)
        return WALL_NEVER;
    return (struct wall){sqlite3_column_int64(q->stmt, i)};
}

struct uuid col_uuid(struct query *q, int i)
{
    const void *p = sqlite3_column_blob(q->stmt, i);
    struct uuid u = {{0}};

    if (p && sqlite3_column_bytes(q->stmt, i) == (int)sizeof(u.b))
        memcpy(u.b, p, sizeof(u.b));
    return u;
}

struct str col_str(struct query *q, int i)
{
    const char *p = sqlite3_column_blob(q->stmt, i);
    int n = sqlite3_column_bytes(q->stmt, i);

    return (struct str){p ? p : "", p ? (size_t)n : 0};
}

enum err col_copy(struct query *q, int i, char **ret, size_t *ret_n, struct error *err)
{
    struct str s = col_str(q, i);
    enum err e = alloc_str(s, ret, err);

    if (e)
        return e;
    *ret_n = s.n;
    return ERR_NONE;
}

static enum err plain(struct sqlite_store *s, enum sql id, const char *what, struct error *err)
{
    QUERY(q, s, id);
    enum err e = query_run(&q, NULL, err);

    if (e)
        error_prefix(err, "%s", what);
    return e;
}

static enum err still_alone(const struct sqlite_store *s, struct error *err)
{
    if (!s->alone || !look_is_over(s->file))
        return ERR_NONE;
    return error_set(err, ERR_UNAVAILABLE, s->file->path, "a service began to use the database");
}

static enum err conn_begin(struct store *store, bool writes, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    enum err e;

    MUST(!writes || s->writes);
    e = still_alone(s, err);
    if (e)
        return e;
    memset(s->tally, 0, sizeof(s->tally));
    s->tallied = false;
    return plain(s, writes ? Q_BEGIN_WRITE : Q_BEGIN_READ, "cannot begin", err);
}

static enum err write_tally(struct sqlite_store *s, struct error *err)
{
    QUERY(q, s, Q_TALLY_ADD);

    for (size_t i = 0; i < COUNT_OF(s->tally); i++) {
        enum err e;

        if (s->tally[i] == 0)
            continue;
        query_again(&q);
        bind_i64(&q, (int64_t)i);
        bind_i64(&q, s->tally[i]);
        e = query_run(&q, NULL, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err conn_commit(struct store *store, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);
    enum err e;

    e = still_alone(s, err);
    if (!e && s->tallied)
        e = write_tally(s, err);
    return e ? e : plain(s, Q_COMMIT, "cannot commit", err);
}

static void conn_rollback(struct store *store)
{
    struct sqlite_store *s = sqlite_of(store);

    /* Some errors (no memory, disk full) have rolled back already. */
    if (!sqlite3_get_autocommit(s->db)) {
        QUERY(q, s, Q_ROLLBACK);
        /* A rollback that fails leaves a transaction that the next begin() trips over: the lane opens anew.
         */
        if (query_run(&q, NULL, NULL))
            return;
    }
}

static enum err conn_now(struct store *store, struct wall *ret, struct error *err)
{
    struct sqlite_store *s = sqlite_of(store);

    (void)err;
    *ret = s->file->clock ? s->file->clock(s->file->clock_arg) : clock_wall();
    return ERR_NONE;
}

static enum err conn_ping(struct store *store, struct error *err)
{
    QUERY(q, sqlite_of(store), Q_PING);
    bool row = false;
    enum err e = query_step(&q, &row, err);

    if (e)
        return e;
    return row ? ERR_NONE : error_set(err, ERR_IO, q.s->file->path, "the schema version is gone");
}

static void conn_upkeep(struct store *store)
{
    struct sqlite_store *s = sqlite_of(store);

    if (s->writes)
        keeper_tend(s->file, s->db, &s->wal_pages);
}

static void conn_close(struct store *store)
{
    struct sqlite_store *s = sqlite_of(store);

    for (size_t i = 0; i < COUNT_OF(s->stmts); i++)
        (void)sqlite3_finalize(s->stmts[i]); /* repeats the error of the last step */
    MUST(sqlite3_close(s->db) == SQLITE_OK); /* busy only while statements are left */
    alloc_free(s);
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_store *s = arg;

    (void)db;
    (void)name;
    s->wal_pages = pages;
    return SQLITE_OK;
}

static const struct store_ops sqlite_ops = {
    .name = "sqlite",
    .begin = conn_begin,
    .commit = conn_commit,
    .rollback = conn_rollback,
    .now = conn_now,
    .ping = conn_ping,
    .close = conn_close,
    .put = sqlite_put,
    .remove = sqlite_remove,
    .remove_id = sqlite_remove_id,
    .set_timer = sqlite_set_timer,
    .insert_run = sqlite_insert_run,
    .get = sqlite_get,
    .get_by_client = sqlite_get_by_client,
    .list = sqlite_list,
    .get_run = sqlite_get_run,
    .list_runs = sqlite_list_runs,
    .get_many = each_get,
    .list_runs_of = each_list_runs,
    .stats = sqlite_stats,
    .due = sqlite_due,
    .advance = sqlite_advance,
    .insert_runs = sqlite_insert_runs,
    .retake = sqlite_retake,
    .next_due = sqlite_next_due,
    .complete = sqlite_complete,
    .renew = sqlite_renew,
    .act_runs = sqlite_act_runs,
    .times_run = sqlite_times_run,
    .release = sqlite_release,
    .get_answer = sqlite_get_answer,
    .put_answer = sqlite_put_answer,
    .trim_answers = sqlite_trim_answers,
    .clear = sqlite_clear,
    .remove_finished = sqlite_remove_finished,
    .trim_runs = sqlite_trim_runs,
    .get_meta = sqlite_get_meta,
    .set_meta = sqlite_set_meta,
    .trace_runs = sqlite_trace_runs,
    .outbox_add = sqlite_outbox_add,
    .outbox_take = sqlite_outbox_take,
    .outbox_remove = sqlite_outbox_remove,
    .outbox_size = sqlite_outbox_size,
    .list_moved = sqlite_list_moved,
    .look_moved = sqlite_look_moved,
    .add_moved = sqlite_add_moved,
    .add_moved_runs = sqlite_add_moved_runs,
    .upkeep = conn_upkeep,
    .examine = sqlite_examine,
    .inspect = sqlite_inspect,
};

/* Of a file of the other kind. */
static const struct store_ops sqlite_history_ops = {
    .name = "sqlite",
    .begin = conn_begin,
    .commit = conn_commit,
    .rollback = conn_rollback,
    .now = conn_now,
    .ping = conn_ping,
    .close = conn_close,
    .history_add = sqlite_history_add,
    .history_list = sqlite_history_list,
    .history_list_of = each_history_list,
    .history_trim = sqlite_history_trim,
    .get_meta = sqlite_get_meta,
    .set_meta = sqlite_set_meta,
    .upkeep = conn_upkeep,
    .inspect = sqlite_inspect,
};

enum err sqlite_connect(struct sqlite_file *f, bool writes, struct store **ret, struct error *err)
{
    struct sqlite_store *s;
    bool alone = false;
    sqlite3 *db;
    enum err e;

    MUST(!(f->examines && writes));
    e = f->examines ? look_open(f, &db, &alone, err) : sqlite_open_db(f, writes, &db, err);
    if (e)
        return e;
    s = alloc_new(struct sqlite_store);
    *s = (struct sqlite_store){.file = f, .db = db, .writes = writes, .alone = alone};
    s->store.ops = f->schema == SCHEMA_HISTORY ? &sqlite_history_ops : &sqlite_ops;
    if (writes)
        (void)sqlite3_wal_hook(db, on_wal, s); /* gives the hook before it: none */
    *ret = &s->store;
    return ERR_NONE;
}
