/*
 * value.c: one grammar for durations, sizes, words and lists.
 */
#include "config/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static void a_plain_number_is_seconds(void **state)
{
    int64_t us;

    (void)state;
    assert_true(value_duration(STR("30"), &us));
    assert_int_equal(us, 30 * US_PER_S);
    assert_true(value_duration(STR("0.5"), &us));
    assert_int_equal(us, US_PER_S / 2);
}

static void durations_take_units(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"250ms", 250 * US_PER_MS}, {"0.5ms", 500},
        {"30s", 30 * US_PER_S},     {"5m", 300 * US_PER_S},
        {"1h", 3600 * US_PER_S},    {"1.5h", 5400 * US_PER_S},
        {"7d", 604800 * US_PER_S},  {"7 d", 604800 * US_PER_S},
        {" 10 ", 10 * US_PER_S},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us = -1;

        assert_true(value_duration(str_of(cases[i].text), &us));
        assert_int_equal(us, cases[i].us);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    static const char *const bad[] = {"",    "s",   "30x",           "30 s s", "1h30m",
                                      "--1", "1e3", "999999999999d", "0x10"};
    int64_t us;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(value_duration(str_of(bad[i]), &us));
}

static void sizes_take_units(void **state)
{
    int64_t n;

    (void)state;
    assert_true(value_size(STR("1048576"), &n));
    assert_int_equal(n, 1048576);
    assert_true(value_size(STR("512KiB"), &n));
    assert_int_equal(n, 512 * 1024);
    assert_true(value_size(STR("1 mib"), &n));
    assert_int_equal(n, 1024 * 1024);
    assert_true(value_size(STR("2GiB"), &n));
    assert_int_equal(n, INT64_C(2) << 30);
    assert_false(value_size(STR("1MB"), &n));
    assert_false(value_size(STR("1.5MiB"), &n));
    assert_false(value_size(STR("9223372036854775807KiB"), &n));
    assert_false(value_size(STR(""), &n));
}

/* Sets one member of otherwise empty settings and prints it again. */
static enum err round_trip(const char *path, const char *text, char *ret, size_t size, struct error *err)
{
    struct settings s = {0};
    const struct setting *t = setting_find(str_of(path));
    struct buf out;
    enum err e;

    assert_non_null(t);
    e = value_set(&s, t, str_of(text), err);
    if (!e) {
        buf_init(&out, 1024);
        value_add(&s, t, &out);
        assert_true(out.n < size);
        memcpy(ret, buf_cstr(&out), out.n + 1);
        buf_done(&out);
    }
    value_free(&s, t);
    return e;
}

static void assert_prints(const char *path, const char *text, const char *expected)
{
    char shown[1024];
    struct error err = {0};

    if (round_trip(path, text, shown, sizeof(shown), &err))
        fail_msg("%s: %s: %s", path, text, err.text);
    assert_string_equal(shown, expected);
}

static void assert_refused(const char *path, const char *text, const char *expected)
{
    char shown[1024];
    struct error err = {0};

    if (!round_trip(path, text, shown, sizeof(shown), &err))
        fail_msg("%s: %s was accepted", path, text);
    if (!strstr(err.text, expected))
        fail_msg("%s: %s: \"%s\" does not say \"%s\"", path, text, err.text, expected);
}

static void values_print_in_the_largest_whole_unit(void **state)
{
    (void)state;
    assert_prints("shutdown.grace", "90", "90s");
    assert_prints("shutdown.grace", "120", "2m");
    assert_prints("shutdown.grace", "0", "0s");
    assert_prints("shutdown.grace", "0.25", "250ms");
    assert_prints("shutdown.grace", "1.000001", "1.000001s");
    assert_prints("retention.finished", "24h", "1d");
    assert_prints("server.max_body", "1048576", "1MiB");
    assert_prints("server.max_body", "1025", "1025");
    assert_prints("server.threads", "8", "8");
    assert_prints("admin.reset", "YES", "true");
    assert_prints("admin.reset", "0", "false");
    assert_prints("log.level", "debug", "debug");
}

static void numbers_out_of_range_name_the_range(void **state)
{
    (void)state;
    assert_refused("server.threads", "0", "a whole number from 1 to 256");
    assert_refused("server.threads", "2.5", "a whole number from 1 to 256");
    assert_refused("scheduler.lease", "1s", "from 3s to 1h");
    assert_refused("server.max_body", "12", "from 1KiB to 1GiB");
    assert_refused("admin.reset", "maybe", "true or false");
    assert_refused("log.level", "loud", "must be error, warn, info or debug");
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    assert_prints("database.pw", "hunter2", "***");
    assert_prints("database.pw", "", "");
    assert_prints("database.url", "postgresql://me:hunter2@db/carillon", "postgresql://***@db/carillon");
    assert_prints("database.url", "postgresql://me:hun@ter2@db/carillon", "postgresql://***@db/carillon");
    assert_prints("database.url", "postgresql://db/car@illon", "postgresql://db/car@illon");
    assert_prints("database.url", "sqlite:./data/a@b.db", "sqlite:./data/a@b.db");
    assert_prints("redis.url", "redis://:pw@localhost:6379/0", "redis://***@localhost:6379/0");
}

