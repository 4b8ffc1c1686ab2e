/*
 * http.h: libmicrohttpd behind a narrow door: threads, connections, bodies read, requests suspended and
 * resumed, answers sent. It knows requests, not what they are about: dispatch.h decides that.
 */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "api/request.h"
#include "base/base.h"
#include "base/error.h"
#include "base/log.h"

struct http;
struct owing;

struct http_options {
    struct api *api;
    int listen_fd; /* passes to the server on success */
    unsigned threads;
    unsigned connections_max;
    size_t header_max;
    unsigned idle_s;
    int64_t header_us; /* that the headers of a request may take */
    struct log *log;
};

CHECKED enum err http_start(const struct http_options *options, struct http **ret, struct error *err);
/*
 * Stops listening; requests under way have grace_us to be answered. Those handed to a lane are waited for in
 * any case, since it will give them back. Then the threads end. Once.
 */
void http_stop(struct http *h, int64_t grace_us);
void http_free(struct http *h); /* stopped before, or never started */
CLEANUP_FN(struct http, http_free)

/* request_back()'s other half. */
void http_back(struct request *r);
/* What is expected of its client by when; NULL: it is not watched. The connection's thread. */
struct owing *http_owing(struct MHD_Connection *c);
/* Requests whose headers came and whose answer is not yet sent. */
unsigned http_under_way(const struct http *h);
unsigned http_connections(const struct http *h);

/*
 * For work that goes on without its request, as calls do that others were asked to make: http_stop() waits
 * until it is let go of, and a request that is `held` is handed over whatever comes. False: nothing is handed
 * over any more. Any thread may let go.
 */
CHECKED bool http_hold(struct http *h);
void http_let_go(struct http *h);
/* Whether http_stop() wants no more to be begun. */
bool http_refuses(const struct http *h);
/* Whether its client has closed the connection, or its half of it. The connection's thread. */
bool http_is_gone(struct MHD_Connection *c);
/* Any thread: resumes what was suspended by a stream's reader, while something is held. */
void http_resume(struct http *h, struct MHD_Connection *connection);

/* --- http_answer.c --- */

/* An answer made once and sent often; any thread may send it. `text` outlives it. */
struct prepared_options {
    struct str text;
    const char *content_type;
    const char *csp;      /* Content-Security-Policy, or NULL */
    const char *encoding; /* Content-Encoding, or NULL */
};
CHECKED enum err prepared_new(const struct prepared_options *options, struct prepared **ret,
                              struct error *err);
void prepared_free(struct prepared *p);
CLEANUP_FN(struct prepared, prepared_free)

/*
 * Queues r->answer; one that is larger than the room for such answers becomes a 503, if nothing was changed
 * that it would tell of. False when there is no memory for it: the connection must be closed. HTTP thread. */
CHECKED bool http_send(struct request *r, bool last);

#endif
