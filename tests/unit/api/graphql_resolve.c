/*
 * graphql_resolve.c: what GraphQL's fields ask of the store and of the REST API, and what comes of it, over
 * the real server. That every field is told right is the integration tests'.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/api_internal.h"
#include "api_fixture.h"
#include "base/alloc.h"
#include "base/str.h"

static struct api_fixture f;

static int start(void **state)
{
    (void)state;
    f = (struct api_fixture){0};
    api_fixture_start(&f);
    return 0;
}

static int start_with_one_thread(void **state)
{
    (void)state;
    f = (struct api_fixture){.options.threads = 1};
    api_fixture_start(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_fixture_stop(&f);
    return 0;
}

#define POST "POST /graphql\r\nContent-Type: application/json"
#define HOST "connection:{host:\"http://localhost:1/\"}"

static json_t *ask_with(const char *head, const char *document, unsigned status)
{
    CLEANUP(buf_done_p) struct buf body = {0};
    struct reply_text t = {0};
    json_t *json;

    buf_init(&body, (size_t)8 * 1024 * 1024);
    buf_add_cstr(&body, "{\"query\":");
    buf_add_json(&body, str_of(document));
    buf_add_char(&body, '}');
    call(&f, head, buf_cstr(&body), &t);
    if (t.status != status)
        fail_msg("%s: %u %s", document, t.status, buf_cstr(&t.body));
    json = reply_json(&t);
    reply_done(&t);
    return json;
}

static json_t *ask(const char *document)
{
    return ask_with(POST, document, 200);
}

/* The answer's data; fails the test when there are errors. */
static json_t *data_of(json_t *answer, const char *field)
{
    if (json_object_get(answer, "errors")) {
        CLEANUP(buf_done_p) struct buf text = {0};

        buf_init(&text, 65536);
        assert_int_equal(json_write(answer, &text, NULL), ERR_NONE);
        fail_msg("%s", buf_cstr(&text));
    }
    return json_object_get(json_object_get(answer, "data"), field);
}

static const char *code_of(json_t *answer, size_t i)
{
    const json_t *error = json_array_get(json_object_get(answer, "errors"), i);

    return json_string_value(json_object_get(json_object_get(error, "extensions"), "code"));
}

static uint64_t operations(struct lane *l)
{
    struct lane_stats s;

    lane_stats(l, &s);
    return s.operations;
}

static void register_many(size_t n)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(json_free_p) json_t *answer = NULL;

    buf_init(&text, (size_t)4 * 1024 * 1024);
    buf_add_cstr(&text, "mutation { registerSchedules(definitions: [");
    for (size_t i = 0; i < n; i++)
        buf_addf(&text,
                 "{name:\"s%zu\", type:CRON, schedule:\"0 0 1 1 *\", client:{key:\"%zu\"}, "
                 "task:{type:REST, " HOST "}}",
                 i, i);
    buf_add_cstr(&text, "]) { id } }");
    answer = ask(buf_cstr(&text));
    assert_int_equal(json_array_size(data_of(answer, "registerSchedules")), n);
}

/* A run each: its state is what it was made in, since no engine runs here. */
static void trigger_all(void)
{
    CLEANUP(json_free_p) json_t *answer = ask("{ schedules(first: 1000) { nodes { id } } }");
    const json_t *nodes = json_object_get(data_of(answer, "schedules"), "nodes");

    for (size_t i = 0; i < json_array_size(nodes); i++) {
        char text[160];

        (void)snprintf(text, sizeof(text), "mutation { triggerSchedule(id: \"%s\") { id } }",
                       json_string_value(json_object_get(json_array_get(nodes, i), "id")));
        json_free(ask(text));
    }
}

#define NESTED                                                                                               \
    "{ schedules { nodes { name runs(first: 2) { nodes { id schedule { name runs(first: 1) { nodes { "       \
    "schedule { id } } pageInfo { hasNextPage } } } } } } } }"

