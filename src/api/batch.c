/*
 * batch.c: many registrations in one request: each judged alone, those accepted stored by one commit.
 *
 * Decoding thousands of definitions takes a while, so it is done in slices between which this thread's other
 * connections have their turn. A refused item's problem is written at once: ten thousand lists of faults
 * would weigh more than the batch.
 */
#include <stdio.h>

#include "api/api_internal.h"
#include "api/definition.h"
#include "api/handlers.h"
#include "api/represent.h"
#include "base/alloc.h"
#include "base/str.h"

enum { SLICE = 200, PROBLEMS_MAX = 32 * 1024 * 1024 };

/* Why an item was refused: a stretch of `problems`; n 0: it was not, so far. */
struct refusal {
    unsigned status;
    size_t at;
    size_t n;
};

struct batch {
    json_t *array; /* until all items are decoded */
    size_t n;
    size_t at; /* the item whose turn it is */
    size_t accepted;
    struct op_put *put; /* until it is submitted */
    struct refusal *refusals;
    struct buf problems;
};

static void free_batch(void *work)
{
    struct batch *b = work;

    json_free(b->array);
    if (b->put)
        op_put_free(b->put);
    alloc_free(b->refusals);
    buf_done(&b->problems);
    alloc_free(b);
}

static void free_put(struct op *op)
{
    op_put_free(CONTAINER_OF(op, struct op_put, op));
}

static void free_get(struct op *op)
{
    op_get_free(CONTAINER_OF(op, struct op_get, op));
}

/* --- the answer --- */

static void write_refused(struct writer *w, const struct batch *b, size_t i)
{
    const struct refusal *f = &b->refusals[i];

    write_i64(w, "status", (int64_t)f->status);
    write_raw(w, "problem", (struct str){b->problems.p + f->at, f->n});
}

/* The store's own refusal, which a registration by client identity hardly has. */
static void write_failed(struct writer *w, enum err code)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    enum problem p = problem_of(code);

    buf_init(&text, 4096);
    problem_write(&text, p, STR("the store refused the schedule"), NULL);
    write_i64(w, "status", (int64_t)problem_status(p));
    if (buf_ok(&text))
        write_raw(w, "problem", buf_str(&text));
}

static void answer_batch(struct request *r, const struct op_put *o)
{
    const struct batch *b = r->work;
    struct writer w = writer_of(answer_body(r));

    write_array(&w, NULL);
    for (size_t i = 0; i < b->n; i++) {
        write_object(&w, NULL);
        if (b->refusals[i].n > 0) {
            write_refused(&w, b, i);
        } else if (o->items[i].result) {
            write_failed(&w, o->items[i].result);
        } else {
            write_i64(&w, "status", o->items[i].ret_created ? 201 : 200);
            represent_registration(&w, &o->items[i]);
        }
        write_end_object(&w);
    }
    write_end_array(&w);
    answer_json(r, 200);
}

static void stored(struct request *r)
{
    const struct op_put *o = CONTAINER_OF(r->op, struct op_put, op);

    if (o->op.err.code)
        answer_error(r, &o->op.err);
    else
        answer_batch(r, o);
}

/* --- decoding --- */

static void decode_slice(struct request *r);

/* False: there is no room to say why, and the request is answered. */
static bool refuse(struct request *r, size_t i, const struct error_list *faults)
{
    struct batch *b = r->work;
    struct refusal *f = &b->refusals[i];
    const struct error *first = &faults->items[0];
    struct error err;

    /* Our own trouble, not the item's. */
    if (first->code == ERR_MEMORY || first->code == ERR_INTERNAL) {
        answer_error(r, first);
        return false;
    }
    f->status = problem_status(PROBLEM_INVALID);
    f->at = b->problems.n;
    problem_write(&b->problems, PROBLEM_INVALID, faults->n == 1 ? str_of(first->text) : (struct str){NULL, 0},
                  faults);
    f->n = b->problems.n - f->at;
    if (!buf_check(&b->problems, NULL, &err))
        return true;
    answer_error(r, &err);
    return false;
}

/* False: the request is answered. */
static bool decode_item(struct request *r, size_t i, const struct schedule *prior)
{
    struct batch *b = r->work;
    struct error_list faults;

    faults.n = 0;
    faults.dropped = 0;
    if (definition_decode(r->api, json_array_get(b->array, i), NULL, prior, &b->put->items[i].schedule,
                          &faults))
        return refuse(r, i, &faults);
    b->accepted++;
    return true;
}

