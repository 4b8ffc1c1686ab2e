/*
 * once.c: a request with an Idempotency-Key is done once, whoever asks again and whatever is lost in between.
 */
#include <poll.h>
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
    f = (struct api_fixture){0};
    api_fixture_start(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    api_fixture_stop(&f);
    return 0;
}

#define DEFINITION(key)                                                                                      \
    "{\"name\":\"n\",\"client\":{\"key\":\"" key "\"},\"type\":\"cron\",\"schedule\":\"0 0 1 1 *\","         \
    "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\"}}}"

/* Status of a POST with this key; its body in *ret_body when wanted. */
static unsigned post(const char *path, const char *key, const char *body, char *ret_body, bool *ret_again)
{
    struct reply_text t = {0};
    char head[512];
    char text[16];
    unsigned status;

    (void)snprintf(head, sizeof(head), "POST %s\r\nIdempotency-Key: %s", path, key);
    call(&f, head, body, &t);
    status = t.status;
    if (ret_body)
        (void)snprintf(ret_body, 4096, "%s", buf_cstr(&t.body));
    if (ret_again)
        *ret_again = reply_header(&t, "Idempotent-Replayed", text, sizeof(text)) != NULL;
    reply_done(&t);
    return status;
}

static int64_t count(const char *path)
{
    struct reply_text t = {0};
    json_t *json;
    int64_t n;

    call(&f, path, "", &t);
    assert_int_equal(t.status, 200);
    json = reply_json(&t);
    n = (int64_t)json_array_size(json);
    json_free(json);
    reply_done(&t);
    return n;
}

static void register_one(const char *body, char ret_id[64])
{
    struct reply_text t = {0};
    json_t *json;

    call(&f, "POST /schedules", body, &t);
    json = reply_json(&t);
    (void)snprintf(ret_id, 64, "%s", json_string_value(json_object_get(json, "id")));
    json_free(json);
    reply_done(&t);
}

static void the_same_request_is_answered_as_before_and_does_nothing(void **state)
{
    char first[4096];
    char second[4096];
    char id[64];
    char path[128];
    char runs[128];
    bool again;

    (void)state;
    assert_int_equal(post("/schedules", "a-1", DEFINITION("a"), first, &again), 201);
    assert_false(again);
    assert_int_equal(post("/schedules", "a-1", DEFINITION("a"), second, &again), 201);
    assert_true(again);
    assert_string_equal(first, second);

    register_one(DEFINITION("trigger"), id);
    (void)snprintf(path, sizeof(path), "/schedules/%s/trigger", id);
    (void)snprintf(runs, sizeof(runs), "GET /schedules/%s/runs", id);
    assert_int_equal(post(path, "\"a-2\"", "", first, NULL), 202);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(post(path, "a-2", "", second, NULL), 202);
        assert_string_equal(first, second);
    }
    assert_int_equal(count(runs), 1);
    assert_int_equal(post(path, "a-3", "", second, NULL), 202);
    assert_int_equal(count(runs), 2);
}

static void the_headers_come_again_too(void **state)
{
    struct reply_text t = {0};
    char location[96];
    char etag[32];
    char again[96];

    (void)state;
    call(&f, "POST /schedules\r\nIdempotency-Key: h-1", DEFINITION("h"), &t);
    assert_non_null(reply_header(&t, "Location", location, sizeof(location)));
    assert_non_null(reply_header(&t, "ETag", etag, sizeof(etag)));
    reply_done(&t);
    call(&f, "POST /schedules\r\nIdempotency-Key: h-1", DEFINITION("h"), &t);
    assert_string_equal(reply_header(&t, "Location", again, sizeof(again)), location);
    assert_string_equal(reply_header(&t, "ETag", again, sizeof(again)), etag);
    assert_string_equal(reply_header(&t, "Content-Type", again, sizeof(again)), "application/json");
    reply_done(&t);
}

static void the_same_key_with_another_request_is_refused(void **state)
{
    char id[64];
    char path[128];

    (void)state;
    assert_int_equal(post("/schedules", "b-1", DEFINITION("b"), NULL, NULL), 201);
    assert_int_equal(post("/schedules", "b-1", DEFINITION("b2"), NULL, NULL), 422);
    assert_int_equal(post("/schedules/batch", "b-1", DEFINITION("b"), NULL, NULL), 422);
    register_one(DEFINITION("b"), id);
    (void)snprintf(path, sizeof(path), "/schedules/%s/trigger", id);
    assert_int_equal(post(path, "b-1", "", NULL, NULL), 422);
    /* Of another version is another request. */
    (void)snprintf(path, sizeof(path), "/schedules/%s/pause", id);
    assert_int_equal(post(path, "b-2", "", NULL, NULL), 200);
    (void)snprintf(path, sizeof(path), "/schedules/%s/pause\r\nIf-Match: \"9\"", id);
    assert_int_equal(post(path, "b-2", "", NULL, NULL), 422);
}

