/*
 * each.h: the calls about many schedules at once, for a store that has no statement for them because asking
 * it once for each costs no way to anywhere: it lives in this process. Signatures and promises: store.h.
 */
#ifndef STORE_EACH_H
#define STORE_EACH_H

#include "store/store.h"

CHECKED enum err each_get(struct store *s, const struct uuid *ids, size_t n, struct record_list *ret,
                          struct error *err);
CHECKED enum err each_list_runs(struct store *s, const struct uuid *ids, size_t n, const struct run_filter *f,
                                size_t most, struct run_record_list *ret, struct error *err);
CHECKED enum err each_history_list(struct store *s, const struct uuid *ids, size_t n,
                                   const struct history_filter *f, size_t most, struct history_list *ret,
                                   struct error *err);

/* What such a call answers when there is more than it may give. */
enum err each_too_many(size_t most, struct error *err);

#endif
