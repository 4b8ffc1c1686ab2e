/*
 * redrive.c: what people do with runs: dead ones redriven or discarded, waiting ones cancelled.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/api_internal.h"
#include "api/body.h"
#include "api/definition.h"
#include "api/handlers.h"
#include "api/represent.h"
#include "base/str.h"
#include "store/ops_hand.h"

enum { IDS_MAX = 1000, MANY_MAX = 10000 };

static void free_act(struct op *op)
{
    op_run_act_free(CONTAINER_OF(op, struct op_run_act, op));
}

/* Why a run was not acted on. */
static enum err refusal(enum run_act_kind kind, const struct run_act *a, struct error *err)
{
    const char *state = run_state_name(a->ret.run.state);

    switch (a->result) {
    case RUN_ACTED:
        return ERR_NONE;
    case RUN_UNKNOWN:
        return error_set(err, ERR_NOT_FOUND, NULL, "there is no run with this id");
    case RUN_ORPHAN:
        return error_set(err, ERR_CONFLICT, NULL, "its schedule was deleted: the run can only be discarded");
    case RUN_TAKEN:
        return error_set(err, ERR_CONFLICT, NULL, "another open run stands for the same occurrence");
    case RUN_NOT_NOW:
        break;
    }
    if (kind == RUN_REDRIVE)
        return error_set(err, ERR_CONFLICT, NULL, "only a dead run can be redriven; this one is %s", state);
    if (a->ret.run.state == RUN_RUNNING)
        return error_set(err, ERR_CONFLICT, NULL,
                         "an attempt is under way; pause or delete the schedule to keep it from a retry");
    return error_set(err, ERR_CONFLICT, NULL, "the run is over: it is %s", state);
}

/* --- one --- */

static void acted(struct request *r)
{
    const struct op_run_act *o = CONTAINER_OF(r->op, struct op_run_act, op);
    struct writer w = writer_of(answer_body(r));
    struct error err;

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    if (refusal(o->kind, &o->acts[0], &err)) {
        answer_error(r, &err);
        return;
    }
    represent_run(&w, &o->acts[0].ret);
    answer_json(r, o->kind == RUN_REDRIVE ? 202 : 200);
}

static void act(struct request *r, enum run_act_kind kind)
{
    struct op_run_act *o;
    struct error err;

    if (op_run_act_new(1, request_op_done, &o, &err)) {
        answer_error(r, &err);
        return;
    }
    o->kind = kind;
    o->acts[0].id = r->id;
    request_submit(r, r->api->options.writer, &o->op, free_act, acted);
}

void handle_redrive(struct request *r)
{
    if (body_is_empty(r))
        act(r, RUN_REDRIVE);
}

void handle_discard(struct request *r)
{
    act(r, RUN_DISCARD);
}

/* --- many --- */

static void write_refusals(struct writer *w, const struct op_run_act *o)
{
    write_array(w, "errors");
    for (size_t i = 0; !o->by_filter && i < o->n; i++) {
        struct error err;

        if (!refusal(o->kind, &o->acts[i], &err))
            continue;
        write_object(w, NULL);
        write_uuid(w, "id", o->acts[i].id);
        write_cstr(w, "detail", err.text);
        write_end_object(w);
    }
    write_end_array(w);
}

static void redriven(struct request *r)
{
    const struct op_run_act *o = CONTAINER_OF(r->op, struct op_run_act, op);
    struct writer w = writer_of(answer_body(r));

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    write_object(&w, NULL);
    write_i64(&w, "redriven", o->ret_done);
    write_i64(&w, "refused", o->ret_refused);
    write_bool(&w, "more", o->by_filter && o->ret_more);
    write_refusals(&w, o);
    write_end_object(&w);
    answer_json(r, 202);
}

static int by_id(const void *a, const void *b)
{
    const struct run_act *x = a;
    const struct run_act *y = b;

    return uuid_cmp(x->id, y->id);
}

/* Sorted, each once. */
static void make_distinct(struct op_run_act *o)
{
    size_t n = 0;

    qsort(o->acts, o->n, sizeof(o->acts[0]), by_id);
    for (size_t i = 0; i < o->n; i++) {
        if (n == 0 || !uuid_eq(o->acts[n - 1].id, o->acts[i].id))
            o->acts[n++] = o->acts[i];
    }
    o->n = n;
}

static void read_ids(const json_t *ids, struct op_run_act *o, struct error_list *faults)
{
    for (size_t i = 0; i < o->n; i++) {
        const json_t *v = json_array_get(ids, i);
        char pointer[32];

        if (json_is_string(v) && uuid_parse(json_str(v), &o->acts[i].id))
            continue;
        (void)snprintf(pointer, sizeof(pointer), "/ids/%zu", i);
        (void)error_list_add(faults, ERR_INVALID, pointer, "must be an id");
    }
    make_distinct(o);
}

static void read_filter(const json_t *json, struct op_run_act *o, struct error_list *faults)
{
    const json_t *state = json_object_get(json, "state");
    int64_t limit = MANY_MAX;

    if (json_is_null(state))
        state = NULL;
    o->by_filter = true;
    if (state && !(json_is_string(state) && str_eq(json_str(state), STR("dead"))))
        (void)error_list_add(faults, ERR_INVALID, "/state", "must be \"dead\": others are not redriven");
    if (!body_uuid(json, "schedule_id", &o->filter.schedule_id, faults) && !state)
        (void)error_list_add(faults, ERR_INVALID, "",
                             "must name runs: by `ids`, by `schedule_id`, or all by \"state\": \"dead\"");
    (void)body_integer(json, "limit", 1, MANY_MAX, &limit, faults);
    o->limit = (size_t)limit;
}

static bool ids_are_fit(const json_t *json, const json_t *ids, struct error_list *faults)
{
    if (json_object_size(json) > 1)
        (void)error_list_add(faults, ERR_INVALID, "/ids", "stands alone: it says which runs are meant");
    if (!json_is_array(ids) || json_array_size(ids) == 0 || json_array_size(ids) > IDS_MAX)
        (void)error_list_add(faults, ERR_INVALID, "/ids", "must be an array of 1 to %d ids", (int)IDS_MAX);
    return faults->n == 0;
}

void handle_redrive_many(struct request *r)
{
    static const char *const members[] = {"ids", "schedule_id", "state", "limit", NULL};
    CLEANUP(json_free_p) json_t *json = NULL;
    struct op_run_act *o = NULL;
    struct error_list faults;
    struct error err;
    const json_t *ids;

    faults.n = 0;
    faults.dropped = 0;
    if (!body_object(r, members, &json))
        return;
    ids = json_object_get(json, "ids");
    if (json_is_null(ids))
        ids = NULL;
    if (ids && !ids_are_fit(json, ids, &faults)) {
        answer_faults(r, &faults);
        return;
    }
    if (op_run_act_new(ids ? json_array_size(ids) : 0, request_op_done, &o, &err)) {
        answer_error(r, &err);
        return;
    }
    o->kind = RUN_REDRIVE;
    if (ids)
        read_ids(ids, o, &faults);
    else
        read_filter(json, o, &faults);
    if (faults.n > 0) {
        op_run_act_free(o);
        answer_faults(r, &faults);
        return;
    }
    request_submit(r, r->api->options.writer, &o->op, free_act, redriven);
}
