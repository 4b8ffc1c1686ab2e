/*
 * schema.h: the types that a service has (section 3), built from SDL text, bound to the code that answers.
 *
 * A schema is built once, then immutable: any thread may read it. It holds the introspection types, the
 * built-in scalars and directives beside what its text defines. It knows nothing of what it describes.
 */
#ifndef GRAPHQL_SCHEMA_H
#define GRAPHQL_SCHEMA_H

#include "base/base.h"
#include "base/error.h"
#include "base/json.h"
#include "graphql/ast.h"

struct gql_call;   /* execute.h */
struct gql_scalar; /* below */

/* kind, as introspection calls it */
#define GQL_TYPE_LIST(X)                                                                                     \
    X(GQL_SCALAR, "SCALAR")                                                                                  \
    X(GQL_OBJECT, "OBJECT")                                                                                  \
    X(GQL_INTERFACE, "INTERFACE")                                                                            \
    X(GQL_UNION, "UNION")                                                                                    \
    X(GQL_ENUM, "ENUM")                                                                                      \
    X(GQL_INPUT, "INPUT_OBJECT")

enum gql_type_kind {
#define X(kind, name) kind,
    GQL_TYPE_LIST(X)
#undef X
};

struct gql_type;

/* A type as it is used: a named one, or a list or non-null of another. */
struct gql_ref {
    enum gql_wrap wrap;
    const struct gql_ref *of;    /* of a list or non-null; NULL else */
    const struct gql_type *type; /* the named type innermost */
};

/* An argument or a field of an input object. */
struct gql_input {
    struct str name;
    struct str description;
    bool described;
    const struct gql_ref *ref;
    const struct gql_literal *initial; /* the default as written; NULL: none */
    json_t *value;                     /* and what it means; NULL: none */
};

struct gql_inputs {
    struct gql_input *items;
    size_t n;
};

/* How far a call has come when its resolver returns. */
enum gql_progress {
    GQL_ANSWERED, /* all values are set */
    GQL_LATER,    /* gql_call_done() will be called, once, by any thread */
};

/* Answers one field for all objects that it is asked of at once: execute.h says how. */
typedef enum gql_progress (*gql_resolve_fn)(struct gql_call *call);

struct gql_field {
    struct str name;
    struct str description;
    bool described;
    struct gql_inputs arguments;
    const struct gql_ref *ref;
    bool deprecated;
    struct str deprecation;
    const struct gql_type *parent;
    gql_resolve_fn resolve;
};

struct gql_enum_value {
    struct str name;
    struct str description;
    bool described;
    bool deprecated;
    struct str deprecation;
};

struct gql_type {
    enum gql_type_kind kind;
    bool hidden; /* built in: not printed */
    bool used;   /* something refers to it: a built-in scalar that nothing uses is not part of the schema */
    struct str name;
    struct str description;
    bool described;
    uint32_t index;
    struct gql_ref ref; /* to itself */

    struct gql_field *fields; /* GQL_OBJECT, GQL_INTERFACE */
    size_t n_fields;
    const struct gql_type **interfaces; /* the same */
    size_t n_interfaces;
    const struct gql_type **possible; /* GQL_INTERFACE, GQL_UNION: the object types */
    size_t n_possible;
    struct gql_enum_value *values; /* GQL_ENUM */
    size_t n_values;
    struct gql_inputs inputs;        /* GQL_INPUT */
    const struct gql_scalar *scalar; /* GQL_SCALAR: its hooks; NULL: takes any value */
    struct str specified_by;         /* n 0: none */

    struct names members; /* fields, values or inputs by name */
};

/* bit of a place where a directive may stand, its name in SDL */
#define GQL_PLACE_LIST(X)                                                                                    \
    X(GQL_AT_QUERY, "QUERY")                                                                                 \
    X(GQL_AT_MUTATION, "MUTATION")                                                                           \
    X(GQL_AT_SUBSCRIPTION, "SUBSCRIPTION")                                                                   \
    X(GQL_AT_FIELD, "FIELD")                                                                                 \
    X(GQL_AT_FRAGMENT_DEFINITION, "FRAGMENT_DEFINITION")                                                     \
    X(GQL_AT_FRAGMENT_SPREAD, "FRAGMENT_SPREAD")                                                             \
    X(GQL_AT_INLINE_FRAGMENT, "INLINE_FRAGMENT")                                                             \
    X(GQL_AT_VARIABLE_DEFINITION, "VARIABLE_DEFINITION")                                                     \
    X(GQL_AT_SCHEMA, "SCHEMA")                                                                               \
    X(GQL_AT_SCALAR, "SCALAR")                                                                               \
    X(GQL_AT_OBJECT, "OBJECT")                                                                               \
    X(GQL_AT_FIELD_DEFINITION, "FIELD_DEFINITION")                                                           \
    X(GQL_AT_ARGUMENT_DEFINITION, "ARGUMENT_DEFINITION")                                                     \
    X(GQL_AT_INTERFACE, "INTERFACE")                                                                         \
    X(GQL_AT_UNION, "UNION")                                                                                 \
    X(GQL_AT_ENUM, "ENUM")                                                                                   \
    X(GQL_AT_ENUM_VALUE, "ENUM_VALUE")                                                                       \
    X(GQL_AT_INPUT_OBJECT, "INPUT_OBJECT")                                                                   \
    X(GQL_AT_INPUT_FIELD_DEFINITION, "INPUT_FIELD_DEFINITION")

