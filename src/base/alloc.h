/*
 * alloc.h: the one door to the heap.
 *
 * Memory whose size comes from outside is checked (alloc_bytes, alloc_array, alloc_str: ERR_MEMORY);
 * small fixed things come from alloc_new(), which stops the process when there is none. The libraries that
 * let us (jansson, SQLite, libcurl) are hooked to the same door, so that a test can fail the n-th
 * allocation. Any thread.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include "base/base.h"
#include "base/error.h"

/* One zeroed `type`; never NULL. */
#define alloc_new(type) ((type *)alloc_zeroed_or_stop(sizeof(type)))
void *alloc_zeroed_or_stop(size_t size_bytes);

/* `n` bytes, not zeroed (n 0 gives a valid pointer). *ret is the caller's, to be freed with alloc_free(). */
CHECKED enum err alloc_bytes(size_t n, char **ret, struct error *err);
/* `count` zeroed items of `size_bytes`; an overflowing product is ERR_MEMORY. */
CHECKED enum err alloc_array(size_t count, size_t size_bytes, void **ret, struct error *err);
/* Grows or shrinks *p in place of realloc; on failure *p is as before. */
CHECKED enum err alloc_resize(void **p, size_t count, size_t size_bytes, struct error *err);
/* A terminated copy of `s`. */
CHECKED enum err alloc_str(struct str s, char **ret, struct error *err);

void alloc_free(void *p); /* NULL is fine */
UNUSED static inline void alloc_free_p(void *p)
{
    alloc_free(*(void **)p);
}

/*
 * Gives what is free back to the system. To be called when something large has just been let go of (a batch
 * of thousands), since the heap alone would keep its pages for ever. Milliseconds; any thread.
 */
void alloc_trim(void);

/* The same door in the shape that libraries' hooks want. They may return NULL. */
void *alloc_hook_malloc(size_t n);
void *alloc_hook_calloc(size_t count, size_t n);
void *alloc_hook_realloc(void *p, size_t n);
char *alloc_hook_strdup(const char *s);

/* Tests only: the n-th checked or hooked allocation from now on fails, once (0: none). Process-wide. */
void alloc_test_fail_nth(uint64_t n);
/* Whether it did; if not yet, it will not any more. */
bool alloc_test_failed(void);

#endif
