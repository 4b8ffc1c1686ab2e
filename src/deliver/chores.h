/*
 * chores.h: calls that may block (looking up a name, making or ending a Kafka producer), made on threads of
 * their own so that the loop does not wait for them.
 *
 * work() runs on a helper's thread and touches nothing but its own struct; done() follows on the loop's
 * thread. There are threads only while there is work. All other calls are on the loop's thread.
 */
#ifndef DELIVER_CHORES_H
#define DELIVER_CHORES_H

#include "base/base.h"
#include "base/error.h"
#include "base/list.h"
#include "base/reactor.h"

struct chores;

struct chore {
    void (*work)(struct chore *c);
    /* `alone`: the deliverer is gone, and this is some helper's thread: only frees what the chore has. */
    void (*done)(struct chore *c, bool alone);
    struct list node;
};

CHECKED enum err chores_open(struct reactor *reactor, struct chores **ret, struct error *err);
/* Hands the chore on, in order; at most a few run at once. */
void chores_add(struct chores *all, struct chore *c);
/* Blocks until all have ended, done() included, or `until` has passed. For the way down only. */
void chores_drain(struct chores *all, struct mono until);
/* What still runs is left alone; what has not begun is done(alone) at once. NULL is fine. */
void chores_close(struct chores *all);

#endif
