/*
 * calls.h: fields that ask the API for something: what they ask, and what they make of the answer.
 */
#ifndef API_GRAPHQL_CALLS_H
#define API_GRAPHQL_CALLS_H

#include "api/graphql/arguments.h"
#include "api/graphql/context.h"
#include "graphql/execute.h"

/* Sets the call's values from a request that was answered well. */
typedef void (*give_fn)(struct gql_call *call, struct request *r);

struct field_call {
    const char *type;
    const char *field;
    const char *route;    /* the REST call by its id in the route table; NULL: `handle` */
    request_fn handle;    /* a call that only GraphQL has */
    const char *by_id;    /* the route instead, when an id is given that may be absent */
    const char *fixed[2]; /* a query parameter that it always has: name and value */
    struct argument arguments[ARGUMENTS_MAX];
    /* What is left to do about the body; NULL: nothing. */
    enum err (*shape)(json_t *body, struct error *err);
    give_fn give;
    give_fn missing; /* what a 404 means; NULL: an error */
    /* Of a field below others: makes r->work of its objects, or answers at once (many.h). */
    void (*prepare)(struct gql_call *call, struct request *r);
};

extern const struct field_call field_calls[];
extern const size_t field_calls_n;

/* Answers any field that has a row in the table. */
enum gql_progress resolve_call(struct gql_call *call);

/*
 * Counts what a call takes as the execution's, and within what all executions may take together. False: there
 * is no room, and *err is the field's. A mutation is judged by its own bound alone.
 */
CHECKED bool call_charge(struct gql_call *call, size_t n, struct error *err);

/* The answer's JSON, kept by the execution; NULL: the values are set to why there is none. */
const json_t *call_answer(struct gql_call *call, struct request *r);

#endif
