/*
 * secret.c: tests of what is write-only: hidden in every read, kept by writing "***" back.
 */
#include "model_fixture.h"

#include "base/alloc.h"
#include "base/str.h"
#include "model/secret.h"

#include <string.h>

#define REST(host, headers)                                                                                  \
    "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"" host          \
    "\",\"headers\":{" headers "}}}}"
#define KAFKA(config)                                                                                        \
    "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"kafka\",\"connection\":{\"host\":\"k\","          \
    "\"topic\":\"t\",\"config\":{" config "}}}}"

static json_t *public_connection(const struct schedule *s, json_t **ret_whole)
{
    struct schedule_rules rules = fixture_rules();

    assert_int_equal(schedule_public_json(s, &rules, ret_whole, NULL), ERR_NONE);
    return json_object_get(json_object_get(*ret_whole, "task"), "connection");
}

static void secrets_are_hidden_from_every_reader(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s =
        fixture_schedule(REST("https://user:MARKER@h/p",
                              "\"Authorization\":\"MARKER\",\"cookie\":\"MARKER\",\"X-Hidden\":\"MARKER\","
                              "\"X-Api-Key\":\"MARKER\",\"X-Auth-Token\":\"MARKER\",\"Accept\":\"shown\""));
    CLEANUP(json_free_p) json_t *v = NULL;
    CLEANUP(alloc_free_p) char *text = NULL;
    json_t *connection = public_connection(s, &v);

    (void)state;
    text = fixture_text(v);
    assert_null(strstr(text, "MARKER"));
    assert_str_equal(json_str(json_object_get(connection, "host")), "https://***@h/p");
    assert_str_equal(json_str(json_object_get(json_object_get(connection, "headers"), "Accept")), "shown");
    assert_str_equal(json_str(json_object_get(json_object_get(connection, "headers"), "X-Hidden")), "***");
    /* The schedule itself is as it was. */
    assert_str_equal(json_str(json_object_get(s->task.headers, "Authorization")), "MARKER");
    assert_str_equal(s->task.host, "https://user:MARKER@h/p");
}

static void settings_of_kafka_that_are_secret_are_hidden(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_schedule(KAFKA("\"sasl.username\":\"me\",\"sasl.password\":\"MARKER\",\"ssl."
                                                "key.pem\":\"MARKER\",\"ssl.key.password\":\"MARKER\""));
    CLEANUP(json_free_p) json_t *v = NULL;
    CLEANUP(alloc_free_p) char *text = NULL;
    json_t *connection = public_connection(s, &v);

    (void)state;
    text = fixture_text(v);
    assert_null(strstr(text, "MARKER"));
    assert_str_equal(json_str(json_object_get(json_object_get(connection, "config"), "sasl.username")), "me");
}

static void the_public_form_is_otherwise_the_definition(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s =
        fixture_with("\"type\":\"cron\",\"schedule\":\"@daily\",\"client\":{\"key\":\"k\"},\"jitter\":5");
    CLEANUP(json_free_p) json_t *v = NULL;

    (void)state;
    (void)public_connection(s, &v);
    assert_true(json_equal(v, s->json));
    assert_ptr_not_equal(v, s->json);
}

static void what_is_read_and_written_back_keeps_the_secrets(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s =
        fixture_schedule(REST("https://user:pw@h/p", "\"Authorization\":\"Bearer x\",\"Accept\":\"a\""));
    CLEANUP(schedule_unref_p) struct schedule *again = NULL;
    CLEANUP(json_free_p) json_t *v = NULL;
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};

    (void)state;
    (void)public_connection(s, &v);
    assert_true(schedule_json_keeps_secrets(v));
    assert_int_equal(schedule_decode(v, &rules, s, &again, &faults), ERR_NONE);
    assert_true(json_equal(again->json, s->json));
    assert_str_equal(again->task.host, "https://user:pw@h/p");
    assert_false(schedule_json_keeps_secrets(again->json));
}

static void a_kept_value_is_found_whatever_the_case_of_its_name(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *prior = fixture_schedule(REST("http://h", "\"AUTHORIZATION\":\"x\""));
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};

    (void)state;
    assert_int_equal(
        fixture_decode(REST("http://h", "\"authorization\":\"***\""), &rules, prior, &s, &faults), ERR_NONE);
    assert_str_equal(json_str(json_object_get(s->task.headers, "authorization")), "x");
}

