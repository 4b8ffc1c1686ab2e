/*
 * zone_parse.c: from the bytes of a TZif file to a zone. What is refused here can't be wrong later: every
 * index, count and time is judged before it is used.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "calendar/zone_internal.h"
#include "calendar/zone_posix.h"

enum { HEADER_BYTES = 44, TYPE_BYTES = 6 };
/* Years the footer is unrolled for: one to reach its state at the last transition, the cycle, two to spare on
   either side of the fold (see struct zone). */
enum { FOOTER_YEARS = 2 + 2 + CYCLE_YEARS + 2 + 2 };
/* Two changes a year, and those that one of the two series may be ahead of the other at the end. */
enum { FOOTER_CHANGES_MAX = 2 * FOOTER_YEARS + 8 };
/* 0001-01-01: a last transition before it is as good as one then. */
#define YEAR_ONE_US (INT64_C(-62135596800) * US_PER_S)

_Static_assert(sizeof(size_t) >= 8, "the sums of 32-bit counts below can't overflow");

/* A data block of the file: counts as its header has them, and where each array lies. */
struct block {
    size_t n_times;
    size_t n_types;
    size_t n_chars;
    const char *times;
    const char *indices;
    const char *types;
    const char *chars;
    size_t time_bytes;
    size_t total_bytes; /* header and data */
};

struct change {
    int64_t us;
    uint16_t type;
};

struct changes {
    struct change *items;
    size_t n;
};

static enum err refuse(const char *name, const char *why, struct error *err)
{
    return error_set(err, ERR_INVALID, name, "not a usable TZif file: %s", why);
}

static uint64_t read_be(const char *p, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | (uint8_t)p[i];
    return v;
}

/* Judges one header and the sizes that follow from it. */
static enum err block_open(struct str s, size_t time_bytes, const char *name, struct block *ret,
                           struct error *err)
{
    if (s.n < HEADER_BYTES || memcmp(s.p, "TZif", 4) != 0)
        return refuse(name, "it does not begin with a TZif header", err);

    size_t n_ut = (size_t)read_be(s.p + 20, 4);
    size_t n_std = (size_t)read_be(s.p + 24, 4);
    size_t n_leap = (size_t)read_be(s.p + 28, 4);
    struct block b = {
        .n_times = (size_t)read_be(s.p + 32, 4),
        .n_types = (size_t)read_be(s.p + 36, 4),
        .n_chars = (size_t)read_be(s.p + 40, 4),
        .time_bytes = time_bytes,
    };

    b.total_bytes = HEADER_BYTES + b.n_times * (time_bytes + 1) + b.n_types * TYPE_BYTES + b.n_chars +
                    n_leap * (time_bytes + 4) + n_std + n_ut;
    if (b.total_bytes > s.n)
        return refuse(name, "it is cut short", err);
    if ((n_ut != 0 && n_ut != b.n_types) || (n_std != 0 && n_std != b.n_types))
        return refuse(name, "its counts contradict each other", err);
    b.times = s.p + HEADER_BYTES;
    b.indices = b.times + b.n_times * time_bytes;
    b.types = b.indices + b.n_times;
    b.chars = b.types + b.n_types * TYPE_BYTES;
    *ret = b;
    return ERR_NONE;
}

static bool abbr_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-';
}

static enum err read_abbr(const struct block *b, size_t at, const char *name, char ret[ZONE_ABBR_MAX],
                          struct error *err)
{
    size_t n = 0;

    for (;; n++) {
        if (at + n >= b->n_chars)
            return refuse(name, "an abbreviation has no end", err);
        if (b->chars[at + n] == '\0')
            break;
        if (n + 1 == ZONE_ABBR_MAX || !abbr_char(b->chars[at + n]))
            return refuse(name, "an abbreviation is too long or has odd characters", err);
        ret[n] = b->chars[at + n];
    }
    ret[n] = '\0';
    return ERR_NONE;
}

