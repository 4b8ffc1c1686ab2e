/*
 * names.h: the words of the enums, as JSON and logs spell them. For the model room itself.
 *
 * Each array is indexed by its enum; it is made from the same X-macro list, so no word can be forgotten.
 */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include "base/base.h"

/* A view in a static table, where STR() is no constant. */
#define WORD(literal)                                                                                        \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    }

/* The words of one enum. */
struct words {
    const char *const *word;
    size_t n;
};

extern const struct words schedule_type_words;
extern const struct words task_type_words;
extern const struct words failed_policy_words;
extern const struct words misfire_words;
extern const struct words overlap_words;
extern const struct words task_body_words;
extern const struct words redis_mode_words;

/* The word's index; false when it is none of them. */
CHECKED bool words_find(const struct words *words, struct str s, unsigned *ret);
/* The word at `i`, which must be one. */
const char *words_at(const struct words *words, unsigned i);

#endif
