/*
 * act.c: what can be done with a schedule beside changing it: pause, resume, trigger.
 */
#include "api/api_internal.h"
#include "api/definition.h"
#include "api/etag.h"
#include "api/handlers.h"
#include "api/represent.h"

static void free_act(struct op *op)
{
    op_act_free(CONTAINER_OF(op, struct op_act, op));
}

static void triggered(struct request *r, const struct op_act *o)
{
    struct run_record made = {.run = o->ret_run, .started_at = WALL_NEVER, .ended_at = WALL_NEVER};
    struct writer w = writer_of(answer_body(r));
    char location[ANSWER_HEADER_TEXT] = "/runs/";

    represent_run(&w, &made);
    answer_json(r, 202);
    uuid_format(made.run.id, location + sizeof("/runs/") - 1);
    answer_header(r, "Location", location);
}

static void acted(struct request *r)
{
    const struct op_act *o = CONTAINER_OF(r->op, struct op_act, op);
    struct writer w = writer_of(answer_body(r));
    char etag[ETAG_MAX];
    struct error err;

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    if (o->kind == OP_TRIGGER) {
        triggered(r, o);
        return;
    }
    if (represent_schedule(&w, r->api, &o->ret, &err)) {
        answer_error(r, &err);
        return;
    }
    etag_format(o->ret.version, etag);
    answer_json(r, 200);
    answer_header(r, "ETag", etag);
}

static void act(struct request *r, enum op_act_kind kind)
{
    struct op_act *o;
    struct error err;
    int64_t if_version;

    if (etag_if_match(r->headers.if_match, &if_version, &err)) {
        answer_error(r, &err);
        return;
    }
    if (!body_is_empty(r))
        return;
    o = op_act_new(request_op_done);
    o->kind = kind;
    o->id = r->id;
    o->if_version = if_version;
    o->rules = &r->api->stored_rules;
    request_submit(r, r->api->options.writer, &o->op, free_act, acted);
}

void handle_pause(struct request *r)
{
    act(r, OP_PAUSE);
}

void handle_resume(struct request *r)
{
    act(r, OP_RESUME);
}

void handle_trigger(struct request *r)
{
    act(r, OP_TRIGGER);
}
