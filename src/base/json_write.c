/*
 * json_write.c: jansson's values to compact text.
 *
 * Our own, where a library would be the rule: json_dump_callback() writes every double with 17 digits, so
 * that a client's 0.1 would be delivered as 0.10000000000000001, and we change nothing that users gave us.
 * Here a double has the fewest digits that read back as the same one.
 */
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

struct writer {
    struct buf *out;
    bool sorted;
    struct error *err;
};

static enum err write_value(const struct writer *w, const json_t *v, size_t depth);

static void write_real(struct buf *out, double v)
{
    char text[32];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_add_cstr(out, text);
    /* It stays a double when it is read again. */
    if (!strpbrk(text, ".e"))
        buf_add_cstr(out, ".0");
}

static enum err write_array(const struct writer *w, const json_t *array, size_t depth)
{
    size_t n = json_array_size(array);

    buf_add_char(w->out, '[');
    for (size_t i = 0; i < n && buf_ok(w->out); i++) {
        enum err e;

        if (i > 0)
            buf_add_char(w->out, ',');
        e = write_value(w, json_array_get(array, i), depth);
        if (e)
            return e;
    }
    buf_add_char(w->out, ']');
    return ERR_NONE;
}

struct member {
    struct str name;
    const json_t *value;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static enum err write_member(const struct writer *w, const struct member *m, bool first, size_t depth)
{
    if (!first)
        buf_add_char(w->out, ',');
    buf_add_json(w->out, m->name);
    buf_add_char(w->out, ':');
    return write_value(w, m->value, depth);
}

static struct member member_at(void *iter)
{
    return (struct member){{json_object_iter_key(iter), json_object_iter_key_len(iter)},
                           json_object_iter_value(iter)};
}

static enum err write_members_sorted(const struct writer *w, json_t *object, size_t depth)
{
    CLEANUP(alloc_free_p) void *space = NULL;
    struct member *members;
    size_t n = 0;
    enum err e = alloc_array(json_object_size(object), sizeof(*members), &space, w->err);

    if (e)
        return e;
    members = space;
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
        members[n++] = member_at(i);
    qsort(members, n, sizeof(*members), by_name);
    for (size_t i = 0; i < n && buf_ok(w->out); i++) {
        e = write_member(w, &members[i], i == 0, depth);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err write_members(const struct writer *w, json_t *object, size_t depth)
{
    void *first = json_object_iter(object);

    for (void *i = first; i && buf_ok(w->out); i = json_object_iter_next(object, i)) {
        struct member m = member_at(i);
        enum err e = write_member(w, &m, i == first, depth);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err write_object(const struct writer *w, const json_t *v, size_t depth)
{
    json_t *object = (json_t *)v; /* an iterator wants it so; nothing is changed */
    enum err e;

    buf_add_char(w->out, '{');
    e = w->sorted ? write_members_sorted(w, object, depth) : write_members(w, object, depth);
    if (e)
        return e;
    buf_add_char(w->out, '}');
    return ERR_NONE;
}

/* `depth`: the arrays and objects around it. What the buffer refuses is found at the end. */
static enum err write_value(const struct writer *w, const json_t *v, size_t depth)
{
    if ((json_is_object(v) || json_is_array(v)) && depth >= JSON_DEPTH_LIMIT)
        return error_set(w->err, ERR_TOO_LARGE, NULL, "JSON nested deeper than %d levels", JSON_DEPTH_LIMIT);
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return write_object(w, v, depth + 1);
    case JSON_ARRAY:
        return write_array(w, v, depth + 1);
    case JSON_STRING:
        buf_add_json(w->out, json_str(v));
        break;
    case JSON_INTEGER:
        buf_add_i64(w->out, json_integer_value(v));
        break;
    case JSON_REAL:
        write_real(w->out, json_real_value(v));
        break;
    case JSON_TRUE:
        buf_add_cstr(w->out, "true");
        break;
    case JSON_FALSE:
        buf_add_cstr(w->out, "false");
        break;
    case JSON_NULL:
        buf_add_cstr(w->out, "null");
        break;
    }
    return ERR_NONE;
}

static enum err write_all(const json_t *v, bool sorted, struct buf *out, struct error *err)
{
    struct writer w = {.out = out, .sorted = sorted, .err = err};
    enum err e = write_value(&w, v, 0);

    return e ? e : buf_check(out, NULL, err);
}

enum err json_write(const json_t *v, struct buf *out, struct error *err)
{
    return write_all(v, false, out, err);
}

enum err json_write_sorted(const json_t *v, struct buf *out, struct error *err)
{
    return write_all(v, true, out, err);
}
