/*
 * rate.h: how often each client may ask. Bounded memory: of the many addresses that hash to one place those
 * that asked least lately are forgotten. Any thread.
 */
#ifndef API_RATE_H
#define API_RATE_H

#include <sys/socket.h>

#include "base/base.h"

struct rate;

/* `per_s` requests a second for each address (of IPv6: each /64), and `burst` at once. per_s > 0, burst > 0.
 */
struct rate *rate_new(int64_t per_s, int64_t burst);
void rate_free(struct rate *r); /* NULL is fine */
CLEANUP_FN(struct rate, rate_free)

/* One more request; 0: it may be served, else after how many whole seconds it is worth asking again. */
unsigned rate_ask(struct rate *r, const struct sockaddr *from, struct mono now);

#endif
