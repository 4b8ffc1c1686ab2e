/*
 * inner.c: see inner.h.
 */
#include "api/inner.h"

#include <stdio.h>
#include <string.h>

#include "api/api_internal.h"
#include "api/dispatch.h"
#include "api/once.h"
#include "api/route.h"
#include "base/str.h"

/* As of what comes over the wire: small ones are not counted. */
enum { BODY_SMALL = 64 * 1024 };
_Static_assert((int)INNER_PARAMS_MAX <= (int)QUERY_PARAMS_MAX, "a target has room for them");

struct request *inner_new(struct api *api, void (*back)(void *arg), void *arg)
{
    struct request *r = request_new();

    r->api = api;
    r->back = back;
    r->back_arg = arg;
    buf_init(&r->body, api->options.body_max);
    return r;
}

static const struct route *route_called(const char *id)
{
    for (size_t i = 0; i < routes_n; i++) {
        if (str_eq(str_of(routes[i].id), str_of(id)))
            return &routes[i];
    }
    MUST(false);
    return NULL;
}

static void set_segments(struct target *t, const char *path, struct str id)
{
    struct str rest = str_of(path + 1);
    struct str segment;

    while (str_cut(&rest, '/', &segment)) {
        MUST(t->segments_n < TARGET_SEGMENTS_MAX);
        t->segments[t->segments_n++] = str_eq(segment, STR("{id}")) ? id : segment;
    }
}

/* What a query has room for over the wire, and so what handlers count on. */
static bool is_too_long(const struct inner_call *call)
{
    size_t n = call->id.n;

    for (size_t i = 0; i < call->params_n; i++)
        n += call->params[i].name.n + call->params[i].value.n;
    return n > TARGET_MAX / 2;
}

static enum err nul_at(const char *where, struct error *err)
{
    return error_set(err, ERR_INVALID, where, "NUL is not allowed");
}

/* What comes over the wire has none: it would not have been read. As deep as JSON may be. */
static enum err refuse_nul(const json_t *v, struct error *err)
{
    char step[sizeof(err->where)] = {0};
    enum err e = ERR_NONE;

    if (json_is_string(v))
        return memchr(json_str(v).p, '\0', json_str(v).n) ? nul_at("", err) : ERR_NONE;
    for (size_t i = 0; i < json_array_size(v) && !e; i++) {
        e = refuse_nul(json_array_get(v, i), err);
        if (e)
            (void)snprintf(step, sizeof(step), "/%zu", i);
    }
    for (void *i = json_object_iter((json_t *)(uintptr_t)v); i && !e;
         i = json_object_iter_next((json_t *)(uintptr_t)v, i)) {
        e = refuse_nul(json_object_iter_value(i), err);
        if (e)
            json_pointer_add(step, sizeof(step), str_of(json_object_iter_key(i)));
    }
    if (e)
        error_prefix_where(err, step);
    return e;
}

static enum err refuse_nul_in_params(const struct inner_call *call, struct error *err)
{
    char where[sizeof(err->where)];

    for (size_t i = 0; i < call->params_n; i++) {
        const struct query_param *p = &call->params[i];

        if (p->value.n == 0 || !memchr(p->value.p, '\0', p->value.n))
            continue;
        (void)snprintf(where, sizeof(where), "?%.*s", (int)p->name.n, p->name.p);
        return nul_at(where, err);
    }
    return ERR_NONE;
}

static void set_body(struct request *r, const json_t *body)
{
    struct error err;

    buf_init(&r->body, r->body_limit);
    if (!body)
        return;
    if (!json_write(body, &r->body, &err)) {
        if (r->body.n > BODY_SMALL && !request_afford(r, r->body.n))
            answer_problem(r, PROBLEM_BUSY, "too many large requests at the same time");
    } else if (r->body.failed == ERR_TOO_LARGE) {
        dispatch_too_large(r);
    } else {
        answer_error(r, &err);
    }
}

/* False: it is answered. */
static bool find_handler(struct request *r, const struct inner_call *call)
{
    const struct route *route;

    if (!call->route) {
        r->next = call->handle;
        r->body_limit = r->api->options.body_max;
        return true;
    }
    /* As though it had come over the wire and been taken apart. */
    route = route_called(call->route);
    set_segments(&r->target, route->path, call->id);
    return dispatch_call(r, str_of(method_name(route->method)));
}

void inner_begin(struct request *r, const struct inner_call *call)
{
    struct error err;

    if (is_too_long(call)) {
        answer_problem(r, PROBLEM_TOO_LARGE, "the arguments are too long");
        return;
    }
    if (refuse_nul_in_params(call, &err) || refuse_nul(call->body, &err)) {
        answer_error(r, &err);
        return;
    }
    for (size_t i = 0; i < call->params_n; i++)
        r->target.params[r->target.params_n++] = call->params[i];
    r->headers.if_match = call->if_match;
    r->headers.idempotency_key = call->idempotency_key;
    if (!find_handler(r, call))
        return;
    set_body(r, call->body);
    /* Of a client's calls only POST may come with a key; a mutation is one whatever its call is. */
    if (call->idempotency_key.p)
        r->next = once_begin;
}

bool inner_go_on(struct request *r)
{
    while (request_go_on(r)) {
        request_launch_fn launch = TAKE(r->launch);
        struct error err;

        if (!launch(r, &err))
            return false;
        answer_error(r, &err);
    }
    once_end(r);
    return true;
}

enum err inner_take(struct request *r, json_t **ret, struct error *err)
{
    enum err e;

    MUST(answered(r) && r->answer.content_type && !r->answer.prepared && !r->answer.stream);
    e = json_parse(buf_str(&r->answer.body), JSON_DEPTH_LIMIT, ret, err);
    buf_done(&r->answer.body);
    return e;
}
