/*
 * redis_address.c: addresses of Redis servers as definitions write them.
 */
#include "target_fixture.h"

#include "base/str.h"
#include "deliver/redis_internal.h"

static void addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
        const char *user;
        const char *password; /* NULL: no AUTH */
        int64_t database;
    } cases[] = {
        {"h", "h", 6379, "", NULL, 0},
        {"H.Example:1", "h.example", 1, "", NULL, 0},
        {"[::1]", "::1", 6379, "", NULL, 0},
        {"[FE80::1%eth0]:7", "fe80::1%eth0", 7, "", NULL, 0},
        {"redis://h", "h", 6379, "", NULL, 0},
        {"REDIS://h:2/", "h", 2, "", NULL, 0},
        {"redis://h/15", "h", 6379, "", NULL, 15},
        {"redis://:pw@h", "h", 6379, "", "pw", 0},
        {"redis://u:pw@[::1]:5/3", "::1", 5, "u", "pw", 3},
        {"redis://u@h", "h", 6379, "u", "", 0},
        {"redis://u%3a:p%40%2F%25@h", "h", 6379, "u:", "p@/%", 0},
        {"redis://u:a@b@h", "h", 6379, "u", "a@b", 0},
        {"redis://u:100%@h", "h", 6379, "u", "100%", 0},
        {"redis://u:%4@h", "h", 6379, "u", "%4", 0},
        {"redis://u:%zz:@h", "h", 6379, "u", "%zz:", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct redis_address a;

        assert_int_equal(redis_address_parse(str_of(cases[i].text), &a, NULL), ERR_NONE);
        assert_string_equal(a.host, cases[i].host);
        assert_int_equal(a.port, cases[i].port);
        assert_true(str_eq(a.user, str_of(cases[i].user)));
        assert_int_equal(a.password.p != NULL, cases[i].password != NULL);
        if (cases[i].password)
            assert_true(str_eq(a.password, str_of(cases[i].password)));
        assert_int_equal(a.database, cases[i].database);
        redis_address_done(&a);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",    "[::1",   ":6379",    "h:",           "h:0",         "h:65536",
        "h:x", "[::1]x", "redis://", "redis://u:p@", "redis://h/x", "[]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct redis_address a;

        if (redis_address_parse(str_of(wrong[i]), &a, NULL) == ERR_NONE)
            fail_msg("\"%s\" was taken", wrong[i]);
    }
}

static struct uuid key_of(const char *text)
{
    struct redis_address a;
    struct uuid key;

    assert_int_equal(redis_address_parse(str_of(text), &a, NULL), ERR_NONE);
    assert_int_equal(redis_address_key(&a, &key, NULL), ERR_NONE);
    redis_address_done(&a);
    return key;
}

static void only_what_matters_makes_two_connections_of_one(void **state)
{
    static const char *const distinct[] = {
        "h",           "h:1",           "i",           "redis://h/1",  "redis://:p@h",
        "redis://u@h", "redis://u:p@h", "redis://:@h", "redis://up@h",
    };

    (void)state;
    assert_true(uuid_eq(key_of("H"), key_of("redis://h:6379/0")));
    assert_true(uuid_eq(key_of("redis://u:%70@h"), key_of("redis://u:p@h/")));
    for (size_t i = 0; i < COUNT_OF(distinct); i++) {
        for (size_t j = 0; j < i; j++)
            assert_false(uuid_eq(key_of(distinct[i]), key_of(distinct[j])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(only_what_matters_makes_two_connections_of_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