static uint64_t cost_of_nested(size_t *ret_rows)
{
    uint64_t before = operations(f.reader);
    CLEANUP(json_free_p) json_t *answer = ask(NESTED);
    const json_t *nodes = json_object_get(data_of(answer, "schedules"), "nodes");

    *ret_rows = json_array_size(nodes);
    for (size_t i = 0; i < *ret_rows; i++) {
        const json_t *schedule = json_array_get(nodes, i);
        const json_t *runs = json_object_get(json_object_get(schedule, "runs"), "nodes");
        const json_t *again = json_object_get(json_array_get(runs, 0), "schedule");

        assert_int_equal(json_array_size(runs), 1);
        assert_string_equal(json_string_value(json_object_get(again, "name")),
                            json_string_value(json_object_get(schedule, "name")));
    }
    return operations(f.reader) - before;
}

static void a_list_within_a_list_costs_one_operation_a_level(void **state)
{
    size_t rows;

    (void)state;
    register_many(3);
    trigger_all();
    /* schedules, runs, schedule, runs, schedule */
    assert_int_equal(cost_of_nested(&rows), 5);
    assert_int_equal(rows, 3);
    register_many(60);
    trigger_all();
    /* of the first three there are two runs by now */
    json_free(ask("mutation { deleteSchedules(filter: {key: \"0\"}) { count } }"));
    json_free(ask("mutation { deleteSchedules(filter: {key: \"1\"}) { count } }"));
    json_free(ask("mutation { deleteSchedules(filter: {key: \"2\"}) { count } }"));
    assert_int_equal(cost_of_nested(&rows), 5);
    assert_int_equal(rows, 57);
}

static void a_batch_asks_for_its_schedules_at_once(void **state)
{
    CLEANUP(json_free_p) json_t *answer = NULL;
    uint64_t before = operations(f.reader);

    (void)state;
    answer = ask("mutation { registerSchedules(definitions: ["
                 "{name:\"a\", type:NOW, client:{key:\"b1\"}, task:{type:REST, " HOST "}}, "
                 "{name:\"\", type:NOW, client:{key:\"b2\"}, task:{type:REST, " HOST "}}, "
                 "{name:\"c\", type:NOW, client:{key:\"b3\"}, task:{type:REST, " HOST "}}"
                 "]) { created id version schedule { name } error { code errors { pointer } } } }");
    const json_t *items = data_of(answer, "registerSchedules");

    assert_int_equal(operations(f.reader) - before, 1);
    assert_true(json_is_null(json_object_get(json_array_get(items, 1), "schedule")));
    assert_true(json_is_null(json_object_get(json_array_get(items, 1), "id")));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json_array_get(items, 2), "schedule"), "name")),
        "c");
}

static void what_is_not_asked_for_costs_nothing(void **state)
{
    uint64_t before = operations(f.reader);

    (void)state;
    json_free(ask("mutation { registerSchedule(definition: {name:\"n\", type:NOW, client:{key:\"q\"}, "
                  "task:{type:REST, " HOST "}}) { created id version } }"));
    assert_int_equal(operations(f.reader), before);
}

static void without_a_history_the_rest_is_told(void **state)
{
    CLEANUP(json_free_p) json_t *answer = NULL;
    const json_t *nodes;

    (void)state;
    register_many(1);
    answer =
        ask("{ schedules(filter: {name: \"s\"}, first: 1) { nodes { name history { nodes { id } } } } }");
    assert_string_equal(code_of(answer, 0), "unavailable");
    nodes = json_object_get(json_object_get(json_object_get(answer, "data"), "schedules"), "nodes");
    assert_int_equal(json_array_size(nodes), 1);
    assert_true(json_is_null(json_object_get(json_array_get(nodes, 0), "history")));
}

#define ONE(name)                                                                                            \
    "registerSchedule(definition: {name:\"" name "\", type:CRON, schedule:\"0 0 1 1 *\", client:{key:\"key " \
    "one\"}, task:{type:REST, " HOST "}}) { created id version }"

