/*
 * json_parse.c: text to jansson's values, with three things that jansson (2.14) leaves to us.
 *
 * - Depth is judged, and NUL refused, before it sees the text: its own limit is fixed at 2048, and it passes
 *   over a NUL behind a number.
 * - Its scanner does not look whether its buffer could grow (jansson issue 362). If that fails at the last
 *   byte of a token, it aborts or runs beyond the buffer, which no check afterwards can mend. Therefore the
 *   first allocation that fails in a parse is served from a reserve, and from then on the text is at its end.
 * - Its messages quote the input, in which there may be a secret: only their code is used.
 */
#include "base/json.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"

struct feed {
    struct str text;
    size_t at;
    char *reserve;
    size_t reserve_bytes;
    bool failed; /* an allocation; the reserve may be in use */
};

/* The thread's parse, NULL outside one. jansson's hooks carry no argument through which to reach it. */
static _Thread_local struct feed *feeding;

static void *hook_malloc(size_t n)
{
    void *p = alloc_hook_malloc(n);

    if (p || !feeding || feeding->failed)
        return p;
    feeding->failed = true;
    return n <= feeding->reserve_bytes ? feeding->reserve : NULL;
}

static void hook_free(void *p)
{
    if (!feeding || p != feeding->reserve)
        alloc_free(p);
}

void json_setup(void)
{
    json_set_alloc_funcs(hook_malloc, hook_free);
    /* Never 0, which would let jansson choose. */
    json_object_seed((size_t)random_u64() | 1);
}

/* Byte by byte, so that none is read after a failure: jansson asks again only when it has used up the last.
 */
static size_t next_byte(void *to, size_t n, void *arg)
{
    struct feed *feed = arg;

    if (feed->failed || feed->at == feed->text.n || n == 0)
        return 0;
    *(char *)to = feed->text.p[feed->at++];
    return 1;
}

static enum err syntax_error(size_t line, size_t column, const char *text, struct error *err)
{
    char where[64];

    (void)snprintf(where, sizeof(where), "line %zu, column %zu", line, column);
    return error_set(err, ERR_SYNTAX, where, "%s", text);
}

static enum err refuse_at(struct str text, size_t at, const char *why, struct error *err)
{
    size_t line = 1;
    size_t column = 1;

    for (size_t i = 0; i < at; i++) {
        if (text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text.p[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    return syntax_error(line, column, why, err);
}

/* Position behind the string whose opening quote is at `i`; the end if it is never closed. */
static size_t skip_string(struct str text, size_t i)
{
    for (i++; i < text.n; i++) {
        if (text.p[i] == '\\')
            i++;
        else if (text.p[i] == '"')
            return i + 1;
    }
    return text.n;
}

/* As far as the text is JSON, jansson sees the same brackets; it stops where it is not. */
static enum err check_depth(struct str text, size_t depth_max, struct error *err)
{
    size_t depth = 0;
    size_t i = 0;

    while (i < text.n) {
        char c = text.p[i];

        if (c == '"') {
            i = skip_string(text, i);
            continue;
        }
        if (c == '[' || c == '{') {
            if (++depth > depth_max)
                return refuse_at(text, i, "nested too deeply", err);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
        i++;
    }
    return ERR_NONE;
}

static enum err check_text(struct str text, size_t depth_max, struct error *err)
{
    const char *nul;

    /* jansson counts lines and columns in an int. */
    if (text.n > INT_MAX)
        return error_set(err, ERR_TOO_LARGE, NULL, "JSON of more than %d bytes", INT_MAX);
    nul = memchr(text.p, '\0', text.n);
    if (nul)
        return refuse_at(text, (size_t)(nul - text.p), "NUL is not allowed", err);
    return check_depth(text, depth_max, err);
}

static enum err no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, NULL, "out of memory for JSON");
}

/* jansson's own failure in our words. */
static enum err parse_failed(const json_error_t *from, struct error *err)
{
    static const char *const texts[] = {
        [json_error_invalid_utf8] = "not UTF-8",
        [json_error_premature_end_of_input] = "the text ends too early",
        [json_error_end_of_input_expected] = "nothing may follow the value",
        [json_error_null_character] = "NUL is not allowed",
        [json_error_null_byte_in_key] = "NUL is not allowed",
        [json_error_duplicate_key] = "a second member of this name",
        [json_error_numeric_overflow] = "a number beyond 64 bits, or beyond a double",
    };
    size_t code = (size_t)json_error_code(from);
    const char *text = code < COUNT_OF(texts) ? texts[code] : NULL;

    if (code == json_error_out_of_memory)
        return no_memory(err);
    return syntax_error(from->line > 0 ? (size_t)from->line : 1, from->column > 0 ? (size_t)from->column : 1,
                        text ? text : "not JSON", err);
}

enum err json_parse(struct str text, size_t depth_max, json_t **ret, struct error *err)
{
    CLEANUP(alloc_free_p) char *reserve = NULL;
    struct feed feed = {.text = {text.n > 0 ? text.p : "", text.n}};
    json_error_t from = {0};
    json_t *v;
    enum err e;

    MUST(depth_max <= JSON_DEPTH_LIMIT);
    e = check_text(feed.text, depth_max, err);
    if (e)
        return e;
    /* The scanner's buffer doubles when it holds all but one of its bytes, all of them from the text. */
    feed.reserve_bytes = 2 * (text.n + 1);
    e = alloc_bytes(feed.reserve_bytes, &reserve, err);
    if (e)
        return e;
    feed.reserve = reserve;
    feeding = &feed;
    v = json_load_callback(next_byte, &feed, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &from);
    /* While `feeding` tells the reserve, of which the value may have been made. */
    if (feed.failed)
        json_free(TAKE(v));
    feeding = NULL;
    if (feed.failed)
        return no_memory(err);
    if (!v)
        return parse_failed(&from, err);
    *ret = v;
    return ERR_NONE;
}
