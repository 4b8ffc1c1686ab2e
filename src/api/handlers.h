/*
 * handlers.h: what the route table points to. Each runs on an HTTP thread; see request.h.
 */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/request.h"

/* put.c */
void handle_register(struct request *r);
void handle_replace(struct request *r);
/* batch.c */
void handle_batch(struct request *r);
/* schedules.c */
void handle_list(struct request *r);
void handle_get(struct request *r);
void handle_delete(struct request *r);
void handle_delete_all(struct request *r);
/* act.c */
void handle_pause(struct request *r);
void handle_resume(struct request *r);
void handle_trigger(struct request *r);
/* runs.c */
void handle_runs(struct request *r);
void handle_schedule_runs(struct request *r);
void handle_run(struct request *r);
/* redrive.c */
void handle_redrive(struct request *r);
void handle_redrive_many(struct request *r);
void handle_discard(struct request *r);
/* backfill.c */
void handle_backfill(struct request *r);
/* reset.c */
void handle_reset(struct request *r);
/* history.c */
void handle_history(struct request *r);
void handle_schedule_history(struct request *r);
/* listen_events.c */
void handle_events(struct request *r);
/* preview.c */
void handle_preview(struct request *r);
/* health.c */
void handle_healthz(struct request *r);
void handle_readyz(struct request *r);
void handle_version(struct request *r);
/* doctor.c */
void handle_doctor(struct request *r);
/* instances.c */
void handle_instances(struct request *r);
/* scrape.c */
void handle_metrics(struct request *r);
/* pages.c */
void handle_openapi(struct request *r);
void handle_docs(struct request *r);
void handle_docs_script(struct request *r);
void handle_docs_style(struct request *r);
void handle_docs_icon(struct request *r);
void handle_root(struct request *r);
void handle_explorer(struct request *r);
void handle_explorer_script(struct request *r);
void handle_explorer_style(struct request *r);
void handle_graphiql_script(struct request *r);
void handle_graphiql_style(struct request *r);
/* Where a browser's GET /graphql leads: to GraphiQL, or to the small explorer where there is none. */
void answer_explorer(struct request *r);
/* graphql/graphql.c */
void handle_graphql_get(struct request *r);
void handle_graphql_post(struct request *r);

#endif
