/*
 * map.h: a hash map from uuid to pointer (open addressing, grows by doubling). One owner, one thread.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"

struct map_slot {
    struct uuid key;
    void *value; /* NULL: empty */
};

struct map {
    struct map_slot *slots;
    size_t cap; /* 0 or a power of two */
    size_t n;
};

void map_init(struct map *m);
void map_done(struct map *m); /* values are not touched */
/* Puts or replaces; value must not be NULL. */
CHECKED enum err map_put(struct map *m, struct uuid key, void *value, struct error *err);
void *map_get(const struct map *m, struct uuid key); /* NULL when absent */
void *map_remove(struct map *m, struct uuid key);    /* what was there, or NULL */
/* Visits all: start with *at = 0; false at the end. The map must not change meanwhile. */
bool map_each(const struct map *m, size_t *at, struct uuid *ret_key, void **ret_value);

#endif
