/*
 * represent.h: how schedules and runs look to a client. GraphQL and events show the same.
 */
#ifndef API_REPRESENT_H
#define API_REPRESENT_H

#include "api/api_internal.h"
#include "api/writer.h"
#include "store/ops_schedule.h"
#include "store/store.h"

/*
 * A whole object. Secrets are hidden. A stored definition that no longer decodes (its zone left the database)
 * is shown without its connection, since what in it is secret cannot be told any more.
 */
CHECKED enum err represent_schedule(struct writer *w, const struct api *api, const struct record *record,
                                    struct error *err);
/* A whole object. */
void represent_run(struct writer *w, const struct run_record *run);
/* Members into an object that is open. item->schedule is what was registered. */
void represent_registration(struct writer *w, const struct op_put_item *item);

#endif
