/*
 * postgres.h: the store on PostgreSQL 13 to 17, which any number of instances share.
 *
 * All of it lives in a schema of its own. One connection carries one transaction at a time in libpq's
 * pipeline mode; statements take whole sets as arrays. The database's clock is the cluster's: store_now() is
 * the moment the transaction began there.
 *
 * How instances stay out of each other's way, and why deadlocks are not routine:
 *  - The row of `timer` is a schedule's lock. Whatever changes a schedule, its timer or the number of its
 * open runs locks that row first, several in the order of their ids; rows of `run` come after, by id too.
 *  - Claims never wait: what another has locked is skipped and found by the next claim.
 *  - A transaction whose instance is stalled in the middle of it is ended by the server after STALL_S; a lock
 *    that does not come in LOCK_S is ERR_BUSY, as are deadlocks and serialization failures. The lane runs the
 *    group again then.
 *
 * Behind PgBouncer in transaction mode: `unprepared`, since its versions before 1.21 cannot carry prepared
 * statements from one transaction to the next. Nothing else of a session is used: settings are SET LOCAL,
 * locks end with the transaction. What listens (listen.h) needs a session: give it a URL past the pooler.
 */
#ifndef STORE_POSTGRES_POSTGRES_H
#define STORE_POSTGRES_POSTGRES_H

#include "base/log.h"
#include "store/store.h"

struct postgres_options {
    const char *url;              /* postgresql://...; what it says goes before our defaults of timeouts */
    bool history;                 /* a history database; its connections have the calls of one */
    const char *schema;           /* NULL: "carillon"; lower case letters, digits and _ */
    const char *application_name; /* NULL: "carillon" */
    bool look; /* only to be read, in transactions that may last: nothing is made or migrated. ERR_NOT_FOUND:
                  there is nothing; ERR_CONFLICT: it is of another version than this build's */
    bool examines; /* for a doctor: as `look`, whatever is there, and nothing is asked before connections are
                    */
    bool unprepared;      /* plan each statement anew instead of once a connection */
    struct uuid instance; /* the sender of notices; what listens leaves its own out */
    bool silent;          /* the others are told nothing: each looks for itself */
    int64_t poll_us; /* every instance looks at the database at least this often: what is due later than that
                        is not told to the others; 0: everything is */
    struct wall (*clock)(void *arg); /* tests put theirs; NULL: the database's */
    void *clock_arg;
    struct log *log; /* warn: days without a partition, which nobody else can be told of; NULL: nobody is */
};

/* The process's knowledge of the database. Any thread may connect; it outlives its connections. */
struct postgres;

/*
 * Connects once, and creates or migrates the schema: one instance does, others wait for it. ERR_CONFLICT: the
 * schema is a newer build's. ERR_UNAVAILABLE: not reached. Options are copied.
 */
CHECKED enum err postgres_open(const struct postgres_options *options, struct postgres **ret,
                               struct error *err);
void postgres_free(struct postgres *p);
CLEANUP_FN(struct postgres, postgres_free)

/*
 * What only those who share the store know: made by the first that asks, and the same for all. By it they
 * tell each other's words from a stranger's. Connects once.
 */
enum { POSTGRES_SECRET_BYTES = 80 };
CHECKED enum err postgres_secret(struct postgres *p, char ret[POSTGRES_SECRET_BYTES], struct error *err);

/* A connection: a writer lane's or a reader's, which is refused to write. */
CHECKED enum err postgres_connect(struct postgres *p, bool writes, struct store **ret, struct error *err);

#endif
