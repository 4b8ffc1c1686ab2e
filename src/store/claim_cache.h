/*
 * claim_cache.h: the use of a claim_cache by claim.c.
 */
#ifndef STORE_CLAIM_CACHE_H
#define STORE_CLAIM_CACHE_H

#include "store/claim.h"

/* A counted reference for the caller, or NULL. */
struct schedule *claim_cache_get(struct claim_cache *c, struct uuid id, int64_t version);
/* Takes a reference of its own. `text_bytes`: of the definition it was decoded from. */
void claim_cache_put(struct claim_cache *c, struct uuid id, int64_t version, struct schedule *schedule,
                     size_t text_bytes);
/* What it holds, as it reckons. */
size_t claim_cache_bytes(const struct claim_cache *c);

#endif
