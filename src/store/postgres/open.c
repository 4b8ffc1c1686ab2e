/*
 * open.c: the process's knowledge of the database: options, statements, and the schema brought up to date.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "store/postgres/conn.h"
#include "store/postgres/notify.h"
#include "store/postgres/partition.h"
#include "store/postgres/schema.h"

static enum err copy_options(struct postgres *p, const struct postgres_options *o, struct error *err)
{
    enum err e;

    p->history = o->history;
    p->unprepared = o->unprepared;
    p->look = o->look;
    p->instance = o->instance;
    p->silent = o->silent;
    p->poll_us = o->poll_us;
    p->clock = o->clock;
    p->clock_arg = o->clock_arg;
    p->log = o->log;
    e = alloc_str(str_of(o->url), &p->url, err);
    if (!e)
        e = alloc_str(str_of(o->schema ? o->schema : "carillon"), &p->schema, err);
    if (!e && o->application_name)
        e = alloc_str(str_of(o->application_name), &p->application_name, err);
    return e;
}

/* What libpq says of a wrong URL quotes it, password and all: it is not told. */
static enum err judge_options(const struct postgres *p, struct error *err)
{
    PQconninfoOption *parsed = PQconninfoParse(p->url, NULL);

    if (!parsed)
        return error_set(err, ERR_INVALID, "postgres", "the URL cannot be read");
    PQconninfoFree(parsed);
    if (!sql_schema_ok(p->schema))
        return error_set(err, ERR_INVALID, "postgres",
                         "a schema's name is lower case letters, digits and _, at most 40");
    return ERR_NONE;
}

enum err postgres_link(struct postgres *p, struct link *ret, struct error *err)
{
    struct link_options o = {.url = p->url, .application_name = p->application_name, .stop_fd = -1};
    PGconn *pg;
    enum err e = link_connect(&o, &pg, err);

    if (e)
        return e;
    e = link_init(ret, pg, &p->sql, p->unprepared, err);
    if (e)
        link_done(ret);
    return e;
}

enum err postgres_clock(const struct postgres *p, struct link *l, struct wall *ret, struct error *err)
{
    RESULT(r);
    enum err e;

    if (p->clock) {
        *ret = p->clock(p->clock_arg);
        return ERR_NONE;
    }
    e = link_exec(l, "SELECT " SQL_US("now()"), NULL, &r, err);
    if (e)
        return e;
    ret->us = row_i64(r, 0, 0);
    return ERR_NONE;
}

static enum err prepare_database(struct postgres *p, struct error *err)
{
    struct link l;
    struct wall now;
    enum err e = postgres_link(p, &l, err);

    if (e)
        return e;
    if (p->look) {
        e = postgres_check_schema(p, &l, err);
        link_done(&l);
        return e;
    }
    e = postgres_migrate(p, &l, err);
    if (!e)
        e = postgres_clock(p, &l, &now, err);
    /* Another instance that is at it, or a lock that does not come, is no reason not to start. */
    if (!e && partitions_make(p, &l, now, err) == ERR_UNAVAILABLE)
        e = ERR_UNAVAILABLE;
    link_done(&l);
    return e;
}

enum err postgres_open(const struct postgres_options *options, struct postgres **ret, struct error *err)
{
    CLEANUP(postgres_free_p) struct postgres *p = alloc_new(struct postgres);
    enum err e;

    e = copy_options(p, options, err);
    if (!e)
        e = judge_options(p, err);
    if (e)
        return e;
    notice_channel(p->schema, p->channel, sizeof(p->channel));
    e = sql_texts_init(&p->sql, p->schema, err);
    if (!e && !options->examines)
        e = prepare_database(p, err);
    if (e)
        return e;
    *ret = TAKE(p);
    return ERR_NONE;
}

static enum err exec(const struct postgres *p, struct link *l, const char *text, PGresult **ret,
                     struct error *err)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    enum err e;

    buf_init(&sql, 1024);
    sql_add(&sql, p->schema, text);
    e = buf_check(&sql, "postgres", err);
    return e ? e : link_exec(l, buf_cstr(&sql), NULL, ret, err);
}

static enum err read_secret(const struct postgres *p, struct link *l, char ret[POSTGRES_SECRET_BYTES],
                            struct error *err)
{
    struct str found;
    RESULT(r);
    enum err e;

    /* Two at once: one makes it, both read that one. */
    e = exec(p, l,
             "INSERT INTO @meta VALUES ('notice_key', gen_random_uuid()::text || gen_random_uuid()::text) "
             "ON CONFLICT (key) DO NOTHING",
             NULL, err);
    if (!e)
        e = exec(p, l, "SELECT value FROM @meta WHERE key = 'notice_key'", &r, err);
    if (e)
        return e;
    found = row_n(r) == 1 ? row_str(r, 0, 0) : STR("");
    if (found.n == 0 || found.n >= POSTGRES_SECRET_BYTES)
        return error_set(err, ERR_INTERNAL, "postgres", "the instances' common secret cannot be read");
    memcpy(ret, found.p, found.n);
    ret[found.n] = '\0';
    return ERR_NONE;
}

enum err postgres_secret(struct postgres *p, char ret[POSTGRES_SECRET_BYTES], struct error *err)
{
    struct link l;
    enum err e = postgres_link(p, &l, err);

    if (e)
        return e;
    e = read_secret(p, &l, ret, err);
    link_done(&l);
    return e;
}

void postgres_free(struct postgres *p)
{
    if (!p)
        return;
    sql_texts_done(&p->sql);
    alloc_free(p->url);
    alloc_free(p->schema);
    alloc_free(p->application_name);
    alloc_free(p);
}
