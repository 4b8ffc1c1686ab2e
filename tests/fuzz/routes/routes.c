/*
 * routes.c: fuzz target: a request's method, target and conditions, each on a line of its own. What is
 * decoded stays within bounds, is UTF-8, and is read back the same when it is escaped again; a route that is
 * found takes the method.
 */
#include <stdint.h>
#include <string.h>

#include "api/etag.h"
#include "api/route.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* "/segment/...?name=value&..." out of what was decoded, decoded again: the same. */
static void check_escaped(const struct target *t)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    struct target again;

    buf_init(&b, 8 * TARGET_MAX);
    for (size_t i = 0; i < t->segments_n; i++) {
        buf_add_char(&b, '/');
        query_escape(&b, t->segments[i]);
    }
    buf_add_char(&b, '?');
    for (size_t i = 0; i < t->params_n; i++) {
        query_escape(&b, t->params[i].name);
        buf_add_char(&b, '=');
        query_escape(&b, t->params[i].value);
        buf_add_char(&b, '&');
    }
    MUST(buf_ok(&b));
    MUST(target_parse(b.p, b.n, &again, NULL) == ERR_NONE);
    MUST(again.segments_n == t->segments_n && again.params_n == t->params_n);
    for (size_t i = 0; i < t->segments_n; i++)
        MUST(str_eq(again.segments[i], t->segments[i]));
    for (size_t i = 0; i < t->params_n; i++) {
        MUST(str_eq(again.params[i].name, t->params[i].name));
        MUST(str_eq(again.params[i].value, t->params[i].value));
    }
}

static void check_decoded(const struct target *t)
{
    MUST(t->segments_n <= TARGET_SEGMENTS_MAX && t->params_n <= QUERY_PARAMS_MAX);
    for (size_t i = 0; i < t->segments_n; i++)
        MUST(str_is_utf8(t->segments[i]));
    for (size_t i = 0; i < t->params_n; i++)
        MUST(str_is_utf8(t->params[i].name) && str_is_utf8(t->params[i].value));
}

static void check_route(const struct target *t, struct str method)
{
    const char *names[ROUTE_PARAMS_MAX];
    struct error_list faults = {0};
    struct route_match m;
    char allow[ROUTE_ALLOW_MAX];
    size_t n;

    route_find(t, method, &m);
    route_allow(m.allowed, allow);
    MUST((m.fit == ROUTE_FOUND) == (m.route != NULL));
    MUST((m.fit == ROUTE_NO_PATH) == (m.allowed == 0));
    if (!m.route)
        return;
    MUST(str_eq(method, STR("HEAD")) || str_eq(method, str_of(method_name(m.route->method))));
    n = route_param_names(m.route, names);
    target_check_params(t, names, n, &faults);
    (void)target_number(t, "limit", 100, 1, 1000, &faults);
    MUST(faults.n <= ERROR_LIST_MAX);
}

static void check_conditions(struct str header)
{
    int64_t version = -7;

    if (etag_if_match(header, &version, NULL) == ERR_NONE)
        MUST(version >= -1);
    else
        MUST(version == -7);
    if (version > 0)
        MUST(etag_none_match(header, version));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str rest = {(const char *)data, n};
    struct str method = STR("");
    struct str text = STR("");
    CLEANUP(alloc_free_p) char *copy = NULL;
    struct target t;

    if (n == 0 || n > TARGET_MAX || !str_cut(&rest, '\n', &method))
        return 0;
    (void)str_cut(&rest, '\n', &text);
    check_conditions(rest);
    if (text.n == 0)
        return 0;
    /* Its own piece of memory, without a terminator: a byte too far is seen. */
    MUST(alloc_bytes(text.n, &copy, NULL) == ERR_NONE);
    memcpy(copy, text.p, text.n);
    if (target_parse(copy, text.n, &t, NULL))
        return 0;
    check_decoded(&t);
    check_route(&t, method);
    if (!t.too_deep && t.segments_n > 0)
        check_escaped(&t);
    return 0;
}
