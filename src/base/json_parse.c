/*
 * json_parse.c: text to jansson's values, by RFC 8259 and nothing beyond it.
 *
 * Not by json_loadb(): its scanner does not look whether its buffer could grow, so that a failed allocation
 * in the middle of a member's name loses a byte of it in silence (jansson 2.14), and its messages quote the
 * input, in which there may be a secret. The tests hold this parser against it.
 *
 * Numbers without point and exponent are integers of 64 bits, all others doubles; what is beyond either is
 * refused rather than bent. strtod() is right here because no part of the program leaves the C locale.
 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

/* A longer number has no use, and strtod() wants a terminated copy. */
enum { NUMBER_MAX = 256 };

struct parser {
    const char *start;
    const char *p;
    const char *end;
    size_t depth_max;
    struct buf scratch; /* a string with escapes, decoded */
    struct error *err;
};

static enum err fail_at(struct parser *in, const char *at, const char *text)
{
    char where[64];
    size_t line = 1;
    size_t column = 1;

    for (const char *p = in->start; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xC0) != 0x80) {
            column++;
        }
    }
    (void)snprintf(where, sizeof(where), "line %zu, column %zu", line, column);
    return error_set(in->err, ERR_SYNTAX, where, "%s", text);
}

static enum err no_memory(struct parser *in)
{
    return error_set(in->err, ERR_MEMORY, NULL, "out of memory for JSON");
}

static void skip_blanks(struct parser *in)
{
    while (in->p < in->end && (*in->p == ' ' || *in->p == '\t' || *in->p == '\n' || *in->p == '\r'))
        in->p++;
}

/* The next byte, or NUL at the end; a NUL in the text is no token either. */
static char peek(const struct parser *in)
{
    return in->p < in->end ? *in->p : '\0';
}

