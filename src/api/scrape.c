/*
 * scrape.c: GET /metrics: what the API counts, what the store counts, what the system says; and what main
 * adds: the numbers of the engine and of the lanes.
 *
 * A scrape that finds the database away still tells the rest: that is when it is wanted most.
 */
#include "api/api_internal.h"
#include "api/events.h"
#include "api/handlers.h"
#include "api/http.h"
#include "api/metrics.h"
#include "api/process.h"
#include "base/str.h"
#include "model/run.h"
#include "store/ops_run.h"

static const char content_type[] = "text/plain; version=0.0.4; charset=utf-8";

static void write_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    write_head(out, name, "gauge", help);
    buf_addf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void write_stats(struct buf *out, const struct store_stats *s)
{
    write_head(out, "carillon_schedules", "gauge", "Schedules by state.");
    for (size_t i = 0; i < COUNT_OF(s->schedules); i++)
        buf_addf(out, "carillon_schedules{state=\"%s\"} %lld\n", schedule_state_name((enum schedule_state)i),
                 (long long)s->schedules[i]);
    write_head(out, "carillon_runs", "gauge", "Runs that have not ended, and dead ones, by state.");
    for (size_t i = 0; i < COUNT_OF(s->runs); i++) {
        if (run_state_open((enum run_state)i) || i == RUN_DEAD)
            buf_addf(out, "carillon_runs{state=\"%s\"} %lld\n", run_state_name((enum run_state)i),
                     (long long)s->runs[i]);
    }
}

static void write_scrape(struct request *r, const struct store_stats *stats)
{
    const struct api *api = r->api;
    struct buf *out = answer_body(r);

    write_head(out, "carillon_build_info", "gauge", "The version that is running.");
    buf_add_cstr(out, "carillon_build_info{version=");
    buf_add_json(out, str_of(api->options.version));
    buf_add_cstr(out, "} 1\n");
    metrics_write(api->metrics, out);
    write_gauge(out, "carillon_http_requests_under_way", "Requests that have not been answered.",
                http_under_way(api->http));
    write_gauge(out, "carillon_http_connections", "Open connections.", http_connections(api->http));
    write_gauge(out, "carillon_http_connections_max", "Connections that may be open at once.",
                api->options.connections_max);
    if (api->options.events)
        write_gauge(out, "carillon_event_streams", "Clients that listen to /events.",
                    events_streams(api->options.events));
    write_gauge(out, "carillon_store_up", "Whether the database answered this scrape.", stats ? 1 : 0);
    if (stats)
        write_stats(out, stats);
    process_write(out);
    if (api->options.metrics)
        api->options.metrics(api->options.metrics_arg, out);
    answer_text(r, 200, content_type);
}

static void free_stats(struct op *op)
{
    op_stats_free(CONTAINER_OF(op, struct op_stats, op));
}

static void counted(struct request *r)
{
    const struct op_stats *o = CONTAINER_OF(r->op, struct op_stats, op);

    write_scrape(r, o->op.err.code ? NULL : &o->ret);
}

void handle_metrics(struct request *r)
{
    struct lane_stats stats;
    struct op_stats *o;

    lane_stats(r->api->options.reader, &stats);
    if (!stats.connected) {
        write_scrape(r, NULL);
        return;
    }
    o = op_stats_new(request_op_done);
    request_submit(r, r->api->options.reader, &o->op, free_stats, counted);
}
