/*
 * chores.c: blocking calls beside the loop: where they run, when their end is told, and the way down.
 */
#include "target_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "deliver/chores.h"

enum { MANY = 200 };

struct task_one {
    struct chore chore;
    pthread_t loop;
    sem_t *gate; /* work() waits for it; NULL: for nothing */
    size_t worked;
    size_t *ended;
    size_t *alone;
    bool owned; /* freed when it is done */
};

static void work(struct chore *c)
{
    struct task_one *t = CONTAINER_OF(c, struct task_one, chore);

    MUST(!pthread_equal(pthread_self(), t->loop));
    if (t->gate)
        MUST(sem_wait(t->gate) == 0);
    t->worked++;
}

static void done(struct chore *c, bool alone)
{
    struct task_one *t = CONTAINER_OF(c, struct task_one, chore);

    if (alone) {
        __atomic_add_fetch(t->alone, 1, __ATOMIC_SEQ_CST);
    } else {
        MUST(pthread_equal(pthread_self(), t->loop) && t->worked == 1);
        ++*t->ended;
    }
    if (t->owned)
        alloc_free(t);
}

static struct task_one make(size_t *ended, size_t *alone, sem_t *gate)
{
    return (struct task_one){.chore = {.work = work, .done = done},
                             .loop = pthread_self(),
                             .gate = gate,
                             .ended = ended,
                             .alone = alone};
}

struct counter {
    size_t ended;
    size_t alone;
    size_t wanted;
};

static bool is_reached(void *arg)
{
    const struct counter *n = arg;

    return n->ended >= n->wanted;
}

static void each_is_worked_elsewhere_and_ended_here(void **state)
{
    struct poll_reactor *reactor = poll_reactor_new();
    struct task_one tasks[MANY];
    struct counter n = {.wanted = MANY};
    struct chores *all;

    (void)state;
    assert_int_equal(chores_open(poll_reactor_base(reactor), &all, NULL), ERR_NONE);
    for (size_t i = 0; i < MANY; i++) {
        tasks[i] = make(&n.ended, &n.alone, NULL);
        chores_add(all, &tasks[i].chore);
    }
    assert_int_equal(n.ended, 0);
    assert_true(poll_reactor_run(reactor, is_reached, &n, LONG_US));
    chores_close(all);
    assert_int_equal(n.ended, MANY);
    assert_int_equal(n.alone, 0);
    poll_reactor_free(reactor);
}

static void draining_waits_for_all(void **state)
{
    struct poll_reactor *reactor = poll_reactor_new();
    struct task_one tasks[MANY];
    struct counter n = {0};
    struct chores *all;

    (void)state;
    assert_int_equal(chores_open(poll_reactor_base(reactor), &all, NULL), ERR_NONE);
    for (size_t i = 0; i < MANY; i++) {
        tasks[i] = make(&n.ended, &n.alone, NULL);
        chores_add(all, &tasks[i].chore);
    }
    chores_drain(all, mono_add(clock_mono(), LONG_US));
    assert_int_equal(n.ended, MANY);
    chores_close(all);
    poll_reactor_free(reactor);
}

/* One that hangs must not hang the way down; its memory is its own. */
static void one_that_hangs_is_left_alone(void **state)
{
    struct poll_reactor *reactor = poll_reactor_new();
    struct counter n = {0};
    struct chores *all;
    sem_t gate;
    enum { HANGING = 10 };

    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    assert_int_equal(chores_open(poll_reactor_base(reactor), &all, NULL), ERR_NONE);
    for (size_t i = 0; i < HANGING; i++) {
        struct task_one *t = alloc_new(struct task_one);

        *t = make(&n.ended, &n.alone, &gate);
        t->owned = true;
        chores_add(all, &t->chore);
    }
    chores_drain(all, mono_add(clock_mono(), 20 * US_PER_MS));
    assert_int_equal(n.ended, 0);
    chores_close(all);
    poll_reactor_free(reactor);
    for (size_t i = 0; i < HANGING; i++)
        assert_int_equal(sem_post(&gate), 0);
    while (__atomic_load_n(&n.alone, __ATOMIC_SEQ_CST) < HANGING)
        MUST(sched_yield() == 0);
    assert_int_equal(n.ended, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_worked_elsewhere_and_ended_here),
        cmocka_unit_test(draining_waits_for_all),
        cmocka_unit_test(one_that_hangs_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
