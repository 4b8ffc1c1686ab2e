/*
 * queue_table.c: see queue_table.h. One thread, which waits.
 */
#include "store/postgres/queue_table.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "store/postgres/link.h"

enum { TEXT_MAX = 8192, COLUMNS = 4 };
#define PAGE_ROWS "200"

struct queue_table {
    PGconn *pg;
    PGresult *page;
    int at; /* in .page */
};

void queue_table_close(struct queue_table *t)
{
    if (!t)
        return;
    PQclear(t->page);
    PQfinish(t->pg);
    alloc_free(t);
}

static enum err failed(struct queue_table *t, const PGresult *r, struct error *err)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *told = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    struct str text = str_of(told ? told : PQerrorMessage(t->pg));
    /* Undefined table, column or schema. */
    bool absent =
        state && (strcmp(state, "42P01") == 0 || strcmp(state, "42703") == 0 || strcmp(state, "3F000") == 0);

    text.n = str_find(text, '\n');
    return error_set(err, absent ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "postgres", "%.*s", (int)text.n, text.p);
}

static enum err ask(struct queue_table *t, const char *sql, PGresult **ret, struct error *err)
{
    PGresult *r = PQexec(t->pg, sql);
    ExecStatusType status = PQresultStatus(r);
    enum err e = ERR_NONE;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        e = failed(t, r, err);
    if (!e && ret)
        *ret = TAKE(r);
    PQclear(r);
    return e;
}

static enum err add_quoted(PGconn *pg, struct str name, struct buf *out, struct error *err)
{
    char *quoted = PQescapeIdentifier(pg, name.p, name.n);

    if (!quoted)
        return error_set(err, ERR_INVALID, "--table", "cannot be a table's name");
    buf_add_cstr(out, quoted);
    PQfreemem(quoted);
    return ERR_NONE;
}

/* schema.table, each quoted. */
static enum err add_table(struct queue_table *t, const char *table, struct buf *out, struct error *err)
{
    struct str rest = str_of(table);
    struct str part;
    size_t n = 0;

    while (str_cut(&rest, '.', &part)) {
        enum err e = part.n > 0 && n < 2
                         ? ERR_NONE
                         : error_set(err, ERR_INVALID, "--table", "is no table or schema.table");

        if (n++ > 0)
            buf_add_char(out, '.');
        if (!e)
            e = add_quoted(t->pg, part, out, err);
        if (e)
            return e;
    }
    return n > 0 ? ERR_NONE : error_set(err, ERR_INVALID, "--table", "is empty");
}

static enum err set_timezone(struct queue_table *t, const char *timezone, struct error *err)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    char *quoted = PQescapeLiteral(t->pg, timezone, strlen(timezone));
    enum err e;

    if (!quoted)
        return error_set(err, ERR_INVALID, "--timezone", "cannot be a zone's name");
    buf_init(&sql, TEXT_MAX);
    buf_addf(&sql, "SET LOCAL timezone = %s", quoted);
    PQfreemem(quoted);
    e = buf_check(&sql, "--timezone", err);
    return e ? e : ask(t, buf_cstr(&sql), NULL, err);
}

/*
 * What next_schedule says in microseconds since 1970, for each kind of column. What is out of range never
 * comes to a cast, of which one that fails would end the whole query: NOT_A_TIME, and it is the row's fault
 * alone.
 */
#define NOT_A_TIME "'-'"
/* What a time without zone means is the session's zone, by which the cast goes. */
#define EPOCH_OF_TIME                                                                                        \
    "CASE WHEN q.next_schedule IS NULL THEN NULL "                                                           \
    "WHEN q.next_schedule >= '1969-12-30' AND q.next_schedule < '10000-01-02' THEN "                         \
    "(extract(epoch FROM date_trunc('second', q.next_schedule::timestamptz))::bigint * 1000000 + "           \
    "extract(microseconds FROM q.next_schedule::timestamptz)::bigint % 1000000)::text "                      \
    "ELSE " NOT_A_TIME " END"
/* Seconds; what would be later than the year 5138 as seconds is milliseconds. */
#define EPOCH_OF(number)                                                                                     \
    "(CASE WHEN " number " < 1e11 THEN round(" number " * 1000000) ELSE round(" number " * 1000) "           \
    "END)::text "
#define EPOCH_OF_NUMBER                                                                                      \
    "CASE WHEN q.next_schedule IS NULL THEN NULL "                                                           \
    "WHEN q.next_schedule >= 0 AND q.next_schedule < 1e15 THEN " EPOCH_OF(                                   \
        "q.next_schedule::numeric") "ELSE " NOT_A_TIME " END"
/* A number, or what is read by read_text(): marked. */
#define EPOCH_OF_TEXT                                                                                        \
    "CASE WHEN q.next_schedule IS NULL THEN NULL "                                                           \
    "WHEN btrim(q.next_schedule::text) ~ '^[0-9]{1,15}([.][0-9]{1,15})?$' THEN " EPOCH_OF(                   \
        "btrim(q.next_schedule::text)::numeric") "ELSE '?' || btrim(q.next_schedule::text) END"

/* Asks for the column's type by a query that gives no row. */
static enum err next_expression(struct queue_table *t, struct str table, const char **ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    PGresult *r = NULL;
    enum err e;

    buf_init(&sql, TEXT_MAX);
    buf_addf(&sql,
             "SELECT t.typcategory::text FROM (SELECT NULL) d LEFT JOIN "
             "(SELECT next_schedule FROM %.*s WHERE false) q ON true "
             "JOIN pg_type t ON t.oid = pg_typeof(q.next_schedule)::oid",
             (int)table.n, table.p);
    e = buf_check(&sql, "--table", err);
    if (!e)
        e = ask(t, buf_cstr(&sql), &r, err);
    if (e)
        return e;
    *ret = EPOCH_OF_NUMBER;
    if (PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "D") == 0)
        *ret = EPOCH_OF_TIME;
    else if (PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "S") == 0)
        *ret = EPOCH_OF_TEXT;
    PQclear(r);
    return ERR_NONE;
}

