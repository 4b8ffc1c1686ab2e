/*
 * export.c: one transaction that reads, from which schedules and their runs come in the order of their ids, a
 * page at a time, and are written as lines.
 *
 * Schedules, open runs and dead runs are three streams, each sorted by the schedule's id, and are merged: so
 * a schedule's runs stand behind it although nothing is asked for each schedule. The transaction is what
 * makes the three one picture.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "move/line.h"
#include "move/move.h"

enum { PAGE_FIRST = 100, PAGE_LEAST = 10, PAGE_MOST = 1000, RUNS_PAGE = 500, TEXT_MAX = MOVE_LINE_MAX };
enum { WRITE_BYTES = 256 * 1024, PAGE_BYTES = 1 << 20 };

struct runs {
    struct moved_page next;
    struct moved_run_list page;
    size_t at;
    bool ended;
};

struct out {
    const struct export_options *o;
    struct export_report *report;
    struct buf text; /* not written yet */
    struct runs open;
    struct runs dead;
};

static void out_done(struct out *out)
{
    buf_done(&out->text);
    moved_run_list_done(&out->open.page);
    moved_run_list_done(&out->dead.page);
}

static enum err write_out(struct out *out, struct error *err)
{
    struct str s = buf_str(&out->text);
    enum err e = buf_check(&out->text, "the export", err);

    while (!e && s.n > 0) {
        ssize_t n = write(out->o->fd, s.p, s.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, "the export", "cannot write");
        s.p += n;
        s.n -= (size_t)n;
    }
    buf_clear(&out->text);
    return e;
}

static enum err write_some(struct out *out, struct error *err)
{
    return out->text.n >= WRITE_BYTES ? write_out(out, err) : ERR_NONE;
}

/* --- runs --- */

/* The next one, or NULL at the end. */
static enum err next_run(struct out *out, struct runs *r, const struct moved_run **ret, struct error *err)
{
    if (r->at == r->page.n && !r->ended) {
        enum err e;

        r->page.n = 0;
        r->at = 0;
        e = store_list_moved(out->o->store, &r->next, &r->page, err);
        if (e)
            return e;
        r->ended = r->page.n < r->next.limit;
        if (r->page.n > 0) {
            const struct run *last = &r->page.items[r->page.n - 1].record.run;

            r->next.schedule_id = last->schedule_id;
            r->next.scheduled_at = last->scheduled_at;
            r->next.id = last->id;
        }
    }
    *ret = r->at < r->page.n ? &r->page.items[r->at] : NULL;
    return ERR_NONE;
}

/* Of the schedule that was just written, or left out. */
static enum err write_runs(struct out *out, struct runs *r, const struct uuid *id, bool written,
                           struct error *err)
{
    const struct moved_run *m;
    enum err e;

    while (!(e = next_run(out, r, &m, err)) && m && uuid_eq(m->record.run.schedule_id, *id)) {
        r->at++;
        if (!written)
            continue;
        line_run(&out->text, m);
        out->report->runs++;
        e = write_some(out, err);
        if (e)
            return e;
    }
    return e;
}

static bool is_before(const struct moved_run *m, const struct uuid *id)
{
    return m && (!id || uuid_cmp(m->record.run.schedule_id, *id) < 0);
}

/*
 * Of schedules before this one (NULL: of all that are left), which are not there. An attempt in flight is
 * nobody's any more; a dead run is still to be seen.
 */
static enum err write_orphans(struct out *out, const struct uuid *id, struct error *err)
{
    const struct moved_run *m;
    enum err e;

    while (!(e = next_run(out, &out->open, &m, err)) && is_before(m, id))
        out->open.at++;
    while (!e && !(e = next_run(out, &out->dead, &m, err)) && is_before(m, id)) {
        line_run(&out->text, m);
        out->report->runs++;
        out->dead.at++;
        e = write_some(out, err);
    }
    return e;
}

/* --- schedules --- */

