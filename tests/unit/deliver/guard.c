/*
 * guard.c: whom we may call, by address and by name, and by which addresses another one can be meant.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/network.h"
#include "base/str.h"
#include "deliver/guard.h"

enum { ENTRIES_MAX = 8 };

/* Lists as texts separated by blanks. */
static struct guard *make(const char *allow, const char *deny)
{
    struct str lists[2][ENTRIES_MAX];
    size_t n[2] = {0, 0};
    struct str texts[2] = {str_of(allow), str_of(deny)};
    struct guard *g = NULL;

    for (size_t i = 0; i < 2; i++) {
        while (texts[i].n > 0 && str_cut(&texts[i], ' ', &lists[i][n[i]]))
            n[i]++;
    }
    assert_int_equal(guard_new(&(struct guard_lists){lists[0], n[0], lists[1], n[1]}, &g, NULL), ERR_NONE);
    return g;
}

static struct error last;

static enum err judge_as(const struct guard *g, const char *host, const char *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    last = (struct error){0};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return guard_judge(g, str_of(host), (const struct sockaddr *)&v4, &last);
    assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return guard_judge(g, str_of(host), (const struct sockaddr *)&v6, &last);
}

static void assert_allowed(const struct guard *g, const char *host, const char *address)
{
    if (judge_as(g, host, address))
        fail_msg("%s (%s) was refused: %s", host, address, last.text);
}

static void assert_refused(const struct guard *g, const char *host, const char *address, const char *why)
{
    if (judge_as(g, host, address) != ERR_REFUSED)
        fail_msg("%s (%s) was allowed", host, address);
    if (!strstr(last.text, why))
        fail_msg("%s (%s): %s", host, address, last.text);
}

static void without_lists_all_but_link_local_and_metadata_may_be_called(void **state)
{
    static const char *const allowed[] = {"127.0.0.1", "10.0.0.1", "192.168.1.1", "8.8.8.8",   "0.0.0.0",
                                          "::1",       "fc00::1",  "2001:db8::1", "fd00::254", "169.253.1.1"};
    static const char *const refused[] = {"169.254.169.254", "169.254.0.1",   "100.100.100.200",
                                          "168.63.129.16",   "192.0.0.192",   "fe80::1",
                                          "febf::1",         "fd00:ec2::254", "fd00:ec2::23"};
    struct guard *g = make("", "");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        assert_allowed(g, "a.example", allowed[i]);
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        assert_refused(g, "a.example", refused[i], "denied unless delivery.allow names it");
    guard_unref(g);
}

static void an_address_is_judged_whatever_it_is_wrapped_in(void **state)
{
    /* All of them carry 169.254.169.254. */
    static const char *const wrapped[] = {
        "::ffff:169.254.169.254",               /* mapped */
        "::169.254.169.254",                    /* compatible */
        "::ffff:0:169.254.169.254",             /* translated */
        "64:ff9b::169.254.169.254",             /* NAT64 */
        "64:ff9b:1::169.254.169.254",           /* NAT64 of one's own, /96 */
        "64:ff9b:1:a9fe:a9:fe00::",             /* the same as /48 */
        "64:ff9b:1:ffff::169.254.169.254",      /* /96 of another part of it */
        "2002:a9fe:a9fe::1",                    /* 6to4 */
        "2001:0:a9fe:a9fe:8000:1234:f5ff:fffe", /* Teredo: the server */
        "2001:0:a00:1:8000:1234:5601:5601",     /* Teredo: the client */
        "2001:db8::5efe:169.254.169.254",       /* ISATAP */
        "2001:db8::200:5efe:169.254.169.254",   /* the same, of a unique address */
    };
    struct guard *plain = make("", "");
    struct guard *ten = make("", "10.0.0.0/8 127.0.0.0/8");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrapped); i++)
        assert_refused(plain, "", wrapped[i], "where clouds keep credentials");
    assert_refused(ten, "", "::ffff:10.1.2.3", "denied by delivery.deny: 10.0.0.0/8");
    assert_refused(ten, "", "64:ff9b::10.1.2.3", "denied by delivery.deny: 10.0.0.0/8");
    assert_refused(ten, "", "2002:0a01:0203::", "denied by delivery.deny: 10.0.0.0/8");
    /* Both lead to loopback. */
    assert_refused(ten, "", "0.0.0.0", "denied by delivery.deny: 127.0.0.0/8");
    assert_refused(ten, "", "::ffff:0.0.0.0", "denied by delivery.deny: 127.0.0.0/8");
    assert_allowed(ten, "", "2002:0b01:0203::");
    assert_allowed(ten, "", "::1");
    guard_unref(plain);
    guard_unref(ten);
    plain = make("", "::1");
    assert_refused(plain, "", "::", "denied by delivery.deny: ::1");
    guard_unref(plain);
}

static void with_an_allow_list_nothing_else_may_be_called(void **state)
{
    struct guard *g = make("10.1.0.0/16 *.example.com hooks.example.net", "10.1.9.0/24 bad.example.com");

    (void)state;
    assert_allowed(g, "whoever", "10.1.2.3");
    assert_allowed(g, "whoever", "64:ff9b::10.1.2.3");
    assert_allowed(g, "a.example.com", "203.0.113.1");
    assert_allowed(g, "HOOKS.example.net.", "203.0.113.1");
    assert_refused(g, "example.com", "203.0.113.1",
                   "must not call example.com (203.0.113.1): not in delivery.allow");
    assert_refused(g, "203.0.113.1", "203.0.113.1", "must not call 203.0.113.1: not in delivery.allow");
    assert_refused(g, "a.example.com", "10.1.9.1", "denied by delivery.deny: 10.1.9.0/24");
    assert_refused(g, "Bad.example.com", "203.0.113.1", "denied by delivery.deny: bad.example.com");
    /* A name of one's own that is made to point there. */
    assert_refused(g, "a.example.com", "169.254.169.254", "denied unless delivery.allow names it");
    /* One that is allowed and one that is not, in one address. */
    assert_refused(g, "", "64:ff9b:1:a01:2:300:cb00:7101", "not in delivery.allow");
    guard_unref(g);
}

