/*
 * preview.c: when a definition would fire, computed here and now: no lane is asked.
 */
#include "api/api_internal.h"
#include "api/definition.h"
#include "api/handlers.h"
#include "api/writer.h"
#include "base/clock.h"
#include "base/str.h"
#include "calendar/iso8601.h"

enum { PREVIEW_DEFAULT = 10, PREVIEW_MAX = 1000, DESCRIBE_MAX = 4096 };

/* A preview needs neither name nor task, a definition does. */
static bool fill_in(json_t *json)
{
    json_t *task;

    if (!json_is_object(json))
        return true;
    if (!json_object_get(json, "name") && json_object_set_new(json, "name", json_string("preview")))
        return false;
    if (json_object_get(json, "task"))
        return true;
    task = json_pack("{s:s,s:{s:s}}", "type", "rest", "connection", "host", "http://localhost/");
    return task && json_object_set_new(json, "task", task) == 0;
}

static void write_note(struct writer *w, const struct schedule *s, struct wall at)
{
    /* With jitter it is not the occurrence itself that we have here. */
    if (!s->cron || s->jitter_us > 0)
        return;
    switch (cron_note_at(s->cron, s->zone, at)) {
    case CRON_PLAIN:
        break;
    case CRON_MOVED:
        write_cstr(w, "note", "moved");
        break;
    case CRON_MERGED:
        write_cstr(w, "note", "merged");
        break;
    }
}

static void write_description(struct writer *w, const struct cron *c, enum cron_lang lang, const char *name)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    buf_init(&text, DESCRIBE_MAX);
    cron_describe(c, lang, &text);
    write_str(w, name, buf_ok(&text) ? buf_str(&text) : STR(""));
}

static void answer_preview(struct request *r, const struct schedule *s, struct wall from, size_t n)
{
    struct wall times[PREVIEW_MAX];
    struct writer w = writer_of(answer_body(r));
    char local[ISO_TEXT_MAX];

    MUST(n <= PREVIEW_MAX);
    n = timer_preview(s, from, times, n);
    write_object(&w, NULL);
    write_str(&w, "timezone", s->timezone);
    write_array(&w, "times");
    for (size_t i = 0; i < n; i++) {
        write_object(&w, NULL);
        write_wall(&w, "at", times[i]);
        iso_format_local(times[i], s->zone, local);
        write_cstr(&w, "local", local);
        write_note(&w, s, times[i]);
        write_end_object(&w);
    }
    write_end_array(&w);
    if (s->cron) {
        write_object(&w, "describe");
        write_description(&w, s->cron, CRON_EN, "en");
        write_description(&w, s->cron, CRON_KO, "ko");
        write_end_object(&w);
    }
    write_end_object(&w);
    answer_json(r, 200);
}

static struct wall parse_from(const struct request *r, const struct schedule *s, struct error_list *faults)
{
    struct str text = target_param(&r->target, "from");
    struct wall from = {0};
    struct error err;

    if (!text.p)
        return clock_wall();
    if (iso_parse_instant(text, s->zone, &from, &err))
        (void)error_list_add(faults, ERR_INVALID, "?from", "%s", err.text);
    return from;
}

void handle_preview(struct request *r)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    struct error_list faults;
    struct wall from = {0};
    size_t n;

    faults.n = 0;
    faults.dropped = 0;
    n = (size_t)target_number(&r->target, "n", PREVIEW_DEFAULT, 1, PREVIEW_MAX, &faults);
    if (!body_json(r, &json))
        return;
    if (!fill_in(json)) {
        answer_problem(r, PROBLEM_BUSY, "out of memory");
        return;
    }
    if (!definition_decode_loosely(r->api, json, &s, &faults))
        from = parse_from(r, s, &faults);
    if (faults.n > 0)
        answer_faults(r, &faults);
    else
        answer_preview(r, s, from, n);
}
