/*
 * conn.h: one connection to the embedded store, as its files share it: statements prepared once, binding that
 * remembers its first failure, reading of columns.
 */
#ifndef STORE_SQLITE_CONN_H
#define STORE_SQLITE_CONN_H

#include <sqlite3.h>

#include "base/base.h"
#include "base/error.h"
#include "store/sqlite/file.h"
#include "store/sqlite/sql.h"
#include "store/store.h"

struct sqlite_store {
    struct store store;
    struct sqlite_file *file; /* borrowed */
    sqlite3 *db;
    bool writes;
    bool alone;                           /* it only looks, and nobody else had the database open: look.h */
    bool tallied;                         /* tally has something to be written before the commit */
    int64_t tally[SCHEDULE_FINISHED + 1]; /* of this transaction */
    int wal_pages;                        /* after the last commit; writer only */
    sqlite3_stmt *stmts[Q_N];
};

static inline struct sqlite_store *sqlite_of(struct store *s)
{
    return CONTAINER_OF(s, struct sqlite_store, store);
}

enum err sqlite_error(struct sqlite_store *s, int rc, const char *what, struct error *err);

/*
 * A statement being used: query_begin(), a bind per parameter in order, query_step() or query_run(). A
 * failure to prepare or bind is kept and told by the step. What is bound must live until query_done(), which
 * CLEANUP calls.
 */
struct query {
    struct sqlite_store *s;
    sqlite3_stmt *stmt;
    enum sql id;
    int at;
    int rc;
};
#define QUERY(name, store, id) CLEANUP(query_done) struct query name = query_begin((store), (id))
struct query query_begin(struct sqlite_store *s, enum sql id);
void query_again(struct query *q); /* to bind and run it once more */
void query_done(struct query *q);

void bind_i64(struct query *q, int64_t v);
void bind_null(struct query *q);
void bind_uuid(struct query *q, const struct uuid *u);
void bind_wall(struct query *q, struct wall t); /* never is NULL */
void bind_str(struct query *q, struct str s);
void bind_bytes(struct query *q, const void *p, size_t n);

/* *ret_row: there is one to be read. */
CHECKED enum err query_step(struct query *q, bool *ret_row, struct error *err);
/* For statements that give no rows; *ret_n (may be NULL) rows were changed. */
CHECKED enum err query_run(struct query *q, int64_t *ret_n, struct error *err);

static inline int64_t col_i64(struct query *q, int i)
{
    return sqlite3_column_int64(q->stmt, i);
}
struct wall col_wall(struct query *q, int i);
struct uuid col_uuid(struct query *q, int i);
/* Until the next step. */
struct str col_str(struct query *q, int i);
/* A terminated copy. */
CHECKED enum err col_copy(struct query *q, int i, char **ret, size_t *ret_n, struct error *err);

#endif
