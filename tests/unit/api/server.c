/*
 * server.c: the API as a client meets it, over real sockets and a real store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/alloc.h"
#include "base/str.h"

static struct api_fixture f;

static int start(void **state)
{
    (void)state;
    f = (struct api_fixture){
        .options = {.body_max = 64 * 1024, .batch_body_max = 4 * 1024 * 1024, .batch_max = 1000}};
    api_fixture_start(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_fixture_stop(&f);
    return 0;
}

#define TASK                                                                                                 \
    "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/x\",\"headers\":{"            \
    "\"Authorization\":\"Bearer marker-7f3\",\"X-Plain\":\"shown\"}},\"data\":{\"a\":1}}"
#define CLIENT(key) "\"client\":{\"application\":\"chef\",\"key\":\"" key "\"}"
#define CRON(name, key)                                                                                      \
    "{\"name\":\"" name "\"," CLIENT(key) ",\"type\":\"cron\",\"schedule\":\"30 * * * * *\"," TASK "}"

static const char *text_of(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);

    if (!json_is_string(v))
        fail_msg("no string member %s", name);
    return json_string_value(v);
}

/* Sends, checks the status, yields the body as JSON. */
static json_t *ask(unsigned status, const char *head, const char *body)
{
    struct reply_text t = {0};
    json_t *json;

    call(&f, head, body, &t);
    if (t.status != status)
        fail_msg("%s: %u instead of %u: %s", head, t.status, status, buf_cstr(&t.body));
    json = reply_json(&t);
    reply_done(&t);
    return json;
}

/* Registers and puts "/schedules/{id}" with the method before it into ret. */
static void path_of(const json_t *registered, const char *method, const char *behind, char ret[256])
{
    (void)snprintf(ret, 256, "%s /schedules/%s%s", method, text_of(registered, "id"), behind);
}

static void assert_problem(json_t *p, const char *slug, const char *place, const char *where)
{
    char type[96];

    (void)snprintf(type, sizeof(type), "urn:carillon:problem:%s", slug);
    assert_string_equal(text_of(p, "type"), type);
    if (place) {
        const json_t *first = json_array_get(json_object_get(p, "errors"), 0);

        assert_string_equal(text_of(first, place), where);
        assert_non_null(json_object_get(first, "detail"));
    }
    json_free(p);
}

static void a_registered_schedule_can_be_read_listed_replaced_and_deleted(void **state)
{
    struct reply_text t = {0};
    json_t *made;
    json_t *read;
    json_t *list;
    char head[256];
    char etag[64];
    char location[128];

    (void)state;
    call(&f, "POST /schedules", CRON("one", "a"), &t);
    assert_int_equal(t.status, 201);
    assert_string_equal(reply_header(&t, "ETag", etag, sizeof(etag)), "\"1\"");
    made = reply_json(&t);
    assert_string_equal(text_of(made, "state"), "active");
    assert_string_equal(text_of(json_object_get(made, "client"), "key"), "a");
    assert_string_equal(text_of(json_object_get(made, "client"), "group"), "");
    assert_non_null(strstr(text_of(made, "next_at"), ":30Z"));
    (void)snprintf(head, sizeof(head), "/schedules/%s", text_of(made, "id"));
    assert_string_equal(reply_header(&t, "Location", location, sizeof(location)), head);
    reply_done(&t);

    path_of(made, "GET", "", head);
    call(&f, head, "", &t);
    assert_int_equal(t.status, 200);
    assert_string_equal(reply_header(&t, "ETag", etag, sizeof(etag)), "\"1\"");
    read = reply_json(&t);
    assert_string_equal(text_of(read, "timezone"), "Asia/Seoul");
    assert_true(json_is_null(json_object_get(read, "last")));
    assert_int_equal(json_object_size(json_object_get(read, "missed")), 0);
    reply_done(&t);

    list = ask(200, "GET /schedules?application=chef&key=a&state=active&name=on", "");
    assert_int_equal(json_array_size(list), 1);
    assert_true(json_equal(json_array_get(list, 0), read));
    json_free(list);
    list = ask(200, "GET /schedules?key=", "");
    assert_int_equal(json_array_size(list), 0);
    json_free(list);

    /* By identity: the same id, the next version. */
    list = ask(200, "POST /schedules", CRON("two", "a"));
    assert_string_equal(text_of(list, "id"), text_of(made, "id"));
    assert_int_equal(json_integer_value(json_object_get(list, "version")), 2);
    json_free(list);

    path_of(made, "PUT", "\r\nIf-Match: \"1\"", head);
    assert_problem(ask(412, head, CRON("three", "a")), "precondition-failed", NULL, NULL);
    path_of(made, "PUT", "\r\nIf-Match: \"2\"", head);
    json_free(ask(200, head, CRON("three", "b")));
    path_of(made, "DELETE", "", head);
    json_free(ask(200, head, ""));
    assert_problem(ask(404, head, ""), "not-found", NULL, NULL);
    json_free(read);
    json_free(made);
}

