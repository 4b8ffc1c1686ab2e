/*
 * races.c: requests that are with a lane while something else happens: the client hangs up, the server stops,
 * the lane is slow, full, or answers before anybody waits. Runs under ThreadSanitizer too.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/clock.h"
#include "base/str.h"

enum { CLIENTS = 8, CALLS_EACH = 40 };

static const char definition[] =
    "{\"name\":\"n\",\"client\":{\"key\":\"%s\"},\"type\":\"delay\",\"schedule\":\"86400\",\"task\":{"
    "\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\"}}}";

static void request_of(const char *key, char ret[1024])
{
    char body[512];

    (void)snprintf(body, sizeof(body), definition, key);
    (void)snprintf(ret, 1024, "POST /schedules HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
}

static size_t count_of(const struct api_fixture *f, const char *head)
{
    struct reply_text t = {0};
    json_t *list;
    size_t n;

    call(f, head, "", &t);
    assert_int_equal(t.status, 200);
    list = reply_json(&t);
    n = json_array_size(list);
    json_free(list);
    reply_done(&t);
    return n;
}

/* How many operations wait for the stalled writer. */
static void wait_until_waiting(const struct api_fixture *f, size_t n)
{
    struct lane_stats stats;
    struct mono until = mono_add(clock_mono(), 20 * US_PER_S);

    do {
        assert_true(clock_mono().us < until.us);
        (void)sched_yield();
        lane_stats(f->writer, &stats);
    } while (stats.waiting < n);
}

struct caller {
    int fd;
    int number;
    size_t made;   /* answered 201 */
    size_t unsure; /* sent, and answered otherwise or not at all */
    bool cut;      /* an answer began and did not end, or was another than 200, 201 and 503 */
    pthread_t thread;
};

/* False: the connection is of no more use. */
static bool exchange(struct caller *c, const char *request, unsigned wanted)
{
    struct reply_text t = {0};
    bool there;

    client_send(c->fd, str_of(request));
    there = client_receive(c->fd, false, &t);
    if (there && t.status == wanted)
        c->made += wanted == 201;
    else
        c->unsure += wanted == 201;
    c->cut = c->cut || (there && t.status != wanted && t.status != 503) || (!there && t.head.n > 0);
    there = there && t.status == wanted;
    reply_done(&t);
    return there;
}

static void *call_often(void *arg)
{
    struct caller *c = arg;
    char request[1024];
    char key[32];

    for (int i = 0; i < CALLS_EACH; i++) {
        (void)snprintf(key, sizeof(key), "%d-%d", c->number, i);
        request_of(key, request);
        if (!exchange(c, request, 201) ||
            !exchange(c, "GET /schedules?limit=3 HTTP/1.1\r\nHost: x\r\n\r\n", 200))
            break;
    }
    return NULL;
}

static void start_callers(const struct api_fixture *f, struct caller callers[CLIENTS])
{
    for (int i = 0; i < CLIENTS; i++) {
        callers[i] = (struct caller){.fd = client_connect(f), .number = i};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
}

static void join_callers(struct caller callers[CLIENTS], size_t *ret_made, size_t *ret_unsure)
{
    *ret_made = 0;
    *ret_unsure = 0;
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        assert_false(callers[i].cut);
        *ret_made += callers[i].made;
        *ret_unsure += callers[i].unsure;
        MUST(close(callers[i].fd) == 0);
    }
}

static void many_clients_are_answered_at_once(void **state)
{
    struct api_fixture f = {0};
    struct caller callers[CLIENTS];
    size_t made;
    size_t unsure;

    (void)state;
    api_fixture_start(&f);
    start_callers(&f, callers);
    join_callers(callers, &made, &unsure);
    assert_int_equal(made, CLIENTS * CALLS_EACH);
    assert_int_equal(count_of(&f, "GET /schedules?limit=1000"), made);
    api_fixture_stop(&f);
}

static void a_client_that_hangs_up_while_a_lane_has_its_request_harms_nobody(void **state)
{
    struct api_fixture f = {0};
    char request[1024];
    char key[32];
    struct stall *stall;

    (void)state;
    api_fixture_start(&f);
    stall = stall_begin(f.writer);
    for (int i = 0; i < CLIENTS; i++) {
        int fd = client_connect(&f);
        /* Some take their leave, some cut the line. */
        struct linger cut = {.l_onoff = i % 2};

        (void)snprintf(key, sizeof(key), "gone-%d", i);
        request_of(key, request);
        client_send(fd, str_of(request));
        wait_until_waiting(&f, (size_t)i + 1);
        MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut)) == 0);
        MUST(close(fd) == 0);
    }
    assert_int_equal(count_of(&f, "GET /schedules"), 0);
    stall_end(stall);
    /* The lane is in order: behind them all. */
    request_of("last", request);
    int fd = client_connect(&f);
    struct reply_text t = {0};

    client_send(fd, str_of(request));
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 201);
    reply_done(&t);
    MUST(close(fd) == 0);
    assert_int_equal(count_of(&f, "GET /schedules"), CLIENTS + 1);
    api_fixture_stop(&f);
}

static void *stop_server(void *arg)
{
    api_stop(((struct api_fixture *)arg)->api, 0);
    return NULL;
}

