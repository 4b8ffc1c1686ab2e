/*
 * schemas.c: the table of shapes. What a definition may hold is decided by model/; this says it to people and
 * to programs that generate clients, so each row here must agree with a row there.
 */
#include "api/schema.h"
#include "model/run.h"
#include "model/schedule.h"
#include "model/timer.h"
#include "store/journal.h"

#define X(value, text) text,
static const char *const schedule_types[] = {SCHEDULE_TYPE_LIST(X) NULL};
static const char *const task_types[] = {TASK_TYPE_LIST(X) NULL};
static const char *const failed_policies[] = {FAILED_POLICY_LIST(X) NULL};
static const char *const misfires[] = {MISFIRE_LIST(X) NULL};
static const char *const overlaps[] = {OVERLAP_LIST(X) NULL};
static const char *const task_bodies[] = {TASK_BODY_LIST(X) NULL};
static const char *const redis_modes[] = {REDIS_MODE_LIST(X) NULL};
static const char *const run_states[] = {RUN_STATE_LIST(X) NULL};
static const char *const history_kinds[] = {HISTORY_KIND_LIST(X) NULL};
static const char *const schedule_states[] = {SCHEDULE_STATE_LIST(X) NULL};
#undef X
static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};
static const char *const redriven_states[] = {"dead", NULL};
static const char *const notes[] = {"moved", "merged", NULL};

#define STRING(...)                                                                                          \
    {                                                                                                        \
        .kind = VALUE_STRING, __VA_ARGS__                                                                    \
    }
#define INTEGER(...)                                                                                         \
    {                                                                                                        \
        .kind = VALUE_INTEGER, __VA_ARGS__                                                                   \
    }
#define SECONDS(...)                                                                                         \
    {                                                                                                        \
        .kind = VALUE_NUMBER, .minimum = "0", __VA_ARGS__                                                    \
    }
#define BOOLEAN(...)                                                                                         \
    {                                                                                                        \
        .kind = VALUE_BOOLEAN, __VA_ARGS__                                                                   \
    }
#define REF(name)                                                                                            \
    {                                                                                                        \
        .kind = VALUE_REF, .ref = (name)                                                                     \
    }
#define REF_OR_NULL(name)                                                                                    \
    {                                                                                                        \
        .kind = VALUE_REF, .ref = (name), .nullable = true                                                   \
    }
#define LIST_OF(name)                                                                                        \
    {                                                                                                        \
        .kind = VALUE_LIST, .ref = (name)                                                                    \
    }
#define TIME(...)                                                                                            \
    {                                                                                                        \
        .kind = VALUE_TIME, __VA_ARGS__                                                                      \
    }
#define ID                                                                                                   \
    {                                                                                                        \
        .kind = VALUE_UUID, .example = "\"01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f\""                            \
    }
#define MEMBERS(array) .members = (array), .members_n = COUNT_OF(array)

#define EXAMPLE_CLIENT                                                                                       \
    "{\"operation\":\"op#1\",\"application\":\"chef\",\"group\":\"system\",\"key\":\"12345678\",\"type\":"   \
    "\"scheduler\"}"
#define EXAMPLE_ID "\"01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f\""
#define EXAMPLE_TASK                                                                                         \
    "{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:3000/api/run/1\","                       \
    "\"headers\":{\"Content-Type\":\"application/json\"}},\"data\":{\"instanceName\":\"one\"},"              \
    "\"failed_policy\":\"retry\",\"retry_wait\":60}"
#define EXAMPLE_DEFINITION                                                                                   \
    "\"name\":\"every minute\",\"client\":" EXAMPLE_CLIENT                                                   \
    ",\"type\":\"cron\",\"schedule\":\"30 * * * * *\","                                                      \
    "\"timezone\":\"Asia/Seoul\",\"task\":" EXAMPLE_TASK

static const struct member client_members[] = {
    {"operation", "What the schedule is for.", STRING(.preset = "\"\""), false, false},
    {"application", "Whose it is.", STRING(.preset = "\"\""), false, false},
    {"group", "The domain it belongs to.", STRING(.preset = "\"\""), false, false},
    {"key", "What tells it from others of its kind.", STRING(.preset = "\"\""), false, false},
    {"type", "The kind of resource.", STRING(.preset = "\"\""), false, false},
};
static const struct schema client_schema = {
    .name = "Client",
    .null_is_absent = true,
    .description =
        "The identity: two registrations whose five members are all equal are the same schedule. Absent "
        "members count as \"\".",
    MEMBERS(client_members),
    .example = EXAMPLE_CLIENT,
};

