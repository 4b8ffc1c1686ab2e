/*
 * writer.c: where a comma goes, and how each kind of value is spelled.
 */
#include "api/writer.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "calendar/iso8601.h"

static void comma(struct writer *w)
{
    uint64_t bit = UINT64_C(1) << w->depth;

    if (w->filled & bit)
        buf_add_char(w->out, ',');
    w->filled |= bit;
}

static void begin(struct writer *w, const char *name)
{
    comma(w);
    if (!name)
        return;
    buf_add_json(w->out, str_of(name));
    buf_add_char(w->out, ':');
}

static void deeper(struct writer *w, const char *name, char bracket)
{
    begin(w, name);
    buf_add_char(w->out, bracket);
    w->depth++;
    MUST(w->depth < WRITER_DEPTH_MAX);
    w->filled &= ~(UINT64_C(1) << w->depth);
}

static void back(struct writer *w, char bracket)
{
    MUST(w->depth > 0);
    w->depth--;
    buf_add_char(w->out, bracket);
}

void write_object(struct writer *w, const char *name)
{
    deeper(w, name, '{');
}

void write_array(struct writer *w, const char *name)
{
    deeper(w, name, '[');
}

void write_end_object(struct writer *w)
{
    back(w, '}');
}

void write_end_array(struct writer *w)
{
    back(w, ']');
}

void write_str(struct writer *w, const char *name, struct str value)
{
    begin(w, name);
    buf_add_json(w->out, value);
}

void write_cstr(struct writer *w, const char *name, const char *value)
{
    write_str(w, name, str_of(value));
}

void write_i64(struct writer *w, const char *name, int64_t value)
{
    begin(w, name);
    buf_add_i64(w->out, value);
}

void write_bool(struct writer *w, const char *name, bool value)
{
    begin(w, name);
    buf_add_cstr(w->out, value ? "true" : "false");
}

void write_null(struct writer *w, const char *name)
{
    begin(w, name);
    buf_add_cstr(w->out, "null");
}

void write_uuid(struct writer *w, const char *name, struct uuid value)
{
    char text[UUID_TEXT + 1];

    uuid_format(value, text);
    write_cstr(w, name, text);
}

void write_wall(struct writer *w, const char *name, struct wall value)
{
    char text[ISO_TEXT_MAX];

    if (wall_is_never(value)) {
        write_null(w, name);
        return;
    }
    iso_format(value, text);
    write_cstr(w, name, text);
}

void write_ms(struct writer *w, const char *name, int64_t us)
{
    int64_t rest = us < 0 ? 0 : us % US_PER_MS;
    char digits[4] = {(char)('0' + (int)(rest / 100)), (char)('0' + (int)(rest / 10 % 10)),
                      (char)('0' + (int)(rest % 10)), '\0'};
    size_t n = 3;

    begin(w, name);
    buf_add_i64(w->out, us < 0 ? 0 : us / US_PER_MS);
    while (n > 0 && digits[n - 1] == '0')
        n--;
    if (n == 0)
        return;
    buf_add_char(w->out, '.');
    buf_add(w->out, (struct str){digits, n});
}

void write_raw(struct writer *w, const char *name, struct str json)
{
    begin(w, name);
    buf_add(w->out, json);
}

void write_json(struct writer *w, struct str name, const json_t *value)
{
    comma(w);
    buf_add_json(w->out, name);
    buf_add_char(w->out, ':');
    /* What cannot be written (memory, depth) must not leave text that looks whole. */
    if (json_write(value, w->out, NULL) && buf_ok(w->out))
        w->out->failed = ERR_INTERNAL;
}