static enum err read_types(const struct block *b, struct zone *z, const char *name, struct error *err)
{
    if (b->n_types == 0 || b->n_types > 256)
        return refuse(name, "it has no local time types, or more than 256", err);
    for (size_t i = 0; i < b->n_types; i++) {
        const char *p = b->types + i * TYPE_BYTES;
        int32_t offset_s = (int32_t)(uint32_t)read_be(p, 4);
        enum err e;

        if (offset_s < OFFSET_MIN_S || offset_s > OFFSET_MAX_S)
            return refuse(name, "an offset is a day or more", err);
        if ((uint8_t)p[4] > 1)
            return refuse(name, "a daylight-saving flag is neither 0 nor 1", err);
        z->types[i] = (struct zone_type){.offset_s = offset_s, .is_dst = p[4] == 1};
        e = read_abbr(b, (uint8_t)p[5], name, z->types[i].abbr, err);
        if (e)
            return e;
    }
    z->n_types = b->n_types;
    return ERR_NONE;
}

/* Seconds to µs, kept at the ends of the range: such a time is before or after all we compute with. */
static int64_t saturated_us(int64_t s)
{
    int64_t us;

    if (__builtin_mul_overflow(s, US_PER_S, &us))
        return s < 0 ? INT64_MIN : INT64_MAX;
    return us;
}

/* Appends; of several changes at one instant the last is the one that counts. */
static void changes_add(struct changes *c, int64_t us, uint16_t type)
{
    if (c->n > 0 && c->items[c->n - 1].us == us)
        c->n--;
    c->items[c->n++] = (struct change){us, type};
}

static enum err read_changes(const struct block *b, struct changes *c, const char *name, struct error *err)
{
    int64_t previous = 0;

    for (size_t i = 0; i < b->n_times; i++) {
        uint64_t raw = read_be(b->times + i * b->time_bytes, b->time_bytes);
        int64_t s = b->time_bytes == 4 ? (int32_t)(uint32_t)raw : (int64_t)raw;
        uint8_t type = (uint8_t)b->indices[i];

        if (i > 0 && s <= previous)
            return refuse(name, "its transitions are not in ascending order", err);
        if (type >= b->n_types)
            return refuse(name, "a transition names a local time type that is not there", err);
        previous = s;
        changes_add(c, saturated_us(s), type);
    }
    return ERR_NONE;
}

static bool type_equal(const struct zone_type *a, const struct zone_type *b)
{
    return a->offset_s == b->offset_s && a->is_dst == b->is_dst && strcmp(a->abbr, b->abbr) == 0;
}

static uint16_t type_intern(struct zone *z, const struct zone_type *t)
{
    for (size_t i = 0; i < z->n_types; i++)
        if (type_equal(&z->types[i], t))
            return (uint16_t)i;
    MUST(z->n_types < ZONE_TYPES_MAX);
    z->types[z->n_types] = *t;
    return (uint16_t)z->n_types++;
}

/*
 * All changes of the footer in FOOTER_YEARS from `year` on, ascending. An end comes before a start at the
 * same instant, so "daylight saving all year round" (its end is the next year's start) stays daylight saving.
 */
static void unroll_footer(const struct posix_tz *tz, int64_t year, uint16_t standard, uint16_t dst,
                          struct changes *out)
{
    int64_t pending_start = posix_start_s(tz, year);
    int64_t pending_end = posix_end_s(tz, year);
    int64_t start_year = year;
    int64_t end_year = year;

    /* Both series ascend by a year a step: the odd rule whose hours reach over a new year's eve included. */
    while (start_year < year + FOOTER_YEARS || end_year < year + FOOTER_YEARS) {
        if (pending_end <= pending_start) {
            changes_add(out, saturated_us(pending_end), standard);
            pending_end = posix_end_s(tz, ++end_year);
        } else {
            changes_add(out, saturated_us(pending_start), dst);
            pending_start = posix_start_s(tz, ++start_year);
        }
    }
    /* Something may still be due at the very instant of the last: only what lies before it is whole. */
    int64_t next_s = pending_end < pending_start ? pending_end : pending_start;