static void what_failed_may_be_asked_again(void **state)
{
    char path[128];
    char id[64];

    (void)state;
    assert_int_equal(post("/schedules", "c-1", "{\"name\":7}", NULL, NULL), 422);
    assert_int_equal(post("/schedules", "c-1", DEFINITION("c"), NULL, NULL), 201);
    assert_int_equal(post("/schedules/00000000-0000-7000-8000-000000000000/trigger", "c-2", "", NULL, NULL),
                     404);
    register_one(DEFINITION("c"), id);
    (void)snprintf(path, sizeof(path), "/schedules/%s/trigger", id);
    assert_int_equal(post(path, "c-2", "", NULL, NULL), 202);
}

static void a_key_that_is_none_is_refused(void **state)
{
    char key[400];

    (void)state;
    assert_int_equal(post("/schedules", "", DEFINITION("d"), NULL, NULL), 400);
    assert_int_equal(post("/schedules", "\"\"", DEFINITION("d"), NULL, NULL), 400);
    assert_int_equal(post("/schedules", "\xc3\xa9", DEFINITION("d"), NULL, NULL), 400);
    memset(key, 'k', sizeof(key));
    key[256] = '\0';
    assert_int_equal(post("/schedules", key, DEFINITION("d"), NULL, NULL), 400);
    key[255] = '\0';
    assert_int_equal(post("/schedules", key, DEFINITION("d"), NULL, NULL), 201);
    /* A preview changes nothing, so its key means nothing. */
    assert_int_equal(post("/preview", "a-1", "{\"type\":\"now\"}", NULL, NULL), 200);
}

/* Until so many requests have come and are not answered. */
static void await_under_way(int n)
{
    char wanted[64];
    bool there = false;

    (void)snprintf(wanted, sizeof(wanted), "carillon_http_requests_under_way %d\n", n);
    for (int i = 0; i < 10000 && !there; i++) {
        struct reply_text t = {0};

        call(&f, "GET /metrics", "", &t);
        there = strstr(buf_cstr(&t.body), wanted) != NULL;
        reply_done(&t);
    }
    assert_true(there);
}

static void while_one_is_at_work_the_same_key_is_told_so(void **state)
{
    struct stall *stall = stall_begin(f.writer);
    struct reply_text t = {0};
    struct buf request;
    char text[16];
    int fd = client_connect(&f);

    (void)state;
    buf_init(&request, 4096);
    client_request(&request, "POST /schedules\r\nIdempotency-Key: e-1", STR(DEFINITION("e")));
    client_send(fd, buf_str(&request));
    buf_done(&request);
    await_under_way(2); /* and the one that asks */
    assert_int_equal(post("/schedules", "e-1", DEFINITION("e"), NULL, NULL), 409);
    call(&f, "POST /schedules\r\nIdempotency-Key: e-1", DEFINITION("e"), &t);
    assert_string_equal(reply_header(&t, "Retry-After", text, sizeof(text)), "1");
    reply_done(&t);
    stall_end(stall);
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 201);
    reply_done(&t);
    MUST(close(fd) == 0);
    assert_int_equal(post("/schedules", "e-1", DEFINITION("e"), NULL, NULL), 201);
}

static void a_batch_is_answered_again_unless_it_was_too_large(void **state)
{
    struct buf large;
    char first[4096];
    char second[4096];
    bool again;

    (void)state;
    assert_int_equal(
        post("/schedules/batch", "f-1", "[" DEFINITION("f1") "," DEFINITION("f2") ",7]", first, NULL), 200);
    assert_int_equal(
        post("/schedules/batch", "f-1", "[" DEFINITION("f1") "," DEFINITION("f2") ",7]", second, &again),
        200);
    assert_true(again);
    assert_string_equal(first, second);

    buf_init(&large, 16 * 1024 * 1024);
    buf_add_char(&large, '[');
    for (int i = 0; i < 6000; i++)
        buf_addf(
            &large,
            "%s{\"name\":\"n\",\"client\":{\"key\":\"large%d\"},\"type\":\"delay\",\"schedule\":\"5000\","
            "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\"}}}",
            i > 0 ? "," : "", i);
    buf_add_char(&large, ']');
    assert_int_equal(post("/schedules/batch", "f-2", buf_cstr(&large), NULL, NULL), 200);
    assert_int_equal(post("/schedules/batch", "f-2", buf_cstr(&large), second, NULL), 409);
    assert_non_null(strstr(second, "too large"));
    buf_done(&large);
}

