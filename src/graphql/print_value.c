/*
 * print_value.c: values as literals of the language.
 */
#include <string.h>

#include "base/str.h"
#include "graphql/coerce.h"

void gql_string_print(struct str s, struct buf *out)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    buf_add_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char *found = NULL;

        for (size_t k = 0; k + 1 < sizeof(named) - 1; k += 2)
            if ((unsigned char)named[k] == c)
                found = &named[k + 1];
        if (found)
            buf_addf(out, "\\%c", *found);
        else if (c < 0x20 || c == 0x7F)
            buf_addf(out, "\\u%04X", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

/* --- values -------------------------------------------------------------------------------------------- */

static void print_number(double v, struct buf *out)
{
    CLEANUP(json_free_p) json_t *number = json_real(v);
    size_t start = out->n;

    if (number && json_write(number, out, NULL) == ERR_NONE && buf_ok(out) && out->n >= start + 2 &&
        memcmp(out->p + out->n - 2, ".0", 2) == 0) {
        out->n -= 2; /* a whole number is written as one */
        out->p[out->n] = '\0';
    }
}

static void print_any(const json_t *value, const struct gql_ref *ref, struct buf *out);

static void print_list(const json_t *value, const struct gql_ref *item, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < json_array_size(value); i++) {
        buf_add_cstr(out, i > 0 ? ", " : "");
        print_any(json_array_get(value, i), item, out);
    }
    buf_add_char(out, ']');
}

static void print_members(const json_t *value, const struct gql_type *type, struct buf *out)
{
    const char *between = "";

    buf_add_char(out, '{');
    for (void *i = json_object_iter((json_t *)value); i; i = json_object_iter_next((json_t *)value, i)) {
        struct str name = {json_object_iter_key(i), json_object_iter_key_len(i)};
        const struct gql_input *input = type ? gql_inputs_find(&type->inputs, name) : NULL;

        buf_add_cstr(out, between);
        between = ", ";
        buf_add(out, name);
        buf_add_cstr(out, ": ");
        print_any(json_object_iter_value(i), input ? input->ref : NULL, out);
    }
    buf_add_char(out, '}');
}

/* An ID that looks like a whole number is written as one. */
static bool is_whole(struct str s)
{
    size_t i = s.n > 0 && s.p[0] == '-' ? 1 : 0;

    if (i == s.n || (s.p[i] == '0' && s.n > i + 1))
        return false;
    for (; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static void print_text(struct str text, const struct gql_type *type, struct buf *out)
{
    if (type && (type->kind == GQL_ENUM || (str_eq(type->name, STR("ID")) && is_whole(text))))
        buf_add(out, text);
    else
        gql_string_print(text, out);
}

/* `ref` NULL: of no known type. As deep as the value, which a parser has bounded. */
static void print_any(const json_t *value, const struct gql_ref *ref, struct buf *out)
{
    if (ref && ref->wrap == GQL_NON_NULL)
        ref = ref->of;
    switch (json_typeof(value)) {
    case JSON_ARRAY:
        print_list(value, ref && ref->wrap == GQL_LIST ? ref->of : NULL, out);
        break;
    case JSON_OBJECT:
        print_members(value, ref ? ref->type : NULL, out);
        break;
    case JSON_STRING:
        print_text(json_str(value), ref ? ref->type : NULL, out);
        break;
    case JSON_REAL:
        print_number(json_real_value(value), out);
        break;
    case JSON_INTEGER:
        buf_add_i64(out, json_integer_value(value));
        break;
    case JSON_TRUE:
        buf_add_cstr(out, "true");
        break;
    case JSON_FALSE:
        buf_add_cstr(out, "false");
        break;
    case JSON_NULL:
        buf_add_cstr(out, "null");
        break;
    }
}

void gql_value_print(const json_t *value, const struct gql_ref *ref, struct buf *out)
{
    print_any(value, ref, out);
}
