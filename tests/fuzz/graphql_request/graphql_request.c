/*
 * graphql_request.c: fuzz target: a POST to /graphql. The first line is the Accept header, the rest the body:
 * whatever they are, there is a form to answer in and either an operation within its bounds or a reason.
 */
#include <stdint.h>

#include "api/graphql/accept.h"
#include "api/graphql/operation.h"
#include "api/graphql/subscription.h"
#include "base/json.h"
#include "base/str.h"
#include "graphql/execute.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MEMORY = 4 * 1024 * 1024, COST = 10000 };

static const char SDL[] =
    "type Query { a(first: Int = 100, b: [In!]): A  list(first: Int!): [A!]!  many(items: [In!]!): [A!]! }\n"
    "type A { id: ID!  a(first: Int = 100): A  s: String }\n"
    "input In { a: Int = 1  b: [In!]  c: String! }\n"
    "type Mutation { a(in: In): A  b: Int }\n"
    "type Subscription { events(scheduleId: ID, kinds: [String!], client: Client): A }\n"
    "input Client { operation: String  application: String  group: String  key: String  type: String }\n";

static const struct gql_schema *schema_once(void)
{
    static struct gql_schema *schema; /* built once a process */
    struct gql_schema_options options = {.otherwise = gql_resolve_json};
    struct error err;

    if (!schema) {
        json_setup();
        MUST(gql_schema_new(STR(SDL), &options, &schema, &err) == ERR_NONE);
    }
    return schema;
}

static void look_at(const struct operation *o)
{
    CLEANUP(json_free_p) json_t *arguments = NULL;
    struct stream_filter filter;
    struct error err = {0};

    MUST(o->request.stage == GQL_STAGE_READY);
    if (operation_kind(o) != GQL_SUBSCRIPTION || operation_arguments(o, schema_once(), &arguments, &err))
        return;
    MUST(o->roots <= 1);
    if (subscription_filter(arguments, &filter, &err))
        MUST(err.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct gql_request_options options = GQL_REQUEST_OPTIONS(schema_once());
    CLEANUP(operation_free_p) struct operation *o = NULL;
    struct str rest = {(const char *)data, n};
    struct str line = {NULL, 0};
    json_t *params = NULL;
    struct error err = {0};
    enum err e;

    (void)str_cut(&rest, '\n', &line);
    MUST(graphql_media_type(graphql_accept(line).media));
    if (!rest.p || json_parse(rest, JSON_DEPTH_MAX, &params, &err))
        return 0;
    options.memory = MEMORY;
    options.size = operation_size_of;
    options.cost = COST;
    e = operation_new(params, &options, &o, &err);
    if (!e)
        look_at(o);
    else
        MUST(o ? o->request.faults.n > 0 : err.text[0] != 0);
    return 0;
}
