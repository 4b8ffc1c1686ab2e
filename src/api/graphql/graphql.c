/*
 * graphql.c: GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/): from a request's
 * parameters to the form, the status and the body of its answer.
 *
 * What is wrong with a request is told in the form of a GraphQL response wherever the request is one. With
 * application/json a document that is at fault is answered 200, as clients older than
 * application/graphql-response+json expect; with the latter, 400.
 */
#include "api/graphql/graphql.h"

#include <stdio.h>

#include "api/api_internal.h"
#include "api/assets.h"
#include "api/graphql/accept.h"
#include "api/graphql/drive.h"
#include "api/graphql/resolvers.h"
#include "api/graphql/subscription.h"
#include "api/handlers.h"
#include "api/route.h"
#include "base/alloc.h"
#include "base/str.h"

/* --- the schema ---------------------------------------------------------------------------------------- */

enum err graphql_new(const struct graphql_service *service, uint64_t complexity, struct graphql **ret,
                     struct error *err)
{
    CLEANUP(graphql_free_p) struct graphql *g = alloc_new(struct graphql);
    const struct graphql_service own = {asset_schema_graphql, &graphql_bindings};
    const struct graphql_service *s = service ? service : &own;
    struct error why = {0};
    char where[sizeof(why.where) + 16];
    enum err e = gql_schema_new(s->sdl, s->bindings, &g->schema, &why);

    if (e) {
        (void)snprintf(where, sizeof(where), "schema.graphql:%s", why.where);
        return error_set(err, e, where, "%s", why.text);
    }
    g->request = GQL_REQUEST_OPTIONS(g->schema);
    g->request.size = operation_size_of;
    g->request.cost = complexity;
    g->memory = GQL_EXECUTION_MEMORY;
    *ret = TAKE(g);
    return ERR_NONE;
}

void graphql_free(struct graphql *g)
{
    if (!g)
        return;
    gql_schema_free(g->schema);
    alloc_free(g);
}

/* --- answers ------------------------------------------------------------------------------------------- */

/* A request under way. */
struct asked {
    struct drive *drive;
    enum graphql_media media;
};

static void asked_free(void *work)
{
    struct asked *a = work;

    drive_drop(a->drive);
    alloc_free(a);
}

/* Of events, the one answer is the first and last. */
static void begin_answer(struct request *r, enum graphql_media media)
{
    if (media == MEDIA_EVENTS)
        buf_add_cstr(answer_body(r), "event: next\ndata: ");
}

static void end_answer(struct request *r, enum graphql_media media, unsigned status)
{
    if (media == MEDIA_EVENTS)
        buf_add_cstr(answer_body(r), "\n\nevent: complete\ndata:\n\n");
    /* Whether events can be told is not the status' to say: those who read them see no body of another. */
    answer_text(r, media == MEDIA_EVENTS ? 200 : status, graphql_media_type(media));
    answer_header(r, "Vary", "Accept");
}

static void refuse(struct request *r, enum graphql_media media, unsigned status, const char *message)
{
    begin_answer(r, media);
    buf_add_cstr(answer_body(r), "{\"errors\":[{\"message\":");
    buf_add_json(answer_body(r), str_of(message));
    buf_add_cstr(answer_body(r), "}]}");
    end_answer(r, media, status);
}

/* The document was refused. */
static void refuse_document(struct request *r, enum graphql_media media, const struct operation *o)
{
    begin_answer(r, media);
    gql_request_write_faults(&o->request, answer_body(r));
    end_answer(r, media, media == MEDIA_RESPONSE ? 400 : 200);
}

static void answer_execution(struct request *r, const struct asked *a)
{
    struct buf *out = answer_body(r);

    r->answer.only_read = drive_context(a->drive)->kind != GQL_MUTATION;
    begin_answer(r, a->media);
    gql_execution_write(drive_execution(a->drive), out);
    if (out->failed == ERR_TOO_LARGE) {
        buf_clear(out);
        begin_answer(r, a->media);
        buf_add_cstr(out,
                     "{\"errors\":[{\"message\":\"The answer was given up: it is larger than 64 MiB.\"}],"
                     "\"data\":null}");
    }
    end_answer(r, a->media, 200);
    if (drive_context(a->drive)->replayed)
        answer_header(r, "Idempotent-Replayed", "true");
}

/* --- execution ----------------------------------------------------------------------------------------- */

static void go_on(struct request *r);

static enum err launch(struct request *r, struct error *err)
{
    (void)err;
    drive_wait(((struct asked *)r->work)->drive);
    return ERR_NONE;
}

static void go_on(struct request *r)
{
    struct asked *a = r->work;

    switch (drive_step(a->drive)) {
    case DRIVE_WAITING:
        request_wait(r, launch, go_on);
        return;
    case DRIVE_DONE:
        answer_execution(r, a);
        break;
    case DRIVE_STOPPED:
        answer_problem(r, PROBLEM_STOPPING, "the server is stopping, or the client has closed its side");
        break;
    }
    r->held = false;
    drive_end(a->drive);
}

static void back(void *request)
{
    request_back(request);
}

/* The operation passes to the drive. */
static void execute(struct request *r, enum graphql_media media, struct operation *operation)
{
    struct graphql *g = r->api->graphql;
    const struct drive_options options = {.api = r->api,
                                          .http = r->http,
                                          .outer = r,
                                          .schema = g->schema,
                                          .memory = g->memory,
                                          .back = back,
                                          .arg = r};
    struct asked *a = alloc_new(struct asked);
    struct error err;

    a->media = media;
    request_set_work(r, a, asked_free);
    if (drive_new(&options, operation, &a->drive, &err)) {
        answer_error(r, &err);
        return;
    }
    if (graphql_judge_key(drive_context(a->drive), &err)) {
        refuse(r, media, 400, err.text);
        return;
    }
    if (drive_context(a->drive)->kind == GQL_QUERY &&
        atomic_load(&r->api->executions) >= r->api->options.answers_max) {
        answer_problem(r, PROBLEM_BUSY, "too many large queries are carried out; ask again later");
        return;
    }
    if (drive_begin(a->drive, NULL, &err)) {
        if (err.code == ERR_BUSY)
            answer_problem(r, PROBLEM_STOPPING, err.text);
        else
            answer_error(r, &err);
        return;
    }
    r->held = true;
    go_on(r);
}

