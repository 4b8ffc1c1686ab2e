/*
 * problem.h: errors as application/problem+json (RFC 9457). Pure.
 *
 * Where a fault lies is told by struct error's `where`: a JSON pointer ("" or "/task/...") into the body,
 * "?name" for a query parameter, ":Name" for a header, "line L, column C" for text that is no JSON.
 */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

#define PROBLEM_TYPE "application/problem+json"
/* The `type` of a problem is this and its slug. */
#define PROBLEM_URN "urn:carillon:problem:"

/* kind, HTTP status, slug, title */
#define PROBLEM_LIST(X)                                                                                      \
    X(PROBLEM_SYNTAX, 400, "syntax", "The request cannot be read")                                           \
    X(PROBLEM_FORBIDDEN, 403, "forbidden", "The configuration forbids it")                                   \
    X(PROBLEM_NOT_FOUND, 404, "not-found", "Not found")                                                      \
    X(PROBLEM_METHOD, 405, "method-not-allowed", "The method is not allowed here")                           \
    X(PROBLEM_CONFLICT, 409, "conflict", "The present state does not allow it")                              \
    X(PROBLEM_PRECONDITION, 412, "precondition-failed", "It has changed meanwhile")                          \
    X(PROBLEM_TOO_LARGE, 413, "too-large", "The request is too large")                                       \
    X(PROBLEM_URI, 414, "uri-too-long", "The request target is too long")                                    \
    X(PROBLEM_MEDIA_TYPE, 415, "media-type", "The content type is not supported")                            \
    X(PROBLEM_INVALID, 422, "invalid", "A value is wrong")                                                   \
    X(PROBLEM_RATE, 429, "rate", "Too many requests")                                                        \
    X(PROBLEM_INTERNAL, 500, "internal", "Internal error")                                                   \
    X(PROBLEM_UNSUPPORTED, 501, "not-implemented", "Not implemented")                                        \
    X(PROBLEM_BUSY, 503, "busy", "Too busy at the moment")                                                   \
    X(PROBLEM_UNAVAILABLE, 503, "unavailable", "The database cannot be reached")                             \
    X(PROBLEM_STOPPING, 503, "stopping", "The server is stopping")                                           \
    X(PROBLEM_TIMEOUT, 503, "timeout", "It took too long")

#define X(kind, status, slug, title) kind,
enum problem { PROBLEM_LIST(X) };
#undef X

unsigned problem_status(enum problem p);
/* What a failure inside means to a client. */
enum problem problem_of(enum err code);
/* Seconds after which trying again is sensible; 0: a repetition would not help. */
unsigned problem_retry_after(enum problem p);

/* `detail` may be empty. `faults` may be NULL. Bounded: no text of a fault is longer than struct error's. */
void problem_write(struct buf *out, enum problem p, struct str detail, const struct error_list *faults);
/* The same for one error, whose text is the detail and, when it has a place, the one entry of `errors`. */
void problem_write_error(struct buf *out, enum problem p, const struct error *err);

#endif
