/*
 * check_arguments.c: 5.4: the arguments of fields and directives are known, unique and complete.
 */
#include "base/str.h"
#include "graphql/check.h"

void check_argument_known(struct gql_check *c, const struct gql_inputs *inputs,
                          const struct gql_argument *first, const struct check_owner *owner)
{
    for (const struct gql_argument *a = first; a && inputs; a = a->next)
        if (!gql_inputs_find(inputs, a->name))
            check_at(c,
                     check_fault(c, "The %s \"%.*s\" has no argument \"%.*s\".", owner->what,
                                 GQL_SHOWN(owner->name), GQL_SHOWN(a->name)),
                     a->at);
}

void check_argument_unique(struct gql_check *c, const struct gql_inputs *inputs,
                           const struct gql_argument *first, const struct check_owner *owner)
{
    struct names names = names_in(c->arena);

    (void)inputs;
    (void)owner;
    for (struct gql_argument *a = (struct gql_argument *)first; a && first->next; a = a->next) {
        const struct gql_argument *earlier = names_add(&names, a->name, a);
        struct gql_fault *f;

        if (!earlier)
            continue;
        f = check_fault(c, "There can be only one argument named \"%.*s\".", GQL_SHOWN(a->name));
        check_at(c, f, earlier->at);
        check_at(c, f, a->at);
    }
}

static bool is_given(const struct gql_argument *first, struct str name)
{
    for (const struct gql_argument *a = first; a; a = a->next)
        if (str_eq(a->name, name))
            return true;
    return false;
}

void check_argument_required(struct gql_check *c, const struct gql_inputs *inputs,
                             const struct gql_argument *first, const struct check_owner *owner)
{
    char text[GQL_REF_TEXT];

    for (size_t i = 0; inputs && i < inputs->n; i++) {
        const struct gql_input *in = &inputs->items[i];

        if (!gql_is_required(in) || is_given(first, in->name))
            continue;
        check_at(c,
                 check_fault(c, "The %s \"%.*s\" requires the argument \"%.*s\" of type \"%s\".", owner->what,
                             GQL_SHOWN(owner->name), GQL_SHOWN(in->name), gql_ref_text(in->ref, text)),
                 owner->at);
    }
}
