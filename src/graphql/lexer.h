/*
 * lexer.h: from text to tokens: section 2.1 of the October 2021 specification. For the parser alone.
 *
 * Two choices where the text leaves room: characters beyond U+FFFF are taken as the surrogate pairs that they
 * are in UTF-16, and an escaped surrogate must be half of a pair, since the other half alone means no text.
 */
#ifndef GRAPHQL_LEXER_H
#define GRAPHQL_LEXER_H

#include "graphql/arena.h"
#include "graphql/fault.h"

/* kind, how messages call it */
#define GQL_TOKEN_LIST(X)                                                                                    \
    X(GQL_TOK_END, "the end of the document")                                                                \
    X(GQL_TOK_BANG, "\"!\"")                                                                                 \
    X(GQL_TOK_DOLLAR, "\"$\"")                                                                               \
    X(GQL_TOK_AMP, "\"&\"")                                                                                  \
    X(GQL_TOK_PAREN_L, "\"(\"")                                                                              \
    X(GQL_TOK_PAREN_R, "\")\"")                                                                              \
    X(GQL_TOK_SPREAD, "\"...\"")                                                                             \
    X(GQL_TOK_COLON, "\":\"")                                                                                \
    X(GQL_TOK_EQUALS, "\"=\"")                                                                               \
    X(GQL_TOK_AT, "\"@\"")                                                                                   \
    X(GQL_TOK_BRACKET_L, "\"[\"")                                                                            \
    X(GQL_TOK_BRACKET_R, "\"]\"")                                                                            \
    X(GQL_TOK_BRACE_L, "\"{\"")                                                                              \
    X(GQL_TOK_PIPE, "\"|\"")                                                                                 \
    X(GQL_TOK_BRACE_R, "\"}\"")                                                                              \
    X(GQL_TOK_NAME, "a name")                                                                                \
    X(GQL_TOK_INT, "an integer")                                                                             \
    X(GQL_TOK_FLOAT, "a float")                                                                              \
    X(GQL_TOK_STRING, "a string")                                                                            \
    X(GQL_TOK_BLOCK_STRING, "a block string")

enum gql_token_kind {
#define X(kind, name) kind,
    GQL_TOKEN_LIST(X)
#undef X
};

struct gql_token {
    enum gql_token_kind kind;
    uint32_t at;
    struct str text; /* of a string: what it means; else as written */
};

struct gql_lexer {
    struct str source;
    size_t at; /* behind the last token */
    struct arena *arena;
    struct gql_faults *faults;
};

/* The next token. False: there is no token here, and a fault says why; or the arena has failed. */
CHECKED bool gql_lex(struct gql_lexer *l, struct gql_token *ret);
const char *gql_token_name(enum gql_token_kind kind);

/* What the raw text between triple quotes means (2.9.4, BlockStringValue): in *p, in place; the length. */
size_t gql_block_string(char *p, size_t n);

#endif
