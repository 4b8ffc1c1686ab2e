/*
 * reading.c: see reading.h.
 */
#include "model/reading.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "model/chars.h"

/* ESCAPE_MAX: characters of the longest, a pair of surrogates. */
enum { ESCAPE_MAX = 12, UTF8_MAX = 4 };

enum err reading_init(struct reading *r, size_t cap, struct error *err)
{
    void *from = NULL;
    void *to = NULL;
    enum err e = cap > READING_MAX ? error_set(err, ERR_TOO_LARGE, NULL, "too much to read") : ERR_NONE;

    *r = (struct reading){.cap = cap};
    if (!e)
        e = alloc_bytes(cap, &r->p, err);
    if (!e)
        e = alloc_array(cap, sizeof(*r->from), &from, err);
    r->from = from;
    if (!e)
        e = alloc_array(cap, sizeof(*r->to), &to, err);
    r->to = to;
    if (e)
        reading_done(r);
    return e;
}

void reading_done(struct reading *r)
{
    alloc_free(r->p);
    alloc_free(r->from);
    alloc_free(r->to);
    *r = (struct reading){0};
}

static void put(struct reading *r, char c, uint32_t from, uint32_t to)
{
    MUST(r->n < r->cap);
    r->p[r->n] = c;
    r->from[r->n] = from;
    r->to[r->n] = to;
    r->n++;
}

void reading_plain(struct reading *ret, struct str text, bool cut)
{
    ret->n = 0;
    ret->open = cut;
    for (size_t i = 0; i < text.n; i++)
        put(ret, text.p[i], (uint32_t)i, (uint32_t)i + 1);
}

/* --- escapes --- */

/* What an escape stands for. */
struct meaning {
    char p[UTF8_MAX];
    size_t n;
};

