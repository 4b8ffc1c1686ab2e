/*
 * words.h: what the REST API and the GraphQL schema call the same thing. retry_wait is retryWait, delay-recur
 * is DELAY_RECUR: by rule, so that neither has a table of the other's names, sentences apart. Pure.
 */
#ifndef API_GRAPHQL_WORDS_H
#define API_GRAPHQL_WORDS_H

#include "base/base.h"
#include "base/buf.h"
#include "graphql/schema.h"

enum { WORD_TEXT = 64 };

/* retryWait: retry_wait. */
const char *word_member(struct str field, char ret[WORD_TEXT]);
/* DELAY_RECUR: "delay-recur", as the model spells it. NULL: no list of the model has it. */
const char *word_value(struct str value);
/* delay-recur, of this enum: its value. NULL: it has none such. */
const struct gql_enum_value *word_enum(const struct gql_type *type, struct str text);
/* Appends what REST says is wrong, as it is said here: "less than retryWait". */
void word_detail(struct str detail, struct buf *out);

#endif
