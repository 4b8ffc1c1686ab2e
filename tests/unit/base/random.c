/*
 * random.c: tests of base/random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

static void bytes_of_every_size_are_filled_to_the_last(void **state)
{
    static const size_t sizes[] = {1, 7, 16, 511, 512, 513, 5000};
    static uint8_t bytes[5002];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        bool first = false;
        bool last = false;

        /* A byte is 0 by chance once in 256; not thirty times in a row. */
        for (int again = 0; again < 30; again++) {
            memset(bytes, 0, sizeof(bytes));
            random_bytes(bytes + 1, sizes[i]);
            first = first || bytes[1] != 0;
            last = last || bytes[sizes[i]] != 0;
            assert_int_equal(bytes[0], 0);
            assert_int_equal(bytes[sizes[i] + 1], 0);
        }
        assert_true(first && last);
    }
    random_bytes(bytes, 0);
}

enum { DRAWS = 2000, THREADS = 4 };

static void *draw(void *arg)
{
    uint64_t *to = arg;

    for (size_t i = 0; i < DRAWS; i++)
        to[i] = random_u64();
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void no_value_is_handed_out_twice_to_any_thread(void **state)
{
    static uint64_t drawn[THREADS * DRAWS];
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, drawn + i * DRAWS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    qsort(drawn, COUNT_OF(drawn), sizeof(drawn[0]), by_value);
    for (size_t i = 1; i < COUNT_OF(drawn); i++)
        assert_true(drawn[i - 1] != drawn[i]);
}

/* The published values of splitmix64 for this seed. */
static void a_seed_gives_the_same_sequence_everywhere(void **state)
{
    static const uint64_t expected[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                        UINT64_C(16408922859458223821)};
    struct rng rng = {1234567};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_true(rng_next(&rng) == expected[i]);
}

static void a_bounded_value_is_below_its_bound_and_reaches_all(void **state)
{
    struct rng rng = {1};
    int seen[7] = {0};

    (void)state;
    assert_int_equal(rng_below(&rng, 1), 0);
    for (int i = 0; i < 7000; i++) {
        uint64_t v = rng_below(&rng, 7);

        assert_true(v < 7);
        seen[v]++;
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_in_range(seen[i], 850, 1150);
}

/* Below 3 * 2^62 a plain remainder would give the lowest third twice as often. */
static void a_large_bound_is_without_bias(void **state)
{
    struct rng rng = {2};
    uint64_t below = UINT64_C(3) << 62;
    int low = 0;

    (void)state;
    for (int i = 0; i < 3000; i++)
        low += rng_below(&rng, below) < below / 3 ? 1 : 0;
    assert_in_range(low, 850, 1150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_every_size_are_filled_to_the_last),
        cmocka_unit_test(no_value_is_handed_out_twice_to_any_thread),
        cmocka_unit_test(a_seed_gives_the_same_sequence_everywhere),
        cmocka_unit_test(a_bounded_value_is_below_its_bound_and_reaches_all),
        cmocka_unit_test(a_large_bound_is_without_bias),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
