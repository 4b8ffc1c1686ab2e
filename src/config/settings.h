/*
 * settings.h: everything that can be configured, from the built-in default, a YAML file and the environment.
 *
 * Order: default, then file (--config, else ./config.yaml, else /etc/carillon/config.yaml, else none), then
 * CARILLON_SECTION_MEMBER. Unknown members and wrong values are errors that name file and line, or the variable.
 * The settings know no room: wiring turns them into each room's options.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

/*
 * Units: YAML takes seconds with fractions and sizes with KiB/MiB; here µs and bytes. Strings are owned by the
 * settings and never NULL but where said so.
 */
struct settings {
    struct {
        char *listen;            /* 127.0.0.1:9902 */
        int64_t threads;         /* 2 */
        int64_t max_connections; /* 1024 */
        int64_t max_body_bytes;  /* 1 MiB */
        int64_t max_batch_bytes; /* 32 MiB */
        int64_t idle_timeout_us; /* 60 s */
        char *instance;          /* name shown to people; default host name */
    } server;
    struct {
        char *url; /* sqlite:./data/carillon.db */
    } database;
    struct {
        char *url; /* sqlite:./data/history.db */
    } history;
    struct {
        char *timezone;             /* Asia/Seoul */
        int64_t fetch_interval_us;  /* poll's interval and the slow safety poll */
        int64_t fetch_count;        /* runs a claim takes at most; 1000 */
        int64_t horizon_us;         /* 1 s */
        int64_t lease_us;           /* 30 s */
        int64_t misfire_grace_us;   /* 2 s */
        int64_t max_in_flight;      /* 1000 */
        int64_t max_held;           /* 10000 */
    } scheduler;
    struct {
        bool tls_insecure_allowed;
        int64_t per_host_connections; /* 64 */
        int64_t max_connections;      /* 1024 */
        char *ca_file;                /* "" = the system's */
    } delivery;
    struct {
        int64_t finished_us; /* 1 day */
        int64_t runs_us;     /* 1 hour after success */
        int64_t failed_us;   /* 7 days after failure */
        int64_t every_us;    /* 60 s */
    } retention;
    struct {
        bool reset; /* false */
    } admin;
    struct {
        char *level;  /* info */
        char *format; /* auto, text, json */
    } log;
    struct {
        int64_t grace_us; /* 30 s */
    } shutdown;
    char *source; /* the file read, "" when none */
};

/* `path`: --config or NULL. `env`: the process's environ. On failure *faults names all that is wrong. */
CHECKED enum err settings_load(const char *path, char *const *env, struct settings **ret, struct error_list *faults);
void settings_free(struct settings *s);
CLEANUP_FN(struct settings, settings_free)

/* Whole settings as YAML for people, secrets hidden. */
CHECKED enum err settings_print(const struct settings *s, struct buf *out, struct error *err);

#endif
