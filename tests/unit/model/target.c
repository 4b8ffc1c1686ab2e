/*
 * target.c: tests of whom a task calls, as far as queues are concerned.
 */
#include "model_fixture.h"

#include "base/buf.h"
#include "base/str.h"
#include "model/target.h"

static struct task calls(enum task_type type, const char *host)
{
    return (struct task){.type = type, .host = str_of(host)};
}

static void the_authority_is_what_stands_before_the_path_without_user_and_password(void **state)
{
    static const char *const cases[][2] = {
        {"http://a.example/x/y", "a.example"},
        {"https://u:p@a.example:8443?q=//other/", "a.example:8443"},
        {"http://a.example", "a.example"},
        {"http://[::1]:80#f@g", "[::1]:80"},
        {"k1:9092,k2:9092", "k1:9092,k2:9092"},
        {"redis://u:p@r.example:6379/3", "r.example:6379"},
        {"http://", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct task t = calls(TASK_REST, cases[i][0]);

        assert_str_equal(target_authority(&t), cases[i][1]);
    }
}

static bool same(enum task_type a_type, const char *a, enum task_type b_type, const char *b)
{
    struct task x = calls(a_type, a);
    struct task y = calls(b_type, b);

    return uuid_eq(target_key(&x), target_key(&y));
}

static void one_host_is_one_target_and_another_host_or_type_is_another(void **state)
{
    (void)state;
    assert_true(same(TASK_REST, "http://a.example/x", TASK_REST, "http://A.Example/y?z"));
    assert_true(same(TASK_REST, "http://u:p@a.example/", TASK_REST, "http://a.example"));
    assert_false(same(TASK_REST, "http://a.example/", TASK_REST, "http://b.example/"));
    assert_false(same(TASK_REST, "http://a.example/", TASK_REST, "http://a.example:8080/"));
    assert_false(same(TASK_KAFKA, "a:1", TASK_REDIS, "a:1"));
}

/* The first is the same target as all others, which are the same thing spelled differently. */
static void all_the_same(enum task_type type, const char *const *cases, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (!same(type, cases[0], type, cases[i]))
            fail_msg("%s is not %s", cases[i], cases[0]);
    }
}
#define ALL_THE_SAME(type, ...)                                                                              \
    all_the_same(type, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void all_different(enum task_type type, const char *const *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (same(type, cases[k], type, cases[i]))
                fail_msg("%s is taken for %s", cases[i], cases[k]);
        }
    }
}
#define ALL_DIFFERENT(type, ...)                                                                             \
    all_different(type, (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void a_name_is_one_target_however_it_is_spelled(void **state)
{
    (void)state;
    ALL_THE_SAME(TASK_REST, "http://localhost/", "http://LOCALHOST", "http://localhost.",
                 "http://localhost:80", "http://localhost:080?x",
                 "http://localhost:", "HTTP://u:p@LocalHost.:00080/", "http://%6cocalhost/",
                 "http://%6C%6f%63%61%6c%68%6f%73%74%2E:80");
    ALL_THE_SAME(TASK_REST, "https://a.example/", "https://A.example:443/", "https://a%2eexample.:0443#f");
    ALL_DIFFERENT(TASK_REST, "http://localhost/", "https://localhost/", "http://localhost:443/",
                  "https://localhost:80", "http://localhost:8080", "http://localhos/", "http://localhost../",
                  "http://a%b/", "http://x%20y/", "http://x%2520y/", "http://", "http://:81");
}

static void an_ipv4_address_is_one_target_however_it_is_spelled(void **state)
{
    (void)state;
    ALL_THE_SAME(TASK_REST, "http://127.0.0.1/", "http://127.1", "http://127.0.1", "http://0x7f000001",
                 "http://0X7F.1", "http://2130706433", "http://017700000001:80", "http://0177.0.0.01",
                 "http://127.0x0.0.1", "http://127.0.0.1.", "http://%31%32%37.1", "http://0x7f.%30.0x01",
                 "http://[::ffff:127.0.0.1]", "http://[::FFFF:7f00:1]:80", "http://0.0.0.0", "http://0");
    ALL_THE_SAME(TASK_REST, "http://10.255.1.2/", "http://10.255.258/", "http://10.16711938",
                 "http://184484098");
    ALL_DIFFERENT(TASK_REST, "http://127.0.0.1/", "http://127.0.0.2", "http://127.0.0.1:81", "http://256.1",
                  "http://127.0.0.256", "http://127.0.0.08", "http://127.0.0.0x", "http://127.0.0.1.0",
                  "http://127..1", "http://4294967297", "http://0x100000001", "http://127.16777216",
                  "http://127.0.0.1a");
}

static void an_ipv6_address_is_one_target_however_it_is_spelled(void **state)
{
    (void)state;
    ALL_THE_SAME(TASK_REST, "http://[::1]/", "http://[0:0:0:0:0:0:0:1]", "http://[0000::0001]:80",
                 "http://[::0.0.0.1]:080", "http://[::1%25lo]", "http://[::1%lo]/", "http://[::]");
    ALL_THE_SAME(TASK_REST, "https://[2001:db8::a]", "https://[2001:DB8:0::A]:443",
                 "https://[2001:0db8::000a]");
    ALL_DIFFERENT(TASK_REST, "http://[::1]/", "http://[::2]", "http://[::1]:81", "http://[::1::]",
                  "http://127.0.0.1", "http://[]");
}

static void servers_of_other_kinds_are_spelled_differently_too(void **state)
{
    (void)state;
    ALL_THE_SAME(TASK_REDIS, "r.example", "R.Example.:6379", "redis://r.example",
                 "REDIS://u:p@r.example:06379/3");
    ALL_THE_SAME(TASK_REDIS, "127.1:7", "redis://127.0.0.1:7/1", "[::ffff:127.0.0.1]:07");
    ALL_DIFFERENT(TASK_REDIS, "r.example", "r.example:6380", "%72.example");
    ALL_THE_SAME(TASK_KAFKA, "k1,k2:9093", "K2.:9093,k1:9092", " k1:09092 , k2:9093,k1",
                 "k2:9093,PLAINTEXT://k1:9092");
    ALL_DIFFERENT(TASK_KAFKA, "k1", "k1,k2", "k2", "k1:9093", "", "k1,k3");
}

static void a_long_address_is_no_trouble(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    (void)state;
    buf_init(&b, 10000);
    buf_add_cstr(&b, "http://");
    for (int i = 0; i < 4000; i++)
        buf_add_char(&b, 'a');
    assert_true(same(TASK_REST, buf_cstr(&b), TASK_REST, buf_cstr(&b)));
    assert_false(same(TASK_REST, buf_cstr(&b), TASK_REST, "http://a/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_authority_is_what_stands_before_the_path_without_user_and_password),
        cmocka_unit_test(one_host_is_one_target_and_another_host_or_type_is_another),
        cmocka_unit_test(a_name_is_one_target_however_it_is_spelled),
        cmocka_unit_test(an_ipv4_address_is_one_target_however_it_is_spelled),
        cmocka_unit_test(an_ipv6_address_is_one_target_however_it_is_spelled),
        cmocka_unit_test(servers_of_other_kinds_are_spelled_differently_too),
        cmocka_unit_test(a_long_address_is_no_trouble),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
