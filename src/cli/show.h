/*
 * show.h: a server's answers for people. Each returns the exit status.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "base/base.h"
#include "base/json.h"

/* A refusal: problem+json (RFC 9457), or whatever a front before the server made of it. */
int show_problem(int status, struct str body);
int show_added(struct str body);
int show_replaced(struct str body);
/* One line an item; failed when one was refused. `json`: the answer as it came, with the same status. */
int show_batch(struct str body, bool json);
int show_list(const json_t *all);
int show_schedule(struct str body);
int show_deleted(struct str body);
int show_run(struct str body);
int show_state(struct str body);
int show_backfilled(struct str body);
int show_redriven(struct str body);
int show_runs(const json_t *all);
int show_history(const json_t *all);
int show_instances(struct str body);
int show_ready(struct str body);

#endif
