/*
 * check_values.c: 5.6: literals are of the type that their place has.
 */
#include "base/str.h"
#include "graphql/check.h"
#include "graphql/coerce.h"

static void check_leaf_value(struct gql_check *c, const struct gql_literal *v, const struct gql_ref *ref)
{
    CLEANUP(json_free_p) json_t *value = NULL;
    char text[GQL_REF_TEXT];
    struct error err = {0};

    if (!gql_is_leaf(ref->type))
        (void)error_set(&err, ERR_INVALID, NULL, "expected a value of type \"%s\"", gql_ref_text(ref, text));
    else if (gql_leaf_from_literal(ref->type, v, NULL, &value, &err) == ERR_NONE)
        return;
    check_at(c, check_fault(c, "Wrong value: %s.", err.text), v->at);
}

static const struct gql_literal_item *item_of(const struct gql_literal *v, struct str name)
{
    for (const struct gql_literal_item *i = v->items; i; i = i->next)
        if (str_eq(i->name, name))
            return i;
    return NULL;
}

static void check_object(struct gql_check *c, const struct gql_literal *v, const struct gql_type *type)
{
    for (size_t i = 0; i < type->inputs.n; i++) {
        const struct gql_input *in = &type->inputs.items[i];
        char text[GQL_REF_TEXT];

        if (gql_is_required(in) && !item_of(v, in->name))
            check_at(c,
                     check_fault(c, "Wrong value: the required field \"%.*s\" of type \"%s\" is missing.",
                                 GQL_SHOWN(in->name), gql_ref_text(in->ref, text)),
                     v->at);
    }
    for (const struct gql_literal_item *i = v->items; i && !check_over(c); i = i->next) {
        const struct gql_input *in = gql_inputs_find(&type->inputs, i->name);

        if (in)
            check_value(c, i->value, in->ref, in->initial != NULL);
        else
            check_at(c,
                     check_fault(c, "Wrong value: the type \"%.*s\" has no field \"%.*s\".",
                                 GQL_SHOWN(type->name), GQL_SHOWN(i->name)),
                     i->at);
    }
}

void check_value(struct gql_check *c, const struct gql_literal *v, const struct gql_ref *ref,
                 bool has_default)
{
    const struct gql_ref *inner;
    char text[GQL_REF_TEXT];

    (void)has_default;
    if (!ref || v->kind == GQL_LIT_VARIABLE)
        return;
    inner = ref->wrap == GQL_NON_NULL ? ref->of : ref;
    if (v->kind == GQL_LIT_NULL) {
        if (ref->wrap == GQL_NON_NULL)
            check_at(c,
                     check_fault(c, "Wrong value: expected one of type \"%s\", found null.",
                                 gql_ref_text(ref, text)),
                     v->at);
    } else if (v->kind == GQL_LIT_LIST && inner->wrap == GQL_LIST) {
        for (const struct gql_literal_item *i = v->items; i && !check_over(c); i = i->next)
            check_value(c, i->value, inner->of, false);
    } else if (v->kind == GQL_LIT_OBJECT && ref->type->kind == GQL_INPUT) {
        check_object(c, v, ref->type);
    } else {
        check_leaf_value(c, v, ref);
    }
}

void check_input_fields_unique(struct gql_check *c, const struct gql_literal *v, const struct gql_ref *ref,
                               bool has_default)
{
    struct names names = names_in(c->arena);

    for (struct gql_literal_item *i = v->items; i && !check_over(c); i = i->next) {
        const struct gql_literal_item *first =
            v->kind == GQL_LIT_OBJECT ? names_add(&names, i->name, i) : NULL;

        if (first) {
            struct gql_fault *f =
                check_fault(c, "There can be only one input field named \"%.*s\".", GQL_SHOWN(i->name));

            check_at(c, f, first->at);
            check_at(c, f, i->at);
        }
        check_input_fields_unique(c, i->value, ref, has_default);
    }
}
