/*
 * wiring_metrics.c: numbers of engine and lanes in Prometheus' text format, version 0.0.4. Pure.
 */
#include "base/str.h"
#include "wiring.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP carillon_%s %s\n# TYPE carillon_%s %s\n", name, help, name, type);
}

static void gauge(struct buf *out, const char *name, const char *help, uint64_t v)
{
    head(out, name, "gauge", help);
    buf_addf(out, "carillon_%s %llu\n", name, (unsigned long long)v);
}

static void counter(struct buf *out, const char *name, const char *help, uint64_t v)
{
    head(out, name, "counter", help);
    buf_addf(out, "carillon_%s %llu\n", name, (unsigned long long)v);
}

static void add_seconds(struct buf *out, uint64_t us)
{
    buf_addf(out, "%llu.%06llu", (unsigned long long)(us / US_PER_S), (unsigned long long)(us % US_PER_S));
}

static const char *const bounds[] = {"0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2",
                                     "0.5",   "1",     "2",     "5",    "10",   "30",   "60",  "+Inf"};

/* `buckets` are cumulative; the last is all. */
static void histogram(struct buf *out, const char *name, const char *help,
                      const uint64_t buckets[COUNT_OF(bounds)], uint64_t sum_us)
{
    head(out, name, "histogram", help);
    for (size_t i = 0; i < COUNT_OF(bounds); i++)
        buf_addf(out, "carillon_%s_bucket{le=\"%s\"} %llu\n", name, bounds[i],
                 (unsigned long long)buckets[i]);
    buf_addf(out, "carillon_%s_sum ", name);
    add_seconds(out, sum_us);
    buf_addf(out, "\ncarillon_%s_count %llu\n", name, (unsigned long long)buckets[COUNT_OF(bounds) - 1]);
}

static void attempts(const struct engine_stats *e, struct buf *out)
{
    head(out, "attempts_total", "counter", "Attempts that ended, by kind of task and result.");
    for (size_t i = 0; i < COUNT_OF(e->attempts_ok); i++) {
        const char *type = task_type_name((enum task_type)i);

        buf_addf(out, "carillon_attempts_total{type=\"%s\",result=\"ok\"} %llu\n", type,
                 (unsigned long long)e->attempts_ok[i]);
        buf_addf(out, "carillon_attempts_total{type=\"%s\",result=\"failed\"} %llu\n", type,
                 (unsigned long long)e->attempts_failed[i]);
    }
}

static void circuits(const struct engine_stats *e, struct buf *out)
{
    head(out, "circuits_open", "gauge", "Targets that do not answer and are only probed, by kind of task.");
    for (size_t i = 0; i < COUNT_OF(e->deliver); i++)
        buf_addf(out, "carillon_circuits_open{type=\"%s\"} %zu\n", task_type_name((enum task_type)i),
                 e->deliver[i].circuits_open);
    head(out, "circuits_opened_total", "counter", "Times a target was found not to answer.");
    for (size_t i = 0; i < COUNT_OF(e->deliver); i++)
        buf_addf(out, "carillon_circuits_opened_total{type=\"%s\"} %llu\n", task_type_name((enum task_type)i),
                 (unsigned long long)e->deliver[i].circuits_opened);
}

/* What the last heartbeat told of all, whatever their roles and this one's. */
static void cluster_numbers(const struct engine_stats *e, struct buf *out)
{
    gauge(out, "instances", "Instances that live, by this one's last heartbeat.", e->instances);
    if (e->instances == 0)
        return;
    gauge(out, "workers", "Of the instances that live, those with the role worker.", e->workers);
    gauge(out, "monitors", "Of the instances that live, those that look after the cluster: 1, or none.",
          e->monitors);
}