static void a_key_is_one_things(void **state)
{
    const char *head = POST "\r\nIdempotency-Key: k-1";
    CLEANUP(json_free_p) json_t *first = NULL;
    CLEANUP(json_free_p) json_t *second = NULL;
    CLEANUP(json_free_p) json_t *other = NULL;

    (void)state;
    first = ask_with(head, "mutation { " ONE("n") " }", 200);
    second = ask_with(head, "mutation { again: " ONE("n") " }", 200);
    /* As it was answered then, though it would be a replacement now. */
    assert_true(json_equal(data_of(first, "registerSchedule"), data_of(second, "again")));
    assert_true(json_is_true(json_object_get(data_of(second, "again"), "created")));
    other = ask_with(head, "mutation { " ONE("another") " }", 200);
    assert_string_equal(code_of(other, 0), "invalid");
}

static void a_repetition_says_that_it_is_one(void **state)
{
    const char *head = POST "\r\nIdempotency-Key: k-9";
    const char *body =
        "{\"query\":\"mutation { deleteSchedules(filter: {name: \\\"nothing\\\"}) { count } }\"}";
    struct reply_text t = {0};
    char text[16];

    (void)state;
    for (int i = 0; i < 2; i++) {
        call(&f, head, body, &t);
        assert_int_equal(t.status, 200);
        assert_string_equal(buf_cstr(&t.body), "{\"data\":{\"deleteSchedules\":{\"count\":0}}}");
        assert_int_equal(reply_header(&t, "Idempotent-Replayed", text, sizeof(text)) != NULL, i);
        reply_done(&t);
    }
}

static void several_things_have_no_key(void **state)
{
    const char *head = POST "\r\nIdempotency-Key: k-2";
    CLEANUP(json_free_p) json_t *found = NULL;

    (void)state;
    json_free(ask_with(head, "mutation { a: " ONE("x") " b: " ONE("y") " }", 400));
    found = ask("{ schedules(filter: {name: \"x\"}) { nodes { id } } }");
    assert_int_equal(json_array_size(json_object_get(data_of(found, "schedules"), "nodes")), 0);
    /* In a query it means nothing. */
    json_free(ask_with(head, "{ a: version { version } b: version { version } }", 200));
}

static void rest_and_graphql_share_their_keys(void **state)
{
    CLEANUP(json_free_p) json_t *listed = NULL;
    CLEANUP(json_free_p) json_t *again = NULL;
    struct reply_text t = {0};
    char head[256];
    char text[256];
    char id[64];

    (void)state;
    json_free(ask("mutation { " ONE("shared") " }"));
    listed = ask("{ schedules(filter: {name: \"shared\"}) { nodes { id } } }");
    (void)snprintf(id, sizeof(id), "%s",
                   json_string_value(json_object_get(
                       json_array_get(json_object_get(data_of(listed, "schedules"), "nodes"), 0), "id")));
    (void)snprintf(head, sizeof(head), "POST /schedules/%s/trigger\r\nIdempotency-Key: k-3", id);
    call(&f, head, "", &t);
    assert_int_equal(t.status, 202);
    (void)snprintf(text, sizeof(text), "mutation { triggerSchedule(id: \"%s\") { id } }", id);
    again = ask_with(POST "\r\nIdempotency-Key: k-3", text, 200);
    {
        CLEANUP(json_free_p) json_t *run = reply_json(&t);

        assert_string_equal(json_string_value(json_object_get(run, "id")),
                            json_string_value(json_object_get(data_of(again, "triggerSchedule"), "id")));
    }
    reply_done(&t);
}

static void those_done_before_a_refusal_are_told(void **state)
{
    CLEANUP(json_free_p) json_t *answer = NULL;
    const json_t *data;

    (void)state;
    answer =
        ask("mutation { a: " ONE("first") " b: discardRun(id: \"nothing\") { id } c: " ONE("second") " }");
    data = json_object_get(answer, "data");
    assert_string_equal(code_of(answer, 0), "not_found");
    assert_int_equal(json_array_size(json_object_get(answer, "errors")), 1);
    assert_true(json_is_object(json_object_get(data, "a")));
    assert_true(json_is_null(json_object_get(data, "b")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(data, "c"), "version")),
                     json_integer_value(json_object_get(json_object_get(data, "a"), "version")) + 1);
}