static void one_that_keeps_secrets_is_done_once_too(void **state)
{
    static const char secret[] =
        "{\"name\":\"n\",\"client\":{\"key\":\"g\"},\"type\":\"cron\",\"schedule\":\"0 0 1 1 *\",\"task\":{"
        "\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\",\"headers\":{\"Authorization\":"
        "\"***\"}}}}";
    char id[64];
    char first[4096];
    char second[4096];
    bool again;

    (void)state;
    register_one("{\"name\":\"n\",\"client\":{\"key\":\"g\"},\"type\":\"cron\",\"schedule\":\"0 0 1 1 *\","
                 "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\",\"headers\":{"
                 "\"Authorization\":\"hush\"}}}}",
                 id);
    assert_int_equal(post("/schedules", "g-1", secret, first, NULL), 200);
    assert_int_equal(post("/schedules", "g-1", secret, second, &again), 200);
    assert_true(again);
    assert_string_equal(first, second);
}

static void delete_one(const char *id)
{
    struct reply_text t = {0};
    char request[128];

    (void)snprintf(request, sizeof(request), "DELETE /schedules/%s", id);
    call(&f, request, "", &t);
    assert_int_equal(t.status, 200);
    reply_done(&t);
}

/* Twice by its key; in between the schedule that it is about goes away. */
static void comes_again_without(const char *id, const char *path, const char *key, const char *body)
{
    char first[4096];
    char second[4096];
    bool again;

    assert_in_range(post(path, key, body, first, &again), 200, 299);
    assert_false(again);
    delete_one(id);
    assert_in_range(post(path, key, body, second, &again), 200, 299);
    assert_true(again);
    assert_string_equal(first, second);
}

static void what_was_done_is_told_whatever_its_checks_would_say_by_now(void **state)
{
    static const char keeps[] =
        "{\"name\":\"n\",\"client\":{\"key\":\"i\"},\"type\":\"cron\",\"schedule\":\"0 0 1 1 *\",\"task\":{"
        "\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\",\"headers\":{\"Cookie\":"
        "\"***\"}}}}";
    static const char has[] =
        "{\"name\":\"n\",\"client\":{\"key\":\"i\"},\"type\":\"cron\",\"schedule\":\"0 0 1 1 *\",\"task\":{"
        "\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\",\"headers\":{\"Cookie\":"
        "\"hush\"}}}}";
    char id[64];
    char path[128];

    (void)state;
    register_one(DEFINITION("i"), id);
    (void)snprintf(path, sizeof(path), "/schedules/%s/backfill\r\nIf-Match: \"1\"", id);
    comes_again_without(id, path, "i-1",
                        "{\"from\":\"2020-01-01T00:00:00Z\",\"to\":\"2024-01-01T00:00:00Z\"}");
    register_one(DEFINITION("i"), id);
    (void)snprintf(path, sizeof(path), "/schedules/%s/update", id);
    comes_again_without(id, path, "i-2", DEFINITION("i"));
    register_one(has, id);
    comes_again_without(id, "/schedules", "i-3", keeps);
}

static void a_success_that_changed_nothing_is_given_again_too(void **state)
{
    char id[64];
    char path[128];

    (void)state;
    register_one(DEFINITION("j"), id);
    (void)snprintf(path, sizeof(path), "/schedules/%s/backfill", id);
    comes_again_without(id, path, "j-1",
                        "{\"from\":\"2020-02-01T00:00:00Z\",\"to\":\"2020-03-01T00:00:00Z\"}");
    register_one(DEFINITION("j"), id);
    comes_again_without(id, "/schedules/batch", "j-2", "[7]");
    assert_int_equal(post("/schedules/batch", "j-2", "[8]", NULL, NULL), 422);
}

static void running_out_of_memory_does_nothing_twice(void **state)
{
    char id[64];
    char path[128];
    char runs[128];
    unsigned well = 0;
    int64_t done = 0;

    (void)state;
    register_one(DEFINITION("m"), id);
    (void)snprintf(path, sizeof(path), "/schedules/%s/trigger", id);
    (void)snprintf(runs, sizeof(runs), "GET /schedules/%s/runs?limit=1000", id);
    for (uint64_t n = 1; n < 400 && well < 5; n++) {
        char request[512];
        char answer[4096];
        unsigned status = 0;
        size_t got = 0;
        ssize_t more;
        int fd = client_connect(&f);

        (void)snprintf(request, sizeof(request),
                       "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIdempotency-Key: m-%llu\r\n"
                       "Content-Length: 0\r\n\r\n",
                       path, (unsigned long long)n);
        alloc_test_fail_nth(n);
        client_send(fd, str_of(request));
        do {
            more = read(fd, answer + got, sizeof(answer) - 1 - got);
            got += more > 0 ? (size_t)more : 0;
        } while (more > 0);
        alloc_test_fail_nth(0);
        answer[got] = '\0';
        (void)sscanf(answer, "HTTP/1.1 %u", &status);
        MUST(close(fd) == 0);
        (void)snprintf(answer, sizeof(answer), "m-%llu", (unsigned long long)n);
        well = status == 202 ? well + 1 : 0;
        assert_int_equal(post(path, answer, "", NULL, NULL), 202);
        done++;
    }
    assert_int_equal(well, 5);
    assert_int_equal(count(runs), done);
}

