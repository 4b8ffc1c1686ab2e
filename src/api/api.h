/*
 * api.h: the HTTP face: libmicrohttpd's epoll pool, one route table, answers resumed by the store lanes.
 *
 * A handler parses, validates, submits an operation to a lane and suspends its connection; the lane's answer
 * resumes it. No handler blocks on a database. It knows no targets.
 */
#ifndef API_API_H
#define API_API_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "model/schedule.h"
#include "store/lane.h"

struct api;
struct events;
struct graphql_service;

/* Appends Prometheus text of what the API itself does not know (the engine's numbers). Any thread. */
typedef void (*api_metrics_fn)(void *arg, struct buf *out);

/*
 * What the only instance on a store that one process has to itself says of itself, now, by its own clock. The
 * texts stay the teller's. Any thread.
 */
typedef void (*api_self_fn)(void *arg, struct instance *ret);

/* An examination of this instance, as JSON. Blocks, so it is called on a thread of its own, one at a time. */
typedef void (*api_doctor_fn)(void *arg, struct buf *out);

struct api_options {
    const char *listen;          /* "127.0.0.1:9902", "[::1]:0", "0.0.0.0:9902"; port 0: any free one */
    unsigned threads;            /* default 2 */
    unsigned connections_max;    /* default 1,024 */
    size_t body_max;             /* bytes; default 1 MiB; a batch may have batch_body_max */
    size_t batch_body_max;       /* default 32 MiB */
    size_t header_max;           /* bytes of a request's headers; default 32 KiB */
    unsigned idle_s;             /* a connection idle so long is closed; default 60 */
    int64_t header_us;           /* the headers of a request may take so long; default 10 s */
    size_t answers_max;          /* bytes of large answers on their way; default 256 MiB */
    int64_t read_rate;           /* bytes a second at which they must be taken; default 32 KiB */
    int64_t rate;                /* requests a second for each client's address; 0: no limit */
    int64_t rate_burst;          /* at once; 0: twice the rate */
    size_t batch_max;            /* items; default 10,000 */
    unsigned json_depth_max;     /* of a request's body; default 64, at most JSON_DEPTH_LIMIT / 2 */
    uint64_t graphql_complexity; /* fields that a GraphQL answer may come to; default 250,000 */
    bool reset;                  /* POST /admin/reset may remove everything */
    const char *version;         /* of the build */
    struct schedule_rules rules; /* what it points to outlives the API */
    struct lane *writer;
    struct lane *reader;
    struct lane *history;  /* of the history database; NULL: there is none */
    struct events *events; /* what this instance does, for those who listen; NULL: nobody may */
    struct log *log;
    api_metrics_fn metrics;
    void *metrics_arg;
    api_self_fn self; /* NULL: GET /instances shows nobody on such a store */
    void *self_arg;
    api_doctor_fn doctor; /* NULL: GET /admin/doctor has nobody to ask */
    void *doctor_arg;
    const struct graphql_service *graphql; /* NULL: Carillon's own; else a test's */
    bool no_api; /* this instance has not that role: calls that are not about itself are refused */
};

/* Binds and starts serving. */
CHECKED enum err api_start(const struct api_options *options, struct api **ret, struct error *err);
/* The port really bound. */
unsigned api_port(const struct api *a);
/* Stops accepting; requests under way are answered (for at most grace_us), then the threads end. Before the
 * lanes are freed. */
void api_stop(struct api *a, int64_t grace_us);
void api_free(struct api *a);
CLEANUP_FN(struct api, api_free)

/* GraphQL's schema as SDL, as graphql-js prints it. Any thread. */
struct str api_graphql_schema(void);
/* The OpenAPI document, generated from the route table. Any thread. */
CHECKED enum err api_openapi(const char *version, struct buf *out, struct error *err);

#endif
