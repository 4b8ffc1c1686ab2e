/*
 * claim.h: the claim transaction: what is due becomes runs leased to one instance, on any store.
 *
 * Reads due timers, lets model/timer plan them, writes timers and runs, and takes over runs whose retry is
 * due or whose lease ended. It looks a horizon ahead, so that runs are in memory when their moment comes.
 */
#ifndef STORE_CLAIM_H
#define STORE_CLAIM_H

#include "store/store.h"

struct claim_request {
    struct uuid instance;
    int64_t horizon_us;
    int64_t lease_us;
    /* Runs at most, those included that wait for their predecessor (a plan's runs are never torn: may be over
     * by TIMER_ALL_MAX). */
    size_t limit;
    struct timer_rules timer_rules;
    const struct schedule_rules *schedule_rules; /* for reading stored definitions; outlives the claim */
};

/* A run for the engine: leased, with its definition. */
struct claimed {
    struct run run;
    struct schedule *schedule; /* a counted reference, owned */
    size_t bytes;              /* of its definition's text */
};
/* A claim reads about so many bytes of definitions, and not less than one definition. */
enum { CLAIM_BYTES_MAX = 8 * 1024 * 1024 };
struct claim_result {
    struct claimed *items;
    size_t n;
    size_t cap;
    struct uuid_list replaced; /* schedules whose older open runs were given up: abort what is in flight of
                                  them, but not what is in items */
    struct uuid_list broken;   /* schedules whose stored definition no longer decodes: now paused */
    struct wall now;           /* the store's clock in the transaction */
    bool more; /* more is due than was looked at, and this claim got on with it: the next should follow at
                  once */
    struct wall next_due; /* the earliest thing still to be claimed; may be <= now when the limit cut */
};
void claim_result_done(struct claim_result *r);

/*
 * Decoded definitions by (id, version), so that a schedule that fires often is decoded once. One thread.
 * Holds at most `limit` definitions and about CLAIM_CACHE_BYTES of memory; large ones are not kept.
 */
enum { CLAIM_CACHE_BYTES = 16 * 1024 * 1024 };
struct claim_cache;
struct claim_cache *claim_cache_new(size_t limit);
void claim_cache_free(struct claim_cache *c);
CLEANUP_FN(struct claim_cache, claim_cache_free)

/*
 * Within a transaction. A stored definition that no longer decodes (its zone left the database, say) is
 * paused (its timer stops), never fatal to the others; result.broken names it.
 */
CHECKED enum err store_claim(struct store *s, struct claim_cache *cache, const struct claim_request *req,
                             struct wall now, struct claim_result *ret, struct error *err);

#endif
