/*
 * uuid.c: version 7 from the time and random bits; canonical text.
 *
 * Within a millisecond the order is by its 4096th parts (RFC 9562, 6.2, method 3), which tells microseconds
 * apart without a counter that threads would have to share.
 */
#include "base/uuid.h"

#include <string.h>

#include "base/random.h"
#include "base/str.h"

struct uuid uuid_v7_least(struct wall t)
{
    struct uuid u = {{0}};
    uint64_t us = t.us > 0 ? (uint64_t)t.us : 0;
    uint64_t ms = us / US_PER_MS;
    uint64_t part = us % US_PER_MS * 4096 / US_PER_MS;

    for (size_t i = 0; i < 6; i++)
        u.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    u.b[6] = (uint8_t)(0x70 | (part >> 8)); /* version */
    u.b[7] = (uint8_t)(part & 0xFF);
    u.b[8] = 0x80; /* variant */
    return u;
}

struct uuid uuid_v7(struct wall now)
{
    struct uuid u = uuid_v7_least(now);

    random_bytes(u.b + 8, 8);
    u.b[8] = (uint8_t)(0x80 | (u.b[8] & 0x3F)); /* variant */
    return u;
}

/* Whether a hyphen stands before byte `i` in the canonical form. */
static bool hyphen_before(size_t i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

void uuid_format(struct uuid u, char ret[UUID_TEXT + 1])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < sizeof(u.b); i++) {
        if (hyphen_before(i))
            ret[at++] = '-';
        ret[at++] = hex[u.b[i] >> 4];
        ret[at++] = hex[u.b[i] & 15];
    }
    ret[at] = '\0';
}

bool uuid_parse(struct str s, struct uuid *ret)
{
    struct uuid u;
    size_t at = 0;

    if (s.n != UUID_TEXT)
        return false;
    for (size_t i = 0; i < sizeof(u.b); i++) {
        int high;
        int low;

        if (hyphen_before(i) && s.p[at++] != '-')
            return false;
        high = str_hex_value(s.p[at++]);
        low = str_hex_value(s.p[at++]);
        if (high < 0 || low < 0)
            return false;
        u.b[i] = (uint8_t)(high * 16 + low);
    }
    *ret = u;
    return true;
}

int uuid_cmp(struct uuid a, struct uuid b)
{
    return memcmp(a.b, b.b, sizeof(a.b));
}

bool uuid_eq(struct uuid a, struct uuid b)
{
    return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

bool uuid_is_nil(struct uuid u)
{
    return uuid_eq(u, (struct uuid){{0}});
}
