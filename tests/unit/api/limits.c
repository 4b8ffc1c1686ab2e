/*
 * limits.c: what comes in is bounded in size and time, and running out of memory is an answer, not an end.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

static struct api_fixture f;

static int start(void **state)
{
    (void)state;
    f = (struct api_fixture){
        .options = {
            .idle_s = 1, .header_us = US_PER_S, .body_max = 256 * 1024, .batch_body_max = 256 * 1024}};
    api_fixture_start(&f);
    return 0;
}

enum { LARGE = 8 * 1024 * 1024 };
static void start_large(struct api_options options)
{
    options.batch_body_max = 2 * (size_t)LARGE;
    options.header_us = US_PER_S;
    f = (struct api_fixture){.options = options};
    api_fixture_start(&f);
}

static int start_with_a_rate(void **state)
{
    (void)state;
    start_large((struct api_options){.idle_s = 2, .read_rate = 4 * 1024 * 1024});
    return 0;
}

static int start_with_room_for_one(void **state)
{
    (void)state;
    start_large((struct api_options){.idle_s = 30, .answers_max = (size_t)LARGE * 3 / 2});
    return 0;
}

static int start_without_room(void **state)
{
    (void)state;
    start_large((struct api_options){.answers_max = 1});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_fixture_stop(&f);
    return 0;
}

static bool has_input(int fd, int within_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, within_ms) > 0;
}

static void a_body_that_trickles_is_cut_off(void **state)
{
    struct mono began = clock_mono();
    int fd = client_connect(&f);

    (void)state;
    client_send(fd, STR("POST /schedules HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"));
    /* Each byte keeps the connection from being idle; all together they are too slow. */
    while (!has_input(fd, 50)) {
        client_send(fd, STR(" "));
        assert_true(clock_mono().us - began.us < 20 * US_PER_S);
    }
    assert_true(client_is_closed(fd));
    assert_true(clock_mono().us - began.us >= US_PER_S);
    MUST(close(fd) == 0);
}

/* Each byte keeps the connection from being idle; how long that went on. */
static int64_t trickle(int fd, const char *bytes)
{
    struct mono began = clock_mono();

    for (size_t i = 0; !has_input(fd, 50); i = i + 1 < strlen(bytes) ? i + 1 : i) {
        client_send(fd, (struct str){bytes + i, 1});
        assert_true(clock_mono().us - began.us < 60 * US_PER_S);
    }
    assert_true(client_is_closed(fd));
    return clock_mono().us - began.us;
}

