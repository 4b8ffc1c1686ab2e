/*
 * openapi.c: nothing here knows a single call: what is said about one stands in its row.
 */
#include "api/openapi.h"

#include <string.h>

#include "api/problem.h"
#include "api/route.h"
#include "api/schema.h"
#include "api/writer.h"
#include "base/str.h"

/* The ways in which a call may be refused, and the calls that may be refused so. */
enum refusal {
    REFUSED_400,
    REFUSED_403,
    REFUSED_404,
    REFUSED_409,
    REFUSED_412,
    REFUSED_413,
    REFUSED_415,
    REFUSED_422,
    REFUSED_429,
    REFUSED_503
};

static const struct {
    const char *status;
    const char *name;
    const char *description;
} refusals[] = {
    [REFUSED_400] = {"400", "BadRequest",
                     "The request cannot be read: malformed JSON, with line and column, or a malformed "
                     "target or header."},
    [REFUSED_403] = {"403", "Forbidden", "The configuration does not allow it."},
    [REFUSED_404] = {"404", "NotFound", "There is nothing with this id."},
    [REFUSED_409] = {"409", "Conflict", "The present state does not allow it."},
    [REFUSED_412] = {"412", "PreconditionFailed", "The version is not the one that `If-Match` names."},
    [REFUSED_413] = {"413", "TooLarge", "The body is over the server's limit."},
    [REFUSED_415] = {"415", "MediaType", "The body is not application/json."},
    [REFUSED_422] = {"422", "Invalid", "A value is wrong; `errors` names which."},
    [REFUSED_429] = {"429", "TooMany",
                     "This address asks more often than the server allows: try again after `Retry-After` "
                     "seconds."},
    [REFUSED_503] = {"503", "Unavailable",
                     "Too busy, or the database cannot be reached: try again after `Retry-After` seconds."},
};

static bool takes_json(const struct route *r)
{
    return r->takes == TAKES_JSON || r->takes == TAKES_BATCH;
}

/* Takes an Idempotency-Key: what a second request must not do a second time. */
static bool is_keyed(const struct route *r)
{
    return r->method == METHOD_POST && r->uses_store;
}

static bool may_be_refused(const struct route *r, enum refusal how)
{
    switch (how) {
    case REFUSED_400:
        return true; /* any target or header may be malformed */
    case REFUSED_403:
        return r->may_be_off;
    case REFUSED_404:
        return strstr(r->path, "{id}");
    case REFUSED_409:
        return r->conflicts || is_keyed(r);
    case REFUSED_412:
        return r->if_match;
    case REFUSED_413:
        return r->takes != TAKES_NONE;
    case REFUSED_415:
        return takes_json(r);
    case REFUSED_422:
        return true; /* no call takes a query parameter that it does not know */
    case REFUSED_429:
        return !r->any_role;
    case REFUSED_503:
        return r->uses_store;
    }
    return false;
}

static void write_link(struct writer *w, const char *kind, const char *name)
{
    CLEANUP(buf_done_p) struct buf link = {0};

    buf_init(&link, 256);
    buf_addf(&link, "#/components/%s/%s", kind, name);
    MUST(buf_ok(&link));
    write_str(w, "$ref", buf_str(&link));
}

static void write_lower(struct writer *w, enum method m)
{
    char lower[16] = {0};
    const char *upper = method_name(m);

    MUST(strlen(upper) < sizeof(lower));
    for (size_t i = 0; upper[i] != '\0'; i++)
        lower[i] = (char)(upper[i] + ('a' - 'A'));
    write_object(w, lower);
}

static void write_param(struct writer *w, const struct param *p)
{
    write_object(w, NULL);
    write_cstr(w, "name", p->name);
    write_cstr(w, "in", "query");
    write_cstr(w, "description", p->description);
    write_object(w, "schema");
    schema_write_value(w, &p->value);
    write_end_object(w);
    write_end_object(w);
}

static void write_param_link(struct writer *w, const char *name)
{
    write_object(w, NULL);
    write_link(w, "parameters", name);
    write_end_object(w);
}

static void write_params(struct writer *w, const struct route *r)
{
    bool has_id = strstr(r->path, "{id}");

    if (!has_id && !r->params && !r->if_match && !r->if_none_match && !is_keyed(r))
        return;
    write_array(w, "parameters");
    if (has_id)
        write_param_link(w, "Id");
    for (const struct param *const *p = r->params; p && *p; p++)
        write_param(w, *p);
    if (r->if_match)
        write_param_link(w, "IfMatch");
    if (r->if_none_match)
        write_param_link(w, "IfNoneMatch");
    if (is_keyed(r))
        write_param_link(w, "IdempotencyKey");
    write_end_array(w);
}

