/*
 * out.c: standard output and standard error of the command line, and tables.
 */
#include "cli/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/cli.h"

static bool write_whole(int fd, struct str s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s.p += n;
        s.n -= (size_t)n;
    }
    return true;
}

int out_print(const struct buf *out)
{
    struct error err = {0};

    if (!buf_ok(out))
        return out_fail("the answer is too large to be shown");
    if (!write_whole(STDOUT_FILENO, buf_str(out))) {
        (void)error_errno(&err, "standard output", "cannot write");
        return out_error(&err);
    }
    return EXIT_OK;
}

PRINTF_LIKE(1, 0)
static void complain(const char *format, va_list args, const char *after)
{
    CLEANUP(buf_done_p) struct buf line = {0};
    char text[1024];

    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    buf_init(&line, 4096);
    buf_add_cstr(&line, "carillon: ");
    out_add_plain(&line, str_of(text));
    buf_add_cstr(&line, after);
    buf_add_char(&line, '\n');
    (void)write_whole(STDERR_FILENO, buf_str(&line)); /* there is nowhere else to say it */
}

int out_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args, "");
    va_end(args);
    return EXIT_FAILED;
}

int out_usage(const char *command, const char *format, ...)
{
    char hint[128];
    va_list args;

    if (snprintf(hint, sizeof(hint), "\nTry: carillon %s%s--help", command, command[0] ? " " : "") < 0)
        hint[0] = '\0';
    va_start(args, format);
    complain(format, args, hint);
    va_end(args);
    return EXIT_USAGE;
}

int out_error(const struct error *err)
{
    if (err->where[0] == '\0')
        return out_fail("%s", err->text);
    return out_fail("%s: %s", err->where, err->text);
}

void out_add_plain(struct buf *out, struct str s)
{
    size_t i = 0;

    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = str_utf8_char((struct str){s.p + i, s.n - i});
        /* C0, DEL, and C1 (U+0080 to U+009F, which some terminals obey too). A newline is a control character
         * here. */
        bool control = c < 0x20 || c == 0x7F || (c == 0xC2 && n == 2 && (unsigned char)s.p[i + 1] < 0xA0);

        if (n == 0 || control) {
            buf_add_char(out, '?');
            i += n ? n : 1;
        } else {
            buf_add(out, (struct str){s.p + i, n});
            i += n;
        }
    }
}

static uint32_t code_point(const char *p, size_t n)
{
    static const unsigned char lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = (unsigned char)p[0] & lead[n];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3FU);
    return c;
}

struct range {
    uint32_t first;
    uint32_t last;
};

static bool within(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

/* The blocks of UAX #11 that are wide, coarsely, and the most usual combining marks: libc's wcwidth() needs a
 * locale. */
static size_t columns_of(uint32_t c)
{
    static const struct range wide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},  {0x3041, 0xA4CF},
                                        {0xA960, 0xA97F},   {0xAC00, 0xD7A3},  {0xF900, 0xFAFF},
                                        {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6},
                                        {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
    static const struct range none[] = {
        {0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};

    if (within(none, COUNT_OF(none), c))
        return 0;
    return within(wide, COUNT_OF(wide), c) ? 2 : 1;
}

size_t out_width(struct str s)
{
    size_t width = 0;
    size_t i = 0;

    while (i < s.n) {
        size_t n = str_utf8_char((struct str){s.p + i, s.n - i});

        width += n ? columns_of(code_point(s.p + i, n)) : 1;
        i += n ? n : 1;
    }
    return width;
}

void grid_init(struct grid *g, size_t columns)
{
    *g = (struct grid){.columns = columns};
}

void grid_done(struct grid *g)
{
    for (size_t i = 0; i < g->n; i++)
        alloc_free(g->cells[i]);
    alloc_free(g->cells);
    *g = (struct grid){0};
}

enum err grid_add(struct grid *g, struct str cell, struct error *err)
{
    CLEANUP(buf_done_p) struct buf plain = {0};
    char *made;
    enum err e = ERR_NONE;

    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 64;

        e = alloc_resize((void **)&g->cells, cap, sizeof(g->cells[0]), err);
        if (e)
            return e;
        g->cap = cap;
    }
    buf_init(&plain, OUT_MAX_BYTES);
    out_add_plain(&plain, cell);
    e = buf_take(&plain, &made, NULL, err);
    if (!e)
        g->cells[g->n++] = made;
    return e;
}

void grid_print(const struct grid *g, const char *indent, struct buf *out)
{
    enum { COLUMNS_MAX = 16 };
    size_t widths[COLUMNS_MAX] = {0};
    size_t owed = 0;

    MUST(g->columns > 0 && g->columns <= COLUMNS_MAX);
    for (size_t i = 0; i < g->n; i++) {
        size_t width = out_width(str_of(g->cells[i]));

        if (width > widths[i % g->columns])
            widths[i % g->columns] = width;
    }
    /* Blanks are written before what follows them, so that no line ends with some. */
    for (size_t i = 0; i < g->n; i++) {
        size_t column = i % g->columns;
        size_t width = out_width(str_of(g->cells[i]));

        if (column == 0) {
            buf_add_cstr(out, indent);
            owed = 0;
        }
        for (; width > 0 && owed > 0; owed--)
            buf_add_char(out, ' ');
        buf_add_cstr(out, g->cells[i]);
        owed += widths[column] - width + 2;
        if (column + 1 == g->columns)
            buf_add_char(out, '\n');
    }
}
