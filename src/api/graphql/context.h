/*
 * context.h: what the resolvers of one GraphQL operation know of whom they work for: call->context.
 */
#ifndef API_GRAPHQL_CONTEXT_H
#define API_GRAPHQL_CONTEXT_H

#include "api/request.h"
#include "graphql/ast.h"

/* Lives as long as the execution. */
struct graphql_context {
    struct api *api;
    /*
     * The HTTP request: its headers (idempotency_key). Of what it answers, nothing is the resolvers'. NULL in
     * the execution of an event that a subscription tells: its request was answered when the stream began.
     */
    struct request *outer;
    enum gql_operation_kind kind;
    /* Root fields as written, fragments put in, whatever @skip and @include leave out: at most so many are
     * asked. */
    size_t roots;
};

#endif
