/*
 * queue.c: tests of base/queue.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "base/clock.h"
#include "base/queue.h"

static const struct mono never = {INT64_MAX};

struct item {
    struct queue_node node;
    int value;
};

static int value_of(struct queue_node *node)
{
    return CONTAINER_OF(node, struct item, node)->value;
}

static void count_wake(void *arg)
{
    (*(int *)arg)++;
}

static void nodes_come_out_in_their_order_as_one_chain(void **state)
{
    CLEANUP(queue_free_p) struct queue *q = queue_new(10, NULL, NULL);
    struct item items[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    struct queue_node *chain;

    (void)state;
    assert_null(queue_take(q, 0));
    for (size_t i = 0; i < COUNT_OF(items); i++)
        assert_int_equal(queue_push(q, &items[i].node, NULL), ERR_NONE);
    assert_int_equal(queue_size(q), 4);
    chain = queue_take(q, 0);
    for (int i = 0; i < 4; i++) {
        assert_non_null(chain);
        assert_int_equal(value_of(chain), i);
        chain = chain->next;
    }
    assert_null(chain);
    assert_int_equal(queue_size(q), 0);
}

static void at_most_so_many_are_taken_and_the_rest_waits(void **state)
{
    CLEANUP(queue_free_p) struct queue *q = queue_new(10, NULL, NULL);
    struct item items[3] = {{.value = 0}, {.value = 1}, {.value = 2}};
    struct queue_node *chain;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(items); i++)
        assert_int_equal(queue_push(q, &items[i].node, NULL), ERR_NONE);
    chain = queue_take(q, 2);
    assert_int_equal(value_of(chain), 0);
    assert_int_equal(value_of(chain->next), 1);
    assert_null(chain->next->next);
    assert_int_equal(queue_size(q), 1);
    chain = queue_wait(q, 5, never);
    assert_int_equal(value_of(chain), 2);
    assert_null(chain->next);
    assert_int_equal(queue_push(q, &items[0].node, NULL), ERR_NONE);
    assert_ptr_equal(queue_take(q, 1), &items[0].node);
}

static void a_full_queue_refuses_but_for_answers(void **state)
{
    CLEANUP(queue_free_p) struct queue *q = queue_new(1, NULL, NULL);
    struct item items[3] = {0};
    struct error err;

    (void)state;
    assert_int_equal(queue_push(q, &items[0].node, NULL), ERR_NONE);
    assert_int_equal(queue_push(q, &items[1].node, &err), ERR_BUSY);
    assert_int_equal(err.code, ERR_BUSY);
    assert_int_equal(queue_size(q), 1);
    assert_true(queue_push_always(q, &items[2].node));
    assert_int_equal(queue_size(q), 2);
    assert_non_null(queue_take(q, 0));
    assert_int_equal(queue_push(q, &items[1].node, NULL), ERR_NONE);
    assert_non_null(queue_take(q, 0));
}

static void the_consumer_is_woken_once_per_filling(void **state)
{
    int woken = 0;
    CLEANUP(queue_free_p) struct queue *q = queue_new(2, count_wake, &woken);
    struct item items[3] = {0};

    (void)state;
    assert_int_equal(queue_push(q, &items[0].node, NULL), ERR_NONE);
    assert_int_equal(woken, 1);
    assert_true(queue_push_always(q, &items[1].node));
    assert_int_equal(queue_push(q, &items[2].node, NULL), ERR_BUSY);
    assert_int_equal(woken, 1);
    assert_non_null(queue_take(q, 1));
    assert_int_equal(queue_push(q, &items[0].node, NULL), ERR_NONE);
    assert_int_equal(woken, 1);
    assert_non_null(queue_take(q, 0));
    assert_int_equal(queue_push(q, &items[0].node, NULL), ERR_NONE);
    assert_int_equal(woken, 2);
    assert_non_null(queue_take(q, 0));
}

struct reentrant {
    struct queue *q;
    size_t seen;
};

static void look_into_queue(void *arg)
{
    struct reentrant *r = arg;

    r->seen = queue_size(r->q);
}

static void the_wake_callback_may_use_the_queue(void **state)
{
    struct reentrant r = {0};
    CLEANUP(queue_free_p) struct queue *q = queue_new(2, look_into_queue, &r);
    struct item item = {0};

    (void)state;
    r.q = q;
    assert_int_equal(queue_push(q, &item.node, NULL), ERR_NONE);
    assert_int_equal(r.seen, 1);
    assert_non_null(queue_take(q, 0));
}

static void a_closed_queue_takes_no_more_and_gives_what_it_has(void **state)
{
    CLEANUP(queue_free_p) struct queue *q = queue_new(10, NULL, NULL);
    struct item items[2] = {0};

    (void)state;
    assert_int_equal(queue_push(q, &items[0].node, NULL), ERR_NONE);
    assert_false(queue_closed(q));
    queue_close(q);
    assert_true(queue_closed(q));
    assert_int_equal(queue_push(q, &items[1].node, NULL), ERR_BUSY);
    assert_false(queue_push_always(q, &items[1].node));
    assert_ptr_equal(queue_wait(q, 0, never), &items[0].node);
    assert_null(queue_wait(q, 0, never));
    assert_null(queue_take(q, 0));
}

static void a_wait_ends_when_its_time_has_passed_and_not_before(void **state)
{
    CLEANUP(queue_free_p) struct queue *q = queue_new(10, NULL, NULL);
    struct mono until = mono_add(clock_mono(), 30 * US_PER_MS);

    (void)state;
    assert_null(queue_wait(q, 0, until));
    assert_true(clock_mono().us >= until.us);
    /* Long past: at once. */
    assert_null(queue_wait(q, 0, (struct mono){0}));
    assert_null(queue_wait(q, 0, (struct mono){INT64_MIN}));
}

