/*
 * secret.h: which parts of a definition are write-only, how they are hidden and how they are kept. For the
 * model room itself.
 *
 * Hidden are: values of headers whose names are on the built-in or the configured list, a kafka connection's
 * passwords and keys, and the user and password in a URL. Each shows as "***"; writing "***" back keeps what
 * the definition being replaced has there.
 */
#ifndef MODEL_SECRET_H
#define MODEL_SECRET_H

#include "base/base.h"
#include "base/json.h"
#include "model/schedule.h"

#define SECRET_MASK "***"

bool secret_is_mask(const json_t *v);
/* `rules` may be NULL: the built-in list alone. */
bool secret_header(const struct schedule_rules *rules, struct str name);
/* A member of a kafka connection's config. */
bool secret_config(struct str name);
/* What stands before the @ of a URL's authority; false when there is none. A view into `url`. */
bool secret_userinfo(struct str url, struct str *ret);
/* `url` with `userinfo` in place of its own, which it must have; a new JSON string. */
CHECKED enum err secret_with_userinfo(struct str url, struct str userinfo, json_t **ret, struct error *err);

#endif
