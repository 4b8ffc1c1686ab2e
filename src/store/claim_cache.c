/*
 * claim_cache.c: decoded definitions by schedule, evicted by the clock algorithm: one bit says "used since
 * the hand came by". The store's lane is its only thread.
 */
#include "store/claim_cache.h"

#include "base/alloc.h"
#include "base/map.h"
#include "store/grow.h"

struct entry {
    struct uuid id;
    int64_t version;
    struct schedule *schedule; /* a counted reference */
    bool used;
};

struct claim_cache {
    size_t limit;
    struct map by_id; /* to the entries, which are allocated one by one: they do not move */
    struct entry **ring;
    size_t n;
    size_t cap;
    size_t hand;
};

struct claim_cache *claim_cache_new(size_t limit)
{
    struct claim_cache *c = alloc_new(struct claim_cache);

    MUST(limit > 0);
    c->limit = limit;
    map_init(&c->by_id);
    return c;
}

static void entry_free(struct entry *e)
{
    if (!e)
        return;
    schedule_unref(e->schedule);
    alloc_free(e);
}

void claim_cache_free(struct claim_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        entry_free(c->ring[i]);
    alloc_free(c->ring);
    map_done(&c->by_id);
    alloc_free(c);
}

struct schedule *claim_cache_get(struct claim_cache *c, struct uuid id, int64_t version)
{
    struct entry *e = map_get(&c->by_id, id);

    if (!e || e->version != version)
        return NULL;
    e->used = true;
    return schedule_ref(e->schedule);
}

/* An entry that nobody used since the hand came by; the hand goes round at most twice. */
static struct entry *evict(struct claim_cache *c)
{
    struct entry *e;
    struct entry *was;

    for (;;) {
        e = c->ring[c->hand];
        if (!e->used)
            break;
        e->used = false;
        c->hand = (c->hand + 1) % c->n;
    }
    c->hand = (c->hand + 1) % c->n;
    was = map_remove(&c->by_id, e->id);
    MUST(was == e || uuid_is_nil(e->id));
    return e;
}

static enum err add(struct claim_cache *c, struct uuid id, struct entry **ret, struct error *err)
{
    void *ring = c->ring;
    struct entry *e;
    enum err code;

    code = list_reserve(&ring, &c->cap, c->n, sizeof(*c->ring), err);
    c->ring = ring;
    if (code)
        return code;
    e = alloc_new(struct entry);
    code = map_put(&c->by_id, id, e, err);
    if (code) {
        alloc_free(e);
        return code;
    }
    c->ring[c->n++] = e;
    *ret = e;
    return ERR_NONE;
}

void claim_cache_put(struct claim_cache *c, struct uuid id, int64_t version, struct schedule *schedule)
{
    struct entry *e = map_get(&c->by_id, id);

    /* A cache may forget: failing to remember is no failure. */
    if (!e && c->n < c->limit) {
        if (add(c, id, &e, NULL))
            return;
    } else if (!e) {
        e = evict(c);
        if (map_put(&c->by_id, id, e, NULL)) {
            /* Out of the map but still in the ring: under a nil id, which nobody asks for. */
            id = (struct uuid){{0}};
        }
    }
    schedule_unref(e->schedule);
    /* Not used yet: what comes by once is the first to go. */
    *e = (struct entry){.id = id, .version = version, .schedule = schedule_ref(schedule)};
}
