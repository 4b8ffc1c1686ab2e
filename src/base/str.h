/*
 * str.h: reading text through views. Nothing here allocates; nothing needs a terminator.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

struct str str_of(const char *cstr); /* NULL gives the empty view */
bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str part);
/* <0, 0, >0 by bytes, a shorter prefix first. */
int str_cmp(struct str a, struct str b);
struct str str_trim(struct str s); /* ASCII blanks off both ends */
/* Position of `c`, or s.n. */
size_t str_find(struct str s, char c);
/* Cuts *rest at the next `sep`: yields what is before it, *rest becomes what is behind (p NULL when nothing
 * was left). */
bool str_cut(struct str *rest, char sep, struct str *ret);

/* 0 to 15, either case; -1 when `c` is no hex digit. */
int str_hex_value(char c);
/* Whole decimal numbers, nothing else beside them; false when malformed or out of range. */
bool str_to_i64(struct str s, int64_t *ret);
bool str_to_u64(struct str s, uint64_t *ret);
/*
 * A decimal number of seconds such as "50", "0.25" or "-1", as microseconds, without floating point.
 * More than six fraction digits are rounded, a half away from zero; no exponent. False when malformed or
 * beyond 10^12 s.
 */
bool str_to_us(struct str s, int64_t *ret_us);

/* Bytes of the well-formed UTF-8 character (RFC 3629) that `s` begins with, 1 to 4; 0 when it does not. */
size_t str_utf8_char(struct str s);
/* Well-formed UTF-8 (RFC 3629) without NUL. */
bool str_is_utf8(struct str s);

#endif
