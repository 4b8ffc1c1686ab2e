/*
 * report.c: an examination as text and as JSON.
 */
#include "base/json.h"
#include "base/str.h"
#include "calendar/iso8601.h"
#include "doctor/doctor.h"

enum { VERDICT_WIDTH = 9, ID_WIDTH = 30 };

static void pad(struct buf *out, size_t n, size_t to)
{
    for (; n < to; n++)
        buf_add_char(out, ' ');
}

/* What comes from outside (a file's name, a server's words) must not act on a terminal. */
static void add_plain(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_add_char(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static size_t count(const struct report *r, enum doctor_verdict v)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        n += r->items[i].verdict == v;
    return n;
}

void report_print(const struct report *r, struct buf *out)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct finding *f = &r->items[i];
        size_t start = out->n;

        buf_add_cstr(out, verdict_name(f->verdict));
        pad(out, out->n - start, VERDICT_WIDTH);
        buf_add_cstr(out, f->id);
        pad(out, out->n - start, VERDICT_WIDTH + ID_WIDTH);
        add_plain(out, f->seen);
        buf_add_char(out, '\n');
        if (f->advice[0] == '\0')
            continue;
        pad(out, 0, VERDICT_WIDTH);
        buf_add_cstr(out, "what to do: ");
        add_plain(out, f->advice);
        buf_add_char(out, '\n');
    }
    buf_addf(out, "\n%zu checks: %zu ok", r->n, count(r, VERDICT_OK));
    buf_addf(out, ", %zu warnings, %zu failures, %zu skipped\n", count(r, VERDICT_WARNING),
             count(r, VERDICT_FAILURE), count(r, VERDICT_SKIPPED));
}

static void add_member(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, ",\"%s\":", name);
    buf_add_json(out, str_of(value));
}

void report_print_json(const struct report *r, struct buf *out)
{
    char at[ISO_TEXT_MAX];

    iso_format(r->at, at);
    buf_addf(out, "{\"status\":\"%s\"", verdict_name(r->verdict));
    add_member(out, "view", r->running ? "instance" : "command line");
    add_member(out, "version", r->version);
    add_member(out, "at", at);
    buf_add_cstr(out, ",\"checks\":[");
    for (size_t i = 0; i < r->n; i++) {
        const struct finding *f = &r->items[i];

        buf_addf(out, "%s{\"id\":\"%s\"", i > 0 ? "," : "", f->id);
        add_member(out, "status", verdict_name(f->verdict));
        add_member(out, "seen", f->seen);
        add_member(out, "advice", f->advice);
        buf_addf(out, ",\"took_ms\":%lld}", (long long)(f->took_us / US_PER_MS));
    }
    buf_add_cstr(out, "]}");
}
