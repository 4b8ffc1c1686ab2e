/*
 * history.h: what every call about the history has to look out for.
 */
#ifndef API_HISTORY_H
#define API_HISTORY_H

#include "api/request.h"

/* False: there is no history database, and the request is answered. */
CHECKED bool history_is_there(struct request *r);
/* Answers a failure of the history's lane. */
void history_refuse(struct request *r, const struct error *err);

#endif
