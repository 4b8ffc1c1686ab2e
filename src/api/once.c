/*
 * once.c: see once.h.
 *
 * While the answer is made on the lane's thread the request is away from its own, so it is the lane's to
 * touch. That may happen several times, when a transaction has to be run again; what the time before made is
 * taken back first. A function that asks for a further operation instead of answering has what it asked for
 * put aside until the request is back on its thread.
 *
 * So there are up to three operations: one that looks, before the handler; the wrapping of each that writes;
 * and, where none of those answered, one that keeps the answer, which stands aside meanwhile.
 */
#include "api/once.h"

#include <string.h>

#include "api/api_internal.h"
#include "api/at_work.h"
#include "api/once_answer.h"
#include "api/route.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/str.h"
#include "store/ops_once.h"

enum { KEY_MAX = 255, ANSWER_KEPT_MAX = 1024 * 1024 };
struct once {
    struct op_once op;
    struct uuid key;
    struct uuid request;
    struct op *inner; /* owned while it is not r->op too */
    void (*inner_free)(struct op *op);
    request_fn next; /* what answers */
    bool entered;    /* .key is among those at work */
    bool settled;    /* its answer is kept, or was given again */
    bool aside;      /* .answer is the request's, while it is being kept */
    struct answer answer;
    /* put aside by the lane */
    request_launch_fn later_launch;
    request_fn later_next;
};

/* --- the key --- */

