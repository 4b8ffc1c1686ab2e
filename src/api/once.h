/*
 * once.h: POST with an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): what succeeded once is
 * not done again, its answer is given again.
 *
 * The operation that changes something is wrapped (store/ops_once.h). Its answer is made on the lane's
 * thread, by the very function that would make it afterwards, so that it is kept by the transaction that it
 * tells of. Only success is kept: what was refused may be asked anew,
 * unless a part of it had been done by then. A success that took no operation that
 * writes (a batch without one good item, a range without an occurrence) is kept before it is given.
 *
 * The key is looked up before the route's handler begins: what was done is answered as it was then, whatever
 * the handler would find by now. The wrapping looks again, in the transaction.
 */
#ifndef API_ONCE_H
#define API_ONCE_H

#include "api/request.h"

/* The first step of a request with a key: judges it, looks it up, then goes on with the route's handler. */
void once_begin(struct request *r);
/*
 * To a request that has its answer. True: the answer must be kept first, and was put aside; the request is to
 * be handed over (it has been given something to wait for) and answers itself when it is back.
 */
CHECKED bool once_keeps(struct request *r);
/* Hands r->op over inside the wrapping. As lane_submit(). */
CHECKED enum err once_submit(struct request *r, struct error *err);
/* Whether r->op is to be handed over so. */
bool once_wanted(const struct request *r);
/* It has its answer: whoever gets that may come again at once. */
void once_end(struct request *r);
void once_free(struct request *r);

#endif
