/*
 * log.h: one event, one line: text for a terminal, JSON otherwise, on standard error.
 *
 * error: someone must act; warn: we went on, and it says how; info: life cycle; debug: per run. Members are
 * given as a list of struct log_kv, so values are never pasted into the message. Secrets have no formatter.
 * Rooms base, calendar, model, store and deliver log nothing above debug. Any thread; a line is one write(2).
 * The logger is a value made by main and handed down, not a global; a NULL logger swallows everything.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"

#define LOG_LEVEL_LIST(X)                                                                                    \
    X(LOG_ERROR, "error")                                                                                    \
    X(LOG_WARN, "warn")                                                                                      \
    X(LOG_INFO, "info")                                                                                      \
    X(LOG_DEBUG, "debug")

enum log_level {
#define X(level, name) level,
    LOG_LEVEL_LIST(X)
#undef X
};

enum log_format { LOG_TEXT, LOG_JSON };

struct log;

struct log_kv {
    const char *key;
    enum { LOG_STR, LOG_I64, LOG_UUID, LOG_BOOL } kind;
    struct str s;
    int64_t i;
    struct uuid u;
};

#define KV_STR(k, v) ((struct log_kv){.key = (k), .kind = LOG_STR, .s = (v)})
#define KV_CSTR(k, v) ((struct log_kv){.key = (k), .kind = LOG_STR, .s = log_cstr(v)})
#define KV_I64(k, v) ((struct log_kv){.key = (k), .kind = LOG_I64, .i = (v)})
#define KV_UUID(k, v) ((struct log_kv){.key = (k), .kind = LOG_UUID, .u = (v)})
#define KV_BOOL(k, v) ((struct log_kv){.key = (k), .kind = LOG_BOOL, .i = (v)})

struct str log_cstr(const char *s);

/* `fd` stays the caller's. */
struct log *log_new(int fd, enum log_format format, enum log_level level);
void log_free(struct log *l);
CLEANUP_FN(struct log, log_free)

bool log_wants(const struct log *l, enum log_level level);
void log_write(struct log *l, enum log_level level, const char *room, const char *msg,
               const struct log_kv *kv, size_t n);

/*
 * log_event(l, LOG_INFO, "engine", "run finished", KV_UUID("run", id), KV_I64("attempt", 2));
 * At least one member; without any: log_plain(l, LOG_INFO, "main", "ready").
 */
#define log_event(l, level, room, msg, ...)                                                                  \
    do {                                                                                                     \
        if (log_wants((l), (level))) {                                                                       \
            const struct log_kv log_kv_[] = {__VA_ARGS__};                                                   \
            log_write((l), (level), (room), (msg), log_kv_, COUNT_OF(log_kv_));                              \
        }                                                                                                    \
    } while (0)

static inline void log_plain(struct log *l, enum log_level level, const char *room, const char *msg)
{
    log_write(l, level, room, msg, NULL, 0);
}

/* An error at the end of its journey: code, where and text as members. */
void log_error(struct log *l, enum log_level level, const char *room, const char *msg,
               const struct error *err);

CHECKED bool log_level_parse(struct str s, enum log_level *ret);

#endif
