/*
 * import.c: reads a file line by line, judges each by the code that judges what clients send, and hands on
 * what is good. What is refused is told with its line, and the others go on.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "move/batch.h"
#include "move/line.h"
#include "move/reader.h"

struct in {
    const struct import_options *o;
    struct import_report *report;
    struct reader reader;
    struct batch batch;
    bool has_header;
    bool has_end;
    bool has_unit;     /* .unit is known */
    bool unit_refused; /* and so are its runs */
    struct uuid unit;  /* the schedule whose runs may come */
    bool lost; /* a line in between was refused that may have been a schedule's; which, is not known */
};

static void in_done(struct in *in)
{
    reader_done(&in->reader);
    batch_done(&in->batch);
}

static void name_line(const struct in *in, char place[PLACE_MAX])
{
    (void)snprintf(place, PLACE_MAX, "line %lld", (long long)in->reader.line);
}

static void refuse(struct in *in, const struct error *why)
{
    char place[PLACE_MAX];

    name_line(in, place);
    in->report->refused++;
    in->o->refused(in->o->arg, place, why);
}

/* Each fault by its member; only the first line of several counts. */
static void refuse_all(struct in *in, const struct error_list *faults)
{
    char place[PLACE_MAX];

    name_line(in, place);
    in->report->refused++;
    for (size_t i = 0; i < faults->n; i++) {
        struct error why = faults->items[i];

        error_prefix_where(&why, "/schedule/definition");
        in->o->refused(in->o->arg, place, &why);
    }
}

static enum err take_schedule(struct in *in, struct line *l, struct error *err)
{
    struct schedule *s = NULL;
    struct error_list faults = {0};
    char place[PLACE_MAX];
    enum err e = schedule_decode(l->definition, in->o->rules, NULL, &s, &faults);

    in->lost = false;
    in->has_unit = true;
    in->unit = l->record.id;
    in->unit_refused = e != ERR_NONE;
    /* Not the file's fault: it would be the same for every line. */
    if (e == ERR_MEMORY || e == ERR_IO) {
        *err = faults.items[0];
        return e;
    }
    if (e) {
        refuse_all(in, &faults);
        return ERR_NONE;
    }
    name_line(in, place);
    return batch_add(&in->batch, place, s, &l->record, false, err);
}

static enum err take_run(struct in *in, const struct line *l, struct error *err)
{
    const struct run *r = &l->run.record.run;
    struct error why = {0};
    enum err e;

    if (in->has_unit && uuid_eq(in->unit, r->schedule_id))
        return in->unit_refused ? ERR_NONE : batch_add_run(&in->batch, &l->run, err);
    if (r->state != RUN_DEAD) {
        (void)error_set(&why, ERR_INVALID, "/run/schedule_id",
                        "is not the schedule that this run stands behind");
        refuse(in, &why);
        return ERR_NONE;
    }
    if (in->lost) {
        (void)error_set(&why, ERR_INVALID, "/run/schedule_id",
                        "may be the schedule of a line before it that was refused");
        refuse(in, &why);
        return ERR_NONE;
    }
    in->has_unit = false;
    e = batch_end(&in->batch, err);
    return e ? e : batch_add_orphan(&in->batch, &l->run, err);
}

static enum err take_header(struct in *in, const struct line *l)
{
    const char *here = zones_version(in->o->rules->zones);

    in->has_header = true;
    /* Unknown is taken to be the same. */
    in->batch.retime = l->tzdata[0] != '\0' && here[0] != '\0' && strcmp(l->tzdata, here) != 0;
    return ERR_NONE;
}

static enum err take(struct in *in, struct line *l, struct error *err)
{
    struct error why = {0};

    if (!in->has_header && l->kind != LINE_HEADER)
        return error_set(err, ERR_INVALID, "line 1", "this is no export of Carillon's: it has no header");
    if (in->has_end) {
        (void)error_set(&why, ERR_INVALID, "", "comes behind the end");
        refuse(in, &why);
        return ERR_NONE;
    }
    switch (l->kind) {
    case LINE_UNKNOWN:
        return ERR_NONE; /* only of lines that cannot be read */
    case LINE_HEADER:
        return in->has_header ? error_set(err, ERR_INVALID, "", "a second header") : take_header(in, l);
    case LINE_SCHEDULE:
        return take_schedule(in, l, err);
    case LINE_RUN:
        return take_run(in, l, err);
    case LINE_END:
        in->has_end = true;
        return ERR_NONE;
    }
    return ERR_NONE;
}

/* A line that cannot be read. If it was a schedule, its runs are none of a deleted one's. */
static enum err refuse_line(struct in *in, const struct line *l, const struct error *why, struct error *err)
{
    if (!in->has_header)
        return error_set(err, ERR_INVALID, "line 1", "this is no export of Carillon's: %s%s%s", why->where,
                         why->where[0] != '\0' ? ": " : "", why->text);
    refuse(in, why);
    if (!uuid_is_nil(l->record.id)) {
        in->lost = false;
        in->has_unit = true;
        in->unit = l->record.id;
        in->unit_refused = true;
    } else if (l->kind == LINE_SCHEDULE || l->kind == LINE_UNKNOWN) {
        in->lost = true;
    }
    return ERR_NONE;
}

/* Every text here is one line: which, its place says. */
static void name_column(struct error *why)
{
    static const char first[] = "line 1, ";
    const size_t n = sizeof(first) - 1;

    if (strncmp(why->where, first, n) == 0)
        memmove(why->where, why->where + n, strlen(why->where) - n + 1);
}

static enum err take_text(struct in *in, struct str text, struct error *err)
{
    struct line l = {0};
    struct error why = {0};
    enum err e = line_read(text, &l, &why);

    if (e == ERR_MEMORY) {
        *err = why;
        return e;
    }
    name_column(&why);
    if (e)
        return refuse_line(in, &l, &why, err);
    e = take(in, &l, err);
    line_done(&l);
    return e;
}

static enum err read_all(struct in *in, struct error *err)
{
    bool there = true;
    enum err e = ERR_NONE;

    while (!e && there) {
        struct error why = {0};
        struct str text;
        bool too_long;

        e = reader_next(&in->reader, &text, &too_long, &there, err);
        if (e || !there)
            return e;
        if (too_long) {
            (void)error_set(&why, ERR_TOO_LARGE, "", "is longer than %d bytes", MOVE_LINE_MAX);
            e = refuse_line(in, &(struct line){0}, &why, err);
        } else if (str_trim(text).n > 0) {
            e = take_text(in, text, err);
        }
    }
    return e;
}

enum err move_import(const struct import_options *o, int fd, struct import_report *ret, struct error *err)
{
    CLEANUP(in_done) struct in in = {.o = o, .report = ret};
    enum err e;

    *ret = (struct import_report){0};
    reader_init(&in.reader, fd, MOVE_LINE_MAX);
    batch_init(&in.batch, o, ret);
    e = read_all(&in, err);
    if (!e)
        e = batch_end(&in.batch, err);
    if (!e && !in.has_header)
        return error_set(err, ERR_INVALID, "", "the file is empty");
    ret->cut = !in.has_end;
    return e;
}
