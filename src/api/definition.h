/*
 * definition.h: from a request's body to a checked definition, and from the store's text back to one.
 */
#ifndef API_DEFINITION_H
#define API_DEFINITION_H

#include "api/request.h"
#include "base/json.h"
#include "model/schedule.h"

/* The body as JSON; false: it is none, and the request is answered. */
CHECKED bool body_json(struct request *r, json_t **ret);
/* A body that must be absent or {}; false: it is not, and the request is answered. */
CHECKED bool body_is_empty(struct request *r);

/*
 * Members that only reads have are taken out first, so that what was read can be edited and sent back. `id`:
 * the one in the path, with which a member `id` must agree; NULL: it is ignored as well. The rest as
 * schedule_decode().
 */
CHECKED enum err definition_decode(const struct api *api, json_t *json, const struct uuid *id,
                                   const struct schedule *prior, struct schedule **ret,
                                   struct error_list *faults);
/*
 * The same without the checks of policy, and with "***" standing for itself: whose identity a definition has,
 * and when it would fire, can be told before the definition it keeps secrets of is known.
 */
CHECKED enum err definition_decode_loosely(const struct api *api, json_t *json, struct schedule **ret,
                                           struct error_list *faults);
/* From our own store. */
CHECKED enum err definition_stored(const struct api *api, struct str text, struct schedule **ret,
                                   struct error *err);

#endif
