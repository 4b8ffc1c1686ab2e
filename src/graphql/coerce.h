/*
 * coerce.h: values that come in, made to fit their types: sections 3.5 to 3.12 ("input coercion"), 6.1.2
 * (variables) and 6.4.1 (arguments).
 *
 * Coerced values are JSON: enum values and IDs are strings, a Float is a real, objects hold their defaults.
 * They may share parts with the variables and the schema, so nobody changes them. Pure; memory apart.
 */
#ifndef GRAPHQL_COERCE_H
#define GRAPHQL_COERCE_H

#include "graphql/ast.h"
#include "graphql/fault.h"
#include "graphql/schema.h"

/*
 * A literal of a checked document. *ret: the caller's, or NULL where a variable stands that was not given.
 * ERR_INVALID: it does not fit; ERR_MEMORY. `variables` (coerced) may be NULL: there are none.
 */
CHECKED enum err gql_coerce_literal(const struct gql_literal *v, const struct gql_ref *ref,
                                    const json_t *variables, json_t **ret, struct error *err);
/* A value given as JSON. ERR_INVALID: err->where is the path to what is wrong in it, such as ".a[0]". */
CHECKED enum err gql_coerce_json(const json_t *in, const struct gql_ref *ref, json_t **ret,
                                 struct error *err);
/* The arguments of a field or directive as an object, defaults filled in. */
CHECKED enum err gql_coerce_arguments(const struct gql_inputs *inputs, const struct gql_argument *given,
                                      const json_t *variables, json_t **ret, struct error *err);
/*
 * The variables of an operation (6.1.2): `given` is an object or NULL. False: faults say why, or no memory
 * (*err). Each variable's type must be known: the document has passed gql_validate().
 */
CHECKED bool gql_coerce_variables(const struct gql_schema *s, const struct gql_operation *op,
                                  const json_t *given, json_t **ret, struct gql_faults *faults,
                                  struct error *err);

/* One leaf: ERR_INVALID says in words what was expected. */
CHECKED enum err gql_leaf_from_literal(const struct gql_type *type, const struct gql_literal *v,
                                       const json_t *variables, json_t **ret, struct error *err);
CHECKED enum err gql_leaf_from_json(const struct gql_type *type, const json_t *in, json_t **ret,
                                    struct error *err);
/* A resolver's value to what the answer says (3.5, "result coercion"). */
CHECKED enum err gql_leaf_to_json(const struct gql_type *type, const json_t *value, json_t **ret,
                                  struct error *err);

/* A coerced value as a literal of its type: how defaults are printed and told by introspection. */
void gql_value_print(const json_t *value, const struct gql_ref *ref, struct buf *out);
/* A text as a quoted string of the language. */
void gql_string_print(struct str s, struct buf *out);

#endif
