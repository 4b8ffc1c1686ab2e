/*
 * input.h: from a field's arguments to what the REST API is sent, and from where its faults lie back to the
 * arguments. Both by the schema's types, so that what is anybody's JSON (`data`, `headers`) stays untouched.
 * Pure.
 */
#ifndef API_GRAPHQL_INPUT_H
#define API_GRAPHQL_INPUT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "graphql/schema.h"

/* A coerced value as REST has it: a new reference. Members that are null are left out, as absent, but of
 * those that are anybody's JSON. ERR_MEMORY. */
CHECKED enum err input_to_rest(const json_t *value, const struct gql_ref *ref, json_t **ret,
                               struct error *err);
/* Whether what a pointer begins with is a member of this type. */
bool input_has(struct str pointer, const struct gql_ref *ref);
/* Appends a pointer into what input_to_rest() made as a pointer into `value`'s own. */
void input_pointer(struct str pointer, const struct gql_ref *ref, struct buf *out);

#endif
