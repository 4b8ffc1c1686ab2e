/*
 * rate.c: how often each client may ask, by a clock of the test's own, and what the server answers who asks
 * too often.
 */
#include "api/rate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/str.h"

static unsigned ask(struct rate *r, const char *address, int64_t at_us)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct mono now = {1000 * US_PER_S + at_us};

    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return rate_ask(r, (const struct sockaddr *)&v4, now);
    assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return rate_ask(r, (const struct sockaddr *)&v6, now);
}

static void a_burst_is_served_and_then_the_rate(void **state)
{
    CLEANUP(rate_free_p) struct rate *r = rate_new(10, 5);

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(r, "192.0.2.1", 0), 0);
    assert_int_equal(ask(r, "192.0.2.1", 0), 1);
    for (int i = 1; i < 50; i++) {
        assert_int_equal(ask(r, "192.0.2.1", i * 100000), 0);
        assert_int_equal(ask(r, "192.0.2.1", i * 100000 + 50000), 1);
    }
    /* Rest is saved up to the burst, no further. */
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(r, "192.0.2.1", 3600 * US_PER_S), 0);
    assert_int_equal(ask(r, "192.0.2.1", 3600 * US_PER_S), 1);
}

static void a_slow_rate_says_how_long_to_wait(void **state)
{
    CLEANUP(rate_free_p) struct rate *r = rate_new(1, 1);

    (void)state;
    assert_int_equal(ask(r, "192.0.2.1", 0), 0);
    assert_int_equal(ask(r, "192.0.2.1", 100), 1);
    assert_int_equal(ask(r, "192.0.2.1", US_PER_S), 0);
}

static void clients_are_told_apart_by_address_and_of_ipv6_by_network(void **state)
{
    CLEANUP(rate_free_p) struct rate *r = rate_new(1, 1);

    (void)state;
    assert_int_equal(ask(r, "192.0.2.1", 0), 0);
    assert_int_equal(ask(r, "192.0.2.2", 0), 0);
    assert_int_equal(ask(r, "::ffff:192.0.2.1", 0), 1);
    assert_int_equal(ask(r, "2001:db8:0:1::1", 0), 0);
    assert_int_equal(ask(r, "2001:db8:0:1:ffff::2", 0), 1);
    assert_int_equal(ask(r, "2001:db8:0:2::1", 0), 0);
}

static void a_flood_of_addresses_does_not_free_who_asks_all_the_time(void **state)
{
    CLEANUP(rate_free_p) struct rate *r = rate_new(1, 100);
    unsigned refused = 0;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char other[32];

        refused += ask(r, "192.0.2.1", i) > 0;
        (void)snprintf(other, sizeof(other), "10.%d.%d.%d", i / 256 % 256, i % 256, i % 7);
        assert_int_equal(ask(r, other, i), 0);
    }
    assert_true(refused > 1800);
}

static void who_asks_too_often_is_answered_429_but_not_about_the_servers_health(void **state)
{
    struct api_fixture f = {.options = {.rate = 1, .rate_burst = 3}};
    struct reply_text t = {0};
    char text[16];
    int64_t seconds;

    (void)state;
    api_fixture_start(&f);
    for (int i = 0; i < 3; i++) {
        call(&f, "GET /schedules", "", &t);
        assert_int_equal(t.status, 200);
        reply_done(&t);
    }
    /* Each refusal costs nothing of the rate, so one of these is soon refused however slow the machine. */
    for (unsigned status = 200, i = 0; status != 429 && i < 1000; i++) {
        call(&f, "GET /schedules", "", &t);
        status = t.status;
        if (status == 429) {
            assert_non_null(strstr(buf_cstr(&t.body), "urn:carillon:problem:rate"));
            assert_true(str_to_i64(str_of(reply_header(&t, "Retry-After", text, sizeof(text))), &seconds));
            assert_true(seconds >= 1);
        }
        reply_done(&t);
        assert_true(status == 429 || i < 999);
    }
    for (int i = 0; i < 20; i++) {
        call(&f, i % 2 ? "GET /readyz" : "GET /healthz", "", &t);
        assert_int_equal(t.status, 200);
        reply_done(&t);
    }
    api_fixture_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_served_and_then_the_rate),
        cmocka_unit_test(a_slow_rate_says_how_long_to_wait),
        cmocka_unit_test(clients_are_told_apart_by_address_and_of_ipv6_by_network),
        cmocka_unit_test(a_flood_of_addresses_does_not_free_who_asks_all_the_time),
        cmocka_unit_test(who_asks_too_often_is_answered_429_but_not_about_the_servers_health),
    };
    struct error err;

    json_setup();
    MUST(sqlite_setup(&err) == ERR_NONE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