static void headers_that_trickle_are_cut_off(void **state)
{
    struct reply_text t = {0};
    int fd = client_connect(&f);

    (void)state;
    assert_true(trickle(fd, "GET /schedules HTTP/1.1\r\nHost: x\r\nX: aaaaaaaaaa") >= US_PER_S);
    MUST(close(fd) == 0);
    /* The next request of a connection has no more time than the first. */
    fd = client_connect(&f);
    client_send(fd, STR("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 200);
    reply_done(&t);
    assert_true(trickle(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: aaaaaaaaaa") >= US_PER_S);
    MUST(close(fd) == 0);
}

static void an_idle_connection_is_closed(void **state)
{
    int fd = client_connect(&f);
    int silent = client_connect(&f);

    (void)state;
    client_send(fd, STR("GET /schedules HTTP/1.1\r\nHo"));
    assert_true(has_input(fd, 20000));
    assert_true(client_is_closed(fd));
    assert_true(has_input(silent, 20000));
    assert_true(client_is_closed(silent));
    MUST(close(fd) == 0);
    MUST(close(silent) == 0);
}

static void a_request_waiting_for_a_lane_is_not_idle(void **state)
{
    struct reply_text t = {0};
    struct stall *stall = stall_begin(f.reader);
    int fd = client_connect(&f);

    (void)state;
    client_send(fd, STR("GET /schedules HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_false(has_input(fd, 2500));
    stall_end(stall);
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 200);
    reply_done(&t);
    MUST(close(fd) == 0);
}

/* A request whose target or headers hold `n` bytes; its status. */
static unsigned ask_long(const char *before, size_t n, const char *behind)
{
    struct reply_text t = {0};
    struct buf b;
    int fd = client_connect(&f);

    buf_init(&b, 1024 * 1024);
    buf_add_cstr(&b, before);
    for (size_t i = 0; i < n; i++)
        buf_add_char(&b, 'a');
    buf_add_cstr(&b, behind);
    client_send(fd, buf_str(&b));
    buf_done(&b);
    assert_true(client_receive(fd, false, &t));
    MUST(close(fd) == 0);
    n = t.status;
    reply_done(&t);
    return (unsigned)n;
}

/* A page of so many schedules is as large as LARGE. */
static void register_large(void)
{
    enum { N = 1000 };
    struct reply_text t = {0};
    struct buf b;

    buf_init(&b, 2 * (size_t)LARGE);
    for (int i = 0; i < N; i++) {
        buf_addf(
            &b,
            "%s{\"name\":\"n\",\"client\":{\"key\":\"large%d\"},\"type\":\"cron\",\"schedule\":\"0 0 1 1 "
            "*\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\"},\"data\":\"",
            i > 0 ? "," : "[", i);
        for (int n = 0; n < LARGE / N; n++)
            buf_add_char(&b, 'x');
        buf_add_cstr(&b, "\"}}");
    }
    buf_add_char(&b, ']');
    call(&f, "POST /schedules/batch", buf_cstr(&b), &t);
    assert_int_equal(t.status, 200);
    assert_true(t.body.n > (size_t)64 * 1024);
    reply_done(&t);
    buf_done(&b);
}

/* Has asked for a large page, of which the kernel can hold only a part, and has read its beginning. */
static int ask_for_large(void)
{
    const int small = 32 * 1024;
    char beginning[16];
    int fd = client_connect(&f);

    MUST(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
    client_send(fd, STR("GET /schedules?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(recv(fd, beginning, sizeof(beginning), MSG_WAITALL), sizeof(beginning));
    assert_memory_equal(beginning, "HTTP/1.1 200", 12);
    return fd;
}

static unsigned status_of_large(void)
{
    struct reply_text t = {0};
    unsigned status;

    call(&f, "GET /schedules?limit=1000", "", &t);
    status = t.status;
    assert_true(status != 200 || t.body.n > LARGE);
    reply_done(&t);
    return status;
}

static void an_answer_that_is_taken_in_driblets_is_cut_off(void **state)
{
    static char piece[1024];
    struct mono began = clock_mono();
    size_t got = 0;
    ssize_t n = 1;
    int fd;

    (void)state;
    register_large();
    fd = ask_for_large();
    /* Each piece keeps the connection from being idle; all together they would take minutes. */
    while (n > 0) {
        /* What is left in the kernel behind the cut is read quickly. */
        if (clock_mono().us - began.us < 10 * US_PER_S)
            assert_false(poll(NULL, 0, 20) > 0);
        n = recv(fd, piece, sizeof(piece), 0);
        got += n > 0 ? (size_t)n : 0;
        assert_true(clock_mono().us - began.us < 120 * US_PER_S);
    }
    assert_true(got < LARGE);
    MUST(close(fd) == 0);
    /* Nothing is held for it any more. */
    assert_int_equal(status_of_large(), 200);
}

static void answers_on_their_way_have_room_for_so_many_bytes(void **state)
{
    struct reply_text t = {0};
    int fd;

    (void)state;
    register_large();
    fd = ask_for_large();
    call(&f, "GET /schedules?limit=1000", "", &t);
    assert_int_equal(t.status, 503);
    assert_non_null(strstr(buf_cstr(&t.body), "smaller page"));
    reply_done(&t);
    call(&f, "GET /schedules?limit=10", "", &t);
    assert_int_equal(t.status, 200);
    reply_done(&t);
    MUST(close(fd) == 0);
    while (status_of_large() != 200)
        ;
}

static void what_was_changed_is_told_even_without_room(void **state)
{
    (void)state;
    register_large(); /* its answer is large too */
    assert_int_equal(status_of_large(), 503);
}

static void targets_and_headers_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(ask_long("GET /schedules?name=", 8000, " HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    assert_int_equal(ask_long("GET /schedules?name=", 9000, " HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
    assert_int_equal(ask_long("GET /schedules HTTP/1.1\r\nHost: x\r\nX: ", 8000, "\r\n\r\n"), 200);
    assert_int_equal(ask_long("GET /schedules HTTP/1.1\r\nHost: x\r\nX: ", 64 * 1024, "\r\n\r\n"), 431);
}

static void deep_json_is_refused(void **state)
{
    struct reply_text t = {0};
    char body[1024];

    (void)state;
    memset(body, '[', 1000);
    body[1000] = '\0';
    call(&f, "POST /schedules", body, &t);
    assert_int_equal(t.status, 400);
    reply_done(&t);
}

/* Its own client: that of the fixture allocates by the door that is to fail. 0: closed without an answer. */
static unsigned status_of(const char *request)
{
    struct timeval patience = {.tv_sec = 30};
    char answer[65536];
    size_t n = 0;
    ssize_t got;
    unsigned status = 0;
    int fd = client_connect(&f);

    MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    client_send(fd, str_of(request));
    do {
        got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0);
        n += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    answer[n] = '\0';
    if (n > 0)
        assert_int_equal(sscanf(answer, "HTTP/1.1 %u", &status), 1);
    MUST(close(fd) == 0);
    return status;
}

static void fail_each_allocation_of(const char *request, unsigned wanted, unsigned also)
{
    unsigned well = 0;

    for (uint64_t n = 1; n < 5000 && well < 10; n++) {
        unsigned status;

        alloc_test_fail_nth(n);
        status = status_of(request);
        alloc_test_fail_nth(0);
        if (status == wanted || status == also)
            well++;
        else if (status != 503 && status != 0)
            fail_msg("allocation %llu: %u", (unsigned long long)n, status);
        else
            well = 0;
    }
    assert_int_equal(well, 10);
    status_of(request);
}

#define CLOSE "\r\nHost: x\r\nConnection: close\r\n"

static void put_request(char ret[2048], const char *head, const char *body)
{
    (void)snprintf(ret, 2048, "%s HTTP/1.1" CLOSE "Content-Length: %zu\r\n\r\n%s", head, strlen(body), body);
}

#define TASK(value)                                                                                          \
    "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\",\"headers\":{"             \
    "\"Authorization\":\"" value "\"}}}"
#define DEFINITION(key, value)                                                                               \
    "{\"name\":\"n\",\"client\":{\"key\":\"" key                                                             \
    "\"},\"type\":\"cron\",\"schedule\":\"0 0 1 1 *\"," TASK(value) "}"

static void an_allocation_that_fails_is_answered_and_leaks_nothing(void **state)
{
    char request[2048];

    (void)state;
    put_request(request, "POST /schedules", DEFINITION("mem", "secret"));
    assert_int_equal(status_of(request), 201);
    fail_each_allocation_of(request, 200, 201);
    put_request(request, "POST /schedules", DEFINITION("mem", "***"));
    fail_each_allocation_of(request, 200, 200);
    put_request(request, "POST /schedules/batch",
                "[" DEFINITION("m1", "a") "," DEFINITION("mem", "***") ",7]");
    fail_each_allocation_of(request, 200, 200);
    put_request(request, "POST /schedules", "{\"name\":7}");
    fail_each_allocation_of(request, 422, 422);
    put_request(request, "POST /preview", "{\"type\":\"cron\",\"schedule\":\"0 0 1 1 *\"}");
    fail_each_allocation_of(request, 200, 200);
    fail_each_allocation_of("GET /schedules?limit=1 HTTP/1.1" CLOSE "\r\n", 200, 200);
    fail_each_allocation_of("GET /metrics HTTP/1.1" CLOSE "\r\n", 200, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_trickles_is_cut_off),
        cmocka_unit_test(headers_that_trickle_are_cut_off),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_request_waiting_for_a_lane_is_not_idle),
        cmocka_unit_test(targets_and_headers_are_bounded),
        cmocka_unit_test(deep_json_is_refused),
        cmocka_unit_test(an_allocation_that_fails_is_answered_and_leaks_nothing),
    };
    const struct CMUnitTest large[] = {
        cmocka_unit_test_setup_teardown(an_answer_that_is_taken_in_driblets_is_cut_off, start_with_a_rate,
                                        stop),
        cmocka_unit_test_setup_teardown(answers_on_their_way_have_room_for_so_many_bytes,
                                        start_with_room_for_one, stop),
        cmocka_unit_test_setup_teardown(what_was_changed_is_told_even_without_room, start_without_room, stop),
    };
    struct error err;
    int failed;

    json_setup();
    MUST(sqlite_setup(&err) == ERR_NONE);
    failed = cmocka_run_group_tests(tests, start, stop);
    return failed + cmocka_run_group_tests(large, NULL, NULL);
}