static bool is_key_char(char c)
{
    return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

/* A structured field's string, or the same without its quotes, as most clients send it. */
static bool read_key(struct str header, struct str *ret)
{
    struct str key = str_trim(header);

    if (key.n >= 2 && key.p[0] == '"' && key.p[key.n - 1] == '"')
        key = (struct str){key.p + 1, key.n - 2};
    for (size_t i = 0; i < key.n; i++) {
        if (!is_key_char(key.p[i]))
            return false;
    }
    *ret = key;
    return key.n > 0 && key.n <= KEY_MAX;
}

static enum err digest(const struct str *parts, size_t n, struct uuid *ret, struct error *err)
{
    uint8_t bytes[DIGEST_BYTES];
    enum err e = digest_parts(parts, n, bytes, err);

    if (!e)
        memcpy(ret->b, bytes, sizeof(ret->b));
    return e;
}

static enum err make_digests(const struct request *r, struct str key, struct once *o, struct error *err)
{
    const struct str of_key[] = {STR("Idempotency-Key"), key};
    struct str of_request[TARGET_SEGMENTS_MAX + 2 * QUERY_PARAMS_MAX + 4];
    size_t n = 0;
    enum err e = digest(of_key, COUNT_OF(of_key), &o->key, err);

    /* Of a client's calls only POST comes here, of those made within any that changes something. */
    of_request[n++] = str_of(method_name(r->route->method));
    for (size_t i = 0; i < r->target.segments_n; i++)
        of_request[n++] = r->target.segments[i];
    of_request[n++] = r->headers.if_match.p ? r->headers.if_match : STR("");
    of_request[n++] = STR("?");
    for (size_t i = 0; i < r->target.params_n; i++) {
        of_request[n++] = r->target.params[i].name;
        of_request[n++] = r->target.params[i].value;
    }
    of_request[n++] = buf_str(&r->body);
    return e ? e : digest(of_request, n, &o->request, err);
}

static void answer_at_work(struct request *r)
{
    answer_problem(r, PROBLEM_CONFLICT, "a request with this Idempotency-Key is being worked on");
    answer_header(r, "Retry-After", "1");
}

void once_end(struct request *r)
{
    if (r->once && r->once->entered)
        at_work_leave(r->api->at_work, r->once->key);
    if (r->once)
        r->once->entered = false;
}

void once_free(struct request *r)
{
    struct once *o = r->once;

    if (!o)
        return;
    if (o->inner)
        o->inner_free(o->inner);
    if (o->aside)
        answer_drop(&o->answer);
    once_end(r);
    op_once_done(&o->op);
    alloc_free(o);
    r->once = NULL;
}

/* --- what was found --- */

/* What became of the key, ONCE_DONE apart. */
static void answer_found(struct request *r)
{
    struct once *o = r->once;

    o->settled = true;
    switch (o->op.ret) {
    case ONCE_AGAIN:
        once_answer_give(r, (struct str){o->op.ret_kept.text, o->op.ret_kept.n});
        return;
    case ONCE_OTHER:
        answer_problem(r, PROBLEM_INVALID, "this Idempotency-Key came with another request before");
        return;
    case ONCE_AT_WORK:
        answer_at_work(r);
        return;
    case ONCE_DONE:
        break;
    }
    MUST(false);
}

static void prepare(struct request *r, void (*init)(struct op_once *, op_done_fn))
{
    struct once *o = r->once;

    op_once_done(&o->op);
    init(&o->op, request_op_done);
    o->op.op.arg = r;
    o->op.key = o->key;
    o->op.request = o->request;
}

/* --- before the handler --- */

static enum err launch_look(struct request *r, struct error *err)
{
    prepare(r, op_once_init_look);
    return lane_submit(r->api->options.reader, &r->once->op.op, err);
}

static void looked(struct request *r)
{
    const struct once *o = r->once;

    if (o->op.op.err.code)
        answer_error(r, &o->op.op.err);
    else if (o->op.ret == ONCE_DONE)
        r->route->handle(r);
    else
        answer_found(r);
}

void once_begin(struct request *r)
{
    struct once *o;
    struct str key;
    struct error err;

    if (!read_key(r->headers.idempotency_key, &key)) {
        (void)error_set(&err, ERR_SYNTAX, ":Idempotency-Key",
                        "must be 1 to %d printable characters without \" and \\", (int)KEY_MAX);
        answer_error(r, &err);
        return;
    }
    o = alloc_new(struct once);
    if (make_digests(r, key, o, &err)) {
        alloc_free(o);
        answer_error(r, &err);
        return;
    }
    if (at_work_enter(r->api->at_work, o->key, &err)) {
        alloc_free(o);
        answer_at_work(r);
        return;
    }
    o->entered = true;
    r->once = o;
    request_wait(r, launch_look, looked);
}

/* --- on the lane's thread --- */

static void free_nothing(struct op *op)
{
    (void)op;
}

/* What a request was answered with waits until it may be given. */
static void put_aside(struct request *r)
{
    struct once *o = r->once;

    MUST(!o->aside);
    o->answer = r->answer;
    o->aside = true;
    answer_blank(&r->answer);
}

static void give(struct request *r)
{
    struct once *o = r->once;

    MUST(o->aside);
    answer_drop(&r->answer);
    r->answer = o->answer;
    o->aside = false;
}

static void take_back(struct request *r)
{
    struct once *o = r->once;

    if (o->aside)
        give(r);
    if (r->op && r->op != o->inner)
        r->op_free(r->op);
    r->op = o->inner;
    r->op_free = free_nothing;
    r->launch = NULL;
    answer_clear(r);
}

static enum err make_answer(void *arg, struct buf *out, bool *ret_keep, struct error *err)
{
    struct request *r = arg;
    struct once *o = r->once;
    request_fn after = r->next;

    take_back(r);
    r->next = NULL;
    o->next(r);
    o->later_next = r->next;
    o->later_launch = TAKE(r->launch);
    r->next = after;
    if (!answered(r))
        return ERR_NONE;
    put_aside(r);
    /* Refused, and nothing was done. */
    if (o->inner->err.code && o->op.op.parts == 0)
        return ERR_NONE;
    /* Done, but the answer could not be made: better not done. */
    if (o->answer.status >= 500)
        return error_set(err, ERR_MEMORY, NULL, "there is no memory for the answer");
    *ret_keep = o->answer.status < 300 || o->op.op.parts > 0;
    if (*ret_keep)
        once_answer_write(&o->answer, out);
    return ERR_NONE;
}

/* --- back on the request's thread --- */

static void go_on(struct request *r)
{
    struct once *o = r->once;

    if (r->op == o->inner) {
        r->op_free = o->inner_free;
        o->inner = NULL;
    } else {
        o->inner_free(TAKE(o->inner));
    }
}

static void come_back(struct request *r)
{
    struct once *o = r->once;

    if (o->op.op.err.code) {
        /* The lane gave up: as though it had been handed over bare. */
        take_back(r);
        o->inner->err = o->op.op.err;
        go_on(r);
        o->next(r);
        return;
    }
    if (o->op.ret == ONCE_DONE) {
        go_on(r);
        r->launch = o->later_launch;
        r->next = o->later_next;
        o->settled = o->aside;
        if (o->aside)
            give(r);
        return;
    }
    take_back(r);
    go_on(r);
    answer_found(r);
}

bool once_wanted(const struct request *r)
{
    return r->once && r->op->type->writes;
}

enum err once_submit(struct request *r, struct error *err)
{
    struct once *o = r->once;
    enum err e;

    prepare(r, op_once_init);
    o->op.answer = make_answer;
    o->op.answer_arg = r;
    o->op.answer_max = ANSWER_KEPT_MAX;
    o->op.inner = r->op;
    o->op.op.weight = r->op->weight;
    o->inner = r->op;
    o->inner_free = r->op_free;
    o->next = r->next;
    r->op_free = free_nothing;
    r->next = come_back;
    e = lane_submit(r->lane, &o->op.op, err);
    if (!e)
        return ERR_NONE;
    r->op_free = o->inner_free;
    o->inner = NULL;
    return e;
}

/* --- an answer that no operation wrote for --- */

static enum err tell_answer(void *arg, struct buf *out, bool *ret_keep, struct error *err)
{
    const struct once *o = arg;

    (void)err;
    *ret_keep = true;
    once_answer_write(&o->answer, out);
    return ERR_NONE;
}

static enum err launch_keep(struct request *r, struct error *err)
{
    struct once *o = r->once;

    prepare(r, op_once_init);
    o->op.answer = tell_answer;
    o->op.answer_arg = o;
    o->op.answer_max = ANSWER_KEPT_MAX;
    return lane_submit(r->api->options.writer, &o->op.op, err);
}

static void kept(struct request *r)
{
    struct once *o = r->once;

    if (o->op.op.err.code) {
        answer_error(r, &o->op.op.err);
    } else if (o->op.ret == ONCE_DONE) {
        give(r);
    } else {
        answer_found(r);
    }
}

bool once_keeps(struct request *r)
{
    struct once *o = r->once;

    if (!o || o->settled || !answered(r) || r->answer.status >= 300)
        return false;
    o->settled = true;
    put_aside(r);
    request_wait(r, launch_keep, kept);
    return true;
}
