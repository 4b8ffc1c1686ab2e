/*
 * tally.c: counting by a hash of the Idempotency-Key, and exact quantiles of lateness.
 */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "calendar/iso8601.h"

struct tally {
    uint64_t *keys;  /* open addressing; 0 is free */
    size_t keys_cap; /* a power of two, at least twice the limit */
    size_t limit;
    int64_t *late_us; /* of the first `late_n` requests with a scheduled time */
    size_t late_n;
    uint64_t requests;
    uint64_t distinct;
    uint64_t doubles;
    int64_t first_us;
    int64_t last_us;
};

enum err tally_new(size_t limit, struct tally **ret, struct error *err)
{
    CLEANUP(tally_free_p) struct tally *t = alloc_new(struct tally);
    size_t cap = 16;
    enum err e;

    while (cap < limit * 2)
        cap *= 2;
    t->limit = limit;
    t->keys_cap = cap;
    e = alloc_array(cap, sizeof(*t->keys), (void **)&t->keys, err);
    if (e)
        return e;
    e = alloc_array(limit, sizeof(*t->late_us), (void **)&t->late_us, err);
    if (e)
        return e;
    *ret = TAKE(t);
    return ERR_NONE;
}

void tally_free(struct tally *t)
{
    if (!t)
        return;
    alloc_free(t->keys);
    alloc_free(t->late_us);
    alloc_free(t);
}

void tally_reset(struct tally *t)
{
    memset(t->keys, 0, t->keys_cap * sizeof(*t->keys));
    t->late_n = 0;
    t->requests = t->distinct = t->doubles = 0;
    t->first_us = t->last_us = 0;
}

/* True when the key was there before. */
static bool key_seen(struct tally *t, struct str key)
{
    uint64_t h = digest_mix64(key, 0);
    size_t at;

    if (!h)
        h = 1;
    for (at = h & (t->keys_cap - 1); t->keys[at]; at = (at + 1) & (t->keys_cap - 1)) {
        if (t->keys[at] == h)
            return true;
    }
    if (t->distinct < t->limit)
        t->keys[at] = h;
    return false;
}

void tally_add(struct tally *t, struct str key, struct str scheduled_at, struct wall now)
{
    struct iso_time at;

    t->requests++;
    if (!t->first_us)
        t->first_us = now.us;
    t->last_us = now.us;
    if (key.n && key_seen(t, key))
        t->doubles++;
    else
        t->distinct++;
    if (scheduled_at.n && t->late_n < t->limit && iso_parse(scheduled_at, &at, NULL) == ERR_NONE)
        t->late_us[t->late_n++] = now.us - (at.local_us - at.offset_s * US_PER_S);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t quantile(const struct tally *t, size_t per_mille)
{
    return t->late_n ? t->late_us[(t->late_n - 1) * per_mille / 1000] : 0;
}

void tally_report(struct tally *t, struct buf *out)
{
    qsort(t->late_us, t->late_n, sizeof(*t->late_us), by_value);
    buf_addf(out, "{\"requests\":%llu,\"distinct\":%llu,\"doubles\":%llu,\"first_us\":%lld,\"last_us\":%lld,",
             (unsigned long long)t->requests, (unsigned long long)t->distinct, (unsigned long long)t->doubles,
             (long long)t->first_us, (long long)t->last_us);
    buf_addf(out, "\"lateness_us\":{\"min\":%lld,\"p50\":%lld,\"p99\":%lld,\"p999\":%lld,\"max\":%lld}}\n",
             (long long)quantile(t, 0), (long long)quantile(t, 500), (long long)quantile(t, 990),
             (long long)quantile(t, 999), (long long)quantile(t, 1000));
}
