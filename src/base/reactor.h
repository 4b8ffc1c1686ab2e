/*
 * reactor.h: what a library that does I/O asks of the event loop it lives on: watch a descriptor, wake at a
 * time.
 *
 * Only the interface: engine/uv_reactor.c implements it on libuv, tests on poll(2). All calls and callbacks
 * are on the loop's one thread. Callbacks never come from inside the call that asked for them.
 */
#ifndef BASE_REACTOR_H
#define BASE_REACTOR_H

#include "base/base.h"
#include "base/error.h"

enum { REACTOR_READ = 1, REACTOR_WRITE = 2 };

struct reactor_watch; /* one descriptor being watched; the implementation's */
struct reactor_timer; /* one timer; the implementation's */

/* `events` happened on fd; REACTOR_READ|REACTOR_WRITE both on an error of the descriptor. */
typedef void (*reactor_io_fn)(void *arg, int fd, int events);
typedef void (*reactor_timer_fn)(void *arg);

struct reactor;

struct reactor_ops {
    /* *ret is owned by the reactor until unwatch(). The descriptor stays the caller's and outlives the watch.
     */
    CHECKED enum err (*watch)(struct reactor *r, int fd, int events, reactor_io_fn fn, void *arg,
                              struct reactor_watch **ret, struct error *err);
    CHECKED enum err (*rewatch)(struct reactor *r, struct reactor_watch *w, int events, struct error *err);
    void (*unwatch)(struct reactor *r, struct reactor_watch *w); /* no callback comes after this */
    /* A timer, unarmed. */
    CHECKED enum err (*timer_new)(struct reactor *r, reactor_timer_fn fn, void *arg,
                                  struct reactor_timer **ret, struct error *err);
    /* Fires once, `after_us` from now (0: the next turn); arming again moves it. Coarse to 1 ms, never early.
     */
    void (*timer_arm)(struct reactor *r, struct reactor_timer *t, int64_t after_us);
    void (*timer_disarm)(struct reactor *r, struct reactor_timer *t);
    void (*timer_free)(struct reactor *r, struct reactor_timer *t);
};

struct reactor {
    const struct reactor_ops *ops; /* an implementation embeds struct reactor as its first member */
};

#endif
