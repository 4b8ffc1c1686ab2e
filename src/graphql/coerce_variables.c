/*
 * coerce_variables.c: what a request gives for its operation's variables, judged all at once (6.1.2).
 */
#include "base/str.h"
#include "graphql/coerce.h"

static void refuse(struct gql_faults *faults, const struct gql_variable *v, const struct error *e)
{
    const char *dot = e->where[0] ? " at \"" : "";

    gql_fault_at(faults,
                 gql_fault_add(faults, NULL, "The variable \"$%.*s\" has a wrong value%s%s%s: %s.",
                               GQL_SHOWN(v->name), dot, e->where[0] ? e->where : "", e->where[0] ? "\"" : "",
                               e->text),
                 v->at);
}

static void refuse_missing(struct gql_faults *faults, const struct gql_variable *v, const struct gql_ref *ref)
{
    char text[GQL_REF_TEXT];

    gql_fault_at(faults,
                 gql_fault_add(faults, NULL,
                               "The variable \"$%.*s\" of the required type \"%s\" was not given.",
                               GQL_SHOWN(v->name), gql_ref_text(ref, text)),
                 v->at);
}

/* *ret: what it stands for, or NULL when not given. ERR_MEMORY is the caller's to tell, ERR_INVALID is told.
 */
static enum err value_of(const struct gql_variable *v, const struct gql_ref *ref, const json_t *given,
                         json_t **ret, struct gql_faults *faults, struct error *err)
{
    struct error why = {0};
    const json_t *in = json_object_getn(given, v->name.p, v->name.n);
    enum err e = ERR_NONE;

    if (in) {
        e = gql_coerce_json(in, ref, ret, &why);
        if (e == ERR_INVALID)
            refuse(faults, v, &why);
    } else if (v->initial) {
        e = gql_coerce_literal(v->initial, ref, NULL, ret, &why);
        if (e == ERR_INVALID)
            refuse(faults, v, &why);
    } else if (ref->wrap == GQL_NON_NULL) {
        refuse_missing(faults, v, ref);
        e = ERR_INVALID;
    }
    if (e && err)
        *err = why;
    return e;
}

bool gql_coerce_variables(const struct gql_schema *s, const struct gql_operation *op, const json_t *given,
                          json_t **ret, struct gql_faults *faults, struct error *err)
{
    CLEANUP(json_free_p) json_t *values = json_object();
    size_t n_before = faults->n;

    if (!values) {
        (void)error_set(err, ERR_MEMORY, NULL, "out of memory for the variables");
        return false;
    }
    for (const struct gql_variable *v = op->variables; v; v = v->next) {
        const struct gql_ref *ref = gql_schema_ref(s, v->type, faults->arena);
        json_t *value = NULL;
        enum err e;

        if (!ref) { /* validated, so: no memory */
            (void)error_set(err, ERR_MEMORY, NULL, "out of memory for the variables");
            return false;
        }
        e = value_of(v, ref, given, &value, faults, err);
        if (e && e != ERR_INVALID)
            return false;
        if (value && json_object_setn_new_nocheck(values, v->name.p, v->name.n, value)) {
            (void)error_set(err, ERR_MEMORY, NULL, "out of memory for the variables");
            return false;
        }
    }
    if (faults->n > n_before || faults->full)
        return false;
    *ret = TAKE(values);
    return true;
}
