/*
 * settings.h: everything that can be configured, from the built-in default, a YAML file and the environment.
 *
 * Order: default, then file (--config, else ./config.yaml, else /etc/carillon/config.yaml, else none), then
 * CARILLON_SECTION_MEMBER. Unknown members and wrong values are errors that name file and line, or the
 * variable. The settings know no room: wiring turns them into each room's options. config/table.c is the one
 * list of members, with their units, defaults, limits and meaning.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

/* Owned texts; n 0 when empty. */
struct settings_list {
    char **items;
    size_t n;
};

bool settings_list_has(const struct settings_list *l, const char *word);

/* Where a value came from. */
enum settings_layer { SETTINGS_DEFAULT, SETTINGS_FILE, SETTINGS_ENV };
struct settings_origin {
    enum settings_layer layer;
    size_t line; /* SETTINGS_FILE only */
};

/* What task.sign names: one secret of Standard Webhooks, or two while one replaces the other. */
enum { SETTINGS_SECRETS_EACH = 2 };
struct settings_secret {
    char *name;
    char *values[SETTINGS_SECRETS_EACH];
    size_t n;
    struct settings_origin origin;
};

/*
 * Units: YAML takes seconds with fractions and sizes with KiB/MiB; here µs and bytes. Texts are owned by the
 * settings and never NULL.
 */
struct settings {
    struct {
        char *listen;
        int64_t threads;
        int64_t max_connections;
        int64_t max_body_bytes;
        int64_t max_batch_bytes;
        int64_t max_batch_items;
        int64_t max_answers_bytes;
        int64_t min_read_rate_bytes; /* a second */
        int64_t max_json_depth;
        int64_t idle_timeout_us;
        int64_t event_streams;
        int64_t graphql_complexity;
        int64_t header_timeout_us;
        int64_t max_header_bytes;
        int64_t rate;
        int64_t rate_burst;
        char *instance; /* name shown to people; the host's when not given */
        char *tls_cert; /* "" for none */
        char *tls_key;
    } server;
    struct {
        char *url;     /* sqlite:PATH or postgresql://... */
        char *schema;  /* of PostgreSQL */
        bool prepared; /* statements, on PostgreSQL */
        bool url_made; /* from the members below */
        char *host;
        int64_t port;
        char *id;
        char *pw;
        char *db;
    } database;
    struct {
        char *url;     /* never empty: beside the database when not given */
        char *schema;  /* of PostgreSQL; never empty */
        bool url_made; /* from the database's */
        bool schema_made;
        char *table;
    } history;
    struct {
        char *timezone;
        int64_t fetch_interval_us; /* poll's interval and the slow safety poll */
        int64_t fetch_count;       /* runs a claim takes at most */
        char *table;
        int64_t horizon_us;
        int64_t lease_us;
        int64_t misfire_grace_us;
        int64_t max_in_flight;
        int64_t max_held;
    } scheduler;
    struct {
        char *mode; /* auto, poll, postgres, redis */
        char *url;  /* postgresql://... past a pooler; "": database.url */
    } wakeup;
    struct {
        char *url; /* "" for none */
    } redis;
    struct {
        bool tls_insecure_allowed;
        int64_t per_host_connections;
        int64_t max_connections;
        int64_t per_host_rate;
        int64_t circuit_failures;
        char *ca_file;                       /* "" = the system's */
        struct settings_list hidden_headers; /* lower case */
        struct settings_list allow;          /* as host_rule_parse() takes them */
        struct settings_list deny;
    } delivery;
    struct {
        int64_t finished_us;
        int64_t runs_us;
        int64_t failed_us;
        int64_t history_us;
        int64_t every_us;
    } retention;
    struct {
        bool reset;
    } admin;
    struct {
        char *level;
        char *format; /* auto, text, json */
    } log;
    struct {
        int64_t grace_us;
    } shutdown;
    struct settings_list roles; /* api, worker, monitor */

    struct settings_secret *secrets; /* in the order they were first named in */
    size_t secrets_n;

    char *source;                    /* the file read, "" when none */
    struct settings_origin *origins; /* by place in the table */
    struct error_list notes;         /* not wrong, but worth telling: what has no effect, unknown variables */
};

/* `path`: --config or NULL. `env`: the process's environ. On failure *faults names all that is wrong. */
CHECKED enum err settings_load(const char *path, const char *const *env, struct settings **ret,
                               struct error_list *faults);
/* The same from text in memory, called `name` in messages, and no file (the tests' and the fuzzer's door). */
CHECKED enum err settings_parse(struct str yaml, const char *name, const char *const *env,
                                struct settings **ret, struct error_list *faults);
void settings_free(struct settings *s);
CLEANUP_FN(struct settings, settings_free)

/*
 * Settings that are well-formed but name what this build cannot do (ERR_UNSUPPORTED), such as wake-ups over
 * Redis: `serve` refuses to start with them rather than doing something else than was asked.
 */
CHECKED enum err settings_supported(const struct settings *s, struct error_list *faults);

/* Of "sqlite:PATH": PATH, a view into the URL. False for any other URL. */
bool settings_sqlite_path(const char *url, const char **ret);

/* True when `listen` names an address that other machines can reach. */
bool settings_listens_beyond_loopback(const char *listen);

/* Whole settings as YAML for people, secrets hidden, each line with where it came from. */
CHECKED enum err settings_print(const struct settings *s, struct buf *out, struct error *err);
/* The same as JSON for scripts: {"server": {"listen": {"value": ..., "from": ...}}}. */
CHECKED enum err settings_print_json(const struct settings *s, struct buf *out, struct error *err);
/* Every member with its variable, default and meaning, as the Markdown of docs/configuration.md. */
CHECKED enum err settings_reference(struct buf *out, struct error *err);

#endif
