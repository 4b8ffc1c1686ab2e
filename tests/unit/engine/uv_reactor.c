/*
 * uv_reactor.c: the promises of base/reactor.h, kept on libuv.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "engine/uv_reactor.h"

struct world {
    uv_loop_t loop;
    struct uv_reactor *uv;
    struct reactor *r;
    struct reactor_watch *watch;
    struct reactor_timer *timer;
    size_t calls;
    int events;
    struct mono at;
    bool calling; /* no callback may come */
};

static int setup(void **state)
{
    static struct world w;

    w = (struct world){0};
    if (uv_loop_init(&w.loop) != 0)
        return -1;
    w.uv = uv_reactor_new(&w.loop);
    w.r = uv_reactor_base(w.uv);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_reactor_free(w->uv);
    return uv_loop_close(&w->loop);
}

static void on_io(void *arg, int fd, int events)
{
    struct world *w = arg;
    char c;

    assert_false(w->calling);
    w->calls++;
    w->events = events;
    if ((events & REACTOR_READ) != 0)
        (void)!read(fd, &c, 1);
}

static void on_timer(void *arg)
{
    struct world *w = arg;

    assert_false(w->calling);
    w->calls++;
    w->at = clock_mono();
}

static void a_watch_tells_what_was_asked_for_until_it_is_unwatched(void **state)
{
    struct world *w = *state;
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    w->calling = true;
    assert_int_equal(w->r->ops->watch(w->r, fds[0], REACTOR_READ, on_io, w, &w->watch, NULL), ERR_NONE);
    w->calling = false;
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(w->calls, 1);
    assert_int_equal(w->events, REACTOR_READ);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(w->calls, 2);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(w->calls, 2);
    assert_int_equal(write(fds[1], "c", 1), 1);
    w->r->ops->unwatch(w->r, w->watch);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(w->calls, 2);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
}

static void a_watch_can_be_asked_for_something_else(void **state)
{
    struct world *w = *state;
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(w->r->ops->watch(w->r, fds[1], REACTOR_READ, on_io, w, &w->watch, NULL), ERR_NONE);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(w->calls, 0);
    assert_int_equal(w->r->ops->rewatch(w->r, w->watch, REACTOR_WRITE, NULL), ERR_NONE);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(w->calls, 1);
    assert_int_equal(w->events, REACTOR_WRITE);
    w->r->ops->unwatch(w->r, w->watch);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
}

static void a_descriptor_that_cannot_be_watched_is_an_error(void **state)
{
    struct world *w = *state;
    struct error err;
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(w->r->ops->watch(w->r, fds[0], REACTOR_READ, on_io, w, &w->watch, &err), ERR_IO);
    assert_null(w->watch);
}

static void on_io_and_gone(void *arg, int fd, int events)
{
    struct world *w = arg;

    (void)fd;
    (void)events;
    w->calls++;
    w->r->ops->unwatch(w->r, w->watch);
}

static void a_callback_may_unwatch_its_own_watch(void **state)
{
    struct world *w = *state;
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    assert_int_equal(w->r->ops->watch(w->r, fds[0], REACTOR_READ, on_io_and_gone, w, &w->watch, NULL),
                     ERR_NONE);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->calls, 1);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
}

static void a_timer_fires_once_and_never_early(void **state)
{
    static const int64_t after_us[] = {0, 1, 999, 1000, 1001, 2500, 10000, 33333};
    struct world *w = *state;

    assert_int_equal(w->r->ops->timer_new(w->r, on_timer, w, &w->timer, NULL), ERR_NONE);
    for (size_t i = 0; i < COUNT_OF(after_us); i++) {
        struct mono start;

        w->calls = 0;
        w->calling = true;
        start = clock_mono();
        w->r->ops->timer_arm(w->r, w->timer, after_us[i]);
        w->calling = false;
        (void)uv_run(&w->loop, UV_RUN_DEFAULT);
        assert_int_equal(w->calls, 1);
        assert_true(w->at.us - start.us >= after_us[i]);
    }
    w->r->ops->timer_free(w->r, w->timer);
}

static void arming_again_moves_a_timer_and_disarming_ends_it(void **state)
{
    struct world *w = *state;
    struct mono start = clock_mono();

    assert_int_equal(w->r->ops->timer_new(w->r, on_timer, w, &w->timer, NULL), ERR_NONE);
    w->r->ops->timer_arm(w->r, w->timer, 0);
    w->r->ops->timer_arm(w->r, w->timer, 20 * US_PER_MS);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->calls, 1);
    assert_true(w->at.us - start.us >= 20 * US_PER_MS);
    w->r->ops->timer_arm(w->r, w->timer, 0);
    w->r->ops->timer_disarm(w->r, w->timer);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->calls, 1);
    w->r->ops->timer_free(w->r, w->timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_watch_tells_what_was_asked_for_until_it_is_unwatched, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_watch_can_be_asked_for_something_else, setup, teardown),
        cmocka_unit_test_setup_teardown(a_descriptor_that_cannot_be_watched_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_callback_may_unwatch_its_own_watch, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_fires_once_and_never_early, setup, teardown),
        cmocka_unit_test_setup_teardown(arming_again_moves_a_timer_and_disarming_ends_it, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
