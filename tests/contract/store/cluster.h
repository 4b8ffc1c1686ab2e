/*
 * cluster.h: a PostgreSQL server of the test's own: in a temporary folder, on a socket in it, with fsync on,
 * gone with the process.
 *
 * The server is Debian's, the newest installed, or that of the folder CARILLON_PG_BIN. It refuses to run as
 * root, so root lends it the user "postgres".
 */
#ifndef TEST_CONTRACT_CLUSTER_H
#define TEST_CONTRACT_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

struct cluster;

bool cluster_installed(void);
/* All of these stop the test when they fail. */
struct cluster *cluster_new(void);
void cluster_free(struct cluster *c);
const char *cluster_url(const struct cluster *c);    /* postgresql://... over its socket */
const char *cluster_folder(const struct cluster *c); /* where its socket is */
/* "fast" or "immediate"; comes back when it is up again. */
void cluster_restart(struct cluster *c, const char *mode);
void cluster_stop(struct cluster *c, const char *mode);
void cluster_start(struct cluster *c);

/* PgBouncer in transaction mode before it, with few server connections: cluster_pooled_url() goes through it.
 */
bool cluster_pooler_installed(void);
void cluster_start_pooler(struct cluster *c);
const char *cluster_pooled_url(const struct cluster *c);

/* Runs it as the superuser, outside of any transaction. */
void cluster_exec(const struct cluster *c, const char *sql);
/* The first column of the first row as a number. */
int64_t cluster_ask(const struct cluster *c, const char *sql);
/* All rows of the first column, a line each: the caller's, for alloc_free(). */
char *cluster_text(const struct cluster *c, const char *sql);

/* The one that all tests of a process share: started when first asked for, by a thread that lives on (the
 * server ends with it), ended with the process. */
struct cluster *cluster_shared(void);

#endif