static enum err declare(struct queue_table *t, struct str table, struct error *err)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    const char *next;
    enum err e = next_expression(t, table, &next, err);

    if (e)
        return e;
    buf_init(&sql, TEXT_MAX);
    buf_addf(&sql,
             "DECLARE carillon_queue NO SCROLL CURSOR FOR SELECT q.id::text, q.name::text, q.payload::text, "
             "(%s)::text FROM %.*s q ORDER BY q.id",
             next, (int)table.n, table.p);
    e = buf_check(&sql, "--table", err);
    return e ? e : ask(t, buf_cstr(&sql), NULL, err);
}

static enum err begin(struct queue_table *t, const struct queue_table_options *o, struct error *err)
{
    CLEANUP(buf_done_p) struct buf table = {0};
    enum err e;

    buf_init(&table, TEXT_MAX / 4);
    e = ask(t, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, err);
    if (!e)
        e = ask(t, "SET LOCAL statement_timeout = 0", NULL, err);
    if (!e)
        e = ask(t, "SET LOCAL idle_in_transaction_session_timeout = 0", NULL, err);
    if (!e)
        e = set_timezone(t, o->timezone ? o->timezone : "UTC", err);
    if (!e)
        e = add_table(t, o->table, &table, err);
    if (!e)
        e = buf_check(&table, "--table", err);
    return e ? e : declare(t, buf_str(&table), err);
}

enum err queue_table_open(const struct queue_table_options *o, struct queue_table **ret, struct error *err)
{
    CLEANUP(queue_table_close_p) struct queue_table *t = alloc_new(struct queue_table);
    struct link_options link = {.url = o->url, .stop_fd = -1};
    PQconninfoOption *parsed = PQconninfoParse(o->url, NULL);
    enum err e;

    /* What libpq says of a wrong URL quotes it, password and all: it is not told. */
    if (!parsed)
        return error_set(err, ERR_INVALID, "--from-queue", "the URL cannot be read");
    PQconninfoFree(parsed);
    e = link_connect(&link, &t->pg, err);
    if (!e && PQsetnonblocking(t->pg, 0) < 0)
        e = failed(t, NULL, err);
    if (!e)
        e = begin(t, o, err);
    if (e)
        return e;
    *ret = TAKE(t);
    return ERR_NONE;
}

static struct str text_at(const PGresult *r, int row, int col)
{
    if (PQgetisnull(r, row, col))
        return (struct str){NULL, 0};
    return (struct str){PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col)};
}

static void set_next(struct str text, struct queue_row *ret)
{
    int64_t us = 0;

    ret->next = WALL_NEVER;
    if (!text.p)
        return;
    ret->next_unreadable = !str_to_i64(text, &us) || us < 0 || us > WALL_MAX_US;
    if (!ret->next_unreadable)
        ret->next = (struct wall){us};
}

/* 2031-..., and not what PostgreSQL reads besides: "tomorrow", or 1/2/2031 by a setting. */
static bool is_like_a_time(const char *text)
{
    return strspn(text, "0123456789") == 4 && text[4] == '-';
}

/* A time as a text, in the words of the server. What it cannot read costs the transaction nothing. */
static enum err read_text(struct queue_table *t, const char *text, struct queue_row *ret, struct error *err)
{
    static const char sql[] =
        "SELECT " EPOCH_OF_TIME " FROM (SELECT $1::text::timestamptz AS next_schedule) q";
    PGresult *r;
    const char *state;
    enum err e;

    ret->next_unreadable = true;
    if (!is_like_a_time(text))
        return ERR_NONE;
    e = ask(t, "SAVEPOINT carillon_row", NULL, err);
    if (e)
        return e;
    r = PQexecParams(t->pg, sql, 1, NULL, &text, NULL, NULL, 0);
    state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
        set_next(text_at(r, 0, 0), ret);
    else if (!state || strncmp(state, "22", 2) != 0) /* no fault of the text's */
        e = failed(t, r, err);
    PQclear(r);
    return e ? e : ask(t, "ROLLBACK TO SAVEPOINT carillon_row; RELEASE SAVEPOINT carillon_row", NULL, err);
}

static enum err read_next(struct queue_table *t, struct str text, struct queue_row *ret, struct error *err)
{
    if (text.p && text.n > 0 && text.p[0] == '?')
        return read_text(t, text.p + 1, ret, err);
    set_next(text, ret);
    return ERR_NONE;
}

enum err queue_table_next(struct queue_table *t, struct queue_row *ret, bool *ret_there, struct error *err)
{
    struct queue_row row;
    enum err e;

    if (!t->page || t->at == PQntuples(t->page)) {
        PQclear(TAKE(t->page));
        t->at = 0;
        e = ask(t, "FETCH " PAGE_ROWS " FROM carillon_queue", &t->page, err);
        if (e)
            return e;
        if (PQnfields(t->page) != COLUMNS)
            return error_set(err, ERR_INTERNAL, "postgres", "the table's rows cannot be read");
    }
    *ret_there = t->at < PQntuples(t->page);
    if (!*ret_there)
        return ERR_NONE;
    row = (struct queue_row){
        .id = text_at(t->page, t->at, 0),
        .name = text_at(t->page, t->at, 1),
        .payload = text_at(t->page, t->at, 2),
    };
    e = read_next(t, text_at(t->page, t->at, 3), &row, err);
    if (e)
        return e;
    *ret = row;
    t->at++;
    return ERR_NONE;
}
