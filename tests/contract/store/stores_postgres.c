/*
 * stores_postgres.c: the store on PostgreSQL as a kind that must keep the contract.
 */
#include "ground.h"

#include <stdio.h>

#include "cluster.h"
#include "store/postgres/postgres.h"

static struct wall ground_clock(void *arg)
{
    return ((struct ground *)arg)->now;
}

static enum err open_postgres(struct ground *g, struct error *err)
{
    struct cluster *c = cluster_shared();
    struct postgres_options options = {
        .url = cluster_url(c), .instance = g->instance, .clock = ground_clock, .clock_arg = g};
    struct postgres *p = NULL;
    enum err e;

    e = postgres_open(&options, &p, err);
    if (e)
        return e;
    g->own = p;
    return postgres_connect(p, true, &g->s, err);
}

static void close_postgres(struct ground *g)
{
    store_close(g->s);
    postgres_free(g->own);
    /* Emptied, not dropped: making a schema anew takes a second. */
    cluster_exec(cluster_shared(),
                 "DELETE FROM carillon.schedule; DELETE FROM carillon.timer; DELETE FROM carillon.run; "
                 "DELETE FROM carillon.run_log; DELETE FROM carillon.tally; DELETE FROM carillon.instance; "
                 "DELETE FROM carillon.lease; DELETE FROM carillon.meta WHERE key <> 'schema_version'");
}

const struct kind kind_postgres = {"postgres", open_postgres, close_postgres, cluster_installed};
