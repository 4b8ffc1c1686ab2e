/*
 * pool.c: see pool.h.
 */
#include "deliver/pool.h"

#include "base/clock.h"

static void arm_idle(struct pool *p, struct mono now)
{
    const struct pool_item *first;
    int64_t until_us;

    p->idle_armed = !list_empty(&p->idle);
    if (!p->idle_armed) {
        p->reactor->ops->timer_disarm(p->reactor, p->idle_timer);
        return;
    }
    first = CONTAINER_OF(p->idle.next, struct pool_item, node);
    until_us = mono_add(first->idle_since, p->idle_us).us;
    p->reactor->ops->timer_arm(p->reactor, p->idle_timer, until_us > now.us ? until_us - now.us : 0);
}

static void drop(struct pool *p, struct pool_item *item)
{
    list_remove(&item->node);
    MUST(map_remove(&p->items, item->key) == item);
    p->close(p->arg, item);
}

static void on_idle_timer(void *arg)
{
    struct pool *p = arg;
    struct mono now = clock_mono();

    p->idle_armed = false;
    while (!list_empty(&p->idle)) {
        struct pool_item *first = CONTAINER_OF(p->idle.next, struct pool_item, node);

        if (mono_add(first->idle_since, p->idle_us).us > now.us)
            break;
        drop(p, first);
    }
    arm_idle(p, now);
}

static void on_admit_timer(void *arg)
{
    struct pool *p = arg;

    while (!list_empty(&p->waiting) && pool_room(p))
        p->admit(p->arg, list_pop_front(&p->waiting));
}

enum err pool_open(struct pool *p, struct error *err)
{
    enum err e;

    map_init(&p->items);
    list_init(&p->idle);
    list_init(&p->waiting);
    e = p->reactor->ops->timer_new(p->reactor, on_idle_timer, p, &p->idle_timer, err);
    if (!e)
        e = p->reactor->ops->timer_new(p->reactor, on_admit_timer, p, &p->admit_timer, err);
    return e;
}

void pool_done(struct pool *p)
{
    if (!p->idle.next)
        return;
    while (!list_empty(&p->idle))
        drop(p, CONTAINER_OF(p->idle.next, struct pool_item, node));
    MUST(p->items.n == 0);
    if (p->idle_timer)
        p->reactor->ops->timer_free(p->reactor, p->idle_timer);
    if (p->admit_timer)
        p->reactor->ops->timer_free(p->reactor, p->admit_timer);
    map_done(&p->items);
}

struct pool_item *pool_find(const struct pool *p, struct uuid key)
{
    return map_get(&p->items, key);
}

bool pool_room(struct pool *p)
{
    if (p->items.n < p->max)
        return true;
    if (list_empty(&p->idle))
        return false;
    drop(p, CONTAINER_OF(p->idle.next, struct pool_item, node));
    return true;
}

static void rest(struct pool *p, struct pool_item *item)
{
    struct mono now = clock_mono();

    item->idle_since = now;
    list_push_back(&p->idle, &item->node);
    if (!p->idle_armed)
        arm_idle(p, now);
    if (!list_empty(&p->waiting))
        p->reactor->ops->timer_arm(p->reactor, p->admit_timer, 0);
}

enum err pool_add(struct pool *p, struct pool_item *item, struct uuid key, struct error *err)
{
    enum err e = map_put(&p->items, key, item, err);

    if (e)
        return e;
    item->key = key;
    item->users = 0;
    rest(p, item);
    return ERR_NONE;
}

void pool_use(struct pool *p, struct pool_item *item)
{
    (void)p;
    if (item->users++ == 0)
        list_remove(&item->node);
}

void pool_leave(struct pool *p, struct pool_item *item)
{
    MUST(item->users > 0);
    if (--item->users > 0)
        return;
    if (map_get(&p->items, item->key) == item)
        rest(p, item);
    else
        p->close(p->arg, item);
}

void pool_forget(struct pool *p, struct pool_item *item)
{
    if (map_get(&p->items, item->key) != item)
        return;
    MUST(map_remove(&p->items, item->key) == item);
    list_remove(&item->node);
    if (!list_empty(&p->waiting))
        p->reactor->ops->timer_arm(p->reactor, p->admit_timer, 0);
    if (item->users == 0)
        p->close(p->arg, item);
}

void pool_wait(struct pool *p, struct list *node)
{
    list_push_back(&p->waiting, node);
}
