/*
 * map.c: linear probing, at most three quarters full; removal shifts what follows back, so there are no
 * tombstones and a long-lived map stays as fast as a new one.
 *
 * The hash is unseeded: the keys are identifiers made here, from random bits, never chosen by a client.
 */
#include "base/map.h"

#include <string.h>

#include "base/alloc.h"

enum { MAP_FIRST = 64 };

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_done(struct map *m)
{
    alloc_free(m->slots);
    *m = (struct map){0};
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The slot where a search for `key` begins. */
static size_t home(const struct map *m, const struct uuid *key)
{
    uint64_t half[2];

    memcpy(half, key->b, sizeof(half));
    return (size_t)(mix(half[0] ^ mix(half[1]))) & (m->cap - 1);
}

/* The slot that holds `key`, or the empty one where it belongs. The map has slots, and an empty one. */
static size_t seek(const struct map *m, struct uuid key)
{
    size_t i = home(m, &key);

    while (m->slots[i].value && !uuid_eq(m->slots[i].key, key))
        i = (i + 1) & (m->cap - 1);
    return i;
}

static enum err grow(struct map *m, struct error *err)
{
    struct map bigger = {.cap = m->cap > 0 ? m->cap * 2 : MAP_FIRST, .n = m->n};
    void *slots;
    enum err e = alloc_array(bigger.cap, sizeof(*bigger.slots), &slots, err);

    if (e)
        return e;
    bigger.slots = slots;
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].value)
            bigger.slots[seek(&bigger, m->slots[i].key)] = m->slots[i];
    }
    alloc_free(m->slots);
    *m = bigger;
    return ERR_NONE;
}

enum err map_put(struct map *m, struct uuid key, void *value, struct error *err)
{
    size_t i;

    MUST(value);
    if (m->cap > 0) {
        i = seek(m, key);
        if (m->slots[i].value) {
            m->slots[i].value = value;
            return ERR_NONE;
        }
    }
    if (m->n >= m->cap / 4 * 3) {
        enum err e = grow(m, err);

        if (e)
            return e;
    }
    m->slots[seek(m, key)] = (struct map_slot){.key = key, .value = value};
    m->n++;
    return ERR_NONE;
}

void *map_get(const struct map *m, struct uuid key)
{
    return m->n > 0 ? m->slots[seek(m, key)].value : NULL;
}

void *map_remove(struct map *m, struct uuid key)
{
    size_t mask = m->cap - 1;
    size_t hole;
    void *value;

    if (m->n == 0)
        return NULL;
    hole = seek(m, key);
    value = m->slots[hole].value;
    if (!value)
        return NULL;
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        /* Moves back only what does not thereby come before its home: its way from there covers the hole. */
        if (((i - home(m, &m->slots[i].key)) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){0};
    m->n--;
    return value;
}

bool map_each(const struct map *m, size_t *at, struct uuid *ret_key, void **ret_value)
{
    for (; *at < m->cap; (*at)++) {
        const struct map_slot *slot = &m->slots[*at];

        if (slot->value) {
            *ret_key = slot->key;
            *ret_value = slot->value;
            (*at)++;
            return true;
        }
    }
    return false;
}
