/*
 * routes.c: the table of calls. A path with literal segments stands before one with {id} that it would fit
 * too.
 */
#include "api/handlers.h"
#include "api/route.h"
#include "model/run.h"
#include "model/timer.h"
#include "store/journal.h"

#define X(value, text) text,
static const char *const run_states[] = {RUN_STATE_LIST(X) NULL};
static const char *const history_kinds[] = {HISTORY_KIND_LIST(X) NULL};
static const char *const schedule_states[] = {SCHEDULE_STATE_LIST(X) NULL};
#undef X

static const struct param application = {
    "application", "`client.application` is this.", {.kind = VALUE_STRING}};
static const struct param group = {"group", "`client.group` is this.", {.kind = VALUE_STRING}};
static const struct param type = {"type", "`client.type` is this.", {.kind = VALUE_STRING}};
static const struct param key = {"key", "`client.key` is this.", {.kind = VALUE_STRING}};
static const struct param operation = {"operation", "`client.operation` is this.", {.kind = VALUE_STRING}};
static const struct param state = {
    "state", "Its state is this.", {.kind = VALUE_STRING, .values = schedule_states}};
static const struct param run_state = {
    "state", "Its state is this.", {.kind = VALUE_STRING, .values = run_states}};
static const struct param name = {"name", "Its name begins with this.", {.kind = VALUE_STRING}};
static const struct param limit = {
    "limit",
    "How many a page holds.",
    {.kind = VALUE_INTEGER, .minimum = "1", .maximum = "1000", .preset = "100"}};
static const struct param cursor = {
    "cursor", "Where the page begins: from the `Link` of the page before.", {.kind = VALUE_STRING}};
static const struct param preview_n = {
    "n", "How many fire times.", {.kind = VALUE_INTEGER, .minimum = "1", .maximum = "1000", .preset = "10"}};
static const struct param preview_from = {"from",
                                          "Fire times after this instant; absent: now.",
                                          {.kind = VALUE_TIME, .example = "\"2026-11-23T09:00:00Z\""}};

static const struct param *const filter_params[] = {&application, &group, &type, &key,
                                                    &operation,   &state, &name, NULL};
static const struct param *const list_params[] = {&application, &group, &type,  &key,    &operation,
                                                  &state,       &name,  &limit, &cursor, NULL};
static const struct param *const runs_params[] = {&run_state, &limit, &cursor, NULL};
static const struct param history_schedule = {"schedule", "Of this schedule.", {.kind = VALUE_UUID}};
static const struct param history_kind = {
    "kind", "Of this kind.", {.kind = VALUE_STRING, .values = history_kinds}};
static const struct param history_from = {
    "from", "At this instant or later.", {.kind = VALUE_TIME, .example = "\"2026-11-23T09:00:00Z\""}};
static const struct param history_to = {
    "to", "Before this instant.", {.kind = VALUE_TIME, .example = "\"2026-11-24T09:00:00Z\""}};
static const struct param *const schedule_history_params[] = {&history_kind, &history_from, &history_to,
                                                              &limit,        &cursor,       NULL};
static const struct param *const history_params[] = {
    &history_schedule, &history_kind, &history_from, &history_to, &limit, &cursor, NULL};
static const struct param *const events_params[] = {&history_schedule, &history_kind, &application, NULL};
static const struct param *const preview_params[] = {&preview_n, &preview_from, NULL};

static const struct param graphql_query = {"query", "The document.", {.kind = VALUE_STRING}};
static const struct param graphql_operation = {
    "operationName", "Which of its operations.", {.kind = VALUE_STRING}};
static const struct param graphql_variables = {
    "variables", "Its variables: a JSON object.", {.kind = VALUE_STRING}};
static const struct param graphql_extensions = {
    "extensions", "A JSON object that nothing is made of.", {.kind = VALUE_STRING}};
static const struct param *const graphql_params[] = {&graphql_query, &graphql_operation, &graphql_variables,
                                                     &graphql_extensions, NULL};

#define SCHEDULES .tag = "Schedules"
#define RUNS .tag = "Runs"
#define HISTORY .tag = "History"
#define SERVICE .tag = "Service"
#define REPLY(status_, description_, ...)                                                                    \
    {                                                                                                        \
        .status = (status_), .description = (description_), __VA_ARGS__                                      \
    }
#define PAGE(path_, handler)                                                                                 \
    {                                                                                                        \
        METHOD_GET, path_, "page", "Pages", "", NULL, handler, .hidden = true                                \
    }

