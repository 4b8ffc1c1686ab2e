/*
 * uuid.c: tests of base/uuid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/uuid.h"

/* RFC 9562, appendix A.6: 2022-02-22T19:22:22.000Z begins 017f22e2-79b0-7... */
static void the_time_leads_and_version_and_variant_are_set(void **state)
{
    char text[UUID_TEXT + 1];

    (void)state;
    for (int i = 0; i < 200; i++) {
        uuid_format(uuid_v7((struct wall){INT64_C(1645557742000) * 1000 + 999}), text);
        assert_memory_equal(text, "017f22e2-79b0-7", 15);
        assert_non_null(strchr("89ab", text[19]));
    }
}

static void a_later_microsecond_sorts_later(void **state)
{
    struct uuid last = uuid_v7((struct wall){0});

    (void)state;
    for (int64_t us = 1; us < 5000; us++) {
        struct uuid next = uuid_v7((struct wall){us});

        assert_true(uuid_cmp(last, next) < 0);
        last = next;
    }
}

static void times_that_do_not_fit_are_bent_to_ones_that_do(void **state)
{
    static const uint8_t zeros[6];

    (void)state;
    assert_memory_equal(uuid_v7((struct wall){-1}).b, zeros, sizeof(zeros));
    assert_memory_equal(uuid_v7((struct wall){INT64_MIN}).b, zeros, sizeof(zeros));
    assert_true(uuid_cmp(uuid_v7((struct wall){WALL_MAX_US}), uuid_v7((struct wall){0})) > 0);
}

static int by_value(const void *a, const void *b)
{
    return uuid_cmp(*(const struct uuid *)a, *(const struct uuid *)b);
}

static void thousands_made_at_one_instant_all_differ(void **state)
{
    static struct uuid made[20000];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(made); i++)
        made[i] = uuid_v7((struct wall){1});
    qsort(made, COUNT_OF(made), sizeof(made[0]), by_value);
    for (size_t i = 1; i < COUNT_OF(made); i++)
        assert_false(uuid_eq(made[i - 1], made[i]));
}

/* All 62: each is once 0 and once 1 among many. */
static void all_bits_that_may_be_random_are(void **state)
{
    uint8_t once_set[16] = {0};
    uint8_t always_set[16];
    int varying = 0;

    (void)state;
    memset(always_set, 0xFF, sizeof(always_set));
    for (int i = 0; i < 100; i++) {
        struct uuid u = uuid_v7((struct wall){1});

        for (size_t b = 0; b < 16; b++) {
            once_set[b] |= u.b[b];
            always_set[b] &= u.b[b];
        }
    }
    for (size_t b = 0; b < 16; b++)
        varying += __builtin_popcount((unsigned)(once_set[b] & ~always_set[b]));
    assert_int_equal(varying, 62);
}

static void text_is_read_back_in_either_case(void **state)
{
    struct uuid u;
    char text[UUID_TEXT + 1];

    (void)state;
    assert_true(uuid_parse(STR("F81D4FAE-7DEC-11D0-a765-00a0c91e6bf6"), &u));
    uuid_format(u, text);
    assert_string_equal(text, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
}

static void anything_but_the_canonical_form_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "f81d4fae7dec11d0a76500a0c91e6bf6",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6 ",
        "{81d4fae-7dec-11d0-a765-00a0c91e6bf}",
        "f81d4fae-7dec-11d0-a765_00a0c91e6bf6",
        "f81d4fa-e7dec-11d0-a765-00a0c91e6bf6",
        "g81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "f81d4fae-7dec-11d0-a765-00a0c91e6b-6",
    };
    struct uuid u = {{42}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(uuid_parse(str_of(bad[i]), &u));
    assert_int_equal(u.b[0], 42);
}

static void only_nil_is_nil(void **state)
{
    struct uuid u = {{0}};

    (void)state;
    assert_true(uuid_is_nil(u));
    u.b[15] = 1;
    assert_false(uuid_is_nil(u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_leads_and_version_and_variant_are_set),
        cmocka_unit_test(a_later_microsecond_sorts_later),
        cmocka_unit_test(times_that_do_not_fit_are_bent_to_ones_that_do),
        cmocka_unit_test(thousands_made_at_one_instant_all_differ),
        cmocka_unit_test(all_bits_that_may_be_random_are),
        cmocka_unit_test(text_is_read_back_in_either_case),
        cmocka_unit_test(anything_but_the_canonical_form_is_refused),
        cmocka_unit_test(only_nil_is_nil),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
