/*
 * check_directives.c: 5.7: directives are known, stand where they may, and once if they must.
 */
#include "base/str.h"
#include "graphql/check.h"

static bool may_stand(const struct gql_directive_type *t, enum gql_directive_place place)
{
    for (size_t i = 0; i < t->n_places; i++)
        if (t->places[i] == place)
            return true;
    return false;
}

void check_directives_known(struct gql_check *c, const struct gql_directive *first,
                            enum gql_directive_place place)
{
    for (const struct gql_directive *d = first; d; d = d->next) {
        const struct gql_directive_type *t = gql_schema_directive(c->schema, d->name);

        if (!t)
            check_at(c, check_fault(c, "There is no directive \"@%.*s\".", GQL_SHOWN(d->name)), d->at);
        else if (!may_stand(t, place))
            check_at(c,
                     check_fault(c, "The directive \"@%.*s\" may not stand on %s.", GQL_SHOWN(d->name),
                                 gql_place_name(place)),
                     d->at);
    }
}

void check_directives_unique(struct gql_check *c, const struct gql_directive *first,
                             enum gql_directive_place place)
{
    struct names names = names_in(c->arena);

    (void)place;
    for (struct gql_directive *d = (struct gql_directive *)first; d && first->next; d = d->next) {
        const struct gql_directive_type *t = gql_schema_directive(c->schema, d->name);
        const struct gql_directive *earlier = t && !t->repeatable ? names_add(&names, d->name, d) : NULL;
        struct gql_fault *f;

        if (!earlier)
            continue;
        f = check_fault(c, "The directive \"@%.*s\" can be used only once here.", GQL_SHOWN(d->name));
        check_at(c, f, earlier->at);
        check_at(c, f, d->at);
    }
}
