/*
 * stores_postgres.c: the store on PostgreSQL as a kind that must keep the contract, and the same
 * through PgBouncer in transaction mode.
 */
#include "ground.h"

#include <stdio.h>

#include "cluster.h"
#include "store/postgres/postgres.h"

static struct wall ground_clock(void *arg)
{
    return ((struct ground *)arg)->now;
}

static enum err open_with(struct ground *g, const char *url, bool unprepared, struct error *err)
{
    struct postgres_options options = {
        .url = url, .unprepared = unprepared, .instance = g->instance, .clock = ground_clock, .clock_arg = g};
    struct postgres *p = NULL;
    enum err e;

    e = postgres_open(&options, &p, err);
    if (e)
        return e;
    g->own = p;
    return postgres_connect(p, true, &g->s, err);
}

static enum err open_postgres(struct ground *g, struct error *err)
{
    return open_with(g, cluster_url(cluster_shared()), false, err);
}

static enum err open_pooled(struct ground *g, struct error *err)
{
    cluster_start_pooler(cluster_shared());
    return open_with(g, cluster_pooled_url(cluster_shared()), true, err);
}

static void close_postgres(struct ground *g)
{
    store_close(g->s);
    postgres_free(g->own);
    /* Emptied, not dropped: making a schema anew takes a second. */
    cluster_exec(cluster_shared(),
                 "DELETE FROM carillon.schedule; DELETE FROM carillon.timer; DELETE FROM carillon.run; "
                 "DELETE FROM carillon.run_log; DELETE FROM carillon.tally; DELETE FROM carillon.instance; "
                 "DELETE FROM carillon.answer; DELETE FROM carillon.history_outbox; "
                 "DELETE FROM carillon.lease; DELETE FROM carillon.meta WHERE key <> 'schema_version'");
}

const struct kind kind_postgres = {"postgres", open_postgres, close_postgres, cluster_installed};
const struct kind kind_pooled = {"pgbouncer", open_pooled, close_postgres, cluster_pooler_installed};
