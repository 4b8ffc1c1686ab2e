/*
 * arena.c: blocks that double, each thing cut from the newest; a large thing gets a block of its own.
 */
#include "graphql/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 256 * 1024, ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(ALIGNMENT) char bytes[];
};

void arena_init(struct arena *a, size_t limit_bytes)
{
    *a = (struct arena){.limit = limit_bytes, .seed = random_u64()};
}

void arena_done(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;

        a->blocks = b->next;
        alloc_free(b);
    }
    a->used = 0;
}

static void *fail(struct arena *a, enum err e)
{
    if (a->failed == ERR_NONE)
        a->failed = e;
    return NULL;
}

static struct arena_block *add_block(struct arena *a, size_t at_least)
{
    size_t size = a->blocks ? a->blocks->size * 2 : BLOCK_FIRST;
    char *space = NULL;
    struct arena_block *b;

    if (size > BLOCK_MOST)
        size = BLOCK_MOST;
    if (size < at_least)
        size = at_least;
    if (alloc_bytes(sizeof(*b) + size, &space, NULL))
        return fail(a, ERR_MEMORY);
    b = (struct arena_block *)(void *)space;
    *b = (struct arena_block){.next = a->blocks, .size = size};
    a->blocks = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    struct arena_block *b = a->blocks;
    size_t rounded = (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    char *p;

    if (a->failed)
        return NULL;
    if (rounded < n || rounded > a->limit - a->used)
        return fail(a, ERR_TOO_LARGE);
    if (rounded == 0)
        rounded = ALIGNMENT; /* distinct and valid, for nothing */
    if (!b || b->size - b->used < rounded)
        b = add_block(a, rounded);
    if (!b)
        return NULL;
    p = b->bytes + b->used;
    b->used += rounded;
    a->used = a->used + rounded > a->limit ? a->limit : a->used + rounded;
    memset(p, 0, rounded);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n))
        return fail(a, ERR_TOO_LARGE);
    return arena_alloc(a, n);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (!p)
        return STR("");
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

enum err arena_check(const struct arena *a, struct error *err)
{
    if (arena_ok(a))
        return ERR_NONE;
    if (a->failed == ERR_TOO_LARGE)
        return error_set(err, ERR_TOO_LARGE, NULL, "it takes more than %zu bytes of memory", a->limit);
    return error_set(err, a->failed, NULL, "out of memory");
}
