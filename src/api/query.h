/*
 * query.h: a request's target taken apart: path segments and query parameters, decoded in place.
 *
 * Pure. Everything here meets bytes from outside: the number of segments and parameters is bounded, and text
 * that is not UTF-8 or holds NUL once decoded is refused.
 */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "base/base.h"
#include "base/error.h"

enum { TARGET_MAX = 8192, TARGET_SEGMENTS_MAX = 8, QUERY_PARAMS_MAX = 32 };

struct query_param {
    struct str name;
    struct str value;
};

/* Views into the text that was parsed. */
struct target {
    struct str segments[TARGET_SEGMENTS_MAX]; /* "/a/b" is two; "/" is one empty one */
    size_t segments_n;
    bool too_deep; /* more segments than any route has: it matches none */
    struct query_param params[QUERY_PARAMS_MAX];
    size_t params_n;
};

/*
 * `text` (n bytes, overwritten) is a request target in origin or absolute form. ERR_SYNTAX when it is
 * neither, or a percent sequence is wrong, or the text is not UTF-8; `where` is "" for the path and "?name"
 * for a parameter.
 */
CHECKED enum err target_parse(char *text, size_t n, struct target *ret, struct error *err);

/* The value of the first parameter called `name`; p NULL when absent. */
struct str target_param(const struct target *t, const char *name);

/* Puts every parameter that is not among `names`, or comes twice, into `faults` as ERR_INVALID at "?name". */
void target_check_params(const struct target *t, const char *const *names, size_t n,
                         struct error_list *faults);

/* A whole number from `min` to `max`, or `absent` when the parameter is not there. A fault goes to `faults`.
 */
int64_t target_number(const struct target *t, const char *name, int64_t absent, int64_t min, int64_t max,
                      struct error_list *faults);

/* Appends `s` percent-encoded, so that it may stand in a query. */
struct buf;
void query_escape(struct buf *out, struct str s);

#endif
