/*
 * arguments.c: see arguments.h.
 */
#include "api/graphql/arguments.h"

#include <stdio.h>
#include <string.h>

#include "api/etag.h"
#include "api/graphql/input.h"
#include "api/graphql/words.h"
#include "api/problem.h"
#include "base/str.h"

enum { POINTER_MAX = 1024, DETAIL_MAX = 1024, MESSAGE_MAX = 600, MESSAGE_FAULTS = 3 };

static enum err no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, NULL, "out of memory");
}

/* --- there --------------------------------------------------------------------------------------------- */

static const json_t *given(const struct gql_call *from, const char *name)
{
    const json_t *v = json_object_get(from->arguments, name);

    return json_is_null(v) ? NULL : v;
}

static const struct gql_ref *type_of(const struct gql_call *from, const char *name)
{
    const struct gql_input *input = gql_inputs_find(&from->field->arguments, str_of(name));

    MUST(input);
    return input->ref;
}

/* A leaf as a parameter's text: what a client would write. Both texts are the execution's. */
static enum err add_param(const struct gql_call *from, const char *name, const json_t *value,
                          struct inner_call *call, struct error *err)
{
    char number[32];
    struct str text;

    MUST(call->params_n < INNER_PARAMS_MAX);
    if (json_is_string(value)) {
        text = json_str(value);
    } else {
        (void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        text = gql_copy(from->execution, str_of(number));
        if (text.n == 0)
            return no_memory(err);
    }
    call->params[call->params_n++] = (struct query_param){str_of(name), text};
    return ERR_NONE;
}

/* The value as REST has it; the execution's. */
static enum err converted(const struct gql_call *from, const struct argument *a, const json_t *value,
                          const json_t **ret, struct error *err)
{
    json_t *rest = NULL;
    enum err e = input_to_rest(value, type_of(from, a->name), &rest, err);

    if (!e && !gql_keep_json(from->execution, rest))
        e = no_memory(err);
    if (!e)
        *ret = rest;
    return e;
}

static enum err add_params(const struct gql_call *from, const struct argument *a, const json_t *value,
                           struct inner_call *call, struct error *err)
{
    const json_t *rest = NULL;
    enum err e = converted(from, a, value, &rest, err);
    json_t *object = (json_t *)(uintptr_t)rest;

    if (!e && a->as == GOES_PARAM)
        return add_param(from, a->rest, rest, call, err);
    for (void *i = e ? NULL : json_object_iter(object); i && !e; i = json_object_iter_next(object, i))
        e = add_param(from, json_object_iter_key(i), json_object_iter_value(i), call, err);
    return e;
}

static enum err add_version(const struct gql_call *from, const json_t *value, struct inner_call *call,
                            struct error *err)
{
    char tag[ETAG_MAX];

    etag_format(json_integer_value(value), tag);
    call->if_match = gql_copy(from->execution, str_of(tag));
    return call->if_match.n > 0 ? ERR_NONE : no_memory(err);
}

static enum err add_member(const struct gql_call *from, const struct argument *a, const json_t *value,
                           json_t **body, struct error *err)
{
    json_t *rest = NULL;
    enum err e = input_to_rest(value, type_of(from, a->name), &rest, err);

    if (e)
        return e;
    if (!*body)
        *body = json_object();
    return json_object_set_new(*body, a->rest, rest) ? no_memory(err) : ERR_NONE;
}

static enum err apply(const struct gql_call *from, const struct argument *a, struct inner_call *call,
                      json_t **body, struct error *err)
{
    const json_t *value = given(from, a->name);

    if (!value)
        return ERR_NONE;
    switch (a->as) {
    case GOES_ID:
        call->id = json_str(value);
        return ERR_NONE;
    case GOES_VERSION:
        return add_version(from, value, call, err);
    case GOES_PARAM:
    case GOES_PARAMS:
        return add_params(from, a, value, call, err);
    case GOES_BODY:
        return input_to_rest(value, type_of(from, a->name), body, err);
    case GOES_MEMBER:
        return add_member(from, a, value, body, err);
    }
    return ERR_NONE;
}

enum err arguments_apply(const struct argument *table, const struct gql_call *from, struct inner_call *call,
                         json_t **ret_body, struct error *err)
{
    CLEANUP(json_free_p) json_t *body = NULL;
    enum err e = ERR_NONE;

    for (const struct argument *a = table; a->name && !e; a++)
        e = apply(from, a, call, &body, err);
    if (e)
        return e;
    call->body = body;
    *ret_body = TAKE(body);
    return ERR_NONE;
}

/* --- and back ------------------------------------------------------------------------------------------ */

/* A fault's place: which of the four there is. */
struct place {
    struct str pointer;
    struct str parameter;
    struct str header;
};

static struct str text_of(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);