static void a_known_version_is_not_sent_again(void **state)
{
    struct reply_text t = {0};
    json_t *made = ask(201, "POST /schedules", CRON("one", "inm"));
    char head[256];

    (void)state;
    path_of(made, "GET", "\r\nIf-None-Match: W/\"9\", \"1\"", head);
    call(&f, head, "", &t);
    assert_int_equal(t.status, 304);
    assert_int_equal(t.body.n, 0);
    reply_done(&t);
    json_free(made);
}

static void head_answers_as_get_without_the_body(void **state)
{
    struct reply_text get = {0};
    struct reply_text head = {0};
    char a[64];
    char b[64];

    (void)state;
    call(&f, "GET /version", "", &get);
    call(&f, "HEAD /version", "", &head);
    assert_int_equal(head.status, 200);
    assert_string_equal(reply_header(&get, "Content-Length", a, sizeof(a)),
                        reply_header(&head, "Content-Length", b, sizeof(b)));
    reply_done(&get);
    reply_done(&head);
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    struct reply_text t = {0};
    char allow[64];

    (void)state;
    call(&f, "PATCH /schedules", "", &t);
    assert_int_equal(t.status, 405);
    assert_string_equal(reply_header(&t, "Allow", allow, sizeof(allow)), "GET, HEAD, POST, DELETE");
    reply_done(&t);
    call(&f, "GET /schedules/batch", "", &t);
    assert_int_equal(t.status, 405);
    assert_string_equal(reply_header(&t, "Allow", allow, sizeof(allow)), "POST");
    reply_done(&t);
    assert_problem(ask(404, "GET /nowhere", ""), "not-found", NULL, NULL);
    assert_problem(ask(404, "GET /schedules/no-uuid", ""), "not-found", NULL, NULL);
}

static void malformed_json_is_refused_with_line_and_column(void **state)
{
    json_t *p = ask(400, "POST /schedules", "{\"name\":\n  oops}");

    (void)state;
    assert_non_null(strstr(text_of(p, "detail"), "line 2, column"));
    assert_problem(p, "syntax", NULL, NULL);
    assert_problem(ask(400, "POST /schedules", ""), "syntax", NULL, NULL);
    assert_problem(ask(400, "POST /schedules", "{\"a\":1,\"a\":2}"), "syntax", NULL, NULL);
}

static void wrong_values_are_named_by_pointers(void **state)
{
    (void)state;
    assert_problem(ask(422, "POST /schedules",
                       "{\"name\":\"x\",\"type\":\"cron\",\"schedule\":\"99 * * * *\"," TASK "}"),
                   "invalid", "pointer", "/schedule");
    assert_problem(ask(422, "POST /schedules", "{\"name\":\"x\",\"type\":\"now\",\"tusk\":1," TASK "}"),
                   "invalid", "pointer", "/tusk");
    assert_problem(ask(422, "POST /schedules", "[]"), "invalid", "pointer", "");
    assert_problem(ask(422, "GET /schedules?limit=0", ""), "invalid", "parameter", "limit");
    assert_problem(ask(422, "GET /schedules?limit=1&limit=2", ""), "invalid", "parameter", "limit");
    assert_problem(ask(422, "GET /schedules?nonsense=1", ""), "invalid", "parameter", "nonsense");
    assert_problem(ask(422, "GET /schedules?cursor=x", ""), "invalid", "parameter", "cursor");
    assert_problem(ask(422, "GET /schedules?state=asleep", ""), "invalid", "parameter", "state");
    assert_problem(ask(422, "GET /runs?state=asleep", ""), "invalid", "parameter", "state");
    assert_problem(ask(400, "GET /schedules?name=%zz", ""), "syntax", "parameter", "name");
    assert_problem(ask(422, "DELETE /schedules", ""), "invalid", NULL, NULL);
}

