/*
 * schedule.h: a schedule's definition: from JSON to a checked value, and back without its secrets.
 *
 * Pure: it knows zones and cron, not storage or network. A decoded schedule is immutable and counted: several
 * runs and threads may share one by schedule_ref(). Text members are views into its own JSON tree.
 */
#ifndef MODEL_SCHEDULE_H
#define MODEL_SCHEDULE_H

#include "base/base.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "calendar/cron.h"
#include "calendar/zone.h"
#include "calendar/zones.h"

/* enum value, JSON spelling */
#define SCHEDULE_TYPE_LIST(X)                                                                                \
    X(SCHEDULE_NOW, "now")                                                                                   \
    X(SCHEDULE_DELAY, "delay")                                                                               \
    X(SCHEDULE_DATE, "date")                                                                                 \
    X(SCHEDULE_DELAY_RECUR, "delay-recur")                                                                   \
    X(SCHEDULE_CRON, "cron")
#define TASK_TYPE_LIST(X)                                                                                    \
    X(TASK_REST, "rest")                                                                                     \
    X(TASK_KAFKA, "kafka")                                                                                   \
    X(TASK_REDIS, "redis")
#define FAILED_POLICY_LIST(X)                                                                                \
    X(FAILED_IGNORE, "ignore")                                                                               \
    X(FAILED_RETRY, "retry")                                                                                 \
    X(FAILED_RETRY_DLQ, "retry_dlq")
#define MISFIRE_LIST(X)                                                                                      \
    X(MISFIRE_ONCE, "once")                                                                                  \
    X(MISFIRE_ALL, "all")                                                                                    \
    X(MISFIRE_SKIP, "skip")
#define OVERLAP_LIST(X)                                                                                      \
    X(OVERLAP_SKIP, "skip")                                                                                  \
    X(OVERLAP_ALLOW, "allow")                                                                                \
    X(OVERLAP_QUEUE, "queue")                                                                                \
    X(OVERLAP_REPLACE, "replace")
#define TASK_BODY_LIST(X)                                                                                    \
    X(BODY_DATA, "data")                                                                                     \
    X(BODY_EVENT, "event")
#define REDIS_MODE_LIST(X)                                                                                   \
    X(REDIS_PUBLISH, "publish")                                                                              \
    X(REDIS_STREAM, "stream")                                                                                \
    X(REDIS_LIST, "list")

#define X(value, text) value,
enum schedule_type { SCHEDULE_TYPE_LIST(X) };
enum task_type { TASK_TYPE_LIST(X) };
enum failed_policy { FAILED_POLICY_LIST(X) };
enum misfire { MISFIRE_LIST(X) };
enum overlap { OVERLAP_LIST(X) };
enum task_body { TASK_BODY_LIST(X) };
enum redis_mode { REDIS_MODE_LIST(X) };
#undef X

const char *schedule_type_name(enum schedule_type t);
const char *task_type_name(enum task_type t);
const char *failed_policy_name(enum failed_policy p);
const char *misfire_name(enum misfire m);
const char *overlap_name(enum overlap o);

/* The identity: absent members are "". */
struct client {
    struct str operation;
    struct str application;
    struct str group;
    struct str key;
    struct str type;
};

enum { CLIENT_HASH_BYTES = 16 };
struct client_hash {
    uint8_t b[CLIENT_HASH_BYTES];
};

/* 128 bits over the five members, each with its length: joining cannot make two identities one. */
CHECKED enum err client_hash(const struct client *c, struct client_hash *ret, struct error *err);
bool client_eq(const struct client *a, const struct client *b);

struct task {
    enum task_type type;
    struct str host;  /* URL, bootstrap servers, or redis address */
    struct str topic; /* "" for rest */
    json_t *headers;  /* borrowed from the schedule's tree; NULL when absent */
    json_t *config;   /* kafka's allow-listed settings; borrowed, NULL when absent */
    enum redis_mode mode;
    int64_t maxlen; /* of a redis stream, about; 0: no limit */
    bool tls_insecure;
    struct str method; /* "POST" */
    json_t *data;      /* borrowed; JSON null when absent */
    enum task_body body;
    struct str sign; /* "" for none */
    bool history_check;
    int64_t timeout_us;
    enum failed_policy failed_policy;
    int64_t retry_wait_us;       /* default 60 s */
    int64_t retry_wait_max_us;   /* default 3600 s */
    int64_t retry_backoff_milli; /* factor times 1000; default 1000; 1000 to 100,000 */
    int64_t max_retry_count;     /* -1: no limit */
    int64_t retry_for_us;        /* default 86,400 s */
};