    if (out->items[out->n - 1].us == saturated_us(next_s))
        out->n--;
}

/*
 * Applies the footer to what follows the last transition, or to all time where there is none. RFC 9636, 3.3
 * wants the two to agree. A footer that does not know what the last transition set contradicts it: refused
 * rather than guessed at. One that knows it, but from another day on, is what zic before 2022g wrote for
 * America/Ojinaga, whose last change of rules made no change of clocks: the transition holds until the
 * footer's next.
 */
static enum err apply_footer(struct str footer, struct zone *z, struct changes *c, const char *name,
                             struct error *err)
{
    CLEANUP(alloc_free_p) struct change *items = NULL;
    struct changes rolled = {0};
    struct posix_tz tz;
    enum err e = posix_parse(footer, name, &tz, err);

    if (e)
        return e;

    uint16_t standard = type_intern(z, &tz.standard);
    uint16_t dst = tz.has_dst ? type_intern(z, &tz.dst) : standard;
    bool everywhere = c->n == 0;
    int64_t from_us = everywhere ? 0 : c->items[c->n - 1].us;

    if (everywhere)
        z->type_before = standard;
    if (!everywhere) {
        const struct zone_type *last = &z->types[c->items[c->n - 1].type];

        if (!type_equal(last, &tz.standard) && !(tz.has_dst && type_equal(last, &tz.dst)))
            return refuse(name, "its footer contradicts its last transition", err);
    }
    if (!tz.has_dst)
        return ERR_NONE;
    if (from_us > WALL_MAX_US)
        return ERR_NONE; /* nobody asks beyond the year 9999 */

    int64_t base_us = from_us < YEAR_ONE_US ? YEAR_ONE_US : from_us;
    int64_t year = civil_from_days(floor_div(base_us, SECONDS_A_DAY * US_PER_S)).year;

    e = alloc_array(FOOTER_CHANGES_MAX, sizeof(*items), (void **)&items, err);
    if (e)
        return e;
    rolled.items = items;
    unroll_footer(&tz, year - 2, standard, dst, &rolled);
    for (size_t i = 0; i < rolled.n; i++)
        if (everywhere || rolled.items[i].us > from_us)
            changes_add(c, rolled.items[i].us, rolled.items[i].type);

    int64_t low_us = saturated_us(civil_to_days(year + 2, 1, 1) * SECONDS_A_DAY);

    z->fold_high_us = low_us + CYCLE_US;
    if (everywhere)
        z->fold_low_us = low_us;
    return ERR_NONE;
}

/* Room for every change there can be, then the two tables of struct zone without the changes of nothing. */
static enum err fill_tables(struct zone *z, const struct changes *c, struct error *err)
{
    enum err e = alloc_array(c->n + 1, sizeof(*z->type_from_us), (void **)&z->type_from_us, err);

    if (!e)
        e = alloc_array(c->n + 1, sizeof(*z->type_after), (void **)&z->type_after, err);
    if (!e)
        e = alloc_array(c->n + 1, sizeof(*z->span_from_us), (void **)&z->span_from_us, err);
    if (!e)
        e = alloc_array(c->n + 1, sizeof(*z->span_offset_s), (void **)&z->span_offset_s, err);
    if (e)
        return e;

    uint16_t type = z->type_before;
    int32_t offset_s = z->types[type].offset_s;

