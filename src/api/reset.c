/*
 * reset.c: everything removed, where the configuration allows it.
 */
#include "api/api_internal.h"
#include "api/definition.h"
#include "api/handlers.h"
#include "api/writer.h"
#include "store/ops_hand.h"

static void free_op(struct op *op)
{
    op_reset_free(CONTAINER_OF(op, struct op_reset, op));
}

static void emptied(struct request *r)
{
    const struct op_reset *o = CONTAINER_OF(r->op, struct op_reset, op);
    struct writer w = writer_of(answer_body(r));

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    write_object(&w, NULL);
    write_i64(&w, "schedules", o->ret_schedules);
    write_i64(&w, "runs", o->ret_runs);
    write_end_object(&w);
    answer_json(r, 200);
}

void handle_reset(struct request *r)
{
    struct op_reset *o;

    if (!r->api->options.reset) {
        answer_problem(r, PROBLEM_FORBIDDEN, "admin.reset is off in this server's configuration");
        return;
    }
    if (!body_is_empty(r))
        return;
    o = op_reset_new(request_op_done);
    request_submit(r, r->api->options.writer, &o->op, free_op, emptied);
}
