/*
 * list.c: tests of base/list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

static void nodes_leave_in_the_order_they_came(void **state)
{
    struct list head;
    struct list nodes[3];

    (void)state;
    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
    for (size_t i = 0; i < COUNT_OF(nodes); i++)
        list_push_back(&head, &nodes[i]);
    for (size_t i = 0; i < COUNT_OF(nodes); i++)
        assert_ptr_equal(list_pop_front(&head), &nodes[i]);
    assert_true(list_empty(&head));
}

static void a_node_leaves_from_the_middle_and_may_leave_again(void **state)
{
    struct list head;
    struct list nodes[3];

    (void)state;
    list_init(&head);
    for (size_t i = 0; i < COUNT_OF(nodes); i++)
        list_push_back(&head, &nodes[i]);
    list_remove(&nodes[1]);
    list_remove(&nodes[1]);
    assert_ptr_equal(head.next, &nodes[0]);
    assert_ptr_equal(nodes[0].next, &nodes[2]);
    assert_ptr_equal(nodes[2].prev, &nodes[0]);
    assert_ptr_equal(head.prev, &nodes[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_leave_in_the_order_they_came),
        cmocka_unit_test(a_node_leaves_from_the_middle_and_may_leave_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
