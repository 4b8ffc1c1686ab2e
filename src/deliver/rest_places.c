/*
 * rest_places.c: how many requests are under way at once: per host, and in all.
 *
 * libcurl has limits of its own, but what waits for them does not time out in 7.88 and is looked at again
 * whenever any transfer ends. So nothing is handed to libcurl that would have to wait: a transfer takes a
 * place at its host, then a place on the wire, and waits for either in the order it came. An HTTP/2
 * connection counts by its streams.
 */
#include "base/alloc.h"
#include "deliver/rest_internal.h"

/* NULL when there is no memory for one: then this request goes uncounted rather than not at all. */
static struct rest_host *host_find(struct rest *r, struct uuid key)
{
    struct rest_host *h = map_get(&r->hosts, key);

    if (h)
        return h;
    h = alloc_new(struct rest_host);
    h->key = key;
    list_init(&h->waiting);
    if (map_put(&r->hosts, key, h, NULL) != ERR_NONE) {
        alloc_free(h);
        return NULL;
    }
    return h;
}

static void wait_in(struct list *queue, struct transfer *t, enum transfer_state state)
{
    list_push_back(queue, &t->node);
    t->state = state;
}

/* It has its place at the host. True when there is one on the wire, too. */
static bool enter_wire(struct transfer *t)
{
    struct rest *r = t->rest;

    if (r->busy >= r->options.connections_max) {
        wait_in(&r->waiting, t, TRANSFER_WAITS_PLACE);
        return false;
    }
    r->busy++;
    t->has_place = true;
    return true;
}

bool rest_place_enter(struct transfer *t)
{
    struct rest *r = t->rest;
    size_t max = r->options.per_host_max;
    struct rest_host *h = max > 0 ? host_find(r, t->target) : NULL;

    if (h) {
        t->host = h;
        if (h->busy >= max) {
            wait_in(&h->waiting, t, TRANSFER_WAITS_HOST);
            return false;
        }
        h->busy++;
    }
    return enter_wire(t);
}

/* The oldest that waits for this host takes over the place; without one the place is given back. */
static struct transfer *host_leave(struct rest *r, struct rest_host *h)
{
    struct list *first = list_pop_front(&h->waiting);

    if (first)
        return CONTAINER_OF(first, struct transfer, node);
    h->busy--;
    if (h->busy == 0) {
        MUST(map_remove(&r->hosts, h->key) == h);
        alloc_free(h);
    }
    return NULL;
}

void rest_place_leave(struct transfer *t)
{
    struct rest *r = t->rest;
    struct rest_host *h = TAKE(t->host);
    struct transfer *heir = NULL;
    struct list *next;

    if (t->state == TRANSFER_WAITS_HOST || t->state == TRANSFER_WAITS_PLACE)
        list_remove(&t->node);
    /* Whoever waited for the host had no place there; the host lives on, since another one is busy. */
    if (h && t->state != TRANSFER_WAITS_HOST)
        heir = host_leave(r, h);
    if (t->has_place) {
        t->has_place = false;
        r->busy--;
    }
    /* The heir queues up behind those who waited for the wire before it. */
    if (heir)
        wait_in(&r->waiting, heir, TRANSFER_WAITS_PLACE);
    while (r->busy < r->options.connections_max && (next = list_pop_front(&r->waiting)) != NULL) {
        struct transfer *n = CONTAINER_OF(next, struct transfer, node);
        r->busy++;
        n->has_place = true;
        rest_go(n);
    }
}
