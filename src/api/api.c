/*
 * api.c: the room's parts put together, and taken apart again in the order that keeps every pointer good.
 */
#include "api/api_internal.h"

#include <string.h>
#include <unistd.h>

#include "api/assets.h"
#include "api/at_work.h"
#include "api/doctor.h"
#include "api/events.h"
#include "api/graphql/graphql.h"
#include "api/http.h"
#include "api/listen.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/probe.h"
#include "api/rate.h"
#include "api/writer.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "calendar/zones.h"

enum { OPENAPI_MAX = 1024 * 1024, VERSION_MAX = 1024 };
/* Large bodies that may be held at the same time, beside the largest two. */
#define BODIES_BASE ((size_t)32 * 1024 * 1024)

static const char type_json[] = "application/json";
static const char type_html[] = "text/html; charset=utf-8";
static const char type_script[] = "text/javascript; charset=utf-8";
static const char type_style[] = "text/css; charset=utf-8";
/* The page, its script and its style come from here, and nothing it shows comes from elsewhere. */
static const char docs_csp[] =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/* The same, but GraphiQL writes styles and has pictures within them. */
static const char graphiql_csp[] =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void set_defaults(struct api_options *o)
{
    if (!o->listen)
        o->listen = "127.0.0.1:9902";
    if (o->threads == 0)
        o->threads = 2;
    if (o->connections_max == 0)
        o->connections_max = 1024;
    if (o->body_max == 0)
        o->body_max = (size_t)1024 * 1024;
    if (o->batch_body_max == 0)
        o->batch_body_max = (size_t)32 * 1024 * 1024;
    if (o->header_max == 0)
        o->header_max = (size_t)32 * 1024;
    if (o->idle_s == 0)
        o->idle_s = 60;
    if (o->header_us == 0)
        o->header_us = 10 * US_PER_S;
    if (o->answers_max == 0)
        o->answers_max = (size_t)256 * 1024 * 1024;
    if (o->read_rate == 0)
        o->read_rate = (int64_t)32 * 1024;
    if (o->rate_burst == 0)
        o->rate_burst = 2 * o->rate;
    if (o->batch_max == 0)
        o->batch_max = 10000;
    if (o->json_depth_max == 0)
        o->json_depth_max = JSON_DEPTH_MAX;
    if (o->graphql_complexity == 0)
        o->graphql_complexity = 250000;
    if (!o->version)
        o->version = "";
}

static enum err write_version(struct api *a, struct error *err)
{
    struct writer w = writer_of(&a->version);

    write_object(&w, NULL);
    write_cstr(&w, "version", a->options.version);
    write_cstr(&w, "timezone_database", zones_version(a->options.rules.zones));
    write_end_object(&w);
    return buf_check(&a->version, NULL, err);
}

static enum err prepare_pages(struct api *a, struct error *err)
{
    enum err e = write_version(a, err);

    if (!e)
        e = api_openapi(a->options.version, &a->openapi, err);
    if (e)
        return e;
    const struct prepared_options pages[PAGES_N] = {
        [PAGE_HEALTH] = {STR("{\"status\":\"ok\"}"), type_json, NULL, NULL},
        [PAGE_VERSION] = {buf_str(&a->version), type_json, NULL, NULL},
        [PAGE_OPENAPI] = {buf_str(&a->openapi), type_json, NULL, NULL},
        [PAGE_DOCS] = {asset_docs_html, type_html, docs_csp, NULL},
        [PAGE_DOCS_SCRIPT] = {asset_docs_js, type_script, NULL, NULL},
        [PAGE_DOCS_STYLE] = {asset_docs_css, type_style, NULL, NULL},
        [PAGE_DOCS_ICON] = {asset_docs_svg, "image/svg+xml", NULL, NULL},
        [PAGE_EXPLORER] = {asset_explorer_html, type_html, docs_csp, NULL},
        [PAGE_EXPLORER_SCRIPT] = {asset_explorer_js, type_script, NULL, NULL},
        [PAGE_EXPLORER_STYLE] = {asset_explorer_css, type_style, NULL, NULL},
        [PAGE_GRAPHIQL] = {asset_graphiql_html, type_html, graphiql_csp, NULL},
        [PAGE_GRAPHIQL_SCRIPT] = {asset_graphiql_js, type_script, NULL, "gzip"},
        [PAGE_GRAPHIQL_STYLE] = {asset_graphiql_css, type_style, NULL, "gzip"},
    };

    for (size_t i = 0; i < PAGES_N && !e; i++)
        e = prepared_new(&pages[i], &a->pages[i], err);
    return e;
}

static enum err start_http(struct api *a, struct error *err)
{
    struct http_options o = {
        .api = a,
        .threads = a->options.threads,
        .connections_max = a->options.connections_max,
        .header_max = a->options.header_max,
        .idle_s = a->options.idle_s,
        .header_us = a->options.header_us,
        .log = a->options.log,
    };
    enum err e = listen_open(a->options.listen, &o.listen_fd, &a->port, err);

    if (e)
        return e;
    e = http_start(&o, &a->http, err);
    if (e)
        (void)close(o.listen_fd);
    return e;
}

enum err api_start(const struct api_options *options, struct api **ret, struct error *err)
{
    CLEANUP(api_free_p) struct api *a = alloc_new(struct api);
    enum err e;

    a->options = *options;
    set_defaults(&a->options);
    a->stored_rules = a->options.rules;
    a->stored_rules.trusted = true;
    a->bodies_max = BODIES_BASE + 2 * a->options.batch_body_max;
    a->metrics = metrics_new();
    a->at_work = at_work_new();
    if (a->options.rate > 0)
        a->rate = rate_new(a->options.rate, a->options.rate_burst);
    buf_init(&a->openapi, OPENAPI_MAX);
    buf_init(&a->version, VERSION_MAX);
    e = prepare_pages(a, err);
    if (!e)
        e = graphql_new(a->options.graphql, a->options.graphql_complexity, &a->graphql, err);
    if (!e)
        e = probe_new(a->options.writer, &a->probe, err);
    if (!e && a->options.doctor)
        e = doctor_desk_new(a->options.doctor, a->options.doctor_arg, &a->doctor, err);
    if (!e)
        e = start_http(a, err);
    if (e)
        return e;
    *ret = TAKE(a);
    return ERR_NONE;
}

unsigned api_port(const struct api *a)
{
    return a->port;
}

void api_stop(struct api *a, int64_t grace_us)
{
    if (!a || !a->http)
        return;
    events_close(a->options.events); /* they would never end by themselves */
    doctor_desk_close(a->doctor);
    http_stop(a->http, grace_us);
    http_free(TAKE(a->http));
    doctor_desk_free(TAKE(a->doctor));
    probe_free(TAKE(a->probe));
}

void api_free(struct api *a)
{
    if (!a)
        return;
    /* Started and never stopped: what is under way is not waited for, but what the lanes have is. */
    api_stop(a, 0);
    doctor_desk_free(a->doctor);
    probe_free(a->probe);
    for (size_t i = 0; i < PAGES_N; i++)
        prepared_free(a->pages[i]);
    metrics_free(a->metrics);
    at_work_free(a->at_work);
    rate_free(a->rate);
    graphql_free(a->graphql);
    buf_done(&a->openapi);
    buf_done(&a->version);
    alloc_free(a);
}

struct str api_graphql_schema(void)
{
    return asset_schema_graphql;
}

enum err api_openapi(const char *version, struct buf *out, struct error *err)
{
    openapi_write(out, version);
    return buf_check(out, NULL, err);
}