static void a_body_that_is_no_json_by_its_type_is_refused(void **state)
{
    (void)state;
    assert_problem(ask(415, "POST /schedules\r\nContent-Type: text/plain", CRON("a", "ct")), "media-type",
                   NULL, NULL);
    json_free(ask(201, "POST /schedules\r\nContent-Type: Application/JSON; charset=utf-8", CRON("a", "ct")));
    json_free(ask(200, "POST /schedules\r\nContent-Type: application/x.y+json", CRON("a", "ct")));
}

static void a_body_over_the_limit_is_refused_before_it_is_sent(void **state)
{
    struct reply_text t = {0};
    int fd = client_connect(&f);

    (void)state;
    client_send(fd, STR("POST /schedules HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"));
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 413);
    assert_problem(reply_json(&t), "too-large", NULL, NULL);
    assert_true(client_is_closed(fd));
    reply_done(&t);
    MUST(close(fd) == 0);
}

static void a_chunked_body_over_the_limit_is_refused_and_the_connection_lives(void **state)
{
    struct reply_text t = {0};
    struct buf b;
    int fd = client_connect(&f);

    (void)state;
    buf_init(&b, 1024 * 1024);
    buf_add_cstr(&b, "POST /schedules HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        buf_add_cstr(&b, "2000\r\n");
        for (int n = 0; n < 0x2000; n++)
            buf_add_char(&b, ' ');
        buf_add_cstr(&b, "\r\n");
    }
    buf_add_cstr(&b, "0\r\n\r\n");
    client_send(fd, buf_str(&b));
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 413);
    reply_done(&t);
    client_send(fd, STR("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 200);
    reply_done(&t);
    buf_done(&b);
    MUST(close(fd) == 0);
}

static void a_doubtful_length_closes_the_connection(void **state)
{
    struct reply_text t = {0};
    int fd = client_connect(&f);

    (void)state;
    client_send(
        fd,
        STR("POST /schedules HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\n"));
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 400);
    assert_true(client_is_closed(fd));
    reply_done(&t);
    MUST(close(fd) == 0);
}

static void secrets_are_hidden_and_kept_by_stars(void **state)
{
    json_t *made = ask(201, "POST /schedules", CRON("s", "secret"));
    struct reply_text t = {0};
    json_t *shown;
    json_t *headers;
    char head[256];
    struct buf b;

    (void)state;
    path_of(made, "GET", "", head);
    call(&f, head, "", &t);
    assert_null(strstr(t.body.p, "marker-7f3"));
    shown = reply_json(&t);
    headers = json_object_get(json_object_get(json_object_get(shown, "task"), "connection"), "headers");
    assert_string_equal(text_of(headers, "Authorization"), "***");
    assert_string_equal(text_of(headers, "X-Plain"), "shown");
    reply_done(&t);

    /* What was read, as it was read, may be written back: by id and by identity. */
    buf_init(&b, 65536);
    assert_int_equal(json_write(shown, &b, NULL), ERR_NONE);
    path_of(made, "PUT", "", head);
    json_free(ask(200, head, b.p));
    json_free(ask(200, "POST /schedules", b.p));
    path_of(made, "POST", "/update", head);
    json_free(ask(200, head, b.p));
    /* Where nothing is kept, stars are a fault. */
    assert_int_equal(json_object_set_new(json_object_get(shown, "client"), "key", json_string("another")), 0);
    buf_clear(&b);
    assert_int_equal(json_write(shown, &b, NULL), ERR_NONE);
    assert_problem(ask(422, "POST /schedules", b.p), "invalid", "pointer",
                   "/task/connection/headers/Authorization");
    /* By id the identity may change, and the secret moves along. */
    path_of(made, "PUT", "", head);
    json_free(ask(200, head, b.p));
    assert_int_equal(json_object_set_new(shown, "id", json_string("01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f")),
                     0);
    buf_clear(&b);
    assert_int_equal(json_write(shown, &b, NULL), ERR_NONE);
    assert_problem(ask(422, head, b.p), "invalid", "pointer", "/id");
    buf_done(&b);
    json_free(shown);
    json_free(made);
}

