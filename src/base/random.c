/*
 * random.c: getrandom(2), fetched in bulk.
 *
 * A system call per identifier would cost more than making it, so each thread keeps a small store of bytes;
 * what was handed out is wiped from it. Not for a process that forks without exec: both would go on with the
 * same bytes.
 */
#include "base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* Up to 256 bytes getrandom(2) gives all or nothing, uninterrupted; more is simply asked for in pieces. */
enum { STORE_BYTES = 512 };

struct store {
    uint8_t b[STORE_BYTES];
    size_t left; /* unused ones, at the end */
};

static _Thread_local struct store store;

static void from_system(uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        MUST(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

void random_bytes(void *ret, size_t n)
{
    uint8_t *from;

    if (n > STORE_BYTES) {
        from_system(ret, n);
        return;
    }
    if (n == 0)
        return;
    if (n > store.left) {
        from_system(store.b, sizeof(store.b));
        store.left = sizeof(store.b);
    }
    from = store.b + sizeof(store.b) - store.left;
    memcpy(ret, from, n);
    explicit_bzero(from, n);
    store.left -= n;
}

uint64_t random_u64(void)
{
    uint64_t v;

    random_bytes(&v, sizeof(v));
    return v;
}

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *r, uint64_t below)
{
    uint64_t excess;
    uint64_t v;

    MUST(below > 0);
    /* 2^64 mod below: so many of the lowest values would come up once too often. */
    excess = (0 - below) % below;
    do {
        v = rng_next(r);
    } while (v < excess);
    return v % below;
}
