/*
 * zone.h: a time zone's rules, from its TZif file (RFC 9636) to "what is the offset at".
 *
 * Pure once loaded: zone_load() reads one file, nothing else here touches the system. A loaded zone is
 * immutable, so any thread may read it without a lock. Times are UTC µs; local times are µs too, counted as
 * though the wall clock's reading were UTC. Lookups are O(log n). Leap-second tables are ignored; past the
 * last transition the POSIX footer rules.
 */
#ifndef CALENDAR_ZONE_H
#define CALENDAR_ZONE_H

#include "base/base.h"
#include "base/error.h"

struct zone; /* opaque: callers never see the transition table */

/* A larger file is refused unread; the largest TZif file in tzdata 2025b is under 4 KiB. */
enum { ZONE_FILE_MAX = 64 * 1024 };
enum { ZONE_ABBR_MAX = 16 };

/*
 * Loads `path`, called `name` in messages. On success *ret is the caller's, to be freed with zone_free().
 * On failure *ret is untouched and *err says why: ERR_INVALID it is not TZif, ERR_IO it can't be read.
 */
CHECKED enum err zone_load(const char *path, const char *name, struct zone **ret, struct error *err);
/* The same from bytes in memory (the fuzzer's door). */
CHECKED enum err zone_parse(struct str tzif, const char *name, struct zone **ret, struct error *err);
/* A zone of one fixed offset, for tests and for ISO times with an offset. */
struct zone *zone_fixed(int32_t offset_s);
void zone_free(struct zone *z); /* NULL is fine */
CLEANUP_FN(struct zone, zone_free)

const char *zone_name(const struct zone *z);

struct zone_type {
    int32_t offset_s; /* seconds east of Greenwich */
    bool is_dst;
    char abbr[ZONE_ABBR_MAX];
};

/* What is in force at `at`. Before the first transition: RFC 9636, 3.2. */
int32_t zone_offset_s(const struct zone *z, struct wall at);
struct zone_type zone_type_at(const struct zone *z, struct wall at);
/* The first change of offset strictly after `at` (changes of name or is_dst alone are not reported). False:
 * none by year 9999. */
bool zone_next_change(const struct zone *z, struct wall at, struct wall *ret);
/* The last change of offset at or before `at`; false: none. */
bool zone_prev_change(const struct zone *z, struct wall at, struct wall *ret);

/* The stretch of one offset that `at` lies in: the changes of offset around it and what they change from and
 * to. */
struct zone_span {
    struct wall from;        /* the change that began it; INT64_MIN: none */
    struct wall until;       /* the change that ends it; WALL_NEVER: none */
    int32_t offset_s;        /* in force from `from` to before `until` */
    int32_t offset_before_s; /* in force before `from`; offset_s where there is no such change */
};
struct zone_span zone_span_at(const struct zone *z, struct wall at);

int64_t zone_to_local(const struct zone *z, struct wall at);

/* How a local time meets the zone. */
enum zone_fit {
    ZONE_ONCE,  /* exists once: first == second */
    ZONE_GAP,   /* does not exist: first == second == the first instant after the gap */
    ZONE_TWICE, /* exists twice: first is the earlier, second the later instant */
};
struct zone_instants {
    enum zone_fit fit;
    struct wall first;
    struct wall second;
};
struct zone_instants zone_from_local(const struct zone *z, int64_t local_us);

#endif