    return json_is_string(v) ? json_str(v) : (struct str){NULL, 0};
}

static struct str below(struct str pointer, const char *member)
{
    struct str name = str_of(member);
    size_t n = name.n + 1;

    if (pointer.n < n || pointer.p[0] != '/' || !str_eq((struct str){pointer.p + 1, name.n}, name) ||
        (pointer.n > n && pointer.p[n] != '/'))
        return (struct str){NULL, 0};
    return (struct str){pointer.p + n, pointer.n - n};
}

/* Whether this argument is where it lies; then its pointer is appended. */
static bool lies_in(const struct argument *a, const struct gql_call *call, const struct place *p,
                    struct buf *out)
{
    struct str rest = {NULL, 0};
    char as_pointer[WORD_TEXT];

    switch (a->as) {
    case GOES_ID:
        return false;
    case GOES_VERSION:
        if (!str_eq(p->header, STR("If-Match")))
            return false;
        break;
    case GOES_PARAM:
        if (!p->parameter.p || !str_eq(p->parameter, str_of(a->rest)))
            return false;
        break;
    case GOES_PARAMS:
        if (!p->parameter.p || p->parameter.n + 2 > sizeof(as_pointer))
            return false;
        (void)snprintf(as_pointer, sizeof(as_pointer), "/%.*s", (int)p->parameter.n, p->parameter.p);
        rest = str_of(as_pointer);
        if (!input_has(rest, type_of(call, a->name)))
            return false;
        break;
    case GOES_BODY:
        if (!p->pointer.p)
            return false;
        rest = p->pointer;
        break;
    case GOES_MEMBER:
        rest = below(p->pointer, a->rest);
        if (!rest.p)
            return false;
        break;
    }
    buf_addf(out, "/%s", a->name);
    input_pointer(rest, type_of(call, a->name), out);
    return true;
}

/* What is wrong, in the words of who asked; without memory for them, in REST's. */
static struct str detail_of(const json_t *from, struct buf *out)
{
    struct str detail = text_of(from, "detail");

    buf_init(out, DETAIL_MAX);
    word_detail(detail, out);
    return buf_ok(out) && out->n > 0 ? buf_str(out) : detail;
}

/* A fault with its place in the arguments; NULL without memory. */
static json_t *translated(const struct argument *table, const struct gql_call *call, const json_t *fault)
{
    CLEANUP(buf_done_p) struct buf pointer = {0};
    CLEANUP(buf_done_p) struct buf text = {0};
    struct str detail = detail_of(fault, &text);
    struct place p = {text_of(fault, "pointer"), text_of(fault, "parameter"), text_of(fault, "header")};

    buf_init(&pointer, POINTER_MAX);
    for (const struct argument *a = table; a->name; a++) {
        if (lies_in(a, call, &p, &pointer))
            break;
    }
    if (!buf_ok(&pointer))
        buf_clear(&pointer);
    if (pointer.n == 0)
        return json_pack("{s:s%}", "detail", detail.p, detail.n);
    return json_pack("{s:s%,s:s%}", "pointer", pointer.p, pointer.n, "detail", detail.p, detail.n);
}

