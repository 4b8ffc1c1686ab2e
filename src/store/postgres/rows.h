/*
 * rows.h: reading a result's binary columns: numbers, times, identifiers, texts, and the columns of timers
 * and runs that several statements share.
 */
#ifndef STORE_POSTGRES_ROWS_H
#define STORE_POSTGRES_ROWS_H

#include <libpq-fe.h>

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"
#include "model/run.h"
#include "model/timer.h"
#include "store/store.h"

/* A result that belongs to a block. */
static inline void result_done(PGresult **r)
{
    PQclear(*r);
}
#define RESULT(name) CLEANUP(result_done) PGresult *name = NULL

static inline size_t row_n(const PGresult *r)
{
    return (size_t)PQntuples(r);
}

/* smallint, integer, bigint or boolean; 0 for NULL. */
int64_t row_i64(const PGresult *r, size_t row, int col);
bool row_null(const PGresult *r, size_t row, int col);
struct wall row_wall(const PGresult *r, size_t row, int col); /* NULL is never */
struct uuid row_uuid(const PGresult *r, size_t row, int col); /* nil for NULL */
struct str row_str(const PGresult *r, size_t row, int col);   /* the result's */
/* A terminated copy. */
CHECKED enum err row_copy(const PGresult *r, size_t row, int col, char **ret, size_t *ret_n,
                          struct error *err);

/* TIMER_COLUMNS (sql.h) from column `at` on; yields the column behind them. */
int row_timer(const PGresult *r, size_t row, int at, struct timer *ret);
/* RUN_COLUMNS (sql.h) from column `at` on; yields the column behind them. */
int row_run(const PGresult *r, size_t row, int at, struct run *ret);

/* RUN_RECORD_COLUMNS or LOG_RECORD_COLUMNS (sql.h) from the first column on. */
void row_run_record(const PGresult *r, size_t row, struct run_record *ret);

/* The row whose column `col` is `id`, in a result sorted by it; false when there is none. */
bool row_find(const PGresult *r, int col, struct uuid id, size_t *ret);

#endif
