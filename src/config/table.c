/*
 * table.c: every setting there is. The order is that of the printed settings and of the reference page.
 */
#include "config/table.h"

#include <string.h>

#include "base/str.h"
#include "config/settings.h"
#include "config/value.h"

#define AT(member) offsetof(struct settings, member)
#define SECONDS(n) ((n)*US_PER_S)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define YEARS(n) SECONDS(INT64_C(366) * 86400 * (n))

const struct setting settings_table[] = {
    {.section = "server",
     .member = "listen",
     .kind = SETTING_TEXT,
     .offset = AT(server.listen),
     .fallback = "127.0.0.1:9902",
     .check = check_listen,
     .about =
         "Address and port of the HTTP API. `[::1]:9902` for IPv6; port 0 takes any free one. There is no "
         "authentication in this version: beyond loopback, put a front before it that has it."},
    {.section = "server",
     .member = "threads",
     .kind = SETTING_COUNT,
     .offset = AT(server.threads),
     .fallback = "2",
     .min = 1,
     .max = 256,
     .about = "Threads that serve HTTP."},
    {.section = "server",
     .member = "max_connections",
     .kind = SETTING_COUNT,
     .offset = AT(server.max_connections),
     .fallback = "1024",
     .min = 1,
     .max = 1000000,
     .about = "HTTP connections held at once; further ones wait to be accepted."},
    {.section = "server",
     .member = "max_body",
     .kind = SETTING_SIZE,
     .offset = AT(server.max_body_bytes),
     .fallback = "1MiB",
     .min = KIB,
     .max = GIB,
     .about = "Largest body of a request; a larger one is answered 413."},
    {.section = "server",
     .member = "max_batch",
     .kind = SETTING_SIZE,
     .offset = AT(server.max_batch_bytes),
     .fallback = "32MiB",
     .min = KIB,
     .max = GIB,
     .about = "The same for `POST /schedules/batch`."},
    {.section = "server",
     .member = "max_batch_items",
     .kind = SETTING_COUNT,
     .offset = AT(server.max_batch_items),
     .fallback = "10000",
     .min = 1,
     .max = 10000,
     .about = "Most definitions in one `POST /schedules/batch`; more are answered 413."},
    {.section = "server",
     .member = "max_answers",
     .kind = SETTING_SIZE,
     .offset = AT(server.max_answers_bytes),
     .fallback = "256MiB",
     .min = MIB,
     .max = 64 * GIB,
     .about = "Memory of answers over 64 KiB that are on their way to their clients; a read that would need "
              "more is answered 503. GraphQL's queries have as much again while they are carried out."},
    {.section = "server",
     .member = "min_read_rate",
     .kind = SETTING_SIZE,
     .offset = AT(server.min_read_rate_bytes),
     .fallback = "32KiB",
     .min = 1,
     .max = GIB,
     .about =
         "How fast a client must take an answer over 64 KiB, in bytes a second, beyond `idle_timeout` and "
         "`header_timeout`; a slower one is cut off."},
    {.section = "server",
     .member = "max_json_depth",
     .kind = SETTING_COUNT,
     .offset = AT(server.max_json_depth),
     .fallback = "64",
     .min = 8,
     .max = 128,
     .about = "How deeply the arrays and objects of a request's JSON may be nested; deeper ones are answered "
              "400."},
    {.section = "server",
     .member = "idle_timeout",
     .kind = SETTING_DURATION,
     .offset = AT(server.idle_timeout_us),
     .fallback = "60s",
     .min = SECONDS(1),
     .max = SECONDS(86400),
     .about = "A connection that is silent so long is closed."},
    {.section = "server",
     .member = "max_header",
     .kind = SETTING_SIZE,
     .offset = AT(server.max_header_bytes),
     .fallback = "32KiB",
     .min = 16 * KIB,
     .max = 1024 * KIB,
     .about = "Memory for the headers of a request; larger ones are answered 431. A request's target may "
              "have 8 KiB."},
    {.section = "server",
     .member = "header_timeout",
     .kind = SETTING_DURATION,
     .offset = AT(server.header_timeout_us),
     .fallback = "10s",
     .min = SECONDS(1),
     .max = SECONDS(3600),
     .about = "So long the headers of a request may take after `server.idle_timeout`, however steadily they "
              "trickle; then "
              "the connection is closed."},
    {.section = "server",
     .member = "rate",
     .kind = SETTING_COUNT,
     .offset = AT(server.rate),
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .about = "Requests a second that one address (of IPv6: one /64) may make; more are answered 429 with "
              "`Retry-After`. 0: no "
              "limit. `/healthz`, `/readyz`, `/metrics`, `/version` and `/instances` are not counted. Behind "
              "a proxy all clients are one "
              "address."},
    {.section = "server",
     .member = "rate_burst",
     .kind = SETTING_COUNT,
     .offset = AT(server.rate_burst),
     .fallback = "0",
     .min = 0,
     .max = 10000000,
     .about = "So many it may make at once. 0: twice `server.rate`."},
    {.section = "server",
     .member = "event_streams",
     .kind = SETTING_COUNT,
     .offset = AT(server.event_streams),
     .fallback = "64",
     .min = 0,
     .max = 10000,
     .about = "Clients that may listen to `GET /events` at once; further ones are answered 503. Each is a "
              "connection of `server.max_connections`."},
    {.section = "server",
     .member = "graphql_complexity",
     .kind = SETTING_COUNT,
     .offset = AT(server.graphql_complexity),
     .fallback = "250000",
     .min = 1,
     .max = 100000000,
     .about = "Fields that the answer to one GraphQL request may come to at most, judged by its page sizes "
              "before "
              "anything is asked; what could come to more is refused."},
    {.section = "server",
     .member = "instance",
     .kind = SETTING_TEXT,
     .offset = AT(server.instance),
     .fallback = "",
     .about = "Name of this instance in logs. Empty: the host's name."},
    {.section = "server",
     .member = "tls.cert",
     .kind = SETTING_TEXT,
     .offset = AT(server.tls_cert),
     .fallback = "",
     .about = "PEM file with the certificate chain, to serve HTTPS. Not in this version yet."},
    {.section = "server",
     .member = "tls.key",
     .kind = SETTING_TEXT,
     .offset = AT(server.tls_key),
     .fallback = "",
     .about = "PEM file with its private key. Not in this version yet."},

    {.section = "database",
     .member = "url",
     .kind = SETTING_TEXT,
     .offset = AT(database.url),
     .fallback = "sqlite:./data/carillon.db",
     .check = check_store_url,
     .url = true,
     .about = "Where schedules and runs are kept: `sqlite:PATH`, made when absent with its folders, or "
              "`postgresql://…`, which any number of instances share."},
    {.section = "database",
     .member = "schema",
     .kind = SETTING_TEXT,
     .offset = AT(database.schema),
     .fallback = "carillon",
     .check = check_schema,
     .about = "On PostgreSQL: the schema that holds the tables; made when absent."},
    {.section = "database",
     .member = "prepared",
     .kind = SETTING_BOOL,
     .offset = AT(database.prepared),
     .fallback = "true",
     .about = "On PostgreSQL: plan each statement once a connection. `false` behind PgBouncer in transaction "
              "mode before its version 1.21."},
    {.section = "database",
     .member = "host",
     .kind = SETTING_TEXT,
     .offset = AT(database.host),
     .fallback = "",
     .about = "Host of a PostgreSQL server, instead of a URL."},
    {.section = "database",
     .member = "port",
     .kind = SETTING_COUNT,
     .offset = AT(database.port),
     .fallback = "5432",
     .min = 1,
     .max = 65535,
     .about = "Its port."},
    {.section = "database",
     .member = "id",
     .kind = SETTING_TEXT,
     .offset = AT(database.id),
     .fallback = "",
     .about = "User on it."},
    {.section = "database",
     .member = "pw",
     .kind = SETTING_TEXT,
     .offset = AT(database.pw),
     .fallback = "",
     .secret = true,
     .about = "Password on it. Better given as a variable than in a file."},
    {.section = "database",
     .member = "db",
     .kind = SETTING_TEXT,
     .offset = AT(database.db),
     .fallback = "",
     .about = "Database on it."},

    {.section = "history",
     .member = "url",
     .kind = SETTING_TEXT,
     .offset = AT(history.url),
     .fallback = "",
     .check = check_store_url,
     .url = true,
     .about =
         "Where the events of schedules with `history_check` are kept: `sqlite:PATH` or `postgresql://…`. "
         "Empty: beside the database, that is a second SQLite file (`carillon-history.db` beside "
         "`carillon.db`), or the same PostgreSQL."},
    {.section = "history",
     .member = "schema",
     .kind = SETTING_TEXT,
     .offset = AT(history.schema),
     .fallback = "",
     .check = check_schema,
     .about = "On PostgreSQL: the schema that holds the history; made when absent. Empty: that of the "
              "database and `_history`."},
    {.section = "history",
     .member = "table",
     .kind = SETTING_TEXT,
     .offset = AT(history.table),
     .fallback = "",
     .check = check_identifier,
     .about = "Understood for old configurations, without effect: Carillon names its tables itself."},

    {.section = "scheduler",
     .member = "timezone",
     .kind = SETTING_TEXT,
     .offset = AT(scheduler.timezone),
     .fallback = "Asia/Seoul",
     .about = "IANA zone of schedules that name none."},
    {.section = "scheduler",
     .member = "fetch_interval",
     .kind = SETTING_DURATION,
     .offset = AT(scheduler.fetch_interval_us),
     .fallback = "30s",
     .min = US_PER_S / 10,
     .max = SECONDS(3600),
     .about = "How often the database is looked at whatever the wake-ups say; with `wakeup: postgres` and "
              "`redis`, where "
              "everything is told, a tenth as often, but every 5 s while nobody is heard. On an embedded "
              "database nothing depends on it: a new "
              "schedule "
              "wakes the engine at once."},
    {.section = "scheduler",
     .member = "fetch_count",
     .kind = SETTING_COUNT,
     .offset = AT(scheduler.fetch_count),
     .fallback = "1000",
     .min = 1,
     .max = 100000,
     .about = "Runs taken from the database at once."},
    {.section = "scheduler",
     .member = "table",
     .kind = SETTING_TEXT,
     .offset = AT(scheduler.table),
     .fallback = "",
     .check = check_identifier,
     .about = "Understood for old configurations, without effect: Carillon names its tables itself."},
    {.section = "scheduler",
     .member = "horizon",
     .kind = SETTING_DURATION,
     .offset = AT(scheduler.horizon_us),
     .fallback = "1s",
     .min = 10 * US_PER_MS,
     .max = SECONDS(60),
     .about = "How far ahead runs are taken, so that they are in memory when their moment comes."},
    {.section = "scheduler",
     .member = "lease",
     .kind = SETTING_DURATION,
     .offset = AT(scheduler.lease_us),
     .fallback = "30s",
     .min = SECONDS(3),
     .max = SECONDS(3600),
     .about =
         "How long a run belongs to the instance that took it; prolonged at a third of it while that lives."},
    {.section = "scheduler",
     .member = "misfire_grace",
     .kind = SETTING_DURATION,
     .offset = AT(scheduler.misfire_grace_us),
     .fallback = "2s",
     .min = 0,
     .max = SECONDS(86400),
     .about = "An occurrence seen later than this after its time is a misfire."},
    {.section = "scheduler",
     .member = "max_in_flight",
     .kind = SETTING_COUNT,
     .offset = AT(scheduler.max_in_flight),
     .fallback = "1000",
     .min = 1,
     .max = 100000,
     .about = "Attempts under way at once."},
    {.section = "scheduler",
     .member = "max_held",
     .kind = SETTING_COUNT,
     .offset = AT(scheduler.max_held),
     .fallback = "10000",
     .min = 1,
     .max = 1000000,
     .about = "Runs held in memory at once, whatever their state. At least `max_in_flight`. When more than "
              "half of "
              "them would wait for one target that is slow, the others of its runs are put back for up to a "
              "minute."},

    {.section = "wakeup",
     .member = "mode",
     .kind = SETTING_CHOICE,
     .offset = AT(wakeup.mode),
     .fallback = "auto",
     .choices = "auto|poll|postgres|redis",
     .brief = true,
     .about =
         "How instances learn of work that others make. `poll`: each looks every `scheduler.fetch_interval`. "
         "`postgres`: by LISTEN and NOTIFY. `redis`: over a channel of the server in `redis.url`. `auto`: "
         "`postgres` on PostgreSQL; on an embedded database there are no others. May be written `wakeup: "
         "poll`."},
    {.section = "wakeup",
     .member = "url",
     .kind = SETTING_TEXT,
     .offset = AT(wakeup.url),
     .fallback = "",
     .check = check_postgres_url,
     .url = true,
     .about =
         "For `postgres`: where to listen, when `database.url` leads through PgBouncer in transaction mode, "
         "which cannot. Empty: `database.url`."},

    {.section = "redis",
     .member = "url",
     .kind = SETTING_TEXT,
     .offset = AT(redis.url),
     .fallback = "",
     .check = check_redis_url,
     .url = true,
     .about =
         "`redis://user:pw@host:port/db` of the server for `wakeup: redis`. The number of the database is "
         "part of the channel's name, as is `database.schema`: clusters that share a server differ in "
         "one of them."},

    {.section = "delivery",
     .member = "tls_insecure_allowed",
     .kind = SETTING_BOOL,
     .offset = AT(delivery.tls_insecure_allowed),
     .fallback = "false",
     .about = "Whether a schedule may ask for a target's certificate not to be checked "
              "(`connection.tls.insecure`)."},
    {.section = "delivery",
     .member = "per_host_connections",
     .kind = SETTING_COUNT,
     .offset = AT(delivery.per_host_connections),
     .fallback = "64",
     .min = 0,
     .max = 100000,
     .about = "Attempts under way at one target host at once, and connections to it; further ones wait, "
              "without their "
              "`task.timeout` running. 0: no limit of its own. No single target, of whatever kind, takes "
              "more than "
              "three quarters of `scheduler.max_in_flight`, and several together leave places for others."},
    {.section = "delivery",
     .member = "per_host_rate",
     .kind = SETTING_COUNT,
     .offset = AT(delivery.per_host_rate),
     .fallback = "0",
     .min = 0,
     .max = 100000,
     .about = "Attempts that this instance makes at one target host a second, spread over it; what is more "
              "waits. 0: no limit."},
    {.section = "delivery",
     .member = "circuit_failures",
     .kind = SETTING_COUNT,
     .offset = AT(delivery.circuit_failures),
     .fallback = "10",
     .min = 0,
     .max = 1000000,
     .about =
         "After so many attempts in a row that got no answer from a target host (no connection, no answer "
         "in time), runs that are due there wait, and one attempt at a time, after 1 second to 60, finds "
         "out whether it answers again. 0: never."},
    {.section = "delivery",
     .member = "max_connections",
     .kind = SETTING_COUNT,
     .offset = AT(delivery.max_connections),
     .fallback = "1024",
     .min = 1,
     .max = 100000,
     .about = "Connections to targets kept open, idle ones included."},
    {.section = "delivery",
     .member = "ca_file",
     .kind = SETTING_TEXT,
     .offset = AT(delivery.ca_file),
     .fallback = "",
     .about = "PEM file of the authorities to trust. Empty: the system's."},
    {.section = "delivery",
     .member = "hidden_headers",
     .kind = SETTING_LIST,
     .offset = AT(delivery.hidden_headers),
     .fallback = "",
     .check = check_header_name,
     .about =
         "Names of request headers, besides `Authorization`, `Cookie` and the like, whose values are never "
         "shown again. A list, or names separated by commas."},

    {.section = "delivery",
     .member = "allow",
     .kind = SETTING_LIST,
     .offset = AT(delivery.allow),
     .fallback = "",
     .check = check_host_rule,
     .about =
         "Whom schedules may call: networks (`10.1.0.0/16`, `2001:db8::/32`), addresses, hosts' names and "
         "`\"*.example.com\"` (everything below it; quoted in YAML). Empty: everybody that is not denied."},
    {.section = "delivery",
     .member = "deny",
     .kind = SETTING_LIST,
     .offset = AT(delivery.deny),
     .fallback = "",
     .check = check_host_rule,
     .about =
         "Whom they may not call, in the same words; it wins over `allow`. Link-local addresses and those of "
         "clouds' metadata services are denied anyway, unless `allow` holds a network within them. Networks "
         "are judged on every address that is really connected to."},

    {.section = "retention",
     .member = "finished",
     .kind = SETTING_DURATION,
     .offset = AT(retention.finished_us),
     .fallback = "1d",
     .min = 0,
     .max = YEARS(100),
     .about = "How long a schedule without further occurrences is kept."},
    {.section = "retention",
     .member = "runs",
     .kind = SETTING_DURATION,
     .offset = AT(retention.runs_us),
     .fallback = "1h",
     .min = 0,
     .max = YEARS(100),
     .about = "How long a run that succeeded is kept."},
    {.section = "retention",
     .member = "failed",
     .kind = SETTING_DURATION,
     .offset = AT(retention.failed_us),
     .fallback = "7d",
     .min = 0,
     .max = YEARS(100),
     .about = "How long a run that ended otherwise is kept. Dead runs are kept until handled."},
    {.section = "retention",
     .member = "history",
     .kind = SETTING_DURATION,
     .offset = AT(retention.history_us),
     .fallback = "90d",
     .min = 0,
     .max = YEARS(100),
     .about = "How long an event is kept in the history; 0: for ever. On PostgreSQL whole days are dropped."},
    {.section = "retention",
     .member = "every",
     .kind = SETTING_DURATION,
     .offset = AT(retention.every_us),
     .fallback = "60s",
     .min = SECONDS(1),
     .max = SECONDS(86400),
     .about = "How often old ones are looked for."},

    {.section = "admin",
     .member = "reset",
     .kind = SETTING_BOOL,
     .offset = AT(admin.reset),
     .fallback = "false",
     .about = "Whether `POST /admin/reset` may remove everything."},

    {.section = "log",
     .member = "level",
     .kind = SETTING_CHOICE,
     .offset = AT(log.level),
     .fallback = "info",
     .choices = "error|warn|info|debug",
     .about = "The least important events that are logged."},
    {.section = "log",
     .member = "format",
     .kind = SETTING_CHOICE,
     .offset = AT(log.format),
     .fallback = "auto",
     .choices = "auto|text|json",
     .about = "`auto`: text on a terminal, JSON otherwise. Logs go to standard error."},

    {.section = "shutdown",
     .member = "grace",
     .kind = SETTING_DURATION,
     .offset = AT(shutdown.grace_us),
     .fallback = "30s",
     .min = 0,
     .max = SECONDS(3600),
     .about = "How long what is in flight may take to end after SIGTERM; the rest is handed back."},

    {.section = "",
     .member = "roles",
     .kind = SETTING_LIST,
     .offset = AT(roles),
     .fallback = "api,worker,monitor",
     .choices = "api|worker|monitor",
     .about = "What this instance does: answer the API's calls, fire what is due, be elected to look after "
              "the cluster. On an embedded database, which one process owns, all three."},
};

