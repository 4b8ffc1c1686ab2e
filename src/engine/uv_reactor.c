/*
 * uv_reactor.c: see uv_reactor.h.
 *
 * libuv rounds timers down to the millisecond its loop's clock shows, so a timer could come early by what has
 * passed since the loop read it: the reactor promises never early, hence the clock is read anew and times are
 * rounded up.
 */
#include "engine/uv_reactor.h"

#include <uv.h>

#include "base/alloc.h"

struct uv_reactor {
    struct reactor base;
    uv_loop_t *loop;
    size_t handles; /* watches and timers alive */
};

struct reactor_watch {
    uv_poll_t handle;
    int fd;
    reactor_io_fn fn;
    void *arg;
};

struct reactor_timer {
    uv_timer_t handle;
    reactor_timer_fn fn;
    void *arg;
};

static struct uv_reactor *of(struct reactor *r)
{
    return CONTAINER_OF(r, struct uv_reactor, base);
}

static int to_uv(int events)
{
    return ((events & REACTOR_READ) != 0 ? UV_READABLE : 0) |
           ((events & REACTOR_WRITE) != 0 ? UV_WRITABLE : 0);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct reactor_watch *w = CONTAINER_OF(handle, struct reactor_watch, handle);
    int happened = 0;

    if (status < 0)
        happened = REACTOR_READ | REACTOR_WRITE;
    if ((events & UV_READABLE) != 0)
        happened |= REACTOR_READ;
    if ((events & UV_WRITABLE) != 0)
        happened |= REACTOR_WRITE;
    w->fn(w->arg, w->fd, happened);
}

static void on_watch_closed(uv_handle_t *handle)
{
    alloc_free(CONTAINER_OF((uv_poll_t *)handle, struct reactor_watch, handle));
}

static enum err uv_watch(struct reactor *r, int fd, int events, reactor_io_fn fn, void *arg,
                         struct reactor_watch **ret, struct error *err)
{
    struct reactor_watch *w = alloc_new(struct reactor_watch);
    int status;

    w->fd = fd;
    w->fn = fn;
    w->arg = arg;
    status = uv_poll_init(of(r)->loop, &w->handle, fd);
    if (status < 0) {
        alloc_free(w);
        return error_set(err, ERR_IO, "libuv", "cannot watch a descriptor: %s", uv_strerror(status));
    }
    status = uv_poll_start(&w->handle, to_uv(events), on_poll);
    if (status < 0) {
        uv_close((uv_handle_t *)&w->handle, on_watch_closed);
        return error_set(err, ERR_IO, "libuv", "cannot watch a descriptor: %s", uv_strerror(status));
    }
    of(r)->handles++;
    *ret = w;
    return ERR_NONE;
}

static enum err uv_rewatch(struct reactor *r, struct reactor_watch *w, int events, struct error *err)
{
    int status = uv_poll_start(&w->handle, to_uv(events), on_poll);

    (void)r;
    if (status < 0)
        return error_set(err, ERR_IO, "libuv", "cannot watch a descriptor: %s", uv_strerror(status));
    return ERR_NONE;
}

static void uv_unwatch(struct reactor *r, struct reactor_watch *w)
{
    of(r)->handles--;
    /* Forgets the descriptor at once; only the memory waits for the end of the turn. */
    uv_close((uv_handle_t *)&w->handle, on_watch_closed);
}

static void on_timer(uv_timer_t *handle)
{
    struct reactor_timer *t = CONTAINER_OF(handle, struct reactor_timer, handle);

    t->fn(t->arg);
}

static void on_timer_closed(uv_handle_t *handle)
{
    alloc_free(CONTAINER_OF((uv_timer_t *)handle, struct reactor_timer, handle));
}

static enum err uv_reactor_timer_new(struct reactor *r, reactor_timer_fn fn, void *arg,
                                     struct reactor_timer **ret, struct error *err)
{
    struct reactor_timer *t = alloc_new(struct reactor_timer);

    (void)err;
    t->fn = fn;
    t->arg = arg;
    MUST(uv_timer_init(of(r)->loop, &t->handle) == 0);
    of(r)->handles++;
    *ret = t;
    return ERR_NONE;
}

static void uv_reactor_timer_arm(struct reactor *r, struct reactor_timer *t, int64_t after_us)
{
    uint64_t ms = 0;

    if (after_us > 0) {
        ms = (uint64_t)((after_us - 1) / US_PER_MS) + 2;
        uv_update_time(of(r)->loop);
    }
    MUST(uv_timer_start(&t->handle, on_timer, ms, 0) == 0);
}

static void uv_reactor_timer_disarm(struct reactor *r, struct reactor_timer *t)
{
    (void)r;
    MUST(uv_timer_stop(&t->handle) == 0);
}

static void uv_reactor_timer_free(struct reactor *r, struct reactor_timer *t)
{
    of(r)->handles--;
    uv_close((uv_handle_t *)&t->handle, on_timer_closed);
}

static const struct reactor_ops ops = {
    .watch = uv_watch,
    .rewatch = uv_rewatch,
    .unwatch = uv_unwatch,
    .timer_new = uv_reactor_timer_new,
    .timer_arm = uv_reactor_timer_arm,
    .timer_disarm = uv_reactor_timer_disarm,
    .timer_free = uv_reactor_timer_free,
};

struct uv_reactor *uv_reactor_new(struct uv_loop_s *loop)
{
    struct uv_reactor *r = alloc_new(struct uv_reactor);

    r->base.ops = &ops;
    r->loop = loop;
    return r;
}

void uv_reactor_free(struct uv_reactor *r)
{
    if (!r)
        return;
    MUST(r->handles == 0);
    alloc_free(r);
}

struct reactor *uv_reactor_base(struct uv_reactor *r)
{
    return &r->base;
}