/* Sends it on a connection of its own, and waits until so many operations wait for the writer. */
static int send_and_wait(const char *head, const char *body, size_t waiting)
{
    struct lane_stats stats = {0};
    struct buf request;
    int fd = client_connect(&f);

    buf_init(&request, 4096);
    client_request(&request, head, str_of(body));
    client_send(fd, buf_str(&request));
    buf_done(&request);
    for (int i = 0; i < 30000 && stats.waiting < waiting; i++) {
        assert_false(poll(NULL, 0, 1) > 0);
        lane_stats(f.writer, &stats);
    }
    assert_int_equal(stats.waiting, waiting);
    return fd;
}

static unsigned answered_by(int fd)
{
    struct reply_text t = {0};
    unsigned status;

    assert_true(client_receive(fd, false, &t));
    status = t.status;
    reply_done(&t);
    MUST(close(fd) == 0);
    return status;
}

static void what_was_refused_halfway_is_not_begun_again(void **state)
{
    static const char range[] = "{\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:20:00Z\"}";
    static const char each_second[] =
        "{\"name\":\"n\",\"client\":{\"key\":\"h\"},\"type\":\"cron\",\"schedule\":\"* * * * * "
        "*\",\"paused\":true,"
        "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://localhost:1/\"}}}";
    struct stall *stall;
    char id[64];
    char head[160];
    char text[4096];
    bool again;
    int backfill;
    int change;

    (void)state;
    register_one(each_second, id);
    (void)snprintf(head, sizeof(head), "POST /schedules/%s/backfill\r\nIdempotency-Key: half-1", id);
    /* The first part and the change are one transaction, so the second part finds another version. */
    stall = stall_begin(f.writer);
    backfill = send_and_wait(head, range, 1);
    change = send_and_wait("POST /schedules", each_second, 2);
    stall_end(stall);
    assert_int_equal(answered_by(backfill), 409);
    assert_int_equal(answered_by(change), 200);
    (void)snprintf(head, sizeof(head), "/schedules/%s/backfill", id);
    assert_int_equal(post(head, "half-1", range, text, &again), 409);
    assert_true(again);
    assert_non_null(strstr(text, "after 1000 runs had been made"));
    assert_non_null(strstr(text, "urn:carillon:problem:conflict"));
}

/* On a server of its own, whose writer loses what it commits. */
static void what_was_not_committed_is_not_told_as_done(void **state)
{
    struct faulty_plan plan = {.rng = {1}};
    struct api_fixture sound = f;

    (void)state;
    f = (struct api_fixture){.plan = &plan, .give_up_us = US_PER_S / 5};
    api_fixture_start(&f);
    plan.lose_commit = 1000;
    plan.refuse_open = 1000;
    assert_int_equal(post("/schedules", "n-1", DEFINITION("n"), NULL, NULL), 503);
    assert_int_equal(count("GET /schedules"), 0);
    api_fixture_stop(&f);
    f = sound;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_request_is_answered_as_before_and_does_nothing),
        cmocka_unit_test(the_headers_come_again_too),
        cmocka_unit_test(the_same_key_with_another_request_is_refused),
        cmocka_unit_test(what_failed_may_be_asked_again),
        cmocka_unit_test(a_key_that_is_none_is_refused),
        cmocka_unit_test(while_one_is_at_work_the_same_key_is_told_so),
        cmocka_unit_test(a_batch_is_answered_again_unless_it_was_too_large),
        cmocka_unit_test(one_that_keeps_secrets_is_done_once_too),
        cmocka_unit_test(what_was_done_is_told_whatever_its_checks_would_say_by_now),
        cmocka_unit_test(a_success_that_changed_nothing_is_given_again_too),
        cmocka_unit_test(what_was_refused_halfway_is_not_begun_again),
        cmocka_unit_test(what_was_not_committed_is_not_told_as_done),
        cmocka_unit_test(running_out_of_memory_does_nothing_twice),
    };
    struct error err;

    json_setup();
    MUST(sqlite_setup(&err) == ERR_NONE);
    return cmocka_run_group_tests(tests, start, stop);
}