/* The schema called `name`, or an array of it, and its example. */
static void write_json_content(struct writer *w, const char *name, bool array, int64_t items_max)
{
    const struct schema *s = schema_find(name);

    MUST(s);
    write_object(w, "content");
    write_object(w, strcmp(name, "Problem") == 0 ? PROBLEM_TYPE : "application/json");
    write_object(w, "schema");
    if (array) {
        write_cstr(w, "type", "array");
        if (items_max > 0)
            write_i64(w, "maxItems", items_max);
        write_object(w, "items");
    }
    write_link(w, "schemas", name);
    if (array)
        write_end_object(w);
    write_end_object(w);
    if (s->example && !array)
        write_raw(w, "example", str_of(s->example));
    if (s->example && array) {
        write_array(w, "example");
        write_raw(w, NULL, str_of(s->example));
        write_end_array(w);
    }
    write_end_object(w);
    write_end_object(w);
}

static void write_body(struct writer *w, const struct route *r)
{
    if (!takes_json(r))
        return;
    write_object(w, "requestBody");
    write_bool(w, "required", true);
    write_json_content(w, r->takes_schema, r->takes == TAKES_BATCH, 10000);
    write_end_object(w);
}

static void write_header_link(struct writer *w, bool wanted, const char *header, const char *name)
{
    if (!wanted)
        return;
    write_object(w, header);
    write_link(w, "headers", name);
    write_end_object(w);
}

static void write_text_content(struct writer *w, const char *content_type)
{
    write_object(w, "content");
    write_object(w, content_type);
    write_object(w, "schema");
    write_cstr(w, "type", strcmp(content_type, "application/json") == 0 ? "object" : "string");
    write_end_object(w);
    write_end_object(w);
    write_end_object(w);
}

static void write_status(struct writer *w, unsigned status)
{
    char text[8] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                    (char)('0' + status % 10), '\0'};

    write_object(w, text);
}

static void write_reply(struct writer *w, const struct reply *reply)
{
    write_status(w, reply->status);
    write_cstr(w, "description", reply->description);
    if (reply->etag || reply->location || reply->next_link) {
        write_object(w, "headers");
        write_header_link(w, reply->etag, "ETag", "ETag");
        write_header_link(w, reply->location, "Location", "Location");
        write_header_link(w, reply->next_link, "Link", "Link");
        write_end_object(w);
    }
    if (reply->schema)
        write_json_content(w, reply->schema, reply->array, 0);
    else if (reply->content_type)
        write_text_content(w, reply->content_type);
    write_end_object(w);
}

static void write_replies(struct writer *w, const struct route *r)
{
    write_object(w, "responses");
    for (size_t i = 0; i < ROUTE_REPLIES_MAX && r->replies[i].status > 0; i++)
        write_reply(w, &r->replies[i]);
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (!may_be_refused(r, (enum refusal)i))
            continue;
        write_object(w, refusals[i].status);
        write_link(w, "responses", refusals[i].name);
        write_end_object(w);
    }
    write_object(w, "default");
    write_link(w, "responses", "Problem");
    write_end_object(w);
    write_end_object(w);
}

static void write_operation(struct writer *w, const struct route *r)
{
    write_lower(w, r->method);
    write_cstr(w, "operationId", r->id);
    write_array(w, "tags");
    write_cstr(w, NULL, r->tag);
    write_end_array(w);
    write_cstr(w, "summary", r->summary);
    if (r->description)
        write_cstr(w, "description", r->description);
    write_params(w, r);
    write_body(w, r);
    write_replies(w, r);
    write_end_object(w);
}

static bool is_told(const struct route *r)
{
    return !r->hidden;
}

/* Whether a row before this one has told its path already. */
static bool path_is_told(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_told(&routes[i]) && strcmp(routes[i].path, routes[at].path) == 0)
            return true;
    }
    return false;
}

static void write_paths(struct writer *w)
{
    write_object(w, "paths");
    for (size_t i = 0; i < routes_n; i++) {
        if (!is_told(&routes[i]) || path_is_told(i))
            continue;
        write_object(w, routes[i].path);
        for (size_t j = i; j < routes_n; j++) {
            if (is_told(&routes[j]) && strcmp(routes[j].path, routes[i].path) == 0)
                write_operation(w, &routes[j]);
        }
        write_end_object(w);
    }
    write_end_object(w);
}