static const struct member tls_members[] = {
    {"insecure", "Do not check the certificate. Only where the server's configuration allows it.",
     BOOLEAN(.preset = "false"), false, false},
};
static const struct schema tls_schema = {.name = "Tls", .null_is_absent = true, MEMBERS(tls_members)};

static const struct member connection_members[] = {
    {"host",
     "`rest`: a URL. `kafka`: bootstrap servers. `redis`: `host:port` or "
     "`redis://user:password@host:port/db`.",
     STRING(.example = "\"http://localhost:3000/api/run/1\""), true, false},
    {"headers",
     "Header fields to send. Values of those that carry secrets (Authorization, Cookie, ...) are write-only: "
     "they read "
     "as `***`, and writing `***` back keeps what is stored.",
     {.kind = VALUE_STRINGS},
     false,
     false},
    {"topic", "`kafka` and `redis`: the topic, channel, stream or list.", STRING(), false, false},
    {"config",
     "`kafka`: settings of the connection, such as `security.protocol`.",
     {.kind = VALUE_STRINGS},
     false,
     false},
    {"mode", "`redis`: PUBLISH, XADD or LPUSH.", STRING(.values = redis_modes, .preset = "\"publish\""),
     false, false},
    {"maxlen", "`redis` in mode `stream`: about how many entries the stream keeps.",
     INTEGER(.minimum = "1", .maximum = "1000000000000"), false, false},
    {"tls", "`rest`: how a TLS connection is judged.", REF("Tls"), false, false},
};
static const struct schema connection_schema = {.name = "Connection",
                                                .null_is_absent = true,
                                                .description = "Where a task goes.",
                                                MEMBERS(connection_members)};

static const struct member task_members[] = {
    {"type", "How it is delivered.", STRING(.values = task_types), true, false},
    {"connection", NULL, REF("Connection"), true, false},
    {"data", "What is sent: any JSON.", {.kind = VALUE_ANY, .preset = "null"}, false, false},
    {"history_check", "Keep a history of its events.", BOOLEAN(.preset = "false"), false, false},
    {"failed_policy",
     "What follows a failed attempt: nothing more, a retry until the limits, or that and a place among the "
     "dead letters.",
     STRING(.values = failed_policies, .preset = "\"ignore\""), false, false},
    {"retry_wait", "Seconds before a retry.", SECONDS(.preset = "60"), false, false},
    {"retry_wait_max", "Seconds that a wait grows to at most.", SECONDS(.preset = "3600"), false, false},
    {"retry_backoff",
     "Each wait is the last one times this.",
     {.kind = VALUE_NUMBER, .minimum = "1", .maximum = "100", .preset = "1"},
     false,
     false},
    {"max_retry_count", "Retries after the first attempt; -1: no limit.",
     INTEGER(.minimum = "-1", .preset = "-1"), false, false},
    {"retry_for", "Seconds since the occurrence after which no retry starts.", SECONDS(.preset = "86400"),
     false, false},
    {"method", "`rest`: the HTTP method.", STRING(.values = methods, .preset = "\"POST\""), false, false},
    {"timeout",
     "Seconds an attempt may take.",
     {.kind = VALUE_NUMBER, .positive = true, .maximum = "3600", .preset = "10"},
     false,
     false},
    {"body",
     "`data` sends `data` alone; `event` sends the whole schedule with its id, `scheduled_at` and attempt.",
     STRING(.values = task_bodies, .preset = "\"data\""), false, false},
    {"sign", "`rest`: the name of a configured secret; requests then carry a Standard Webhooks signature.",
     STRING(), false, false},
};
static const struct schema task_schema = {.name = "Task",
                                          .null_is_absent = true,
                                          .description = "What is done when the schedule is due.",
                                          MEMBERS(task_members),
                                          .example = EXAMPLE_TASK};

