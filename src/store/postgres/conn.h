/*
 * conn.h: one connection to the store on PostgreSQL, as its files share it.
 */
#ifndef STORE_POSTGRES_CONN_H
#define STORE_POSTGRES_CONN_H

#include "store/postgres/link.h"
#include "store/postgres/postgres.h"
#include "store/postgres/rows.h"

struct postgres {
    /* constant once opened */
    char *url;
    char *schema;
    char *application_name; /* NULL: the URL's, or "carillon" */
    bool history;
    bool unprepared;
    bool look;
    struct uuid instance;
    bool silent;
    int64_t poll_us;
    struct wall (*clock)(void *arg);
    void *clock_arg;
    struct log *log; /* NULL: none */
    struct sql_texts sql;
    char channel[64]; /* of notices */
};

/* Where partitions stand with this connection: partition.c. */
struct partitions {
    struct wall looked_at; /* {INT64_MIN}: never */
    struct wall keep_from; /* what ended before it is of no use; {INT64_MIN}: not told yet */
};

struct postgres_store {
    struct store store;
    struct postgres *db; /* borrowed */
    struct link link;
    bool writes;
    bool open;    /* a transaction is */
    bool writing; /* and writes */
    struct wall now;
    int64_t slot;                         /* of the tally */
    bool tallied;                         /* tally has something to be written before the commit */
    int64_t tally[SCHEDULE_FINISHED + 1]; /* of this transaction */
    struct partitions partitions;
};

static inline struct postgres_store *postgres_of(struct store *s)
{
    return CONTAINER_OF(s, struct postgres_store, store);
}

/* A link of its own, for a store or for migrations. */
CHECKED enum err postgres_link(struct postgres *p, struct link *ret, struct error *err);
/* What the database's clock says, outside of a transaction. */
CHECKED enum err postgres_clock(const struct postgres *p, struct link *l, struct wall *ret,
                                struct error *err);

/* A schedule changed its state; -1: there was none, there is none. */
void postgres_tally(struct postgres_store *s, int from, int to);

#endif
