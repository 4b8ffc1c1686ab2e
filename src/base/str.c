/*
 * str.c: views compared, cut and read. An empty view's pointer may be NULL and is never followed.
 */
#include "base/str.h"

#include <string.h>

struct str str_of(const char *cstr)
{
    return cstr ? (struct str){cstr, strlen(cstr)} : (struct str){NULL, 0};
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

bool str_contains(struct str s, struct str part)
{
    return part.n == 0 || (s.n >= part.n && memmem(s.p, s.n, part.p, part.n));
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t str_find(struct str s, char c)
{
    const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

bool str_cut(struct str *rest, char sep, struct str *ret)
{
    size_t at;

    if (!rest->p)
        return false;
    at = str_find(*rest, sep);
    *ret = (struct str){rest->p, at};
    if (at < rest->n)
        *rest = (struct str){rest->p + at + 1, rest->n - at - 1};
    else
        *rest = (struct str){NULL, 0};
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

/* Takes a leading minus off. */
static bool cut_minus(struct str *s)
{
    if (s->n == 0 || s->p[0] != '-')
        return false;
    s->p++;
    s->n--;
    return true;
}

int str_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool str_to_i64(struct str s, int64_t *ret)
{
    bool negative = cut_minus(&s);
    uint64_t magnitude;

    if (!str_to_u64(s, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    /* By way of -(m - 1) - 1, so that INT64_MIN is never negated. */
    if (negative && magnitude > 0)
        *ret = -(int64_t)(magnitude - 1) - 1;
    else
        *ret = (int64_t)magnitude;
    return true;
}

/* Digits behind the point as microseconds, 0 to 1,000,000, rounded half up. */
static bool fraction_us(struct str digits, int64_t *ret)
{
    int64_t us = 0;

    if (digits.n == 0)
        return false;
    for (size_t i = 0; i < digits.n || i < 6; i++) {
        char c = i < digits.n ? digits.p[i] : '0';

        if (c < '0' || c > '9')
            return false;
        if (i < 6)
            us = us * 10 + (c - '0');
        else if (i == 6 && c >= '5')
            us++;
    }
    *ret = us;
    return true;
}

bool str_to_us(struct str s, int64_t *ret_us)
{
    static const int64_t max_us = INT64_C(1000000000000) * US_PER_S;
    bool negative = cut_minus(&s);
    size_t point = str_find(s, '.');
    uint64_t whole_s;
    int64_t us = 0;

    if (!str_to_u64((struct str){s.p, point}, &whole_s) || whole_s > (uint64_t)(max_us / US_PER_S))
        return false;
    if (point < s.n && !fraction_us((struct str){s.p + point + 1, s.n - point - 1}, &us))
        return false;
    us += (int64_t)whole_s * US_PER_S;
    if (us > max_us)
        return false;
    *ret_us = negative ? -us : us;
    return true;
}

/* The least and greatest second byte behind `lead`, which rule out overlong forms, surrogates and > U+10FFFF.
 */
static size_t lead_width(unsigned char lead, unsigned char *ret_least, unsigned char *ret_greatest)
{
    *ret_least = 0x80;
    *ret_greatest = 0xBF;
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    if (lead == 0xE0)
        *ret_least = 0xA0;
    else if (lead == 0xED)
        *ret_greatest = 0x9F;
    else if (lead == 0xF0)
        *ret_least = 0x90;
    else if (lead == 0xF4)
        *ret_greatest = 0x8F;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

size_t str_utf8_char(struct str s)
{
    unsigned char least;
    unsigned char greatest;
    size_t width;

    if (s.n == 0)
        return 0;
    width = lead_width((unsigned char)s.p[0], &least, &greatest);
    if (width == 0 || width > s.n)
        return 0;
    for (size_t i = 1; i < width; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < least || c > greatest)
            return 0;
        least = 0x80;
        greatest = 0xBF;
    }
    return width;
}

bool str_is_utf8(struct str s)
{
    while (s.n > 0) {
        size_t width = str_utf8_char(s);

        if (width == 0 || s.p[0] == '\0')
            return false;
        s.p += width;
        s.n -= width;
    }
    return true;
}
