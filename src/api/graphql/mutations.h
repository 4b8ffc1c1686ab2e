/*
 * mutations.h: where a mutation's request or answer differs from REST's by more than names.
 */
#ifndef API_GRAPHQL_MUTATIONS_H
#define API_GRAPHQL_MUTATIONS_H

#include "api/graphql/calls.h"

void give_registration(struct gql_call *call, struct request *r);
void give_batch(struct gql_call *call, struct request *r);
/* RedriveInput as the body of POST /runs/redrive. */
CHECKED enum err shape_redrive(json_t *body, struct error *err);

#endif
