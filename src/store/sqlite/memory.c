/*
 * memory.c: SQLite's memory from base/alloc, so that tests can fail its allocations too.
 *
 * SQLite asks how large a piece is, which base/alloc does not know: each carries its size in front.
 */
#include <sqlite3.h>
#include <string.h>

#include "base/alloc.h"
#include "store/sqlite/sqlite.h"

/* As large as the strictest alignment, so that what follows keeps it. */
enum { HEAD_BYTES = 16 };
_Static_assert(HEAD_BYTES % _Alignof(max_align_t) == 0 && HEAD_BYTES >= sizeof(size_t),
               "the head keeps alignment");

static size_t *head_of(void *p)
{
    return (size_t *)(void *)((char *)p - HEAD_BYTES);
}

static void *behind(size_t *head, int size_bytes)
{
    if (!head)
        return NULL;
    *head = (size_t)size_bytes;
    return (char *)head + HEAD_BYTES;
}

static void *hook_malloc(int n)
{
    return behind(alloc_hook_malloc((size_t)n + HEAD_BYTES), n);
}

static void hook_free(void *p)
{
    if (p)
        alloc_free(head_of(p));
}

static void *hook_realloc(void *p, int n)
{
    return behind(alloc_hook_realloc(p ? head_of(p) : NULL, (size_t)n + HEAD_BYTES), n);
}

static int hook_size(void *p)
{
    return p ? (int)*head_of(p) : 0;
}

/* SQLite never asks for more than 2^31 - 256 or so; see SQLITE_MAX_ALLOCATION_SIZE. */
static int hook_round_up(int n)
{
    return (n + 7) & ~7;
}

static int hook_init(void *arg)
{
    (void)arg;
    return SQLITE_OK;
}

static void hook_shutdown(void *arg)
{
    (void)arg;
}

enum err sqlite_setup(struct error *err)
{
    static const sqlite3_mem_methods methods = {
        .xMalloc = hook_malloc,
        .xFree = hook_free,
        .xRealloc = hook_realloc,
        .xSize = hook_size,
        .xRoundup = hook_round_up,
        .xInit = hook_init,
        .xShutdown = hook_shutdown,
    };
    int rc;

    /* Connections stay on their threads (see sqlite3_open_v2 in conn.c); no statistics, which would need a
     * lock. */
    rc = sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    if (rc == SQLITE_OK)
        rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (rc == SQLITE_OK)
        rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    if (rc == SQLITE_OK)
        rc = sqlite3_initialize();
    if (rc != SQLITE_OK)
        return error_set(err, ERR_INTERNAL, "sqlite", "cannot set up SQLite: %s", sqlite3_errstr(rc));
    return ERR_NONE;
}
