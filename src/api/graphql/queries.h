/*
 * queries.h: what queries ask that no REST call tells, and what they make of the answers of those that do.
 */
#ifndef API_GRAPHQL_QUERIES_H
#define API_GRAPHQL_QUERIES_H

#include "api/graphql/calls.h"

void handle_by_client(struct request *r);
void handle_stats(struct request *r);
void handle_version_told(struct request *r);

/* The answer as it is. */
void give_json(struct gql_call *call, struct request *r);
/* A page. */
void give_connection(struct gql_call *call, struct request *r);
/* A page without anything. */
void give_empty(struct gql_call *call, struct request *r);
void give_null(struct gql_call *call, struct request *r);

#endif
