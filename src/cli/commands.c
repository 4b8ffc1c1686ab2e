/*
 * commands.c: every subcommand. docs/cli.md shows these pages, and a test holds it to them.
 */
#include "cli/command.h"

#define URL_OPTION                                                                                           \
    {                                                                                                        \
        "url", 0, "URL", "The server. Default: CARILLON_URL, else http://127.0.0.1:9902."                    \
    }
#define JSON_OPTION                                                                                          \
    {                                                                                                        \
        "json", 0, NULL, "The server's answer as it came, for scripts; a problem document when it refused."  \
    }
#define CONFIG_OPTION                                                                                        \
    {                                                                                                        \
        "config", 'c', "FILE",                                                                               \
            "The settings. Default: CARILLON_CONFIG, else ./config.yaml, else "                              \
            "/etc/carillon/config.yaml, else built-in ones."                                                 \
    }
#define DATABASE_OPTION                                                                                      \
    {                                                                                                        \
        "database", 0, "URL", "sqlite:PATH or postgresql://... Default: the setting database.url."           \
    }
#define CLIENT_ENVIRONMENT "  CARILLON_URL        the server's address"
#define SETTINGS_ENVIRONMENT                                                                                 \
    "  CARILLON_SECTION_MEMBER  overrides one setting: CARILLON_SERVER_LISTEN is\n"                          \
    "                           server.listen; carillon config reference lists all\n"                        \
    "  CARILLON_CONFIG          the settings file when --config is not given\n"                              \
    "  CARILLON_ZONEINFO        folder of time zone files, /usr/share/zoneinfo"

