/*
 * queries.c: see queries.h.
 */
#include "api/graphql/queries.h"

#include "api/api_internal.h"
#include "api/definition.h"
#include "api/graphql/connection.h"
#include "api/represent.h"
#include "base/str.h"
#include "store/ops_run.h"
#include "store/ops_schedule.h"

/* --- the schedule with an identity --------------------------------------------------------------------- */

static void free_get(struct op *op)
{
    op_get_free(CONTAINER_OF(op, struct op_get, op));
}

static void got(struct request *r)
{
    const struct op_get *o = CONTAINER_OF(r->op, struct op_get, op);
    struct writer w = writer_of(answer_body(r));
    struct error err;

    if (o->op.err.code)
        answer_error(r, &o->op.err);
    else if (represent_schedule(&w, r->api, &o->ret, &err))
        answer_error(r, &err);
    else
        answer_json(r, 200);
}

/* A definition around the identity, which decides what one may be. */
static bool complete(json_t *body)
{
    json_t *task = json_pack("{s:s,s:{s:s}}", "type", "rest", "connection", "host", "http://localhost/");

    return json_object_set_new(body, "task", task) == 0 &&
           json_object_set_new(body, "name", json_string("?")) == 0 &&
           json_object_set_new(body, "type", json_string("now")) == 0;
}

void handle_by_client(struct request *r)
{
    CLEANUP(json_free_p) json_t *body = NULL;
    struct error_list faults;
    struct schedule *identity = NULL;
    struct op_get *o;

    faults.n = 0;
    faults.dropped = 0;
    if (!body_json(r, &body))
        return;
    if (!complete(body)) {
        answer_problem(r, PROBLEM_BUSY, "out of memory");
        return;
    }
    if (definition_decode_loosely(r->api, body, &identity, &faults)) {
        answer_faults(r, &faults);
        return;
    }
    o = op_get_new(request_op_done);
    o->by_client = true;
    o->identity = identity;
    request_submit(r, r->api->options.reader, &o->op, free_get, got);
}

/* --- numbers ------------------------------------------------------------------------------------------- */

static void free_stats(struct op *op)
{
    op_stats_free(CONTAINER_OF(op, struct op_stats, op));
}

static void write_count(struct writer *w, const char *state, int64_t count)
{
    write_object(w, NULL);
    write_cstr(w, "state", state);
    write_i64(w, "count", count);
    write_end_object(w);
}

static void counted(struct request *r)
{
    const struct op_stats *o = CONTAINER_OF(r->op, struct op_stats, op);
    static const enum run_state kept[] = {RUN_PENDING, RUN_RUNNING, RUN_RETRYING, RUN_DEAD};
    struct writer w = writer_of(answer_body(r));

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    write_object(&w, NULL);
    write_array(&w, "schedules");
    for (size_t i = 0; i < COUNT_OF(o->ret.schedules); i++)
        write_count(&w, schedule_state_name((enum schedule_state)i), o->ret.schedules[i]);
    write_end_array(&w);
    write_array(&w, "runs");
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        write_count(&w, run_state_name(kept[i]), o->ret.runs[kept[i]]);
    write_end_array(&w);
    write_end_object(&w);
    answer_json(r, 200);
}

void handle_stats(struct request *r)
{
    struct op_stats *o = op_stats_new(request_op_done);

    request_submit(r, r->api->options.reader, &o->op, free_stats, counted);
}

void handle_version_told(struct request *r)
{
    buf_add(answer_body(r), buf_str(&r->api->version));
    answer_json(r, 200);
}

/* --- what is made of an answer ------------------------------------------------------------------------- */

void give_json(struct gql_call *call, struct request *r)
{
    const json_t *json = call_answer(call, r);

    if (json)
        call->values[0] = gql_json(json);
}

void give_connection(struct gql_call *call, struct request *r)
{
    bool more = r->answer.link.n > 0;
    const json_t *items = call_answer(call, r);

    if (items)
        call->values[0] = connection_new(call->execution, items, more);
}

void give_empty(struct gql_call *call, struct request *r)
{
    json_t *none = json_array();

    (void)r;
    if (none && gql_keep_json(call->execution, none))
        call->values[0] = connection_new(call->execution, none, false);
}

void give_null(struct gql_call *call, struct request *r)
{
    (void)r;
    call->values[0] = gql_null();
}
