/*
 * link.h: one connection to PostgreSQL, in pipeline mode and without blocking calls: statements are sent, and
 * their answers are taken together when something depends on them.
 *
 * A statement whose answer nobody needs is sent and forgotten; should it fail, the next link_sync() says so,
 * at the latest that of the commit. Every wait has an end: a server that is silent for ANSWER_S is taken for
 * lost. One thread at a time.
 */
#ifndef STORE_POSTGRES_LINK_H
#define STORE_POSTGRES_LINK_H

#include <libpq-fe.h>

#include "base/base.h"
#include "base/error.h"
#include "store/postgres/args.h"
#include "store/postgres/sql.h"

struct link_options {
    const char *url;
    const char *application_name; /* NULL: the URL's, or "carillon" */
    int stop_fd;                  /* readable: the attempt to connect is given up; -1: nothing is */
};

/* Connects; nothing else. *ret is the caller's, for PQfinish(). ERR_UNAVAILABLE with the server's words. */
CHECKED enum err link_connect(const struct link_options *o, PGconn **ret, struct error *err);

enum { SENT_MAX = 32 };
struct link {
    PGconn *pg;                  /* owned */
    const struct sql_texts *sql; /* borrowed */
    bool unprepared;
    bool lost;          /* every call is refused */
    bool prepared[Q_N]; /* on this connection */
    struct args args;   /* of the statement under construction */
    struct sent {
        enum sql id;
        bool prepares;   /* it is the preparation of `id`, not its execution */
        PGresult **slot; /* where its rows go; NULL: nobody asks */
    } sent[SENT_MAX];    /* not answered yet */
    size_t sent_n;
};

/* Takes `pg` over. */
CHECKED enum err link_init(struct link *l, PGconn *pg, const struct sql_texts *sql, bool unprepared,
                           struct error *err);
void link_done(struct link *l);

/* Begins a statement: its parameters are added to what this yields. */
struct args *link_args(struct link *l);
/*
 * Sends it. `slot`, when not NULL, gets the result with the next link_sync(), which must happen while it
 * lives; it is NULL until then, and stays so when that fails. When a send fails, what was sent before it is
 * answered to nobody.
 */
CHECKED enum err link_send(struct link *l, enum sql id, PGresult **slot, struct error *err);
/* Waits until all that was sent is answered. The first failure is told; what came after it was not done. */
CHECKED enum err link_sync(struct link *l, struct error *err);
/* Both. */
CHECKED enum err link_ask(struct link *l, enum sql id, PGresult **slot, struct error *err);

/* What a failed result means to our callers, in *err; `what` names the statement. */
enum err link_result_error(const PGresult *r, const char *what, struct error *err);

/*
 * For migrations: text with parameters NULL or `param`, in the transaction or out of it, waiting as long as
 * it takes; nothing may be unanswered. *ret (may be NULL) is the caller's.
 */
CHECKED enum err link_exec(struct link *l, const char *text, const char *param, PGresult **ret,
                           struct error *err);

#endif