const struct route routes[] = {
    {METHOD_POST, "/schedules", "registerSchedule", .tag = "Schedules",
     .summary = "Register a schedule, or replace the one with the same client identity",
     .description = "Replaced in place: same id, new definition, next time computed anew.",
     .handle = handle_register, .takes = TAKES_JSON, .takes_schema = "Definition", .uses_store = true,
     .replies = {REPLY(201, "Registered.", .schema = "Registration", .etag = true, .location = true),
                 REPLY(200, "Replaced.", .schema = "Registration", .etag = true, .location = true)}},
    {METHOD_GET, "/schedules", "listSchedules", SCHEDULES, .summary = "List schedules",
     .description = "Sorted by time of registration. All filters that are given must match.",
     .handle = handle_list, .params = list_params, .uses_store = true,
     .replies = {REPLY(200, "A page.", .schema = "Schedule", .array = true, .next_link = true)}},
    {METHOD_DELETE, "/schedules", "deleteSchedules", SCHEDULES, .summary = "Delete all schedules that match",
     .description = "At least one filter must be given.", .handle = handle_delete_all,
     .params = filter_params, .uses_store = true, .replies = {REPLY(200, "Deleted.", .schema = "Count")}},
    {METHOD_POST, "/schedules/batch", "registerBatch", SCHEDULES,
     .summary = "Register up to 10,000 schedules",
     .description =
         "Each is judged alone; those that are accepted are stored by one commit. Items act in order: of two "
         "with one identity the last wins.",
     .handle = handle_batch, .takes = TAKES_BATCH, .takes_schema = "Definition", .uses_store = true,
     .replies = {REPLY(200, "One result for each item, in order.", .schema = "BatchResult", .array = true)}},
    {METHOD_GET, "/schedules/{id}", "getSchedule", SCHEDULES, .summary = "Get a schedule",
     .handle = handle_get, .if_none_match = true, .uses_store = true,
     .replies = {REPLY(200, "The schedule.", .schema = "Schedule", .etag = true),
                 REPLY(304, "It is what `If-None-Match` names.", .etag = true)}},
    {METHOD_PUT, "/schedules/{id}", "replaceSchedule", SCHEDULES, .summary = "Replace a schedule",
     .description = "The id stays. The identity may change to one that no other schedule has.",
     .handle = handle_replace, .takes = TAKES_JSON, .takes_schema = "Definition", .if_match = true,
     .conflicts = "The identity is another schedule's.", .uses_store = true,
     .replies = {REPLY(200, "Replaced.", .schema = "Registration", .etag = true, .location = true)}},
    {METHOD_DELETE, "/schedules/{id}", "deleteSchedule", SCHEDULES, .summary = "Delete a schedule",
     .description = "Its pending and retrying runs are cancelled.", .handle = handle_delete, .if_match = true,
     .uses_store = true, .replies = {REPLY(200, "Deleted.", .schema = "Count")}},
    {METHOD_POST, "/schedules/{id}/update", "updateSchedule", SCHEDULES,
     .summary = "Replace a schedule (as PUT)", .handle = handle_replace, .takes = TAKES_JSON,
     .takes_schema = "Definition", .if_match = true, .conflicts = "The identity is another schedule's.",
     .uses_store = true,
     .replies = {REPLY(200, "Replaced.", .schema = "Registration", .etag = true, .location = true)}},
    {METHOD_POST, "/schedules/{id}/pause", "pauseSchedule", SCHEDULES, .summary = "Pause a schedule",
     .description = "Silent until resumed. Its pending and retrying runs are cancelled.",
     .handle = handle_pause, .conflicts = "It is finished.", .takes = TAKES_EMPTY, .if_match = true,
     .uses_store = true, .replies = {REPLY(200, "The schedule.", .schema = "Schedule", .etag = true)}},
    {METHOD_POST, "/schedules/{id}/resume", "resumeSchedule", SCHEDULES, .summary = "Resume a schedule",
     .handle = handle_resume, .conflicts = "It is finished.", .takes = TAKES_EMPTY, .if_match = true,
     .uses_store = true, .replies = {REPLY(200, "The schedule.", .schema = "Schedule", .etag = true)}},
    {METHOD_POST, "/schedules/{id}/trigger", "triggerSchedule", SCHEDULES, .summary = "Fire a schedule now",
     .description = "Makes a run beside those of its plan.", .handle = handle_trigger, .takes = TAKES_EMPTY,
     .if_match = true, .uses_store = true,
     .replies = {REPLY(202, "The run that was made.", .schema = "Run", .location = true)}},
    {METHOD_POST, "/schedules/{id}/backfill", "backfillSchedule", SCHEDULES,
     .summary = "Make runs for occurrences that passed",
     .description =
         "For each occurrence of a cron schedule in `from` <= t < `to`, at most 10,000, that has no run yet. "
         "They all run: at once when `overlap` is `allow`, else one behind the other, oldest first. What the "
         "schedule's plan will make itself, and what lies ahead, is left to it.",
     .handle = handle_backfill, .takes = TAKES_JSON, .takes_schema = "Backfill", .if_match = true,
     .conflicts = "It is no cron schedule, or was changed meanwhile.", .uses_store = true,
     .replies = {REPLY(202, "The runs were made.", .schema = "Backfilled"),
                 REPLY(200, "What a `dry_run` would make.", .schema = "Backfilled")}},
    {METHOD_GET, "/schedules/{id}/runs", "listScheduleRuns", RUNS, .summary = "List the runs of a schedule",
     .description = "Newest first.", .handle = handle_schedule_runs, .params = runs_params,
     .uses_store = true,
     .replies = {REPLY(200, "A page.", .schema = "Run", .array = true, .next_link = true)}},
    {METHOD_GET, "/schedules/{id}/history", "listScheduleHistory", HISTORY,
     .summary = "List the events of a schedule",
     .description = "Newest first. Of schedules with `task.history_check`; they outlive their schedule. An "
                    "event is there a moment after it happened.",
     .handle = handle_schedule_history, .params = schedule_history_params, .uses_store = true,
     .replies = {REPLY(200, "A page.", .schema = "Event", .array = true, .next_link = true)}},
    {METHOD_GET, "/runs", "listRuns", RUNS, .summary = "List runs", .description = "Newest first.",
     .handle = handle_runs, .params = runs_params, .uses_store = true,
     .replies = {REPLY(200, "A page.", .schema = "Run", .array = true, .next_link = true)}},
    {METHOD_POST, "/runs/redrive", "redriveRuns", RUNS, .summary = "Redrive many dead runs",
     .description = "Those with the `ids` given; or all dead ones, of a schedule or of all, newest first, at "
                    "most `limit`. Each is judged alone.",
     .handle = handle_redrive_many, .takes = TAKES_JSON, .takes_schema = "Redrive", .uses_store = true,
     .replies = {REPLY(202, "How many were redriven.", .schema = "Redriven")}},
    {METHOD_GET, "/runs/{id}", "getRun", RUNS, .summary = "Get a run", .handle = handle_run,
     .uses_store = true, .replies = {REPLY(200, "The run.", .schema = "Run")}},
    {METHOD_DELETE, "/runs/{id}", "discardRun", RUNS,
     .summary = "Discard a dead run, or cancel one that waits",
     .description = "It ends as `cancelled`. An attempt under way is not interrupted.",
     .handle = handle_discard, .conflicts = "An attempt is under way, or it is over.", .uses_store = true,
     .replies = {REPLY(200, "The run as it ended.", .schema = "Run")}},
    {METHOD_POST, "/runs/{id}/redrive", "redriveRun", RUNS, .summary = "Redrive a dead run",
     .description =
         "It is due at once, by the definition in force and whatever the schedule's state, with "
         "the same `Idempotency-Key` for its target. Its attempts go on counting; its failures and "
         "`retry_for` are counted anew.",
     .handle = handle_redrive, .takes = TAKES_EMPTY,
     .conflicts = "It is not dead, or its schedule was deleted.", .uses_store = true,
     .replies = {REPLY(202, "The run, pending.", .schema = "Run")}},
    {METHOD_GET, "/history", "listHistory", HISTORY, .summary = "List events",
     .description = "Newest first. Of schedules with `task.history_check`.", .handle = handle_history,
     .params = history_params, .uses_store = true,
     .replies = {REPLY(200, "A page.", .schema = "Event", .array = true, .next_link = true)}},
    {METHOD_POST, "/preview", "previewSchedule", SCHEDULES, .summary = "Tell when a definition would fire",
     .description = "Nothing is stored.", .handle = handle_preview, .params = preview_params,
     .takes = TAKES_JSON, .takes_schema = "PreviewRequest",
     .replies = {REPLY(200, "Its next fire times.", .schema = "Preview")}},
    {METHOD_GET, "/events", "listenToEvents", HISTORY, .summary = "Listen to what this instance does",
     .description =
         "Server-sent events, of all schedules, whatever `history_check` says: `event` is the kind, `data` "
         "an "
         "Event as in the history, `id` its id. `Last-Event-ID` resumes behind that one; what is not known "
         "any more is told by an event `gap`. A reader that is too slow is dropped. Of several instances "
         "each "
         "tells what it did itself.",
     .handle = handle_events, .params = events_params, .uses_store = true,
     .replies = {REPLY(200, "Events, without an end.", .content_type = "text/event-stream")}},
    {METHOD_POST, "/admin/reset", "reset", SERVICE, .summary = "Remove everything",
     .description = "All schedules, runs and kept answers; the history stays for its own retention. Only "
                    "where the configuration says `admin.reset: "
                    "true`.",
     .handle = handle_reset, .takes = TAKES_EMPTY, .uses_store = true, .may_be_off = true,
     .replies = {REPLY(200, "How much was removed.", .schema = "Removed")}},
    {METHOD_POST, "/graphql", "graphql", SERVICE, .summary = "Ask by GraphQL", .handle = handle_graphql_post,
     .takes = TAKES_BATCH, .must_say_type = true, .keys_within = true, .own_faults = true, .uses_store = true,
     .hidden = true},
    {METHOD_GET, "/graphql", "graphqlQuery", SERVICE, .summary = "Ask a query by GraphQL",
     .handle = handle_graphql_get, .params = graphql_params, .own_faults = true, .uses_store = true,
     .hidden = true},
    {METHOD_GET, "/admin/doctor", "examine", SERVICE, .summary = "Examine this instance and what it needs",
     .description =
         "What `carillon doctor` looks at, as this instance sees it: each check with what was seen "
         "and what to do about it. Nothing is changed. It takes some seconds when something does "
         "not answer; whoever asks meanwhile waits for the next examination.",
     .handle = handle_doctor, .any_role = true,
     .replies = {REPLY(200, "What was found, whatever it is.", .schema = "Examination")}},
    {METHOD_GET, "/healthz", "health", SERVICE, .summary = "Whether the process lives",
     .description = "Touches nothing but the HTTP server.", .handle = handle_healthz, .any_role = true,
     .replies = {REPLY(200, "It does.", .schema = "Health")}},
    {METHOD_GET, "/readyz", "readiness", SERVICE, .summary = "Whether requests can be served",
     .description = "The database is asked, and must answer within 2 seconds.", .handle = handle_readyz,
     .any_role = true, .uses_store = true, .replies = {REPLY(200, "They can.", .schema = "Health")}},
    {METHOD_GET, "/metrics", "metrics", SERVICE, .summary = "Metrics for Prometheus",
     .handle = handle_metrics, .any_role = true,
     .replies = {REPLY(200, "Prometheus' text format 0.0.4.", .content_type = "text/plain")}},
    {METHOD_GET, "/instances", "listInstances", SERVICE, .summary = "List the instances that are alive",
     .description = "By the time of their start. On an embedded database there is one.",
     .handle = handle_instances, .any_role = true, .uses_store = true,
     .replies = {REPLY(200, "All of them.", .schema = "Instance", .array = true)}},
    {METHOD_GET, "/version", "version", SERVICE, .summary = "What is running", .handle = handle_version,
     .any_role = true, .replies = {REPLY(200, "The version.", .schema = "Version")}},
    {METHOD_GET, "/openapi.json", "openapi", SERVICE, .summary = "This description", .handle = handle_openapi,
     .replies = {REPLY(200, "OpenAPI 3.1.", .content_type = "application/json")}},
    PAGE("/docs", handle_docs),
    PAGE("/docs/docs.js", handle_docs_script),
    PAGE("/docs/docs.css", handle_docs_style),
    PAGE("/docs/docs.svg", handle_docs_icon),
    PAGE("/graphql/explorer", handle_explorer),
    PAGE("/graphql/explorer.js", handle_explorer_script),
    PAGE("/graphql/explorer.css", handle_explorer_style),
    PAGE("/graphql/graphiql.js", handle_graphiql_script),
    PAGE("/graphql/graphiql.css", handle_graphiql_style),
    PAGE("/", handle_root),
};
const size_t routes_n = COUNT_OF(routes);
