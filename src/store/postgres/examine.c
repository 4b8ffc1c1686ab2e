/*
 * examine.c: what a doctor asks of the store on PostgreSQL. Which tables and indexes there should be is read
 * from the migrations themselves.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "store/postgres/ops.h"
#include "store/postgres/schema.h"

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

/* The last row of a page says how many rows that was, and has the last of them. */
static void read_page(const PGresult *r, const struct examination *x, struct breaches *ret)
{
    for (size_t i = 0; i < row_n(r); i++) {
        if (row_null(r, i, 1)) {
            add_breach(ret, row_uuid(r, i, 0));
            continue;
        }
        ret->looked_at = (size_t)row_i64(r, i, 1);
        if (ret->looked_at >= x->limit)
            ret->reached = row_uuid(r, i, 0);
    }
}

enum err postgres_examine(struct store *store, const struct examination *x, struct breaches *ret,
                          struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    struct args *a = link_args(&s->link);
    bool paged = x->what >= INVARIANT_NEXT;
    RESULT(r);
    enum err e;

    *ret = (struct breaches){.earliest = WALL_NEVER};
    if (paged)
        args_uuid(a, x->after);
    else
        args_i64(a, x->before.us);
    args_i64(a, (int64_t)x->limit);
    e = link_ask(&s->link, statements[x->what], &r, err);
    if (e)
        return e;
    if (paged) {
        read_page(r, x, ret);
        return ERR_NONE;
    }
    for (size_t i = 0; i < row_n(r); i++)
        add_breach(ret, row_uuid(r, i, 0));
    if (row_n(r) > 0)
        ret->earliest = row_wall(r, 0, 1);
    return ERR_NONE;
}

/* --- what is there --- */

static enum err ask_of_schema(struct postgres_store *s, enum sql id, PGresult **ret, struct error *err)
{
    args_str(link_args(&s->link), str_of(s->db->schema));
    return link_ask(&s->link, id, ret, err);
}

static void describe(const struct postgres_store *s, struct inspected *ret)
{
    const char *version = PQparameterStatus(s->link.pg, "server_version");
    struct str v = str_of(version ? version : "");

    v.n = str_find(v, ' '); /* what a distribution adds */
    (void)snprintf(ret->about, sizeof(ret->about), "PostgreSQL %.*s, schema %s", (int)v.n, v.p,
                   s->db->schema);
}

static bool names(const PGresult *r, const char *name)
{
    for (size_t i = 0; i < row_n(r); i++) {
        if (str_eq(row_str(r, i, 0), str_of(name)))
            return true;
    }
    return false;
}

static enum err version_of(struct postgres_store *s, struct inspected *ret, struct error *err)
{
    RESULT(tables);
    RESULT(r);
    enum err e = ask_of_schema(s, Q_INSPECT_TABLES, &tables, err);

    ret->known = postgres_known_version(s->db);
    if (e || !names(tables, "meta"))
        return e;
    args_str(link_args(&s->link), STR("schema_version"));
    e = link_ask(&s->link, Q_META_GET, &r, err);
    if (e)
        return e;
    if (row_n(r) == 0 || !str_to_i64(row_str(r, 0, 0), &ret->version))
        return error_set(err, ERR_CONFLICT, "postgres", "schema %s is there, but is not one of Carillon's",
                         s->db->schema);
    return ERR_NONE;
}

struct comparison {
    const char *schema;
    const PGresult *tables;
    const PGresult *indexes;
    struct inspected *ret;
};

static void compare(void *arg, bool is_index, const char *name, const char *text)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    struct comparison *c = arg;

    if (names(is_index ? c->indexes : c->tables, name))
        return;
    (void)error_list_add(&c->ret->faults, ERR_NOT_FOUND, name, "the %s %s is missing",
                         is_index ? "index" : "table", name);
    if (!is_index || c->ret->repair[0] != '\0')
        return;
    buf_init(&sql, sizeof(c->ret->repair) - 1);
    sql_add(&sql, c->schema, text);
    if (buf_ok(&sql))
        (void)snprintf(c->ret->repair, sizeof(c->ret->repair), "%s", buf_cstr(&sql));
}

