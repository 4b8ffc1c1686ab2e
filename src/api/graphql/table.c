/*
 * table.c: what each field asks of the API. Its rules are the REST calls' own; here are names only.
 */
#include "api/graphql/calls.h"
#include "api/graphql/many.h"
#include "api/graphql/mutations.h"
#include "api/graphql/queries.h"

#define ID(name_)                                                                                            \
    {                                                                                                        \
        (name_), GOES_ID, NULL                                                                               \
    }
#define VERSION                                                                                              \
    {                                                                                                        \
        "ifVersion", GOES_VERSION, NULL                                                                      \
    }
#define PARAM(name_, rest_)                                                                                  \
    {                                                                                                        \
        (name_), GOES_PARAM, (rest_)                                                                         \
    }
#define PARAMS(name_)                                                                                        \
    {                                                                                                        \
        (name_), GOES_PARAMS, NULL                                                                           \
    }
#define BODY(name_)                                                                                          \
    {                                                                                                        \
        (name_), GOES_BODY, NULL                                                                             \
    }
#define MEMBER(name_, rest_)                                                                                 \
    {                                                                                                        \
        (name_), GOES_MEMBER, (rest_)                                                                        \
    }
#define PAGE PARAM("first", "limit"), PARAM("after", "cursor")

const struct field_call field_calls[] = {
    {"Query", "schedule", .route = "getSchedule", .arguments = {ID("id")}, .give = give_json,
     .missing = give_null},
    {"Query", "scheduleByClient", .handle = handle_by_client, .arguments = {MEMBER("client", "client")},
     .give = give_json, .missing = give_null},
    {"Query", "schedules", .route = "listSchedules", .arguments = {PARAMS("filter"), PAGE},
     .give = give_connection},
    {"Query", "run", .route = "getRun", .arguments = {ID("id")}, .give = give_json, .missing = give_null},
    {"Query", "runs", .route = "listRuns", .arguments = {PARAM("state", "state"), PAGE},
     .give = give_connection},
    {"Query", "deadLetters", .route = "listRuns", .by_id = "listScheduleRuns", .fixed = {"state", "dead"},
     .arguments = {ID("scheduleId"), PAGE}, .give = give_connection, .missing = give_empty},
    {"Query", "history", .route = "listHistory",
     .arguments = {PARAM("scheduleId", "schedule"), PARAM("kind", "kind"), PAGE}, .give = give_connection},
    {"Query", "preview", .route = "previewSchedule",
     .arguments = {BODY("definition"), PARAM("first", "n"), PARAM("from", "from")}, .give = give_json},
    {"Query", "instances", .route = "listInstances", .give = give_json},
    {"Query", "stats", .handle = handle_stats, .give = give_json},
    {"Query", "version", .handle = handle_version_told, .give = give_json},

    {"Mutation", "registerSchedule", .route = "registerSchedule", .arguments = {BODY("definition")},
     .give = give_registration},
    {"Mutation", "registerSchedules", .route = "registerBatch", .arguments = {BODY("definitions")},
     .give = give_batch},
    {"Mutation", "replaceSchedule", .route = "replaceSchedule",
     .arguments = {ID("id"), BODY("definition"), VERSION}, .give = give_registration},
    {"Mutation", "deleteSchedule", .route = "deleteSchedule", .arguments = {ID("id"), VERSION},
     .give = give_json},
    {"Mutation", "deleteSchedules", .route = "deleteSchedules", .arguments = {PARAMS("filter")},
     .give = give_json},
    {"Mutation", "pauseSchedule", .route = "pauseSchedule", .arguments = {ID("id"), VERSION},
     .give = give_json},
    {"Mutation", "resumeSchedule", .route = "resumeSchedule", .arguments = {ID("id"), VERSION},
     .give = give_json},
    {"Mutation", "triggerSchedule", .route = "triggerSchedule", .arguments = {ID("id"), VERSION},
     .give = give_json},
    {"Mutation", "backfillSchedule", .route = "backfillSchedule",
     .arguments = {ID("id"), MEMBER("from", "from"), MEMBER("to", "to"), MEMBER("dryRun", "dry_run"),
                   VERSION},
     .give = give_json},
    {"Mutation", "redriveRun", .route = "redriveRun", .arguments = {ID("id")}, .give = give_json},
    {"Mutation", "redriveRuns", .route = "redriveRuns", .arguments = {BODY("which")}, .shape = shape_redrive,
     .give = give_json},
    {"Mutation", "discardRun", .route = "discardRun", .arguments = {ID("id")}, .give = give_json},
    {"Mutation", "reset", .route = "reset", .give = give_json},

    {"Schedule", "runs", .handle = handle_runs_of, .prepare = prepare_pages,
     .arguments = {PARAM("state", "state"), PAGE}, .give = give_pages},
    {"Schedule", "history", .handle = handle_events_of, .prepare = prepare_pages,
     .arguments = {PARAM("kind", "kind"), PAGE}, .give = give_pages},
    {"Run", "schedule", .handle = handle_schedules_of, .prepare = prepare_schedules, .give = give_schedules},
    {"Event", "schedule", .handle = handle_schedules_of, .prepare = prepare_schedules,
     .give = give_schedules},
    {"Registration", "schedule", .handle = handle_schedules_of, .prepare = prepare_registered,
     .give = give_schedules},
    {"BatchResult", "schedule", .handle = handle_schedules_of, .prepare = prepare_registered,
     .give = give_schedules},
};
const size_t field_calls_n = COUNT_OF(field_calls);
