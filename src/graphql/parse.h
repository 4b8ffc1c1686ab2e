/*
 * parse.h: from text to a document: the lexical and syntactical grammar of the October 2021 specification
 * (section 2, appendix B), executable and type system definitions alike.
 *
 * Bounded in bytes, tokens and depth, so that everything after it may walk a document by calling itself.
 * Pure.
 */
#ifndef GRAPHQL_PARSE_H
#define GRAPHQL_PARSE_H

#include "graphql/ast.h"
#include "graphql/fault.h"

/* No document is nested deeper, whatever the limits say: the walkers' stack is made for it. */
enum { GQL_DEPTH_LIMIT = 100 };

struct gql_parse_limits {
    size_t bytes;  /* of the source */
    size_t tokens; /* punctuators, names, numbers, strings */
    size_t depth;  /* of selection sets, of values and of types, each; at most GQL_DEPTH_LIMIT */
};

#define GQL_PARSE_LIMITS ((struct gql_parse_limits){.bytes = 256 * 1024, .tokens = 10000, .depth = 50})

/*
 * Parses `source`, which must live as long as the document; both lie in `arena`. NULL: there is a fault in
 * `faults` (exactly one, which says where), or the arena has failed.
 */
CHECKED const struct gql_document *gql_parse(struct str source, const struct gql_parse_limits *limits,
                                             struct arena *arena, struct gql_faults *faults);

#endif