/* What stands here is none of what could. */
static enum err unexpected(struct parser *in, const char *text)
{
    return fail_at(in, in->p, in->p == in->end ? "the text ends too early" : text);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four digits behind a "\u" that stands at `p`; -1 when they, or it, are not there. */
static int32_t unicode_escape(const struct parser *in, const char *p)
{
    int32_t v = 0;

    if (in->end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);

        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

static void add_utf8(struct buf *b, int32_t c)
{
    if (c < 0x80) {
        buf_add_char(b, (char)c);
    } else if (c < 0x800) {
        buf_add_char(b, (char)(0xC0 | (c >> 6)));
        buf_add_char(b, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_add_char(b, (char)(0xE0 | (c >> 12)));
        buf_add_char(b, (char)(0x80 | ((c >> 6) & 0x3F)));
        buf_add_char(b, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_add_char(b, (char)(0xF0 | (c >> 18)));
        buf_add_char(b, (char)(0x80 | ((c >> 12) & 0x3F)));
        buf_add_char(b, (char)(0x80 | ((c >> 6) & 0x3F)));
        buf_add_char(b, (char)(0x80 | (c & 0x3F)));
    }
}

static enum err parse_unicode(struct parser *in)
{
    int32_t c = unicode_escape(in, in->p);
    int32_t low;

    if (c < 0)
        return fail_at(in, in->p, "\\u wants four hexadecimal digits");
    if (c == 0)
        return fail_at(in, in->p, "NUL is not allowed in a string");
    if (c >= 0xDC00 && c <= 0xDFFF)
        return fail_at(in, in->p, "the second half of a surrogate pair without the first");
    if (c >= 0xD800 && c <= 0xDBFF) {
        low = unicode_escape(in, in->p + 6);
        if (low < 0xDC00 || low > 0xDFFF)
            return fail_at(in, in->p, "the first half of a surrogate pair without the second");
        c = 0x10000 + (c - 0xD800) * 0x400 + (low - 0xDC00);
        in->p += 6;
    }
    in->p += 6;
    add_utf8(&in->scratch, c);
    return ERR_NONE;
}

/* At a backslash. */
static enum err parse_escape(struct parser *in)
{
    static const char named[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    char c;

    if (in->end - in->p < 2) {
        in->p = in->end;
        return unexpected(in, "");
    }
    c = in->p[1];
    if (c == 'u')
        return parse_unicode(in);
    for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
        if (named[i] == c) {
            buf_add_char(&in->scratch, named[i + 1]);
            in->p += 2;
            return ERR_NONE;
        }
    }
    return fail_at(in, in->p, "an escape that JSON does not have");
}

/* Passes over what stands for itself in a string; stops at a quote or a backslash. */
static enum err skip_plain(struct parser *in)
{
    while (in->p < in->end) {
        unsigned char c = (unsigned char)*in->p;
        size_t width = 1;

        if (c == '"' || c == '\\')
            return ERR_NONE;
        if (c < 0x20)
            return fail_at(in, in->p, "a control character in a string must be escaped");
        if (c >= 0x80)
            width = str_utf8_char((struct str){in->p, (size_t)(in->end - in->p)});
        if (width == 0)
            return fail_at(in, in->p, "not UTF-8");
        in->p += width;
    }
    return unexpected(in, "");
}

/* At the opening quote. *ret lies in the text or in .scratch, where the next string overwrites it. */
static enum err scan_string(struct parser *in, struct str *ret)
{
    const char *plain = ++in->p;
    enum err e = skip_plain(in);

    if (e)
        return e;
    if (*in->p == '"') {
        *ret = (struct str){plain, (size_t)(in->p - plain)};
        in->p++;
        return ERR_NONE;
    }
    buf_clear(&in->scratch);
    while (*in->p != '"') {
        buf_add(&in->scratch, (struct str){plain, (size_t)(in->p - plain)});
        e = parse_escape(in);
        if (e)
            return e;
        plain = in->p;
        e = skip_plain(in);
        if (e)
            return e;
    }
    buf_add(&in->scratch, (struct str){plain, (size_t)(in->p - plain)});
    in->p++;
    *ret = buf_str(&in->scratch);
    return buf_check(&in->scratch, NULL, in->err);
}

static void skip_digits(struct parser *in)
{
    while (peek(in) >= '0' && peek(in) <= '9')
        in->p++;
}

/* Passes over one number by RFC 8259, 6. */
static enum err scan_number(struct parser *in, bool *ret_integer)
{
    const char *digits;

    *ret_integer = true;
    if (peek(in) == '-')
        in->p++;
    digits = in->p;
    skip_digits(in);
    if (in->p == digits)
        return unexpected(in, "a number wants a digit here");
    if (*digits == '0' && in->p - digits > 1)
        return fail_at(in, digits, "a number may not begin with a needless zero");
    if (peek(in) == '.') {
        *ret_integer = false;
        digits = ++in->p;
        skip_digits(in);
        if (in->p == digits)
            return unexpected(in, "a number wants a digit here");
    }
    if (peek(in) == 'e' || peek(in) == 'E') {
        *ret_integer = false;
        in->p++;
        if (peek(in) == '+' || peek(in) == '-')
            in->p++;
        digits = in->p;
        skip_digits(in);
        if (in->p == digits)
            return unexpected(in, "a number wants a digit here");
    }
    return ERR_NONE;
}

static enum err parse_number(struct parser *in, json_t **ret)
{
    const char *from = in->p;
    char text[NUMBER_MAX + 1];
    struct str s;
    bool is_integer;
    int64_t integer;
    double real;
    enum err e = scan_number(in, &is_integer);

    if (e)
        return e;
    s = (struct str){from, (size_t)(in->p - from)};
    if (is_integer) {
        if (!str_to_i64(s, &integer))
            return fail_at(in, from, "an integer beyond 64 bits");
        *ret = json_integer(integer);
        return *ret ? ERR_NONE : no_memory(in);
    }
    if (s.n > NUMBER_MAX)
        return fail_at(in, from, "a number of too many digits");
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    real = strtod(text, NULL);
    if (!isfinite(real))
        return fail_at(in, from, "a number beyond the range of a double");
    *ret = json_real(real);
    return *ret ? ERR_NONE : no_memory(in);
}

static enum err parse_literal(struct parser *in, json_t **ret)
{
    struct str rest = {in->p, (size_t)(in->end - in->p)};

    if (str_starts(rest, STR("true"))) {
        in->p += 4;
        *ret = json_true();
    } else if (str_starts(rest, STR("false"))) {
        in->p += 5;
        *ret = json_false();
    } else if (str_starts(rest, STR("null"))) {
        in->p += 4;
        *ret = json_null();
    } else {
        return unexpected(in, "a value is expected");
    }
    return ERR_NONE;
}

static enum err parse_value(struct parser *in, size_t depth, json_t **ret);

/* At the opening bracket. */
static enum err parse_array(struct parser *in, size_t depth, json_t **ret)
{
    CLEANUP(json_free_p) json_t *array = json_array();

    if (!array)
        return no_memory(in);
    in->p++;
    skip_blanks(in);
    if (peek(in) == ']') {
        in->p++;
        *ret = TAKE(array);
        return ERR_NONE;
    }
    for (;;) {
        json_t *item = NULL;
        enum err e = parse_value(in, depth, &item);

        if (e)
            return e;
        /* It takes the item even when it fails. */
        if (json_array_append_new(array, item))
            return no_memory(in);
        skip_blanks(in);
        if (peek(in) != ',')
            break;
        in->p++;
    }
    if (peek(in) != ']')
        return unexpected(in, "',' or ']' is expected");
    in->p++;
    *ret = TAKE(array);
    return ERR_NONE;
}

static enum err parse_member(struct parser *in, size_t depth, json_t *object)
{
    CLEANUP(alloc_free_p) char *copy = NULL;
    const char *from = in->p;
    struct str name;
    json_t *value = NULL;
    enum err e;

    if (peek(in) != '"')
        return unexpected(in, "a member's name in quotes is expected");
    e = scan_string(in, &name);
    if (e)
        return e;
    if (json_object_getn(object, name.p, name.n))
        return fail_at(in, from, "a second member of this name");
    if (name.p == in->scratch.p && name.n > 0) {
        /* Strings in the value would overwrite it. */
        e = alloc_str(name, &copy, in->err);
        if (e)
            return e;
        name.p = copy;
    }
    skip_blanks(in);
    if (peek(in) != ':')
        return unexpected(in, "':' is expected");
    in->p++;
    e = parse_value(in, depth, &value);
    if (e)
        return e;
    /* It takes the value even when it fails. */
    return json_object_setn_new_nocheck(object, name.p, name.n, value) ? no_memory(in) : ERR_NONE;
}

/* At the opening brace. */
static enum err parse_object(struct parser *in, size_t depth, json_t **ret)
{
    CLEANUP(json_free_p) json_t *object = json_object();

    if (!object)
        return no_memory(in);
    in->p++;
    skip_blanks(in);
    if (peek(in) == '}') {
        in->p++;
        *ret = TAKE(object);
        return ERR_NONE;
    }
    for (;;) {
        enum err e;

        skip_blanks(in);
        e = parse_member(in, depth, object);
        if (e)
            return e;
        skip_blanks(in);
        if (peek(in) != ',')
            break;
        in->p++;
    }
    if (peek(in) != '}')
        return unexpected(in, "',' or '}' is expected");
    in->p++;
    *ret = TAKE(object);
    return ERR_NONE;
}

/* One value, blanks before it skipped; `depth`: the arrays and objects around it. */
static enum err parse_value(struct parser *in, size_t depth, json_t **ret)
{
    struct str s;
    enum err e;
    char c;

    skip_blanks(in);
    c = peek(in);
    if (c == '[' || c == '{') {
        if (depth >= in->depth_max)
            return fail_at(in, in->p, "nested too deeply");
        return c == '[' ? parse_array(in, depth + 1, ret) : parse_object(in, depth + 1, ret);
    }
    if (c == '"') {
        e = scan_string(in, &s);
        if (e)
            return e;
        *ret = json_stringn_nocheck(s.n > 0 ? s.p : "", s.n);
        return *ret ? ERR_NONE : no_memory(in);
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return parse_number(in, ret);
    return parse_literal(in, ret);
}

enum err json_parse(struct str text, size_t depth_max, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *v = NULL;
    const char *start = text.n > 0 ? text.p : "";
    struct parser in = {
        .start = start, .p = start, .end = start + text.n, .depth_max = depth_max, .err = err};
    enum err e;

    /* Each level is a few calls on the stack. */
    MUST(depth_max <= JSON_DEPTH_LIMIT);
    buf_init(&in.scratch, text.n);
    e = parse_value(&in, 0, &v);
    buf_done(&in.scratch);
    if (e)
        return e;
    skip_blanks(&in);
    if (in.p < in.end)
        return fail_at(&in, in.p, "nothing may follow the value");
    *ret = TAKE(v);
    return ERR_NONE;
}
