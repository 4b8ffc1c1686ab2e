/*
 * writer.c: JSON that is written reads back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/writer.h"
#include "base/str.h"

static void containers_nest_and_commas_stand_between(void **state)
{
    struct buf b;
    struct writer w;

    (void)state;
    buf_init(&b, 4096);
    w = writer_of(&b);
    write_object(&w, NULL);
    write_array(&w, "a");
    write_i64(&w, NULL, -1);
    write_object(&w, NULL);
    write_end_object(&w);
    write_array(&w, NULL);
    write_end_array(&w);
    write_bool(&w, NULL, true);
    write_end_array(&w);
    write_str(&w, "b", STR("x\"\n"));
    write_null(&w, "c");
    write_raw(&w, "d", STR("[1,2]"));
    write_end_object(&w);
    assert_string_equal(b.p, "{\"a\":[-1,{},[],true],\"b\":\"x\\\"\\n\",\"c\":null,\"d\":[1,2]}");
    buf_done(&b);
}

static const char *ms(int64_t us)
{
    static char text[64];
    struct buf b;
    struct writer w;

    buf_init(&b, 64);
    w = writer_of(&b);
    write_ms(&w, NULL, us);
    (void)snprintf(text, sizeof(text), "%s", b.p);
    buf_done(&b);
    return text;
}

static void microseconds_are_told_exactly_as_milliseconds(void **state)
{
    (void)state;
    assert_string_equal(ms(0), "0");
    assert_string_equal(ms(1), "0.001");
    assert_string_equal(ms(12041), "12.041");
    assert_string_equal(ms(12040), "12.04");
    assert_string_equal(ms(12400), "12.4");
    assert_string_equal(ms(12000), "12");
    assert_string_equal(ms(-5), "0");
}

static void times_are_utc_and_never_is_null(void **state)
{
    struct buf b;
    struct writer w;

    (void)state;
    buf_init(&b, 256);
    w = writer_of(&b);
    write_array(&w, NULL);
    write_wall(&w, NULL, (struct wall){1500000});
    write_wall(&w, NULL, WALL_NEVER);
    write_end_array(&w);
    assert_string_equal(b.p, "[\"1970-01-01T00:00:01.500Z\",null]");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_nest_and_commas_stand_between),
        cmocka_unit_test(microseconds_are_told_exactly_as_milliseconds),
        cmocka_unit_test(times_are_utc_and_never_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
