/*
 * pool.h: things that are costly to have (connections, producers), one for each distinct key, at most so
 * many, closed when nobody has used them for a while.
 *
 * When all places are taken by things in use, whoever needs a new one waits (pool_wait) and is admitted in
 * order when one falls idle. On the loop's thread; idle things cost one timer together.
 */
#ifndef DELIVER_POOL_H
#define DELIVER_POOL_H

#include "base/base.h"
#include "base/error.h"
#include "base/list.h"
#include "base/map.h"
#include "base/reactor.h"

struct pool_item {
    struct uuid key;
    size_t users;
    struct list node; /* in pool.idle while it has no users */
    struct mono idle_since;
};

struct pool {
    struct reactor *reactor;
    struct map items;
    struct list idle;    /* longest idle first */
    struct list waiting; /* pool_wait() */
    size_t max;
    int64_t idle_us;
    struct reactor_timer *idle_timer;
    struct reactor_timer *admit_timer;
    bool idle_armed;
    /* Has been taken out of the pool: to be closed and freed. */
    void (*close)(void *arg, struct pool_item *item);
    /* There is a place for one that waited; it is in no list any more. */
    void (*admit)(void *arg, struct list *node);
    void *arg;
};

/* `p` has reactor, max, idle_us, close, admit and arg set, the rest zero. */
CHECKED enum err pool_open(struct pool *p, struct error *err);
void pool_done(struct pool *p); /* closes all; none may have users. One that did not open is fine. */

struct pool_item *pool_find(const struct pool *p, struct uuid key);
/* Whether one more may be added: an idle one makes room if need be. */
CHECKED bool pool_room(struct pool *p);
/* Without users. */
CHECKED enum err pool_add(struct pool *p, struct pool_item *item, struct uuid key, struct error *err);
void pool_use(struct pool *p, struct pool_item *item);
void pool_leave(struct pool *p, struct pool_item *item);
/* No longer found by its key; its users stay with it. It is not closed. */
void pool_forget(struct pool *p, struct pool_item *item);
/* Its end will be told by admit(); who gives up takes the node out of its list. */
void pool_wait(struct pool *p, struct list *node);

#endif
