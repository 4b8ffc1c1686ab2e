/*
 * resolvers.c: see resolvers.h.
 */
#include "api/graphql/resolvers.h"

#include "graphql/execute.h"

const struct gql_schema_options graphql_bindings = {.otherwise = gql_resolve_json};

enum err graphql_judge_key(const struct graphql_context *c, struct error *err)
{
    if (c->kind != GQL_MUTATION || c->roots <= 1 || !c->outer || !c->outer->headers.idempotency_key.p)
        return ERR_NONE;
    return error_set(err, ERR_SYNTAX, ":Idempotency-Key",
                     "stands for one thing that is done: the mutation may have one field only");
}
