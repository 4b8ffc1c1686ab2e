/*
 * error.h: what went wrong, where, and in words a user can act on.
 *
 * What can fail is `CHECKED enum err f(..., struct error *err)`; ERR_NONE (0) is success. Who detects
 * fills *err, who knows more may prefix it, who ends the journey logs it or answers it; nobody logs *and*
 * returns. `err` may be NULL where nobody asks. Any thread: an error lives on its caller's stack.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"

/* code, name in logs and metrics */
#define ERR_LIST(X)                                                                                          \
    X(ERR_NONE, "none")                                                                                      \
    X(ERR_SYNTAX, "syntax")             /* bytes that cannot be read at all: malformed JSON, YAML */         \
    X(ERR_INVALID, "invalid")           /* readable, but a value is wrong */                                 \
    X(ERR_NOT_FOUND, "not-found")       /* what was named does not exist */                                  \
    X(ERR_CONFLICT, "conflict")         /* the state of the thing forbids it */                              \
    X(ERR_PRECONDITION, "precondition") /* If-Match did not match */                                         \
    X(ERR_STALE, "stale")               /* a lease token or version that is no longer the current one */     \
    X(ERR_TOO_LARGE, "too-large")       /* over a configured or fixed limit */                               \
    X(ERR_BUSY, "busy")                 /* a queue is full; try again later */                               \
    X(ERR_MEMORY, "memory")             /* an allocation of outside size failed */                           \
    X(ERR_IO, "io")                     /* a file, socket or system call failed */                           \
    X(ERR_UNAVAILABLE, "unavailable")   /* the database or a broker cannot be reached now */                 \
    X(ERR_TIMEOUT, "timeout")           /* it took longer than it may */                                     \
    X(ERR_REFUSED, "refused")           /* forbidden by configuration */                                     \
    X(ERR_UNSUPPORTED, "unsupported")   /* named by the spec, not in this build */                           \
    X(ERR_INTERNAL, "internal")         /* our own fault */

enum err {
#define X(code, name) code,
    ERR_LIST(X)
#undef X
};

struct error {
    enum err code;
    char where[96]; /* JSON pointer, file:line, table, host: what a user can look at */
    char text[192]; /* one sentence, no trailing full stop, never a secret */
};

/* Fills *err (if not NULL) and returns `code`. `where` NULL means "". Too long texts are cut at a UTF-8
 * boundary. */
enum err error_set(struct error *err, enum err code, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* The same with the text of errno appended; code ERR_MEMORY for ENOMEM, else ERR_IO. */
enum err error_errno(struct error *err, const char *where, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix: " before the text. */
void error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts `prefix` before `where`: how a pointer grows on its way up ("/task" + "/connection/host"). */
void error_prefix_where(struct error *err, const char *prefix);

const char *err_name(enum err code);

/* Several faults of one input, for answers that name all of them. Past the limit further ones are only
 * counted. */
enum { ERROR_LIST_MAX = 16 };

struct error_list {
    size_t n;       /* held in items */
    size_t dropped; /* found, but not held */
    struct error items[ERROR_LIST_MAX];
};

/* Adds one fault; returns `code`. */
enum err error_list_add(struct error_list *list, enum err code, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
