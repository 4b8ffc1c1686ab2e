/*
 * runs.c: runs read and listed, newest first.
 */
#include <stdio.h>

#include "api/api_internal.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/represent.h"
#include "store/ops_run.h"

static void free_get(struct op *op)
{
    op_get_run_free(CONTAINER_OF(op, struct op_get_run, op));
}

static void got(struct request *r)
{
    const struct op_get_run *o = CONTAINER_OF(r->op, struct op_get_run, op);
    struct writer w = writer_of(answer_body(r));

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    represent_run(&w, &o->ret);
    answer_json(r, 200);
}

void handle_run(struct request *r)
{
    struct op_get_run *o = op_get_run_new(request_op_done);

    o->id = r->id;
    request_submit(r, r->api->options.reader, &o->op, free_get, got);
}

static void free_list(struct op *op)
{
    op_list_runs_free(CONTAINER_OF(op, struct op_list_runs, op));
}

static void link_next(struct request *r, const struct op_list_runs *o, struct uuid last)
{
    char path[96] = "/runs";
    char id[UUID_TEXT + 1];

    if (o->check_schedule) {
        uuid_format(o->filter.schedule_id, id);
        (void)snprintf(path, sizeof(path), "/schedules/%s/runs", id);
    }
    page_link(r, path, last);
}

static void listed(struct request *r)
{
    const struct op_list_runs *o = CONTAINER_OF(r->op, struct op_list_runs, op);
    size_t limit = o->filter.limit - 1;
    size_t n = o->ret.n < limit ? o->ret.n : limit;
    struct writer w = writer_of(answer_body(r));

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    write_array(&w, NULL);
    for (size_t i = 0; i < n; i++)
        represent_run(&w, &o->ret.items[i]);
    write_end_array(&w);
    if (o->ret.n > n)
        link_next(r, o, o->ret.items[n - 1].run.id);
    answer_json(r, 200);
}

static void list(struct request *r, bool of_schedule)
{
    struct run_filter f = {.state = -1};
    struct str state = target_param(&r->target, "state");
    struct error_list faults;
    struct op_list_runs *o;
    enum run_state parsed;
    struct page page;

    faults.n = 0;
    faults.dropped = 0;
    page = page_of(r, &faults);
    if (state.p && run_state_parse(state, &parsed))
        f.state = (int)parsed;
    else if (state.p)
        (void)error_list_add(
            &faults, ERR_INVALID, "?state",
            "must be one of pending, running, retrying, succeeded, failed, dead, skipped and cancelled");
    if (faults.n > 0) {
        answer_faults(r, &faults);
        return;
    }
    f.limit = page.limit + 1;
    f.before = page.at;
    o = op_list_runs_new(request_op_done);
    if (of_schedule)
        f.schedule_id = r->id;
    o->check_schedule = of_schedule;
    o->filter = f;
    request_submit(r, r->api->options.reader, &o->op, free_list, listed);
}

void handle_runs(struct request *r)
{
    list(r, false);
}

void handle_schedule_runs(struct request *r)
{
    list(r, true);
}
