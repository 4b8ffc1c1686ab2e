/*
 * graphql.h: the GraphQL side of a running API: its schema and its bounds. Requests come by
 * handle_graphql_get() and handle_graphql_post() (handlers.h).
 */
#ifndef API_GRAPHQL_GRAPHQL_H
#define API_GRAPHQL_GRAPHQL_H

#include "api/graphql/operation.h"
#include "base/base.h"
#include "base/error.h"
#include "graphql/schema.h"

struct graphql {
    struct gql_schema *schema;
    struct gql_request_options request;
    size_t memory; /* of one execution, the response apart */
};

/* What is served: a schema's text and what answers its fields. Outlives the API. */
struct graphql_service {
    struct str sdl;
    const struct gql_schema_options *bindings;
};

/* `service` NULL: Carillon's own. A schema that cannot be built is told with its place in the text. */
CHECKED enum err graphql_new(const struct graphql_service *service, uint64_t complexity, struct graphql **ret,
                             struct error *err);
void graphql_free(struct graphql *g); /* NULL is fine */
CLEANUP_FN(struct graphql, graphql_free)

#endif
