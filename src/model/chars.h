/*
 * chars.h: kinds of characters, by ASCII and no locale. For the model room itself.
 */
#ifndef MODEL_CHARS_H
#define MODEL_CHARS_H

#include "base/str.h"

static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool char_is_alnum(char c)
{
    return char_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Printable and no blank; bytes of other scripts are let through. */
static inline bool chars_are_graphic(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= 0x20 || c == 0x7F)
            return false;
    }
    return true;
}

/* Letters, digits, those in `others`, and bytes of other scripts. */
static inline bool chars_are_in(struct str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!char_is_alnum(c) && (unsigned char)c < 0x80 && str_find(str_of(others), c) == str_of(others).n)
            return false;
    }
    return true;
}

/* Any that could end a line or hide in a log. */
static inline bool chars_have_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
            return true;
    }
    return false;
}

#endif