/* What decides when; the same in a definition and in a preview. */
#define TIMING_MEMBERS                                                                                       \
    {"type", "When it fires: see `schedule`.", STRING(.values = schedule_types, .example = "\"cron\""),      \
     true, false},                                                                                           \
        {"schedule",                                                                                         \
         "`now`: ignored. `delay`, `delay-recur`: seconds, such as `\"50\"`. `date`: "                       \
         "`YYYY-MM-DDThh:mm:ss`, in `timezone` "                                                             \
         "unless it has an offset. `cron`: 5 fields, or 6 with seconds first.",                              \
         {.kind = VALUE_STRING_OR_NUMBER, .preset = "\"\"", .example = "\"30 * * * * *\""},                  \
         false,                                                                                              \
         false},                                                                                             \
    {                                                                                                        \
        "timezone", "An IANA name; absent: the server's setting.", STRING(.example = "\"Asia/Seoul\""),      \
            false, false                                                                                     \
    }

#define POLICY_MEMBERS                                                                                       \
    {"start_at", "No occurrence before this: a date as in `schedule`.", STRING(.nullable = true), false,     \
     false},                                                                                                 \
        {"end_at", "No occurrence after this.", STRING(.nullable = true), false, false},                     \
        {"max_runs", "Stop after so many runs.", INTEGER(.minimum = "1", .nullable = true), false, false},   \
        {"jitter", "Seconds: each occurrence is delayed by 0 to this.",                                      \
         SECONDS(.maximum = "86400", .preset = "0"), false, false},                                          \
        {"misfire",                                                                                          \
         "What becomes of occurrences that were missed while nothing ran: one run for all, one each, none.", \
         STRING(.values = misfires, .preset = "\"once\""), false, false},                                    \
        {"max_lateness", "Seconds: an occurrence that could not start within them is not started.",          \
         SECONDS(.nullable = true), false, false},                                                           \
        {"overlap", "What becomes of an occurrence while the previous run is not over.",                     \
         STRING(.values = overlaps, .preset = "\"skip\""), false, false},                                    \
    {                                                                                                        \
        "paused", "Registered, but silent until resumed.", BOOLEAN(.preset = "false"), false, false          \
    }

static const struct member definition_members[] = {
    {"name", "For people; need not be unique.", STRING(.example = "\"every minute\""), true, false},
    {"client", NULL, REF("Client"), false, false},
    TIMING_MEMBERS,
    {"task", NULL, REF("Task"), true, false},
    POLICY_MEMBERS,
};
static const struct schema definition_schema = {
    .name = "Definition",
    .null_is_absent = true,
    .description =
        "A schedule as it is registered. Members that only reads have (`id`, `state`, `next_at`, ...) may be "
        "sent back and are ignored; other unknown members are refused.",
    MEMBERS(definition_members),
    .example = "{" EXAMPLE_DEFINITION "}",
};

static const struct member preview_request_members[] = {
    TIMING_MEMBERS,
    {"name", "Ignored.", STRING(), false, false},
    {"client", "The identity, from which `H` in a cron expression is made.", REF("Client"), false, false},
    {"task", "Checked, if there.", REF("Task"), false, false},
    POLICY_MEMBERS,
};
static const struct schema preview_request_schema = {
    .name = "PreviewRequest",
    .null_is_absent = true,
    .description = "A definition, of which only `type` is needed.",
    MEMBERS(preview_request_members),
    .example = "{\"type\":\"cron\",\"schedule\":\"0 9 * * mon-fri\",\"timezone\":\"Asia/Seoul\"}",
};

static const struct member last_members[] = {
    {"state", "How it ended.", STRING(.values = run_states), true, false},
    {"at", "When it ended.", TIME(), true, false},
};
static const struct schema last_schema = {
    .name = "LastRun", .description = "The run that ended last.", MEMBERS(last_members)};

static const struct member schedule_members[] = {
    {"id", NULL, ID, true, true},
    {"version", "Grows with each change; the ETag.", INTEGER(.minimum = "1", .example = "1"), true, true},
    {"state", "`finished`: no occurrence is left.", STRING(.values = schedule_states), true, true},
    {"created_at", NULL, TIME(), true, true},
    {"updated_at", NULL, TIME(), true, true},
    {"next_at", "When it acts next; null: not before something else happens.", TIME(.nullable = true), true,
     true},
    {"last", NULL, REF_OR_NULL("LastRun"), true, true},
    {"runs", "Runs made so far.", INTEGER(.minimum = "0"), true, true},
    {"open_runs", "Those that have not ended.", INTEGER(.minimum = "0"), true, true},
    {"missed",
     "Occurrences that did not become a run of their own, by reason; only reasons that occurred.",
     {.kind = VALUE_COUNTS},
     true,
     true},
};
static const struct schema schedule_schema = {
    .name = "Schedule",
    .description = "A schedule as it is read: its definition and what became of it.",
    .base = &definition_schema,
    MEMBERS(schedule_members),
    .example = "{\"id\":" EXAMPLE_ID "," EXAMPLE_DEFINITION ",\"version\":1,\"state\":\"active\","
               "\"created_at\":\"2026-11-23T09:00:00.125Z\",\"updated_at\":\"2026-11-23T09:00:00.125Z\","
               "\"next_at\":\"2026-11-23T09:00:30Z\",\"last\":null,\"runs\":0,\"open_runs\":0,\"missed\":{}}",
};

