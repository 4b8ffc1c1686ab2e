/*
 * schema_internal.h: what the files that build a schema share.
 */
#ifndef GRAPHQL_SCHEMA_INTERNAL_H
#define GRAPHQL_SCHEMA_INTERNAL_H

#include "graphql/fault.h"
#include "graphql/schema.h"

/* A schema under construction. The first mistake ends it. */
struct builder {
    struct gql_schema *schema;
    struct arena documents; /* the parsed texts, but what is kept (literals, names) lies in the schema */
    struct str source;      /* the text now being built */
    bool hidden;            /* it is the prelude */
    struct error *err;
};

CHECKED enum err builder_refuse(const struct builder *b, size_t at, const char *format, ...)
    PRINTF_LIKE(3, 4);
CHECKED enum err builder_memory(const struct builder *b);
/* Fills the types' insides once all names are known. */
CHECKED enum err schema_fill(struct builder *b, const struct gql_document *d);
/* 3.6.1 and its like: what must hold between types. Defaults get their values here. */
CHECKED enum err schema_judge(struct builder *b);
/* Joins fields and code. */
CHECKED enum err schema_bind(struct gql_schema *s, const struct gql_schema_options *options,
                             struct error *err);
/* The resolvers of introspection. */
gql_resolve_fn gql_introspection_resolver(struct str type, struct str field);

#endif
