/*
 * tzif_maker.h: TZif files made by hand, for tests that need what the system's database does not hold:
 * other versions, footers of one's choosing, and every kind of damage.
 */
#ifndef TESTS_UNIT_CALENDAR_TZIF_MAKER_H
#define TESTS_UNIT_CALENDAR_TZIF_MAKER_H

#include <stdarg.h>
#include <string.h>

#include "base/base.h"

struct tzif {
    char bytes[4096];
    size_t n;
};

struct tzif_type {
    int32_t offset_s;
    uint8_t is_dst;
    uint8_t abbr_at;
};

struct tzif_parts {
    char version; /* '\0', '2', '3', '4' */
    const int64_t *times;
    const uint8_t *indices;
    size_t n_times;
    const struct tzif_type *types;
    size_t n_types;
    const char *chars;
    size_t n_chars;
    const char *footer; /* without its newlines; not for version 1 */
    uint32_t n_leap;    /* leap seconds of nonsense, to be ignored */
};

static inline void tzif_be(struct tzif *f, uint64_t v, size_t bytes)
{
    while (bytes > 0)
        f->bytes[f->n++] = (char)(v >> (8 * --bytes));
}

static inline void tzif_block(struct tzif *f, const struct tzif_parts *p, size_t time_bytes)
{
    const uint32_t counts[] = {
        0, 0, p->n_leap, (uint32_t)p->n_times, (uint32_t)p->n_types, (uint32_t)p->n_chars};

    memcpy(f->bytes + f->n, "TZif", 4);
    f->n += 4;
    f->bytes[f->n++] = p->version;
    memset(f->bytes + f->n, 0, 15);
    f->n += 15;
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        tzif_be(f, counts[i], 4);
    for (size_t i = 0; i < p->n_times; i++)
        tzif_be(f, (uint64_t)p->times[i], time_bytes);
    for (size_t i = 0; i < p->n_times; i++)
        tzif_be(f, p->indices[i], 1);
    for (size_t i = 0; i < p->n_types; i++) {
        tzif_be(f, (uint32_t)p->types[i].offset_s, 4);
        tzif_be(f, p->types[i].is_dst, 1);
        tzif_be(f, p->types[i].abbr_at, 1);
    }
    memcpy(f->bytes + f->n, p->chars, p->n_chars);
    f->n += p->n_chars;
    for (uint32_t i = 0; i < p->n_leap; i++) {
        tzif_be(f, 78796800 + i, time_bytes);
        tzif_be(f, i + 1, 4);
    }
}

static inline struct tzif tzif_make(const struct tzif_parts *p)
{
    struct tzif f = {.n = 0};

    tzif_block(&f, p, 4);
    if (p->version == '\0')
        return f;
    tzif_block(&f, p, 8);
    f.bytes[f.n++] = '\n';
    memcpy(f.bytes + f.n, p->footer, strlen(p->footer));
    f.n += strlen(p->footer);
    f.bytes[f.n++] = '\n';
    return f;
}

static inline struct str tzif_str(const struct tzif *f)
{
    return (struct str){f->bytes, f->n};
}

#endif
