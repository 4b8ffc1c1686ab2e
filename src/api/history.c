/*
 * history.c: events of schedules with `history_check`, newest first, from the history database.
 *
 * They are stored as they are shown. When that database is away, its calls are answered 503 with the cause
 * and no other call is touched.
 */
#include "api/history.h"

#include <stdio.h>

#include "api/api_internal.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/writer.h"
#include "base/str.h"
#include "calendar/iso8601.h"
#include "store/journal.h"
#include "store/ops_history.h"

static void free_list(struct op *op)
{
    op_history_list_free(CONTAINER_OF(op, struct op_history_list, op));
}

bool history_is_there(struct request *r)
{
    if (!r->api->options.history)
        answer_problem(r, PROBLEM_UNAVAILABLE, "there is no history database");
    return r->api->options.history;
}

void history_refuse(struct request *r, const struct error *err)
{
    struct error told = *err;

    if (err->code == ERR_UNAVAILABLE || err->code == ERR_IO) {
        told.code = ERR_UNAVAILABLE;
        error_prefix(&told, "the history database is away; events wait and none is lost");
    }
    answer_error(r, &told);
}

/* Of the events that are shown. */
static size_t text_of(const struct op_history_list *o, size_t n)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += o->ret.items[i].text_n;
    return sum;
}

static void listed(struct request *r)
{
    const struct op_history_list *o = CONTAINER_OF(r->op, struct op_history_list, op);
    size_t limit = o->filter.limit - 1;
    size_t n = o->ret.n < limit ? o->ret.n : limit;
    bool of_schedule = r->target.segments_n > 1;
    struct writer w = writer_of(answer_body(r));
    char path[96] = "/history";
    char id[UUID_TEXT + 1];

    if (o->op.err.code) {
        history_refuse(r, &o->op.err);
        return;
    }
    if (!request_has_room(r, text_of(o, n)))
        return;
    write_array(&w, NULL);
    for (size_t i = 0; i < n; i++)
        write_raw(&w, NULL, (struct str){o->ret.items[i].text, o->ret.items[i].text_n});
    write_end_array(&w);
    if (of_schedule) {
        uuid_format(o->filter.schedule_id, id);
        (void)snprintf(path, sizeof(path), "/schedules/%s/history", id);
    }
    if (o->ret.n > n)
        page_link(r, path, o->ret.items[n - 1].id);
    answer_json(r, 200);
}

static void read_time(const struct request *r, const char *name, struct wall *ret, struct error_list *faults)
{
    struct str text = target_param(&r->target, name);
    struct iso_time t;
    char where[16];

    if (!text.p)
        return;
    (void)snprintf(where, sizeof(where), "?%s", name);
    if (iso_parse(text, &t, NULL) || !t.has_offset)
        (void)error_list_add(faults, ERR_INVALID, where,
                             "must be an instant with its offset, such as 2026-11-23T09:00:00Z");
    else
        ret->us = t.local_us - (int64_t)t.offset_s * US_PER_S;
}

static void read_schedule(const struct request *r, struct uuid *ret, struct error_list *faults)
{
    struct str text = target_param(&r->target, "schedule");

    if (text.p && !uuid_parse(text, ret))
        (void)error_list_add(faults, ERR_INVALID, "?schedule", "must be a schedule's id");
}

static void read_kind(const struct request *r, int *ret, struct error_list *faults)
{
    struct str text = target_param(&r->target, "kind");
    enum history_kind kind;

    if (text.p && history_kind_parse(text, &kind))
        *ret = (int)kind;
    else if (text.p)
        (void)error_list_add(faults, ERR_INVALID, "?kind", "is no kind of event");
}

static void list(struct request *r, struct uuid schedule)
{
    struct op_history_list *o;
    struct error_list faults;
    struct page page;

    faults.n = 0;
    faults.dropped = 0;
    if (!history_is_there(r))
        return;
    o = op_history_list_new(request_op_done);
    o->filter.schedule_id = schedule;
    page = page_of(r, &faults);
    read_schedule(r, &o->filter.schedule_id, &faults);
    read_kind(r, &o->filter.kind, &faults);
    read_time(r, "from", &o->filter.from, &faults);
    read_time(r, "to", &o->filter.to, &faults);
    if (faults.n > 0) {
        op_history_list_free(o);
        answer_faults(r, &faults);
        return;
    }
    o->filter.limit = page.limit + 1;
    o->filter.before = page.at;
    request_submit(r, r->api->options.history, &o->op, free_list, listed);
}

void handle_history(struct request *r)
{
    list(r, (struct uuid){{0}});
}

void handle_schedule_history(struct request *r)
{
    list(r, r->id);
}
