/*
 * ops_engine.h: what an engine asks of the writer lane: claim, complete, renew, upkeep.
 */
#ifndef STORE_OPS_ENGINE_H
#define STORE_OPS_ENGINE_H

#include "store/claim.h"
#include "store/lane.h"

struct op_claim {
    struct op op;
    struct claim_request request;
    struct claim_cache *cache; /* borrowed: the engine's; used only on the lane's thread */
    struct claim_result ret;
};
struct op_claim *op_claim_new(op_done_fn done);
void op_claim_free(struct op_claim *o);

/* Outcomes of one turn. `schedules` keeps the references that outcomes[i].schedule borrows. */
struct op_complete {
    struct op op;
    struct outcome *outcomes; /* owned array; each .schedule and .result.answer is a counted reference of the
                                 operation's */
    size_t n;
    struct wall ret_earliest; /* the earliest thing these outcomes made due (retry, next of delay-recur,
                                 released run); also in the notice */
};
CHECKED enum err op_complete_new(size_t n, op_done_fn done, struct op_complete **ret, struct error *err);
void op_complete_free(struct op_complete *o);

struct op_renew {
    struct op op;
    struct uuid *runs; /* owned, n */
    uint64_t *tokens;  /* owned, n */
    size_t n;
    int64_t lease_us;
    struct wall ret_until;
    struct uuid_list ret_lost;
};
CHECKED enum err op_renew_new(size_t n, op_done_fn done, struct op_renew **ret, struct error *err);
void op_renew_free(struct op_renew *o);

/*
 * Retention. Goes on as long as there is something to remove, in parts with others' operations in between,
 * each of which holds the lane for about UPKEEP_PART_US: it removes a few rows at a time and looks at the
 * clock. After UPKEEP_PARTS it ends, so that a lane which is to close does not wait for the end of a large
 * backlog: `ret_more` says that another call should follow soon.
 */
#define UPKEEP_PART_US (5 * US_PER_MS)
enum { UPKEEP_PARTS = 50 };
struct op_upkeep {
    struct op op;
    int64_t keep_finished_us;
    int64_t keep_ok_us;
    int64_t keep_failed_us;
    size_t limit; /* rows removed at a time, at most */
    size_t ret_n; /* removed */
    bool ret_more;
    /* the operation's: how many rows at a time it dares, and what of it is committed */
    size_t step;
    uint64_t parts;
    size_t committed;
};
struct op_upkeep *op_upkeep_new(op_done_fn done);
void op_upkeep_free(struct op_upkeep *o);

#endif
