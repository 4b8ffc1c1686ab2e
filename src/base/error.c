/*
 * error.c: filling struct error. Formats into a local first, so that an error's own text may be an argument.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Where to end a text of `n` bytes that was cut off, so that no character is left in halves: before a last
 * lead byte whose continuation bytes are not all there.
 */
static size_t cut_at(const char *s, size_t n)
{
    size_t back = 0;
    size_t width;
    unsigned char lead;

    while (back < 3 && back < n && ((unsigned char)s[n - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back == n)
        return n;
    lead = (unsigned char)s[n - 1 - back];
    width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return width > back + 1 ? n - 1 - back : n;
}

/* Appends to the text of `*at` bytes in `to`, cutting what does not fit in `size` with the terminator. */
static void append(char *to, size_t size, size_t *at, const char *s)
{
    size_t n = strlen(s);

    if (n > size - 1 - *at)
        n = cut_at(s, size - 1 - *at);
    memcpy(to + *at, s, n);
    *at += n;
    to[*at] = '\0';
}

PRINTF_LIKE(3, 0)
static void format_cut(char *to, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(to, size, format, args);

    if (n < 0)
        to[0] = '\0';
    else if ((size_t)n >= size)
        to[cut_at(to, size - 1)] = '\0';
}

static void fill(struct error *err, enum err code, const char *where, const char *text)
{
    struct error made = {.code = code};
    size_t at = 0;

    append(made.where, sizeof(made.where), &at, where ? where : "");
    at = 0;
    append(made.text, sizeof(made.text), &at, text);
    *err = made;
}

enum err error_set(struct error *err, enum err code, const char *where, const char *format, ...)
{
    char text[sizeof(err->text)];
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    format_cut(text, sizeof(text), format, args);
    va_end(args);
    fill(err, code, where, text);
    return code;
}

enum err error_errno(struct error *err, const char *where, const char *format, ...)
{
    int number = errno;
    enum err code = number == ENOMEM ? ERR_MEMORY : ERR_IO;
    char text[sizeof(err->text)];
    char reason[64];
    size_t at;
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    format_cut(text, sizeof(text), format, args);
    va_end(args);
    at = strlen(text);
    append(text, sizeof(text), &at, ": ");
    append(text, sizeof(text), &at, strerror_r(number, reason, sizeof(reason)));
    fill(err, code, where, text);
    return code;
}

void error_prefix(struct error *err, const char *format, ...)
{
    char text[sizeof(err->text)];
    size_t at;
    va_list args;

    if (!err)
        return;
    va_start(args, format);
    format_cut(text, sizeof(text), format, args);
    va_end(args);
    at = strlen(text);
    append(text, sizeof(text), &at, ": ");
    append(text, sizeof(text), &at, err->text);
    memcpy(err->text, text, sizeof(text));
}

void error_prefix_where(struct error *err, const char *prefix)
{
    char where[sizeof(err->where)];
    size_t at = 0;

    if (!err)
        return;
    append(where, sizeof(where), &at, prefix);
    append(where, sizeof(where), &at, err->where);
    memcpy(err->where, where, sizeof(where));
}

const char *err_name(enum err code)
{
    switch (code) {
#define X(code_, name)                                                                                       \
    case code_:                                                                                              \
        return name;
        ERR_LIST(X)
#undef X
    }
    return "unknown";
}

enum err error_list_add(struct error_list *list, enum err code, const char *where, const char *format, ...)
{
    char text[sizeof(list->items[0].text)];
    va_list args;

    if (list->n == ERROR_LIST_MAX) {
        list->dropped++;
        return code;
    }
    va_start(args, format);
    format_cut(text, sizeof(text), format, args);
    va_end(args);
    fill(&list->items[list->n++], code, where, text);
    return code;
}
