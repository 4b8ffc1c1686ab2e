/*
 * log.c: a line is built whole in memory and handed to the system in one write(2), so lines of several
 * threads do not mix and no lock is needed.
 *
 * A log that cannot be written is not reported: there is nowhere left to report it.
 */
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

/* A value from outside can be long; a line stays readable and bounded. */
enum { VALUE_MAX = 1024, LINE_MAX_BYTES = 64 * 1024 };

struct log {
    int fd;
    enum log_format format;
    enum log_level level;
};

struct str log_cstr(const char *s)
{
    return str_of(s);
}

struct log *log_new(int fd, enum log_format format, enum log_level level)
{
    struct log *l = alloc_new(struct log);

    *l = (struct log){.fd = fd, .format = format, .level = level};
    return l;
}

void log_free(struct log *l)
{
    alloc_free(l);
}

bool log_wants(const struct log *l, enum log_level level)
{
    return l && level <= l->level;
}

static const char *const level_names[] = {
#define X(level, name) [level] = name,
    LOG_LEVEL_LIST(X)
#undef X
};

bool log_level_parse(struct str s, enum log_level *ret)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (str_eq(s, str_of(level_names[i]))) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void add_time(struct buf *b, struct wall now)
{
    time_t s = (time_t)(now.us / US_PER_S);
    struct tm t;

    MUST(gmtime_r(&s, &t));
    buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
             t.tm_min, t.tm_sec, (int)(now.us % US_PER_S / US_PER_MS));
}

/* Anything that could be taken for the line's own structure, or act on a terminal. */
static bool needs_quotes(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c >= 0x7F)
            return true;
    }
    return s.n == 0;
}

static void add_text(struct buf *b, enum log_format format, struct str s)
{
    struct str shown = s;

    if (s.n > VALUE_MAX) {
        shown.n = VALUE_MAX;
        /* Back to the start of a character. */
        while (shown.n > 0 && ((unsigned char)s.p[shown.n] & 0xC0) == 0x80)
            shown.n--;
    }
    if (format == LOG_JSON || needs_quotes(shown))
        buf_add_json(b, shown);
    else
        buf_add(b, shown);
}

static void add_value(struct buf *b, enum log_format format, const struct log_kv *kv)
{
    char id[UUID_TEXT + 1];

    switch (kv->kind) {
    case LOG_STR:
        add_text(b, format, kv->s);
        return;
    case LOG_I64:
        buf_add_i64(b, kv->i);
        return;
    case LOG_UUID:
        uuid_format(kv->u, id);
        add_text(b, format, str_of(id));
        return;
    case LOG_BOOL:
        buf_add_cstr(b, kv->i ? "true" : "false");
        return;
    }
}

static void add_head(struct buf *b, enum log_format format, enum log_level level, const char *room,
                     const char *msg)
{
    if (format == LOG_TEXT) {
        add_time(b, clock_wall());
        buf_addf(b, " %-5s %s  %s", level_names[level], room, msg);
        return;
    }
    buf_add_cstr(b, "{\"time\":\"");
    add_time(b, clock_wall());
    buf_addf(b, "\",\"level\":\"%s\",\"room\":", level_names[level]);
    add_text(b, format, str_of(room));
    buf_add_cstr(b, ",\"msg\":");
    add_text(b, format, str_of(msg));
}

static void add_members(struct buf *b, enum log_format format, const struct log_kv *kv, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (format == LOG_JSON) {
            buf_add_char(b, ',');
            buf_add_json(b, str_of(kv[i].key));
            buf_add_char(b, ':');
        } else {
            buf_add_cstr(b, i == 0 ? "  " : " ");
            buf_add_cstr(b, kv[i].key);
            buf_add_char(b, '=');
        }
        add_value(b, format, &kv[i]);
    }
}

static void write_line(int fd, struct str line)
{
    while (line.n > 0) {
        ssize_t n = write(fd, line.p, line.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        line.p += n;
        line.n -= (size_t)n;
    }
}

void log_write(struct log *l, enum log_level level, const char *room, const char *msg,
               const struct log_kv *kv, size_t n)
{
    CLEANUP(buf_done_p) struct buf line = {0};

    if (!log_wants(l, level))
        return;
    buf_init(&line, LINE_MAX_BYTES);
    add_head(&line, l->format, level, room, msg);
    add_members(&line, l->format, kv, n);
    buf_add_cstr(&line, l->format == LOG_JSON ? "}\n" : "\n");
    if (!buf_ok(&line)) {
        /* The event itself is worth more than its members. */
        buf_clear(&line);
        add_head(&line, l->format, level, room, msg);
        buf_add_cstr(&line, l->format == LOG_JSON ? ",\"cut\":true}\n" : "  cut=true\n");
    }
    if (buf_ok(&line))
        write_line(l->fd, buf_str(&line));
}

void log_error(struct log *l, enum log_level level, const char *room, const char *msg,
               const struct error *err)
{
    if (err->where[0] == '\0')
        log_event(l, level, room, msg, KV_CSTR("error", err_name(err->code)), KV_CSTR("detail", err->text));
    else
        log_event(l, level, room, msg, KV_CSTR("error", err_name(err->code)), KV_CSTR("where", err->where),
                  KV_CSTR("detail", err->text));
}
