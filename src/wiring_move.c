/*
 * wiring_move.c: carillon export and import: the database that the settings name, opened by the command line
 * itself, and what came of it in words. Main thread; no service runs in this process.
 */
#include "base/clock.h"
#include "base/str.h"
#include "cli/out.h"
#include "move/move.h"
#include "store/postgres/queue_table.h"
#include "wiring.h"

struct moving {
    struct wiring_rules rules;
    struct wiring_store *db;
    struct store *store;
};

static void moving_done(struct moving *m)
{
    store_close(m->store);
    wiring_store_free(m->db);
    wiring_rules_done(&m->rules);
}

/* --- export --- */

static void on_left_out(void *arg, struct uuid id, const struct error *why)
{
    char text[UUID_TEXT + 1];

    (void)arg;
    uuid_format(id, text);
    (void)out_fail("schedule %s is left out: %s: %s", text, why->where, why->text);
}

static enum err open_to_read(struct moving *m, const struct settings *s, struct error *err)
{
    enum err e = wiring_rules_init(&m->rules, s, err);

    if (!e)
        e = wiring_store_look(s, &m->db, err);
    return e ? e : wiring_store_reader(m->db, &m->store, err);
}

int wiring_export(const struct cli_host *host, const struct settings *s, const struct cli_export *o)
{
    CLEANUP(moving_done) struct moving m = {0};
    struct export_report report;
    struct error err = {0};
    struct export_options options = {
        .rules = &m.rules.stored,
        .fd = o->fd,
        .hides = o->hides,
        .version = host->version,
        .left_out = on_left_out,
    };

    if (open_to_read(&m, s, &err))
        return out_error(&err);
    options.store = m.store;
    if (move_export(&options, &report, &err))
        return out_error(&err);
    (void)out_fail("%lld schedules and %lld runs written", (long long)report.schedules,
                   (long long)report.runs);
    if (report.waiting > 0)
        (void)out_fail("note: about %lld events are not in the history database yet; before this database is "
                       "given up, let carillon serve run until they are",
                       (long long)report.waiting);
    return report.left_out > 0 ? EXIT_FAILED : EXIT_OK;
}

/* --- import --- */

static void on_refused(void *arg, const char *place, const struct error *why)
{
    (void)arg;
    if (why->where[0] != '\0')
        (void)out_fail("%s: %s: %s", place, why->where, why->text);
    else
        (void)out_fail("%s: %s", place, why->text);
}

/* An import that is repeated skips all that is there. */
enum { SKIPS_NAMED = 100 };

static void on_skipped(void *arg, const char *place, const char *why)
{
    int64_t *skips = arg;

    if (++*skips <= SKIPS_NAMED)
        (void)out_fail("%s is skipped: %s", place, why);
}

/* A dry run makes no database: one that is not there has nothing in the way. */
static enum err open_to_write(struct moving *m, const struct settings *s, bool dry, struct error *err)
{
    enum err e = wiring_rules_init(&m->rules, s, err);

    if (e)
        return e;
    if (dry) {
        e = wiring_store_look(s, &m->db, err);
        if (e == ERR_NOT_FOUND)
            return ERR_NONE;
        return e ? e : wiring_store_reader(m->db, &m->store, err);
    }
    e = wiring_store_import(s, &m->db, err);
    return e ? e : wiring_store_writer(m->db, &m->store, err);
}

static enum err import(const struct moving *m, const struct cli_import *o, struct import_report *ret,
                       struct error *err)
{
    static const enum on_conflict conflicts[] = {
        [CLI_SKIP] = CONFLICT_SKIP, [CLI_REPLACE] = CONFLICT_REPLACE, [CLI_FAIL] = CONFLICT_FAIL};
    int64_t skips = 0;
    const struct import_options options = {
        .store = m->store,
        .dry = o->dry,
        .rules = &m->rules.clients,
        .on_conflict = conflicts[o->on_conflict],
        .now = clock_wall(),
        .refused = on_refused,
        .skipped = on_skipped,
        .arg = &skips,
    };
    const struct queue_options queue = {.now = options.now, .data_alone = o->data_alone};
    const struct queue_table_options from = {
        .url = o->queue_url, .table = o->queue_table, .timezone = o->queue_timezone};
    CLEANUP(queue_table_close_p) struct queue_table *table = NULL;
    enum err e = ERR_NONE;

    if (o->queue_url)
        e = queue_table_open(&from, &table, err);
    if (!e && o->queue_url)
        e = move_import_queue(&options, &queue, table, ret, err);
    else if (!e)
        e = move_import(&options, o->fd, ret, err);
    if (skips > SKIPS_NAMED)
        (void)out_fail("and %lld more are skipped", (long long)(skips - SKIPS_NAMED));
    if (ret->unsure)
        (void)out_fail(
            "note: the dry run remembers 100000 schedules; of those behind them it cannot tell which "
            "have an id or a client that an earlier one has");
    return e;
}

static int print_report(const struct import_report *r, const struct cli_import *o)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    buf_init(&out, 1024);
    if (o->json)
        buf_addf(&out,
                 "{\"dry_run\":%s,\"registered\":%lld,\"replaced\":%lld,\"skipped\":%lld,\"refused\":%lld,"
                 "\"runs\":%lld}\n",
                 o->dry ? "true" : "false", (long long)r->registered, (long long)r->replaced,
                 (long long)r->skipped, (long long)r->refused, (long long)r->runs);
    else
        buf_addf(&out, "%sregistered %lld, replaced %lld, skipped %lld, refused %lld; %lld runs came along\n",
                 o->dry ? "dry run, nothing is written: " : "", (long long)r->registered,
                 (long long)r->replaced, (long long)r->skipped, (long long)r->refused, (long long)r->runs);
    return out_print(&out);
}

int wiring_import(const struct cli_host *host, const struct settings *s, const struct cli_import *o)
{
    CLEANUP(moving_done) struct moving m = {0};
    struct import_report report = {0};
    struct error err = {0};
    int status;
    enum err e = open_to_write(&m, s, o->dry, &err);

    (void)host;
    if (e)
        return out_error(&err);
    e = import(&m, o, &report, &err);
    status = print_report(&report, o);
    if (e)
        return out_error(&err);
    if (report.cut && !o->queue_url)
        return out_fail("the file has no end: it was cut short, and schedules may be missing");
    return report.refused > 0 ? EXIT_FAILED : status;
}
