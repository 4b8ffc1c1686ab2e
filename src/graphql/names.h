/*
 * names.h: a hash table from a name to a thing, in an arena. Names are borrowed: they must live as long as
 * the table.
 */
#ifndef GRAPHQL_NAMES_H
#define GRAPHQL_NAMES_H

#include "base/base.h"
#include "graphql/arena.h"

struct names_slot {
    struct str name;
    void *value; /* NULL: empty */
};

struct names {
    struct arena *arena;
    struct names_slot *slots;
    size_t cap; /* 0 or a power of two */
    size_t n;
};

static inline struct names names_in(struct arena *a)
{
    return (struct names){.arena = a};
}

void *names_get(const struct names *t, struct str name); /* NULL when absent */
/*
 * Puts `value` (not NULL) under a name that is not there yet and yields NULL; of one that is there, what
 * stands under it, which stays. Without memory nothing is put: the arena remembers it.
 */
void *names_add(struct names *t, struct str name, void *value);

#endif
