/*
 * rest_internal.h: what the files of the rest deliverer share. Nobody else includes it.
 *
 * A transfer is one delivery on its way: it waits for a place (rest_places.c), is built (rest_request.c), is
 * driven by libcurl (rest_multi.c), is judged (rest_result.c) and reported (rest.c). Transfers are pooled
 * with their easy handles, which remember TLS sessions and options. All of it is on the loop's thread.
 */
#ifndef DELIVER_REST_INTERNAL_H
#define DELIVER_REST_INTERNAL_H

#include <curl/curl.h>

#include "base/buf.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/random.h"
#include "deliver/admission.h"
#include "deliver/guard.h"
#include "deliver/rest.h"

enum {
    REST_BODY_MAX = 64 * 1024 * 1024, /* of a request; what the API accepts is far below */
    REST_HEADERS_MAX = 1024 * 1024,
    REST_ANSWER_MAX =
        1024 * 1024, /* of an answer's body that is read (and thrown away); the rest is left unread */
    REST_KEEP_BYTES = 64 * 1024, /* a spare transfer gives larger buffers back */
    REST_SPARE_MAX = 256,        /* transfers kept for reuse */
    REST_SENDS_MAX = 2, /* of one attempt: over a kept connection that broke, then over a fresh one */
};

enum transfer_state {
    TRANSFER_SPARE,
    TRANSFER_WAITS_HOST,  /* in its host's queue */
    TRANSFER_WAITS_PLACE, /* has its place at the host; in rest.waiting */
    TRANSFER_ON_WIRE,     /* libcurl's */
    TRANSFER_ENDED,       /* in rest.ended: its result is known, done() not yet called */
};

/* Requests under way to one target (model/target.h). Exists while there is one. */
struct rest_host {
    struct uuid key;
    size_t busy;         /* have a place */
    struct list waiting; /* transfers, oldest first */
};

struct transfer {
    struct rest *rest;
    struct delivery *delivery;
    enum transfer_state state;
    bool has_place;            /* counted in rest.busy */
    struct list node;          /* of whichever list its state says; on the wire: of rest.broken or of none */
    struct rest_host *host;    /* while it has a place there; NULL when hosts have no limit */
    struct heap_node deadline; /* mono µs, while on the wire */
    CURL *easy;                /* made at first use */
    unsigned sends;            /* requests begun, over whichever connection; REST_SENDS_MAX at most */
    char host_name[256];       /* the URL's; "" when the guard need not know it */
    char refusal[ATTEMPT_TEXT_MAX]; /* what the guard said of an address; "" for nothing */
    bool had_socket;                /* for one address at least */
    int socket_errno;               /* of the last socket that could not be made; 0: none */
    struct uuid target;             /* model/target.h */
    enum admission_end how;         /* what it says of its target */
    bool over_bound;                /* the answer is longer than REST_ANSWER_MAX */
    size_t answer_bytes;
    struct buf answer;          /* its beginning, where a history wants it */
    struct buf text;            /* URL, method and header lines, each terminated */
    struct curl_slist *headers; /* an array whose items are chained */
    size_t headers_cap;
    struct buf body;
    char curl_text[CURL_ERROR_SIZE];
};

struct rest {
    struct deliverer base;
    struct reactor *reactor;
    struct deliver_options options; /* its texts are owned by user_agent and ca_file */
    char *user_agent;
    char *ca_file;
    CURLM *multi;
    struct reactor_timer *curl_timer;     /* when libcurl wants to be called */
    struct reactor_timer *deadline_timer; /* not later than the first of `deadlines` */
    struct reactor_timer *report_timer;   /* reports what ended inside start() and abort() */
    bool deadline_armed;
    struct heap deadlines;
    struct admission admission;
    struct map hosts;
    struct list waiting;
    size_t busy;        /* have a place on the wire */
    struct list broken; /* on the wire, but their socket could not be watched */
    struct list ended;
    struct list spare;
    size_t spare_n;
    size_t in_flight; /* started and not reported */
    struct rng rng;
};

/* rest.c */
/* Puts the transfer on the wire; it has its places. Whatever fails ends it. */
void rest_go(struct transfer *t);
/* Its result is written: done() will be called. Not on the wire any more. */
void rest_end(struct transfer *t);
/* Calls done() of all that have ended by now. Not from inside start(), abort() or a callback of libcurl. */
void rest_report(struct rest *r);

/* rest_places.c */
/* True: the transfer has its places; false: it waits and rest_go() will be called when it has them. */
CHECKED bool rest_place_enter(struct transfer *t);
/* Gives back what it has, wherever it stands, and lets others go on. */
void rest_place_leave(struct transfer *t);

/* rest_request.c */
CHECKED enum err rest_request_build(struct transfer *t, struct error *err);

/* rest_socket.c */
/* ERR_REFUSED: the URL, already in t->text, names what must not be called. */
CHECKED enum err rest_socket_judge(struct transfer *t, struct error *err);
/* CURLOPT_OPENSOCKETFUNCTION */
curl_socket_t rest_socket_open(void *transfer, curlsocktype purpose, struct curl_sockaddr *to);

/* rest_headers.c */
/* Appends the lines to t->text and chains them in t->headers. */
CHECKED enum err rest_headers_build(struct transfer *t, bool has_body, struct error *err);

/* rest_multi.c */
CHECKED enum err rest_multi_open(struct rest *r, struct error *err);
void rest_multi_close(struct rest *r);
CHECKED enum err rest_multi_add(struct transfer *t, struct mono now, struct error *err);
void rest_multi_remove(struct transfer *t);

/* rest_result.c */
void rest_result_clear(struct transfer *t);
void rest_result_ended(struct transfer *t, CURLcode code);
void rest_result_timeout(struct transfer *t);
void rest_result_error(struct transfer *t, const char *text);
/* The same, or put off: when nothing was sent and `code` says that it was for want of memory. */
void rest_result_failed(struct transfer *t, enum err code, const char *text);

#endif
