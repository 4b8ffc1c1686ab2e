/*
 * json.c: jansson's values handed round. Their text is read in json_parse.c and written in json_write.c.
 */
#include "base/json.h"

#include <string.h>

#include "base/str.h"

struct str json_str(const json_t *v)
{
    MUST(json_is_string(v));
    return (struct str){json_string_value(v), json_string_length(v)};
}

void json_free(json_t *v)
{
    json_decref(v);
}

static json_t *whole_or_null(json_t *copy, const json_t *v)
{
    if (copy && json_equal(copy, v))
        return copy;
    json_decref(copy);
    return NULL;
}

json_t *json_copy_whole(const json_t *v)
{
    return whole_or_null(json_copy((json_t *)(uintptr_t)v), v);
}

json_t *json_deep_copy_whole(const json_t *v)
{
    return whole_or_null(json_deep_copy(v), v);
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