static void worker_numbers(const struct engine_stats *e, struct buf *out)
{
    gauge(out, "engine_runs_held", "Runs in memory, whatever their state.", e->core.held);
    gauge(out, "engine_runs_waiting",
          "Runs in memory that wait for their moment or for a place at their target.", e->core.waiting);
    gauge(out, "engine_runs_queueing",
          "Runs whose moment has come and that wait for a place at their target.", e->core.queueing);
    gauge(out, "engine_attempts_in_flight", "Attempts under way.", e->core.in_flight);
    gauge(out, "engine_runs_recording", "Runs whose attempt ended and whose outcome is not durable yet.",
          e->core.recording);
    counter(out, "engine_runs_put_back_total",
            "Runs given back to the database for later since too many waited for the same target.",
            e->core.put_back);
    counter(out, "engine_runs_dropped_total",
            "Runs let go of unrecorded, for want of memory or since their lease may have ended; they are "
            "claimed again.",
            e->core.dropped);
    counter(out, "engine_attempts_started_total", "Attempts started.", e->core.started);
    counter(out, "engine_attempts_not_sent_total",
            "Attempts put off because this instance lacked descriptors or memory.", e->core.not_sent);
    counter(out, "engine_outcomes_stale_total", "Outcomes refused because their lease had passed on.",
            e->core.stale);
    counter(out, "engine_claims_total", "Claims made.", e->core.claims);
    head(out, "engine_claim_seconds_total", "counter", "Time from asking for claims to their answers.");
    buf_add_cstr(out, "carillon_engine_claim_seconds_total ");
    add_seconds(out, e->claim_us_sum);
    buf_add_char(out, '\n');
    attempts(e, out);
    circuits(e, out);
    histogram(out, "lateness_seconds", "Start of an attempt minus the moment it was due.",
              e->core.lateness_buckets, e->core.lateness_us_sum);
    histogram(out, "delivery_seconds", "Time an attempt took.", e->delivery_us_buckets, e->delivery_us_sum);
}

struct lane_row {
    const char *name;
    const struct lane_stats *stats;
};

static void lane_numbers(const struct lane_row *lanes, size_t n, struct buf *out)
{
    head(out, "lane_operations_total", "counter", "Operations answered by a store lane.");
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "carillon_lane_operations_total{lane=\"%s\"} %llu\n", lanes[i].name,
                 (unsigned long long)lanes[i].stats->operations);
    head(out, "lane_commits_total", "counter", "Transactions, each a group of operations.");
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "carillon_lane_commits_total{lane=\"%s\"} %llu\n", lanes[i].name,
                 (unsigned long long)lanes[i].stats->groups);
    head(out, "lane_failures_total", "counter", "Groups that failed.");
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "carillon_lane_failures_total{lane=\"%s\"} %llu\n", lanes[i].name,
                 (unsigned long long)lanes[i].stats->failures);
    head(out, "lane_commit_seconds_total", "counter", "Time spent in commits.");
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "carillon_lane_commit_seconds_total{lane=\"%s\"} ", lanes[i].name);
        add_seconds(out, lanes[i].stats->commit_us);
        buf_add_char(out, '\n');
    }
    head(out, "lane_waiting", "gauge", "Operations that wait.");
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "carillon_lane_waiting{lane=\"%s\"} %zu\n", lanes[i].name, lanes[i].stats->waiting);
    head(out, "lane_connected", "gauge", "1 while the lane has its database.");
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "carillon_lane_connected{lane=\"%s\"} %d\n", lanes[i].name, lanes[i].stats->connected);
}

static void wakeup_numbers(const struct wakeup_stats *w, struct buf *out)
{
    gauge(out, "wakeup_connected", "1 while other instances are heard.", w->connected);
    counter(out, "wakeup_connects_total", "Connections made to hear them.", w->connects);
    counter(out, "wakeup_heard_total", "Notices of others.", w->heard);
    counter(out, "wakeup_told_total", "Messages sent over Redis.", w->told);
    counter(out, "wakeup_ignored_total", "Messages over Redis that no instance can have sent.", w->ignored);
}

void wiring_metrics(struct wiring_roles roles, const struct engine_stats *engine,
                    const struct lane_stats *writer, const struct lane_stats *reader,
                    const struct wakeup_stats *wakeup, struct buf *out)
{
    const struct lane_row lanes[] = {{"writer", writer}, {"reader", reader}};

    cluster_numbers(engine, out);
    if (roles.monitor)
        gauge(out, "monitor", "1 while this instance looks after the cluster.", engine->is_monitor);
    counter(out, "engine_wakeups_total", "Turns of the engine's loop.", engine->wakeups);
    if (roles.worker)
        worker_numbers(engine, out);
    lane_numbers(lanes, COUNT_OF(lanes), out);
    if (wakeup)
        wakeup_numbers(wakeup, out);
}