#define REGISTRATION_MEMBERS(required_)                                                                      \
    {"id", NULL, ID, required_, true}, {"name", NULL, STRING(), required_, false},                           \
        {"client", NULL, REF("Client"), required_, false},                                                   \
        {"version", "The ETag.", INTEGER(.minimum = "1"), required_, true},                                  \
        {"state", NULL, STRING(.values = schedule_states), required_, true},                                 \
    {                                                                                                        \
        "next_at", "When it acts first; null: never, or not before it is resumed.", TIME(.nullable = true),  \
            required_, true                                                                                  \
    }

#define EXAMPLE_REGISTRATION                                                                                 \
    "\"id\":" EXAMPLE_ID ",\"name\":\"every minute\",\"client\":" EXAMPLE_CLIENT                             \
    ",\"version\":1,\"state\":\"active\",\"next_at\":\"2026-11-23T09:00:30Z\""

static const struct member registration_members[] = {REGISTRATION_MEMBERS(true)};
static const struct schema registration_schema = {
    .name = "Registration", MEMBERS(registration_members), .example = "{" EXAMPLE_REGISTRATION "}"};

static const struct member batch_result_members[] = {
    {"status", "What a single registration would have been answered: 201, 200, or that of `problem`.",
     INTEGER(.example = "201"), true, false},
    REGISTRATION_MEMBERS(false),
    {"problem", "Why this one was refused; its pointers begin at the item.", REF("Problem"), false, false},
};
static const struct schema batch_result_schema = {.name = "BatchResult",
                                                  MEMBERS(batch_result_members),
                                                  .example = "{\"status\":201," EXAMPLE_REGISTRATION "}"};

static const struct member count_members[] = {
    {"count", "How many were deleted.", INTEGER(.minimum = "0", .example = "1"), true, false},
};
static const struct schema count_schema = {
    .name = "Count", MEMBERS(count_members), .example = "{\"count\":1}"};

static const struct member run_members[] = {
    {"id", NULL, ID, true, true},
    {"schedule_id", NULL, ID, true, true},
    {"schedule_version", "Of the definition it was made from.", INTEGER(.minimum = "1"), true, true},
    {"scheduled_at", "The occurrence it stands for.", TIME(), true, true},
    {"state", NULL, STRING(.values = run_states), true, true},
    {"attempt", "Tries handed out so far.", INTEGER(.minimum = "0"), true, true},
    {"failures", "Tries known to have failed.", INTEGER(.minimum = "0"), true, true},
    {"due_at", "When the next attempt starts; null: none is planned.", TIME(.nullable = true), true, true},
    {"started_at", NULL, TIME(.nullable = true), true, true},
    {"ended_at", NULL, TIME(.nullable = true), true, true},
    {"duration_ms",
     "Of the last attempt.",
     {.kind = VALUE_NUMBER, .minimum = "0", .nullable = true},
     true,
     true},
    {"status", "HTTP status of the last attempt.", INTEGER(.nullable = true), true, true},
    {"error", "Why the last attempt failed.", STRING(.nullable = true), true, true},
    {"by_hand_at", "When it was triggered, backfilled or redriven; null: its schedule's plan made it.",
     TIME(.nullable = true), true, true},
};
static const struct schema run_schema = {
    .name = "Run",
    .description = "One occurrence of one schedule.",
    MEMBERS(run_members),
    .example =
        "{\"id\":\"01935b5f-0c10-7d21-8f00-5566778899aa\",\"schedule_id\":" EXAMPLE_ID
        ",\"schedule_version\":1,"
        "\"scheduled_at\":\"2026-11-23T09:00:30Z\",\"state\":\"succeeded\",\"attempt\":1,\"failures\":0,"
        "\"due_at\":null,\"started_at\":\"2026-11-23T09:00:30.001Z\",\"ended_at\":\"2026-11-23T09:00:30."
        "013Z\","
        "\"duration_ms\":12.041,\"status\":200,\"error\":null,\"by_hand_at\":null}",
};

