/*
 * metrics.c: counters without a lock. A scrape reads them one by one, so a sum may be a request ahead of its
 * buckets, which Prometheus lives with.
 */
#include "api/metrics.h"

#include <stdatomic.h>

#include "api/problem.h"
#include "api/route.h"
#include "base/alloc.h"

/* Upper bounds in microseconds; one more bucket is without bound. */
static const struct {
    int64_t us;
    const char *le;
} buckets[] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"},
};
enum { BUCKETS_N = COUNT_OF(buckets) + 1 };

#define X(kind, status, slug, title) status,
static const unsigned statuses[] = {200, 201, 202, 303, 304, 406, PROBLEM_LIST(X)};
#undef X
enum { STATUSES_N = COUNT_OF(statuses) };

struct route_counts {
    _Atomic uint64_t by_status[STATUSES_N];
    _Atomic uint64_t buckets[BUCKETS_N];
    _Atomic uint64_t sum_us;
};

struct metrics {
    _Atomic uint64_t aborted;
    struct route_counts routes[]; /* as the table, then one for what matched none */
};

struct metrics *metrics_new(void)
{
    return alloc_zeroed_or_stop(sizeof(struct metrics) + (routes_n + 1) * sizeof(struct route_counts));
}

void metrics_free(struct metrics *m)
{
    alloc_free(m);
}

/* The first entry wins: several problems share a status. */
static size_t status_index(unsigned status)
{
    size_t i = 0;

    while (i < STATUSES_N - 1 && statuses[i] != status)
        i++;
    MUST(statuses[i] == status);
    return i;
}

void metrics_count(struct metrics *m, const struct route *route, unsigned status, int64_t took_us)
{
    struct route_counts *c = &m->routes[route ? (size_t)(route - routes) : routes_n];
    size_t bucket = 0;

    while (bucket < COUNT_OF(buckets) && took_us > buckets[bucket].us)
        bucket++;
    atomic_fetch_add_explicit(&c->by_status[status_index(status)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->sum_us, took_us > 0 ? (uint64_t)took_us : 0, memory_order_relaxed);
}

void metrics_count_aborted(struct metrics *m)
{
    atomic_fetch_add_explicit(&m->aborted, 1, memory_order_relaxed);
}

static uint64_t get(_Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* {method="GET",route="/schedules" */
static void write_labels(struct buf *out, size_t i)
{
    if (i == routes_n)
        buf_add_cstr(out, "{method=\"\",route=\"unmatched\"");
    else
        buf_addf(out, "{method=\"%s\",route=\"%s\"", method_name(routes[i].method), routes[i].path);
}

static void write_statuses(struct metrics *m, size_t i, struct buf *out)
{
    for (size_t s = 0; s < STATUSES_N; s++) {
        uint64_t n = get(&m->routes[i].by_status[s]);

        if (n == 0)
            continue;
        buf_add_cstr(out, "carillon_http_requests_total");
        write_labels(out, i);
        buf_addf(out, ",status=\"%u\"} %llu\n", statuses[s], (unsigned long long)n);
    }
}

static void write_seconds(struct buf *out, uint64_t us)
{
    buf_addf(out, "%llu.%06llu\n", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
}

static void write_histogram(struct metrics *m, size_t i, struct buf *out)
{
    struct route_counts *c = &m->routes[i];
    uint64_t so_far = 0;

    for (size_t b = 0; b < BUCKETS_N; b++)
        so_far += get(&c->buckets[b]);
    if (so_far == 0)
        return;
    so_far = 0;
    for (size_t b = 0; b < BUCKETS_N; b++) {
        so_far += get(&c->buckets[b]);
        buf_add_cstr(out, "carillon_http_request_duration_seconds_bucket");
        write_labels(out, i);
        buf_addf(out, ",le=\"%s\"} %llu\n", b < COUNT_OF(buckets) ? buckets[b].le : "+Inf",
                 (unsigned long long)so_far);
    }
    buf_add_cstr(out, "carillon_http_request_duration_seconds_sum");
    write_labels(out, i);
    buf_add_cstr(out, "} ");
    write_seconds(out, get(&c->sum_us));
    buf_add_cstr(out, "carillon_http_request_duration_seconds_count");
    write_labels(out, i);
    buf_addf(out, "} %llu\n", (unsigned long long)so_far);
}

void metrics_write(struct metrics *m, struct buf *out)
{
    buf_add_cstr(out, "# HELP carillon_http_requests_total Requests answered.\n"
                      "# TYPE carillon_http_requests_total counter\n");
    for (size_t i = 0; i <= routes_n; i++)
        write_statuses(m, i, out);
    buf_add_cstr(out,
                 "# HELP carillon_http_request_duration_seconds From a request's headers to its answer.\n"
                 "# TYPE carillon_http_request_duration_seconds histogram\n");
    for (size_t i = 0; i <= routes_n; i++)
        write_histogram(m, i, out);
    buf_addf(out,
             "# HELP carillon_http_requests_aborted_total Requests whose answer could not be sent.\n"
             "# TYPE carillon_http_requests_aborted_total counter\n"
             "carillon_http_requests_aborted_total %llu\n",
             (unsigned long long)get(&m->aborted));
}
