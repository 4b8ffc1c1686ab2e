/*
 * metrics.h: what the HTTP threads count: requests by route and status, and how long they took. Any thread.
 */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "base/base.h"
#include "base/buf.h"

struct metrics;
struct route;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
CLEANUP_FN(struct metrics, metrics_free)

/* `route` NULL: none matched. */
void metrics_count(struct metrics *m, const struct route *route, unsigned status, int64_t took_us);
/* A request whose answer could not be sent, or whose client went away. */
void metrics_count_aborted(struct metrics *m);
/* Prometheus text; only what has occurred. */
void metrics_write(struct metrics *m, struct buf *out);

#endif
