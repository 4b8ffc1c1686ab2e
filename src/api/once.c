/*
 * once.c: see once.h.
 *
 * While the answer is made on the lane's thread the request is away from its own, so it is the lane's to
 * touch. That may happen several times, when a transaction has to be run again; what the time before made is
 * taken back first. A function that asks for a further operation instead of answering has what it asked for
 * put aside until the request is back on its thread.
 */
#include "api/once.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_internal.h"
#include "api/route.h"
#include "base/alloc.h"
#include "base/digest.h"
#include "base/map.h"
#include "base/str.h"
#include "store/ops_once.h"

enum { KEY_MAX = 255, ANSWER_KEPT_MAX = 1024 * 1024 };
/* What is kept of an answer too large to be kept. */
#define TOO_LARGE_TEXT "0\n"

struct once {
    struct op_once op;
    struct uuid key;
    struct uuid request;
    struct op *inner; /* owned while it is not r->op too */
    void (*inner_free)(struct op *op);
    request_fn next; /* what answers */
    bool entered;    /* .key is among those at work */
    /* put aside by the lane */
    request_launch_fn later_launch;
    request_fn later_next;
};

/* --- keys at work --- */

struct at_work {
    pthread_mutex_t lock;
    struct map keys; /* under .lock */
};

struct at_work *at_work_new(void)
{
    struct at_work *w = alloc_new(struct at_work);

    MUST(pthread_mutex_init(&w->lock, NULL) == 0);
    map_init(&w->keys);
    return w;
}

void at_work_free(struct at_work *w)
{
    if (!w)
        return;
    map_done(&w->keys);
    MUST(pthread_mutex_destroy(&w->lock) == 0);
    alloc_free(w);
}

/* ERR_CONFLICT: another request is at work with it. */
static enum err enter(struct at_work *w, struct uuid key, struct error *err)
{
    enum err e = ERR_NONE;

    MUST(pthread_mutex_lock(&w->lock) == 0);
    if (map_get(&w->keys, key))
        e = ERR_CONFLICT;
    else
        e = map_put(&w->keys, key, w, err);
    MUST(pthread_mutex_unlock(&w->lock) == 0);
    return e;
}

static void leave(struct at_work *w, struct uuid key)
{
    MUST(pthread_mutex_lock(&w->lock) == 0);
    MUST(map_remove(&w->keys, key));
    MUST(pthread_mutex_unlock(&w->lock) == 0);
}

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

/* The path stands for the method too: only POST comes here. */
static enum err make_digests(const struct request *r, struct str key, struct once *o, struct error *err)
{
    const struct str of_key[] = {STR("Idempotency-Key"), key};
    struct str of_request[TARGET_SEGMENTS_MAX + 2 * QUERY_PARAMS_MAX + 2];
    size_t n = 0;
    enum err e = digest(of_key, COUNT_OF(of_key), &o->key, err);

    for (size_t i = 0; i < r->target.segments_n; i++)
        of_request[n++] = r->target.segments[i];
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
    if (enter(r->api->at_work, o->key, &err)) {
        alloc_free(o);
        answer_at_work(r);
        return;
    }
    o->entered = true;
    r->once = o;
    r->route->handle(r);
}

void once_end(struct request *r)
{
    if (r->once && r->once->entered)
        leave(r->api->at_work, r->once->key);
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
    once_end(r);
    op_once_done(&o->op);
    alloc_free(o);
    r->once = NULL;
}

/* --- answers kept --- */

static void write_answer(const struct answer *a, struct buf *out)
{
    buf_addf(out, "%u\n%s\n", a->status, a->content_type ? a->content_type : "");
    for (size_t i = 0; i < a->headers_n; i++)
        buf_addf(out, "%s: %s\n", a->headers[i].name, a->headers[i].text);
    buf_add_char(out, '\n');
    buf_add(out, buf_str(&a->body));
}

/* Names that answers have; what is kept tells them as text. */
static const char *header_name(struct str name)
{
    static const char *const names[] = {"ETag", "Location"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq(name, str_of(names[i])))
            return names[i];
    }
    return NULL;
}

static void give_header(struct request *r, struct str line)
{
    size_t colon = str_find(line, ':');
    const char *name = header_name((struct str){line.p, colon});
    char text[ANSWER_HEADER_TEXT];

    if (!name || line.n < colon + 2 || line.n - colon - 2 >= sizeof(text))
        return;
    memcpy(text, line.p + colon + 2, line.n - colon - 2);
    text[line.n - colon - 2] = '\0';
    answer_header(r, name, text);
}

static void give_again(struct request *r, struct str kept)
{
    struct str status;
    struct str type;
    struct str line;
    struct str head;
    int64_t number;

    if (!str_cut(&kept, '\n', &status) || !str_to_i64(status, &number) || number == 0 ||
        !str_cut(&kept, '\n', &type)) {
        answer_problem(
            r, PROBLEM_CONFLICT,
            "it was done when it first came with this Idempotency-Key; its answer was too large to "
            "be kept");
        return;
    }
    head = kept;
    while (str_cut(&kept, '\n', &line) && line.n > 0)
        ;
    buf_add(answer_body(r), kept);
    if (type.n > 0)
        answer_json(r, (unsigned)number);
    else
        answer_empty(r, (unsigned)number);
    if (r->answer.status != (unsigned)number)
        return; /* no memory for it */
    while (str_cut(&head, '\n', &line) && line.n > 0)
        give_header(r, line);
    answer_header(r, "Idempotent-Replayed", "true");
}

/* --- on the lane's thread --- */

static void free_nothing(struct op *op)
{
    (void)op;
}

static void take_back(struct request *r)
{
    struct once *o = r->once;

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
    if (!answered(r) || o->inner->err.code)
        return ERR_NONE;
    /* Done, but the answer could not be made: better not done. */
    if (r->answer.status >= 500)
        return error_set(err, ERR_MEMORY, NULL, "there is no memory for the answer");
    *ret_keep = r->answer.status < 300;
    if (*ret_keep)
        write_answer(&r->answer, out);
    if (out->failed == ERR_TOO_LARGE) {
        buf_clear(out);
        buf_add_cstr(out, TOO_LARGE_TEXT);
    }
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
    switch (o->op.ret) {
    case ONCE_DONE:
        go_on(r);
        r->launch = o->later_launch;
        r->next = o->later_next;
        return;
    case ONCE_AGAIN:
        take_back(r);
        go_on(r);
        give_again(r, (struct str){o->op.ret_kept.text, o->op.ret_kept.n});
        return;
    case ONCE_OTHER:
        take_back(r);
        go_on(r);
        answer_problem(r, PROBLEM_INVALID, "this Idempotency-Key came with another request before");
        return;
    case ONCE_AT_WORK:
        take_back(r);
        go_on(r);
        answer_at_work(r);
        return;
    }
}

bool once_wanted(const struct request *r)
{
    return r->once && r->op->type->writes;
}

enum err once_submit(struct request *r, struct error *err)
{
    struct once *o = r->once;
    enum err e;

    op_once_done(&o->op);
    op_once_init(&o->op, request_op_done);
    o->op.op.arg = r;
    o->op.key = o->key;
    o->op.request = o->request;
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