static void a_kept_password_of_kafka_is_found(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *prior = fixture_schedule(KAFKA("\"sasl.password\":\"x\""));
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};

    (void)state;
    assert_int_equal(fixture_decode(KAFKA("\"sasl.password\":\"***\""), &rules, prior, &s, &faults),
                     ERR_NONE);
    assert_str_equal(json_str(json_object_get(s->task.config, "sasl.password")), "x");
}

static void with_nothing_to_keep_the_mask_is_a_fault(void **state)
{
    static const struct {
        const char *text;
        const char *pointer;
    } cases[] = {
        {REST("http://h", "\"Cookie\":\"***\""), "/task/connection/headers/Cookie"},
        {REST("http://***@h", ""), "/task/connection/host"},
    };
    CLEANUP(schedule_unref_p)
    struct schedule *prior = fixture_schedule(REST("http://h", "\"Authorization\":\"x\""));
    struct schedule_rules rules = fixture_rules();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int with_prior = 0; with_prior <= 1; with_prior++) {
            struct error_list faults = {0};
            struct schedule *s;

            assert_int_equal(fixture_decode(cases[i].text, &rules, with_prior ? prior : NULL, &s, &faults),
                             ERR_INVALID);
            assert_int_equal(faults.n, 1);
            assert_string_equal(faults.items[0].where, cases[i].pointer);
        }
    }
}

static void three_stars_in_a_header_that_is_not_secret_are_three_stars(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_schedule(REST("http://h", "\"X-Rating\":\"***\""));

    (void)state;
    assert_str_equal(json_str(json_object_get(s->task.headers, "X-Rating")), "***");
}

static void whether_secrets_are_kept_is_seen_before_decoding(void **state)
{
    static const struct {
        const char *text;
        bool keeps;
    } cases[] = {
        {REST("http://h", "\"Cookie\":\"***\""), true},
        {REST("http://h", "\"Cookie\":\"x\""), false},
        {REST("http://***@h", ""), true},
        {KAFKA("\"sasl.password\":\"***\""), true},
        {KAFKA("\"sasl.password\":\"x\""), false},
        {"{}", false},
        {"[]", false},
        {"{\"task\":7}", false},
        {"{\"task\":{\"connection\":[\"***\"]}}", false},
        {"{\"task\":{\"connection\":{\"headers\":\"***\",\"host\":7}}}", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(json_free_p) json_t *v = fixture_json(cases[i].text);

        assert_int_equal(schedule_json_keeps_secrets(v), cases[i].keeps);
    }
}

static void hiding_fails_cleanly_when_memory_runs_out(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_schedule(REST("https://user:pw@h/p", "\"Authorization\":\"Bearer x\""));
    struct schedule_rules rules = fixture_rules();
    bool worked = false;

    (void)state;
    for (uint64_t nth = 1; !worked; nth++) {
        CLEANUP(json_free_p) json_t *v = NULL;
        enum err e;

        assert_true(nth < 200);
        alloc_test_fail_nth(nth);
        e = schedule_public_json(s, &rules, &v, NULL);
        alloc_test_fail_nth(0);
        worked = e == ERR_NONE;
        assert_true(worked || (e == ERR_MEMORY && !v));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_hidden_from_every_reader),
        cmocka_unit_test(settings_of_kafka_that_are_secret_are_hidden),
        cmocka_unit_test(the_public_form_is_otherwise_the_definition),
        cmocka_unit_test(what_is_read_and_written_back_keeps_the_secrets),
        cmocka_unit_test(a_kept_value_is_found_whatever_the_case_of_its_name),
        cmocka_unit_test(a_kept_password_of_kafka_is_found),
        cmocka_unit_test(with_nothing_to_keep_the_mask_is_a_fault),
        cmocka_unit_test(three_stars_in_a_header_that_is_not_secret_are_three_stars),
        cmocka_unit_test(whether_secrets_are_kept_is_seen_before_decoding),
        cmocka_unit_test(hiding_fails_cleanly_when_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
