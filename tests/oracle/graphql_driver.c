/*
 * graphql_driver.c: the graphql room on stdin and stdout, so that tests in other languages can hold it
 * against other implementations.
 *
 *     graphql_driver SCHEMA.graphql [DATA.json]
 *
 * One request a line, as a JSON object; one answer a line, as JSON, in order:
 *   {"print": true}                  -> the schema as SDL, a string
 *   {"validate": DOCUMENT}           -> {"syntax": {message, locations}} | {"rules": {NAME: [[line,
 * column]...]}}
 *   {"query": DOCUMENT, "variables": {...}, "operationName": "...", "kept": ...}
 *                                    -> the response of its execution over the data
 * The data is an object with the members "query", "mutation" and "subscription", the roots. A member
 * {"__error": TEXT} is a field error; the fields of the scalar Any named echo answer with their arguments.
 * Every third field is answered later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "graphql/request.h"

enum { TEXT_MAX = 64 * 1024 * 1024, MEMORY_MAX = 64 * 1024 * 1024 };

struct driver {
    struct gql_schema *schema;
    json_t *data;
    size_t n_calls;
    struct gql_call *later[64];
    size_t n_later;
};

static enum gql_progress resolve_now(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        const json_t *object = call->objects[i];
        const json_t *member = json_object_getn(object, call->field->name.p, call->field->name.n);
        const json_t *failure = json_object_get(member, "__error");
        struct error err;

        if (json_is_string(failure)) {
            (void)error_set(&err, ERR_CONFLICT, NULL, "%s", json_string_value(failure));
            call->values[i] = gql_error(call->execution, &err);
        } else if (str_eq(call->field->name, STR("echo"))) {
            call->values[i] = gql_json(call->arguments);
        } else {
            call->values[i] = member ? gql_json(member) : gql_null();
        }
    }
    return GQL_ANSWERED;
}

static enum gql_progress resolve(struct gql_call *call)
{
    struct driver *d = call->context;

    if (d->n_calls++ % 3 != 0 || d->n_later == COUNT_OF(d->later))
        return resolve_now(call);
    call->resume = resolve_now;
    d->later[d->n_later++] = call;
    return GQL_LATER;
}

static void wake(void *arg)
{
    (void)arg; /* one thread: the loop below looks anyway */
}

static void write_places(const struct gql_fault *f, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < f->n_places; i++)
        buf_addf(out, "%s[%u,%u]", i > 0 ? "," : "", f->places[i].line, f->places[i].column);
    buf_add_char(out, ']');
}

/* {"rule": [places of all its faults]} */
static void write_rules(const struct gql_faults *faults, struct buf *out)
{
    bool any = false;

    buf_add_cstr(out, "{\"rules\":[");
    for (const struct gql_fault *f = faults->first; f; f = f->next) {
        buf_addf(out, "%s[\"%s\",", any ? "," : "", f->rule);
        write_places(f, out);
        buf_add_char(out, ']');
        any = true;
    }
    buf_add_cstr(out, "]}");
}

static const struct gql_limits LIMITS = {.depth = GQL_DEPTH_LIMIT,
                                         .fields = 100000,
                                         .aliases = 100000,
                                         .introspection = 2,
                                         .merge_steps = 1000000,
                                         .errors = 10000};

static const struct gql_document *parse(struct arena *arena, struct gql_faults *faults, struct str text,
                                        struct buf *out)
{
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    const struct gql_document *d;

    gql_faults_init(faults, arena, text, 10000);
    limits.depth = GQL_DEPTH_LIMIT;
    d = gql_parse(text, &limits, arena, faults);
    if (!d) {
        MUST(faults->n == 1);
        buf_add_cstr(out, "{\"syntax\":");
        gql_fault_write(faults->first, out);
        buf_add_char(out, '}');
    }
    return d;
}

static void answer_validate(const struct driver *d, struct str text, struct buf *out)
{
    CLEANUP(arena_done_p) struct arena arena;
    struct gql_faults faults;
    const struct gql_document *document;

    arena_init(&arena, MEMORY_MAX);
    document = parse(&arena, &faults, text, out);
    if (!document)
        return;
    if (gql_validate(d->schema, document, &LIMITS, &arena, &faults))
        buf_add_cstr(out, "{\"rules\":[]}");
    else
        write_rules(&faults, out);
}