static void a_batch_is_judged_item_by_item_in_order(void **state)
{
    json_t *results =
        ask(200, "POST /schedules/batch",
            "[" CRON("one", "ba") ",{\"name\":7}," CRON("two", "bb") "," CRON("three", "ba") ",3]");
    static const int64_t statuses[] = {201, 422, 201, 200, 422};
    json_t *list;

    (void)state;
    assert_int_equal(json_array_size(results), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *one = json_array_get(results, i);

        assert_int_equal(json_integer_value(json_object_get(one, "status")), statuses[i]);
        assert_int_equal(json_is_object(json_object_get(one, "problem")), statuses[i] == 422);
    }
    assert_string_equal(text_of(json_array_get(results, 0), "id"), text_of(json_array_get(results, 3), "id"));
    list = ask(200, "GET /schedules?key=ba", "");
    assert_string_equal(text_of(json_array_get(list, 0), "name"), "three");
    json_free(list);
    json_free(results);
    assert_int_equal(json_array_size(results = ask(200, "POST /schedules/batch", "[]")), 0);
    json_free(results);
    assert_problem(ask(422, "POST /schedules/batch", "{}"), "invalid", "pointer", "");
}

#define KEEPS(name, key)                                                                                     \
    "{\"name\":\"" name                                                                                      \
    "\"," CLIENT(key) ",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{"                       \
                      "\"host\":\"http://localhost:1/\",\"headers\":{\"Authorization\":\"***\"}}}}"

static void a_batch_keeps_secrets_of_the_store_and_of_itself(void **state)
{
    json_t *results;

    (void)state;
    json_free(ask(201, "POST /schedules", CRON("one", "bk1")));
    results = ask(200, "POST /schedules/batch",
                  "[" KEEPS("a", "bk1") "," CRON("b", "bk2") "," KEEPS("c", "bk2") "," KEEPS("d", "bk3") "]");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 0), "status")), 200);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 1), "status")), 201);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 2), "status")), 200);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 3), "status")), 422);
    json_free(results);
}

static void a_large_batch_is_stored_whole_and_listed_in_pages(void **state)
{
    struct reply_text t = {0};
    struct buf b;
    json_t *results;
    json_t *page;
    char path[1024] = "GET /schedules?application=large&limit=300";
    char link[512];
    char last[64] = "";
    size_t seen = 0;

    (void)state;
    buf_init(&b, 4 * 1024 * 1024);
    for (int i = 0; i < 1000; i++)
        buf_addf(
            &b,
            "%s{\"name\":\"n%d\",\"client\":{\"application\":\"large\",\"key\":\"%d\"},\"type\":\"delay\","
            "\"schedule\":\"86400\"," TASK "}",
            i ? "," : "[", i, i);
    buf_add_cstr(&b, "]");
    results = ask(200, "POST /schedules/batch", b.p);
    assert_int_equal(json_array_size(results), 1000);
    json_free(results);
    for (;;) {
        call(&f, path, "", &t);
        assert_int_equal(t.status, 200);
        page = reply_json(&t);
        for (size_t i = 0; i < json_array_size(page); i++) {
            assert_true(strcmp(last, text_of(json_array_get(page, i), "id")) < 0);
            (void)snprintf(last, sizeof(last), "%s", text_of(json_array_get(page, i), "id"));
        }
        seen += json_array_size(page);
        json_free(page);
        if (!reply_header(&t, "Link", link, sizeof(link)))
            break;
        reply_done(&t);
        *strchr(link, '>') = '\0';
        (void)snprintf(path, sizeof(path), "GET %s", link + 1);
    }
    reply_done(&t);
    assert_int_equal(seen, 1000);
    page = ask(200, "DELETE /schedules?application=large", "");
    assert_int_equal(json_integer_value(json_object_get(page, "count")), 1000);
    json_free(page);
    buf_clear(&b);
    for (int i = 0; i < 1001; i++)
        buf_add_cstr(&b, i ? ",1" : "[1");
    buf_add_cstr(&b, "]");
    assert_problem(ask(413, "POST /schedules/batch", b.p), "too-large", NULL, NULL);
    buf_done(&b);
}

