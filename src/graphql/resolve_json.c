/*
 * resolve_json.c: fields of objects that are JSON already.
 */
#include "graphql/execute.h"

enum gql_progress gql_resolve_json(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        const json_t *member = json_object_getn(call->objects[i], call->field->name.p, call->field->name.n);

        call->values[i] = member ? gql_json(member) : gql_null();
    }
    return GQL_ANSWERED;
}
