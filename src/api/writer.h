/*
 * writer.h: JSON put out straight into a buffer: commas and quotes are its business, order is the caller's.
 *
 * For answers whose shape is fixed, where a tree would only be built to be torn down again. Failures stick in
 * the buffer. Every value takes its member's name, NULL inside an array.
 */
#ifndef API_WRITER_H
#define API_WRITER_H

#include "base/base.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/uuid.h"

enum { WRITER_DEPTH_MAX = 64 };

struct writer {
    struct buf *out;
    uint64_t filled; /* bit d: the container at depth d has a value already */
    unsigned depth;
};

static inline struct writer writer_of(struct buf *out)
{
    return (struct writer){.out = out};
}

void write_object(struct writer *w, const char *name);
void write_array(struct writer *w, const char *name);
void write_end_object(struct writer *w);
void write_end_array(struct writer *w);

void write_str(struct writer *w, const char *name, struct str value);
void write_cstr(struct writer *w, const char *name, const char *value);
void write_i64(struct writer *w, const char *name, int64_t value);
void write_bool(struct writer *w, const char *name, bool value);
void write_null(struct writer *w, const char *name);
void write_uuid(struct writer *w, const char *name, struct uuid value);
/* As ISO 8601 in UTC; null for never. */
void write_wall(struct writer *w, const char *name, struct wall value);
/* Microseconds as milliseconds with at most three decimals: exact. */
void write_ms(struct writer *w, const char *name, int64_t us);
/* Text that is JSON already. */
void write_raw(struct writer *w, const char *name, struct str json);
/* A member whose name is not known at compile time. */
void write_json(struct writer *w, struct str name, const json_t *value);

#endif
