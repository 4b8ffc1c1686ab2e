/*
 * line.h: a line of the file: from a schedule or a run to text and back. Pure.
 */
#ifndef MOVE_LINE_H
#define MOVE_LINE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "store/store.h"

/* --- out: a whole line with its end --- */

void line_header(struct buf *out, const char *version, struct wall at, const char *store, const char *tzdata,
                 bool hides);
/* `definition`: JSON text. */
void line_schedule(struct buf *out, const struct record *r, struct str definition);
void line_run(struct buf *out, const struct moved_run *m);
void line_end(struct buf *out, int64_t schedules, int64_t runs);

/* --- in --- */

enum line_kind { LINE_UNKNOWN, LINE_HEADER, LINE_SCHEDULE, LINE_RUN, LINE_END };

enum { TZDATA_MAX = 64 };
struct line {
    enum line_kind kind;
    char tzdata[TZDATA_MAX]; /* LINE_HEADER: the release that the file's times were computed with; "": unknown
                              */
    struct record record;    /* LINE_SCHEDULE, without its definition, which is .definition */
    json_t *definition;      /* owned */
    struct moved_run run;    /* LINE_RUN, without its label */
};
void line_done(struct line *l);

/*
 * Reads one. *err names the member at fault by its pointer from the line's top; of such a line *ret has .kind
 * and a schedule's .record.id alone, as far as they can be told.
 */
CHECKED enum err line_read(struct str text, struct line *ret, struct error *err);

#endif
