/*
 * tally.h: what the counting receiver remembers of the requests it got: how many, which twice, how late.
 *
 * A request is known by its Idempotency-Key; its lateness is arrival minus Carillon-Scheduled-At. One thread.
 */
#ifndef RECEIVER_TALLY_H
#define RECEIVER_TALLY_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

struct tally;

/* Remembers at most `limit` different keys; further ones are only counted. */
CHECKED enum err tally_new(size_t limit, struct tally **ret, struct error *err);
void tally_free(struct tally *t);
CLEANUP_FN(struct tally, tally_free)

/* One request arrived at `now`. Empty views where it had no such header. */
void tally_add(struct tally *t, struct str key, struct str scheduled_at, struct wall now);
/* Forgets all. */
void tally_reset(struct tally *t);
/* {"requests":..,"distinct":..,"doubles":..,"first_us":..,"last_us":..,"lateness_us":{"p50":..,"p99":..,"max":..,"min":..}}
 */
void tally_report(struct tally *t, struct buf *out);

#endif
