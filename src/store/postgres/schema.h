/*
 * schema.h: the schema is made, and brought up to date.
 */
#ifndef STORE_POSTGRES_SCHEMA_H
#define STORE_POSTGRES_SCHEMA_H

#include "store/postgres/conn.h"

/* One instance does it, others wait for it. ERR_CONFLICT: it is a newer build's. */
CHECKED enum err postgres_migrate(const struct postgres *p, struct link *l, struct error *err);

/* Nothing is changed. ERR_NOT_FOUND: there is no schema of ours; ERR_CONFLICT: it is not of this version. */
CHECKED enum err postgres_check_schema(const struct postgres *p, struct link *l, struct error *err);

/* What the migrations make, by its name: each table, and each index that they name; `text` is the statement,
 * with @ for the schema. */
typedef void (*postgres_relation_fn)(void *arg, bool is_index, const char *name, const char *text);
void postgres_each_relation(const struct postgres *p, postgres_relation_fn fn, void *arg);
/* The version that they lead to. */
int64_t postgres_known_version(const struct postgres *p);

#endif