static void *push_one(void *arg)
{
    static struct item item = {.value = 5};

    assert_true(queue_push_always(arg, &item.node));
    return NULL;
}

static void *close_it(void *arg)
{
    queue_close(arg);
    return NULL;
}

/* Far in the future, up to where the sum of clock and rest would overflow: the push ends it, not the time. */
static void a_waiter_is_woken_by_a_push(void **state)
{
    static const int64_t untils[] = {INT64_MAX, INT64_MAX - 1, INT64_C(1) << 60};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        CLEANUP(queue_free_p) struct queue *q = queue_new(10, NULL, NULL);
        struct queue_node *node;
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, push_one, q), 0);
        node = queue_wait(q, 0, (struct mono){untils[i]});
        assert_non_null(node);
        assert_int_equal(value_of(node), 5);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

static void a_waiter_is_woken_by_the_close(void **state)
{
    CLEANUP(queue_free_p) struct queue *q = queue_new(10, NULL, NULL);
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, close_it, q), 0);
    assert_null(queue_wait(q, 0, never));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

enum { PRODUCERS = 3, EACH = 3000 };

struct producer {
    struct queue *q;
    struct item items[EACH];
};

static void *produce(void *arg)
{
    struct producer *p = arg;

    for (int i = 0; i < EACH; i++) {
        p->items[i].value = i;
        while (queue_push(p->q, &p->items[i].node, NULL) != ERR_NONE)
            (void)sched_yield();
    }
    return NULL;
}

static struct producer *producer_of(struct producer *producers, struct queue_node *node)
{
    size_t i = 0;

    while ((char *)node < (char *)&producers[i] || (char *)node >= (char *)&producers[i + 1])
        i++;
    assert_true(i < PRODUCERS);
    return &producers[i];
}

static void of_several_producers_nothing_is_lost_and_each_ones_order_is_kept(void **state)
{
    static struct producer producers[PRODUCERS];
    CLEANUP(queue_free_p) struct queue *q = queue_new(50, NULL, NULL);
    pthread_t threads[PRODUCERS];
    int next[PRODUCERS] = {0};
    int taken = 0;

    (void)state;
    for (size_t i = 0; i < PRODUCERS; i++) {
        producers[i].q = q;
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    while (taken < PRODUCERS * EACH) {
        struct queue_node *node = queue_wait(q, taken % 2 == 0 ? 0 : 7, never);

        for (; node; node = node->next) {
            size_t i = (size_t)(producer_of(producers, node) - producers);

            assert_int_equal(value_of(node), next[i]);
            next[i]++;
            taken++;
        }
    }
    for (size_t i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_null(queue_take(q, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_out_in_their_order_as_one_chain),
        cmocka_unit_test(at_most_so_many_are_taken_and_the_rest_waits),
        cmocka_unit_test(a_full_queue_refuses_but_for_answers),
        cmocka_unit_test(the_consumer_is_woken_once_per_filling),
        cmocka_unit_test(the_wake_callback_may_use_the_queue),
        cmocka_unit_test(a_closed_queue_takes_no_more_and_gives_what_it_has),
        cmocka_unit_test(a_wait_ends_when_its_time_has_passed_and_not_before),
        cmocka_unit_test(a_waiter_is_woken_by_a_push),
        cmocka_unit_test(a_waiter_is_woken_by_the_close),
        cmocka_unit_test(of_several_producers_nothing_is_lost_and_each_ones_order_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
