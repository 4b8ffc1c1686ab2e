/*
 * request.c: filling in answers, and handing requests over. The handing itself, with its races, is http.c's.
 */
#include "api/request.h"

#include <string.h>

#include "api/api_internal.h"
#include "api/events.h"
#include "api/http.h"
#include "api/once.h"
#include "base/alloc.h"
#include "base/str.h"

void answer_blank(struct answer *a)
{
    *a = (struct answer){0};
    buf_init(&a->body, ANSWER_BODY_MAX);
    buf_init(&a->link, 4 * TARGET_MAX);
}

void answer_drop(struct answer *a)
{
    buf_done(&a->body);
    buf_done(&a->link);
    stream_free(a->stream);
}

struct request *request_new(void)
{
    struct request *r = alloc_new(struct request);

    answer_blank(&r->answer);
    return r;
}

static void drop_op(struct request *r)
{
    if (r->op)
        r->op_free(r->op);
    r->op = NULL;
}

void request_free(struct request *r)
{
    if (!r)
        return;
    drop_op(r);
    once_free(r);
    if (r->budgeted > 0)
        atomic_fetch_sub(&r->api->bodies, r->budgeted);
    if (r->work)
        r->work_free(r->work);
    buf_done(&r->body);
    answer_drop(&r->answer);
    alloc_free(r->target_text);
    alloc_free(r);
}

struct buf *answer_body(struct request *r)
{
    return &r->answer.body;
}

static void answer_with(struct request *r, unsigned status, const char *content_type)
{
    MUST(!answered(r));
    r->answer.status = status;
    r->answer.content_type = content_type;
}

void answer_text(struct request *r, unsigned status, const char *content_type)
{
    struct error err;

    if (buf_check(&r->answer.body, NULL, &err)) {
        buf_clear(&r->answer.body);
        answer_error(r, &err);
        return;
    }
    answer_with(r, status, content_type);
}

void answer_json(struct request *r, unsigned status)
{
    answer_text(r, status, "application/json");
}

void answer_stream(struct request *r, struct stream *s)
{
    answer_with(r, 200, "text/event-stream");
    r->answer.stream = s;
    /* Fronts that gather an answer before they pass it on would never pass it on. */
    answer_header(r, "Cache-Control", "no-store");
    answer_header(r, "X-Accel-Buffering", "no");
}

void answer_empty(struct request *r, unsigned status)
{
    answer_with(r, status, NULL);
}

void answer_prepared(struct request *r, const struct prepared *p)
{
    answer_with(r, 200, NULL);
    r->answer.prepared = p;
}

static void answer_problem_body(struct request *r, enum problem p)
{
    unsigned retry_after = problem_retry_after(p);

    answer_with(r, problem_status(p), PROBLEM_TYPE);
    if (retry_after == 1)
        answer_header(r, "Retry-After", "1");
    else if (retry_after > 0)
        answer_header(r, "Retry-After", "5");
}

void answer_problem(struct request *r, enum problem p, const char *detail)
{
    buf_clear(&r->answer.body);
    problem_write(&r->answer.body, p, str_of(detail), NULL);
    answer_problem_body(r, p);
}

void answer_error(struct request *r, const struct error *err)
{
    enum problem p = problem_of(err->code);

    buf_clear(&r->answer.body);
    if (p == PROBLEM_INTERNAL || err->code == ERR_IO) {
        /* Our own fault: someone must look; the client learns no more than that. */
        log_error(r->api->options.log, LOG_ERROR, "api", "a request failed", err);
        problem_write(&r->answer.body, p, STR("the server's log says more"), NULL);
    } else {
        problem_write_error(&r->answer.body, p, err);
    }
    answer_problem_body(r, p);
}

void answer_faults(struct request *r, const struct error_list *faults)
{
    enum problem p = PROBLEM_INVALID;

    MUST(faults->n > 0);
    if (faults->items[0].code == ERR_MEMORY || faults->items[0].code == ERR_INTERNAL) {
        answer_error(r, &faults->items[0]);
        return;
    }
    buf_clear(&r->answer.body);
    problem_write(&r->answer.body, p, faults->n == 1 ? str_of(faults->items[0].text) : (struct str){NULL, 0},
                  faults);
    answer_problem_body(r, p);
}

void answer_header(struct request *r, const char *name, const char *text)
{
    struct answer *a = &r->answer;
    size_t n = strlen(text);

    MUST(a->headers_n < ANSWER_HEADERS_MAX && n < ANSWER_HEADER_TEXT);
    a->headers[a->headers_n].name = name;
    memcpy(a->headers[a->headers_n].text, text, n + 1);
    a->headers_n++;
}

void answer_clear(struct request *r)
{
    struct answer *a = &r->answer;

    a->status = 0;
    a->content_type = NULL;
    a->prepared = NULL;
    a->headers_n = 0;
    buf_clear(&a->body);
    buf_clear(&a->link);
}

static enum err launch_op(struct request *r, struct error *err)
{
    if (once_wanted(r))
        return once_submit(r, err);
    return lane_submit(r->lane, r->op, err);
}

void request_op_done(struct op *op)
{
    request_back(op->arg);
}

void request_submit(struct request *r, struct lane *lane, struct op *op, void (*free_op)(struct op *),
                    request_fn next)
{
    drop_op(r);
    op->arg = r;
    r->op = op;
    r->op_free = free_op;
    r->lane = lane;
    request_wait(r, launch_op, next);
}

void request_wait(struct request *r, request_launch_fn launch, request_fn next)
{
    MUST(!answered(r) && !r->launch);
    r->launch = launch;
    r->next = next;
}

static enum err launch_nothing(struct request *r, struct error *err)
{
    (void)err;
    request_back(r);
    return ERR_NONE;
}

void request_again(struct request *r, request_fn next)
{
    request_wait(r, launch_nothing, next);
}

bool request_go_on(struct request *r)
{
    while (!answered(r) && !r->launch) {
        request_fn next = r->next;

        MUST(next);
        r->next = NULL;
        next(r);
    }
    return r->launch || once_keeps(r);
}

bool request_afford(struct request *r, size_t more)
{
    if (atomic_fetch_add(&r->api->bodies, more) + more > r->api->bodies_max) {
        atomic_fetch_sub(&r->api->bodies, more);
        return false;
    }
    r->budgeted += more;
    return true;
}

bool request_has_room(struct request *r, size_t text)
{
    struct error err;

    if (!r->afford || r->afford(r->back_arg, text, &err))
        return true;
    answer_error(r, &err);
    return false;
}

void request_back(struct request *r)
{
    if (r->back)
        r->back(r->back_arg);
    else
        http_back(r);
}

void request_set_work(struct request *r, void *work, void (*free_work)(void *))
{
    MUST(!r->work);
    r->work = work;
    r->work_free = free_work;
}
