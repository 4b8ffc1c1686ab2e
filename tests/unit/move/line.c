/*
 * line.c: what is wrong with a line is told by its member; and every allocation on the way fails once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"
#include "move/line.h"

#define ID "\"id\":\"019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10\""
#define T "\"2026-01-01T00:00:00Z\""
#define SCHEDULE_WITH(more)                                                                                  \
    "{\"schedule\":{" ID ",\"version\":1,\"created_at\":" T ",\"updated_at\":" T ",\"state\":\"active\","    \
    "\"started_at\":" T ",\"definition\":{\"a\":1}" more "}}"
#define RUN_WITH(more)                                                                                       \
    "{\"run\":{" ID ",\"schedule_id\":\"019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b11\",\"version\":1,"               \
    "\"scheduled_at\":" T more "}}"

static void fault_of(const char *text, const char *where, const char *said)
{
    struct error err = {0};
    struct line l = {0};

    assert_int_equal(line_read(str_of(text), &l, &err), ERR_INVALID);
    assert_string_equal(err.where, where);
    assert_non_null(strstr(err.text, said));
}

static struct line good(const char *text)
{
    struct error err = {0};
    struct line l = {0};

    if (line_read(str_of(text), &l, &err))
        print_error("%s: %s\n", err.where, err.text);
    assert_int_equal(err.code, ERR_NONE);
    return l;
}

static void what_is_left_out_is_nothing_never_or_zero(void **state)
{
    struct line l = good(SCHEDULE_WITH(""));

    (void)state;
    assert_int_equal(l.kind, LINE_SCHEDULE);
    assert_true(wall_is_never(l.record.timer.next_at));
    assert_true(wall_is_never(l.record.timer.occurs_at));
    assert_true(wall_is_never(l.record.last_at));
    assert_int_equal(l.record.timer.runs, 0);
    line_done(&l);
    l = good(RUN_WITH(",\"state\":\"pending\""));
    assert_true(wall_is_never(l.run.record.run.due_at));
    assert_true(wall_is_never(l.run.record.ended_at));
    assert_int_equal(l.run.record.run.by_hand_at.us, 0);
    assert_false(l.run.doomed);
    line_done(&l);
}

static void a_fault_is_told_by_its_member(void **state)
{
    (void)state;
    fault_of("[]", "", "one member");
    fault_of("{}", "", "one member");
    fault_of("{\"schedule\":{},\"run\":{}}", "", "one member");
    fault_of("{\"schedule\":{}}", "/schedule/id", "is missing");
    fault_of(SCHEDULE_WITH(",\"prio/rity\":1"), "/schedule/prio~1rity", "no member");
    fault_of(SCHEDULE_WITH(",\"runs\":-1"), "/schedule/runs", "from 0");
    fault_of(SCHEDULE_WITH(",\"runs\":1.5"), "/schedule/runs", "whole number");
    fault_of(SCHEDULE_WITH(",\"next_at\":\"2026-01-01T00:00:00\""), "/schedule/next_at", "a time such as");
    fault_of(SCHEDULE_WITH(",\"next_at\":\"1970-01-01T00:00:00+01:00\""), "/schedule/next_at", "from 1970");
    fault_of(SCHEDULE_WITH(",\"next_at\":null"), "/schedule/next_at", "a time such as");
    fault_of(SCHEDULE_WITH(",\"missed\":{\"bored\":1}"), "/schedule/missed/bored", "no reason");
    fault_of(SCHEDULE_WITH(",\"missed\":{\"late\":\"1\"}"), "/schedule/missed/late", "whole number");
    fault_of(SCHEDULE_WITH(",\"missed\":{\"late\":9223372036854775807}"), "/schedule/missed/late", "from 0");
    fault_of(SCHEDULE_WITH(",\"last_state\":\"failed\""), "/schedule/last_at", "missing");
    fault_of(RUN_WITH(""), "/run/state", "is missing");
    fault_of(RUN_WITH(",\"state\":\"succeeded\""), "/run/state", "open or dead");
    fault_of(RUN_WITH(",\"state\":\"retrying\""), "/run/due_at", "missing");
    fault_of(RUN_WITH(",\"state\":\"dead\",\"doomed\":1"), "/run/doomed", "true or false");
    fault_of(RUN_WITH(",\"state\":\"running\",\"owed\":true"), "/run/owed", "doomed");
    fault_of(RUN_WITH(",\"state\":\"dead\",\"status\":3000000000"), "/run/status", "from 0");
    fault_of("{\"carillon\":\"export\",\"format\":\"1\"}", "/format", "format 1");
}

static void of_a_schedule_that_cannot_be_read_the_id_is_known(void **state)
{
    struct error err = {0};
    struct line l = {0};
    char id[UUID_TEXT + 1];

    (void)state;
    assert_int_equal(line_read(str_of(SCHEDULE_WITH(",\"prio\":1")), &l, &err), ERR_INVALID);
    assert_int_equal(l.kind, LINE_SCHEDULE);
    uuid_format(l.record.id, id);
    assert_string_equal(id, "019ab2c5-7d4e-7c11-9a0b-3f6d2a8e5b10");
    assert_null(l.definition);
    assert_int_equal(line_read(str_of("{\"schedule\":"), &l, &err), ERR_SYNTAX);
    assert_int_equal(l.kind, LINE_UNKNOWN);
    assert_true(uuid_is_nil(l.record.id));
    assert_int_equal(line_read(str_of(RUN_WITH("")), &l, &err), ERR_INVALID);
    assert_int_equal(l.kind, LINE_RUN);
}

static void an_error_text_must_fit(void **state)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    (void)state;
    buf_init(&text, 10000);
    buf_add_cstr(&text, "{\"run\":{" ID ",\"error\":\"");
    for (int i = 0; i < ATTEMPT_TEXT_MAX; i++)
        buf_add_char(&text, 'x');
    buf_add_cstr(&text, "\"}}");
    fault_of(buf_cstr(&text), "/run/error", "at most");
}

static void every_allocation_may_fail(void **state)
{
    static const char text[] = SCHEDULE_WITH(",\"missed\":{\"late\":1},\"runs\":5");
    bool reached = true;

    (void)state;
    for (uint64_t n = 1; reached; n++) {
        struct error err = {0};
        struct line l = {0};
        enum err e;

        alloc_test_fail_nth(n);
        e = line_read(str_of(text), &l, &err);
        reached = alloc_test_failed();
        assert_int_equal(e, reached ? ERR_MEMORY : ERR_NONE);
        if (!e)
            line_done(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_is_nothing_never_or_zero),
        cmocka_unit_test(a_fault_is_told_by_its_member),
        cmocka_unit_test(of_a_schedule_that_cannot_be_read_the_id_is_known),
        cmocka_unit_test(an_error_text_must_fit),
        cmocka_unit_test(every_allocation_may_fail),
    };

    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