static bool is_character(uint32_t code)
{
    return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

/* RFC 3629 */
static struct meaning utf8(uint32_t code)
{
    struct meaning m;

    if (code < 0x80) {
        m = (struct meaning){{(char)code}, 1};
    } else if (code < 0x800) {
        m = (struct meaning){{(char)(0xC0 | code >> 6), (char)(0x80 | (code & 63))}, 2};
    } else if (code < 0x10000) {
        m = (struct meaning){
            {(char)(0xE0 | code >> 12), (char)(0x80 | (code >> 6 & 63)), (char)(0x80 | (code & 63))}, 3};
    } else {
        m = (struct meaning){{(char)(0xF0 | code >> 18), (char)(0x80 | (code >> 12 & 63)),
                              (char)(0x80 | (code >> 6 & 63)), (char)(0x80 | (code & 63))},
                             4};
    }
    return m;
}

/* Just `n` hex digits. */
static bool hex(struct str s, size_t n, uint32_t *ret)
{
    uint32_t v = 0;

    if (s.n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int digit = str_hex_value(s.p[i]);

        if (digit < 0)
            return false;
        v = v << 4 | (uint32_t)digit;
    }
    *ret = v;
    return true;
}

static struct str behind(struct str s, size_t n)
{
    return (struct str){s.p + n, s.n - n};
}

/* All of these yield the characters that they undo; 0: it is no escape. */

/* \uXXXX, two of them for what lies beyond the first plane; `s` begins with the first. */
static size_t undo_unicode(struct str s, struct meaning *ret)
{
    uint32_t code;
    uint32_t low;

    if (!hex(behind(s, 2), 4, &code))
        return 0;
    if (is_character(code)) {
        *ret = utf8(code);
        return 6;
    }
    if (code > 0xDBFF || s.n < ESCAPE_MAX || s.p[6] != '\\' || s.p[7] != 'u' || !hex(behind(s, 8), 4, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return 0;
    *ret = utf8(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
    return ESCAPE_MAX;
}

static size_t undo_backslash(struct str s, struct meaning *ret)
{
    static const char names[] = "\"\\/'bfnrt";
    static const char stand_for[] = "\"\\/'\b\f\n\r\t";
    const char *at;
    uint32_t byte;

    if (s.n < 2)
        return 0;
    if (s.p[1] == 'u')
        return undo_unicode(s, ret);
    if (s.p[1] == 'x') {
        if (!hex(behind(s, 2), 2, &byte))
            return 0;
        *ret = (struct meaning){{(char)byte}, 1};
        return 4;
    }
    at = memchr(names, s.p[1], sizeof(names) - 1);
    if (!at)
        return 0;
    *ret = (struct meaning){{stand_for[at - names]}, 1};
    return 2;
}

static size_t undo_percent(struct str s, struct meaning *ret)
{
    uint32_t byte;

    if (!hex(behind(s, 1), 2, &byte))
        return 0;
    *ret = (struct meaning){{(char)byte}, 1};
    return 3;
}

/* What is between "&#" and ';'. */
static bool entity_number(struct str s, uint32_t *ret)
{
    bool is_hex = s.n > 0 && (s.p[0] == 'x' || s.p[0] == 'X');
    uint32_t v = 0;

    if (is_hex)
        s = behind(s, 1);
    for (size_t i = 0; i < s.n; i++) {
        int digit = str_hex_value(s.p[i]);

        if (digit < 0 || (!is_hex && digit > 9) || v > 0x10FFFF)
            return false;
        v = v * (is_hex ? 16 : 10) + (uint32_t)digit;
    }
    *ret = v;
    return s.n > 0 && is_character(v);
}

/* ASCII's, as HTML names them. */
static bool entity_name(struct str s, uint32_t *ret)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {
        {"amp", '&'},      {"AMP", '&'},    {"lt", '<'},     {"LT", '<'},     {"gt", '>'},
        {"GT", '>'},       {"quot", '"'},   {"QUOT", '"'},   {"apos", '\''},  {"Tab", '\t'},
        {"NewLine", '\n'}, {"excl", '!'},   {"num", '#'},    {"dollar", '$'}, {"percnt", '%'},
        {"lpar", '('},     {"rpar", ')'},   {"ast", '*'},    {"midast", '*'}, {"plus", '+'},
        {"comma", ','},    {"period", '.'}, {"sol", '/'},    {"colon", ':'},  {"semi", ';'},
        {"equals", '='},   {"quest", '?'},  {"commat", '@'}, {"lsqb", '['},   {"lbrack", '['},
        {"bsol", '\\'},    {"rsqb", ']'},   {"rbrack", ']'}, {"Hat", '^'},    {"lowbar", '_'},
        {"grave", '`'},    {"lcub", '{'},   {"lbrace", '{'}, {"verbar", '|'}, {"vert", '|'},
        {"rcub", '}'},     {"rbrace", '}'},
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq(s, str_of(names[i].name))) {
            *ret = (unsigned char)names[i].c;
            return true;
        }
    }
    return false;
}

static size_t undo_entity(struct str s, struct meaning *ret)
{
    size_t end = str_find((struct str){s.p, s.n < ESCAPE_MAX ? s.n : ESCAPE_MAX}, ';');
    struct str name = {s.p + 1, end - 1};
    uint32_t code = 0;

    if (end == s.n || end == ESCAPE_MAX)
        return 0;
    if (name.n > 0 && name.p[0] == '#' ? !entity_number(behind(name, 1), &code) : !entity_name(name, &code))
        return 0;
    *ret = utf8(code);
    return end + 1;
}

static unsigned kind_of(char c)
{
    switch (c) {
    case '\\':
        return READING_BACKSLASH;
    case '%':
        return READING_PERCENT;
    case '&':
        return READING_ENTITY;
    default:
        return 0;
    }
}

static size_t undo(unsigned kind, struct str s, struct meaning *ret)
{
    switch (kind) {
    case READING_BACKSLASH:
        return undo_backslash(s, ret);
    case READING_PERCENT:
        return undo_percent(s, ret);
    default:
        return undo_entity(s, ret);
    }
}

/* Whether an escape may have begun here of which the end is missing. */
static bool is_beginning(struct str s)
{
    if (s.n >= ESCAPE_MAX)
        return false;
    for (size_t i = 1; i < s.n; i++) {
        char c = s.p[i];

        if (!char_is_alnum(c) && c != '#' && c != '\\')
            return false;
    }
    return true;
}

static bool may_have(const struct reading *in, unsigned kinds)
{
    return in->n > 0 && (((kinds & READING_BACKSLASH) != 0 && memchr(in->p, '\\', in->n)) ||
                         ((kinds & READING_PERCENT) != 0 && memchr(in->p, '%', in->n)) ||
                         ((kinds & READING_ENTITY) != 0 && memchr(in->p, '&', in->n)));
}

unsigned reading_unescape(const struct reading *in, unsigned kinds, struct reading *ret)
{
    unsigned found = 0;
    size_t i = 0;

    if (!may_have(in, kinds))
        return 0;

    ret->n = 0;
    ret->open = in->open;
    while (i < in->n) {
        struct str rest = {in->p + i, in->n - i};
        unsigned kind = kind_of(rest.p[0]) & kinds;
        struct meaning m = {{rest.p[0]}, 1};
        size_t n = kind != 0 ? undo(kind, rest, &m) : 0;

        if (n > 0)
            found |= kind;
        if (n == 0 && kind != 0 && in->open && is_beginning(rest))
            return found | kind;
        n = n > 0 ? n : 1;
        for (size_t k = 0; k < m.n; k++)
            put(ret, m.p[k], in->from[i], in->to[i + n - 1]);
        i += n;
    }
    return found;
}

/* --- base64 --- */

/* What a digit is worth, and one: 0 is none. Of both alphabets. */
static const uint8_t digits64[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['-'] = 63,
    ['/'] = 64, ['_'] = 64,
};

static unsigned digit64(char c)
{
    return digits64[(unsigned char)c];
}

static bool breaks_line(char c)
{
    return c == '\r' || c == '\n';
}

/* The end of the run that begins at `at`; *ret_digits: how many there are in it. */
static size_t run_end(const struct reading *in, size_t at, size_t *ret_digits)
{
    size_t digits = 0;

    for (; at < in->n && (digit64(in->p[at]) != 0 || breaks_line(in->p[at])); at++)
        digits += !breaks_line(in->p[at]);
    *ret_digits = digits;
    return at;
}

/* Each byte is said by the two or three characters that have bits of it. */
static void read_run(const struct reading *in, size_t at, size_t end, unsigned skip, struct reading *ret)
{
    uint32_t bits = 0;
    unsigned have = 0;
    uint32_t from = 0;

    for (; at < end; at++) {
        if (breaks_line(in->p[at]))
            continue;
        if (skip > 0) {
            skip--;
            continue;
        }
        bits = bits << 6 | (digit64(in->p[at]) - 1);
        have += 6;
        if (have >= 8) {
            have -= 8;
            put(ret, (char)(bits >> have & 0xFF), from, in->to[at]);
        }
        from = in->from[at];
    }
}

bool reading_has_base64(const struct reading *in)
{
    size_t at = 0;

    while (at < in->n) {
        size_t digits;
        size_t end = run_end(in, at, &digits);

        if (digits >= READING_RUN_MIN)
            return true;
        at = end > at ? end : at + 1;
    }
    return false;
}

void reading_base64(const struct reading *in, unsigned phase, struct reading *ret)
{
    size_t at = 0;

    ret->n = 0;
    ret->open = false;
    while (at < in->n) {
        size_t digits;
        size_t end = run_end(in, at, &digits);
        size_t before = ret->n;

        if (digits >= READING_RUN_MIN)
            read_run(in, at, end, phase, ret);
        ret->open = in->open && end == in->n && ret->n > before;
        for (size_t k = 0; k < 2 && end < in->n && in->p[end] == '='; k++, end++) {
            if (ret->n > before)
                ret->to[ret->n - 1] = in->to[end];
        }
        if (ret->n > before && end < in->n)
            put(ret, '\0', in->from[end], in->from[end]);
        at = end > at ? end : at + 1;
    }
}