/* What a smaller max_lateness means. */
#define SCHEDULE_LATENESS_LEAST_US (500 * US_PER_MS)

struct schedule {
    json_t *json; /* the whole definition as sent, with `timezone` filled in; owned */
    struct str name;
    struct client client;
    struct client_hash hash;
    enum schedule_type type;
    struct str text; /* member `schedule` */
    struct str timezone;
    const struct zone *zone; /* the zones database's */
    struct cron *cron;       /* SCHEDULE_CRON only; owned */
    int64_t delay_us;        /* SCHEDULE_DELAY, SCHEDULE_DELAY_RECUR */
    struct wall date;        /* SCHEDULE_DATE */
    struct wall start_at;    /* {INT64_MIN} when absent */
    struct wall end_at;      /* WALL_NEVER when absent */
    int64_t max_runs;        /* -1 when absent */
    int64_t jitter_us;
    enum misfire misfire;
    int64_t max_lateness_us; /* -1 when absent; at least SCHEDULE_LATENESS_LEAST_US */
    enum overlap overlap;
    bool paused;
    struct task task;
    unsigned refs; /* atomic; schedule_ref() and schedule_unref() only */
};

/* What the server allows and fills in. Borrowed for the call; zones must outlive the schedules. */
struct schedule_rules {
    struct zones *zones;
    struct str default_timezone;
    bool task_enabled[3]; /* by enum task_type: which this build and configuration can deliver */
    bool tls_insecure_allowed;
    const struct str *secrets; /* names that task.sign may use */
    size_t secrets_n;
    const struct str *
        hidden_headers; /* header names (lower case) whose values are write-only, besides the built-in ones */
    size_t hidden_headers_n;
    bool trusted; /* the text comes from our own store: checks of policy (task_enabled, tls, secrets) are left
                     out */
};

/*
 * Reads a definition. `json` must be a JSON object; a reference is taken, and the schedule may change members
 * of it (timezone filled in, seconds given as a number turned into text, kept secrets put in), so the caller
 * gives up its own use of the tree. All faults are put into `faults` with their pointers; the first one's
 * code is returned, but ERR_MEMORY before all others. ERR_INVALID is the definition's fault; other codes (a
 * zone's file that cannot be read now) are not. Unknown members are faults, except under /task/data and
 * /task/connection/headers; null stands for absent in optional members. `prior`: the definition being
 * replaced, or NULL: "***" as the value of a hidden header, of a hidden kafka setting, or for user and
 * password in a URL keeps what it has; with nothing to keep it is a fault.
 */
CHECKED enum err schedule_decode(json_t *json, const struct schedule_rules *rules,
                                 const struct schedule *prior, struct schedule **ret,
                                 struct error_list *faults);
/* True when something has the value "***" that may stand for a secret: the caller must find the prior
 * definition first. */
bool schedule_json_keeps_secrets(const json_t *json);

struct schedule *schedule_ref(struct schedule *s);
void schedule_unref(struct schedule *s); /* NULL is fine; the last one frees */
CLEANUP_FN(struct schedule, schedule_unref)

/* The definition as text for the store: secrets included. */
CHECKED enum err schedule_encode(const struct schedule *s, struct buf *out, struct error *err);
/*
 * A tree for people's eyes: hidden headers' values replaced by "***", kafka's passwords and keys and users
 * and passwords in URLs too. The object itself is the caller's to change; what lies under it may be shared
 * with the schedule.
 */
CHECKED enum err schedule_public_json(const struct schedule *s, const struct schedule_rules *rules,
                                      json_t **ret, struct error *err);
bool schedule_recurs(const struct schedule *s); /* cron, delay-recur */

#endif
