/*
 * rest_guard.c: whom the rest deliverer must not call, by whatever name or way.
 */
#include "rest_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "deliver/guard.h"

/* One entry each, or NULL. */
static struct fixture *guarded(const char *allow, const char *deny)
{
    const struct str allowed = str_of(allow);
    const struct str denied = str_of(deny);
    const struct guard_lists lists = {&allowed, allow ? 1 : 0, &denied, deny ? 1 : 0};
    struct guard *guard = NULL;
    struct fixture *f;

    assert_int_equal(guard_new(&lists, &guard, NULL), ERR_NONE);
    f = fixture_new(&(struct fixture_options){.guard = guard});
    guard_unref(guard);
    return f;
}

/* `host` stands before the server's port and path. */
static void expect(struct fixture *f, const char *host, const char *error)
{
    struct attempt a;
    char url[128];

    (void)snprintf(url, sizeof(url), "http://%s:%d/p?token=s3cret", host, http_server_port(f->server));
    attempt_init(&a, f, url);
    attempt_run(&a);
    if (error) {
        assert_false(a.delivery.result.ok);
        assert_false(a.delivery.result.not_sent);
        assert_int_equal(a.delivery.result.status, 0);
        if (!strstr(a.delivery.result.error, error))
            fail_msg("%s: %s", host, a.delivery.result.error);
        assert_null(strstr(a.delivery.result.error, "s3cret"));
    } else if (!a.delivery.result.ok) {
        fail_msg("%s: %s", host, a.delivery.result.error);
    }
    attempt_free(&a);
}

static void a_denied_address_is_not_called_however_it_is_written(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1", "127.1",   "2130706433",         "0x7f.1",    "0177.0.0.1", "%31%32%37.0.0.1",
        "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "u:p@127.1", "[::]",
    };
    struct fixture *f = guarded(NULL, "127.0.0.0/8");
    struct fixture *f6 = guarded(NULL, "::1");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        /* Nobody listens on these two, but localhost has another address. */
        if (strcmp(hosts[i], "[::]") == 0)
            expect(f6, hosts[i], "denied by delivery.deny: ::1");
        else if (strcmp(hosts[i], "localhost") == 0)
            expect(f, hosts[i], "");
        else
            expect(f, hosts[i], "denied by delivery.deny: 127.0.0.0/8");
    }
    assert_int_equal(http_server_connections(f->server), 0);
    fixture_free(f6);
    fixture_free(f);
}

static void metadata_services_are_denied_without_any_list(void **state)
{
    struct fixture *f = guarded(NULL, NULL);

    (void)state;
    expect(f, "169.254.169.254", "must not call 169.254.169.254: denied unless delivery.allow names it");
    expect(f, "[::ffff:169.254.169.254]", "must not call 169.254.169.254: denied unless");
    expect(f, "[fd00:ec2::254]", "must not call fd00:ec2::254: denied unless");
    expect(f, "[fe80::1]", "must not call fe80::1: denied unless");
    expect(f, "127.0.0.1", NULL);
    fixture_free(f);
}

static void a_denied_name_is_not_called_however_it_is_written(void **state)
{
    static const char *const hosts[] = {"localhost", "LocalHost", "localhost.", "%6cocalhost",
                                        "u:p@localhost"};
    struct fixture *f = guarded(NULL, "localhost");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(hosts); i++)
        expect(f, hosts[i], "denied by delivery.deny: localhost");
    expect(f, "\xef\xbd\x8cocalhost", "international names must be written as xn--");
    assert_int_equal(http_server_connections(f->server), 0);
    expect(f, "127.0.0.1", NULL);
    fixture_free(f);
}

static void an_allow_list_lets_nothing_else_pass(void **state)
{
    struct fixture *f = guarded("localhost", NULL);

    (void)state;
    expect(f, "localhost", NULL);
    expect(f, "127.0.0.1", "must not call 127.0.0.1: not in delivery.allow");
    expect(f, "other.example", "must not call other.example: not in delivery.allow");
    /* Its connection is kept; another name does not get it. */
    expect(f, "localhost", NULL);
    assert_int_equal(http_server_requests(f->server), 2);
    assert_int_equal(http_server_connections(f->server), 1);
    fixture_free(f);
}

static void a_redirect_leads_nowhere(void **state)
{
    struct fixture *f = guarded("127.0.0.1", NULL);
    struct http_server *other = http_server_new(NULL);
    struct attempt a;
    char raw[256];

    (void)state;
    (void)snprintf(raw, sizeof(raw), "HTTP/1.1 307 Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                   http_server_url(other, "/"));
    http_server_answer(f->server, &(struct http_answer){.raw = raw});
    attempt_init(&a, f, "/");
    attempt_run(&a);
    assert_string_equal(a.delivery.result.error, "HTTP 307 (redirects are not followed)");
    assert_int_equal(http_server_connections(other), 0);
    attempt_free(&a);
    http_server_free(other);
    fixture_free(f);
}

/* A proxy would connect where the guard cannot see it. */
static void a_proxy_of_the_environment_is_no_way_around(void **state)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"};
    struct http_server *proxy = http_server_new(NULL);
    struct fixture *f;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(setenv(names[i], http_server_url(proxy, ""), 1), 0);
    f = guarded(NULL, "10.0.0.0/8");
    expect(f, "127.0.0.1", NULL);
    expect(f, "10.1.2.3", "must not call 10.1.2.3: denied by delivery.deny: 10.0.0.0/8");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(unsetenv(names[i]), 0);
    assert_int_equal(http_server_requests(f->server), 1);
    assert_int_equal(http_server_connections(proxy), 0);
    http_server_free(proxy);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_denied_address_is_not_called_however_it_is_written),
        cmocka_unit_test(metadata_services_are_denied_without_any_list),
        cmocka_unit_test(a_denied_name_is_not_called_however_it_is_written),
        cmocka_unit_test(an_allow_list_lets_nothing_else_pass),
        cmocka_unit_test(a_redirect_leads_nowhere),
        cmocka_unit_test(a_proxy_of_the_environment_is_no_way_around),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
