/*
 * map.c: tests of base/map.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/random.h"

/* The i-th of a fixed set of keys, with bits all over as a real one has. */
static struct uuid key_of(uint64_t i)
{
    struct rng rng = {i};
    uint64_t half[2] = {rng_next(&rng), rng_next(&rng)};
    struct uuid u;

    memcpy(u.b, half, sizeof(u.b));
    return u;
}

static void an_empty_map_holds_nothing(void **state)
{
    struct map m;
    struct uuid key;
    void *value;
    size_t at = 0;

    (void)state;
    map_init(&m);
    assert_null(map_get(&m, key_of(1)));
    assert_null(map_remove(&m, key_of(1)));
    assert_false(map_each(&m, &at, &key, &value));
    map_done(&m);
}

static void a_value_is_found_replaced_and_removed(void **state)
{
    int a = 0;
    int b = 0;
    struct map m;

    (void)state;
    map_init(&m);
    assert_int_equal(map_put(&m, key_of(1), &a, NULL), ERR_NONE);
    assert_int_equal(map_put(&m, (struct uuid){{0}}, &b, NULL), ERR_NONE);
    assert_ptr_equal(map_get(&m, key_of(1)), &a);
    assert_ptr_equal(map_get(&m, (struct uuid){{0}}), &b);
    assert_int_equal(map_put(&m, key_of(1), &b, NULL), ERR_NONE);
    assert_int_equal(m.n, 2);
    assert_ptr_equal(map_get(&m, key_of(1)), &b);
    assert_ptr_equal(map_remove(&m, key_of(1)), &b);
    assert_null(map_get(&m, key_of(1)));
    assert_null(map_remove(&m, key_of(1)));
    assert_int_equal(m.n, 1);
    map_done(&m);
}

enum { KEYS = 400 };

static void check_all(const struct map *m, const bool *held, int *values)
{
    bool seen[KEYS] = {0};
    struct uuid key;
    void *value;
    size_t at = 0;
    size_t n = 0;

    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(m, key_of(i)), held[i] ? &values[i] : NULL);
    while (map_each(m, &at, &key, &value)) {
        size_t i = (size_t)((int *)value - values);

        assert_true(i < KEYS && held[i] && !seen[i]);
        assert_true(uuid_eq(key, key_of(i)));
        seen[i] = true;
        n++;
    }
    assert_int_equal(n, m->n);
}

/*
 * Few slots and many keys: chains wrap round the end and run into each other, which is where removal by
 * shifting back goes wrong if it does.
 */
static void random_changes_lose_nothing_and_leave_nothing(void **state)
{
    static int values[KEYS];
    bool held[KEYS] = {0};
    struct rng rng = {7};
    struct map m;
    size_t n = 0;

    (void)state;
    map_init(&m);
    for (int step = 0; step < 4000; step++) {
        /* First among few keys, so that the map stays small and full; later among all. */
        size_t i = (size_t)rng_below(&rng, step < 2500 ? 60 : KEYS);

        if (held[i] && rng_below(&rng, 2) == 0) {
            assert_ptr_equal(map_remove(&m, key_of(i)), &values[i]);
            held[i] = false;
            n--;
        } else {
            assert_int_equal(map_put(&m, key_of(i), &values[i], NULL), ERR_NONE);
            n += held[i] ? 0 : 1;
            held[i] = true;
        }
        assert_int_equal(m.n, n);
        assert_true(m.n <= m.cap / 4 * 3);
        if (step % 8 == 0)
            check_all(&m, held, values);
    }
    map_done(&m);
}

static void a_put_that_finds_no_memory_leaves_the_map_as_it_was(void **state)
{
    int value = 0;
    struct map m;
    struct error err;
    uint64_t n = 0;

    (void)state;
    map_init(&m);
    alloc_test_fail_nth(1);
    assert_int_equal(map_put(&m, key_of(0), &value, &err), ERR_MEMORY);
    assert_int_equal(m.n, 0);
    for (; n < 48; n++)
        assert_int_equal(map_put(&m, key_of(n), &value, NULL), ERR_NONE);
    alloc_test_fail_nth(1);
    assert_int_equal(map_put(&m, key_of(n), &value, &err), ERR_MEMORY);
    assert_null(map_get(&m, key_of(n)));
    for (uint64_t i = 0; i < n; i++)
        assert_non_null(map_get(&m, key_of(i)));
    alloc_test_fail_nth(1);
    /* A replacement needs none. */
    assert_int_equal(map_put(&m, key_of(3), &value, NULL), ERR_NONE);
    alloc_test_fail_nth(0);
    map_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_holds_nothing),
        cmocka_unit_test(a_value_is_found_replaced_and_removed),
        cmocka_unit_test(random_changes_lose_nothing_and_leave_nothing),
        cmocka_unit_test(a_put_that_finds_no_memory_leaves_the_map_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
