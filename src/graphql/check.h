/*
 * check.h: what the rules of validation share: one walk through the document that calls each rule where it
 * has something to say.
 *
 * A rule is a struct of hooks. The walk knows the types: a hook gets NULL where the document names something
 * that does not exist, which another rule tells. Hooks may call themselves: a document's depth is bounded.
 */
#ifndef GRAPHQL_CHECK_H
#define GRAPHQL_CHECK_H

#include "graphql/parse.h"
#include "graphql/validate.h"

/* A variable where it is used. */
struct check_use {
    struct check_use *next;
    const struct gql_literal *variable;
    const struct gql_ref *ref; /* the type of the place; NULL: unknown */
    bool has_default;          /* the place has one */
};

/* A fragment where it is spread. */
struct check_spread {
    struct check_spread *next;
    const struct gql_fragment *fragment;
    const struct gql_selection *at;
};

/* An operation or a fragment, and what it uses itself. */
struct check_definition {
    const struct gql_operation *operation; /* or */
    const struct gql_fragment *fragment;
    const struct gql_type *type; /* of its selection set; NULL: unknown or not composite */
    struct check_use *uses;
    struct check_spread *spreads;
    uint32_t seen;    /* a mark of the walk that saw it last */
    uint32_t waiting; /* spreads whose fragments are not yet in the order */
    bool ordered;
};

/* What arguments belong to, for messages. */
struct check_owner {
    const char *what; /* "field", "directive" */
    struct str name;
    uint32_t at;
};

struct gql_check {
    const struct gql_schema *schema;
    const struct gql_document *document;
    const struct gql_limits *limits;
    struct arena *arena;
    struct gql_faults *faults;
    const char *rule; /* now speaking */

    struct check_definition *definitions; /* the operations, then the fragments, in the order written */
    size_t n_definitions;
    struct check_definition *current; /* the walk is in it */
    uint32_t mark;                    /* the last one given out */
    bool too_large;                   /* a limit is passed: nothing may be unfolded */
    /* Fragments, each behind all that it spreads; fewer than there are where some go round in circles. */
    struct check_definition **order;
    size_t n_order;
    struct check_definition **stack; /* room for all definitions, for walks along spreads */
};

struct gql_rule {
    const char *name; /* as other implementations call it, so that people find it */
    const char *section;
    void (*document)(struct gql_check *c); /* after the walk, with uses and spreads known */
    void (*operation)(struct gql_check *c, const struct gql_operation *op);
    void (*fragment)(struct gql_check *c, const struct gql_fragment *f);
    void (*selection)(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                      const struct gql_field *field);
    void (*directives)(struct gql_check *c, const struct gql_directive *first,
                       enum gql_directive_place place);
    void (*arguments)(struct gql_check *c, const struct gql_inputs *inputs, const struct gql_argument *first,
                      const struct check_owner *owner);
    void (*value)(struct gql_check *c, const struct gql_literal *v, const struct gql_ref *ref,
                  bool has_default);
};

/* The walk (check_walk.c): calls the rules' hooks on everything. */
void check_walk(struct gql_check *c, const struct gql_rule *rules, size_t n);

/* A fault of the rule now speaking. Once the limit of errors is reached, none. */
#define check_fault(c, ...) gql_fault_add((c)->faults, (c)->rule, __VA_ARGS__)
static inline void check_at(const struct gql_check *c, struct gql_fault *f, size_t at)
{
    gql_fault_at(c->faults, f, at);
}
static inline bool check_over(const struct gql_check *c)
{
    return c->faults->full || !arena_ok(c->arena);
}

struct check_definition *check_fragment(const struct gql_check *c, const struct gql_fragment *f);
/* The composite type of that name, or NULL. */
const struct gql_type *check_composite(const struct gql_check *c, struct str name);
/*
 * Calls fn for an operation and each fragment that it reaches, once each. Without memory for it, nothing
 * grows: the stack is the check's.
 */
typedef void (*check_reach_fn)(struct gql_check *c, struct check_definition *d, void *arg);
void check_reach(struct gql_check *c, struct check_definition *from, check_reach_fn fn, void *arg);
/* Puts the fragments into c->order. */
void check_order(struct gql_check *c);

/* The rules, by family. */
void check_executable(struct gql_check *c);                                          /* 5.1 */
void check_operation_names(struct gql_check *c);                                     /* 5.2 */
void check_lone_anonymous(struct gql_check *c);                                      /* 5.2 */
void check_single_subscription(struct gql_check *c, const struct gql_operation *op); /* 5.2 */
void check_field_exists(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                        const struct gql_field *field); /* 5.3 */
void check_leaf(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                const struct gql_field *field); /* 5.3 */
void check_merge(struct gql_check *c);          /* 5.3 */
void check_argument_known(struct gql_check *c, const struct gql_inputs *inputs,
                          const struct gql_argument *first, const struct check_owner *owner); /* 5.4 */
void check_argument_unique(struct gql_check *c, const struct gql_inputs *inputs,
                           const struct gql_argument *first, const struct check_owner *owner); /* 5.4 */
void check_argument_required(struct gql_check *c, const struct gql_inputs *inputs,
                             const struct gql_argument *first, const struct check_owner *owner); /* 5.4 */
void check_fragment_names(struct gql_check *c);                                                  /* 5.5 */
void check_type_of_fragment(struct gql_check *c, const struct gql_fragment *f);                  /* 5.5 */
void check_type_of_inline(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                          const struct gql_field *field);                          /* 5.5 */
void check_type_of_variables(struct gql_check *c, const struct gql_operation *op); /* 5.5 */
void check_composite_fragment(struct gql_check *c, const struct gql_fragment *f);  /* 5.5 */
void check_composite_inline(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                            const struct gql_field *field); /* 5.5 */
void check_fragments_used(struct gql_check *c);             /* 5.5 */
void check_fragment_known(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                          const struct gql_field *field); /* 5.5 */
void check_cycles(struct gql_check *c);                   /* 5.5 */
void check_spread_possible(struct gql_check *c, const struct gql_selection *s, const struct gql_type *parent,
                           const struct gql_field *field); /* 5.5 */
void check_value(struct gql_check *c, const struct gql_literal *v, const struct gql_ref *ref,
                 bool has_default); /* 5.6 */
void check_input_fields_unique(struct gql_check *c, const struct gql_literal *v, const struct gql_ref *ref,
                               bool has_default); /* 5.6 */
void check_directives_known(struct gql_check *c, const struct gql_directive *first,
                            enum gql_directive_place place); /* 5.7 */
void check_directives_unique(struct gql_check *c, const struct gql_directive *first,
                             enum gql_directive_place place);                   /* 5.7 */
void check_variable_names(struct gql_check *c, const struct gql_operation *op); /* 5.8 */
void check_variable_types(struct gql_check *c, const struct gql_operation *op); /* 5.8 */
void check_variables_defined(struct gql_check *c);                              /* 5.8 */
void check_variables_used(struct gql_check *c);                                 /* 5.8 */
void check_variable_positions(struct gql_check *c);                             /* 5.8 */
void check_limits(struct gql_check *c);

#endif
