/*
 * health.c: liveness touches nothing; readiness asks the writer lane.
 */
#include "api/api_internal.h"
#include "api/handlers.h"
#include "api/probe.h"
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

static void probed(struct request *r)
{
    const struct probe_wait *w = r->work;

    if (w->err.code)
        answer_error(r, &w->err);
    else
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
