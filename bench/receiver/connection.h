/*
 * connection.h: one keep-alive HTTP/1.1 connection of the counting receiver: bytes in, whole requests out.
 *
 * Just what a load test needs: Content-Length bodies, no chunks, no pipelining beyond what one buffer holds.
 * Reads until the socket has no more, answers each whole request. One thread.
 */
#ifndef RECEIVER_CONNECTION_H
#define RECEIVER_CONNECTION_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

struct connection;

struct request {
    struct str method;
    struct str path;
    struct str idempotency_key;
    struct str scheduled_at;
};
/* Appends the answer to `out`: a whole HTTP response. The views live for the call. */
typedef void (*connection_answer_fn)(void *arg, const struct request *r, struct buf *out);

/* Takes the descriptor over; it must be non-blocking. */
struct connection *connection_new(int fd);
void connection_free(struct connection *c); /* closes the descriptor */
int connection_fd(const struct connection *c);
/* The socket is readable or writable. False: it is over (end, error, or a request too large), free it. */
CHECKED bool connection_serve(struct connection *c, connection_answer_fn answer, void *arg);

#endif