const struct command commands[] = {
    {
        .name = "serve",
        .words = "",
        .about = "run the service",
        .description =
            "Reads the settings, opens the database, listens, and calls schedules' targets when they are "
            "due, "
            "until it is told to stop.\n"
            "\n"
            "SIGTERM or SIGINT: it stops accepting requests, takes no more work, gives what is in flight "
            "shutdown.grace to end, hands back the rest, and exits 0. A second one ends it at once; nothing "
            "is "
            "lost by that either, since everything promised is in the database.\n"
            "\n"
            "Logs go to standard error: text on a terminal, one JSON object a line otherwise.",
        .environment = SETTINGS_ENVIRONMENT,
        .examples = "  carillon serve\n"
                    "  carillon serve --config /etc/carillon/config.yaml\n"
                    "  CARILLON_SERVER_LISTEN=127.0.0.1:0 carillon serve --ready-fd 3 3>address",
        .options = {CONFIG_OPTION,
                    {"ready-fd", 0, "N",
                     "Writes http://ADDRESS:PORT and a newline to file descriptor N once "
                     "it serves, then closes it."}},
        .run = command_serve,
    },
    {
        .name = "add",
        .words = "FILE|-",
        .words_min = 1,
        .words_max = 1,
        .about = "register schedules from a file, or standard input",
        .description =
            "FILE holds one schedule as JSON, or an array of up to 10,000, which are judged alone and stored "
            "with one commit. A schedule whose five client members equal those of one that is there replaces "
            "it in place.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon add schedule.json\n"
                    "  jq '.timezone = \"UTC\"' schedule.json | carillon add -",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_add,
    },
    {
        .name = "list",
        .words = "",
        .about = "show schedules",
        .description = "All that match every filter given, oldest registration first.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon list\n"
                    "  carillon list --application chef --state active\n"
                    "  carillon list --json | jq -r '.[].id'",
        .options = {{"application", 0, "TEXT", "Only those of this application."},
                    {"group", 0, "TEXT", "Only those of this group."},
                    {"operation", 0, "TEXT", "Only those of this operation."},
                    {"type", 0, "TEXT", "Only those of this client type."},
                    {"key", 0, "TEXT", "Only those of this key."},
                    {"name", 0, "TEXT", "Only those whose name begins so."},
                    {"state", 0, "STATE", "Only those that are active, paused or finished."},
                    {"limit", 'n', "N", "At most so many. Default: all."},
                    {"json", 0, NULL, "One JSON array, for scripts."},
                    URL_OPTION},
        .run = command_list,
    },
    {
        .name = "get",
        .words = "ID",
        .words_min = 1,
        .words_max = 1,
        .about = "show one schedule",
        .description = "Its definition, state, next time and counters. Secrets are shown as ***.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon get 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_get,
    },
    {
        .name = "delete",
        .words = "ID",
        .words_min = 1,
        .words_max = 1,
        .about = "delete one schedule",
        .description =
            "Its pending and retrying runs are cancelled; an attempt in flight ends and is not retried.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon delete 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_delete,
    },
    {
        .name = "trigger",
        .words = "ID",
        .words_min = 1,
        .words_max = 1,
        .about = "fire one schedule now, beside its own times",
        .description = "Makes a run by hand; when the schedule fires next is not changed by it.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon trigger 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_trigger,
    },
    {
        .name = "pause",
        .words = "ID",
        .words_min = 1,
        .words_max = 1,
        .about = "silence one schedule until it is resumed",
        .description = "Its pending and retrying runs are cancelled; what passes meanwhile is counted.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon pause 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_pause,
    },
    {
        .name = "resume",
        .words = "ID",
        .words_min = 1,
        .words_max = 1,
        .about = "let one paused schedule go on",
        .description = "With its first occurrence from now on; a one-shot whose time passed fires at once.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon resume 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_resume,
    },
    {
        .name = "backfill",
        .words = "ID FROM TO",
        .words_min = 3,
        .words_max = 3,
        .about = "make one cron schedule's runs for a time that passed",
        .description =
            "For each occurrence from FROM on and before TO, at most 10,000, that has no run yet. FROM and "
            "TO "
            "are ISO 8601; without offset, local time in the schedule's zone. Where overlap is allow they "
            "run "
            "at once, else one behind the other, oldest first. May be repeated: what has a run is skipped.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon backfill 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10 2026-11-20T00:00:00 "
                    "2026-11-21T00:00:00",
        .options = {{"dry-run", 0, NULL, "Only count."}, JSON_OPTION, URL_OPTION},
        .run = command_backfill,
    },
    {
        .name = "runs",
        .words = "[ID]",
        .words_max = 1,
        .about = "show runs, of one schedule or of all, newest first",
        .description = "One run is one occurrence of one schedule.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon runs 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10 -n 20\n"
                    "  carillon runs --state dead\n"
                    "  carillon runs --state dead --json | jq -r '.[].id'",
        .options = {{"state", 0, "STATE",
                     "Only those that are pending, running, retrying, succeeded, failed, dead, skipped or "
                     "cancelled."},
                    {"limit", 'n', "N", "At most so many. Default: all."},
                    {"json", 0, NULL, "One JSON array, for scripts."},
                    URL_OPTION},
        .run = command_runs,
    },
    {
        .name = "history",
        .words = "[ID]",
        .words_max = 1,
        .about = "show events, of one schedule or of all, newest first",
        .description = "Of schedules with history_check. Events outlive their schedule.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon history 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10 -n 20\n"
                    "  carillon history --kind dead --from 2026-11-23T00:00:00Z\n"
                    "  carillon history --kind skipped --json | jq -r '.[].reason'",
        .options = {{"kind", 0, "KIND",
                     "Only those of this kind: started, succeeded, failed, dead, skipped, ..."},
                    {"from", 0, "TIME", "At this instant or later, such as 2026-11-23T09:00:00Z."},
                    {"to", 0, "TIME", "Before this instant."},
                    {"limit", 'n', "N", "At most so many. Default: all."},
                    {"json", 0, NULL, "One JSON array, for scripts."},
                    URL_OPTION},
        .run = command_history,
    },
    {
        .name = "redrive",
        .words = "[RUN...]",
        .words_max = WORDS_MAX,
        .about = "try dead runs once more, at once",
        .description =
            "By their IDs, all of one schedule, or all there are. Each goes by its schedule's definition in "
            "force, with its own Idempotency-Key; its failures are counted anew.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon redrive 019ab2c6-01f2-7d21-8f00-5566778899aa\n"
                    "  carillon redrive --schedule 019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10\n"
                    "  carillon redrive --all",
        .options = {{"schedule", 0, "ID", "All dead runs of this schedule."},
                    {"all", 0, NULL, "All dead runs, 10,000 at most."},
                    JSON_OPTION,
                    URL_OPTION},
        .run = command_redrive,
    },
    {
        .name = "discard",
        .words = "RUN",
        .words_min = 1,
        .words_max = 1,
        .about = "give up one dead run, or cancel one that waits",
        .description = "It ends as cancelled. An attempt under way is not interrupted.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon discard 019ab2c6-01f2-7d21-8f00-5566778899aa",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_discard,
    },
    {
        .name = "instances",
        .words = "",
        .about = "show the instances that share the server's database",
        .description =
            "Those that are alive, by the time of their start: what each does, which one is the monitor, how "
            "many runs it held when it last said so, and how long ago that was. An idle instance says so "
            "twice a minute.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon instances\n"
                    "  carillon instances --json | jq -r '.[] | select(.monitor) | .name'",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_instances,
    },
    {
        .name = "health",
        .words = "",
        .about = "whether the server can serve, as the exit status",
        .description =
            "Asks /readyz: 0 when the server answers and reaches its database, 1 when not, and why. For the "
            "health checks of containers and scripts.",
        .environment = CLIENT_ENVIRONMENT,
        .examples = "  carillon health\n"
                    "  until carillon health; do sleep 1; done",
        .options = {JSON_OPTION, URL_OPTION},
        .run = command_health,
    },
    {
        .name = "export",
        .words = "",
        .about = "write all schedules to a file, one JSON object a line",
        .description =
            "Reads the database itself, not a server: all schedules with their definitions, ids, states, "
            "next "
            "times and counters, and their runs that are open or dead, as of one moment. The service may go "
            "on "
            "meanwhile; but who moves to another database stops it first, so that nothing fires in both. See "
            "docs/moving.md.\n"
            "\n"
            "Secrets are in it, so that a move keeps them: FILE is made with mode 0600, and a terminal gets "
            "them only with --with-secrets. FILE appears when it is whole.",
        .environment = SETTINGS_ENVIRONMENT,
        .examples = "  carillon export --output schedules.jsonl\n"
                    "  carillon export --database sqlite:data/carillon.db | gzip > schedules.jsonl.gz\n"
                    "  carillon export --without-secrets | jq -r '.schedule.definition.name // empty'",
        .options = {CONFIG_OPTION,
                    DATABASE_OPTION,
                    {"output", 'o', "FILE", "Where to. Default: standard output."},
                    {"with-secrets", 0, NULL, "Write secrets although it is a terminal that gets them."},
                    {"without-secrets", 0, NULL,
                     "Write \"***\" for them: to look at, since such schedules cannot be imported."}},
        .run = command_export,
    },
    {
        .name = "import",
        .words = "[FILE|-]",
        .words_max = 1,
        .about = "register the schedules of an export, or of the service before",
        .description =
            "Each line is judged as a request to register would be; what is refused is told with its line "
            "and "
            "the member at fault, and the others go on. Ids, times, counters and runs are kept. May be "
            "repeated: what is there already is skipped.\n"
            "\n"
            "With --from-queue it reads the table of the scheduler that Carillon replaces (id, name, "
            "next_schedule, payload) and registers each row; next_schedule says when it fires next, and what "
            "should have fired before fires at once.\n"
            "\n"
            "On PostgreSQL instances may be at work meanwhile. A SQLite file that a service has open is "
            "refused: stop it first. Exit status 1 when anything was refused. See docs/moving.md.",
        .environment = SETTINGS_ENVIRONMENT,
        .examples = "  carillon import --dry-run schedules.jsonl\n"
                    "  carillon import --database postgresql://carillon@db/carillon schedules.jsonl\n"
                    "  carillon import --from-queue postgresql://scheduler@db/scheduler --dry-run",
        .options =
            {CONFIG_OPTION,
             DATABASE_OPTION,
             {"on-conflict", 0, "WHAT",
              "When its id or client is there: skip it, replace what is there, or fail. Default: skip."},
             {"dry-run", 0, NULL, "Only say what would be done."},
             {"json", 0, NULL, "The report as JSON, for scripts."},
             {"from-queue", 0, "URL", "The database of the service before: postgresql://..."},
             {"table", 0, "TABLE", "Its table, or SCHEMA.TABLE. Default: schedule_queue."},
             {"timezone", 0, "ZONE", "Of its times that name none. Default: UTC."},
             {"body", 0, "WHAT",
              "What its targets get: event, the whole schedule as they did, or data, task.data alone. "
              "Default: event."}},
        .run = command_import,
    },
    {
        .name = "doctor",
        .words = "",
        .about = "examine an installation, and say what to do",
        .description =
            "Looks at the settings, the limit of open files, the database (reached? its schema, indexes, "
            "permissions and clock), the time zone database, the instances, what must hold of the tables, "
            "the "
            "history database, Redis, and the Kafka brokers that schedules name: each with what was seen "
            "and, "
            "where something is wrong, what to do about it.\n"
            "\n"
            "It needs no running service and disturbs none: it opens the databases to read, makes and "
            "migrates nothing, and holds no lock that others wait for. Run it as the user and with the "
            "settings of the service. A running instance tells the same of itself at /admin/doctor.",
        .environment = SETTINGS_ENVIRONMENT,
        .examples = "  carillon doctor\n"
                    "  carillon doctor --config /etc/carillon/config.yaml --deep\n"
                    "  carillon doctor --json | jq -r '.checks[] | select(.status == \"failure\") | .seen'",
        .statuses = "  0  all is well\n  1  something is broken\n  2  the command line is wrong\n"
                    "  3  nothing is broken, but there are warnings",
        .options = {CONFIG_OPTION,
                    {"deep", 0, NULL, "Reads all of a SQLite database too, which may take minutes."},
                    {"json", 0, NULL,
                     "{\"status\": ..., \"checks\": [{\"id\", \"status\", \"seen\", \"advice\"}, ...]}, for "
                     "scripts."}},
        .run = command_doctor,
    },
    {
        .name = "next",
        .words = "CRON",
        .words_min = 1,
        .words_max = 1,
        .about = "when a cron expression fires, without a server",
        .description =
            "CRON is one argument, so quote it: 5 fields, or 6 with seconds first, or a macro such as "
            "@daily. "
            "Shown are the times strictly after --from, in UTC and in the zone, with a note where daylight "
            "saving moved one (its local time does not exist) or merged two (its local time exists twice).\n"
            "\n"
            "H stands for a value made from a schedule's identity; here, where there is none, the times "
            "shown "
            "for it are those of an empty identity.",
        .environment = SETTINGS_ENVIRONMENT,
        .examples = "  carillon next '30 * * * * *'\n"
                    "  carillon next '0 9 * * mon-fri' --timezone Europe/Berlin -n 10\n"
                    "  carillon next '30 2 * * *' --timezone America/New_York --from 2026-03-07T00:00:00",
        .options = {{"timezone", 'z', "ZONE", "An IANA zone. Default: the setting scheduler.timezone."},
                    {"from", 0, "INSTANT", "ISO 8601; without offset, local time in the zone. Default: now."},
                    {"count", 'n', "N", "How many, 1 to 1000. Default: 5."},
                    {"json", 0, NULL, "As JSON, for scripts."}},
        .run = command_next,
    },
    {
        .name = "config check",
        .words = "[FILE]",
        .words_max = 1,
        .about = "say what is wrong with the settings",
        .description =
            "Reads the settings as serve would, from file and environment, and says everything that is wrong "
            "with them: with file and line, or the variable. Nothing is started or opened.",
        .environment = SETTINGS_ENVIRONMENT,
        .examples = "  carillon config check\n"
                    "  carillon config check deploy/config.yaml",
        .options = {CONFIG_OPTION,
                    {"json", 0, NULL, "{\"ok\": ..., \"faults\": [...], \"notes\": [...]}, for scripts."}},
        .run = command_config_check,
    },
    {
        .name = "config show",
        .words = "[FILE]",
        .words_max = 1,
        .about = "print the settings in force and where each came from",
        .description = "As YAML that can be read again; secrets are shown as ***.",
        .environment = SETTINGS_ENVIRONMENT,
        .examples = "  carillon config show\n"
                    "  CARILLON_LOG_LEVEL=debug carillon config show --json | jq .log",
        .options = {CONFIG_OPTION, {"json", 0, NULL, "As JSON, for scripts."}},
        .run = command_config_show,
    },
    {
        .name = "config reference",
        .words = "",
        .about = "print every setting, its variable, default and meaning",
        .description = "As a table in Markdown: the one in docs/configuration.md.",
        .environment = "",
        .examples = "  carillon config reference",
        .run = command_config_reference,
    },
    {
        .name = "graphql-schema",
        .words = "",
        .about = "print the GraphQL schema",
        .description =
            "In the schema definition language, as POST /graphql has it: for tools that make code from it.",
        .environment = "",
        .examples = "  carillon graphql-schema >schema.graphql",
        .run = command_graphql_schema,
    },
    {
        .name = "version",
        .words = "",
        .about = "print the version",
        .description = "Of this program.",
        .environment = "",
        .examples = "  carillon version",
        .options = {{"json", 0, NULL, "As JSON, for scripts."}},
        .run = command_version,
    },
};

const size_t commands_n = COUNT_OF(commands);