/* --- requests ------------------------------------------------------------------------------------------ */

/* An operation that is ready; passed on. */
static void carry_out(struct request *r, struct graphql_accept accept, bool by_get, struct operation *o)
{
    enum gql_operation_kind kind = operation_kind(o);

    if (by_get && kind == GQL_MUTATION) {
        operation_free(o);
        refuse(r, accept.media, 405, "A mutation must be asked for by POST.");
        answer_header(r, "Allow", "POST");
    } else if (kind == GQL_SUBSCRIPTION && accept.events) {
        subscription_answer(r, o);
    } else if (kind == GQL_SUBSCRIPTION) {
        operation_free(o);
        refuse(
            r, accept.media, 406,
            "What a subscription tells is told as text/event-stream, which the Accept header does not name.");
    } else {
        execute(r, accept.media, o);
    }
}

/* The parameters pass on. */
static void ask(struct request *r, struct graphql_accept accept, bool by_get, json_t *params)
{
    struct graphql *g = r->api->graphql;
    struct operation *o = NULL;
    struct error err;
    enum err e = operation_new(params, &g->request, &o, &err);

    if (!e) {
        carry_out(r, accept, by_get, o);
        return;
    }
    if (o)
        refuse_document(r, accept.media, o);
    else if (e == ERR_INVALID)
        refuse(r, accept.media, 400, err.text);
    else if (e == ERR_TOO_LARGE)
        refuse(r, accept.media, accept.media == MEDIA_RESPONSE ? 400 : 200,
               "The document takes more memory than a document may.");
    else
        answer_error(r, &err);
    operation_free(o);
}

/* False: there is no form of answer that the client takes, and it is told so in the plainest. */
static bool is_acceptable(struct request *r, struct graphql_accept accept)
{
    if (accept.media != MEDIA_NONE)
        return true;
    refuse(r, MEDIA_JSON, 406,
           "Answers come as application/graphql-response+json, application/json or text/event-stream.");
    return false;
}

/* A fault of JSON, with its place. */
static void refuse_json(struct request *r, enum graphql_media media, const char *what,
                        const struct error *err)
{
    char text[512];

    if (err->code == ERR_MEMORY) {
        answer_error(r, err);
        return;
    }
    (void)snprintf(text, sizeof(text), "%s is no JSON: %s%s%s", what, err->where, err->where[0] ? ": " : "",
                   err->text);
    refuse(r, media, 400, text);
}

/* False: one is unknown, or came twice, and the request is answered. */
static bool params_are_known(struct request *r, enum graphql_media media)
{
    const char *names[ROUTE_PARAMS_MAX];
    struct error_list faults = {.n = 0};
    char text[sizeof(faults.items[0].where) + sizeof(faults.items[0].text) + 2];

    target_check_params(&r->target, names, route_param_names(r->route, names), &faults);
    if (faults.n == 0)
        return true;
    (void)snprintf(text, sizeof(text), "%s: %s", faults.items[0].where, faults.items[0].text);
    refuse(r, media, 400, text);
    return false;
}

void handle_graphql_post(struct request *r)
{
    struct graphql_accept accept = graphql_accept(r->headers.accept);
    json_t *params = NULL;
    struct error err;

    if (!is_acceptable(r, accept) || !params_are_known(r, accept.media))
        return;
    if (r->body.n == 0)
        refuse(r, accept.media, 400, "The request has no body.");
    else if (json_parse(buf_str(&r->body), r->api->options.json_depth_max, &params, &err))
        refuse_json(r, accept.media, "The body", &err);
    else
        ask(r, accept, false, params);
}

/* Strings as they are, objects as JSON. False: one is none, and the request is answered. */
static bool add_param(struct request *r, enum graphql_media media, const char *name, bool object, json_t *to)
{
    struct str text = target_param(&r->target, name);
    json_t *value = NULL;
    struct error err = {0};

    if (!text.p || (object && text.n == 0))
        return true;
    if (object && json_parse(text, r->api->options.json_depth_max, &value, &err)) {
        refuse_json(r, media, name, &err);
        return false;
    }
    if (!object)
        value = json_stringn(text.p, text.n);
    if (value && json_object_set_new(to, name, value) == 0)
        return true;
    (void)error_set(&err, ERR_MEMORY, NULL, "out of memory for the parameters");
    answer_error(r, &err);
    return false;
}

void handle_graphql_get(struct request *r)
{
    struct graphql_accept accept = graphql_accept(r->headers.accept);
    CLEANUP(json_free_p) json_t *params = NULL;

    if (accept.page && !target_param(&r->target, "query").p) {
        answer_explorer(r);
        return;
    }
    if (!is_acceptable(r, accept) || !params_are_known(r, accept.media))
        return;
    params = json_object();
    if (!params) {
        struct error err;

        (void)error_set(&err, ERR_MEMORY, NULL, "out of memory for the parameters");
        answer_error(r, &err);
        return;
    }
    if (add_param(r, accept.media, "query", false, params) &&
        add_param(r, accept.media, "operationName", false, params) &&
        add_param(r, accept.media, "variables", true, params) &&
        add_param(r, accept.media, "extensions", true, params))
        ask(r, accept, true, TAKE(params));
}
