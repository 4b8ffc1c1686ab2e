/*
 * notice.h: what a committed group of operations changed that an engine must know: told to the engine of the
 * same process by its lane, and to those of other instances by a store that is shared (store.h, notify).
 */
#ifndef STORE_NOTICE_H
#define STORE_NOTICE_H

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"

/* A schedule that was deleted, replaced or paused: prefetched runs of older versions must not start. */
struct change {
    struct uuid schedule_id;
    /* The current one; INT64_MAX when deleted; 0 (which no version is): a newer run took the place of some of
     * its runs, and store_doomed() tells which. */
    int64_t version;
};
struct change_list {
    struct change *items;
    size_t n;
    size_t cap;
};
CHECKED enum err change_list_add(struct change_list *l, struct change c, struct error *err);
void change_list_done(struct change_list *l);

struct notice {
    struct wall earliest; /* something became due then; WALL_NEVER: nothing */
    struct change_list changed;
    /*
     * More changed than is named, or notices may have been missed: any run that is held may be one of a
     * schedule that changed; store_doomed() tells which. Only of other instances.
     */
    bool all;
    size_t events; /* written to the outbox; told to the own process alone */
};

/* True when there is nothing to be told. */
static inline bool notice_is_empty(const struct notice *n)
{
    return n->earliest.us == INT64_MAX && n->changed.n == 0 && !n->all;
}

#endif