/* What an earlier item of this batch makes of the same identity; NULL: none does. */
static const struct schedule *find_earlier(const struct batch *b, size_t i, const struct schedule *identity)
{
    while (i-- > 0) {
        const struct schedule *s = b->put->items[i].schedule;

        if (s && client_eq(&s->client, &identity->client))
            return s;
    }
    return NULL;
}

static void decode_with_prior(struct request *r)
{
    CLEANUP(schedule_unref_p) struct schedule *prior = NULL;
    const struct op_get *o = CONTAINER_OF(r->op, struct op_get, op);
    struct batch *b = r->work;
    struct str text = {o->ret.definition, o->ret.definition_n};

    if (o->op.err.code && o->op.err.code != ERR_NOT_FOUND) {
        answer_error(r, &o->op.err);
        return;
    }
    /* One that can't be read has no secrets to keep, as far as we can tell. */
    if (!o->op.err.code && definition_stored(r->api, text, &prior, NULL))
        prior = NULL;
    if (decode_item(r, b->at, prior)) {
        b->at++;
        decode_slice(r);
    }
}

/*
 * An item that keeps secrets: what it replaces is found in this batch or fetched. True: go on with the next
 * item. The fetched one may be older than the put by what others do in between; a batch names no versions, so
 * the secrets kept are those of the moment it was looked at.
 */
static bool keep_secrets(struct request *r)
{
    CLEANUP(schedule_unref_p) struct schedule *identity = NULL;
    CLEANUP(json_free_p) json_t *copy = NULL;
    struct batch *b = r->work;
    const struct schedule *earlier;
    struct error_list faults;
    struct op_get *o;

    faults.n = 0;
    faults.dropped = 0;
    /* A copy: the identity goes to another thread while the item stays here. */
    copy = json_deep_copy_whole(json_array_get(b->array, b->at));
    if (!copy) {
        answer_problem(r, PROBLEM_BUSY, "out of memory");
        return false;
    }
    if (definition_decode_loosely(r->api, copy, &identity, &faults)) {
        if (!refuse(r, b->at, &faults))
            return false;
        b->at++;
        return true;
    }
    earlier = find_earlier(b, b->at, identity);
    if (earlier) {
        if (!decode_item(r, b->at, earlier))
            return false;
        b->at++;
        return true;
    }
    o = op_get_new(request_op_done);
    o->by_client = true;
    o->identity = TAKE(identity);
    request_submit(r, r->api->options.writer, &o->op, free_get, decode_with_prior);
    return false;
}

static bool decode_next(struct request *r)
{
    struct batch *b = r->work;

    if (schedule_json_keeps_secrets(json_array_get(b->array, b->at)))
        return keep_secrets(r);
    if (!decode_item(r, b->at, NULL))
        return false;
    b->at++;
    return true;
}

static void decode_slice(struct request *r)
{
    struct batch *b = r->work;
    struct op_put *o;

    for (size_t n = 0; n < SLICE && b->at < b->n; n++) {
        if (!decode_next(r))
            return;
    }
    if (b->at < b->n) {
        request_again(r, decode_slice);
        return;
    }
    json_free(TAKE(b->array));
    o = TAKE(b->put);
    if (b->accepted == 0) {
        answer_batch(r, o);
        op_put_free(o);
        return;
    }
    request_submit(r, r->api->options.writer, &o->op, free_put, stored);
}

/* --- the handler --- */

static enum err begin(struct request *r, json_t *array, struct error *err)
{
    struct batch *b = alloc_new(struct batch);
    void *refusals;
    enum err e;

    buf_init(&b->problems, PROBLEMS_MAX);
    request_set_work(r, b, free_batch);
    b->array = json_incref(array);
    b->n = json_array_size(array);
    e = alloc_array(b->n, sizeof(struct refusal), &refusals, err);
    if (e)
        return e;
    b->refusals = refusals;
    return op_put_new(b->n, request_op_done, &b->put, err);
}

void handle_batch(struct request *r)
{
    CLEANUP(json_free_p) json_t *array = NULL;
    struct error_list faults;
    struct error err;
    char detail[96];

    if (!body_json(r, &array))
        return;
    if (!json_is_array(array)) {
        faults.n = 0;
        faults.dropped = 0;
        (void)error_list_add(&faults, ERR_INVALID, "", "must be an array of definitions");
        answer_faults(r, &faults);
        return;
    }
    if (json_array_size(array) > r->api->options.batch_max) {
        (void)snprintf(detail, sizeof(detail), "a batch may have at most %zu items",
                       r->api->options.batch_max);
        answer_problem(r, PROBLEM_TOO_LARGE, detail);
        return;
    }
    if (begin(r, array, &err))
        answer_error(r, &err);
    else
        decode_slice(r);
}
