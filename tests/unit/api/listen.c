/*
 * listen.c: addresses as people write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "api/listen.h"
#include "base/str.h"

static void assert_parsed(const char *text, const char *host, const char *port)
{
    char got_host[LISTEN_HOST_MAX];
    char got_port[8];

    assert_int_equal(listen_parse(str_of(text), got_host, got_port, NULL), ERR_NONE);
    assert_string_equal(got_host, host);
    assert_string_equal(got_port, port);
}

static void hosts_and_ports_are_told_apart(void **state)
{
    (void)state;
    assert_parsed("127.0.0.1:9902", "127.0.0.1", "9902");
    assert_parsed("[::1]:0", "::1", "0");
    assert_parsed("localhost:80", "localhost", "80");
    assert_parsed(":9902", "", "9902");
    assert_parsed("[::]:65535", "::", "65535");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",       "9902",  "localhost",  "localhost:", "localhost:x", "localhost:65536", "localhost:-1",
        "::1:80", "[::1]", "1.2.3.4:1:2"};
    char host[LISTEN_HOST_MAX];
    char port[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (listen_parse(str_of(bad[i]), host, port, NULL) != ERR_INVALID)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void a_free_port_is_found_and_a_taken_one_is_said_to_be(void **state)
{
    struct error err;
    char again[64];
    unsigned port = 0;
    int fd;
    int other;

    (void)state;
    assert_int_equal(listen_open("127.0.0.1:0", &fd, &port, &err), ERR_NONE);
    assert_in_range(port, 1, 65535);
    (void)snprintf(again, sizeof(again), "127.0.0.1:%u", port);
    assert_int_equal(listen_open(again, &other, &port, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.where, again));
    assert_int_equal(close(fd), 0);
    assert_int_equal(listen_open(again, &fd, &port, &err), ERR_NONE);
    assert_int_equal(close(fd), 0);
    assert_int_equal(listen_open("no.such.host.invalid:1", &fd, &port, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_and_ports_are_told_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_free_port_is_found_and_a_taken_one_is_said_to_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
