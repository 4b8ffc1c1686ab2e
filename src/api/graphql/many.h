/*
 * many.h: fields of the objects of a whole level, by one operation of the store (store/ops_many.h).
 */
#ifndef API_GRAPHQL_MANY_H
#define API_GRAPHQL_MANY_H

#include "api/graphql/calls.h"

/* The schedule that each object names as `schedule_id`; or, of a registration, as `id`. */
void prepare_schedules(struct gql_call *call, struct request *r);
void prepare_registered(struct gql_call *call, struct request *r);
void handle_schedules_of(struct request *r);
/* A page of the runs, or events, of each schedule. */
void prepare_pages(struct gql_call *call, struct request *r);
void handle_runs_of(struct request *r);
void handle_events_of(struct request *r);

/* To each object what was found for it: a schedule or null; a connection. */
void give_schedules(struct gql_call *call, struct request *r);
void give_pages(struct gql_call *call, struct request *r);

#endif