static void what_is_denied_from_the_start_is_lifted_by_a_network_within_it_only(void **state)
{
    struct guard *exact = make("169.254.169.254 fe80::/64", "");
    struct guard *wide = make("0.0.0.0/0 ::/0", "");
    struct guard *both = make("169.254.0.0/16", "169.254.169.254");

    (void)state;
    assert_allowed(exact, "", "169.254.169.254");
    assert_allowed(exact, "", "fe80::1");
    assert_refused(exact, "", "169.254.169.253", "denied unless");
    assert_refused(exact, "", "fe80:0:0:1::1", "denied unless");
    assert_refused(wide, "", "169.254.169.254", "denied unless");
    assert_refused(wide, "", "fe80::1", "denied unless");
    assert_allowed(wide, "", "10.0.0.1");
    assert_allowed(both, "", "169.254.1.1");
    assert_refused(both, "", "169.254.169.254", "denied by delivery.deny: 169.254.169.254");
    guard_unref(exact);
    guard_unref(wide);
    guard_unref(both);
}

static enum err judge_host(const struct guard *g, const char *host)
{
    last = (struct error){0};
    return guard_judge_host(g, str_of(host), &last);
}

static void a_name_that_can_never_be_called_is_refused_before_it_is_looked_up(void **state)
{
    struct guard *none = make("", "");
    struct guard *g = make("*.example.com", "bad.example.com");
    struct guard *mixed = make("*.example.com 10.0.0.0/8", "");

    (void)state;
    assert_false(guard_knows_names(none));
    assert_true(guard_knows_names(g));
    assert_int_equal(judge_host(none, "a.example"), ERR_NONE);
    assert_int_equal(judge_host(none, "m\xc3\xbcnchen.example"), ERR_NONE);
    assert_int_equal(judge_host(none, "169.254.169.254"), ERR_REFUSED);
    assert_int_equal(judge_host(none, "fe80::1"), ERR_REFUSED);
    assert_int_equal(judge_host(g, "a.example.com"), ERR_NONE);
    assert_int_equal(judge_host(g, "bad.example.com"), ERR_REFUSED);
    assert_string_equal(last.text, "must not call bad.example.com: denied by delivery.deny: bad.example.com");
    assert_int_equal(judge_host(g, "other.example"), ERR_REFUSED);
    assert_string_equal(last.text, "must not call other.example: not in delivery.allow");
    assert_int_equal(judge_host(g, "10.0.0.1"), ERR_REFUSED);
    /* What it resolves to may be allowed. */
    assert_int_equal(judge_host(mixed, "other.example"), ERR_NONE);
    /* A resolver may take it for another name. */
    assert_int_equal(judge_host(g, "b\xef\xbd\x81"
                                   "d.example.com"),
                     ERR_REFUSED);
    guard_unref(none);
    guard_unref(g);
    guard_unref(mixed);
}

static void what_is_no_ip_is_refused_and_no_guard_refuses_nothing(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct guard *g = make("", "");

    (void)state;
    assert_int_equal(guard_judge(g, STR("x"), (const struct sockaddr *)&un, NULL), ERR_REFUSED);
    assert_int_equal(guard_judge(NULL, STR("x"), (const struct sockaddr *)&un, NULL), ERR_NONE);
    assert_int_equal(guard_judge_host(NULL, STR("169.254.1.1"), NULL), ERR_NONE);
    assert_null(guard_ref(NULL));
    guard_unref(NULL);
    assert_ptr_equal(guard_ref(g), g);
    guard_unref(g);
    guard_unref(g);
}

static void a_bad_entry_is_named_with_its_list(void **state)
{
    const struct str bad[] = {STR("10.0.0.0/8"), STR("10.1.1.1/8")};
    struct guard *g = NULL;
    struct error err;

    (void)state;
    assert_int_equal(guard_new(&(struct guard_lists){.deny = bad, .deny_n = 2}, &g, &err), ERR_INVALID);
    assert_string_equal(err.where, "delivery.deny");
    assert_string_equal(err.text, "10.1.1.1/8 has bits beyond its length; the network is 10.0.0.0/8");
    assert_null(g);
}

static void every_allocation_may_fail(void **state)
{
    const struct str list[] = {STR("10.0.0.0/8"), STR("*.example.com")};
    struct guard *g = NULL;

    (void)state;
    for (uint64_t n = 1;; n++) {
        enum err e;

        alloc_test_fail_nth(n);
        e = guard_new(&(struct guard_lists){list, 2, list, 2}, &g, NULL);
        alloc_test_fail_nth(0);
        if (!e)
            break;
        assert_int_equal(e, ERR_MEMORY);
        assert_null(g);
    }
    guard_unref(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_lists_all_but_link_local_and_metadata_may_be_called),
        cmocka_unit_test(an_address_is_judged_whatever_it_is_wrapped_in),
        cmocka_unit_test(with_an_allow_list_nothing_else_may_be_called),
        cmocka_unit_test(what_is_denied_from_the_start_is_lifted_by_a_network_within_it_only),
        cmocka_unit_test(a_name_that_can_never_be_called_is_refused_before_it_is_looked_up),
        cmocka_unit_test(what_is_no_ip_is_refused_and_no_guard_refuses_nothing),
        cmocka_unit_test(a_bad_entry_is_named_with_its_list),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
