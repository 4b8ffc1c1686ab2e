/*
 * network.c: tests of addresses, networks and rules that name hosts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/network.h"
#include "base/str.h"

static struct host_rule rule(const char *text)
{
    struct host_rule r;
    struct error err;

    if (host_rule_parse(str_of(text), &r, &err))
        fail_msg("%s %s", text, err.text);
    return r;
}

static bool has(const char *network, const char *address)
{
    struct host_rule r = rule(network);
    struct address a;

    assert_int_equal(r.kind, HOST_RULE_NETWORK);
    assert_true(address_parse(str_of(address), &a));
    return network_has(&r.network, &a);
}

static void a_network_has_what_begins_as_it_does(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.1.2"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("192.0.2.7", "192.0.2.7"));
    assert_false(has("192.0.2.7", "192.0.2.6"));
    assert_true(has("192.0.2.6/31", "192.0.2.7"));
    assert_true(has("172.16.0.0/12", "172.31.255.255"));
    assert_false(has("172.16.0.0/12", "172.32.0.0"));
    assert_true(has("0.0.0.0/0", "255.255.255.255"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("::1", "::1"));
    assert_true(has("::/0", "fe80::1"));
    assert_false(has("::/0", "10.0.0.1"));
    assert_false(has("0.0.0.0/0", "::1"));
}

static void a_name_is_itself_and_a_suffix_what_is_below_it(void **state)
{
    struct host_rule name = rule("Hooks.Example.com");
    struct host_rule suffix = rule("*.example.com");

    (void)state;
    assert_int_equal(name.kind, HOST_RULE_NAME);
    assert_true(host_rule_names(&name, STR("hooks.example.COM")));
    assert_true(host_rule_names(&name, STR("hooks.example.com.")));
    assert_false(host_rule_names(&name, STR("a.hooks.example.com")));
    assert_false(host_rule_names(&name, STR("hooks.example.co")));
    assert_int_equal(suffix.kind, HOST_RULE_SUFFIX);
    assert_true(host_rule_names(&suffix, STR("a.example.com")));
    assert_true(host_rule_names(&suffix, STR("a.b.EXAMPLE.com.")));
    assert_false(host_rule_names(&suffix, STR("example.com")));
    assert_false(host_rule_names(&suffix, STR(".example.com")));
    assert_false(host_rule_names(&suffix, STR("badexample.com")));
    assert_false(host_rule_names(&suffix, STR("")));
    assert_true(rule("localhost").kind == HOST_RULE_NAME);
    assert_true(rule("my_service-1").kind == HOST_RULE_NAME);
}

static void what_is_no_rule_is_refused_with_its_reason(void **state)
{
    static const char *const cases[][2] = {
        {"", "must not be empty"},
        {"10.0.0.0/33", "a length from 0 to 32"},
        {"10.0.0.0/", "a length from 0 to 32"},
        {"10.0.0.0/-1", "a length from 0 to 32"},
        {"10.0.0.0/8x", "a length from 0 to 32"},
        {"::/129", "a length from 0 to 128"},
        {"10.1.2.3/8", "the network is 10.0.0.0/8"},
        {"2001:db8::1/32", "the network is 2001:db8::/32"},
        {"::ffff:10.0.0.0/104", "write it as IPv4"},
        {"[::1]", "is no IP address"},
        {"fe80::1%eth0", "is no IP address"},
        {"10.1/16", "is no IP address"},
        {"010.0.0.1/32", "is no IP address"},
        {"a.example:80", "is no IP address"},
        {"http://a.example", "is no IP address"},
        {"10.1", "neither a whole IP address"},
        {"2130706433", "neither a whole IP address"},
        {"0x7f.1", "neither a whole IP address"},
        {"1.2.3.4.5", "neither a whole IP address"},
        {"*", "or *.DOMAIN"},
        {"*.", "or *.DOMAIN"},
        {"a.*.example", "or *.DOMAIN"},
        {"*a.example", "or *.DOMAIN"},
        {"*.*.example", "or *.DOMAIN"},
        {"a..b", "or *.DOMAIN"},
        {".a", "or *.DOMAIN"},
        {"a.", "or *.DOMAIN"},
        {"-a.b", "or *.DOMAIN"},
        {"a b", "or *.DOMAIN"},
        {"m\xc3\xbcnchen.example", "xn--"},
    };
    char longer[300];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host_rule r;
        struct error err;

        if (!host_rule_parse(str_of(cases[i][0]), &r, &err))
            fail_msg("%s was taken", cases[i][0]);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], err.text);
    }
    memset(longer, 'a', sizeof(longer));
    for (size_t i = 50; i < sizeof(longer); i += 50)
        longer[i] = '.';
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(host_rule_parse(str_of(longer), &(struct host_rule){0}, NULL), ERR_INVALID);
}

static void addresses_are_written_as_they_are_read(void **state)
{
    static const char *const texts[] = {"0.0.0.0", "255.1.2.3", "::", "2001:db8::1", "fe80::5efe:10.1.2.3"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct address a;
        struct address again;
        char text[ADDRESS_TEXT];

        assert_true(address_parse(str_of(texts[i]), &a));
        address_format(&a, text);
        assert_true(address_parse(str_of(text), &again));
        assert_true(address_eq(&a, &again));
    }
    assert_false(address_parse(STR("1.2.3"), &(struct address){0}));
    assert_false(address_parse((struct str){"1.2.3.4\0", 8}, &(struct address){0}));
    assert_false(address_parse(STR(""), &(struct address){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_has_what_begins_as_it_does),
        cmocka_unit_test(a_name_is_itself_and_a_suffix_what_is_below_it),
        cmocka_unit_test(what_is_no_rule_is_refused_with_its_reason),
        cmocka_unit_test(addresses_are_written_as_they_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
