/*
 * iso8601.h: dates as ISO 8601 / RFC 3339 write them. Pure. Years 1970 to 9999.
 */
#ifndef CALENDAR_ISO8601_H
#define CALENDAR_ISO8601_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "calendar/zone.h"

struct iso_time {
    int64_t local_us; /* the reading, counted as though it were UTC */
    bool has_offset;
    int32_t offset_s; /* 0 without one */
};

/* YYYY-MM-DDThh:mm:ss[.f{1,9}][Z|±hh:mm]. ERR_INVALID; the text names the part at fault. */
CHECKED enum err iso_parse(struct str s, struct iso_time *ret, struct error *err);

/*
 * The instant meant: by its offset, else local in `z` (in a gap the first instant after it; twice: the
 * first).
 */
CHECKED enum err iso_parse_instant(struct str s, const struct zone *z, struct wall *ret, struct error *err);

enum { ISO_TEXT_MAX = 48 };
/* UTC with as many fraction digits as needed (none, 3 or 6): "2026-11-23T09:00:00Z". */
void iso_format(struct wall t, char ret[ISO_TEXT_MAX]);
/* The same in `z` with its offset: "2026-11-23T18:00:00+09:00". */
void iso_format_local(struct wall t, const struct zone *z, char ret[ISO_TEXT_MAX]);

#endif
