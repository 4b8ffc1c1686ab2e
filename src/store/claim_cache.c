/*
 * claim_cache.c: decoded definitions by schedule, evicted by the clock algorithm: one bit says "used since
 * the hand came by". The store's lane is its only thread.
 */
#include "store/claim_cache.h"

#include "base/alloc.h"
#include "base/map.h"
#include "store/grow.h"

/* What a decoded definition takes: itself, its zone-independent parts, and a tree of some times its text. */
enum { ENTRY_BYTES = 1024, TREE_TIMES = 6 };
/* One that would take more than this part of the cache is decoded each time: it would drive out many others.
 */
enum { LARGEST_PART = 64 };

struct entry {
    struct uuid id;
    int64_t version;
    struct schedule *schedule; /* a counted reference */
    size_t bytes;
    size_t at; /* in the ring */
    bool used;
};

struct claim_cache {
    size_t limit;
    size_t bytes;
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

size_t claim_cache_bytes(const struct claim_cache *c)
{
    return c->bytes;
}

/* The last one in the ring takes its place there. */
static void forget(struct claim_cache *c, struct entry *e)
{
    struct entry *last = c->ring[--c->n];

    MUST(map_remove(&c->by_id, e->id) == e);
    c->ring[e->at] = last;
    last->at = e->at;
    c->bytes -= e->bytes;
    if (c->hand >= c->n)
        c->hand = 0;
    entry_free(e);
}

/* One that nobody used since the hand came by; the hand goes round at most twice. */
static void evict(struct claim_cache *c)
{
    struct entry *e = c->ring[c->hand];

    while (e->used) {
        e->used = false;
        c->hand = (c->hand + 1) % c->n;
        e = c->ring[c->hand];
    }
    forget(c, e);
}

static enum err add(struct claim_cache *c, const struct entry *made, struct error *err)
{
    void *ring = c->ring;
    struct entry *e;
    enum err code;

    code = list_reserve(&ring, &c->cap, c->n, sizeof(*c->ring), err);
    c->ring = ring;
    if (code)
        return code;
    e = alloc_new(struct entry);
    code = map_put(&c->by_id, made->id, e, err);
    if (code) {
        alloc_free(e);
        return code;
    }
    *e = *made;
    e->at = c->n;
    (void)schedule_ref(e->schedule);
    c->ring[c->n++] = e;
    c->bytes += e->bytes;
    return ERR_NONE;
}

void claim_cache_put(struct claim_cache *c, struct uuid id, int64_t version, struct schedule *schedule,
                     size_t text_bytes)
{
    /* Not used yet: what comes by once is the first to go. */
    struct entry made = {
        .id = id, .version = version, .schedule = schedule, .bytes = ENTRY_BYTES + TREE_TIMES * text_bytes};
    struct entry *old = map_get(&c->by_id, id);

    if (old)
        forget(c, old);
    if (made.bytes > CLAIM_CACHE_BYTES / LARGEST_PART)
        return;
    while (c->n >= c->limit || (c->n > 0 && c->bytes + made.bytes > CLAIM_CACHE_BYTES))
        evict(c);
    /* A cache may forget: failing to remember is no failure. */
    (void)add(c, &made, NULL);
}
