/*
 * at_work.h: the Idempotency-Keys that requests of this process are at work with. Any thread.
 */
#ifndef API_AT_WORK_H
#define API_AT_WORK_H

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"

struct at_work;

struct at_work *at_work_new(void);
void at_work_free(struct at_work *w); /* NULL is fine */
CLEANUP_FN(struct at_work, at_work_free)

/* By the key's digest. ERR_CONFLICT: another request is at work with it. */
CHECKED enum err at_work_enter(struct at_work *w, struct uuid key, struct error *err);
/* It was entered. */
void at_work_leave(struct at_work *w, struct uuid key);

#endif
