/*
 * patience.h: a client has only so long for the headers of a request, and for taking a large answer.
 * libmicrohttpd closes a connection that is silent; one that sends or takes a byte now and then is never
 * silent, and a thousand of those would be all connections there are.
 *
 * Connections that owe something stand in order of their deadlines, which for requests is the order in which
 * they came to owe one. A thread of its own sleeps until the first of them; shutting its socket down makes
 * libmicrohttpd end it.
 */
#ifndef API_PATIENCE_H
#define API_PATIENCE_H

#include "base/base.h"
#include "base/error.h"
#include "base/list.h"

struct patience;
struct owing; /* one connection */

CHECKED enum err patience_new(int64_t patience_us, struct patience **ret, struct error *err);
void patience_free(struct patience *p); /* NULL is fine; all connections are gone by then */
CLEANUP_FN(struct patience, patience_free)

/* Any thread. `fd` stays open until owing_free(). NULL without memory: this connection is not watched. */
struct owing *owing_new(struct patience *p, int fd);
/* Its headers are there. */
void owing_met(struct owing *o);
/* An answer is on its way that it may take `extra_us` longer for than for headers. */
void owing_taking(struct owing *o, int64_t extra_us);
/* It was answered, and owes the next request. */
void owing_again(struct owing *o);
void owing_free(struct owing *o); /* NULL is fine */

#endif
