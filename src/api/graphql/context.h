/*
 * context.h: what the resolvers of one GraphQL operation know of whom they work for: call->context.
 */
#ifndef API_GRAPHQL_CONTEXT_H
#define API_GRAPHQL_CONTEXT_H

#include "api/request.h"
#include "graphql/ast.h"

/*
 * Lives as long as the execution, which ends when all of its calls came back. The HTTP request may be gone
 * before: its client hung up, or the server is stopping. No call is resumed then.
 */
struct graphql_context {
    struct api *api;
    /*
     * The HTTP request, for resolvers and resumes while they run; not for what they have launched. NULL in
     * the execution of an event that a subscription tells.
     */
    struct request *outer;
    struct str idempotency_key; /* that it came with, copied; p NULL: none */
    enum gql_operation_kind kind;
    /* Root fields as written, fragments put in, whatever @skip and @include leave out: at most so many are
     * asked. */
    size_t roots;
    /* Set by the resolvers: why something found no room. Nothing more is asked then, but a mutation's fields.
     */
    enum err spent;
    size_t at_once; /* calls that were answered without waiting for anybody */
    bool replayed;  /* set by the resolvers: its key had come before, and what was done then was told again */
};

#endif
