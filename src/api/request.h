/*
 * request.h: one request on its way through a handler, and the answer it ends in.
 *
 * A handler runs on an HTTP thread with the whole body read. It either answers (answer_*) or asks for
 * something to be done elsewhere (request_submit, request_wait, request_again) and names the function that
 * goes on when that came back; then it returns. Between the two the request belongs to whoever does the work;
 * it comes back by request_back(), which any thread may call, exactly once. Nobody waits: the connection is
 * suspended meanwhile.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/problem.h"
#include "api/query.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"
#include "store/lane.h"

struct api;
struct http;
struct once;
struct prepared;
struct stream;
struct request;
struct route;
struct MHD_Connection;

typedef void (*request_fn)(struct request *r);
/* Starts the work. On success the request may have gone and come back already: it must not be touched. */
typedef enum err (*request_launch_fn)(struct request *r, struct error *err);

enum { ANSWER_HEADERS_MAX = 6, ANSWER_HEADER_TEXT = 96, ANSWER_BODY_MAX = 64 * 1024 * 1024 };

struct answer {
    unsigned status;          /* 0: there is none yet */
    const char *content_type; /* NULL: no body */
    struct buf body;
    const struct prepared *prepared; /* instead of content type and body */
    struct stream *stream;           /* instead of a body; owned until it is sent */
    struct {
        const char *name;
        char text[ANSWER_HEADER_TEXT];
    } headers[ANSWER_HEADERS_MAX];
    size_t headers_n;
    struct buf link; /* the Link header, which may be long */
    bool close;      /* the connection too */
    bool only_read;  /* nothing was changed: it may be asked again, for want of memory say */
};

/* Headers that handlers read; views that live as long as the request. p NULL: absent. */
struct request_headers {
    struct str accept;
    struct str content_type;
    struct str if_match;
    struct str if_none_match;
    struct str last_event_id;
    struct str idempotency_key;
};

struct request {
    struct api *api;
    const struct route *route; /* NULL: none matched */
    struct target target;
    struct uuid id; /* of {id} in the route's path */
    struct request_headers headers;
    struct buf body;
    struct answer answer;

    /* What goes on when the request came back. */
    request_fn next;
    request_launch_fn launch;
    struct lane *lane;
    struct op *op; /* the operation under way or just answered; owned */
    void (*op_free)(struct op *op);
    struct once *once; /* it came with an Idempotency-Key; owned */
    void *work;        /* what a handler keeps between its steps; owned */
    void (*work_free)(void *work);

    /* Of a call made from within (inner.h): who is told that it is back, instead of http.c. */
    void (*back)(void *arg);
    void *back_arg;
    /* Whether what is made of so much text has room there, by back_arg; NULL: there is no bound. */
    bool (*afford)(void *arg, size_t text, struct error *err);

    size_t budgeted; /* bytes of the body taken from the server's budget */

    /* http.c only */
    struct http *http;
    struct MHD_Connection *connection;
    _Atomic int turn; /* enum turn */
    bool begun;
    bool away;        /* counted among those that are away */
    bool held;        /* what it has asked for is out: http_hold() */
    bool owed;        /* counted among those that are owed an answer, whatever it takes */
    size_t swallowed; /* bytes of a body that is not wanted */
    size_t body_limit;
    struct mono started;
    char *target_text;
    size_t target_n;
};

/* --- answers: each may be given once --- */

/* Room for a JSON body to be written before answer_json(). */
struct buf *answer_body(struct request *r);
/* With what was written to answer_body(); a body that is not whole becomes a 503. */
void answer_json(struct request *r, unsigned status);
void answer_text(struct request *r, unsigned status, const char *content_type);
void answer_empty(struct request *r, unsigned status);
/* Events without an end; the stream passes to the request. */
void answer_stream(struct request *r, struct stream *s);
void answer_prepared(struct request *r, const struct prepared *p);
void answer_problem(struct request *r, enum problem p, const char *detail);
/* From a failure inside or of the input. */
void answer_error(struct request *r, const struct error *err);
/* All faults of one input; their first code decides between 422 and 503. */
void answer_faults(struct request *r, const struct error_list *faults);
/* Name: a literal. Text that does not fit is a broken invariant. */
void answer_header(struct request *r, const char *name, const char *text);
/* Takes back what was answered and not yet sent. */
void answer_clear(struct request *r);
static inline bool answered(const struct request *r)
{
    return r->answer.status != 0;
}

/* --- going on later --- */

/* The operation passes to the request, which frees it with `free_op` when the next one comes or the request
 * ends. */
void request_submit(struct request *r, struct lane *lane, struct op *op, void (*free_op)(struct op *),
                    request_fn next);
/* An operation's done(): its arg is the request. */
void request_op_done(struct op *op);
/* Waits for something that is not an operation. */
void request_wait(struct request *r, request_launch_fn launch, request_fn next);
/* Lets others have their turn on this thread, then goes on. */
void request_again(struct request *r, request_fn next);
/*
 * For whoever drives a request: goes on until it has its answer (false) or there is something to launch
 * (true), after which it is called again.
 */
CHECKED bool request_go_on(struct request *r);
/* Takes more bytes of the body from what all bodies may take together; false: there is not that much. */
CHECKED bool request_afford(struct request *r, size_t more);
/* Before what was read is represented, as so much text about. False: it is too much, and answered so. */
CHECKED bool request_has_room(struct request *r, size_t text);
/* Any thread: what was launched is done. */
void request_back(struct request *r);
void request_set_work(struct request *r, void *work, void (*free_work)(void *));

void answer_blank(struct answer *a);
void answer_drop(struct answer *a);
struct request *request_new(void);
void request_free(struct request *r); /* NULL is fine. Not while it is away */
CLEANUP_FN(struct request, request_free)

#endif