static void pause_resume_and_trigger_do_as_they_are_named(void **state)
{
    json_t *made = ask(201, "POST /schedules", CRON("one", "act"));
    json_t *now;
    json_t *run;
    json_t *runs;
    char head[256];

    (void)state;
    path_of(made, "POST", "/pause", head);
    now = ask(200, head, "{}");
    assert_string_equal(text_of(now, "state"), "paused");
    assert_true(json_is_true(json_object_get(now, "paused")));
    assert_true(json_is_null(json_object_get(now, "next_at")));
    json_free(now);
    path_of(made, "POST", "/resume", head);
    now = ask(200, head, "");
    assert_string_equal(text_of(now, "state"), "active");
    json_free(now);
    assert_problem(ask(422, head, "{\"at\":1}"), "invalid", NULL, NULL);
    path_of(made, "POST", "/trigger", head);
    run = ask(202, head, "");
    assert_string_equal(text_of(run, "state"), "pending");
    path_of(made, "GET", "/runs", head);
    runs = ask(200, head, "");
    assert_int_equal(json_array_size(runs), 1);
    assert_string_equal(text_of(json_array_get(runs, 0), "id"), text_of(run, "id"));
    json_free(runs);
    (void)snprintf(head, sizeof(head), "GET /runs/%s", text_of(run, "id"));
    json_free(ask(200, head, ""));
    runs = ask(200, "GET /runs?state=pending&limit=5", "");
    assert_int_equal(json_array_size(runs), 1);
    json_free(runs);
    assert_problem(ask(404, "GET /schedules/01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f/runs", ""), "not-found",
                   NULL, NULL);
    json_free(run);
    json_free(made);
}

static void a_preview_tells_times_and_words(void **state)
{
    json_t *p = ask(200, "POST /preview?n=3&from=2026-11-22T23:59:59Z",
                    "{\"type\":\"cron\",\"schedule\":\"0 9 * * *\",\"timezone\":\"Asia/Seoul\"}");
    const json_t *times = json_object_get(p, "times");

    (void)state;
    assert_int_equal(json_array_size(times), 3);
    assert_string_equal(text_of(json_array_get(times, 0), "at"), "2026-11-23T00:00:00Z");
    assert_string_equal(text_of(json_array_get(times, 0), "local"), "2026-11-23T09:00:00+09:00");
    assert_true(strlen(text_of(json_object_get(p, "describe"), "en")) > 0);
    assert_true(strlen(text_of(json_object_get(p, "describe"), "ko")) > 0);
    json_free(p);
    /* The hour that does not exist in New York on 8 March 2026. */
    p = ask(200, "POST /preview?n=1&from=2026-03-08T00:00:00Z",
            "{\"type\":\"cron\",\"schedule\":\"30 2 * * *\",\"timezone\":\"America/New_York\"}");
    assert_string_equal(text_of(json_array_get(json_object_get(p, "times"), 0), "note"), "moved");
    json_free(p);
    assert_problem(ask(422, "POST /preview?n=0", "{\"type\":\"now\"}"), "invalid", "parameter", "n");
    assert_problem(ask(422, "POST /preview?from=x", "{\"type\":\"now\"}"), "invalid", "parameter", "from");
    assert_problem(ask(422, "POST /preview", "{\"type\":\"sometimes\"}"), "invalid", "pointer", "/type");
}

