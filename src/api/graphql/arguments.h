/*
 * arguments.h: how the arguments of one field become a REST call, told by a table, and how its faults are
 * told as faults of the arguments. Pure.
 */
#ifndef API_GRAPHQL_ARGUMENTS_H
#define API_GRAPHQL_ARGUMENTS_H

#include "api/inner.h"
#include "graphql/execute.h"

enum goes {
    GOES_ID,      /* into the path */
    GOES_VERSION, /* as If-Match */
    GOES_PARAM,   /* as a query parameter */
    GOES_PARAMS,  /* an object: each member as a query parameter */
    GOES_BODY,    /* as the body */
    GOES_MEMBER,  /* as a member of the body */
};

enum { ARGUMENTS_MAX = 6 };

struct argument {
    const char *name; /* NULL behind the last */
    enum goes as;
    const char *rest; /* the parameter's or member's name */
};

/*
 * Fills in what the arguments say. *ret_body is NULL, or a new reference that call->body shows too. The
 * call's texts lie in the execution's memory. ERR_MEMORY.
 */
CHECKED enum err arguments_apply(const struct argument *table, const struct gql_call *from,
                                 struct inner_call *call, json_t **ret_body, struct error *err);

/* A problem of the REST API's as a field error, its places as pointers into the field's arguments. */
struct gql_value arguments_problem(const struct argument *table, const struct gql_call *call,
                                   const json_t *problem);
/* The same as {"code", "detail", "errors": [{"pointer", "detail"}]}, pointers below a value of type `ref`. A
 * new reference; NULL without memory. */
json_t *arguments_item_problem(const struct gql_ref *ref, const json_t *problem);

#endif