static enum err hide(const struct export_options *o, const struct record *r, struct buf *ret,
                     struct error *err)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    CLEANUP(json_free_p) json_t *shown = NULL;
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    struct error_list faults = {0};
    enum err e = json_parse((struct str){r->definition, r->definition_n}, JSON_DEPTH_LIMIT, &json, err);

    if (!e && schedule_decode(json, o->rules, NULL, &s, &faults)) {
        if (err)
            *err = faults.items[0];
        return faults.items[0].code;
    }
    if (!e)
        e = schedule_public_json(s, o->rules, &shown, err);
    return e ? e : json_write(shown, ret, err);
}

static enum err write_schedule(struct out *out, const struct record *r, bool *ret_written, struct error *err)
{
    CLEANUP(buf_done_p) struct buf hidden = {0};
    struct str definition = {r->definition, r->definition_n};
    struct error why = {0};

    *ret_written = true;
    if (out->o->hides) {
        buf_init(&hidden, TEXT_MAX);
        if (hide(out->o, r, &hidden, &why)) {
            out->o->left_out(out->o->arg, r->id, &why);
            out->report->left_out++;
            *ret_written = false;
            return ERR_NONE;
        }
        definition = buf_str(&hidden);
    }
    line_schedule(&out->text, r, definition);
    out->report->schedules++;
    return write_some(out, err);
}

static enum err write_with_runs(struct out *out, const struct record *r, struct error *err)
{
    bool written;
    enum err e = write_orphans(out, &r->id, err);

    if (!e)
        e = write_schedule(out, r, &written, err);
    if (!e)
        e = write_runs(out, &out->open, &r->id, written, err);
    return e ? e : write_runs(out, &out->dead, &r->id, written, err);
}

/* Pages are as many as their definitions are large. */
static enum err write_schedules(struct out *out, struct error *err)
{
    struct filter f = {.state = -1, .limit = PAGE_FIRST};
    bool more = true;
    enum err e = ERR_NONE;

    while (!e && more) {
        CLEANUP(record_list_done) struct record_list page = {0};
        size_t bytes = 0;

        e = store_list(out->o->store, &f, &page, err);
        more = page.n == f.limit;
        for (size_t i = 0; !e && i < page.n; i++) {
            bytes += page.items[i].definition_n;
            f.after = page.items[i].id;
            e = write_with_runs(out, &page.items[i], err);
        }
        if (bytes < PAGE_BYTES / 2 && f.limit * 2 <= PAGE_MOST)
            f.limit *= 2;
        else if (bytes > PAGE_BYTES && f.limit / 2 >= PAGE_LEAST)
            f.limit /= 2;
    }
    return e ? e : write_orphans(out, NULL, err);
}

static enum err write_all(struct out *out, struct error *err)
{
    const struct export_options *o = out->o;
    struct wall now;
    enum err e = store_now(o->store, &now, err);

    if (!e)
        e = store_outbox_size(o->store, &out->report->waiting, err);
    if (e)
        return e;
    line_header(&out->text, o->version, now, o->store->ops->name, zones_version(o->rules->zones), o->hides);
    e = write_schedules(out, err);
    if (e)
        return e;
    line_end(&out->text, out->report->schedules, out->report->runs);
    return write_out(out, err);
}

enum err move_export(const struct export_options *o, struct export_report *ret, struct error *err)
{
    CLEANUP(out_done) struct out out = {.o = o, .report = ret};
    enum err e;

    *ret = (struct export_report){0};
    buf_init(&out.text, TEXT_MAX + WRITE_BYTES);
    out.open.next = (struct moved_page){.scheduled_at = {INT64_MIN}, .limit = RUNS_PAGE};
    out.dead.next = (struct moved_page){.dead = true, .scheduled_at = {INT64_MIN}, .limit = RUNS_PAGE};
    e = store_begin(o->store, false, err);
    if (e)
        return e;
    e = write_all(&out, err);
    if (!e)
        e = store_commit(o->store, err);
    if (e)
        store_rollback(o->store);
    return e;
}
