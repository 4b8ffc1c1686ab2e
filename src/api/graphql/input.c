/*
 * input.c: see input.h. Input types do not hold themselves, so both go as deep as the schema at most.
 */
#include "api/graphql/input.h"

#include "api/graphql/words.h"
#include "base/str.h"

/* The one member that lies deeper in a definition: connection.tls.insecure. */
#define TLS_FIELD "tlsInsecure"
#define TLS_MEMBER "tls"
#define TLS_BELOW "/insecure"

static enum err no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, NULL, "out of memory");
}

static const struct gql_ref *bare(const struct gql_ref *ref)
{
    return ref->wrap == GQL_NON_NULL ? ref->of : ref;
}

static enum err convert_list(const json_t *value, const struct gql_ref *item, json_t **ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *list = json_array();

    if (!list)
        return no_memory(err);
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *made = NULL;
        enum err e = input_to_rest(json_array_get(value, i), item, &made, err);

        if (e)
            return e;
        if (json_array_append_new(list, made))
            return no_memory(err);
    }
    *ret = TAKE(list);
    return ERR_NONE;
}

static enum err add_member(json_t *object, const struct gql_input *input, json_t *value, struct error *err)
{
    char name[WORD_TEXT];
    json_t *tls;

    if (!str_eq(input->name, STR(TLS_FIELD)))
        return json_object_set_new(object, word_member(input->name, name), value) ? no_memory(err) : ERR_NONE;
    tls = json_pack("{s:o}", "insecure", value);
    return json_object_set_new(object, "tls", tls) ? no_memory(err) : ERR_NONE;
}

/* Anybody's JSON, in which null is a value; of the rest it stands for absence. */
static bool is_json(const struct gql_ref *ref)
{
    ref = bare(ref);
    return ref->wrap == GQL_NAMED && str_eq(ref->type->name, STR("JSON"));
}

static enum err convert_object(const json_t *value, const struct gql_type *type, json_t **ret,
                               struct error *err)
{
    CLEANUP(json_free_p) json_t *object = json_object();

    if (!object)
        return no_memory(err);
    for (size_t i = 0; i < type->inputs.n; i++) {
        const struct gql_input *input = &type->inputs.items[i];
        const json_t *member = json_object_getn(value, input->name.p, input->name.n);
        json_t *made = NULL;
        enum err e;

        if (!member || (json_is_null(member) && !is_json(input->ref)))
            continue;
        e = input_to_rest(member, input->ref, &made, err);
        if (!e)
            e = add_member(object, input, made, err);
        if (e)
            return e;
    }
    *ret = TAKE(object);
    return ERR_NONE;
}

enum err input_to_rest(const json_t *value, const struct gql_ref *ref, json_t **ret, struct error *err)
{
    const char *word;

    ref = bare(ref);
    if (json_is_null(value)) {
        *ret = json_null();
        return ERR_NONE;
    }
    if (ref->wrap == GQL_LIST)
        return convert_list(value, ref->of, ret, err);
    if (ref->type->kind == GQL_INPUT)
        return convert_object(value, ref->type, ret, err);
    if (ref->type->kind == GQL_ENUM) {
        word = word_value(json_str(value));
        MUST(word);
        *ret = json_string(word);
        return *ret ? ERR_NONE : no_memory(err);
    }
    *ret = json_incref((json_t *)(uintptr_t)value);
    return ERR_NONE;
}

/* --- pointers ------------------------------------------------------------------------------------------ */

/* Cuts "/segment" off the front. */
static struct str cut_segment(struct str *pointer)
{
    struct str rest = {pointer->p + 1, pointer->n - 1};
    size_t n = str_find(rest, '/');

    *pointer = (struct str){rest.p + n, rest.n - n};
    return (struct str){rest.p, n};
}

static const struct gql_input *input_of(const struct gql_type *type, struct str *pointer)
{
    const struct str whole = *pointer;
    struct str segment = cut_segment(pointer);
    char name[WORD_TEXT];

    for (size_t i = 0; i < type->inputs.n; i++) {
        const struct gql_input *input = &type->inputs.items[i];

        /* What is wrong with `tls` itself is so with its one member. */
        if (str_eq(input->name, STR(TLS_FIELD)) && str_eq(segment, STR(TLS_MEMBER))) {
            if (str_starts(*pointer, STR(TLS_BELOW)))
                (void)cut_segment(pointer);
            return input;
        }
        if (str_eq(segment, str_of(word_member(input->name, name))))
            return input;
    }
    *pointer = whole;
    return NULL;
}

bool input_has(struct str pointer, const struct gql_ref *ref)
{
    ref = bare(ref);
    return ref->wrap == GQL_NAMED && ref->type->kind == GQL_INPUT && input_of(ref->type, &pointer);
}

void input_pointer(struct str pointer, const struct gql_ref *ref, struct buf *out)
{
    while (pointer.n > 0 && pointer.p[0] == '/') {
        const struct gql_input *input;

        ref = bare(ref);
        if (ref->wrap == GQL_LIST) {
            buf_add_char(out, '/');
            buf_add(out, cut_segment(&pointer));
            ref = ref->of;
            continue;
        }
        input = ref->type->kind == GQL_INPUT ? input_of(ref->type, &pointer) : NULL;
        if (!input)
            break;
        buf_add_char(out, '/');
        buf_add(out, input->name);
        ref = input->ref;
    }
    /* What is below a scalar, or no member of ours. */
    buf_add(out, pointer);
}
