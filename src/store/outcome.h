/*
 * outcome.h: what an outcome makes of a run that its schedule, or a newer run, has doomed meanwhile. For
 * stores.
 */
#ifndef STORE_OUTCOME_H
#define STORE_OUTCOME_H

#include "store/store.h"

/* What is known of the run beside its row's columns. */
struct outcome_run {
    bool doomed;
    bool owed;  /* see advance.owed_at */
    bool begun; /* an attempt of it is known already */
};

/*
 * A doomed run does not go on; an owed one that was never attempted does, at once, as a run of the definition
 * in force. Sets o->became, and o->due_at with it.
 */
void outcome_become(struct outcome *o, const struct outcome_run *r, struct wall now);

#endif