/* Slug to code: not-found is not_found. */
static const char *code_of(const json_t *problem, char ret[WORD_TEXT])
{
    struct str type = text_of(problem, "type");
    size_t prefix = sizeof(PROBLEM_URN) - 1;
    size_t n = 0;

    for (size_t i = prefix; i < type.n && n + 1 < WORD_TEXT; i++)
        ret[n++] = type.p[i] == '-' ? '_' : type.p[i];
    ret[n] = '\0';
    return ret;
}

/* What there is to say in one line. */
static void write_message(const json_t *problem, const json_t *faults, struct buf *out)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    struct str detail = detail_of(problem, &text);
    size_t n = json_array_size(faults);

    if (n == 0 || !text_of(json_array_get(faults, 0), "pointer").p) {
        buf_add(out, detail.n > 0 ? detail : text_of(problem, "title"));
        return;
    }
    for (size_t i = 0; i < n && i < MESSAGE_FAULTS; i++) {
        const json_t *f = json_array_get(faults, i);

        buf_add_cstr(out, i > 0 ? "; " : "");
        buf_add(out, text_of(f, "pointer"));
        buf_add_cstr(out, text_of(f, "pointer").p ? ": " : "");
        buf_add(out, text_of(f, "detail"));
    }
    if (n > MESSAGE_FAULTS)
        buf_addf(out, "; and %zu more", n - MESSAGE_FAULTS);
}

static json_t *make_extensions(const json_t *problem, json_t *faults)
{
    CLEANUP(json_free_p) json_t *ret = NULL;
    char code[WORD_TEXT];
    const json_t *pointer = json_object_get(json_array_get(faults, 0), "pointer");

    ret = json_pack("{s:s}", "code", code_of(problem, code));
    if (pointer && json_object_set(ret, "pointer", (json_t *)(uintptr_t)pointer))
        return NULL;
    if (json_array_size(faults) > 0 && json_object_set(ret, "errors", faults))
        return NULL;
    return TAKE(ret);
}

struct gql_value arguments_problem(const struct argument *table, const struct gql_call *call,
                                   const json_t *problem)
{
    CLEANUP(json_free_p) json_t *faults = json_array();
    CLEANUP(json_free_p) json_t *extensions = NULL;
    CLEANUP(buf_done_p) struct buf message = {0};
    const json_t *errors = json_object_get(problem, "errors");

    for (size_t i = 0; i < json_array_size(errors); i++)
        /* One that there is no memory for is left out. */
        (void)json_array_append_new(faults, translated(table, call, json_array_get(errors, i)));
    extensions = make_extensions(problem, faults);
    buf_init(&message, MESSAGE_MAX);
    write_message(problem, faults, &message);
    if (!buf_ok(&message) || message.n == 0) {
        buf_clear(&message);
        buf_add(&message, text_of(problem, "title"));
    }
    return gql_failed(call->execution, buf_str(&message), extensions);
}

static json_t *item_fault(const struct gql_ref *ref, const json_t *fault)
{
    CLEANUP(buf_done_p) struct buf pointer = {0};
    CLEANUP(buf_done_p) struct buf text = {0};
    struct str detail = detail_of(fault, &text);

    buf_init(&pointer, POINTER_MAX);
    input_pointer(text_of(fault, "pointer"), ref, &pointer);
    return json_pack("{s:s%,s:s%}", "pointer", buf_cstr(&pointer), pointer.n, "detail", detail.p, detail.n);
}

json_t *arguments_item_problem(const struct gql_ref *ref, const json_t *problem)
{
    CLEANUP(json_free_p) json_t *faults = json_array();
    CLEANUP(buf_done_p) struct buf text = {0};
    const json_t *errors = json_object_get(problem, "errors");
    struct str detail = detail_of(problem, &text);
    char code[WORD_TEXT];

    for (size_t i = 0; i < json_array_size(errors); i++) {
        if (json_array_append_new(faults, item_fault(ref, json_array_get(errors, i))))
            return NULL;
    }
    if (detail.n == 0)
        detail = text_of(problem, "title");
    return json_pack("{s:s,s:s%,s:O}", "code", code_of(problem, code), "detail", detail.p, detail.n, "errors",
                     faults);
}
