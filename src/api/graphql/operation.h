/*
 * operation.h: what a client asks for, from the parameters of GraphQL over HTTP to an operation that may be
 * executed. Pure; it owns all it is made of.
 */
#ifndef API_GRAPHQL_OPERATION_H
#define API_GRAPHQL_OPERATION_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "graphql/request.h"

struct operation {
    json_t *params; /* query, operationName, variables, extensions */
    struct gql_request request;
    size_t roots; /* as struct graphql_context tells them */
};

/*
 * The parameters as a JSON object; takes the reference. ERR_INVALID, without an operation: the parameters are
 * none (*err says why); with one: *ret->request says what is wrong with the document, by its stage and
 * faults. ERR_MEMORY, ERR_TOO_LARGE: without an operation.
 */
CHECKED enum err operation_new(json_t *params, const struct gql_request_options *options,
                               struct operation **ret, struct error *err);
void operation_free(struct operation *o); /* NULL is fine */
CLEANUP_FN(struct operation, operation_free)

/* The kind of an operation that is ready. */
static inline enum gql_operation_kind operation_kind(const struct operation *o)
{
    return o->request.operation->kind;
}
/*
 * The arguments of its first root field, as coerced: the one that a subscription has. *ret: a reference; an
 * empty object where there is no such field.
 */
CHECKED enum err operation_arguments(const struct operation *o, const struct gql_schema *schema, json_t **ret,
                                     struct error *err);

/* How many items a field gives at most: gql_size_fn. */
uint64_t operation_size_of(const struct gql_field *field, const json_t *arguments, void *arg);

#endif
