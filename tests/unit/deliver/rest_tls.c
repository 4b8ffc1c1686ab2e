/*
 * rest_tls.c: https: whom we trust, and how it is told when we do not.
 */
#include "rest_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const struct fixture_options tls = {.server.tls = true};
static const struct fixture_options trusting = {.server.tls = true, .trust = true};
static const struct fixture_options wrong_name = {.server = {.tls = true, .tls_wrong_name = true},
                                                  .trust = true};
static const struct fixture_options lenient = {.server = {.tls = true, .tls_wrong_name = true},
                                               .tls_insecure_allowed = true};

static void a_trusted_host_is_served_over_one_kept_connection(void **state)
{
    struct fixture *f = fixture_new(&trusting);
    struct attempt a;

    (void)state;
    attempt_init(&a, f, "/");
    for (size_t i = 0; i < 10; i++) {
        attempt_run(&a);
        assert_string_equal(a.delivery.result.error, "");
        assert_true(a.delivery.result.ok);
    }
    assert_int_equal(http_server_requests(f->server), 10);
    assert_int_equal(http_server_connections(f->server), 1);
    attempt_free(&a);
    fixture_free(f);
}

static void a_certificate_of_unknown_origin_is_refused(void **state)
{
    struct fixture *f = fixture_new(&tls);
    struct attempt a;

    (void)state;
    attempt_init(&a, f, "/");
    attempt_header(&a, "Authorization", "s3cret");
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_int_equal(a.delivery.result.status, 0);
    assert_contains(a.delivery.result.error, "TLS: the certificate of 127.0.0.1:");
    assert_contains(a.delivery.result.error,
                    "is not trusted: SSL certificate problem: self-signed certificate");
    assert_int_equal(http_server_requests(f->server), 0);
    attempt_free(&a);
    fixture_free(f);
}

static void a_certificate_for_another_name_is_refused(void **state)
{
    struct fixture *f = fixture_new(&wrong_name);
    struct attempt a;

    (void)state;
    attempt_init(&a, f, "/");
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_contains(a.delivery.result.error, "TLS: the certificate of 127.0.0.1:");
    assert_int_equal(http_server_requests(f->server), 0);
    attempt_free(&a);
    fixture_free(f);
}

static void an_insecure_task_is_verified_unless_the_options_allow_it(void **state)
{
    struct fixture *f = fixture_new(&tls);
    struct attempt a;

    (void)state;
    attempt_init(&a, f, "/");
    a.schedule.task.tls_insecure = true;
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    attempt_free(&a);
    fixture_free(f);

    f = fixture_new(&lenient);
    attempt_init(&a, f, "/");
    a.schedule.task.tls_insecure = true;
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    /* Allowed is not asked for: the same host, the same handle, the connection still open. */
    a.schedule.task.tls_insecure = false;
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_int_equal(http_server_requests(f->server), 1);
    attempt_free(&a);
    fixture_free(f);
}

static void a_host_that_does_not_speak_tls_is_told_so(void **state)
{
    struct fixture *f = fixture_new(&(struct fixture_options){0});
    struct attempt a;
    char url[64];

    (void)state;
    http_server_answer(
        f->server, &(struct http_answer){.raw = "HTTP/1.1 400 Bad\r\n\r\n", .close = true, .at_once = true});
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", http_server_port(f->server));
    attempt_init(&a, f, url);
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_contains(a.delivery.result.error, "TLS with 127.0.0.1:");
    attempt_free(&a);
    fixture_free(f);
}

static void a_handshake_that_stalls_is_a_timeout_of_its_own_kind_for_all_that_wait_for_it(void **state)
{
    enum { N = 5 };
    struct fixture *f = fixture_new(&trusting);
    struct attempt all[N];

    (void)state;
    http_server_answer(f->server, &(struct http_answer){.stall_in_tls = true});
    for (size_t i = 0; i < N; i++) {
        attempt_init(&all[i], f, "/");
        /* Those behind the first have less time than it: they must not wait for its end. */
        all[i].schedule.task.timeout_us = (i == 0 ? 4 : 1) * 200 * US_PER_MS;
        attempt_start(&all[i]);
    }
    for (size_t i = 1; i < N; i++) {
        attempt_wait(&all[i]);
        assert_contains(all[i].delivery.result.error, "timeout after 0.2 s: no ");
    }
    assert_int_equal(all[0].ended, 0);
    attempt_wait(&all[0]);
    assert_contains(all[0].delivery.result.error, "timeout after 0.8 s: no TLS connection to 127.0.0.1:");
    for (size_t i = 0; i < N; i++)
        attempt_free(&all[i]);
    fixture_free(f);
}

static const struct fixture_options http2 = {.server = {.tls = true, .http2 = true}, .trust = true};

