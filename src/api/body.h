/*
 * body.h: small bodies that are no definitions, member by member. Pure; faults go to a list.
 */
#ifndef API_BODY_H
#define API_BODY_H

#include "api/request.h"
#include "base/json.h"
#include "calendar/zone.h"

/* The body as an object with none but these members (NULL at the end); false: it is not, and the request is
 * answered. */
CHECKED bool body_object(struct request *r, const char *const *members, json_t **ret);

/* Each yields whether the member is there and right; null stands for absent. */
bool body_bool(const json_t *json, const char *name, bool *ret, struct error_list *faults);
bool body_integer(const json_t *json, const char *name, int64_t min, int64_t max, int64_t *ret,
                  struct error_list *faults);
bool body_uuid(const json_t *json, const char *name, struct uuid *ret, struct error_list *faults);
/* An instant, local in `z` when it has no offset. It must be there. */
bool body_time(const json_t *json, const char *name, const struct zone *z, struct wall *ret,
               struct error_list *faults);

#endif
