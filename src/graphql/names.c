/*
 * names.c: open addressing with linear probing. The hash is seeded by the arena, so that nobody can choose
 * names that all meet in one slot.
 */
#include "graphql/names.h"

#include "base/digest.h"
#include "base/str.h"

static struct names_slot *slot_of(const struct names *t, struct str name)
{
    size_t mask = t->cap - 1;
    size_t i = (size_t)digest_mix64(name, t->arena->seed) & mask;

    while (t->slots[i].value && !str_eq(t->slots[i].name, name))
        i = (i + 1) & mask;
    return &t->slots[i];
}

void *names_get(const struct names *t, struct str name)
{
    return t->n > 0 ? slot_of(t, name)->value : NULL;
}

static bool grow(struct names *t)
{
    struct names bigger = {.arena = t->arena, .cap = t->cap > 0 ? t->cap * 2 : 8, .n = t->n};

    bigger.slots = arena_array(t->arena, bigger.cap, sizeof(*bigger.slots));
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < t->cap; i++)
        if (t->slots[i].value)
            *slot_of(&bigger, t->slots[i].name) = t->slots[i];
    *t = bigger;
    return true;
}

void *names_add(struct names *t, struct str name, void *value)
{
    struct names_slot *slot;

    /* at most two thirds full */
    if (3 * (t->n + 1) > 2 * t->cap && !grow(t))
        return NULL;
    slot = slot_of(t, name);
    if (slot->value)
        return slot->value;
    *slot = (struct names_slot){name, value};
    t->n++;
    return NULL;
}
