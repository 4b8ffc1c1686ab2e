/*
 * schedules.c: schedules read, listed and deleted.
 */
#include "api/api_internal.h"
#include "api/etag.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/represent.h"
#include "base/alloc.h"

/* What is represented before this thread's other connections have their turn. */
enum { SLICE = 100 };

/* --- one --- */

static void free_get(struct op *op)
{
    op_get_free(CONTAINER_OF(op, struct op_get, op));
}

static void got(struct request *r)
{
    const struct op_get *o = CONTAINER_OF(r->op, struct op_get, op);
    struct writer w = writer_of(answer_body(r));
    char etag[ETAG_MAX];
    struct error err;

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    etag_format(o->ret.version, etag);
    if (etag_none_match(r->headers.if_none_match, o->ret.version)) {
        answer_empty(r, 304);
        answer_header(r, "ETag", etag);
        return;
    }
    if (represent_schedule(&w, r->api, &o->ret, &err)) {
        answer_error(r, &err);
        return;
    }
    answer_json(r, 200);
    answer_header(r, "ETag", etag);
}

void handle_get(struct request *r)
{
    struct op_get *o = op_get_new(request_op_done);

    o->id = r->id;
    request_submit(r, r->api->options.reader, &o->op, free_get, got);
}

/* --- many --- */

/* Views into the request's target, which outlives the operation. */
static struct filter filter_of(const struct request *r, struct error_list *faults)
{
    const struct target *t = &r->target;
    struct filter f = {
        .operation = target_param(t, "operation"),
        .application = target_param(t, "application"),
        .group = target_param(t, "group"),
        .key = target_param(t, "key"),
        .type = target_param(t, "type"),
        .name_prefix = target_param(t, "name"),
        .state = -1,
    };
    struct str state = target_param(t, "state");
    enum schedule_state parsed;

    if (state.p && schedule_state_parse(state, &parsed))
        f.state = (int)parsed;
    else if (state.p)
        (void)error_list_add(faults, ERR_INVALID, "?state", "must be one of active, paused and finished");
    return f;
}

static void free_list(struct op *op)
{
    op_list_free(CONTAINER_OF(op, struct op_list, op));
}

/* A page under construction: representing a schedule reads its definition, a thousand take a while. */
struct listing {
    struct writer w;
    size_t at;
};

static void write_slice(struct request *r)
{
    const struct op_list *o = CONTAINER_OF(r->op, struct op_list, op);
    struct listing *l = r->work;
    size_t limit = o->filter.limit - 1;
    size_t n = o->ret.n < limit ? o->ret.n : limit;
    size_t until = n - l->at < SLICE ? n : l->at + SLICE;
    struct error err;

    for (; l->at < until; l->at++) {
        if (represent_schedule(&l->w, r->api, &o->ret.items[l->at], &err)) {
            answer_error(r, &err);
            return;
        }
    }
    if (l->at < n) {
        request_again(r, write_slice);
        return;
    }
    write_end_array(&l->w);
    if (o->ret.n > n)
        page_link(r, "/schedules", o->ret.items[n - 1].id);
    answer_json(r, 200);
}

/* Of the definitions that are shown. */
static size_t text_of(const struct op_list *o)
{
    size_t limit = o->filter.limit - 1;
    size_t n = 0;

    for (size_t i = 0; i < o->ret.n && i < limit; i++)
        n += o->ret.items[i].definition_n;
    return n;
}

static void listed(struct request *r)
{
    const struct op_list *o = CONTAINER_OF(r->op, struct op_list, op);
    struct listing *l;

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    if (!request_has_room(r, text_of(o)))
        return;
    l = alloc_new(struct listing);
    l->w = writer_of(answer_body(r));
    request_set_work(r, l, alloc_free);
    write_array(&l->w, NULL);
    write_slice(r);
}

void handle_list(struct request *r)
{
    struct error_list faults;
    struct op_list *o;
    struct filter f;
    struct page page;

    faults.n = 0;
    faults.dropped = 0;
    f = filter_of(r, &faults);
    page = page_of(r, &faults);
    if (faults.n > 0) {
        answer_faults(r, &faults);
        return;
    }
    /* One more than is shown tells whether there is a next page. */
    f.limit = page.limit + 1;
    f.after = page.at;
    o = op_list_new(request_op_done);
    o->filter = f;
    request_submit(r, r->api->options.reader, &o->op, free_list, listed);
}

/* --- deleting --- */

static void free_remove(struct op *op)
{
    op_remove_free(CONTAINER_OF(op, struct op_remove, op));
}

static void removed(struct request *r)
{
    const struct op_remove *o = CONTAINER_OF(r->op, struct op_remove, op);
    struct writer w = writer_of(answer_body(r));

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    write_object(&w, NULL);
    write_i64(&w, "count", o->by_id ? 1 : o->ret_count);
    write_end_object(&w);
    answer_json(r, 200);
}

void handle_delete(struct request *r)
{
    struct op_remove *o;
    struct error err;
    int64_t if_version;

    if (etag_if_match(r->headers.if_match, &if_version, &err)) {
        answer_error(r, &err);
        return;
    }
    o = op_remove_new(request_op_done);
    o->by_id = true;
    o->op.weight = 1;
    o->id = r->id;
    o->if_version = if_version;
    request_submit(r, r->api->options.writer, &o->op, free_remove, removed);
}

void handle_delete_all(struct request *r)
{
    struct error_list faults;
    struct op_remove *o;
    struct filter f;

    faults.n = 0;
    faults.dropped = 0;
    f = filter_of(r, &faults);
    if (faults.n > 0) {
        answer_faults(r, &faults);
        return;
    }
    if (filter_is_empty(&f)) {
        answer_problem(r, PROBLEM_INVALID,
                       "at least one filter must be given: what it is to delete must be said");
        return;
    }
    o = op_remove_new(request_op_done);
    o->filter = f;
    request_submit(r, r->api->options.writer, &o->op, free_remove, removed);
}
