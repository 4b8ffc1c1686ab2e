/*
 * secrets.h: the secrets that requests are signed by: `secrets:` of the file, CARILLON_SECRETS_NAME. Their
 * names are the user's, so they stand beside the table of settings, not in it.
 */
#ifndef CONFIG_SECRETS_H
#define CONFIG_SECRETS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/settings.h"

enum { SECRET_NAME_MAX = 64 };

/*
 * Sets or replaces one. A name is of lower-case letters, digits and _, so that each has its variable.
 * *err.text says what is wrong without a byte of a secret.
 */
CHECKED enum err secrets_set(struct settings *s, struct str name, const struct str *values, size_t n,
                             struct settings_origin origin, struct error *err);
/* The same of a text: one secret, or two separated by a comma. */
CHECKED enum err secrets_set_text(struct settings *s, struct str name, struct str text,
                                  struct settings_origin origin, struct error *err);
void secrets_free(struct settings *s);

#endif
