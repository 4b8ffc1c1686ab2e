/*
 * parse_internal.h: what the parser's files share: one token ahead, bounds, and a way to refuse.
 *
 * Every parsing function answers NULL or false when it has refused or memory is out; its caller hands that
 * on.
 */
#ifndef GRAPHQL_PARSE_INTERNAL_H
#define GRAPHQL_PARSE_INTERNAL_H

#include "graphql/lexer.h"
#include "graphql/parse.h"

struct parser {
    struct gql_lexer lexer;
    struct gql_token token; /* the next, not yet taken */
    struct gql_parse_limits limits;
    size_t n_tokens;
    size_t depth;
    struct arena *arena;
    struct gql_faults *faults;
    struct gql_document *document;
    /* where the next of each kind goes */
    struct gql_operation **next_operation;
    struct gql_fragment **next_fragment;
    struct gql_definition **next_definition;
};

CHECKED bool parse_advance(struct parser *p);
/* The next token is none of what may stand here; `what` says what may. False, always. */
bool parse_unexpected(const struct parser *p, const char *what);
CHECKED bool parse_expect(struct parser *p, enum gql_token_kind kind);
/* Takes the token if it is there. False: a fault. */
CHECKED bool parse_skip(struct parser *p, enum gql_token_kind kind, bool *ret_taken);
bool parse_at(const struct parser *p, enum gql_token_kind kind);
bool parse_at_word(const struct parser *p, struct str word);
CHECKED bool parse_expect_word(struct parser *p, struct str word);
CHECKED bool parse_name(struct parser *p, struct str *ret, uint32_t *ret_at);
/* One level deeper; false: too deep. Each that succeeds is undone by parse_leave(). */
CHECKED bool parse_enter(struct parser *p);
void parse_leave(struct parser *p);

/* `constant`: no variables. */
struct gql_literal *parse_literal(struct parser *p, bool constant);
struct gql_type_node *parse_type(struct parser *p);
/* The one behind $. */
CHECKED bool parse_directives(struct parser *p, bool constant, struct gql_directive **ret);
CHECKED bool parse_definition_of_type(struct parser *p);

#endif
