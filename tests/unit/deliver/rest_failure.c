/*
 * rest_failure.c: targets that refuse, stall, cut off and lie: what becomes of the attempt and how it is
 * told.
 */
#include "rest_fixture.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "descriptors.h"

static void answer_raw(struct fixture *f, const char *raw, bool close)
{
    http_server_answer(f->server, &(struct http_answer){.raw = raw, .close = close});
}

/* A port that nobody listens on, for as long as *ret_fd is open. */
static int closed_port(int *ret_fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*ret_fd >= 0);
    assert_int_equal(bind(*ret_fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&at, &n), 0);
    return ntohs(at.sin_port);
}

static void only_2xx_is_success(void **state)
{
    static const struct {
        int status;
        bool ok;
        const char *error;
    } cases[] = {
        {200, true, ""},
        {201, true, ""},
        {204, true, ""},
        {299, true, ""},
        {301, false, "HTTP 301 (redirects are not followed)"},
        {304, false, "HTTP 304 (redirects are not followed)"},
        {400, false, "HTTP 400"},
        {404, false, "HTTP 404"},
        {429, false, "HTTP 429"},
        {500, false, "HTTP 500"},
        {503, false, "HTTP 503"},
        {600, false, "HTTP 600"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct attempt a;
        char raw[256];

        (void)snprintf(
            raw, sizeof(raw), "HTTP/1.1 %d Text s3cret\r\nLocation: /elsewhere\r\nX-Secret: s3cret\r\n%s\r\n",
            cases[i].status, cases[i].status == 204 || cases[i].status == 304 ? "" : "Content-Length: 0\r\n");
        answer_raw(f, raw, false);
        attempt_init(&a, f, "/");
        attempt_run(&a);
        assert_int_equal(a.delivery.result.ok, cases[i].ok);
        assert_int_equal(a.delivery.result.status, cases[i].status);
        assert_string_equal(a.delivery.result.error, cases[i].error);
        assert_int_equal(a.delivery.result.retry_after_us, -1);
        attempt_free(&a);
    }
    assert_int_equal(http_server_requests(f->server), COUNT_OF(cases));
}

static int64_t retry_after(struct fixture *f, int status, const char *value)
{
    struct attempt a;
    char raw[256];

    (void)snprintf(raw, sizeof(raw), "HTTP/1.1 %d Later\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
                   status, value);
    answer_raw(f, raw, false);
    attempt_init(&a, f, "/");
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_int_equal(a.delivery.result.status, status);
    attempt_free(&a);
    return a.delivery.result.retry_after_us;
}

static void retry_after_is_read_as_seconds_or_date(void **state)
{
    struct fixture *f = *state;
    const int64_t year = INT64_C(366) * 24 * 3600 * US_PER_S;
    char date[64];
    time_t at;
    struct tm tm;
    int64_t got;

    assert_int_equal(retry_after(f, 429, "120"), 120 * US_PER_S);
    assert_int_equal(retry_after(f, 503, "1"), 1 * US_PER_S);
    assert_int_equal(retry_after(f, 429, "0"), 0);
    assert_int_equal(retry_after(f, 429, "20301231"), 20301231 * US_PER_S); /* not a date */
    assert_int_equal(retry_after(f, 429, "soon"), -1);
    assert_int_equal(retry_after(f, 429, "-5"), -1);
    assert_int_equal(retry_after(f, 429, "5 s"), -1);
    assert_int_equal(retry_after(f, 429, ""), -1);
    assert_int_equal(retry_after(f, 429, "99999999999999999999999"), year);
    assert_int_equal(retry_after(f, 429, "9999999999"), year);
    /* Elsewhere it is nothing we are to follow. */
    assert_int_equal(retry_after(f, 500, "120"), -1);
    assert_int_equal(retry_after(f, 302, "120"), -1);

    at = time(NULL) + 300;
    assert_non_null(gmtime_r(&at, &tm));
    assert_true(strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
    got = retry_after(f, 503, date);
    assert_in_range(got, 290 * US_PER_S, 300 * US_PER_S);
    assert_int_equal(retry_after(f, 503, "Mon, 23 Nov 2015 08:00:00 GMT"), 0);
}

static void a_refused_connection_is_told_with_host_and_port(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    char url[160];
    char expected[128];
    int fd;
    int port = closed_port(&fd);

    (void)snprintf(url, sizeof(url), "http://user:s3cret@127.0.0.1:%d/p?token=s3cret", port);
    (void)snprintf(expected, sizeof(expected), "cannot connect to 127.0.0.1:%d: Connection refused", port);
    attempt_init(&a, f, url);
    attempt_header(&a, "Authorization", "s3cret");
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_int_equal(a.delivery.result.status, 0);
    assert_string_equal(a.delivery.result.error, expected);
    attempt_free(&a);
    assert_int_equal(close(fd), 0);
}

static void a_timeout_says_how_long_and_for_what(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    struct mono start;

    http_server_answer(f->server, &(struct http_answer){.stall = true});
    attempt_init(&a, f, "/?token=s3cret");
    a.schedule.task.timeout_us = 150 * US_PER_MS;
    start = clock_mono();
    attempt_run(&a);
    assert_in_range(clock_mono().us - start.us, 150 * US_PER_MS, 5 * US_PER_S);
    assert_false(a.delivery.result.ok);
    assert_int_equal(a.delivery.result.status, 0);
    assert_contains(a.delivery.result.error, "timeout after 0.15 s: no answer from 127.0.0.1:");
    assert_null(strstr(a.delivery.result.error, "s3cret"));
    attempt_free(&a);
}

static void a_timeout_on_a_kept_connection_speaks_of_the_answer_too(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    attempt_init(&a, f, "/");
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    http_server_answer(f->server, &(struct http_answer){.stall = true});
    a.schedule.task.timeout_us = 100 * US_PER_MS;
    attempt_run(&a);
    assert_contains(a.delivery.result.error, "timeout after 0.1 s: no answer from 127.0.0.1:");
    assert_int_equal(http_server_connections(f->server), 1);
    attempt_free(&a);
}

static void an_answer_that_never_ends_is_a_timeout_with_its_status(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    http_server_answer(
        f->server,
        &(struct http_answer){.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .stall = true});
    attempt_init(&a, f, "/");
    a.schedule.task.timeout_us = 150 * US_PER_MS;
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_int_equal(a.delivery.result.status, 200);
    assert_contains(a.delivery.result.error, "timeout after 0.15 s: no end of the answer from 127.0.0.1:");
    attempt_free(&a);
}

static void half_an_answer_is_a_failure(void **state)
{
    static const struct {
        const char *raw;
        const char *error;
    } cases[] = {
        /* the length is a lie */
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "was cut off"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "was cut off"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""},
        {"", "closed the connection without an answer"},
        {"SSH-2.0-OpenSSH_9.2\r\n", "did not answer in HTTP"},
        {"HTTP/1.1 abc\r\n\r\n", ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", ""},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct attempt a;

        answer_raw(f, cases[i].raw, true);
        attempt_init(&a, f, "/");
        attempt_header(&a, "Authorization", "s3cret");
        attempt_run(&a);
        assert_false(a.delivery.result.ok);
        assert_true(strlen(a.delivery.result.error) > 0);
        assert_contains(a.delivery.result.error, cases[i].error);
        assert_null(strstr(a.delivery.result.error, "s3cret"));
        attempt_free(&a);
    }
}

static void an_answer_without_length_ends_with_its_connection(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    answer_raw(f, "HTTP/1.0 200 OK\r\n\r\nabc", true);
    attempt_init(&a, f, "/");
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    attempt_free(&a);
}

static void of_a_huge_answer_only_the_beginning_is_read(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    char raw[128];
    const size_t huge = (size_t)1 << 30;

    for (int status = 200; status <= 500; status += 300) {
        (void)snprintf(raw, sizeof(raw), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n", status, huge);
        http_server_answer(f->server, &(struct http_answer){.raw = raw, .fill_bytes = huge});
        attempt_init(&a, f, "/");
        attempt_run(&a);
        assert_int_equal(a.delivery.result.ok, status == 200);
        assert_int_equal(a.delivery.result.status, status);
        assert_string_equal(a.delivery.result.error, status == 200 ? "" : "HTTP 500");
        attempt_free(&a);
    }
    /* What the kernel's buffers swallow comes on top of the bound. */
    assert_true(http_server_sent_bytes(f->server) < (size_t)64 << 20);
}

static void an_unusable_url_is_a_failure_that_keeps_its_secrets(void **state)
{
    static const struct {
        const char *url;
        const char *error;
    } cases[] = {
        {"http://user:s3cret@[::1/", "the URL cannot be used"},
        {"http://user:s3cret@127.0.0.1:99999/", "the URL cannot be used"},
        {"ftp://user:s3cret@127.0.0.1/", ""},
        {"file:///etc/passwd", ""},
        {"gopher://127.0.0.1:1/s3cret", ""},
        {"", "the URL cannot be used"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct attempt a;

        attempt_init(&a, f, "/");
        a.schedule.task.host = str_of(cases[i].url);
        attempt_run(&a);
        assert_false(a.delivery.result.ok);
        assert_int_equal(a.delivery.result.status, 0);
        assert_true(strlen(a.delivery.result.error) > 0);
        assert_contains(a.delivery.result.error, cases[i].error);
        assert_null(strstr(a.delivery.result.error, "s3cret"));
        attempt_free(&a);
    }
}

static void an_attempt_without_a_descriptor_for_it_is_put_off(void **state)
{
    struct fixture *f = *state;
    struct attempt by_name;
    struct attempt a;
    char url[64];
    rlim_t limit;

    (void)snprintf(url, sizeof(url), "http://localhost:%d/", http_server_port(f->server));
    attempt_init(&by_name, f, url);
    attempt_init(&a, f, "/");
    limit = descriptors_exhaust();
    attempt_run(&a);
    attempt_run(&by_name); /* its name cannot even be looked up */
    descriptors_restore(limit);
    assert_false(a.delivery.result.ok);
    assert_true(a.delivery.result.not_sent);
    assert_string_equal(a.delivery.result.error, "cannot make a connection: Too many open files");
    assert_true(by_name.delivery.result.not_sent);
    assert_string_equal(by_name.delivery.result.error, "cannot make a connection: Too many open files");
    assert_int_equal(http_server_requests(f->server), 0);

    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    assert_false(a.delivery.result.not_sent);
    attempt_free(&a);
    attempt_free(&by_name);
}

static void a_kept_connection_serves_while_there_are_no_descriptors(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    rlim_t limit;

    attempt_init(&a, f, "/");
    attempt_run(&a);
    limit = descriptors_exhaust();
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    /* Cut under its request, which may have been heard: that was an attempt, whatever hinders another. */
    answer_raw(f, NULL, true);
    attempt_run(&a);
    descriptors_restore(limit);
    assert_false(a.delivery.result.ok);
    assert_false(a.delivery.result.not_sent);
    attempt_free(&a);
}

static void an_informational_answer_is_not_the_answer(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    answer_raw(f,
               "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
               false);
    attempt_init(&a, f, "/");
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_int_equal(a.delivery.result.status, 500);
    attempt_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_2xx_is_success),
        CASE(retry_after_is_read_as_seconds_or_date),
        CASE(a_refused_connection_is_told_with_host_and_port),
        CASE(a_timeout_says_how_long_and_for_what),
        CASE(a_timeout_on_a_kept_connection_speaks_of_the_answer_too),
        CASE(an_answer_that_never_ends_is_a_timeout_with_its_status),
        CASE(half_an_answer_is_a_failure),
        CASE(an_answer_without_length_ends_with_its_connection),
        CASE(of_a_huge_answer_only_the_beginning_is_read),
        CASE(an_unusable_url_is_a_failure_that_keeps_its_secrets),
        CASE(an_attempt_without_a_descriptor_for_it_is_put_off),
        CASE(a_kept_connection_serves_while_there_are_no_descriptors),
        CASE(an_informational_answer_is_not_the_answer),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
