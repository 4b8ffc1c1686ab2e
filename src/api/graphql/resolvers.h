/*
 * resolvers.h: what answers the fields of schema.graphql, by what the REST API does.
 *
 * Almost every root field is a REST call made from within (api/inner.h): the arguments become its parameters
 * and its body, its answer becomes the field's value, its problem the field's error. So no rule stands here:
 * what a call takes, does and refuses is its handler's. Lists within lists ask the store once for all the
 * objects of a level (store/ops_many.h).
 *
 * Errors of fields have `extensions`: {"code": the problem's type with _ for -, "pointer": of the first
 * fault, "errors": [{"pointer", "detail"}] of all}. Pointers begin at the field's arguments and use their
 * names.
 */
#ifndef API_GRAPHQL_RESOLVERS_H
#define API_GRAPHQL_RESOLVERS_H

#include "api/graphql/context.h"
#include "base/error.h"
#include "graphql/schema.h"

/* Scalars and fields: for gql_schema_new(). Resolvers find a struct graphql_context in call->context and may
 * answer later. The root of a subscription's event is the event as the REST API shows it: a json_t. */
extern const struct gql_schema_options graphql_bindings;

/*
 * Whether a request that came with an Idempotency-Key may be carried out: a mutation with several root fields
 * may not, since one key stands for one thing that is done. ERR_SYNTAX at ":Idempotency-Key": to be answered
 * 400 before anything is asked. The resolver hands the key on to the call it makes, so the request itself
 * must not go through once_begin(). In a query a key means nothing.
 */
CHECKED enum err graphql_judge_key(const struct graphql_context *c, struct error *err);

#endif
