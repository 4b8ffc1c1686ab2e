/*
 * lexer.c: tokens but strings, which lexer_string.c reads.
 */
#include "graphql/lexer.h"

#include "base/str.h"
#include "graphql/lexer_internal.h"

const char *gql_token_name(enum gql_token_kind kind)
{
    static const char *const names[] = {
#define X(kind, name) [kind] = (name),
        GQL_TOKEN_LIST(X)
#undef X
    };

    return names[kind];
}

bool gql_lex_refuse(const struct gql_lexer *l, size_t at, const char *why)
{
    gql_fault_at(l->faults, gql_fault_add(l->faults, NULL, "Syntax error: %s.", why), at);
    return false;
}

bool gql_lex_refuse_here(const struct gql_lexer *l, const char *what)
{
    struct str rest = {l->source.p + l->at, l->source.n - l->at};
    size_t width = rest.n > 0 ? str_utf8_char(rest) : 0;
    unsigned char c = rest.n > 0 ? (unsigned char)rest.p[0] : 0;
    struct gql_fault *fault;

    if (rest.n == 0)
        fault = gql_fault_add(l->faults, NULL, "Syntax error: %s, but the document ends.", what);
    else if (width == 0)
        fault = gql_fault_add(l->faults, NULL, "Syntax error: the document is not well-formed UTF-8.");
    else if (c < 0x20 || c == 0x7F)
        fault = gql_fault_add(l->faults, NULL, "Syntax error: %s, not the character U+%04X.", what, c);
    else
        fault = gql_fault_add(l->faults, NULL, "Syntax error: %s, not \"%.*s\".", what, (int)width, rest.p);
    gql_fault_at(l->faults, fault, l->at);
    return false;
}

static char peek(const struct gql_lexer *l, size_t ahead)
{
    return l->at + ahead < l->source.n ? l->source.p[l->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

size_t gql_source_char(struct str s)
{
    unsigned char c = s.n > 0 ? (unsigned char)s.p[0] : 0;

    /* SourceCharacter: tab, line feed, carriage return, and all from U+0020 on */
    return c < 0x20 && c != '\t' && c != '\n' && c != '\r' ? 0 : str_utf8_char(s);
}

/* To the end of the line. False: a character that may stand nowhere. */
static bool skip_comment(struct gql_lexer *l)
{
    while (l->at < l->source.n && l->source.p[l->at] != '\n' && l->source.p[l->at] != '\r') {
        size_t width = gql_source_char((struct str){l->source.p + l->at, l->source.n - l->at});

        if (width == 0)
            return gql_lex_refuse_here(l, "a comment must be text");
        l->at += width;
    }
    return true;
}

/* Blanks, line ends, commas, comments and byte order marks mean nothing between tokens. */
static bool skip_ignored(struct gql_lexer *l)
{
    while (l->at < l->source.n) {
        char c = l->source.p[l->at];

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',')
            l->at++;
        else if (str_starts((struct str){l->source.p + l->at, l->source.n - l->at}, STR("\xEF\xBB\xBF")))
            l->at += 3;
        else if (c != '#')
            return true;
        else if (!skip_comment(l))
            return false;
    }
    return true;
}

static bool skip_digits(struct gql_lexer *l)
{
    if (!is_digit(peek(l, 0)))
        return gql_lex_refuse_here(l, "a number needs a digit here");
    while (is_digit(peek(l, 0)))
        l->at++;
    return true;
}

static bool skip_integer_part(struct gql_lexer *l)
{
    if (peek(l, 0) == '-')
        l->at++;
    if (peek(l, 0) != '0')
        return skip_digits(l);
    l->at++;
    return !is_digit(peek(l, 0)) || gql_lex_refuse_here(l, "no digit may follow a leading 0");
}

static bool skip_exponent(struct gql_lexer *l)
{
    l->at++;
    if (peek(l, 0) == '+' || peek(l, 0) == '-')
        l->at++;
    return skip_digits(l);
}

static bool lex_number(struct gql_lexer *l, struct gql_token *ret)
{
    size_t start = l->at;

    ret->kind = GQL_TOK_INT;
    if (!skip_integer_part(l))
        return false;
    if (peek(l, 0) == '.') {
        l->at++;
        ret->kind = GQL_TOK_FLOAT;
        if (!skip_digits(l))
            return false;
    }
    if (peek(l, 0) == 'e' || peek(l, 0) == 'E') {
        ret->kind = GQL_TOK_FLOAT;
        if (!skip_exponent(l))
            return false;
    }
    /* 1a and 1.2.3 are mistakes, not two tokens */
    if (peek(l, 0) == '.' || is_name_start(peek(l, 0)))
        return gql_lex_refuse_here(l, "a number must end here");
    /* a copy, since what reads numbers wants a terminator */
    ret->text = arena_str(l->arena, (struct str){l->source.p + start, l->at - start});
    return arena_ok(l->arena);
}

static bool lex_name(struct gql_lexer *l, struct gql_token *ret)
{
    size_t start = l->at;

    while (is_name_start(peek(l, 0)) || is_digit(peek(l, 0)))
        l->at++;
    ret->kind = GQL_TOK_NAME;
    ret->text = (struct str){l->source.p + start, l->at - start};
    return true;
}

static bool lex_punctuator(struct gql_lexer *l, struct gql_token *ret)
{
    static const char characters[] = "!$&():=@[]{|}";
    static const enum gql_token_kind kinds[] = {
        GQL_TOK_BANG,    GQL_TOK_DOLLAR, GQL_TOK_AMP,    GQL_TOK_PAREN_L,   GQL_TOK_PAREN_R,
        GQL_TOK_COLON,   GQL_TOK_EQUALS, GQL_TOK_AT,     GQL_TOK_BRACKET_L, GQL_TOK_BRACKET_R,
        GQL_TOK_BRACE_L, GQL_TOK_PIPE,   GQL_TOK_BRACE_R};
    char c = peek(l, 0);
    size_t n = 1;

    if (c == '.' && peek(l, 1) == '.' && peek(l, 2) == '.') {
        ret->kind = GQL_TOK_SPREAD;
        n = 3;
    } else {
        size_t i = str_find((struct str){characters, COUNT_OF(kinds)}, c);

        if (i == COUNT_OF(kinds))
            return gql_lex_refuse_here(l, "expected a name, a value or punctuation");
        ret->kind = kinds[i];
    }
    ret->text = (struct str){l->source.p + l->at, n};
    l->at += n;
    return true;
}

bool gql_lex(struct gql_lexer *l, struct gql_token *ret)
{
    char c;

    if (!skip_ignored(l))
        return false;
    *ret = (struct gql_token){.at = (uint32_t)l->at};
    if (l->at == l->source.n)
        return true;
    c = peek(l, 0);
    if (is_name_start(c))
        return lex_name(l, ret);
    if (is_digit(c) || c == '-')
        return lex_number(l, ret);
    if (c == '"')
        return gql_lex_string(l, ret);
    return lex_punctuator(l, ret);
}