static enum err compare_all(struct postgres_store *s, struct inspected *ret, struct error *err)
{
    RESULT(tables);
    RESULT(indexes);
    struct comparison c = {.schema = s->db->schema, .ret = ret};
    enum err e = ask_of_schema(s, Q_INSPECT_TABLES, &tables, err);

    if (!e)
        e = ask_of_schema(s, Q_INSPECT_INDEXES, &indexes, err);
    if (e)
        return e;
    c.tables = tables;
    c.indexes = indexes;
    postgres_each_relation(s->db, compare, &c);
    for (size_t i = 0; i < row_n(indexes); i++) {
        struct str name = row_str(indexes, i, 0);

        if (row_i64(indexes, i, 1) == 0)
            (void)error_list_add(&ret->faults, ERR_CONFLICT, "postgres",
                                 "the index %.*s is not valid: nothing is found by it", (int)name.n, name.p);
    }
    return ERR_NONE;
}

/* --- rights --- */

enum { MAY_ALL = 15 }; /* select, insert, update, delete: a bit each */

static void judge_tables(const PGresult *tables, struct inspected *ret)
{
    static const char *const rights[] = {"SELECT", "INSERT", "UPDATE", "DELETE"};

    for (size_t i = 0; i < row_n(tables); i++) {
        struct str name = row_str(tables, i, 0);
        int64_t may = row_i64(tables, i, 1);

        for (size_t k = 0; k < COUNT_OF(rights); k++) {
            if ((may & (INT64_C(1) << k)) == 0)
                (void)error_list_add(&ret->faults, ERR_REFUSED, "postgres", "%s on %.*s is not granted",
                                     rights[k], (int)name.n, name.p);
        }
        if (row_i64(tables, i, 2) == 0)
            (void)error_list_add(&ret->remarks, ERR_REFUSED, "postgres",
                                 "%.*s is another role's: it cannot be migrated, nor get partitions",
                                 (int)name.n, name.p);
    }
}

static void judge_server(const PGresult *r, struct inspected *ret)
{
    struct str user = row_str(r, 0, 0);

    (void)snprintf(ret->about, sizeof(ret->about), "role %.*s", (int)user.n, user.p);
    if (row_i64(r, 0, 1) != 0)
        (void)error_list_add(&ret->faults, ERR_CONFLICT, "postgres",
                             "the server is a standby: nothing can be written there");
    if (row_i64(r, 0, 2) != 0)
        (void)error_list_add(&ret->remarks, ERR_CONFLICT, "postgres",
                             "default_transaction_read_only is on: somebody means this database to be read");
    if (!row_null(r, 0, 3) && row_i64(r, 0, 3) == 0)
        (void)error_list_add(&ret->faults, ERR_REFUSED, "postgres", "USAGE on the schema is not granted");
    if (!row_null(r, 0, 4) && row_i64(r, 0, 4) == 0)
        (void)error_list_add(&ret->remarks, ERR_REFUSED, "postgres",
                             "CREATE on the schema is not granted: no partition can be made in it");
    if (row_null(r, 0, 3) && row_i64(r, 0, 5) == 0)
        (void)error_list_add(&ret->faults, ERR_REFUSED, "postgres",
                             "there is no such schema, and CREATE on the database is not granted");
}

static enum err rights_of(struct postgres_store *s, struct inspected *ret, struct error *err)
{
    RESULT(server);
    RESULT(tables);
    enum err e = ask_of_schema(s, Q_INSPECT_SERVER, &server, err);

    if (!e)
        e = ask_of_schema(s, Q_INSPECT_TABLES, &tables, err);
    if (e)
        return e;
    judge_server(server, ret);
    judge_tables(tables, ret);
    return ERR_NONE;
}

enum err postgres_inspect(struct store *store, enum inspection what, struct inspected *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);

    *ret = (struct inspected){.version = 0};
    describe(s, ret);
    switch (what) {
    case INSPECT_SCHEMA:
        return version_of(s, ret, err);
    case INSPECT_INDEXES:
        return compare_all(s, ret, err);
    case INSPECT_RIGHTS:
        return rights_of(s, ret, err);
    case INSPECT_PAGES:
        break;
    }
    return error_set(err, ERR_UNSUPPORTED, "postgres", "this is left to PostgreSQL's own tools (amcheck)");
}
