/*
 * ops_once.h: another operation, done once for a key: its answer is kept in the transaction that did it, and
 * given again to whoever comes with the same key and the same request (Idempotency-Key).
 */
#ifndef STORE_OPS_ONCE_H
#define STORE_OPS_ONCE_H

#include "store/lane.h"

/* How long an answer is given again. */
#define ONCE_KEEP_US (24 * 3600 * US_PER_S)
/* Work that is done in parts and of which nothing was heard for so long was lost with its instance. */
#define ONCE_WORK_US (60 * US_PER_S)

/*
 * The answer to be kept for what `inner` did; called in the transaction, perhaps again when that failed.
 * *ret_keep false: nothing is to be kept. An error fails the transaction.
 */
typedef enum err (*once_answer_fn)(void *arg, struct buf *out, bool *ret_keep, struct error *err);

enum once_result {
    ONCE_DONE,  /* by this operation; see inner->err */
    ONCE_AGAIN, /* before: its answer is in ret_kept */
    ONCE_OTHER, /* the key came with another request */
    ONCE_AT_WORK
};

/* Writer lane. */
struct op_once {
    struct op op;
    struct uuid key;     /* the digest of the key */
    struct uuid request; /* the digest of the request */
    struct op *inner;    /* borrowed; it writes. NULL: there is nothing to do, but the answer is kept */
    once_answer_fn answer;
    void *answer_arg;
    size_t answer_max; /* bytes */
    enum once_result ret;
    struct kept_answer ret_kept; /* owned */
    /* The operation's own: when it last tried to say that it is at work, and when it is known to have. */
    struct wall marked_at;
    struct wall marked_before;
};
void op_once_init(struct op_once *o, op_done_fn done);
/* Only looks: ret and ret_kept tell what became of the key. Any lane. */
void op_once_init_look(struct op_once *o, op_done_fn done);
void op_once_done(struct op_once *o);

#endif