static void arguments_that_no_query_could_hold_are_refused(void **state)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(json_free_p) json_t *answer = NULL;

    (void)state;
    buf_init(&text, 65536);
    buf_add_cstr(&text, "{ schedules(first: 1, filter: {name: \"");
    for (int i = 0; i < 9000; i++)
        buf_add_char(&text, '&');
    buf_add_cstr(&text, "\"}) { nodes { id } } }");
    answer = ask(buf_cstr(&text));
    assert_string_equal(code_of(answer, 0), "too_large");
}

static const char *pointer_of(const json_t *answer)
{
    const json_t *error = json_array_get(json_object_get(answer, "errors"), 0);

    return json_string_value(json_object_get(json_object_get(error, "extensions"), "pointer"));
}

/* Over the wire it is not read, so what is behind the calls counts on its absence. */
static void nul_is_refused_wherever_it_stands(void **state)
{
    static const char *const documents[][2] = {
        {"{ schedules(filter: {name: \"a\\u0000b\"}) { nodes { id } } }", "/filter/name"},
        {"{ schedules(filter: {key: \"\\u0000\", name: \"a\"}) { nodes { id } } }", "/filter/key"},
        {"{ history(scheduleId: \"a\\u0000b\") { nodes { id } } }", "/scheduleId"},
        {"{ scheduleByClient(client: {key: \"a\\u0000b\"}) { id } }", "/client/key"},
        {"mutation { deleteSchedules(filter: {key: \"a\\u0000b\"}) { count } }", "/filter/key"},
        {"mutation { registerSchedule(definition: {name: \"a\", type: NOW, task: {type: REST, data: {x: [1, "
         "\"\\u0000\"]}, " HOST "}}) { id } }",
         "/definition/task/data/x/1"},
        {"mutation { registerSchedules(definitions: [{name: \"a\\u0000\", type: NOW, task: {type: REST, " HOST
         "}}]) { id } }",
         "/definitions/0/name"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        CLEANUP(json_free_p) json_t *answer = ask(documents[i][0]);

        assert_non_null(code_of(answer, 0));
        assert_string_equal(code_of(answer, 0), "invalid");
        assert_non_null(pointer_of(answer));
        assert_string_equal(pointer_of(answer), documents[i][1]);
    }
}

static void a_limit_beside_ids_is_refused(void **state)
{
    CLEANUP(json_free_p)
    json_t *answer =
        ask("mutation { redriveRuns(which: {ids: [\"01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f\"], limit: 3}) { "
            "redriven } }");

    (void)state;
    assert_non_null(code_of(answer, 0));
    assert_string_equal(code_of(answer, 0), "invalid");
    assert_string_equal(pointer_of(answer), "/which/ids");
}

static void what_is_wrong_is_told_in_words_of_the_schema(void **state)
{
    CLEANUP(json_free_p) json_t *answer = ask("mutation { redriveRuns(which: {}) { redriven } }");
    const json_t *error = json_array_get(json_object_get(answer, "errors"), 0);
    const json_t *told = json_object_get(json_object_get(error, "extensions"), "errors");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(error, "message")),
                        "/which: must name runs: by `ids`, by `scheduleId`, or `all`");
    assert_string_equal(json_string_value(json_object_get(json_array_get(told, 0), "detail")),
                        "must name runs: by `ids`, by `scheduleId`, or `all`");
}

static void a_page_that_is_refused_leaves_the_rest(void **state)
{
    CLEANUP(json_free_p)
    json_t *answer =
        ask("{ schedules(first: 0) { nodes { id } } runs(first: 0) { nodes { id } } deadLetters(first: 0) { "
            "nodes { id } } version { version } }");
    const json_t *data = json_object_get(answer, "data");

    (void)state;
    assert_int_equal(json_array_size(json_object_get(answer, "errors")), 3);
    assert_true(json_is_object(json_object_get(data, "version")));
    assert_true(json_is_null(json_object_get(data, "schedules")));
    assert_true(json_is_null(json_object_get(data, "runs")));
    assert_true(json_is_null(json_object_get(data, "deadLetters")));
}

