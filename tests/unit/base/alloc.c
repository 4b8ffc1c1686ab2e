/*
 * alloc.c: tests of base/alloc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

static void no_bytes_are_a_valid_pointer(void **state)
{
    CLEANUP(alloc_free_p) char *bytes = NULL;
    CLEANUP(alloc_free_p) void *array = NULL;

    (void)state;
    assert_int_equal(alloc_bytes(0, &bytes, NULL), ERR_NONE);
    assert_non_null(bytes);
    assert_int_equal(alloc_array(0, 16, &array, NULL), ERR_NONE);
    assert_non_null(array);
    assert_int_equal(alloc_resize(&array, 0, 16, NULL), ERR_NONE);
    assert_non_null(array);
}

static void an_overflowing_product_is_an_error_and_not_a_small_array(void **state)
{
    void *untouched = &untouched;
    void *p = NULL;
    struct error err;

    (void)state;
    assert_int_equal(alloc_array(SIZE_MAX / 2, 3, &untouched, &err), ERR_MEMORY);
    assert_ptr_equal(untouched, &untouched);
    assert_int_equal(err.code, ERR_MEMORY);
    assert_int_equal(alloc_resize(&p, SIZE_MAX / 2 + 1, 2, &err), ERR_MEMORY);
    assert_null(p);
}

static void an_array_and_a_new_thing_are_zeroed(void **state)
{
    CLEANUP(alloc_free_p) void *array = NULL;
    CLEANUP(alloc_free_p) uint64_t *one = alloc_new(uint64_t);
    static const uint8_t zeros[300];

    (void)state;
    assert_int_equal(alloc_array(100, 3, &array, NULL), ERR_NONE);
    assert_memory_equal(array, zeros, sizeof(zeros));
    assert_int_equal(*one, 0);
}

static void a_copied_view_is_terminated(void **state)
{
    CLEANUP(alloc_free_p) char *copy = NULL;
    CLEANUP(alloc_free_p) char *empty = NULL;

    (void)state;
    assert_int_equal(alloc_str((struct str){"carillon", 4}, &copy, NULL), ERR_NONE);
    assert_string_equal(copy, "cari");
    assert_int_equal(alloc_str((struct str){NULL, 0}, &empty, NULL), ERR_NONE);
    assert_string_equal(empty, "");
}

static void a_failed_resize_leaves_what_was(void **state)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    void *before;

    (void)state;
    assert_int_equal(alloc_resize(&p, 4, 1, NULL), ERR_NONE);
    memcpy(p, "abc", 4);
    before = p;
    alloc_test_fail_nth(1);
    assert_int_equal(alloc_resize(&p, 1 << 20, 1, NULL), ERR_MEMORY);
    assert_ptr_equal(p, before);
    assert_string_equal(p, "abc");
    assert_int_equal(alloc_resize(&p, 1 << 20, 1, NULL), ERR_NONE);
    assert_string_equal(p, "abc");
}

static void the_nth_allocation_fails_once_whichever_door_it_takes(void **state)
{
    char *bytes = NULL;
    void *p;

    (void)state;
    alloc_test_fail_nth(3);
    p = alloc_hook_malloc(8);
    assert_non_null(p);
    p = alloc_hook_realloc(p, 16);
    assert_non_null(p);
    alloc_free(p);
    assert_int_equal(alloc_bytes(8, &bytes, NULL), ERR_MEMORY);
    assert_null(bytes);
    p = alloc_hook_calloc(2, 8);
    assert_non_null(p);
    alloc_free(p);

    alloc_test_fail_nth(1);
    assert_null(alloc_hook_strdup("x"));
    alloc_test_fail_nth(1);
    assert_null(alloc_hook_calloc(1, 1));
    alloc_test_fail_nth(1);
    assert_null(alloc_hook_malloc(1));
    alloc_test_fail_nth(1);
    assert_null(alloc_hook_realloc(NULL, 1));
}

static void whether_it_has_failed_is_known_and_ends_the_countdown(void **state)
{
    char *bytes = NULL;

    (void)state;
    alloc_test_fail_nth(2);
    assert_int_equal(alloc_bytes(8, &bytes, NULL), ERR_NONE);
    alloc_free(bytes);
    assert_false(alloc_test_failed());
    assert_int_equal(alloc_bytes(8, &bytes, NULL), ERR_NONE);
    alloc_free(bytes);
    alloc_test_fail_nth(1);
    assert_int_equal(alloc_bytes(8, &bytes, NULL), ERR_MEMORY);
    assert_true(alloc_test_failed());
}

static void no_countdown_fails_nothing(void **state)
{
    (void)state;
    alloc_test_fail_nth(1);
    alloc_test_fail_nth(0);
    for (int i = 0; i < 100; i++) {
        char *bytes = NULL;

        assert_int_equal(alloc_bytes(8, &bytes, NULL), ERR_NONE);
        alloc_free(bytes);
    }
}

static _Atomic int failures;

static void *allocate_much(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        void *p = alloc_hook_malloc(8);

        if (!p)
            atomic_fetch_add(&failures, 1);
        alloc_free(p);
    }
    return arg;
}

static void of_many_threads_just_one_meets_the_failure(void **state)
{
    pthread_t threads[4];

    (void)state;
    alloc_test_fail_nth(3000);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_much, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&failures), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_are_a_valid_pointer),
        cmocka_unit_test(an_overflowing_product_is_an_error_and_not_a_small_array),
        cmocka_unit_test(an_array_and_a_new_thing_are_zeroed),
        cmocka_unit_test(a_copied_view_is_terminated),
        cmocka_unit_test(a_failed_resize_leaves_what_was),
        cmocka_unit_test(the_nth_allocation_fails_once_whichever_door_it_takes),
        cmocka_unit_test(whether_it_has_failed_is_known_and_ends_the_countdown),
        cmocka_unit_test(no_countdown_fails_nothing),
        cmocka_unit_test(of_many_threads_just_one_meets_the_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
