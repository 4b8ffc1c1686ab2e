/*
 * health.c: liveness touches nothing; readiness asks the writer lane.
 */
#include "api/api_internal.h"
#include "api/handlers.h"
#include "api/probe.h"
#include "api/writer.h"
#include "base/alloc.h"
#include "base/str.h"

void handle_healthz(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_HEALTH]);
}

void handle_version(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_VERSION]);
}

/* Ready, whatever became of the history: events wait for it, and nothing waits for them. */
static bool answer_degraded(struct request *r)
{
    struct lane *history = r->api->options.history;
    struct lane_stats stats = {.connected = true};
    struct writer w = writer_of(answer_body(r));

    if (history)
        lane_stats(history, &stats);
    if (stats.connected)
        return false;
    write_object(&w, NULL);
    write_cstr(&w, "status", "degraded");
    write_cstr(&w, "detail", "the history database is away; events wait for it");
    write_end_object(&w);
    answer_json(r, 200);
    return true;
}

static void probed(struct request *r)
{
    const struct probe_wait *w = r->work;

    if (w->err.code)
        answer_error(r, &w->err);
    else if (!answer_degraded(r))
        answer_prepared(r, r->api->pages[PAGE_HEALTH]);
}

void handle_readyz(struct request *r)
{
    struct lane_stats stats;

    lane_stats(r->api->options.writer, &stats);
    if (!stats.connected) {
        answer_problem(r, PROBLEM_UNAVAILABLE, "the database is not connected");
        return;
    }
    request_set_work(r, alloc_new(struct probe_wait), alloc_free);
    request_wait(r, probe_ask, probed);
}
