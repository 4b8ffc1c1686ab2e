/*
 * reader.h: a file descriptor line by line, with a bound on what a line may take.
 */
#ifndef MOVE_READER_H
#define MOVE_READER_H

#include "base/base.h"
#include "base/error.h"

struct reader {
    int fd;
    size_t line_max;
    char *p; /* owned; [from, to) is not handed out yet */
    size_t cap;
    size_t from;
    size_t to;
    bool ended;
    int64_t line; /* the number of the line handed out last; the first is 1 */
};

void reader_init(struct reader *r, int fd, size_t line_max);
void reader_done(struct reader *r); /* the descriptor stays open */

/*
 * The next line without its end, valid until the next call; blank ones too. *ret_long: it was longer than
 * line_max, and is passed over. False in *ret_there: the end.
 */
CHECKED enum err reader_next(struct reader *r, struct str *ret, bool *ret_long, bool *ret_there,
                             struct error *err);

#endif
