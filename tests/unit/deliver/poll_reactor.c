/*
 * poll_reactor.c: see poll_reactor.h.
 */
#include "poll_reactor.h"

#include <poll.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"

struct reactor_watch {
    struct list node;
    int fd;
    int events;
    reactor_io_fn fn;
    void *arg;
};

struct reactor_timer {
    struct list node;
    bool armed;
    struct mono at;
    uint64_t armed_in; /* the turn: one armed during a turn fires in a later one */
    reactor_timer_fn fn;
    void *arg;
};

struct poll_reactor {
    struct reactor base;
    struct list watches;
    struct list timers;
    size_t watches_n;
    size_t fail_watch;
    uint64_t turns;
    int64_t longest_us;
};

static struct poll_reactor *of(struct reactor *r)
{
    return CONTAINER_OF(r, struct poll_reactor, base);
}

static enum err on_watch(struct reactor *r, int fd, int events, reactor_io_fn fn, void *arg,
                         struct reactor_watch **ret, struct error *err)
{
    struct poll_reactor *p = of(r);
    struct reactor_watch *w;

    if (p->fail_watch > 0 && --p->fail_watch == 0)
        return error_set(err, ERR_IO, "poll", "a test wants this to fail");
    w = alloc_new(struct reactor_watch);
    w->fd = fd;
    w->events = events;
    w->fn = fn;
    w->arg = arg;
    list_push_back(&p->watches, &w->node);
    p->watches_n++;
    *ret = w;
    return ERR_NONE;
}

static enum err on_rewatch(struct reactor *r, struct reactor_watch *w, int events, struct error *err)
{
    (void)r;
    (void)err;
    w->events = events;
    return ERR_NONE;
}

static void on_unwatch(struct reactor *r, struct reactor_watch *w)
{
    list_remove(&w->node);
    of(r)->watches_n--;
    alloc_free(w);
}

static enum err on_timer_new(struct reactor *r, reactor_timer_fn fn, void *arg, struct reactor_timer **ret,
                             struct error *err)
{
    struct reactor_timer *t = alloc_new(struct reactor_timer);

    (void)err;
    t->fn = fn;
    t->arg = arg;
    list_push_back(&of(r)->timers, &t->node);
    *ret = t;
    return ERR_NONE;
}

static void on_timer_arm(struct reactor *r, struct reactor_timer *t, int64_t after_us)
{
    t->armed = true;
    t->at = mono_add(clock_mono(), after_us);
    t->armed_in = of(r)->turns;
}

static void on_timer_disarm(struct reactor *r, struct reactor_timer *t)
{
    (void)r;
    t->armed = false;
}

static void on_timer_free(struct reactor *r, struct reactor_timer *t)
{
    (void)r;
    list_remove(&t->node);
    alloc_free(t);
}

static const struct reactor_ops ops = {
    .watch = on_watch,
    .rewatch = on_rewatch,
    .unwatch = on_unwatch,
    .timer_new = on_timer_new,
    .timer_arm = on_timer_arm,
    .timer_disarm = on_timer_disarm,
    .timer_free = on_timer_free,
};

struct poll_reactor *poll_reactor_new(void)
{
    struct poll_reactor *p = alloc_new(struct poll_reactor);

    p->base.ops = &ops;
    list_init(&p->watches);
    list_init(&p->timers);
    return p;
}

void poll_reactor_free(struct poll_reactor *p)
{
    MUST(list_empty(&p->watches) && list_empty(&p->timers));
    alloc_free(p);
}

struct reactor *poll_reactor_base(struct poll_reactor *p)
{
    return &p->base;
}

/* One due timer fires; its callback may free any timer, so the list is looked at anew each time. */
static bool fire_one(struct poll_reactor *p, struct mono now)
{
    for (struct list *n = p->timers.next; n != &p->timers; n = n->next) {
        struct reactor_timer *t = CONTAINER_OF(n, struct reactor_timer, node);
        if (t->armed && t->at.us <= now.us && t->armed_in < p->turns) {
            t->armed = false;
            t->fn(t->arg);
            return true;
        }
    }
    return false;
}

static struct reactor_watch *find(struct poll_reactor *p, int fd)
{
    for (struct list *n = p->watches.next; n != &p->watches; n = n->next) {
        struct reactor_watch *w = CONTAINER_OF(n, struct reactor_watch, node);
        if (w->fd == fd)
            return w;
    }
    return NULL;
}

static void dispatch(struct poll_reactor *p, const struct pollfd *fd)
{
    struct reactor_watch *w = find(p, fd->fd);
    int events = 0;

    /* Gone, or a new one on a reused descriptor: its events come with the next poll. */
    if (!w || fd->revents == 0)
        return;
    if ((fd->revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
        events = REACTOR_READ | REACTOR_WRITE;
    if ((fd->revents & POLLIN) != 0)
        events |= REACTOR_READ;
    if ((fd->revents & POLLOUT) != 0)
        events |= REACTOR_WRITE;
    w->fn(w->arg, w->fd, events);
}

static int timeout_ms(const struct poll_reactor *p, struct mono until)
{
    struct mono now = clock_mono();
    struct mono at = until;

    for (const struct list *n = p->timers.next; n != &p->timers; n = n->next) {
        const struct reactor_timer *t = CONTAINER_OF(n, struct reactor_timer, node);
        if (t->armed && t->at.us < at.us)
            at = t->at;
    }
    return at.us <= now.us ? 0 : (int)((at.us - now.us + US_PER_MS - 1) / US_PER_MS);
}

static void turn(struct poll_reactor *p, struct mono until)
{
    struct pollfd fds[2048];
    nfds_t n = 0;
    struct mono start;
    int64_t took;

    for (struct list *l = p->watches.next; l != &p->watches; l = l->next) {
        const struct reactor_watch *w = CONTAINER_OF(l, struct reactor_watch, node);
        MUST(n < COUNT_OF(fds));
        fds[n++] = (struct pollfd){
            .fd = w->fd,
            .events = (short)(((w->events & REACTOR_READ) != 0 ? POLLIN : 0) |
                              ((w->events & REACTOR_WRITE) != 0 ? POLLOUT : 0)),
        };
    }
    MUST(poll(fds, n, timeout_ms(p, until)) >= 0);
    p->turns++;
    start = clock_mono();
    while (fire_one(p, start))
        continue;
    for (nfds_t i = 0; i < n; i++)
        dispatch(p, &fds[i]);
    took = clock_mono().us - start.us;
    if (took > p->longest_us)
        p->longest_us = took;
}

bool poll_reactor_run(struct poll_reactor *p, poll_reactor_until_fn until, void *arg, int64_t limit_us)
{
    struct mono end = mono_add(clock_mono(), limit_us);

    while (!until(arg)) {
        if (clock_mono().us >= end.us)
            return false;
        turn(p, end);
    }
    return true;
}

int64_t poll_reactor_longest_turn_us(const struct poll_reactor *p)
{
    return p->longest_us;
}

uint64_t poll_reactor_turns(const struct poll_reactor *p)
{
    return p->turns;
}

void poll_reactor_fail_watch(struct poll_reactor *p, size_t n)
{
    p->fail_watch = n;
}

size_t poll_reactor_watching(const struct poll_reactor *p)
{
    return p->watches_n;
}

size_t poll_reactor_armed(const struct poll_reactor *p)
{
    size_t n = 0;

    for (const struct list *l = p->timers.next; l != &p->timers; l = l->next)
        n += CONTAINER_OF(l, const struct reactor_timer, node)->armed ? 1 : 0;
    return n;
}
