/*
 * pool.c: how many there are, who goes when, and who waits.
 */
#include "target_fixture.h"

#include <string.h>

#include "deliver/pool.h"

enum { ITEMS = 5 };

struct thing {
    struct pool_item item;
    bool closed;
};

struct waiter {
    struct list node;
    size_t admitted; /* its place in the order, from 1 */
};

struct fixture {
    struct poll_reactor *reactor;
    struct pool pool;
    struct thing things[ITEMS];
    size_t closed;
    size_t admitted;
    bool take; /* admitted waiters take things[4] */
};

static void on_close(void *arg, struct pool_item *item)
{
    struct fixture *f = arg;
    struct thing *t = CONTAINER_OF(item, struct thing, item);

    assert_false(t->closed);
    t->closed = true;
    f->closed++;
}

static struct uuid key_of(size_t i)
{
    struct uuid key = {{0}};

    key.b[0] = (uint8_t)(i + 1);
    return key;
}

static void add(struct fixture *f, size_t i)
{
    f->things[i] = (struct thing){0};
    list_init(&f->things[i].item.node);
    assert_true(pool_room(&f->pool));
    assert_int_equal(pool_add(&f->pool, &f->things[i].item, key_of(i), NULL), ERR_NONE);
}

static void on_admit(void *arg, struct list *node)
{
    struct fixture *f = arg;

    CONTAINER_OF(node, struct waiter, node)->admitted = ++f->admitted;
    if (f->take) {
        add(f, ITEMS - 1);
        pool_use(&f->pool, &f->things[ITEMS - 1].item);
    }
}

static void open_pool(struct fixture *f, int64_t idle_us)
{
    memset(f, 0, sizeof(*f));
    f->reactor = poll_reactor_new();
    f->pool = (struct pool){.reactor = poll_reactor_base(f->reactor),
                            .max = 2,
                            .idle_us = idle_us,
                            .close = on_close,
                            .admit = on_admit,
                            .arg = f};
    assert_int_equal(pool_open(&f->pool, NULL), ERR_NONE);
}

static void close_pool(struct fixture *f)
{
    pool_done(&f->pool);
    poll_reactor_free(f->reactor);
}

static bool one_closed(void *arg)
{
    return ((const struct fixture *)arg)->closed > 0;
}

static bool all_admitted(void *arg)
{
    return ((const struct fixture *)arg)->admitted > 0;
}

static void what_nobody_uses_is_closed_after_a_while(void **state)
{
    struct fixture f;

    (void)state;
    open_pool(&f, 30 * US_PER_MS);
    add(&f, 0);
    add(&f, 1);
    pool_use(&f.pool, &f.things[1].item);
    assert_true(poll_reactor_run(f.reactor, one_closed, &f, LONG_US));
    assert_true(f.things[0].closed);
    assert_null(pool_find(&f.pool, key_of(0)));
    assert_ptr_equal(pool_find(&f.pool, key_of(1)), &f.things[1].item);
    assert_int_equal(poll_reactor_armed(f.reactor), 0);
    pool_leave(&f.pool, &f.things[1].item);
    close_pool(&f);
    assert_int_equal(f.closed, 2);
}

static void the_longest_idle_makes_room(void **state)
{
    struct fixture f;

    (void)state;
    open_pool(&f, LONG_US);
    add(&f, 0);
    add(&f, 1);
    pool_use(&f.pool, &f.things[0].item);
    pool_leave(&f.pool, &f.things[0].item);
    add(&f, 2);
    assert_true(f.things[1].closed);
    assert_false(f.things[0].closed);
    pool_use(&f.pool, &f.things[0].item);
    pool_use(&f.pool, &f.things[2].item);
    assert_false(pool_room(&f.pool));
    pool_leave(&f.pool, &f.things[0].item);
    pool_leave(&f.pool, &f.things[2].item);
    close_pool(&f);
}

static void who_waits_is_admitted_when_one_falls_idle(void **state)
{
    struct fixture f;
    struct waiter waiters[3] = {0};

    (void)state;
    open_pool(&f, LONG_US);
    f.take = true;
    add(&f, 0);
    add(&f, 1);
    pool_use(&f.pool, &f.things[0].item);
    pool_use(&f.pool, &f.things[1].item);
    for (size_t i = 0; i < COUNT_OF(waiters); i++)
        pool_wait(&f.pool, &waiters[i].node);
    list_remove(&waiters[0].node); /* gave up */
    pool_leave(&f.pool, &f.things[0].item);
    assert_int_equal(f.admitted, 0);
    assert_true(poll_reactor_run(f.reactor, all_admitted, &f, LONG_US));
    target_turn(&(struct target){.reactor = f.reactor}, 20 * US_PER_MS);
    assert_int_equal(waiters[0].admitted, 0);
    assert_int_equal(waiters[1].admitted, 1);
    assert_int_equal(waiters[2].admitted, 0);
    assert_true(f.things[0].closed);
    list_remove(&waiters[2].node);
    pool_leave(&f.pool, &f.things[1].item);
    pool_leave(&f.pool, &f.things[ITEMS - 1].item);
    close_pool(&f);
}

static void a_forgotten_one_ends_with_its_last_user(void **state)
{
    struct fixture f;

    (void)state;
    open_pool(&f, LONG_US);
    add(&f, 0);
    pool_use(&f.pool, &f.things[0].item);
    pool_use(&f.pool, &f.things[0].item);
    pool_forget(&f.pool, &f.things[0].item);
    pool_forget(&f.pool, &f.things[0].item);
    assert_null(pool_find(&f.pool, key_of(0)));
    pool_leave(&f.pool, &f.things[0].item);
    assert_false(f.things[0].closed);
    pool_leave(&f.pool, &f.things[0].item);
    assert_true(f.things[0].closed);
    add(&f, 1);
    pool_forget(&f.pool, &f.things[1].item);
    assert_true(f.things[1].closed);
    close_pool(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_uses_is_closed_after_a_while),
        cmocka_unit_test(the_longest_idle_makes_room),
        cmocka_unit_test(who_waits_is_admitted_when_one_falls_idle),
        cmocka_unit_test(a_forgotten_one_ends_with_its_last_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