/* The body of the answer, without taking memory of the door whose failures are tested; empty: there is none.
 */
static unsigned answer_to(const char *request, char body[8192])
{
    static char bytes[16384];
    const char *found;
    unsigned status = 0;
    size_t got = 0;
    ssize_t more;
    int fd = client_connect(&f);

    client_send(fd, str_of(request));
    do {
        more = read(fd, bytes + got, sizeof(bytes) - 1 - got);
        got += more > 0 ? (size_t)more : 0;
    } while (more > 0 && got < sizeof(bytes) - 1);
    bytes[got] = '\0';
    MUST(close(fd) == 0);
    (void)sscanf(bytes, "HTTP/1.1 %u", &status);
    found = strstr(bytes, "\r\n\r\n");
    (void)snprintf(body, 8192, "%s", found ? found + 4 : "");
    return status;
}

static void put_request(char ret[2048], const char *document)
{
    char body[1024];

    (void)snprintf(body, sizeof(body), "{\"query\":\"%s\"}", document);
    (void)snprintf(
        ret, 2048,
        "POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nHost: x\r\nConnection: close\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        strlen(body), body);
}

/* So many in a row may fail without a trace: where something is done without what there is no memory for. */
enum { WELL = 100 };

/* Whatever fails: no answer, an error, or the whole truth. */
static void fail_each_allocation_of(const char *document)
{
    static char wanted[8192];
    static char is[8192];
    char request[2048];
    unsigned well = 0;
    uint64_t n;

    put_request(request, document);
    assert_int_equal(answer_to(request, wanted), 200);
    if (strstr(wanted, "\"errors\":[{"))
        fail_msg("%s", wanted);
    for (n = 1; n < 20000 && well < WELL; n++) {
        unsigned status;

        alloc_test_fail_nth(n);
        status = answer_to(request, is);
        alloc_test_fail_nth(0);
        well = strcmp(is, wanted) == 0 ? well + 1 : 0;
        if (status == 200 && well == 0 && !strstr(is, "\"errors\":[{"))
            fail_msg("allocation %llu: %s\nnot %s", (unsigned long long)n, is, wanted);
        if (status != 0 && status != 200 && status != 503)
            fail_msg("allocation %llu: %u %s", (unsigned long long)n, status, is);
    }
    /* The trees that answers are read into are among them. */
    assert_true(n > WELL + 100);
    assert_int_equal(well, WELL);
}

static void every_allocation_may_fail_and_nothing_is_told_wrong(void **state)
{
    (void)state;
    register_many(2);
    trigger_all();
    fail_each_allocation_of(
        "{ schedules(filter: {name: \\\"s\\\"}) { edges { cursor node { name client { key type } definition "
        "missed { count } runs(first: 2) { nodes { id schedule { version task { retryWait "
        "failedPolicy connection { host tlsInsecure } } } } pageInfo { endCursor } } } } } }");
    fail_each_allocation_of("{ scheduleByClient(client: {key: \\\"1\\\"}) { name } stats { runs { count } } "
                            "instances { id } version { version } deadLetters { nodes { id } } }");
    fail_each_allocation_of("mutation { deleteSchedules(filter: {name: \\\"nobody\\\"}) { count } "
                            "redriveRuns(which: {all: true}) { redriven more errors { id } } }");
}

/* --- what one query may take from the others ----------------------------------------------------------- */

enum { ALIASES = 200 };

/* The same field so often; the connection on which its answer comes. */
static int send_aliases(const char *field)
{
    CLEANUP(buf_done_p) struct buf query = {0};
    CLEANUP(buf_done_p) struct buf body = {0};
    CLEANUP(buf_done_p) struct buf request = {0};
    int fd = client_connect(&f);

    buf_init(&query, 65536);
    buf_init(&body, 65536);
    buf_init(&request, 65536);
    buf_add_char(&query, '{');
    for (int i = 0; i < ALIASES; i++)
        buf_addf(&query, " a%d: %s", i, field);
    buf_add_cstr(&query, " }");
    buf_add_cstr(&body, "{\"query\":");
    buf_add_json(&body, buf_str(&query));
    buf_add_char(&body, '}');
    client_request(&request, POST, buf_str(&body));
    assert_true(buf_ok(&request));
    client_send(fd, buf_str(&request));
    return fd;
}

static json_t *receive(int fd)
{
    struct reply_text t = {0};
    json_t *json;

    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 200);
    json = reply_json(&t);
    reply_done(&t);
    MUST(close(fd) == 0);
    return json;
}

