/*
 * lexer_internal.h: what the lexer's two files share.
 */
#ifndef GRAPHQL_LEXER_INTERNAL_H
#define GRAPHQL_LEXER_INTERNAL_H

#include "graphql/lexer.h"

/* Bytes of the SourceCharacter that `s` begins with; 0: none may begin so. */
size_t gql_source_char(struct str s);
/* Each makes a fault and answers false. */
bool gql_lex_refuse(const struct gql_lexer *l, size_t at, const char *why);
bool gql_lex_refuse_here(const struct gql_lexer *l, const char *what);
/* The lexer stands at a quote. */
CHECKED bool gql_lex_string(struct gql_lexer *l, struct gql_token *ret);

#endif
