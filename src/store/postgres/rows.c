/*
 * rows.c: see rows.h.
 */
#include "store/postgres/rows.h"

#include <string.h>

#include "base/alloc.h"

int64_t row_i64(const PGresult *r, size_t row, int col)
{
    const char *p = PQgetvalue(r, (int)row, col);
    int n = PQgetlength(r, (int)row, col);
    uint64_t v;

    MUST(n <= (int)sizeof(v)); /* the statements are ours: nothing wider is asked for */
    if (n == 0)
        return 0;
    /* The sign of the first byte, then the bytes. */
    v = n > 1 && (*p & 0x80) ? UINT64_MAX : 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | (uint8_t)p[i];
    return (int64_t)v;
}

bool row_null(const PGresult *r, size_t row, int col)
{
    return PQgetisnull(r, (int)row, col);
}

struct wall row_wall(const PGresult *r, size_t row, int col)
{
    if (row_null(r, row, col))
        return WALL_NEVER;
    return (struct wall){row_i64(r, row, col)};
}

struct uuid row_uuid(const PGresult *r, size_t row, int col)
{
    struct uuid u = {{0}};

    if (PQgetlength(r, (int)row, col) == (int)sizeof(u.b))
        memcpy(u.b, PQgetvalue(r, (int)row, col), sizeof(u.b));
    return u;
}

struct str row_str(const PGresult *r, size_t row, int col)
{
    return (struct str){PQgetvalue(r, (int)row, col), (size_t)PQgetlength(r, (int)row, col)};
}

enum err row_copy(const PGresult *r, size_t row, int col, char **ret, size_t *ret_n, struct error *err)
{
    struct str s = row_str(r, row, col);
    enum err e = alloc_str(s, ret, err);

    if (e)
        return e;
    *ret_n = s.n;
    return ERR_NONE;
}

int row_timer(const PGresult *r, size_t row, int at, struct timer *ret)
{
    ret->state = (enum schedule_state)row_i64(r, row, at);
    ret->next_at = row_wall(r, row, at + 1);
    ret->occurs_at = row_wall(r, row, at + 2);
    ret->started_at = (struct wall){row_i64(r, row, at + 3)};
    ret->runs = row_i64(r, row, at + 4);
    for (int i = 0; i < (int)MISSED_N; i++)
        ret->missed[i] = row_i64(r, row, at + 5 + i);
    return at + 5 + (int)MISSED_N;
}

int row_run(const PGresult *r, size_t row, int at, struct run *ret)
{
    ret->id = row_uuid(r, row, at);
    ret->schedule_id = row_uuid(r, row, at + 1);
    ret->schedule_version = row_i64(r, row, at + 2);
    ret->scheduled_at = (struct wall){row_i64(r, row, at + 3)};
    ret->due_at = row_wall(r, row, at + 4);
    ret->state = (enum run_state)row_i64(r, row, at + 5);
    ret->attempt = row_i64(r, row, at + 6);
    ret->failures = row_i64(r, row, at + 7);
    ret->lease_token = (uint64_t)row_i64(r, row, at + 8);
    ret->lease_until = (struct wall){row_i64(r, row, at + 9)};
    ret->by_hand_at = (struct wall){row_i64(r, row, at + 10)};
    return at + 11;
}

void row_run_record(const PGresult *r, size_t row, struct run_record *ret)
{
    struct str error;
    int at;

    *ret = (struct run_record){0};
    at = row_run(r, row, 0, &ret->run);
    ret->started_at = row_wall(r, row, at);
    ret->ended_at = row_wall(r, row, at + 1);
    ret->took_us = row_i64(r, row, at + 2);
    ret->status = (int)row_i64(r, row, at + 3);
    error = row_str(r, row, at + 4);
    if (error.n >= sizeof(ret->error))
        error.n = sizeof(ret->error) - 1;
    memcpy(ret->error, error.p, error.n);
}

bool row_find(const PGresult *r, int col, struct uuid id, size_t *ret)
{
    size_t low = 0;
    size_t high = row_n(r);

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = uuid_cmp(row_uuid(r, mid, col), id);

        if (order == 0) {
            *ret = mid;
            return true;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}
