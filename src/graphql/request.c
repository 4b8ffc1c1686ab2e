/*
 * request.c: the stages in their order.
 */
#include "graphql/request.h"

#include "base/str.h"

/* Each stage answers whether the next may follow; a false one leaves faults, *err, or a failed arena. */
static bool parse(struct gql_request *r, const struct gql_request_options *o, struct str text)
{
    r->document = gql_parse(text, &o->parse, &r->arena, &r->faults);
    return r->document != NULL;
}

static bool choose(struct gql_request *r, struct str name)
{
    r->stage = GQL_STAGE_OPERATION;
    r->operation = gql_operation_find(r->document, name, &r->faults);
    return r->operation != NULL;
}

static bool coerce(struct gql_request *r, const struct gql_request_options *o, const json_t *variables,
                   struct error *err)
{
    r->stage = GQL_STAGE_VARIABLES;
    if (variables && !json_is_object(variables) && !json_is_null(variables)) {
        (void)gql_fault_add(&r->faults, NULL, "The variables must be an object.");
        return false;
    }
    return gql_coerce_variables(o->schema, r->operation, variables, &r->variables, &r->faults, err);
}

static bool afford(struct gql_request *r, const struct gql_request_options *o, struct error *err)
{
    struct gql_options options = {
        .schema = o->schema,
        .document = r->document,
        .operation = r->operation,
        .variables = r->variables,
        .memory = o->memory,
    };

    r->stage = GQL_STAGE_COST;
    return !o->size || gql_is_affordable(&options, o->size, o->size_arg, o->cost, &r->faults, err);
}

enum err gql_request_init(struct gql_request *r, const struct gql_request_options *o, struct str text,
                          struct str name, const json_t *variables, struct error *err)
{
    struct error why = {0};
    bool ready;

    *r = (struct gql_request){.stage = GQL_STAGE_PARSE};
    arena_init(&r->arena, o->memory);
    gql_faults_init(&r->faults, &r->arena, text, o->limits.errors);
    ready = parse(r, o, text);
    if (ready) {
        r->stage = GQL_STAGE_VALIDATE;
        ready = gql_validate(o->schema, r->document, &o->limits, &r->arena, &r->faults);
    }
    ready = ready && choose(r, name) && coerce(r, o, variables, &why) && afford(r, o, &why);
    if (!arena_ok(&r->arena))
        return arena_check(&r->arena, err);
    if (ready) {
        r->stage = GQL_STAGE_READY;
        return ERR_NONE;
    }
    if (r->faults.n == 0)
        return error_set(err, why.code ? why.code : ERR_MEMORY, NULL, "%s",
                         why.text[0] ? why.text : "out of memory for the request");
    return error_set(err, ERR_INVALID, NULL, "%.*s", GQL_SHOWN(r->faults.first->message));
}

void gql_request_done(struct gql_request *r)
{
    json_free(r->variables);
    r->variables = NULL;
    arena_done(&r->arena);
}

void gql_request_write_faults(const struct gql_request *r, struct buf *out)
{
    buf_add_cstr(out, "{\"errors\":");
    gql_faults_write(&r->faults, out);
    buf_add_char(out, '}');
}