static const struct member event_members[] = {
    {"id", "UUIDv7: it begins with the event's time.", ID, true, true},
    {"at", "When it happened.", TIME(), true, true},
    {"kind", NULL, STRING(.values = history_kinds), true, true},
    {"schedule_id", NULL, ID, true, true},
    {"name", "The schedule's.", STRING(), false, true},
    {"client", "The schedule's.", REF("Client"), false, true},
    {"run_id", NULL, ID, false, true},
    {"scheduled_at", "The occurrence it is about; of several skipped ones the first.", TIME(), false, true},
    {"until", "Of several skipped occurrences the last.", TIME(), false, true},
    {"count", "How many skipped occurrences it stands for; absent: one.", INTEGER(.minimum = "2"), false,
     true},
    {"attempt", "The attempt's number, from 1.", INTEGER(.minimum = "0"), false, true},
    {"retry_at", "When the next attempt is planned.", TIME(), false, true},
    {"status", "HTTP status of the answer.", INTEGER(), false, true},
    {"duration_ms", "How long the attempt took.", {.kind = VALUE_NUMBER, .minimum = "0"}, false, true},
    {"reason",
     "Why: of `skipped` one of coalesced, overlap, misfire, late, paused and window; of others a short text.",
     STRING(), false, true},
    {"error", "Why the attempt failed.", STRING(), false, true},
    {"answer", "The first 4 KiB of the answer. What hidden headers carried is `***` in it.", STRING(), false,
     true},
};
static const struct schema event_schema = {
    .name = "Event",
    .description = "Something that happened to a schedule. Members that say nothing are absent.",
    MEMBERS(event_members),
    .example = "{\"id\":\"01935b5f-0c1d-7d21-8f00-5566778899bb\",\"at\":\"2026-11-23T09:00:30.013Z\","
               "\"kind\":\"succeeded\",\"schedule_id\":" EXAMPLE_ID
               ",\"name\":\"every minute\",\"client\":" EXAMPLE_CLIENT
               ",\"run_id\":\"01935b5f-0c10-7d21-8f00-5566778899aa\","
               "\"scheduled_at\":\"2026-11-23T09:00:30Z\",\"attempt\":1,\"status\":200,"
               "\"duration_ms\":12.041,\"answer\":\"{\\\"accepted\\\":true}\"}",
};

static const struct member backfill_members[] = {
    {"from", "The first instant: a date as in `schedule`, in the schedule's zone unless it has an offset.",
     STRING(.example = "\"2026-11-20T00:00:00\""), true, false},
    {"to", "The instant behind the last.", STRING(.example = "\"2026-11-21T00:00:00\""), true, false},
    {"dry_run", "Only count.", BOOLEAN(.preset = "false"), false, false},
};
static const struct schema backfill_schema = {
    .name = "Backfill",
    .null_is_absent = true,
    MEMBERS(backfill_members),
    .example = "{\"from\":\"2026-11-20T00:00:00\",\"to\":\"2026-11-21T00:00:00\"}"};

static const struct member backfilled_members[] = {
    {"created", "Runs made; of a dry run, that would be.", INTEGER(.minimum = "0", .example = "24"), true,
     false},
    {"skipped", "Occurrences that have a run, or that the schedule's plan will make.",
     INTEGER(.minimum = "0", .example = "0"), true, false},
    {"dry_run", NULL, BOOLEAN(), true, false},
};
static const struct schema backfilled_schema = {.name = "Backfilled",
                                                MEMBERS(backfilled_members),
                                                .example =
                                                    "{\"created\":24,\"skipped\":0,\"dry_run\":false}"};

static const struct member redrive_members[] = {
    {"ids", "Up to 1,000 runs; stands alone.", {.kind = VALUE_UUIDS}, false, false},
    {"schedule_id", "All dead runs of this schedule.", ID, false, false},
    {"state", "`dead` alone: all dead runs there are.", STRING(.values = redriven_states), false, false},
    {"limit", "At most so many.", INTEGER(.minimum = "1", .maximum = "10000", .preset = "10000"), false,
     false},
};
static const struct schema redrive_schema = {.name = "Redrive",
                                             .null_is_absent = true,
                                             .description = "`ids`, or `schedule_id`, or `state`.",
                                             MEMBERS(redrive_members),
                                             .example = "{\"schedule_id\":" EXAMPLE_ID "}"};