enum gql_directive_place {
#define X(place, name) place,
    GQL_PLACE_LIST(X)
#undef X
        GQL_PLACES
};
const char *gql_place_name(enum gql_directive_place place);

struct gql_directive_type {
    struct str name;
    struct str description;
    bool described;
    bool hidden; /* built in */
    bool repeatable;
    struct gql_inputs arguments;
    uint8_t places[GQL_PLACES]; /* in the order written */
    size_t n_places;
};

/*
 * How a custom scalar's values come in and go out. Either may be NULL: any JSON value is fine then. On
 * success *ret is a new reference. The text of *err becomes part of the message.
 */
struct gql_scalar {
    const char *name;
    CHECKED enum err (*parse)(const json_t *in, json_t **ret, struct error *err);
    CHECKED enum err (*serialize)(const json_t *value, json_t **ret, struct error *err);
};

/* The field of an object type that a function answers. */
struct gql_binding {
    const char *type;
    const char *field;
    gql_resolve_fn resolve;
};

struct gql_schema_options {
    const struct gql_scalar *scalars;
    size_t n_scalars;
    const struct gql_binding *bindings;
    size_t n_bindings;
    gql_resolve_fn otherwise; /* for fields without one; NULL: each field must have its own */
};

struct gql_schema {
    struct arena arena;
    struct str description;
    bool described;
    const struct gql_type **types; /* in the order written, the built-in ones last */
    size_t n_types;
    struct gql_directive_type *directives;
    size_t n_directives;
    const struct gql_type *roots[3]; /* by enum gql_operation_kind; NULL: none */
    struct names by_name;            /* types */
    struct names directives_by_name;
    struct gql_field meta[3]; /* __schema, __type, __typename */
};

/*
 * Builds a schema. ERR_SYNTAX, ERR_INVALID: *err.where is "line:column" and *err.text says what is wrong
 * there; an unknown name in the options is ERR_INVALID too. The text is copied.
 */
CHECKED enum err gql_schema_new(struct str sdl, const struct gql_schema_options *options,
                                struct gql_schema **ret, struct error *err);
void gql_schema_free(struct gql_schema *s); /* NULL is fine */
CLEANUP_FN(struct gql_schema, gql_schema_free)

const struct gql_type *gql_schema_type(const struct gql_schema *s, struct str name);
const struct gql_directive_type *gql_schema_directive(const struct gql_schema *s, struct str name);
/* The field of an object or interface; __typename of any composite type, __schema and __type of the root. */
const struct gql_field *gql_schema_field(const struct gql_schema *s, const struct gql_type *type,
                                         struct str name);
const struct gql_input *gql_inputs_find(const struct gql_inputs *inputs, struct str name);
const struct gql_enum_value *gql_type_value(const struct gql_type *type, struct str name);
const char *gql_type_kind_name(enum gql_type_kind kind);

static inline bool gql_is_composite(const struct gql_type *t)
{
    return t->kind == GQL_OBJECT || t->kind == GQL_INTERFACE || t->kind == GQL_UNION;
}
static inline bool gql_is_leaf(const struct gql_type *t)
{
    return t->kind == GQL_SCALAR || t->kind == GQL_ENUM;
}
static inline bool gql_is_input(const struct gql_type *t)
{
    return gql_is_leaf(t) || t->kind == GQL_INPUT;
}
/* An argument or input field that must be given. */
static inline bool gql_is_required(const struct gql_input *i)
{
    return i->ref->wrap == GQL_NON_NULL && !i->initial;
}
/* Whether an object type is (one of) `type`. */
bool gql_type_includes(const struct gql_type *type, const struct gql_type *object);
/* Whether some object type is one of both. */
bool gql_types_overlap(const struct gql_type *a, const struct gql_type *b);
bool gql_ref_eq(const struct gql_ref *a, const struct gql_ref *b);
/* The type that a document names; in `arena`. NULL: unknown (or the arena has failed). */
const struct gql_ref *gql_schema_ref(const struct gql_schema *s, const struct gql_type_node *node,
                                     struct arena *arena);
/* The type as it is written: [Int!]! */
void gql_ref_write(const struct gql_ref *ref, struct buf *out);
/* As a terminated text, cut where it is longer; for messages. */
enum { GQL_REF_TEXT = 128 };
const char *gql_ref_text(const struct gql_ref *ref, char ret[GQL_REF_TEXT]);

/* The schema as SDL, in the form of graphql-js' printSchema(): what is built in is left out. */
void gql_schema_print(const struct gql_schema *s, struct buf *out);

#endif
