/*
 * near.h: what somebody probably meant by a name that does not exist.
 */
#ifndef CONFIG_NEAR_H
#define CONFIG_NEAR_H

#include "base/base.h"
#include "base/buf.h"

enum near_form { NEAR_PATH, NEAR_VARIABLE };

/* Appends "; did you mean server.listen?" with up to three names, nearest first; nothing when none is near.
 */
void near_add(struct buf *out, struct str name, enum near_form form);

#endif
