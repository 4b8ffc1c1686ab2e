/*
 * api_internal.h: what the files of this room share about one running API.
 */
#ifndef API_API_INTERNAL_H
#define API_API_INTERNAL_H

#include <stdatomic.h>

#include "api/api.h"

struct at_work;
struct doctor_desk;
struct graphql;
struct http;
struct metrics;
struct prepared;
struct probe;
struct rate;

enum prepared_page {
    PAGE_HEALTH,
    PAGE_VERSION,
    PAGE_OPENAPI,
    PAGE_DOCS,
    PAGE_DOCS_SCRIPT,
    PAGE_DOCS_STYLE,
    PAGE_DOCS_ICON,
    PAGE_EXPLORER,
    PAGE_EXPLORER_SCRIPT,
    PAGE_EXPLORER_STYLE,
    PAGE_GRAPHIQL,
    PAGE_GRAPHIQL_SCRIPT,
    PAGE_GRAPHIQL_STYLE,
    PAGES_N
};

struct api {
    /* constant once started */
    struct api_options options;
    struct schedule_rules stored_rules; /* options.rules for text from our own store */
    unsigned port;
    size_t bodies_max; /* bytes that larger bodies may take together */
    struct buf openapi;
    struct buf version;
    struct prepared *pages[PAGES_N];
    struct http *http;
    struct metrics *metrics;
    struct probe *probe;
    struct doctor_desk *doctor; /* NULL: there is none */
    struct graphql *graphql;
    struct at_work *at_work;
    struct rate *rate; /* NULL: there is no limit */

    /* any thread */
    _Atomic size_t bodies;
    _Atomic size_t answers;    /* bytes of large answers on their way */
    _Atomic size_t executions; /* bytes that executions of GraphQL have taken; at most answers_max */
};

#endif
