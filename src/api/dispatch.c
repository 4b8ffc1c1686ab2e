/*
 * dispatch.c: a request meets the route table.
 */
#include "api/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "api/api_internal.h"
#include "api/once.h"
#include "api/route.h"
#include "base/alloc.h"
#include "base/str.h"

void dispatch_target(struct request *r, struct str target)
{
    r->body_limit = r->api->options.body_max;
    buf_init(&r->body, r->body_limit);
    r->target_n = target.n;
    /* Without memory the text stays NULL, and dispatch_begin() says so. */
    if (target.n <= TARGET_MAX && alloc_str(target, &r->target_text, NULL))
        r->target_text = NULL;
}

void dispatch_too_large(struct request *r)
{
    char detail[96];

    (void)snprintf(detail, sizeof(detail), "the body may have at most %zu bytes", r->body_limit);
    answer_problem(r, PROBLEM_TOO_LARGE, detail);
}

static bool parse_target(struct request *r)
{
    struct error err;

    if (r->target_n > TARGET_MAX) {
        answer_problem(r, PROBLEM_URI, "the request target may have at most 8192 bytes");
        return false;
    }
    if (!r->target_text) {
        (void)error_set(&err, ERR_MEMORY, NULL, "out of memory");
        answer_error(r, &err);
        return false;
    }
    if (target_parse(r->target_text, r->target_n, &r->target, &err)) {
        answer_error(r, &err);
        return false;
    }
    return true;
}

static bool find_route(struct request *r, struct str method)
{
    struct route_match match;
    char allow[ROUTE_ALLOW_MAX];

    route_find(&r->target, method, &match);
    switch (match.fit) {
    case ROUTE_NO_PATH:
        answer_problem(r, PROBLEM_NOT_FOUND, "there is nothing at this path");
        return false;
    case ROUTE_NO_METHOD:
        route_allow(match.allowed, allow);
        answer_problem(r, PROBLEM_METHOD, "");
        answer_header(r, "Allow", allow);
        return false;
    case ROUTE_FOUND:
        break;
    }
    r->route = match.route;
    if (r->api->options.no_api && !match.route->any_role) {
        answer_problem(r, PROBLEM_FORBIDDEN,
                       "this instance has not the role `api`; ask one that has it (GET /instances)");
        return false;
    }
    if (!match.id.p || uuid_parse(match.id, &r->id))
        return true;
    answer_problem(r, PROBLEM_NOT_FOUND, "there is nothing with this id");
    return false;
}

/* "application/json", "application/anything+json", with or without parameters. */
static bool is_json_type(struct str type)
{
    struct str rest = type;
    struct str essence;

    if (!str_cut(&rest, ';', &essence))
        return false;
    essence = str_trim(essence);
    if (str_eq_nocase(essence, STR("application/json")))
        return true;
    return essence.n > 17 && str_eq_nocase((struct str){essence.p, 12}, STR("application/")) &&
           str_eq_nocase((struct str){essence.p + essence.n - 5, 5}, STR("+json"));
}

static bool params_are_known(struct request *r)
{
    const char *names[ROUTE_PARAMS_MAX];
    struct error_list faults;
    size_t n = route_param_names(r->route, names);

    faults.n = 0;
    faults.dropped = 0;
    target_check_params(&r->target, names, n, &faults);
    if (faults.n > 0)
        answer_faults(r, &faults);
    return faults.n == 0;
}

void dispatch_begin(struct request *r, struct str method)
{
    bool takes_json;

    if (!parse_target(r) || !find_route(r, method))
        return;
    r->next = r->route->handle;
    r->answer.only_read = r->route->method == METHOD_GET || !r->route->uses_store;
    if (r->headers.idempotency_key.p && r->route->method == METHOD_POST && r->route->uses_store &&
        !r->route->keys_within)
        r->next = once_begin;
    takes_json = r->route->takes == TAKES_JSON || r->route->takes == TAKES_BATCH;
    if (r->route->takes == TAKES_BATCH)
        r->body_limit = r->api->options.batch_body_max;
    buf_init(&r->body, r->body_limit);
    if (takes_json && (r->headers.content_type.p || r->route->must_say_type) &&
        !is_json_type(r->headers.content_type))
        answer_problem(r, PROBLEM_MEDIA_TYPE, "the body must be application/json");
    else if (!r->route->own_faults)
        (void)params_are_known(r);
}

bool dispatch_call(struct request *r, struct str method)
{
    if (!find_route(r, method))
        return false;
    r->next = r->route->handle;
    r->body_limit =
        r->route->takes == TAKES_BATCH ? r->api->options.batch_body_max : r->api->options.body_max;
    return params_are_known(r);
}

bool dispatch_is_rated(const struct request *r)
{
    return !r->route->any_role;
}