static const struct member refused_run_members[] = {
    {"id", NULL, ID, true, false},
    {"detail", NULL, STRING(.example = "\"only a dead run can be redriven; this one is succeeded\""), true,
     false},
};
static const struct schema refused_run_schema = {.name = "RefusedRun", MEMBERS(refused_run_members)};

static const struct member redriven_members[] = {
    {"redriven", "How many are due again.", INTEGER(.minimum = "0", .example = "1"), true, false},
    {"refused", "How many are not.", INTEGER(.minimum = "0", .example = "0"), true, false},
    {"more", "There are more than `limit`: ask again.", BOOLEAN(), true, false},
    {"errors", "Why; of `ids` only.", LIST_OF("RefusedRun"), true, false},
};
static const struct schema redriven_schema = {
    .name = "Redriven",
    MEMBERS(redriven_members),
    .example = "{\"redriven\":1,\"refused\":0,\"more\":false,\"errors\":[]}"};

static const struct member removed_members[] = {
    {"schedules", NULL, INTEGER(.minimum = "0", .example = "12"), true, false},
    {"runs", NULL, INTEGER(.minimum = "0", .example = "345"), true, false},
};
static const struct schema removed_schema = {
    .name = "Removed", MEMBERS(removed_members), .example = "{\"schedules\":12,\"runs\":345}"};

static const struct member preview_time_members[] = {
    {"at", "In UTC.", TIME(.example = "\"2026-11-23T00:00:00Z\""), true, false},
    {"local", "In the schedule's zone.", TIME(.example = "\"2026-11-23T09:00:00+09:00\""), true, false},
    {"note",
     "How it met daylight saving. `moved`: its local time does not exist, so it fires at the first instant "
     "after the gap. "
     "`merged`: its local time comes twice, and it fires the first time only.",
     STRING(.values = notes), false, false},
};
static const struct schema preview_time_schema = {.name = "PreviewTime", MEMBERS(preview_time_members)};

static const struct member description_members[] = {
    {"en", NULL, STRING(.example = "\"At 09:00 on Monday through Friday\""), true, false},
    {"ko", NULL, STRING(), true, false},
};
static const struct schema description_schema = {
    .name = "Description", .description = "A cron expression in words.", MEMBERS(description_members)};

static const struct member preview_members[] = {
    {"timezone", NULL, STRING(.example = "\"Asia/Seoul\""), true, false},
    {"times", "The next fire times; fewer than asked for when there are no more.", LIST_OF("PreviewTime"),
     true, false},
    {"describe", "For `cron`.", REF("Description"), false, false},
};
static const struct schema preview_schema = {.name = "Preview", MEMBERS(preview_members)};

static const struct member fault_members[] = {
    {"pointer", "JSON pointer to what is wrong in the body.", STRING(.example = "\"/task/connection/host\""),
     false, false},
    {"parameter", "Or the query parameter that is.", STRING(), false, false},
    {"header", "Or the header.", STRING(), false, false},
    {"position", "Or where the text stops being JSON.", STRING(.example = "\"line 1, column 9\""), false,
     false},
    {"detail", NULL, STRING(.example = "\"is required\""), true, false},
};
static const struct schema fault_schema = {.name = "Fault", MEMBERS(fault_members)};

static const struct member problem_members[] = {
    {"type", "Which kind of problem.", STRING(.example = "\"urn:carillon:problem:invalid\""), true, false},
    {"title", NULL, STRING(.example = "\"A value is wrong\""), true, false},
    {"status", NULL, INTEGER(.minimum = "400", .maximum = "599", .example = "422"), true, false},
    {"detail", NULL, STRING(), false, false},
    {"errors", NULL, LIST_OF("Fault"), false, false},
    {"more_errors", "How many more were found than are listed.", INTEGER(.minimum = "1"), false, false},
};
static const struct schema problem_schema = {
    .name = "Problem",
    .description = "What went wrong (RFC 9457).",
    MEMBERS(problem_members),
    .example = "{\"type\":\"urn:carillon:problem:invalid\",\"title\":\"A value is wrong\",\"status\":422,"
               "\"detail\":\"is "
               "required\",\"errors\":[{\"pointer\":\"/task/connection/host\",\"detail\":\"is required\"}]}",
};

