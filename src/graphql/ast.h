/*
 * ast.h: a document as it was written: section 2 (executable) and section 3 (type system) of the October 2021
 * specification.
 *
 * Everything lies in one arena and is immutable once parsed, so a document may be kept and executed many
 * times by any thread. `at` is the offset of a thing's first byte in the source. Names are views into the
 * source. Lists are linked by `next`, in the order written.
 */
#ifndef GRAPHQL_AST_H
#define GRAPHQL_AST_H

#include "base/base.h"
#include "graphql/arena.h"
#include "graphql/names.h"

enum gql_literal_kind {
    GQL_LIT_VARIABLE, /* text: its name */
    GQL_LIT_INT,      /* text: as written */
    GQL_LIT_FLOAT,    /* text: as written */
    GQL_LIT_STRING,   /* text: what it means, decoded */
    GQL_LIT_BOOLEAN,  /* text: true or false */
    GQL_LIT_NULL,
    GQL_LIT_ENUM, /* text: its name */
    GQL_LIT_LIST,
    GQL_LIT_OBJECT,
};

struct gql_literal {
    enum gql_literal_kind kind;
    bool block; /* a string in triple quotes */
    uint32_t at;
    struct str text;
    struct gql_literal_item *items; /* of a list or an object */
    uint32_t n_items;
};

struct gql_literal_item {
    struct gql_literal_item *next;
    struct str name; /* in an object */
    uint32_t at;     /* of the name, or of the value in a list */
    struct gql_literal *value;
};

enum gql_wrap { GQL_NAMED, GQL_LIST, GQL_NON_NULL };

/* A type as it is referred to. */
struct gql_type_node {
    enum gql_wrap wrap;
    uint32_t at;
    struct str name;          /* GQL_NAMED */
    struct gql_type_node *of; /* else */
};

struct gql_argument {
    struct gql_argument *next;
    struct str name;
    uint32_t at;
    struct gql_literal *value;
};

struct gql_directive {
    struct gql_directive *next;
    struct str name;
    uint32_t at;
    struct gql_argument *arguments;
};

enum gql_selection_kind { GQL_FIELD, GQL_SPREAD, GQL_INLINE };

struct gql_selection {
    struct gql_selection *next;
    enum gql_selection_kind kind;
    uint32_t at;
    struct str key;  /* of a field: its alias, else its name */
    struct str name; /* of a field or of the fragment that is spread */
    uint32_t name_at;
    struct gql_argument *arguments;
    struct gql_directive *directives;
    struct str condition; /* the type of an inline fragment; n 0: none */
    uint32_t condition_at;
    struct gql_selection_set *set; /* NULL: none */
};

struct gql_selection_set {
    uint32_t at;
    struct gql_selection *first;
};

struct gql_variable {
    struct gql_variable *next;
    struct str name;
    uint32_t at; /* of the $ */
    uint32_t name_at;
    struct gql_type_node *type;
    struct gql_literal *initial; /* the default value; NULL: none */
    struct gql_directive *directives;
};

enum gql_operation_kind { GQL_QUERY, GQL_MUTATION, GQL_SUBSCRIPTION };

struct gql_operation {
    struct gql_operation *next;
    enum gql_operation_kind kind;
    struct str name; /* n 0: anonymous */
    uint32_t at;
    uint32_t name_at;
    struct gql_variable *variables;
    struct gql_directive *directives;
    struct gql_selection_set *set;
};

struct gql_fragment {
    struct gql_fragment *next;
    struct str name;
    uint32_t at;
    uint32_t name_at;
    uint32_t index; /* 0-based, in the order written */
    struct str condition;
    uint32_t condition_at;
    struct gql_directive *directives;
    struct gql_selection_set *set;
};

/* --- the type system ----------------------------------------------------------------------------------- */

/* A name in a list: an interface, a union's member, a directive's location. */
struct gql_name_node {
    struct gql_name_node *next;
    struct str name;
    uint32_t at;
};

/* A field, an argument or input field, an enum's value, a root operation: what a definition lists. */
struct gql_member_node {
    struct gql_member_node *next;
    struct str name;
    uint32_t at;
    const struct gql_literal *description; /* NULL: none */
    struct gql_member_node *arguments;     /* of a field */
    struct gql_type_node *type;            /* but of an enum's value */
    struct gql_literal *initial;           /* of an argument or input field */
    struct gql_directive *directives;
};

enum gql_definition_kind {
    GQL_DEF_SCHEMA,
    GQL_DEF_SCALAR,
    GQL_DEF_OBJECT,
    GQL_DEF_INTERFACE,
    GQL_DEF_UNION,
    GQL_DEF_ENUM,
    GQL_DEF_INPUT,
    GQL_DEF_DIRECTIVE,
};

struct gql_definition {
    struct gql_definition *next;
    enum gql_definition_kind kind;
    bool extends;    /* extend ... */
    bool repeatable; /* of a directive */
    struct str name; /* n 0: schema */
    uint32_t at;
    uint32_t name_at;
    const struct gql_literal *description; /* NULL: none */
    struct gql_directive *directives;
    struct gql_member_node *members; /* fields, values, root operations; arguments of a directive */
    struct gql_name_node *names;     /* interfaces, members of a union, locations of a directive */
};

struct gql_document {
    struct arena *arena; /* it lies in */
    struct str source;
    struct gql_operation *operations;
    struct gql_fragment *fragments;
    struct gql_definition *definitions;
    uint32_t n_operations;
    uint32_t n_fragments;
    uint32_t n_definitions;
    uint32_t n_tokens;
    struct names by_name; /* fragments; of two with one name, the first */
};

static inline const struct gql_fragment *gql_document_fragment(const struct gql_document *d, struct str name)
{
    return names_get(&d->by_name, name);
}

#endif
