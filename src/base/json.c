/*
 * json.c: jansson's parser and writer behind our limits.
 *
 * Depth is judged by a scan before jansson sees the text, because its own limit is fixed at 2048. Messages
 * lose jansson's "near '...'", which quotes the input and thereby, possibly, a secret in it; the position
 * says enough.
 */
#include "base/json.h"

#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "base/str.h"

void json_setup(void)
{
    json_set_alloc_funcs(alloc_hook_malloc, alloc_free);
    /* Never 0, which would let jansson choose. */
    json_object_seed((size_t)random_u64() | 1);
}

static enum err syntax_error(struct error *err, size_t line, size_t column, const char *text)
{
    char where[64];
    struct error at;

    (void)error_set(&at, ERR_SYNTAX, NULL, "line %zu, column %zu", line, column);
    memcpy(where, at.text, sizeof(where));
    where[sizeof(where) - 1] = '\0';
    return error_set(err, ERR_SYNTAX, where, "%s", text);
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

static enum err too_deep(struct str text, size_t at, size_t depth_max, struct error *err)
{
    char message[64];
    struct error formatted;
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
    (void)error_set(&formatted, ERR_SYNTAX, NULL, "nested deeper than %zu levels", depth_max);
    memcpy(message, formatted.text, sizeof(message));
    message[sizeof(message) - 1] = '\0';
    return syntax_error(err, line, column, message);
}

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
                return too_deep(text, i, depth_max, err);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
        i++;
    }
    return ERR_NONE;
}

/* jansson's own failure in our words. */
static enum err parse_failed(json_error_t *from, struct error *err)
{
    char *near = strstr(from->text, " near '");

    /* It leaves the text empty only where an allocation failed half-way. */
    if (json_error_code(from) == json_error_out_of_memory || from->text[0] == '\0')
        return error_set(err, ERR_MEMORY, NULL, "out of memory for JSON");
    if (near)
        *near = '\0';
    return syntax_error(err, from->line > 0 ? (size_t)from->line : 1,
                        from->column > 0 ? (size_t)from->column : 1, from->text);
}

enum err json_parse(struct str text, size_t depth_max, json_t **ret, struct error *err)
{
    json_error_t from = {0};
    json_t *v;
    enum err e = check_depth(text, depth_max, err);

    if (e)
        return e;
    v = json_loadb(text.n > 0 ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &from);
    if (!v)
        return parse_failed(&from, err);
    *ret = v;
    return ERR_NONE;
}

static int add_piece(const char *p, size_t n, void *arg)
{
    struct buf *out = arg;

    buf_add(out, (struct str){p, n});
    return buf_ok(out) ? 0 : -1;
}

static enum err write_with(const json_t *v, size_t flags, struct buf *out, struct error *err)
{
    int status = json_dump_callback(v, add_piece, out, flags | JSON_COMPACT | JSON_ENCODE_ANY);
    enum err e = buf_check(out, NULL, err);

    if (e)
        return e;
    if (status != 0)
        return error_set(err, ERR_MEMORY, NULL, "out of memory for JSON");
    return ERR_NONE;
}

enum err json_write(const json_t *v, struct buf *out, struct error *err)
{
    return write_with(v, 0, out, err);
}

enum err json_write_sorted(const json_t *v, struct buf *out, struct error *err)
{
    return write_with(v, JSON_SORT_KEYS, out, err);
}

struct str json_str(const json_t *v)
{
    MUST(json_is_string(v));
    return (struct str){json_string_value(v), json_string_length(v)};
}

void json_free(json_t *v)
{
    json_decref(v);
}

void json_pointer_add(char *pointer, size_t size, struct str member)
{
    size_t at = strlen(pointer);
    size_t i = 0;

    MUST(at < size);
    if (at + 1 == size)
        return;
    pointer[at++] = '/';
    while (i < member.n) {
        size_t width = str_utf8_char((struct str){member.p + i, member.n - i});
        struct str piece = {member.p + i, width > 0 ? width : 1};

        i += piece.n;
        if (piece.p[0] == '~')
            piece = STR("~0");
        else if (piece.p[0] == '/')
            piece = STR("~1");
        if (piece.n >= size - at)
            break;
        memcpy(pointer + at, piece.p, piece.n);
        at += piece.n;
    }
    pointer[at] = '\0';
}
