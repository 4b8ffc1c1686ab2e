/*
 * rest_request.c: what a target is sent.
 */
#include "rest_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void seen_last(struct fixture *f, struct http_seen *ret)
{
    http_server_seen(f->server, http_server_requests(f->server) - 1, ret);
}

static void assert_header(const struct http_seen *seen, const char *name, const char *value)
{
    struct str got = http_header(seen->head, name);

    assert_non_null(got.p);
    assert_int_equal(got.n, strlen(value));
    assert_memory_equal(got.p, value, got.n);
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *at = text; (at = strcasestr(at, part)) != NULL; at++)
        n++;
    return n;
}

static void a_post_carries_data_and_identity(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    struct http_seen seen;
    char key[RUN_KEY_MAX];
    char id[UUID_TEXT + 1];

    attempt_init(&a, f, "/api/run?x=1");
    a.delivery.run.attempt = 7;
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    assert_int_equal(a.delivery.result.status, 200);
    assert_string_equal(a.delivery.result.error, "");
    assert_int_equal(a.delivery.result.retry_after_us, -1);
    assert_true(a.delivery.result.took_us > 0);

    seen_last(f, &seen);
    assert_int_equal(strncmp(seen.head, "POST /api/run?x=1 HTTP/1.1\r\n", 28), 0);
    assert_string_equal(seen.body, "{\"a\":1}");
    assert_header(&seen, "Content-Type", "application/json");
    assert_header(&seen, "User-Agent", "carillon/test");
    run_key(&a.delivery.run, key);
    assert_header(&seen, "Idempotency-Key", key);
    uuid_format(a.delivery.run.schedule_id, id);
    assert_header(&seen, "Carillon-Schedule-Id", id);
    uuid_format(a.delivery.run.id, id);
    assert_header(&seen, "Carillon-Run-Id", id);
    assert_header(&seen, "Carillon-Scheduled-At", "2026-11-23T09:00:00Z");
    assert_header(&seen, "Carillon-Attempt", "7");
    assert_null(http_header(seen.head, "Expect").p);
    attempt_free(&a);
}

static void attempts_of_a_run_share_a_trace_and_are_spans_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    struct http_seen first;
    struct http_seen second;
    struct str one;
    struct str two;
    char id[UUID_TEXT + 1];
    char hex[33];
    size_t n = 0;

    attempt_init(&a, f, "/");
    attempt_run(&a);
    seen_last(f, &first);
    a.delivery.run.attempt = 2;
    attempt_run(&a);
    seen_last(f, &second);

    one = http_header(first.head, "traceparent");
    two = http_header(second.head, "traceparent");
    assert_int_equal(one.n, 55);
    assert_int_equal(two.n, 55);
    uuid_format(a.delivery.run.id, id);
    for (const char *c = id; *c != '\0'; c++) {
        if (*c != '-')
            hex[n++] = *c;
    }
    assert_memory_equal(one.p, "00-", 3);
    assert_memory_equal(one.p + 3, hex, 32);
    assert_memory_equal(one.p, two.p, 36);
    assert_memory_not_equal(one.p + 36, two.p + 36, 16);
    assert_memory_equal(one.p + 52, "-01", 3);
    attempt_free(&a);
}

static void the_users_headers_go_along_but_not_over_ours(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    struct http_seen seen;
    char key[RUN_KEY_MAX];

    attempt_init(&a, f, "/");
    attempt_header(&a, "Authorization", "Bearer s3cret");
    attempt_header(&a, "content-type", "application/vnd.x+json; charset=utf-8");
    attempt_header(&a, "User-Agent", "mine");
    attempt_header(&a, "X-Empty", "");
    attempt_header(&a, "X-Blank", "  ");
    attempt_header(&a, "idempotency-KEY", "forged");
    attempt_header(&a, "carillon-attempt", "99");
    attempt_header(&a, "Content-Length", "3");
    attempt_header(&a, "transfer-encoding", "chunked");
    attempt_header(&a, "Expect", "100-continue");
    attempt_header(&a, "traceparent", "forged");
    attempt_run(&a);
    assert_true(a.delivery.result.ok);

    seen_last(f, &seen);
    assert_header(&seen, "Authorization", "Bearer s3cret");
    assert_header(&seen, "Content-Type", "application/vnd.x+json; charset=utf-8");
    assert_header(&seen, "User-Agent", "mine");
    assert_header(&seen, "X-Empty", "");
    assert_header(&seen, "X-Blank", "");
    run_key(&a.delivery.run, key);
    assert_header(&seen, "Idempotency-Key", key);
    assert_header(&seen, "Carillon-Attempt", "1");
    assert_header(&seen, "Content-Length", "7");
    assert_int_equal(count_of(seen.head, "\r\ncontent-type:"), 1);
    assert_int_equal(count_of(seen.head, "\r\nidempotency-key:"), 1);
    assert_int_equal(count_of(seen.head, "\r\ncarillon-attempt:"), 1);
    assert_int_equal(count_of(seen.head, "forged"), 0);
    assert_null(http_header(seen.head, "Expect").p);
    assert_null(http_header(seen.head, "Transfer-Encoding").p);
    attempt_free(&a);
}

