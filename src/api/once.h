/*
 * once.h: POST with an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): what succeeded once is
 * not done again, its answer is given again.
 *
 * The operation that changes something is wrapped (store/ops_once.h). Its answer is made on the lane's
 * thread, by the very function that would make it afterwards, so that it is kept by the transaction that it
 * tells of. Only success is kept: what changed nothing may be asked anew. A call that needs no operation that
 * writes (a preview, a batch without one good item) is simply answered.
 */
#ifndef API_ONCE_H
#define API_ONCE_H

#include "api/request.h"

struct at_work;

/* The keys that requests of this process are at work with. Any thread. */
struct at_work *at_work_new(void);
void at_work_free(struct at_work *w); /* NULL is fine */
CLEANUP_FN(struct at_work, at_work_free)

/* The first step of a request with a key: judges it, then goes on with the route's handler. */
void once_begin(struct request *r);
/* Hands r->op over inside the wrapping. As lane_submit(). */
CHECKED enum err once_submit(struct request *r, struct error *err);
/* Whether r->op is to be handed over so. */
bool once_wanted(const struct request *r);
/* It has its answer: whoever gets that may come again at once. */
void once_end(struct request *r);
void once_free(struct request *r);

#endif
