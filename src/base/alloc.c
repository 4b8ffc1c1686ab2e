/*
 * alloc.c: the one file that may call malloc and its kin.
 *
 * The countdown is the one piece of process-wide state: libraries' hooks carry no argument through which a
 * test could reach it. It stays 0 outside tests.
 */
#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t fail_countdown;

void alloc_test_fail_nth(uint64_t n)
{
    atomic_store(&fail_countdown, n);
}

bool alloc_test_failed(void)
{
    return atomic_exchange(&fail_countdown, 0) == 0;
}

/* True for the one allocation that a test wants to fail. */
static bool must_fail(void)
{
    uint64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);

    while (left > 0) {
        if (atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
            return left == 1;
    }
    return false;
}

static enum err out_of_memory(size_t count, size_t size_bytes, struct error *err)
{
    return error_set(err, ERR_MEMORY, NULL, "out of memory (%zu times %zu bytes)", count, size_bytes);
}

void *alloc_zeroed_or_stop(size_t size_bytes)
{
    void *p = calloc(1, size_bytes > 0 ? size_bytes : 1);

    MUST(p);
    return p;
}

enum err alloc_bytes(size_t n, char **ret, struct error *err)
{
    char *p = must_fail() ? NULL : malloc(n > 0 ? n : 1);

    if (!p)
        return out_of_memory(1, n, err);
    *ret = p;
    return ERR_NONE;
}

enum err alloc_array(size_t count, size_t size_bytes, void **ret, struct error *err)
{
    size_t total;
    void *p;

    if (__builtin_mul_overflow(count, size_bytes, &total))
        return out_of_memory(count, size_bytes, err);
    p = must_fail() ? NULL : calloc(1, total > 0 ? total : 1);
    if (!p)
        return out_of_memory(count, size_bytes, err);
    *ret = p;
    return ERR_NONE;
}

enum err alloc_resize(void **p, size_t count, size_t size_bytes, struct error *err)
{
    size_t total;
    void *grown;

    if (__builtin_mul_overflow(count, size_bytes, &total))
        return out_of_memory(count, size_bytes, err);
    grown = must_fail() ? NULL : realloc(*p, total > 0 ? total : 1);
    if (!grown)
        return out_of_memory(count, size_bytes, err);
    *p = grown;
    return ERR_NONE;
}

enum err alloc_str(struct str s, char **ret, struct error *err)
{
    char *p = NULL;
    enum err e;

    if (s.n == SIZE_MAX)
        return out_of_memory(1, s.n, err);
    e = alloc_bytes(s.n + 1, &p, err);
    if (e)
        return e;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    *ret = p;
    return ERR_NONE;
}

void alloc_free(void *p)
{
    free(p);
}

void alloc_trim(void)
{
    (void)malloc_trim(0); /* whether anything was given back is no matter */
}

void *alloc_hook_malloc(size_t n)
{
    return must_fail() ? NULL : malloc(n > 0 ? n : 1);
}

void *alloc_hook_calloc(size_t count, size_t n)
{
    bool none = count == 0 || n == 0;

    return must_fail() ? NULL : calloc(none ? 1 : count, none ? 1 : n);
}

void *alloc_hook_realloc(void *p, size_t n)
{
    return must_fail() ? NULL : realloc(p, n > 0 ? n : 1);
}

char *alloc_hook_strdup(const char *s)
{
    return must_fail() ? NULL : strdup(s);
}