static void write_one_header(struct writer *w, const char *name, const char *description, const char *type)
{
    write_object(w, name);
    write_cstr(w, "description", description);
    write_object(w, "schema");
    write_cstr(w, "type", type);
    write_end_object(w);
    write_end_object(w);
}

static void write_one_param(struct writer *w, const char *key, const char *name, const char *in,
                            const char *description)
{
    write_object(w, key);
    write_cstr(w, "name", name);
    write_cstr(w, "in", in);
    if (strcmp(in, "path") == 0)
        write_bool(w, "required", true);
    write_cstr(w, "description", description);
    write_object(w, "schema");
    write_cstr(w, "type", "string");
    if (strcmp(in, "path") == 0)
        write_cstr(w, "format", "uuid");
    write_end_object(w);
    write_end_object(w);
}

static void write_components(struct writer *w)
{
    write_object(w, "components");
    write_object(w, "schemas");
    for (size_t i = 0; i < schemas_n; i++) {
        write_object(w, schemas[i]->name);
        schema_write(w, schemas[i]);
        write_end_object(w);
    }
    write_end_object(w);
    write_object(w, "parameters");
    write_one_param(w, "Id", "id", "path", "The id that registration gave.");
    write_one_param(w, "IfMatch", "If-Match", "header",
                    "An ETag: only if the schedule still has this version.");
    write_one_param(w, "IfNoneMatch", "If-None-Match", "header",
                    "An ETag: only if the schedule has another version.");
    write_one_param(
        w, "IdempotencyKey", "Idempotency-Key", "header",
        "Made up by the client, 1 to 255 printable characters. For 24 hours the same key with the "
        "same request gets the answer of the first one that succeeded and does nothing (with the "
        "header `Idempotent-Replayed: true`); with another request 422; while the first is being "
        "worked on 409.");
    write_end_object(w);
    write_object(w, "headers");
    write_one_header(w, "ETag", "The schedule's version, for `If-Match`.", "string");
    write_one_header(w, "Location", "Where it can be read.", "string");
    write_one_header(w, "Link", "`rel=\"next\"`: the next page; absent on the last.", "string");
    write_one_header(w, "RetryAfter", "Seconds after which to try again.", "integer");
    write_end_object(w);
    write_object(w, "responses");
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        write_object(w, refusals[i].name);
        write_cstr(w, "description", refusals[i].description);
        if (i == REFUSED_503 || i == REFUSED_429) {
            write_object(w, "headers");
            write_header_link(w, true, "Retry-After", "RetryAfter");
            write_end_object(w);
        }
        write_json_content(w, "Problem", false, 0);
        write_end_object(w);
    }
    write_object(w, "Problem");
    write_cstr(w, "description", "Any other problem.");
    write_json_content(w, "Problem", false, 0);
    write_end_object(w);
    write_end_object(w);
    write_end_object(w);
}

static void write_tag(struct writer *w, const char *name, const char *description)
{
    write_object(w, NULL);
    write_cstr(w, "name", name);
    write_cstr(w, "description", description);
    write_end_object(w);
}

static void write_info(struct writer *w, const char *version)
{
    write_object(w, "info");
    write_cstr(w, "title", "Carillon");
    write_cstr(w, "version", version);
    write_cstr(w, "summary",
               "A scheduler service: register a schedule, and it calls you back when it is due.");
    write_cstr(w, "description",
               "Errors are `application/problem+json` (RFC 9457). Times are ISO 8601. `HEAD` works where "
               "`GET` does. `/graphql` does the same as GraphQL, and describes itself.");
    write_object(w, "license");
    write_cstr(w, "name", "Apache-2.0");
    write_cstr(w, "identifier", "Apache-2.0");
    write_end_object(w);
    write_end_object(w);
    write_array(w, "servers");
    write_object(w, NULL);
    write_cstr(w, "url", "/");
    write_end_object(w);
    write_end_array(w);
    /* Nothing authenticates: that is for what stands in front. */
    write_array(w, "security");
    write_end_array(w);
    write_array(w, "tags");
    write_tag(w, "Schedules", "What is to be done, and when.");
    write_tag(w, "Runs", "What was done: one run is one occurrence of one schedule.");
    write_tag(w, "History", "What happened to schedules, event by event.");
    write_tag(w, "Service", "The server itself.");
    write_end_array(w);
}

void openapi_write(struct buf *out, const char *version)
{
    struct writer w = writer_of(out);

    write_object(&w, NULL);
    write_cstr(&w, "openapi", "3.1.0");
    write_info(&w, version);
    write_paths(&w);
    write_components(&w);
    write_end_object(&w);
}
