/*
 * event.h: what a target is sent: the body of an attempt, as `task.body` says.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"
#include "model/run.h"
#include "model/schedule.h"

/*
 * Appended to `out`. BODY_DATA: task.data alone, nothing when there is none. BODY_EVENT: the whole schedule
 * with `id`, `run_id`, `scheduled_at`, `attempt`, and without its secrets: the values of all headers but a
 * few harmless ones are hidden, since the configured list of secret names is not known here.
 */
CHECKED enum err event_body(const struct schedule *s, const struct run *run, struct buf *out,
                            struct error *err);

#endif
