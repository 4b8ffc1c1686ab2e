/*
 * heap.c: tests of base/heap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/heap.h"
#include "base/random.h"

static void an_empty_heap_has_nothing_due(void **state)
{
    struct heap h;

    (void)state;
    heap_init(&h);
    assert_null(heap_peek(&h));
    assert_null(heap_pop_due(&h, INT64_MAX));
    heap_done(&h);
}

static void nodes_come_out_by_key(void **state)
{
    static const int64_t keys[] = {5, INT64_MIN, 3, INT64_MAX, 0, -7, 3};
    struct heap_node nodes[COUNT_OF(keys)] = {0};
    struct heap h;
    int64_t last = INT64_MIN;

    (void)state;
    heap_init(&h);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_int_equal(heap_push(&h, &nodes[i], keys[i], NULL), ERR_NONE);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct heap_node *node = heap_pop_due(&h, INT64_MAX);

        assert_non_null(node);
        assert_true(node->key >= last);
        assert_int_equal(node->place, 0);
        last = node->key;
    }
    assert_null(heap_peek(&h));
    heap_done(&h);
}

static void only_what_is_due_comes_out(void **state)
{
    struct heap_node early = {0};
    struct heap_node late = {0};
    struct heap h;

    (void)state;
    heap_init(&h);
    assert_int_equal(heap_push(&h, &late, 20, NULL), ERR_NONE);
    assert_int_equal(heap_push(&h, &early, 10, NULL), ERR_NONE);
    assert_null(heap_pop_due(&h, 9));
    assert_ptr_equal(heap_pop_due(&h, 10), &early);
    assert_null(heap_pop_due(&h, 19));
    assert_ptr_equal(heap_peek(&h), &late);
    heap_done(&h);
}

static void removing_a_node_twice_does_no_harm(void **state)
{
    struct heap_node a = {0};
    struct heap_node b = {0};
    struct heap h;

    (void)state;
    heap_init(&h);
    assert_int_equal(heap_push(&h, &a, 1, NULL), ERR_NONE);
    assert_int_equal(heap_push(&h, &b, 2, NULL), ERR_NONE);
    heap_remove(&h, &a);
    heap_remove(&h, &a);
    assert_int_equal(h.n, 1);
    assert_ptr_equal(heap_peek(&h), &b);
    heap_done(&h);
}

static void a_push_that_finds_no_memory_leaves_the_heap_as_it_was(void **state)
{
    struct heap_node nodes[65] = {0};
    struct heap h;
    struct error err;
    size_t n = 0;

    (void)state;
    heap_init(&h);
    alloc_test_fail_nth(1);
    assert_int_equal(heap_push(&h, &nodes[0], 1, &err), ERR_MEMORY);
    assert_int_equal(nodes[0].place, 0);
    while (n < 64) {
        assert_int_equal(heap_push(&h, &nodes[n], (int64_t)n, NULL), ERR_NONE);
        n++;
    }
    assert_int_equal(h.cap, 64);
    alloc_test_fail_nth(1);
    assert_int_equal(heap_push(&h, &nodes[64], 0, &err), ERR_MEMORY);
    assert_int_equal(h.n, 64);
    assert_int_equal(nodes[64].place, 0);
    assert_int_equal(heap_push(&h, &nodes[64], -1, NULL), ERR_NONE);
    assert_ptr_equal(heap_peek(&h), &nodes[64]);
    heap_done(&h);
}

enum { NODES = 300 };

/* Every node knows its place, and no child is before its parent. */
static void check_order(const struct heap *h)
{
    for (size_t i = 0; i < h->n; i++) {
        assert_int_equal(h->nodes[i]->place, i + 1);
        if (i > 0)
            assert_true(h->nodes[(i + 1) / 2 - 1]->key <= h->nodes[i]->key);
    }
}

static void thousands_of_random_changes_keep_the_order(void **state)
{
    struct heap_node nodes[NODES] = {0};
    struct rng rng = {42};
    struct heap h;
    size_t held = 0;

    (void)state;
    heap_init(&h);
    for (int step = 0; step < 10000; step++) {
        struct heap_node *node = &nodes[rng_below(&rng, NODES)];
        int64_t key = (int64_t)rng_below(&rng, 1000);

        if (node->place == 0) {
            assert_int_equal(heap_push(&h, node, key, NULL), ERR_NONE);
            held++;
        } else if (rng_below(&rng, 2) == 0) {
            heap_move(&h, node, key);
            assert_true(node->key == key);
        } else {
            heap_remove(&h, node);
            assert_int_equal(node->place, 0);
            held--;
        }
        assert_int_equal(h.n, held);
        check_order(&h);
    }
    heap_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_has_nothing_due),
        cmocka_unit_test(nodes_come_out_by_key),
        cmocka_unit_test(only_what_is_due_comes_out),
        cmocka_unit_test(removing_a_node_twice_does_no_harm),
        cmocka_unit_test(a_push_that_finds_no_memory_leaves_the_heap_as_it_was),
        cmocka_unit_test(thousands_of_random_changes_keep_the_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
