/*
 * client.h: one HTTP request to a running server and its answer. Blocks; one thread.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

struct client;

/* `url`: NULL for CARILLON_URL, else http://127.0.0.1:9902. */
CHECKED enum err client_new(const char *url, const char *version, struct client **ret, struct error *err);
void client_free(struct client *c);
CLEANUP_FN(struct client, client_free)

struct answer {
    int status;
    struct buf body;
    struct buf next; /* the path of Link: <...>; rel="next"; empty when there is none */
};
void client_answer_init(struct answer *a);
void client_answer_done(struct answer *a);

/*
 * `path`: "/schedules?limit=10". `body`: JSON, or p NULL for none. Any HTTP status is an answer; an error is
 * that there was none.
 */
CHECKED enum err client_call(struct client *c, const char *method, const char *path, struct str body,
                             struct answer *ret, struct error *err);

/* Appends `s` with everything but unreserved characters as %XX. */
void client_add_escaped(struct buf *out, struct str s);

#endif
