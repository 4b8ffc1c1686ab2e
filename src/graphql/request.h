/*
 * request.h: from a request's text to an operation that may be executed: parsed, checked, chosen, its
 * variables coerced, its cost judged.
 *
 * What is refused on the way is a request error (section 7.1.2): there are faults, no data, and the stage
 * says how far it came, which is what decides on an HTTP status. A request that is ready is executed by
 * execute.h and outlives the execution.
 */
#ifndef GRAPHQL_REQUEST_H
#define GRAPHQL_REQUEST_H

#include "graphql/coerce.h"
#include "graphql/execute.h"
#include "graphql/parse.h"
#include "graphql/validate.h"

/* Enough for any document that the default limits let pass, with room to say what is wrong with it. */
enum { GQL_REQUEST_MEMORY = 16 * 1024 * 1024 };

/* Where a request was refused. */
enum gql_stage {
    GQL_STAGE_PARSE,
    GQL_STAGE_VALIDATE,
    GQL_STAGE_OPERATION, /* which one is meant */
    GQL_STAGE_VARIABLES,
    GQL_STAGE_COST,
    GQL_STAGE_READY,
};

struct gql_request_options {
    const struct gql_schema *schema;
    struct gql_parse_limits parse;
    struct gql_limits limits;
    size_t memory;    /* of the document and of all that is said about it */
    gql_size_fn size; /* NULL: cost is not judged */
    void *size_arg;
    uint64_t cost; /* at most */
};

#define GQL_REQUEST_OPTIONS(schema_)                                                                         \
    ((struct gql_request_options){                                                                           \
        .schema = (schema_), .parse = GQL_PARSE_LIMITS, .limits = GQL_LIMITS, .memory = GQL_REQUEST_MEMORY})

struct gql_request {
    struct arena arena;
    struct gql_faults faults;
    enum gql_stage stage;
    const struct gql_document *document;   /* from GQL_STAGE_VALIDATE on */
    const struct gql_operation *operation; /* from GQL_STAGE_VARIABLES on */
    json_t *variables;                     /* coerced; from GQL_STAGE_COST on */
};

/*
 * Makes *r, which is to be undone by gql_request_done() whatever the answer. `text` must live as long; `name`
 * is the operation's, empty where none is given; `variables` are an object, null or NULL. ERR_INVALID:
 * r->faults say why. ERR_MEMORY, ERR_TOO_LARGE: there is no memory for it, or not that much.
 */
CHECKED enum err gql_request_init(struct gql_request *r, const struct gql_request_options *options,
                                  struct str text, struct str name, const json_t *variables,
                                  struct error *err);
void gql_request_done(struct gql_request *r);
/* {"errors": [...]}: the whole response to what was refused. */
void gql_request_write_faults(const struct gql_request *r, struct buf *out);

UNUSED static inline void gql_request_done_p(struct gql_request *r)
{
    gql_request_done(r);
}

#endif
