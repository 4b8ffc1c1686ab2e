/*
 * etag.h: a schedule's version as an entity tag (RFC 9110, 8.8.3), and the conditions that name it. Pure.
 */
#ifndef API_ETAG_H
#define API_ETAG_H

#include "base/base.h"
#include "base/error.h"

enum { ETAG_MAX = 32 };

void etag_format(int64_t version, char ret[ETAG_MAX]);

/*
 * If-Match as the version that must be the current one. 0: any (absent, or "*"). A tag that no version of
 * ours can have, weak ones included, gives -1, which no version matches. ERR_SYNTAX at ":If-Match" when it is
 * no list of tags, or of several different ones, of which we could check only one.
 */
CHECKED enum err etag_if_match(struct str header, int64_t *ret_version, struct error *err);
/* Whether If-None-Match names `version`: weakly, so W/ does not matter. Malformed ones match nothing. */
bool etag_none_match(struct str header, int64_t version);

#endif