static void answer_later(struct driver *d)
{
    /* the other way round than asked */
    while (d->n_later > 0)
        gql_call_done(d->later[--d->n_later]);
}

static void execute(struct driver *d, const struct gql_request *r, struct buf *out)
{
    static const char *const roots[] = {"query", "mutation", "subscription"};
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    struct gql_options options = {
        .schema = d->schema,
        .document = r->document,
        .operation = r->operation,
        .variables = r->variables,
        .root = json_object_get(d->data, roots[r->operation->kind]),
        .context = d,
        .wake = wake,
        .memory = MEMORY_MAX,
        .errors = 10000,
    };
    struct error err = {0};

    if (gql_execution_new(&options, &x, &err)) {
        buf_add_cstr(out, "{\"errors\":[{\"message\":\"no such root\"}]}");
        return;
    }
    while (gql_execution_step(x) == GQL_WAITING)
        answer_later(d);
    gql_execution_write(x, out);
}

static void answer_query(struct driver *d, const json_t *request, struct str text, struct buf *out)
{
    CLEANUP(gql_request_done_p) struct gql_request r;
    const json_t *name = json_object_get(request, "operationName");
    struct gql_request_options options = GQL_REQUEST_OPTIONS(d->schema);
    struct error err = {0};
    enum err e;

    options.parse.depth = GQL_DEPTH_LIMIT;
    options.limits = LIMITS;
    options.memory = MEMORY_MAX;
    e = gql_request_init(&r, &options, text, json_is_string(name) ? json_str(name) : STR(""),
                         json_object_get(request, "variables"), &err);
    MUST(e == ERR_NONE || e == ERR_INVALID);
    if (e == ERR_NONE)
        execute(d, &r, out);
    else
        gql_request_write_faults(&r, out);
}

static void answer(struct driver *d, const json_t *request, struct buf *out)
{
    const json_t *query = json_object_get(request, "query");
    const json_t *validate = json_object_get(request, "validate");
    CLEANUP(buf_done_p) struct buf printed = {0};

    if (json_is_string(validate)) {
        answer_validate(d, json_str(validate), out);
    } else if (json_is_string(query)) {
        answer_query(d, request, json_str(query), out);
    } else {
        buf_init(&printed, TEXT_MAX);
        gql_schema_print(d->schema, &printed);
        buf_add_json(out, buf_str(&printed));
    }
}

static bool read_all(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    char chunk[65536];
    size_t n;

    if (!f)
        return false;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(out, (struct str){chunk, n});
    n = (size_t)ferror(f);
    return fclose(f) == 0 && n == 0 && buf_ok(out);
}

static bool start(struct driver *d, int argc, char **argv, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    struct gql_schema_options options = {.otherwise = resolve};

    buf_init(&text, TEXT_MAX);
    if (!read_all(argv[1], &text))
        return error_errno(err, argv[1], "cannot be read") == ERR_NONE;
    if (gql_schema_new(buf_str(&text), &options, &d->schema, err))
        return false;
    buf_clear(&text);
    if (argc < 3)
        return true;
    if (!read_all(argv[2], &text))
        return error_errno(err, argv[2], "cannot be read") == ERR_NONE;
    return json_parse(buf_str(&text), 64, &d->data, err) == ERR_NONE;
}

static bool serve(struct driver *d, struct error *err)
{
    CLEANUP(alloc_free_p) char *line = alloc_hook_malloc(TEXT_MAX);
    CLEANUP(buf_done_p) struct buf out = {0};

    buf_init(&out, TEXT_MAX);
    while (line && fgets(line, TEXT_MAX, stdin)) {
        CLEANUP(json_free_p) json_t *request = NULL;

        if (json_parse(str_of(line), 64, &request, err))
            return false;
        buf_clear(&out);
        answer(d, request, &out);
        MUST(buf_ok(&out));
        if (puts(buf_cstr(&out)) < 0)
            return false;
    }
    return line != NULL;
}

int main(int argc, char **argv)
{
    struct driver d = {0};
    struct error err = {0};
    bool ok;

    json_setup();
    if (argc < 2) {
        (void)fprintf(stderr, "usage: graphql_driver SCHEMA [DATA]\n");
        return EXIT_FAILURE;
    }
    ok = start(&d, argc, argv, &err) && serve(&d, &err);
    if (!ok)
        (void)fprintf(stderr, "graphql_driver: %s: %s\n", err.where, err.text);
    gql_schema_free(d.schema);
    json_free(d.data);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