static void many_requests_share_one_connection_of_http_2(void **state)
{
    enum { N = 50 };
    struct fixture *f = fixture_new(&http2);
    struct attempt all[N];
    struct http_seen seen;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        attempt_init(&all[i], f, "/");
        attempt_start(&all[i]);
    }
    for (size_t i = 0; i < N; i++) {
        attempt_wait(&all[i]);
        assert_string_equal(all[i].delivery.result.error, "");
        assert_int_equal(all[i].delivery.result.status, 200);
        attempt_free(&all[i]);
    }
    http_server_seen(f->server, 0, &seen);
    assert_string_equal(seen.head, "HTTP/2");
    assert_int_equal(http_server_requests(f->server), N);
    assert_int_equal(http_server_connections(f->server), 1);
    fixture_free(f);
}

static void a_kept_connection_of_http_2_that_breaks_is_replaced_once(void **state)
{
    /* Whether the end is seen as FIN or RST, by who reads or who writes, it is told by the same words. */
    static const struct http_answer breaks[] = {{.close = true}, {.close = true, .reset = true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        struct fixture *f = fixture_new(&http2);
        struct attempt a;

        attempt_init(&a, f, "/");
        attempt_run(&a);
        assert_true(a.delivery.result.ok);
        /* From now on every connection breaks under its request: the kept one, then a new one, then it is
         * enough. */
        http_server_answer(f->server, &breaks[i]);
        attempt_run(&a);
        assert_false(a.delivery.result.ok);
        assert_int_equal(a.delivery.result.status, 0);
        assert_contains(a.delivery.result.error, " closed the connection without an answer");
        assert_int_equal(http_server_connections(f->server), 2);
        assert_int_equal(http_server_requests(f->server), 3);
        attempt_free(&a);
        fixture_free(f);
    }
}

static void a_new_connection_of_http_2_that_breaks_is_not_replaced(void **state)
{
    static const struct http_answer breaks[] = {{.close = true}, {.close = true, .reset = true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        struct fixture *f = fixture_new(&http2);
        struct attempt a;

        http_server_answer(f->server, &breaks[i]);
        attempt_init(&a, f, "/");
        attempt_run(&a);
        assert_false(a.delivery.result.ok);
        assert_contains(a.delivery.result.error, " closed the connection without an answer");
        assert_int_equal(http_server_requests(f->server), 1);
        attempt_free(&a);
        fixture_free(f);
    }
}

static void a_request_that_is_refused_over_http_2_is_sent_twice_at_most(void **state)
{
    struct fixture *f = fixture_new(&http2);
    struct attempt a;

    (void)state;
    attempt_init(&a, f, "/");
    http_server_answer(f->server, &(struct http_answer){.refuse = true});
    for (size_t i = 1; i <= 3; i++) {
        attempt_run(&a);
        assert_false(a.delivery.result.ok);
        assert_int_equal(a.delivery.result.status, 0);
        /* Later ones: libcurl counts its repetitions over all of a handle's requests, and tells so. */
        if (i == 1)
            assert_contains(a.delivery.result.error, " refused the request's stream twice");
        assert_int_equal(http_server_requests(f->server), 2 * i);
    }
    /* It is over with that: the next one is sent as if nothing had been. */
    http_server_answer(f->server, &(struct http_answer){.raw = NULL});
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    attempt_free(&a);
    fixture_free(f);
}

static void one_stalled_stream_of_http_2_does_not_hold_up_the_others(void **state)
{
    struct fixture *f = fixture_new(&http2);
    struct attempt stuck;
    struct attempt a;

    (void)state;
    http_server_answer(f->server, &(struct http_answer){.stall = true});
    attempt_init(&stuck, f, "/");
    attempt_start(&stuck);
    wait_requests(f, 1);
    http_server_answer(f->server, &(struct http_answer){.raw = NULL});
    attempt_init(&a, f, "/");
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    attempt_abort(&stuck);
    attempt_wait(&stuck);
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    assert_int_equal(http_server_connections(f->server), 1);
    attempt_free(&a);
    attempt_free(&stuck);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trusted_host_is_served_over_one_kept_connection),
        cmocka_unit_test(a_certificate_of_unknown_origin_is_refused),
        cmocka_unit_test(a_certificate_for_another_name_is_refused),
        cmocka_unit_test(an_insecure_task_is_verified_unless_the_options_allow_it),
        cmocka_unit_test(a_host_that_does_not_speak_tls_is_told_so),
        cmocka_unit_test(many_requests_share_one_connection_of_http_2),
        cmocka_unit_test(a_kept_connection_of_http_2_that_breaks_is_replaced_once),
        cmocka_unit_test(a_new_connection_of_http_2_that_breaks_is_not_replaced),
        cmocka_unit_test(a_request_that_is_refused_over_http_2_is_sent_twice_at_most),
        cmocka_unit_test(one_stalled_stream_of_http_2_does_not_hold_up_the_others),
        cmocka_unit_test(a_handshake_that_stalls_is_a_timeout_of_its_own_kind_for_all_that_wait_for_it),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