const size_t settings_table_n = COUNT_OF(settings_table);

/* Names are constants of this file, so that they fit is an invariant, which a test walks. */
static void put(char ret[SETTING_NAME_MAX], size_t *at, const char *s)
{
    size_t n = strlen(s);

    MUST(*at + n < SETTING_NAME_MAX);
    memcpy(ret + *at, s, n);
    *at += n;
    ret[*at] = '\0';
}

void setting_path(const struct setting *t, char ret[SETTING_NAME_MAX])
{
    size_t at = 0;

    put(ret, &at, t->section);
    if (t->section[0] != '\0')
        put(ret, &at, ".");
    put(ret, &at, t->member);
}

void setting_variable(const struct setting *t, char ret[SETTING_NAME_MAX])
{
    char path[SETTING_NAME_MAX];
    size_t at = 0;

    setting_path(t, path);
    for (char *p = path; *p != '\0'; p++) {
        if (*p == '.')
            *p = '_';
        else if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    }
    put(ret, &at, "CARILLON_");
    put(ret, &at, path);
}

const struct setting *setting_find(struct str path)
{
    char name[SETTING_NAME_MAX];

    for (size_t i = 0; i < settings_table_n; i++) {
        const struct setting *t = &settings_table[i];

        setting_path(t, name);
        if (str_eq(path, str_of(name)) || (t->brief && str_eq(path, str_of(t->section))))
            return t;
    }
    return NULL;
}

bool setting_is_group(struct str path)
{
    char name[SETTING_NAME_MAX];

    for (size_t i = 0; i < settings_table_n; i++) {
        setting_path(&settings_table[i], name);
        if (path.n < strlen(name) && name[path.n] == '.' && memcmp(name, path.p, path.n) == 0)
            return true;
    }
    return false;
}