static bool has_come(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* So many, of which each is so large. */
static void register_large(size_t n, size_t each)
{
    CLEANUP(buf_done_p) struct buf body = {0};
    CLEANUP(buf_done_p) struct buf data = {0};
    struct reply_text t = {0};

    buf_init(&body, (size_t)32 * 1024 * 1024);
    buf_init(&data, each);
    while (data.n < each)
        buf_add_char(&data, 'x');
    for (size_t i = 0; i < n; i++)
        buf_addf(
            &body,
            "%s{\"name\":\"l\",\"client\":{\"key\":\"l%zu\"},\"type\":\"cron\",\"schedule\":\"0 0 1 1 *\","
            "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\"},\"data\":\"%s\"}}",
            i > 0 ? "," : "[", i, buf_cstr(&data));
    buf_add_char(&body, ']');
    assert_true(buf_ok(&body));
    call(&f, "POST /schedules/batch\r\nContent-Type: application/json", buf_cstr(&body), &t);
    assert_int_equal(t.status, 200);
    reply_done(&t);
}

static size_t waiting(struct lane *l)
{
    struct lane_stats s;

    lane_stats(l, &s);
    return s.waiting;
}

static void a_query_has_a_few_operations_out_at_a_time(void **state)
{
    struct stall *stall = stall_begin(f.reader);
    size_t before = waiting(f.reader);
    int fd = send_aliases("schedules(first: 1) { pageInfo { endCursor } }");
    CLEANUP(json_free_p) json_t *answer = NULL;
    struct reply_text t = {0};
    size_t out;

    (void)state;
    /* The one thread there is has done with the query what it can when it answers the next one. */
    call(&f, "GET /version", "", &t);
    reply_done(&t);
    while (waiting(f.reader) == before)
        assert_false(poll(NULL, 0, 1) > 0);
    call(&f, "GET /version", "", &t);
    reply_done(&t);
    out = waiting(f.reader) - before;
    stall_end(stall);
    answer = receive(fd);
    assert_int_equal(out, 2);
    assert_null(json_object_get(answer, "errors"));
    assert_int_equal(json_object_size(json_object_get(answer, "data")), ALIASES);
}

/* 15 MB a page, of which JSON would be made: it does not fit, and what is behind it is not even read. */
static void after_a_page_that_does_not_fit_nothing_more_is_read(void **state)
{
    CLEANUP(json_free_p) json_t *answer = NULL;
    uint64_t before;

    (void)state;
    register_large(500, 30000);
    before = operations(f.reader);
    answer = receive(send_aliases("schedules(first: 1000) { __typename }"));
    assert_in_range(operations(f.reader) - before, 1, 3);
    assert_string_equal(code_of(answer, 0), "too_large");
    assert_string_equal(code_of(answer, 99), "too_large");
    assert_true(json_is_null(json_object_get(json_object_get(answer, "data"), "a199")));
    assert_int_equal(atomic_load(&f.api->executions), 0);
    json_free(answer);
    answer = ask("{ schedules(first: 10) { nodes { name } } }");
    assert_non_null(data_of(answer, "schedules"));
}

static void what_fits_is_told_and_the_rest_is_too_much(void **state)
{
    CLEANUP(json_free_p) json_t *answer = NULL;
    const json_t *data;
    uint64_t before;

    (void)state;
    register_large(1, 500000);
    before = operations(f.reader);
    answer = receive(send_aliases("scheduleByClient(client: {key: \"l0\"}) { name }"));
    data = json_object_get(answer, "data");
    assert_in_range(operations(f.reader) - before, 20, 30);
    assert_string_equal(code_of(answer, 0), "too_large");
    assert_string_equal(code_of(answer, 99), "too_large");
    assert_string_equal(json_string_value(json_object_get(json_object_get(data, "a0"), "name")), "l");
    assert_true(json_is_null(json_object_get(data, "a199")));
}

static void when_executions_hold_too_much_queries_are_refused_and_mutations_are_not(void **state)
{
    (void)state;
    register_many(1);
    atomic_fetch_add(&f.api->executions, f.api->options.answers_max);
    json_free(ask_with(POST, "{ version { version } }", 503));
    json_free(ask_with(POST, "mutation { deleteSchedules(filter: {key: \"0\"}) { count } }", 200));
    atomic_fetch_sub(&f.api->executions, f.api->options.answers_max);
    json_free(ask_with(POST, "{ version { version } }", 200));
    assert_int_equal(atomic_load(&f.api->executions), 0);
}

/* The rarest of schedules, which take the longest to compute. Turns are counted by the answers that another
 * client of the same thread gets meanwhile, one after the other. */
static void previews_give_others_their_turn(void **state)
{
    int fd = send_aliases(
        "preview(definition: {type: CRON, "
        "schedule: \"0 0 29 2 *\", timezone: \"America/New_York\"}, first: 1000) { __typename }");
    CLEANUP(json_free_p) json_t *answer = NULL;
    struct reply_text t = {0};
    size_t turns = 0;

    (void)state;
    while (turns < 10 && !has_come(fd)) {
        call(&f, "GET /version", "", &t);
        reply_done(&t);
        turns++;
    }
    assert_int_equal(turns, 10);
    assert_false(has_come(fd));
    answer = receive(fd);
    assert_null(json_object_get(answer, "errors"));
    assert_int_equal(json_object_size(json_object_get(answer, "data")), ALIASES);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_within_a_list_costs_one_operation_a_level, start, stop),
        cmocka_unit_test_setup_teardown(a_batch_asks_for_its_schedules_at_once, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_asked_for_costs_nothing, start, stop),
        cmocka_unit_test_setup_teardown(without_a_history_the_rest_is_told, start, stop),
        cmocka_unit_test_setup_teardown(a_key_is_one_things, start, stop),
        cmocka_unit_test_setup_teardown(a_repetition_says_that_it_is_one, start, stop),
        cmocka_unit_test_setup_teardown(several_things_have_no_key, start, stop),
        cmocka_unit_test_setup_teardown(rest_and_graphql_share_their_keys, start, stop),
        cmocka_unit_test_setup_teardown(those_done_before_a_refusal_are_told, start, stop),
        cmocka_unit_test_setup_teardown(arguments_that_no_query_could_hold_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(nul_is_refused_wherever_it_stands, start, stop),
        cmocka_unit_test_setup_teardown(a_limit_beside_ids_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told_in_words_of_the_schema, start, stop),
        cmocka_unit_test_setup_teardown(a_page_that_is_refused_leaves_the_rest, start, stop),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail_and_nothing_is_told_wrong, start, stop),
        cmocka_unit_test_setup_teardown(a_query_has_a_few_operations_out_at_a_time, start_with_one_thread,
                                        stop),
        cmocka_unit_test_setup_teardown(after_a_page_that_does_not_fit_nothing_more_is_read, start, stop),
        cmocka_unit_test_setup_teardown(what_fits_is_told_and_the_rest_is_too_much, start, stop),
        cmocka_unit_test_setup_teardown(
            when_executions_hold_too_much_queries_are_refused_and_mutations_are_not, start, stop),
        cmocka_unit_test_setup_teardown(previews_give_others_their_turn, start_with_one_thread, stop),
    };

    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
