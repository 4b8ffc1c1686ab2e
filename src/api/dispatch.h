/*
 * dispatch.h: what is decided about a request before its body is read: which route, and whether it is
 * refused.
 */
#ifndef API_DISPATCH_H
#define API_DISPATCH_H

#include "api/request.h"

/* Keeps the request target; it is looked at in dispatch_begin(). */
void dispatch_target(struct request *r, struct str target);
/* Finds the route and sets body_limit and next; or answers. */
void dispatch_begin(struct request *r, struct str method);
void dispatch_too_large(struct request *r);
/* The same of a call made from within, whose target is taken apart already (inner.h). False: it is answered.
 */
CHECKED bool dispatch_call(struct request *r, struct str method);

/* Whether it counts against its client's rate: not those that ask how the instance itself is, since whoever
 * watches it must not be refused for that. Its route is known. */
bool dispatch_is_rated(const struct request *r);

#endif