static void the_service_tells_about_itself(void **state)
{
    static const char *const series[] = {
        "carillon_build_info{version=\"1.2.3\"} 1\n",
        "carillon_http_requests_total{method=\"GET\",route=\"/version\",status=\"200\"}",
        "carillon_http_request_duration_seconds_bucket{method=\"GET\",route=\"/version\",le=\"+Inf\"}",
        "carillon_schedules{state=\"active\"}",
        "carillon_runs{state=\"dead\"} 0\n",
        "carillon_store_up 1\n",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "process_start_time_seconds ",
    };
    struct reply_text t = {0};
    json_t *v = ask(200, "GET /version", "");

    (void)state;
    assert_string_equal(text_of(v, "version"), "1.2.3");
    json_free(v);
    json_free(ask(200, "GET /healthz", ""));
    json_free(ask(200, "GET /readyz", ""));
    call(&f, "GET /metrics", "", &t);
    assert_int_equal(t.status, 200);
    for (size_t i = 0; i < COUNT_OF(series); i++) {
        if (!strstr(t.body.p, series[i]))
            fail_msg("no %s in %s", series[i], t.body.p);
    }
    reply_done(&t);
}

static void the_docs_page_comes_from_here_and_may_load_nothing_else(void **state)
{
    static const char *const paths[] = {"GET /docs", "GET /docs/docs.js", "GET /docs/docs.css",
                                        "GET /docs/docs.svg"};
    struct reply_text t = {0};
    char csp[256];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        call(&f, paths[i], "", &t);
        assert_int_equal(t.status, 200);
        assert_true(t.body.n > 100);
        assert_null(strstr(t.body.p, "https://"));
        if (i == 0)
            assert_non_null(
                strstr(reply_header(&t, "Content-Security-Policy", csp, sizeof(csp)), "default-src 'self'"));
        reply_done(&t);
    }
    call(&f, "GET /", "", &t);
    assert_int_equal(t.status, 303);
    reply_done(&t);
}

static void an_answer_longer_than_a_socket_takes_at_once_arrives_whole(void **state)
{
    struct reply_text t = {0};

    (void)state;
    call(&f, "GET /openapi.json", "", &t);
    assert_int_equal(t.status, 200);
    json_free(reply_json(&t));
    reply_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registered_schedule_can_be_read_listed_replaced_and_deleted),
        cmocka_unit_test(a_known_version_is_not_sent_again),
        cmocka_unit_test(head_answers_as_get_without_the_body),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(malformed_json_is_refused_with_line_and_column),
        cmocka_unit_test(wrong_values_are_named_by_pointers),
        cmocka_unit_test(a_body_that_is_no_json_by_its_type_is_refused),
        cmocka_unit_test(a_body_over_the_limit_is_refused_before_it_is_sent),
        cmocka_unit_test(a_chunked_body_over_the_limit_is_refused_and_the_connection_lives),
        cmocka_unit_test(a_doubtful_length_closes_the_connection),
        cmocka_unit_test(secrets_are_hidden_and_kept_by_stars),
        cmocka_unit_test(a_batch_is_judged_item_by_item_in_order),
        cmocka_unit_test(a_batch_keeps_secrets_of_the_store_and_of_itself),
        cmocka_unit_test(a_large_batch_is_stored_whole_and_listed_in_pages),
        cmocka_unit_test(pause_resume_and_trigger_do_as_they_are_named),
        cmocka_unit_test(a_preview_tells_times_and_words),
        cmocka_unit_test(the_service_tells_about_itself),
        cmocka_unit_test(the_docs_page_comes_from_here_and_may_load_nothing_else),
        cmocka_unit_test(an_answer_longer_than_a_socket_takes_at_once_arrives_whole),
    };
    struct error err;

    json_setup();
    MUST(sqlite_setup(&err) == ERR_NONE);
    return cmocka_run_group_tests(tests, start, stop);
}
