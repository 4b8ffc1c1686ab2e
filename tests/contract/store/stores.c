/*
 * stores.c: the stores that must keep the contract. A further one is its open, its close and a line in
 * kinds[].
 */
#include "ground.h"

#include <stdio.h>

#include "store/memory/memory.h"
#include "store/sqlite/sqlite.h"

static struct wall ground_clock(void *arg)
{
    return ((struct ground *)arg)->now;
}

static enum err open_sqlite(struct ground *g, struct error *err)
{
    char path[96];
    struct sqlite_options options = {.path = path, .clock = ground_clock, .clock_arg = g};
    struct sqlite_file *f = NULL;
    enum err e;

    (void)snprintf(path, sizeof(path), "%s/store.db", g->folder);
    e = sqlite_file_open(&options, &f, err);
    if (e)
        return e;
    g->own = f;
    return sqlite_connect(f, true, &g->s, err);
}

static void close_sqlite(struct ground *g)
{
    store_close(g->s);
    sqlite_file_free(g->own);
}

static const struct kind kind_sqlite = {"sqlite", open_sqlite, close_sqlite, NULL};

static enum err open_memory(struct ground *g, struct error *err)
{
    struct memory_options options = {.clock = ground_clock, .clock_arg = g};
    struct memory_db *db = NULL;
    enum err e;

    e = memory_db_new(&options, &db, err);
    if (e)
        return e;
    g->own = db;
    return memory_connect(db, true, &g->s, err);
}

static void close_memory(struct ground *g)
{
    store_close(g->s);
    memory_db_free(g->own);
}

static const struct kind kind_memory = {"memory", open_memory, close_memory, NULL};

const struct kind *const kinds[] = {&kind_sqlite, &kind_memory, &kind_postgres, &kind_pooled};
const size_t kinds_n = COUNT_OF(kinds);
