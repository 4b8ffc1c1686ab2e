/*
 * once_answer.h: an answer as the text that is kept of it, and given again.
 */
#ifndef API_ONCE_ANSWER_H
#define API_ONCE_ANSWER_H

#include "api/request.h"

/* One that is larger than `out` may be is kept as "it was too large". */
void once_answer_write(const struct answer *a, struct buf *out);
/* Answers the request as it was answered then, or says that it was done and the answer is not known. */
void once_answer_give(struct request *r, struct str kept);

#endif
