/*
 * lexer_string.c: strings and block strings to what they mean (2.9.4).
 *
 * A string is never longer than what was written, so its meaning is put into a piece of the arena of that
 * size, in one pass; one without escapes stays a view into the source.
 */
#include <string.h>

#include "base/str.h"
#include "graphql/lexer_internal.h"

static struct str rest_of(const struct gql_lexer *l)
{
    return (struct str){l->source.p + l->at, l->source.n - l->at};
}

/* Four hex digits behind `at`; -1 where they are not. */
static int hex4(struct str s, size_t at)
{
    int value = 0;

    if (at > s.n || s.n - at < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        int digit = str_hex_value(s.p[at + i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t put_utf8(char *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (char)(0xC0 | (c >> 6));
        p[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (char)(0xE0 | (c >> 12));
        p[1] = (char)(0x80 | ((c >> 6) & 0x3F));
        p[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    p[0] = (char)(0xF0 | (c >> 18));
    p[1] = (char)(0x80 | ((c >> 12) & 0x3F));
    p[2] = (char)(0x80 | ((c >> 6) & 0x3F));
    p[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static bool is_high(int c)
{
    return c >= 0xD800 && c <= 0xDBFF;
}

static bool is_low(int c)
{
    return c >= 0xDC00 && c <= 0xDFFF;
}

/* The lexer stands at \u. Appends what it means to out; false: a fault. */
static bool unicode_escape(struct gql_lexer *l, char *out, size_t *n)
{
    struct str s = l->source;
    int first = hex4(s, l->at + 2);
    int second = -1;
    uint32_t c = (uint32_t)first;

    if (first < 0)
        return gql_lex_refuse(l, l->at, "\\u must be followed by four hexadecimal digits");
    if (is_high(first) && l->at + 7 < s.n && s.p[l->at + 6] == '\\' && s.p[l->at + 7] == 'u')
        second = hex4(s, l->at + 8);
    if (is_low(first) || (is_high(first) && !is_low(second)))
        return gql_lex_refuse(l, l->at, "a surrogate must be one of a pair");
    if (is_high(first)) {
        c = 0x10000 + (((uint32_t)first - 0xD800) << 10) + ((uint32_t)second - 0xDC00);
        l->at += 6;
    }
    l->at += 6;
    *n += put_utf8(out + *n, c);
    return true;
}

/* The lexer stands at a backslash. */
static bool escape(struct gql_lexer *l, char *out, size_t *n)
{
    static const char written[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    char c = l->at + 1 < l->source.n ? l->source.p[l->at + 1] : '\0';
    const char *found;

    if (c == 'u')
        return unicode_escape(l, out, n);
    found = c == '\0' ? NULL : strchr(written, c);
    if (!found)
        return gql_lex_refuse(l, l->at, "in a string, a backslash must be followed by one of \"\\/bfnrtu");
    out[(*n)++] = meant[found - written];
    l->at += 2;
    return true;
}

/* Where a plain string ends at the latest: its closing quote or the end of the line. */
static size_t string_room(struct str s)
{
    size_t i = 0;

    while (i < s.n && s.p[i] != '"' && s.p[i] != '\n' && s.p[i] != '\r')
        i += s.p[i] == '\\' && i + 1 < s.n ? 2 : 1;
    return i < s.n ? i : s.n;
}

static bool lex_plain(struct gql_lexer *l, struct gql_token *ret)
{
    char *out;
    size_t n = 0;

    l->at++;
    out = arena_alloc(l->arena, string_room(rest_of(l)) + 1);
    if (!out)
        return false;
    for (;;) {
        size_t width;

        if (l->at == l->source.n || l->source.p[l->at] == '\n' || l->source.p[l->at] == '\r')
            return gql_lex_refuse(l, l->at, "the string is not ended");
        if (l->source.p[l->at] == '"')
            break;
        if (l->source.p[l->at] == '\\') {
            if (!escape(l, out, &n))
                return false;
            continue;
        }
        width = gql_source_char(rest_of(l));
        if (width == 0)
            return gql_lex_refuse_here(l, "a string must be text");
        memcpy(out + n, l->source.p + l->at, width);
        n += width;
        l->at += width;
    }
    l->at++;
    ret->kind = GQL_TOK_STRING;
    ret->text = (struct str){out, n};
    return true;
}

/* Finds the closing quotes; *ret_room is how much lies between. */
static bool block_room(const struct gql_lexer *l, size_t *ret_room)
{
    struct gql_lexer at = *l;

    while (at.at < at.source.n) {
        size_t width;

        if (str_starts(rest_of(&at), STR("\"\"\""))) {
            *ret_room = at.at - l->at;
            return true;
        }
        if (str_starts(rest_of(&at), STR("\\\"\"\""))) {
            at.at += 4;
            continue;
        }
        width = gql_source_char(rest_of(&at));
        if (width == 0)
            return gql_lex_refuse_here(&at, "a block string must be text");
        at.at += width;
    }
    return gql_lex_refuse(&at, at.at, "the block string is not ended");
}

static bool lex_block(struct gql_lexer *l, struct gql_token *ret)
{
    size_t room = 0;
    size_t n = 0;
    size_t end;
    char *out;

    l->at += 3;
    if (!block_room(l, &room))
        return false;
    out = arena_alloc(l->arena, room + 1);
    if (!out)
        return false;
    for (end = l->at + room; l->at < end;) {
        size_t escaped = str_starts(rest_of(l), STR("\\\"\"\"")) ? 1 : 0;
        size_t width = escaped ? 3 : 1;

        memcpy(out + n, l->source.p + l->at + escaped, width);
        n += width;
        l->at += escaped + width;
    }
    l->at += 3;
    ret->kind = GQL_TOK_BLOCK_STRING;
    ret->text = (struct str){out, gql_block_string(out, n)};
    return true;
}

bool gql_lex_string(struct gql_lexer *l, struct gql_token *ret)
{
    return str_starts(rest_of(l), STR("\"\"\"")) ? lex_block(l, ret) : lex_plain(l, ret);
}

/* --- BlockStringValue: lines without their common indentation and without empty ones at both ends ------ */

/* Cuts a line off; true while there is one. The first call has *at 0. */
static bool next_line(struct str s, size_t *at, struct str *ret)
{
    size_t start = *at;
    size_t i = start;

    if (start > s.n)
        return false;
    while (i < s.n && s.p[i] != '\n' && s.p[i] != '\r')
        i++;
    *ret = (struct str){s.p + start, i - start};
    if (i + 1 < s.n && s.p[i] == '\r' && s.p[i + 1] == '\n')
        i++;
    *at = i + 1;
    return true;
}

static size_t indent_of(struct str line)
{
    size_t i = 0;

    while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    return i;
}

size_t gql_block_string(char *p, size_t n)
{
    struct str s = {p, n};
    struct str line;
    size_t common = SIZE_MAX;
    size_t first = SIZE_MAX; /* the number of the first line that is not blank */
    size_t last = 0;
    size_t number = 0;
    size_t out = 0;

    for (size_t at = 0; next_line(s, &at, &line); number++) {
        size_t indent = indent_of(line);

        if (indent == line.n)
            continue;
        if (first == SIZE_MAX)
            first = number;
        last = number;
        if (number > 0 && indent < common)
            common = indent;
    }
    if (first == SIZE_MAX)
        return 0;
    number = 0;
    /* What is written never overtakes what is read: a line only loses. */
    for (size_t at = 0; next_line(s, &at, &line) && number <= last; number++) {
        size_t cut = number == 0 ? 0 : common < line.n ? common : line.n;

        if (number < first)
            continue;
        if (number > first)
            p[out++] = '\n';
        memmove(p + out, line.p + cut, line.n - cut);
        out += line.n - cut;
    }
    return out;
}