static void lists_are_words_between_commas(void **state)
{
    (void)state;
    assert_prints("delivery.hidden_headers", "X-Api-Key, x-token ,X-API-KEY", "x-api-key,x-token");
    assert_prints("delivery.hidden_headers", "", "");
    assert_prints("roles", "worker,api", "worker,api");
    assert_refused("roles", "", "at least one");
    assert_refused("roles", "api,boss", "must be api, worker or monitor");
    assert_refused("delivery.hidden_headers", "a b", "names of HTTP headers");
    assert_prints("delivery.deny", "10.0.0.0/8, *.Example.com,::1", "10.0.0.0/8,*.example.com,::1");
    assert_refused("delivery.allow", "a.example,10.1.1.1/8", "10.1.1.1/8 has bits beyond its length");
    assert_refused("delivery.allow", "http://a.example", "is no IP address");
    assert_refused("delivery.hidden_headers", "a,,b", "empty item");
}

static void addresses_have_a_port(void **state)
{
    (void)state;
    assert_prints("server.listen", "[::1]:0", "[::1]:0");
    assert_prints("server.listen", "0.0.0.0:65535", "0.0.0.0:65535");
    assert_prints("server.listen", ":9902", ":9902");
    assert_refused("server.listen", "127.0.0.1", "ADDRESS:PORT");
    assert_refused("server.listen", "127.0.0.1:65536", "ADDRESS:PORT");
    assert_refused("server.listen", "::1:9902", "ADDRESS:PORT");
    assert_refused("server.listen", "127.0.0.1:", "ADDRESS:PORT");
    assert_refused("server.listen", "", "empty");
}

static void loopback_is_told_from_the_world(void **state)
{
    (void)state;
    assert_false(settings_listens_beyond_loopback("127.0.0.1:9902"));
    assert_false(settings_listens_beyond_loopback("127.1.2.3:0"));
    assert_false(settings_listens_beyond_loopback("[::1]:9902"));
    assert_false(settings_listens_beyond_loopback("localhost:9902"));
    assert_true(settings_listens_beyond_loopback("0.0.0.0:9902"));
    assert_true(settings_listens_beyond_loopback("[::]:9902"));
    assert_true(settings_listens_beyond_loopback(":9902"));
    assert_true(settings_listens_beyond_loopback("192.168.0.7:9902"));
}

static void database_urls_are_of_two_kinds(void **state)
{
    const char *path;

    (void)state;
    assert_prints("database.url", "sqlite:/var/lib/x.db", "sqlite:/var/lib/x.db");
    assert_refused("database.url", "sqlite:", "names no file");
    assert_prints("database.url", "sqlite:///x.db", "sqlite:///x.db");
    assert_refused("database.url", "sqlite://host/x.db", "without a host");
    assert_refused("database.url", "mysql://x", "sqlite:PATH or postgresql://");
    assert_true(settings_sqlite_path("sqlite:./data/x.db", &path));
    assert_string_equal(path, "./data/x.db");
    assert_false(settings_sqlite_path("postgresql://x", &path));
}

static void a_schema_needs_no_quotes_anywhere(void **state)
{
    (void)state;
    assert_prints("database.schema", "carillon_2", "carillon_2");
    assert_refused("database.schema", "Carillon", "lower case");
    assert_refused("database.schema", "2nd", "lower case");
    assert_refused("database.schema", "a\"b", "lower case");
    assert_refused("database.schema", "a23456789_123456789_123456789_123456789_1", "at most 40");
    assert_prints("wakeup.url", "postgresql://me:hunter2@db/x", "postgresql://***@db/x");
    assert_refused("wakeup.url", "redis://x", "postgresql://");
}

static void texts_are_utf8_without_nul(void **state)
{
    struct settings s = {0};
    struct error err = {0};
    const struct setting *t = setting_find(STR("server.instance"));

    (void)state;
    assert_int_equal(value_set(&s, t, STR("a\0b"), &err), ERR_INVALID);
    assert_int_equal(value_set(&s, t, STR("\xff"), &err), ERR_INVALID);
    assert_null(s.server.instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_number_is_seconds),
        cmocka_unit_test(durations_take_units),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(sizes_take_units),
        cmocka_unit_test(values_print_in_the_largest_whole_unit),
        cmocka_unit_test(numbers_out_of_range_name_the_range),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(lists_are_words_between_commas),
        cmocka_unit_test(addresses_have_a_port),
        cmocka_unit_test(loopback_is_told_from_the_world),
        cmocka_unit_test(database_urls_are_of_two_kinds),
        cmocka_unit_test(a_schema_needs_no_quotes_anywhere),
        cmocka_unit_test(texts_are_utf8_without_nul),
    };

    return cmocka_run_group_tests_name("config/value", tests, NULL, NULL);
}