    z->span_offset_s[0] = offset_s;
    for (size_t i = 0; i < c->n; i++) {
        const struct zone_type *t = &z->types[c->items[i].type];

        if (!type_equal(&z->types[type], t)) {
            z->type_from_us[z->n_type] = c->items[i].us;
            z->type_after[z->n_type++] = c->items[i].type;
            type = c->items[i].type;
        }
        if (t->offset_s != offset_s) {
            z->span_from_us[z->n_span++] = c->items[i].us;
            z->span_offset_s[z->n_span] = t->offset_s;
            offset_s = t->offset_s;
        }
    }
    return ERR_NONE;
}

/*
 * A change of offset skips or repeats the local times between the two readings at its instant. No zone ever
 * had two such stretches touch (the closest in tzdata are four days apart), and all that is said of gaps and
 * repetitions here and in cron rests on it: a reading exists at most twice.
 */
static bool stretches_are_apart(const struct zone *z)
{
    int64_t free_from = INT64_MIN;

    for (size_t i = 0; i < z->n_span; i++) {
        int64_t a = wall_add((struct wall){z->span_from_us[i]}, z->span_offset_s[i] * US_PER_S).us;
        int64_t b = wall_add((struct wall){z->span_from_us[i]}, z->span_offset_s[i + 1] * US_PER_S).us;

        if ((a < b ? a : b) < free_from)
            return false;
        free_from = a < b ? b : a;
    }
    return true;
}

/* The footer: the line after the last block. */
static enum err find_footer(struct str rest, const char *name, struct str *ret, struct error *err)
{
    const char *end = rest.n > 0 && rest.p[0] == '\n' ? memchr(rest.p + 1, '\n', rest.n - 1) : NULL;

    if (end == NULL)
        return refuse(name, "its footer is missing or has no end", err);
    *ret = (struct str){rest.p + 1, (size_t)(end - rest.p) - 1};
    return ERR_NONE;
}

/* Finds the block to read: the only one of version 1, the second and the footer of later versions. */
static enum err find_block(struct str tzif, const char *name, struct block *ret, struct str *ret_footer,
                           struct error *err)
{
    enum err e = block_open(tzif, 4, name, ret, err);

    if (e)
        return e;
    switch (tzif.p[4]) {
    case '\0':
        *ret_footer = (struct str){0};
        return ERR_NONE;
    case '2':
    case '3':
    case '4':
        break;
    default:
        return refuse(name, "its version is not 1 to 4", err);
    }

    struct str second = {tzif.p + ret->total_bytes, tzif.n - ret->total_bytes};

    e = block_open(second, 8, name, ret, err);
    if (e)
        return e;
    if (second.p[4] != tzif.p[4])
        return refuse(name, "its two headers have different versions", err);
    return find_footer((struct str){second.p + ret->total_bytes, second.n - ret->total_bytes}, name,
                       ret_footer, err);
}

enum err zone_parse(struct str tzif, const char *name, struct zone **ret, struct error *err)
{
    CLEANUP(zone_free_p) struct zone *z = alloc_new(struct zone);
    CLEANUP(alloc_free_p) struct change *items = NULL;
    struct changes changes = {0};
    struct block b;
    struct str footer;
    enum err e;

    z->fold_high_us = INT64_MAX;
    z->fold_low_us = INT64_MIN;
    if (tzif.n > ZONE_FILE_MAX)
        return refuse(name, "it is too large", err);
    e = find_block(tzif, name, &b, &footer, err);
    if (!e)
        e = alloc_str(str_of(name), &z->name, err);
    if (!e)
        e = read_types(&b, z, name, err);
    if (!e)
        e = alloc_array(b.n_times + FOOTER_CHANGES_MAX, sizeof(*items), (void **)&items, err);
    if (e)
        return e;
    changes.items = items;
    e = read_changes(&b, &changes, name, err);
    if (!e && footer.n > 0)
        e = apply_footer(footer, z, &changes, name, err);
    if (!e)
        e = fill_tables(z, &changes, err);
    if (e)
        return e;
    if (!stretches_are_apart(z))
        return refuse(name, "its changes of offset run into each other", err);
    *ret = TAKE(z);
    return ERR_NONE;
}
