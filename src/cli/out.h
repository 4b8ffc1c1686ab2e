/*
 * out.h: what commands print: text for people, with nothing in it that acts on their terminal.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

enum { OUT_MAX_BYTES = 256 * 1024 * 1024 };

/* All of `out` to standard output. The exit status: failed when it could not be written, which is then said.
 */
int out_print(const struct buf *out);
/* "carillon: ..." on standard error; returns EXIT_FAILED. */
int out_fail(const char *format, ...) PRINTF_LIKE(1, 2);
/* The same for a mistake in the command line: with a pointer to the help; returns EXIT_USAGE. */
int out_usage(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);
/* "carillon: where: text" */
int out_error(const struct error *err);

/* Text from outside: control characters, which could act on a terminal, become "?". */
void out_add_plain(struct buf *out, struct str s);

/* Columns it takes on a terminal: wide East Asian characters two, combining marks none. */
size_t out_width(struct str s);

/* Rows of cells, printed with their columns aligned. */
struct grid {
    size_t columns;
    char **cells;
    size_t n;
    size_t cap;
};

void grid_init(struct grid *g, size_t columns);
void grid_done(struct grid *g);
CHECKED enum err grid_add(struct grid *g, struct str cell, struct error *err);
/* Every row after `indent`. */
void grid_print(const struct grid *g, const char *indent, struct buf *out);

UNUSED static inline void grid_done_p(struct grid *g)
{
    grid_done(g);
}

#endif
