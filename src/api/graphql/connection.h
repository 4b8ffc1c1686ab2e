/*
 * connection.h: pages as Relay's connections. An edge is its node (JSON with an `id`) and a cursor that is
 * made of it.
 */
#ifndef API_GRAPHQL_CONNECTION_H
#define API_GRAPHQL_CONNECTION_H

#include "graphql/execute.h"

/* A page of these; `items` is a JSON array that lives as long as the execution. */
struct gql_value connection_new(struct gql_execution *x, const json_t *items, bool more);

enum gql_progress resolve_connection_items(struct gql_call *call); /* edges, nodes */
enum gql_progress resolve_edge_cursor(struct gql_call *call);
enum gql_progress resolve_page_has_next(struct gql_call *call);
enum gql_progress resolve_page_has_previous(struct gql_call *call);
enum gql_progress resolve_page_start(struct gql_call *call);
enum gql_progress resolve_page_end(struct gql_call *call);

#endif
