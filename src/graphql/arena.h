/*
 * arena.h: memory that is let go of all at once, up to a limit.
 *
 * A document, its check and its execution make thousands of small things that die together. A failure (the
 * limit, no memory) sticks: every later arena_alloc() answers NULL too, so a caller may give up quietly and
 * the one who owns the arena asks arena_check() at the end. One owner, one thread at a time.
 */
#ifndef GRAPHQL_ARENA_H
#define GRAPHQL_ARENA_H

#include "base/base.h"
#include "base/error.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes handed out */
    size_t limit;
    uint64_t seed;   /* for hash tables that live in it; unpredictable */
    enum err failed; /* ERR_NONE, ERR_TOO_LARGE or ERR_MEMORY */
};

/* No memory is taken yet. */
void arena_init(struct arena *a, size_t limit_bytes);
void arena_done(struct arena *a);

/* `n` zeroed bytes, aligned for anything; NULL when failed, now or before. */
void *arena_alloc(struct arena *a, size_t n);
/* The same for `count` things of `size`. */
void *arena_array(struct arena *a, size_t count, size_t size);
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
/* A terminated copy; the empty view when failed. */
struct str arena_str(struct arena *a, struct str s);

static inline bool arena_ok(const struct arena *a)
{
    return a->failed == ERR_NONE;
}
/* ERR_NONE, or fills *err with why not everything could be kept. */
CHECKED enum err arena_check(const struct arena *a, struct error *err);

UNUSED static inline void arena_done_p(struct arena *a)
{
    arena_done(a);
}

#endif
