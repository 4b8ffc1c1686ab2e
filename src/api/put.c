/*
 * put.c: one schedule registered, or replaced by its id.
 *
 * A definition that keeps secrets ("***") needs the one it replaces. That is fetched on the writer lane, so
 * it is what the put will find, unless somebody else changes it between the two: then the put, which names
 * the version that was fetched, is refused, and all of it is done again, a few times at most.
 */
#include "api/api_internal.h"
#include "api/definition.h"
#include "api/etag.h"
#include "api/handlers.h"
#include "api/represent.h"
#include "base/alloc.h"

enum { KEEP_TRIES_MAX = 5 };

/* What is kept between the steps of a put that keeps secrets. */
struct keep {
    bool by_id;         /* PUT */
    int64_t if_version; /* as the client asked for; 0: any */
    unsigned tries;
};

struct put_target {
    bool by_id;
    struct uuid id;
    int64_t if_version;
};

static void free_put(struct op *op)
{
    op_put_free(CONTAINER_OF(op, struct op_put, op));
}

static void free_get(struct op *op)
{
    op_get_free(CONTAINER_OF(op, struct op_get, op));
}

static void fetch_prior(struct request *r);

/* ERR_NONE, or why the one item was refused. */
static enum err put_outcome(const struct op_put *o, struct error *ret)
{
    if (o->op.err.code) {
        *ret = o->op.err;
        return ret->code;
    }
    switch (o->items[0].result) {
    case ERR_NONE:
        return ERR_NONE;
    case ERR_NOT_FOUND:
        return error_set(ret, ERR_NOT_FOUND, NULL, "there is no schedule with this id");
    case ERR_CONFLICT:
        return error_set(ret, ERR_CONFLICT, NULL, "another schedule has this client identity");
    case ERR_PRECONDITION:
        return error_set(ret, ERR_PRECONDITION, NULL, "the schedule has another version by now");
    case ERR_SYNTAX:
    case ERR_INVALID:
    case ERR_STALE:
    case ERR_TOO_LARGE:
    case ERR_BUSY:
    case ERR_MEMORY:
    case ERR_IO:
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
    case ERR_REFUSED:
    case ERR_UNSUPPORTED:
    case ERR_INTERNAL:
        break;
    }
    return error_set(ret, o->items[0].result, NULL, "the store refused the schedule");
}

/* Somebody came between fetching and putting, and the client did not ask for a version of its own. */
static bool may_try_again(struct request *r, enum err e)
{
    struct keep *k = r->work;

    if (!k || k->if_version != 0 || ++k->tries >= KEEP_TRIES_MAX)
        return false;
    return e == ERR_PRECONDITION || (e == ERR_NOT_FOUND && !k->by_id);
}

static void stored(struct request *r)
{
    const struct op_put *o = CONTAINER_OF(r->op, struct op_put, op);
    const struct op_put_item *item = &o->items[0];
    struct writer w = writer_of(answer_body(r));
    char etag[ETAG_MAX];
    char location[ANSWER_HEADER_TEXT] = "/schedules/";
    struct error err;
    enum err e = put_outcome(o, &err);

    if (e && may_try_again(r, e)) {
        fetch_prior(r);
        return;
    }
    if (e) {
        answer_error(r, &err);
        return;
    }
    write_object(&w, NULL);
    represent_registration(&w, item);
    write_end_object(&w);
    answer_json(r, item->ret_created ? 201 : 200);
    if (r->answer.status >= 300)
        return;
    etag_format(item->ret_version, etag);
    answer_header(r, "ETag", etag);
    uuid_format(item->ret_id, location + sizeof("/schedules/") - 1);
    answer_header(r, "Location", location);
}

static void submit_put(struct request *r, struct schedule *s, struct put_target target)
{
    struct op_put *o;
    struct error err;

    if (op_put_new(1, request_op_done, &o, &err)) {
        schedule_unref(s);
        answer_error(r, &err);
        return;
    }
    o->items[0].schedule = s;
    o->by_id = target.by_id;
    o->id = target.id;
    o->if_version = target.if_version;
    request_submit(r, r->api->options.writer, &o->op, free_put, stored);
}

/* `by_id` in target: a member `id` of the body must agree. */
static void decode_and_put(struct request *r, json_t *json, const struct uuid *path_id,
                           const struct schedule *prior, struct put_target target)
{
    struct schedule *s = NULL;
    struct error_list faults;

    faults.n = 0;
    faults.dropped = 0;
    if (definition_decode(r->api, json, path_id, prior, &s, &faults))
        answer_faults(r, &faults);
    else
        submit_put(r, s, target);
}

/* --- keeping secrets --- */

static void put_with_prior(struct request *r)
{
    CLEANUP(schedule_unref_p) struct schedule *prior = NULL;
    CLEANUP(json_free_p) json_t *json = NULL;
    const struct op_get *o = CONTAINER_OF(r->op, struct op_get, op);
    const struct keep *k = r->work;
    struct put_target target = {.by_id = k->by_id, .id = r->id, .if_version = k->if_version};
    const struct record *found = &o->ret;
    struct error err;

    if (o->op.err.code && (o->op.err.code != ERR_NOT_FOUND || k->by_id)) {
        answer_error(r, &o->op.err);
        return;
    }
    /* Read anew each time: decoding puts the kept secrets into the tree. */
    if (!body_json(r, &json))
        return;
    if (!o->op.err.code) {
        if (definition_stored(r->api, (struct str){found->definition, found->definition_n}, &prior, &err)) {
            if (err.code != ERR_MEMORY)
                (void)error_set(&err, ERR_CONFLICT, "",
                                "the stored definition cannot be read; send its secrets anew");
            answer_error(r, &err);
            return;
        }
        target.by_id = true;
        target.id = found->id;
        if (target.if_version == 0)
            target.if_version = found->version;
    }
    decode_and_put(r, json, k->by_id ? &r->id : NULL, prior, target);
}

/* By client identity; false: there is none, and the request is answered. */
static bool set_identity(struct request *r, struct op_get *o)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct error_list faults;

    faults.n = 0;
    faults.dropped = 0;
    if (!body_json(r, &json))
        return false;
    if (definition_decode_loosely(r->api, json, &o->identity, &faults)) {
        answer_faults(r, &faults);
        return false;
    }
    o->by_client = true;
    return true;
}

static void fetch_prior(struct request *r)
{
    const struct keep *k = r->work;
    struct op_get *o = op_get_new(request_op_done);

    o->id = r->id;
    if (!k->by_id && !set_identity(r, o)) {
        op_get_free(o);
        return;
    }
    request_submit(r, r->api->options.writer, &o->op, free_get, put_with_prior);
}

/* --- the handlers --- */

static void put(struct request *r, bool by_id)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct put_target target = {.by_id = by_id, .id = r->id};
    struct keep *k;
    struct error err;

    if (by_id && etag_if_match(r->headers.if_match, &target.if_version, &err)) {
        answer_error(r, &err);
        return;
    }
    if (!body_json(r, &json))
        return;
    if (!schedule_json_keeps_secrets(json)) {
        decode_and_put(r, json, by_id ? &r->id : NULL, NULL, target);
        return;
    }
    k = alloc_new(struct keep);
    k->by_id = by_id;
    k->if_version = target.if_version;
    request_set_work(r, k, alloc_free);
    fetch_prior(r);
}

void handle_register(struct request *r)
{
    put(r, false);
}

void handle_replace(struct request *r)
{
    put(r, true);
}
