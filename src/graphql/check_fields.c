/*
 * check_fields.c: 5.3.1 fields exist, 5.3.3 leaves are leaves. Merging is check_merge.c's.
 */
#include "base/str.h"
#include "graphql/check.h"

void check_field_exists(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                        const struct gql_field *field)
{
    if (s->kind != GQL_FIELD || !parent || field)
        return;
    check_at(c,
             check_fault(c, "The type \"%.*s\" has no field \"%.*s\".", GQL_SHOWN(parent->name),
                         GQL_SHOWN(s->name)),
             s->at);
}

void check_leaf(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                const struct gql_field *field)
{
    char text[GQL_REF_TEXT];

    (void)parent;
    if (!field)
        return;
    if (gql_is_leaf(field->ref->type) && s->set)
        check_at(c,
                 check_fault(
                     c, "The field \"%.*s\" must not have a selection, since its type \"%s\" has no fields.",
                     GQL_SHOWN(s->name), gql_ref_text(field->ref, text)),
                 s->set->at);
    if (!gql_is_leaf(field->ref->type) && !s->set)
        check_at(c,
                 check_fault(c, "The field \"%.*s\" of type \"%s\" must have a selection of fields.",
                             GQL_SHOWN(s->name), gql_ref_text(field->ref, text)),
                 s->at);
}
