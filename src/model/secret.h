/*
 * secret.h: which parts of a definition are write-only, how they are hidden and how they are kept.
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

/*
 * Appends `text`, which a target sent, with "***" in place of everything in it that the schedule's write-only
 * parts say: values of hidden headers and what they are made of (the token behind "Bearer", user and password
 * behind "Basic"), user and password of the URL. Each as it is, with blanks around it or without, escaped as
 * JSON, URLs and HTML do it, in base64 of whatever holds it, and in two of these one within the other.
 * `cut`: the text goes on, so what begins like a secret at its end is hidden too. `rules` as above.
 */
CHECKED enum err secret_hide(const struct schedule *s, const struct schedule_rules *rules, struct str text,
                             bool cut, struct buf *out, struct error *err);

#endif
