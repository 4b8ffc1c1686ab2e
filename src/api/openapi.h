/*
 * openapi.h: the OpenAPI 3.1 document, written from the tables of routes and schemas. Pure.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/buf.h"

/* Calls that are not built yet, and pages, are left out. */
void openapi_write(struct buf *out, const char *version);

#endif
