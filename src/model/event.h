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
 * BODY_DATA: task.data alone. BODY_EVENT: the whole schedule without its secrets, with `id`, `run_id`,
 * `scheduled_at`, `attempt`.
 */
CHECKED enum err event_body(const struct schedule *s, const struct run *run, struct buf *out,
                            struct error *err);

#endif
