/*
 * route.h: the one table of what this API answers. It drives the router, the checks of parameters, OpenAPI,
 * the metric labels and the docs page. Pure.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/query.h"
#include "api/request.h"
#include "api/schema.h"
#include "base/base.h"

#define METHOD_LIST(X)                                                                                       \
    X(METHOD_GET, "GET")                                                                                     \
    X(METHOD_POST, "POST")                                                                                   \
    X(METHOD_PUT, "PUT")                                                                                     \
    X(METHOD_DELETE, "DELETE")
#define X(value, text) value,
enum method { METHOD_LIST(X) METHODS_N };
#undef X
const char *method_name(enum method m);

enum route_takes {
    TAKES_NONE,  /* no body; one that comes is ignored */
    TAKES_EMPTY, /* nothing or {} */
    TAKES_JSON,
    TAKES_BATCH, /* JSON, up to batch_body_max */
};

/* One of the ways a call is answered, beside the errors that follow from the other members. */
struct reply {
    unsigned status;
    const char *description;
    const char *schema;       /* of the JSON body; NULL: none or not JSON */
    bool array;               /* the body is an array of it */
    const char *content_type; /* NULL: application/json */
    bool etag;
    bool location;
    bool next_link;
};
enum { ROUTE_REPLIES_MAX = 3, ROUTE_PARAMS_MAX = 16, ROUTE_ALLOW_MAX = 64 };

struct route {
    enum method method;
    const char *path; /* {id} stands for a UUID */
    const char *id;   /* OpenAPI's operationId */
    const char *tag;
    const char *summary;
    const char *description; /* Markdown, or NULL */
    request_fn handle;
    const struct param *const *params; /* of the query; NULL-terminated, or NULL */
    enum route_takes takes;
    const char *takes_schema;
    bool if_match;
    bool if_none_match;
    const char *conflicts; /* when it is answered 409, or NULL */
    bool uses_store;       /* may be answered 503 */
    bool any_role;         /* about the instance itself: answered without the role `api` too */
    bool may_be_off;       /* answered 403 unless the configuration allows it */
    bool must_say_type;    /* a body without a content type is refused: a page of another site can send it */
    bool keys_within;      /* an Idempotency-Key is for what is called from within */
    bool own_faults;       /* what is wrong with its parameters is told by its handler, in its own form */
    bool hidden;           /* works, but is no call: the docs page and its parts */
    struct reply replies[ROUTE_REPLIES_MAX];
};

extern const struct route routes[];
extern const size_t routes_n;

enum route_fit { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };
struct route_match {
    enum route_fit fit;
    const struct route *route; /* ROUTE_FOUND */
    struct str id;             /* the segment that {id} stood for; p NULL when the path has none */
    unsigned allowed;          /* bit per enum method: what the path takes */
};

/* HEAD is found where GET is. Of two paths that fit, the one that comes first in the table is meant. */
void route_find(const struct target *t, struct str method, struct route_match *ret);
/* "GET, HEAD, PUT" */
void route_allow(unsigned allowed, char ret[ROUTE_ALLOW_MAX]);
/* The names of a route's query parameters; returns how many. */
size_t route_param_names(const struct route *r, const char *ret[ROUTE_PARAMS_MAX]);

#endif
