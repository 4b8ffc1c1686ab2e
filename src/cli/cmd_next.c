/*
 * cmd_next.c: carillon next: the calendar on the command line.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "calendar/cron.h"
#include "calendar/iso8601.h"
#include "calendar/zones.h"
#include "cli/command.h"
#include "cli/out.h"

enum { COUNT_DEFAULT = 5, COUNT_MAX = 1000, PRINT_MAX_BYTES = 1024 * 1024 };

struct question {
    const char *text;
    struct cron *cron;
    struct zones *zones;
    const struct zone *zone;
    struct wall from;
    int64_t count;
};

static void question_done(struct question *q)
{
    cron_free(q->cron);
    zones_free(q->zones);
}

/* The setting, since that is the zone of a schedule that names none. 0, or the exit status. */
static int default_zone(const struct cli_host *host, struct buf *ret)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    struct error_list faults = {0};

    if (settings_load(NULL, host->env, &s, &faults))
        return out_fail(
            "%s: %s (the settings are read for scheduler.timezone; --timezone ZONE makes do without)",
            faults.items[0].where, faults.items[0].text);
    buf_add_cstr(ret, s->scheduler.timezone);
    return EXIT_OK;
}

static int read_zone(const struct cli_host *host, const struct command *c, const struct args *a,
                     struct question *q)
{
    CLEANUP(buf_done_p) struct buf name = {0};
    const char *given = args_value(c, a, "timezone");
    struct error err = {0};
    int status = EXIT_OK;

    buf_init(&name, 256);
    if (given)
        buf_add_cstr(&name, given);
    else
        status = default_zone(host, &name);
    if (status)
        return status;
    if (zones_new(cli_zoneinfo(), &q->zones, &err))
        return out_error(&err);
    if (zones_get(q->zones, buf_str(&name), &q->zone, &err))
        return out_usage(c->name, "--timezone: %s", err.text);
    return EXIT_OK;
}

static int read_question(const struct cli_host *host, const struct command *c, const struct args *a,
                         struct question *q)
{
    const char *from = args_value(c, a, "from");
    const char *count = args_value(c, a, "count");
    struct error err = {0};
    int status = read_zone(host, c, a, q);

    if (status)
        return status;
    q->text = a->words[0];
    q->count = COUNT_DEFAULT;
    if (count && (!str_to_i64(str_of(count), &q->count) || q->count < 1 || q->count > COUNT_MAX))
        return out_usage(c->name, "--count must be 1 to %d", COUNT_MAX);
    q->from = clock_wall();
    if (from && iso_parse_instant(str_of(from), q->zone, &q->from, &err))
        return out_usage(c->name, "--from: %s", err.text);
    if (cron_parse(str_of(q->text), 0, &q->cron, &err))
        return out_usage(c->name, "%s: %s", q->text, err.text);
    return EXIT_OK;
}

static void add_json(const struct question *q, struct buf *out)
{
    static const char *const notes[] = {
        [CRON_PLAIN] = "null", [CRON_MOVED] = "\"moved\"", [CRON_MERGED] = "\"merged\""};
    CLEANUP(buf_done_p) struct buf sentence = {0};
    struct wall at = q->from;

    buf_init(&sentence, 4096);
    cron_describe(q->cron, CRON_EN, &sentence);
    buf_add_cstr(out, "{\"cron\":");
    buf_add_json(out, str_of(q->text));
    buf_add_cstr(out, ",\"description\":");
    buf_add_json(out, buf_str(&sentence));
    buf_add_cstr(out, ",\"timezone\":");
    buf_add_json(out, str_of(zone_name(q->zone)));
    buf_add_cstr(out, ",\"occurrences\":[");
    for (int64_t i = 0; i < q->count && cron_next(q->cron, q->zone, at, &at); i++) {
        char utc[ISO_TEXT_MAX];
        char local[ISO_TEXT_MAX];

        iso_format(at, utc);
        iso_format_local(at, q->zone, local);
        buf_addf(out, "%s{\"utc\":\"%s\",\"local\":\"%s\",\"note\":%s}", i ? "," : "", utc, local,
                 notes[cron_note_at(q->cron, q->zone, at)]);
    }
    buf_add_cstr(out, "]}\n");
}

static enum err add_rows(const struct question *q, struct grid *g, struct error *err)
{
    static const char *const notes[] = {
        [CRON_PLAIN] = "",
        [CRON_MOVED] = "its local time does not exist: moved to the first instant after the gap",
        [CRON_MERGED] = "its local time exists twice: fires at the first",
    };
    const char *const heads[] = {"UTC", zone_name(q->zone), ""};
    struct wall at = q->from;
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < COUNT_OF(heads); i++)
        e = grid_add(g, str_of(heads[i]), err);
    for (int64_t i = 0; !e && i < q->count && cron_next(q->cron, q->zone, at, &at); i++) {
        char text[ISO_TEXT_MAX];

        iso_format(at, text);
        e = grid_add(g, str_of(text), err);
        iso_format_local(at, q->zone, text);
        if (!e)
            e = grid_add(g, str_of(text), err);
        if (!e)
            e = grid_add(g, str_of(notes[cron_note_at(q->cron, q->zone, at)]), err);
    }
    return e;
}

static enum err add_text(const struct question *q, struct buf *out, struct error *err)
{
    CLEANUP(grid_done_p) struct grid g = {0};
    enum err e;

    grid_init(&g, 3);
    e = add_rows(q, &g, err);
    if (e)
        return e;
    out_add_plain(out, str_of(q->text));
    buf_add_cstr(out, "\n  ");
    cron_describe(q->cron, CRON_EN, out);
    buf_add_cstr(out, "\n\n");
    grid_print(&g, "  ", out);
    if (g.n / 3 - 1 < (size_t)q->count)
        buf_add_cstr(out, "  and never again before the year 10000\n");
    return ERR_NONE;
}

int command_next(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(question_done) struct question q = {0};
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};
    int status = read_question(host, c, a, &q);

    if (status)
        return status;
    buf_init(&out, PRINT_MAX_BYTES);
    if (args_value(c, a, "json"))
        add_json(&q, &out);
    else if (add_text(&q, &out, &err))
        return out_error(&err);
    return out_print(&out);
}