static void a_line_break_in_a_header_is_refused_not_sent(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } bad[] = {
        {"X-A", "1\r\nX-Injected: s3cret"},
        {"X-A", "1\nX-Injected: s3cret"},
        {"X-A", "s3cret\x01"},
        {"X\r\nX-Injected", "s3cret"},
        {"X-A:", "s3cret"},
        {"", "s3cret"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct attempt a;

        attempt_init(&a, f, "/");
        attempt_header(&a, bad[i].name, bad[i].value);
        attempt_run(&a);
        assert_false(a.delivery.result.ok);
        assert_int_equal(a.delivery.result.status, 0);
        assert_contains(a.delivery.result.error, "header");
        assert_null(strstr(a.delivery.result.error, "s3cret"));
        assert_null(strchr(a.delivery.result.error, '\n'));
        attempt_free(&a);
    }
    assert_int_equal(http_server_requests(f->server), 0);
}

static void the_method_is_the_tasks_and_handles_are_reused_across_methods(void **state)
{
    static const char *const methods[] = {"POST",   "GET",  "PUT",   "HEAD", "POST",
                                          "DELETE", "HEAD", "PATCH", "GET",  "POST"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        bool bare = strcmp(methods[i], "GET") == 0 || strcmp(methods[i], "HEAD") == 0;
        struct attempt a;
        struct http_seen seen;

        attempt_init(&a, f, "/m");
        a.schedule.task.method = str_of(methods[i]);
        attempt_run(&a);
        assert_true(a.delivery.result.ok);
        seen_last(f, &seen);
        assert_int_equal(strncmp(seen.head, methods[i], strlen(methods[i])), 0);
        assert_string_equal(seen.head + strlen(methods[i]), strchr(seen.head, ' '));
        assert_string_equal(seen.body, bare ? "" : "{\"a\":1}");
        assert_int_equal(http_header(seen.head, "Content-Type").p == NULL, bare);
        assert_int_equal(http_header(seen.head, "Content-Length").p == NULL, bare);
        attempt_free(&a);
    }
    assert_int_equal(http_server_connections(f->server), 1);
}

static void a_large_body_arrives_whole_and_at_once(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    struct http_seen seen;
    enum { LETTERS = 3 * 1024 * 1024 };
    static char text[LETTERS + 1];

    memset(text, 'y', LETTERS);
    attempt_init(&a, f, "/");
    json_decref(a.schedule.task.data);
    a.schedule.task.data = json_string(text);
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    seen_last(f, &seen);
    assert_int_equal(seen.body_n, LETTERS + 2);
    assert_int_equal(seen.body[LETTERS / 2], 'y');
    assert_null(http_header(seen.head, "Expect").p);
    attempt_free(&a);
}

static void userinfo_of_the_url_becomes_basic_authentication(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    struct http_seen seen;
    char url[128];

    (void)snprintf(url, sizeof(url), "http://user:s3cret@127.0.0.1:%d/", http_server_port(f->server));
    attempt_init(&a, f, url);
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    seen_last(f, &seen);
    assert_header(&seen, "Authorization", "Basic dXNlcjpzM2NyZXQ=");
    attempt_free(&a);
}

static void proxies_of_the_environment_are_not_used(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    attempt_init(&a, f, "/");
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    attempt_free(&a);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

/* TLS libraries write without MSG_NOSIGNAL. */
static void a_peer_that_is_gone_does_not_end_the_process(void **state)
{
    struct sigaction now;

    (void)state;
    assert_int_equal(sigaction(SIGPIPE, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_IGN);
}

static void rest_is_in_the_table_of_kinds(void **state)
{
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < deliver_kinds_n; i++)
        found += deliver_kinds[i].type == TASK_REST && deliver_kinds[i].open == rest_open;
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_post_carries_data_and_identity),
        CASE(attempts_of_a_run_share_a_trace_and_are_spans_of_their_own),
        CASE(the_users_headers_go_along_but_not_over_ours),
        CASE(a_line_break_in_a_header_is_refused_not_sent),
        CASE(the_method_is_the_tasks_and_handles_are_reused_across_methods),
        CASE(a_large_body_arrives_whole_and_at_once),
        CASE(userinfo_of_the_url_becomes_basic_authentication),
        cmocka_unit_test(a_peer_that_is_gone_does_not_end_the_process),
        cmocka_unit_test(rest_is_in_the_table_of_kinds),
        CASE(proxies_of_the_environment_are_not_used),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
