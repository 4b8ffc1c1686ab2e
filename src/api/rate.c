/*
 * rate.c: the generic cell rate algorithm: an address has one moment, up to which its requests so far have
 * used the rate. A request moves it on by one interval; one that would lie further ahead than the burst is
 * refused.
 */
#include "api/rate.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/random.h"

enum { SETS = 1024, WAYS = 8 };

struct cell {
    uint64_t key; /* 0: free */
    int64_t used_to_us;
};

struct rate {
    int64_t interval_us;
    int64_t ahead_us; /* how far `used_to` may lie ahead */
    uint64_t seed;    /* so that nobody can choose addresses that push each other out */

    pthread_mutex_t lock;
    struct cell cells[SETS][WAYS]; /* under .lock */
};

struct rate *rate_new(int64_t per_s, int64_t burst)
{
    struct rate *r = alloc_new(struct rate);

    MUST(per_s > 0 && burst > 0);
    r->interval_us = US_PER_S / per_s > 0 ? US_PER_S / per_s : 1;
    r->ahead_us = r->interval_us * burst;
    r->seed = random_u64();
    MUST(pthread_mutex_init(&r->lock, NULL) == 0);
    return r;
}

void rate_free(struct rate *r)
{
    if (!r)
        return;
    MUST(pthread_mutex_destroy(&r->lock) == 0);
    alloc_free(r);
}

static uint64_t key_of(const struct rate *r, const struct sockaddr *from)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct str bytes = {"", 0};
    uint64_t key;

    if (from && from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof(v4));
        bytes = (struct str){(const char *)&v4.sin_addr, sizeof(v4.sin_addr)};
    } else if (from && from->sa_family == AF_INET6) {
        memcpy(&v6, from, sizeof(v6));
        /* One subscriber has at least a /64. An IPv4 address in IPv6's clothes is told by its end. */
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            bytes = (struct str){(const char *)&v6.sin6_addr + 12, 4};
        else
            bytes = (struct str){(const char *)&v6.sin6_addr, 8};
    }
    key = digest_mix64(bytes, r->seed);
    return key != 0 ? key : 1;
}

/* Under the lock: the address's own cell, or that which was idle longest, now its own. */
static struct cell *cell_of(struct rate *r, uint64_t key, int64_t now_us)
{
    struct cell *set = r->cells[key % SETS];
    struct cell *idlest = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].used_to_us < idlest->used_to_us)
            idlest = &set[i];
    }
    *idlest = (struct cell){.key = key, .used_to_us = now_us};
    return idlest;
}

unsigned rate_ask(struct rate *r, const struct sockaddr *from, struct mono now)
{
    uint64_t key = key_of(r, from);
    int64_t too_far_us;
    struct cell *c;

    MUST(pthread_mutex_lock(&r->lock) == 0);
    c = cell_of(r, key, now.us);
    if (c->used_to_us < now.us)
        c->used_to_us = now.us;
    too_far_us = c->used_to_us + r->interval_us - now.us - r->ahead_us;
    if (too_far_us <= 0)
        c->used_to_us += r->interval_us;
    MUST(pthread_mutex_unlock(&r->lock) == 0);
    if (too_far_us <= 0)
        return 0;
    return (unsigned)((too_far_us + US_PER_S - 1) / US_PER_S);
}
