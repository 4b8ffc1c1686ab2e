/*
 * accept.h: in which form a client wants to be answered: GraphQL over HTTP's media types, by the Accept
 * header (RFC 9110, 12.5.1). Pure.
 */
#ifndef API_GRAPHQL_ACCEPT_H
#define API_GRAPHQL_ACCEPT_H

#include "base/base.h"

enum graphql_media {
    MEDIA_NONE,     /* nothing that we have is acceptable */
    MEDIA_JSON,     /* application/json */
    MEDIA_RESPONSE, /* application/graphql-response+json */
    MEDIA_EVENTS,   /* text/event-stream */
    MEDIA_PAGE,     /* text/html */
};

struct graphql_accept {
    enum graphql_media media; /* of an answer that is whole; MEDIA_EVENTS where nothing else is accepted */
    bool events;              /* text/event-stream is accepted, by its name */
    bool page;                /* text/html is accepted, by its name, and preferred to JSON */
};

/* `header`: p NULL when absent, which accepts anything. At most 64 ranges are looked at. */
struct graphql_accept graphql_accept(struct str header);
/* As a Content-Type; of MEDIA_NONE, JSON's. */
const char *graphql_media_type(enum graphql_media m);

#endif