/* Its grace is nothing, yet what a lane has is answered before the threads end. */
static void a_stop_answers_what_a_lane_has(void **state)
{
    struct api_fixture f = {0};
    struct reply_text t = {0};
    char request[1024];
    char text[64];
    struct stall *stall;
    pthread_t stopper;
    int fd;
    int idle;

    (void)state;
    api_fixture_start(&f);
    idle = client_connect(&f);
    client_send(idle, STR("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(client_receive(idle, false, &t));
    reply_done(&t);
    stall = stall_begin(f.writer);
    fd = client_connect(&f);
    request_of("one", request);
    client_send(fd, str_of(request));
    wait_until_waiting(&f, 1);
    assert_int_equal(pthread_create(&stopper, NULL, stop_server, &f), 0);
    /* An open connection is told so by what it is answered next. */
    do {
        reply_done(&t);
        client_send(idle, STR("GET /schedules HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_true(client_receive(idle, false, &t));
        assert_true(t.status == 200 || t.status == 503);
    } while (!reply_header(&t, "Connection", text, sizeof(text)));
    assert_string_equal(text, "close");
    assert_true(client_is_closed(idle));
    reply_done(&t);
    stall_end(stall);
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 201);
    assert_string_equal(reply_header(&t, "Connection", text, sizeof(text)), "close");
    reply_done(&t);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    assert_true(client_is_closed(fd));
    MUST(close(fd) == 0);
    MUST(close(idle) == 0);
    api_fixture_stop(&f);
}

/* Whatever was answered is there, and what is there was answered or at least asked for. */
static void a_stop_under_load_cuts_no_answer_short(void **state)
{
    struct api_fixture f = {0};
    struct caller callers[CLIENTS];
    struct error err;
    size_t made;
    size_t unsure;
    size_t stored;

    (void)state;
    api_fixture_start(&f);
    start_callers(&f, callers);
    /* In the midst of it: some are stored, surely not all. */
    while (count_of(&f, "GET /schedules?limit=20") < 20)
        ;
    api_stop(f.api, 10 * US_PER_S);
    join_callers(callers, &made, &unsure);
    api_free(f.api);
    assert_int_equal(api_start(&f.options, &f.api, &err), ERR_NONE);
    f.port = api_port(f.api);
    stored = count_of(&f, "GET /schedules?limit=1000");
    assert_in_range(stored, made, made + unsure);
    api_fixture_stop(&f);
}

static void a_full_lane_asks_to_come_again(void **state)
{
    struct api_fixture f = {.queue_limit = 1};
    struct reply_text t = {0};
    char request[1024];
    char text[16];
    struct stall *stall;
    int waiting;
    int refused;

    (void)state;
    api_fixture_start(&f);
    stall = stall_begin(f.writer);
    waiting = client_connect(&f);
    request_of("one", request);
    client_send(waiting, str_of(request));
    wait_until_waiting(&f, 1);
    refused = client_connect(&f);
    request_of("two", request);
    client_send(refused, str_of(request));
    assert_true(client_receive(refused, false, &t));
    assert_int_equal(t.status, 503);
    assert_string_equal(reply_header(&t, "Retry-After", text, sizeof(text)), "1");
    reply_done(&t);
    stall_end(stall);
    assert_true(client_receive(waiting, false, &t));
    assert_int_equal(t.status, 201);
    reply_done(&t);
    MUST(close(waiting) == 0);
    MUST(close(refused) == 0);
    api_fixture_stop(&f);
}

static void readiness_is_denied_in_time_while_the_writer_is_stuck(void **state)
{
    struct api_fixture f = {0};
    struct reply_text t = {0};
    struct stall *stall;
    struct mono began;

    (void)state;
    api_fixture_start(&f);
    stall = stall_begin(f.writer);
    began = clock_mono();
    call(&f, "GET /readyz", "", &t);
    assert_int_equal(t.status, 503);
    assert_true(clock_mono().us - began.us < 10 * US_PER_S);
    reply_done(&t);
    call(&f, "GET /healthz", "", &t);
    assert_int_equal(t.status, 200);
    reply_done(&t);
    stall_end(stall);
    call(&f, "GET /readyz", "", &t);
    assert_int_equal(t.status, 200);
    reply_done(&t);
    api_fixture_stop(&f);
}

static void requests_sent_ahead_are_answered_in_order(void **state)
{
    struct api_fixture f = {0};
    struct buf all;
    char request[1024];
    struct str rest;
    size_t at[3];
    int fd;

    (void)state;
    api_fixture_start(&f);
    buf_init(&all, 1024 * 1024);
    request_of("one", request);
    buf_add_cstr(&all, request);
    buf_add_cstr(&all, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    buf_add_cstr(&all, "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    fd = client_connect(&f);
    client_send(fd, buf_str(&all));
    buf_clear(&all);
    for (char bytes[4096];;) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

        if (n <= 0)
            break;
        buf_add(&all, (struct str){bytes, (size_t)n});
    }
    rest = buf_str(&all);
    assert_non_null(strstr(rest.p, "201 Created"));
    at[0] = (size_t)(strstr(rest.p, "201 Created") - rest.p);
    assert_non_null(strstr(rest.p, "\"ok\""));
    at[1] = (size_t)(strstr(rest.p, "\"ok\"") - rest.p);
    assert_non_null(strstr(rest.p, "timezone_database"));
    at[2] = (size_t)(strstr(rest.p, "timezone_database") - rest.p);
    assert_true(at[0] < at[1] && at[1] < at[2]);
    buf_done(&all);
    MUST(close(fd) == 0);
    api_fixture_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_clients_are_answered_at_once),
        cmocka_unit_test(a_client_that_hangs_up_while_a_lane_has_its_request_harms_nobody),
        cmocka_unit_test(a_stop_answers_what_a_lane_has),
        cmocka_unit_test(a_stop_under_load_cuts_no_answer_short),
        cmocka_unit_test(a_full_lane_asks_to_come_again),
        cmocka_unit_test(readiness_is_denied_in_time_while_the_writer_is_stuck),
        cmocka_unit_test(requests_sent_ahead_are_answered_in_order),
    };
    struct error err;

    json_setup();
    MUST(sqlite_setup(&err) == ERR_NONE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
