/*
 * validate.h: whether a document may be executed on a schema: every rule of section 5 of the October 2021
 * specification, and bounds on what its execution can cost.
 *
 * The rules stand in one table (validate.c). The work is bounded by the document's size, times the number of
 * operations at most; what would take more is refused. Pure.
 */
#ifndef GRAPHQL_VALIDATE_H
#define GRAPHQL_VALIDATE_H

#include "graphql/ast.h"
#include "graphql/fault.h"
#include "graphql/schema.h"

/* Each of an operation with all its fragments put in. */
struct gql_limits {
    size_t depth;         /* fields within fields; at most GQL_DEPTH_LIMIT */
    size_t fields;        /* fields in all */
    size_t aliases;       /* fields with another name than their own */
    size_t introspection; /* lists of introspection within another (fields of types of fields ...) */
    size_t merge_steps;   /* comparisons to find out whether fields of one name can be merged */
    size_t errors;        /* told at most; then the rest is not looked for */
};

#define GQL_LIMITS                                                                                           \
    ((struct gql_limits){.depth = 20,                                                                        \
                         .fields = 2000,                                                                     \
                         .aliases = 200,                                                                     \
                         .introspection = 2,                                                                 \
                         .merge_steps = 100000,                                                              \
                         .errors = 50})

/*
 * True: the document is valid and within the limits. False: `faults` say why (each with its rule's name), or
 * the arena has failed.
 */
CHECKED bool gql_validate(const struct gql_schema *s, const struct gql_document *d,
                          const struct gql_limits *limits, struct arena *arena, struct gql_faults *faults);

/* For tables in the docs and for tests: the rules' names and sections. False past the last. */
bool gql_rule_at(size_t i, const char **ret_name, const char **ret_section);

#endif
