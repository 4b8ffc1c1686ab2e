/*
 * resolvers.c: see resolvers.h.
 */
#include "api/graphql/resolvers.h"

#include "api/graphql/calls.h"
#include "api/graphql/connection.h"
#include "api/graphql/fields.h"

#define CONNECTION(type)                                                                                     \
    {type "Connection", "edges", resolve_connection_items},                                                  \
        {type "Connection", "nodes", resolve_connection_items},                                              \
        {type "Connection", "pageInfo", resolve_self}, {type "Edge", "node", resolve_self},                  \
    {                                                                                                        \
        type "Edge", "cursor", resolve_edge_cursor                                                           \
    }

/* Those of table.c; where they lie elsewhere, so does what they do. */
static const struct gql_binding bindings[] = {
    {"Query", "schedule", resolve_call},
    {"Query", "scheduleByClient", resolve_call},
    {"Query", "schedules", resolve_call},
    {"Query", "run", resolve_call},
    {"Query", "runs", resolve_call},
    {"Query", "deadLetters", resolve_call},
    {"Query", "history", resolve_call},
    {"Query", "preview", resolve_call},
    {"Query", "instances", resolve_call},
    {"Query", "stats", resolve_call},
    {"Query", "version", resolve_call},
    {"Mutation", "registerSchedule", resolve_call},
    {"Mutation", "registerSchedules", resolve_call},
    {"Mutation", "replaceSchedule", resolve_call},
    {"Mutation", "deleteSchedule", resolve_call},
    {"Mutation", "deleteSchedules", resolve_call},
    {"Mutation", "pauseSchedule", resolve_call},
    {"Mutation", "resumeSchedule", resolve_call},
    {"Mutation", "triggerSchedule", resolve_call},
    {"Mutation", "backfillSchedule", resolve_call},
    {"Mutation", "redriveRun", resolve_call},
    {"Mutation", "redriveRuns", resolve_call},
    {"Mutation", "discardRun", resolve_call},
    {"Mutation", "reset", resolve_call},
    {"Schedule", "runs", resolve_call},
    {"Schedule", "history", resolve_call},
    {"Run", "schedule", resolve_call},
    {"Event", "schedule", resolve_call},
    {"Registration", "schedule", resolve_call},
    {"BatchResult", "schedule", resolve_call},

    /* The event itself is the root of its execution. */
    {"Subscription", "events", resolve_self},
    CONNECTION("Schedule"),
    CONNECTION("Run"),
    CONNECTION("Event"),
    {"PageInfo", "hasNextPage", resolve_page_has_next},
    {"PageInfo", "hasPreviousPage", resolve_page_has_previous},
    {"PageInfo", "startCursor", resolve_page_start},
    {"PageInfo", "endCursor", resolve_page_end},
    {"Schedule", "client", resolve_schedule_client},
    {"Schedule", "definition", resolve_schedule_definition},
    {"Schedule", "runCount", resolve_schedule_run_count},
    {"Schedule", "openRunCount", resolve_schedule_open_run_count},
    {"Schedule", "missed", resolve_schedule_missed},
    {"Target", "tlsInsecure", resolve_target_tls_insecure},
};

const struct gql_schema_options graphql_bindings = {
    .scalars = graphql_scalars,
    .n_scalars = GRAPHQL_SCALARS,
    .bindings = bindings,
    .n_bindings = COUNT_OF(bindings),
    .otherwise = resolve_member,
};

enum err graphql_judge_key(const struct graphql_context *c, struct error *err)
{
    if (c->kind != GQL_MUTATION || c->roots <= 1 || !c->idempotency_key.p)
        return ERR_NONE;
    return error_set(
        err, ERR_SYNTAX, ":Idempotency-Key",
        "an Idempotency-Key stands for one thing that is done: the mutation may have one field only");
}
