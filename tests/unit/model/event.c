/*
 * event.c: tests of what a target is sent.
 */
#include "model_fixture.h"

#include "base/alloc.h"
#include "base/str.h"
#include "model/event.h"

#include <string.h>

static const char task_with_secrets[] =
    "{\"name\":\"n\",\"type\":\"now\",\"schedule\":\"\",\"task\":{\"type\":\"rest\",\"body\":\"event\","
    "\"data\":{\"a\":[1]},"
    "\"connection\":{\"host\":\"http://"
    "u:MARKER@h\",\"headers\":{\"Authorization\":\"MARKER\",\"X-Anything\":\"MARKER\","
    "\"Content-Type\":\"text/plain\"}}}}";

static struct run a_run(void)
{
    struct run run = {.scheduled_at = at("2030-01-01T00:00:00Z"), .attempt = 3};

    assert_true(uuid_parse(STR("01890a5d-ac96-774b-bcce-b302099a8057"), &run.schedule_id));
    assert_true(uuid_parse(STR("01890a5d-ac96-774b-bcce-b302099a8058"), &run.id));
    return run;
}

static void expect_body(const char *members, const char *expected)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_task(members);
    CLEANUP(buf_done_p) struct buf b = {0};
    struct run run = a_run();

    buf_init(&b, 10000);
    assert_int_equal(event_body(s, &run, &b, NULL), ERR_NONE);
    assert_string_equal(buf_cstr(&b), expected);
}

static void data_is_sent_alone(void **state)
{
    (void)state;
    expect_body("\"data\":{\"z\":1,\"a\":[true,\"é\"]}", "{\"z\":1,\"a\":[true,\"é\"]}");
    expect_body("\"data\":\"text\"", "\"text\"");
    expect_body("\"data\":0", "0");
}

static void without_data_the_body_is_empty(void **state)
{
    (void)state;
    expect_body("\"body\":\"data\"", "");
    expect_body("\"data\":null", "");
}

static void an_event_is_the_schedule_with_its_run_and_without_secrets(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_schedule(task_with_secrets);
    CLEANUP(buf_done_p) struct buf b = {0};
    struct run run = a_run();

    (void)state;
    buf_init(&b, 10000);
    assert_int_equal(event_body(s, &run, &b, NULL), ERR_NONE);
    assert_string_equal(
        buf_cstr(&b),
        "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"run_id\":\"01890a5d-ac96-774b-bcce-"
        "b302099a8058\","
        "\"scheduled_at\":\"2030-01-01T00:00:00Z\",\"attempt\":3,\"name\":\"n\",\"type\":\"now\","
        "\"schedule\":\"\","
        "\"task\":{\"type\":\"rest\",\"body\":\"event\",\"data\":{\"a\":[1]},\"connection\":{\"host\":\"http:"
        "//***@h\","
        "\"headers\":{\"Authorization\":\"***\",\"X-Anything\":\"***\",\"Content-Type\":\"text/plain\"}}},"
        "\"timezone\":\"Asia/Seoul\"}");
    /* The next attempt still has its headers. */
    assert_str_equal(json_str(json_object_get(s->task.headers, "X-Anything")), "MARKER");
}

static void a_body_over_the_limit_or_without_memory_is_an_error(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_schedule(task_with_secrets);
    struct run run = a_run();
    struct buf small = {0};
    bool worked = false;

    (void)state;
    buf_init(&small, 10);
    assert_int_equal(event_body(s, &run, &small, NULL), ERR_TOO_LARGE);
    buf_done(&small);
    for (uint64_t nth = 1; !worked; nth++) {
        CLEANUP(buf_done_p) struct buf b = {0};
        enum err e;

        assert_true(nth < 500);
        buf_init(&b, 10000);
        alloc_test_fail_nth(nth);
        e = event_body(s, &run, &b, NULL);
        alloc_test_fail_nth(0);
        worked = e == ERR_NONE;
        assert_true(worked || e == ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_sent_alone),
        cmocka_unit_test(without_data_the_body_is_empty),
        cmocka_unit_test(an_event_is_the_schedule_with_its_run_and_without_secrets),
        cmocka_unit_test(a_body_over_the_limit_or_without_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