static const char *const roles[] = {"api", "worker", "monitor", NULL};
static const struct member instance_members[] = {
    {"id", "Another one after each start.", ID, true, true},
    {"name", "`server.instance`, by default the host's name.", STRING(.example = "\"node-1\""), true, true},
    {"roles", NULL, {.kind = VALUE_WORDS, .values = roles}, true, true},
    {"version", NULL, STRING(.example = "\"0.1.0\""), true, true},
    {"started_at", NULL, TIME(), true, true},
    {"heartbeat_at", "When it last said that it lives, by the database's clock.", TIME(), true, true},
    {"heartbeat_age_ms",
     "How long ago that is. An idle instance says so twice a minute.",
     {.kind = VALUE_NUMBER, .minimum = "0"},
     true,
     true},
    {"held", "Runs that it held then.", INTEGER(.minimum = "0"), true, true},
    {"monitor", "Whether it looks after the cluster: one at a time does.", BOOLEAN(), true, true},
};
static const struct schema instance_schema = {
    .name = "Instance",
    .description = "One of those that share the database.",
    MEMBERS(instance_members),
    .example = "{\"id\":\"01935b5e-0000-7c3e-9d55-0a1b2c3d4e5f\",\"name\":\"node-1\",\"roles\":[\"api\","
               "\"worker\",\"monitor\"],\"version\":\"0.1.0\",\"started_at\":\"2026-11-23T08:00:00Z\","
               "\"heartbeat_at\":\"2026-11-23T09:00:00Z\",\"heartbeat_age_ms\":1204.5,\"held\":12,"
               "\"monitor\":true}",
};

static const char *const verdicts[] = {"ok", "warning", "failure", NULL};
static const char *const check_verdicts[] = {"ok", "warning", "failure", "skipped", NULL};
static const struct member check_members[] = {
    {"id", "What was looked at; stable.", STRING(.example = "\"database.schema\""), true, true},
    {"status", "`skipped`: it does not apply, or what it needs was not there.",
     STRING(.values = check_verdicts), true, true},
    {"seen", "For people.", STRING(), true, true},
    {"advice", "What to do about it, for people; empty when there is nothing to do.", STRING(), true, true},
    {"took_ms", NULL, INTEGER(.minimum = "0"), true, true},
};
static const struct schema check_schema = {.name = "Check", MEMBERS(check_members)};

static const char *const views[] = {"instance", "command line", NULL};
static const struct member examination_members[] = {
    {"status", "The gravest of the checks.", STRING(.values = verdicts), true, true},
    {"view", "Who looked: a running instance, or `carillon doctor`.", STRING(.values = views), true, true},
    {"version", NULL, STRING(.example = "\"0.1.0\""), true, true},
    {"at", NULL, TIME(), true, true},
    {"checks", NULL, LIST_OF("Check"), true, true},
};
static const struct schema examination_schema = {.name = "Examination", MEMBERS(examination_members)};

static const char *const health_states[] = {"ok", "degraded", NULL};
static const struct member health_members[] = {
    {"status", "`degraded`: requests are served and schedules fire, but something is away.",
     STRING(.values = health_states), true, false},
    {"detail", "What is away.", STRING(), false, false},
};
static const struct schema health_schema = {
    .name = "Health", MEMBERS(health_members), .example = "{\"status\":\"ok\"}"};

static const struct member version_members[] = {
    {"version", NULL, STRING(.example = "\"0.1.0\""), true, false},
    {"timezone_database", "The release that fire times are computed with; \"\" when it does not say.",
     STRING(.example = "\"2025b\""), true, false},
};
static const struct schema version_schema = {.name = "Version",
                                             MEMBERS(version_members),
                                             .example =
                                                 "{\"version\":\"0.1.0\",\"timezone_database\":\"2025b\"}"};

const struct schema *const schemas[] = {
    &definition_schema,  &schedule_schema,     &registration_schema, &batch_result_schema,
    &client_schema,      &task_schema,         &connection_schema,   &tls_schema,
    &last_schema,        &count_schema,        &run_schema,          &preview_request_schema,
    &preview_schema,     &preview_time_schema, &description_schema,  &health_schema,
    &instance_schema,    &version_schema,      &backfill_schema,     &backfilled_schema,
    &redrive_schema,     &redriven_schema,     &refused_run_schema,  &removed_schema,
    &problem_schema,     &fault_schema,        &event_schema,        &check_schema,
    &examination_schema,
};
const size_t schemas_n = COUNT_OF(schemas);
