/*
 * fields.h: the fields of objects that are JSON as the REST API shows them.
 */
#ifndef API_GRAPHQL_FIELDS_H
#define API_GRAPHQL_FIELDS_H

#include "graphql/execute.h"

/*
 * The member with the field's name as REST spells it; enums by their GraphQL values. Where the member is
 * absent and may not be, what its absence means (api/schema.h's presets).
 */
enum gql_progress resolve_member(struct gql_call *call);

/* Those that differ by more than their spelling. */
enum gql_progress resolve_schedule_client(struct gql_call *call);
enum gql_progress resolve_schedule_definition(struct gql_call *call);
enum gql_progress resolve_schedule_run_count(struct gql_call *call);
enum gql_progress resolve_schedule_open_run_count(struct gql_call *call);
enum gql_progress resolve_schedule_missed(struct gql_call *call);
enum gql_progress resolve_target_tls_insecure(struct gql_call *call);
/* The object itself. */
enum gql_progress resolve_self(struct gql_call *call);

enum { GRAPHQL_SCALARS = 3 };
extern const struct gql_scalar graphql_scalars[GRAPHQL_SCALARS];

#endif
