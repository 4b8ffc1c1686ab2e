/*
 * base.c: how a broken invariant ends the process.
 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

void must_failed(const char *expr, const char *file, int line)
{
    /* stderr is unbuffered, so nothing can be lost between here and abort(). */
    (void)fprintf(stderr, "carillon: broken invariant at %s:%d: %s\n", file, line, expr);
    abort();
}
