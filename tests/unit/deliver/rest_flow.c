/*
 * rest_flow.c: connections kept and bounded, places given in order, attempts given up, and silence when idle.
 */
#include "rest_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

static const struct http_answer stall = {.stall = true};
static const struct http_answer usual = {.raw = NULL};

static struct attempt *attempts_new(struct fixture *f, size_t n, const char *path)
{
    struct attempt *all;
    void *items;

    assert_int_equal(alloc_array(n, sizeof(*all), &items, NULL), ERR_NONE);
    all = items;
    for (size_t i = 0; i < n; i++)
        attempt_init(&all[i], f, path);
    return all;
}

static void attempts_free(struct attempt *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        attempt_free(&all[i]);
    alloc_free(all);
}

static size_t in_flight(const struct fixture *f)
{
    return f->rest->ops->in_flight(f->rest);
}

static void assert_idle(const struct fixture *f)
{
    assert_int_equal(in_flight(f), 0);
    assert_int_equal(poll_reactor_armed(f->reactor), 0);
    assert_int_equal(poll_reactor_watching(f->reactor), 1); /* the server's eventfd */
}

static void one_connection_serves_many_requests(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    attempt_init(&a, f, "/");
    for (size_t i = 0; i < 50; i++) {
        attempt_run(&a);
        assert_true(a.delivery.result.ok);
    }
    assert_int_equal(http_server_requests(f->server), 50);
    assert_int_equal(http_server_connections(f->server), 1);
    attempt_free(&a);
}

static void an_answer_with_an_error_keeps_its_connection_too(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    http_server_answer(f->server,
                       &(struct http_answer){.raw = "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nsorry"});
    attempt_init(&a, f, "/");
    for (size_t i = 0; i < 5; i++)
        attempt_run(&a);
    assert_int_equal(http_server_requests(f->server), 5);
    assert_int_equal(http_server_connections(f->server), 1);
    attempt_free(&a);
}

static void a_kept_connection_that_the_server_closed_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    /* Closed behind the answer, without saying so in it. */
    http_server_answer(f->server, &(struct http_answer){.raw = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                                        .close = true});
    attempt_init(&a, f, "/");
    for (size_t i = 0; i < 5; i++) {
        attempt_run(&a);
        assert_true(a.delivery.result.ok);
    }
    assert_true(http_server_requests(f->server) >= 5);
    attempt_free(&a);
}

/* Opens `n` connections that are kept. */
static void keep_connections(struct fixture *f, size_t n)
{
    struct attempt *all = attempts_new(f, n, "/");

    http_server_answer(f->server, &stall);
    for (size_t i = 0; i < n; i++)
        attempt_start(&all[i]);
    wait_requests(f, n);
    http_server_release(f->server);
    for (size_t i = 0; i < n; i++) {
        attempt_wait(&all[i]);
        assert_true(all[i].delivery.result.ok);
    }
    assert_int_equal(http_server_connections(f->server), n);
    attempts_free(all, n);
}

static void an_attempt_is_sent_twice_at_most_however_many_kept_connections_break(void **state)
{
    enum { KEPT = 10 };
    static const struct http_answer breaks[] = {{.close = true}, {.close = true, .reset = true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        struct fixture *f = fixture_new(&(struct fixture_options){0});
        struct attempt a;

        keep_connections(f, KEPT);
        http_server_answer(f->server, &breaks[i]);
        attempt_init(&a, f, "/");
        attempt_run(&a);
        assert_false(a.delivery.result.ok);
        assert_contains(a.delivery.result.error, " closed the connection without an answer");
        /* Over a kept one, then over a new one. */
        assert_int_equal(http_server_requests(f->server), KEPT + 2);
        assert_int_equal(http_server_connections(f->server), KEPT + 1);
        attempt_free(&a);
        fixture_free(f);
    }
}

static void a_new_connection_that_breaks_is_not_replaced(void **state)
{
    static const struct http_answer breaks[] = {{.close = true}, {.close = true, .reset = true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        struct fixture *f = fixture_new(&(struct fixture_options){0});
        struct attempt a;

        http_server_answer(f->server, &breaks[i]);
        attempt_init(&a, f, "/");
        attempt_run(&a);
        assert_false(a.delivery.result.ok);
        assert_contains(a.delivery.result.error, " closed the connection without an answer");
        assert_int_equal(http_server_requests(f->server), 1);
        attempt_free(&a);
        fixture_free(f);
    }
}

static void nothing_is_watched_or_armed_when_nothing_is_in_flight(void **state)
{
    struct fixture *f = *state;
    struct attempt *all = attempts_new(f, 20, "/");

    assert_idle(f);
    for (size_t i = 0; i < 20; i++)
        attempt_start(&all[i]);
    assert_int_equal(in_flight(f), 20);
    for (size_t i = 0; i < 20; i++)
        attempt_wait(&all[i]);
    assert_idle(f);
    attempts_free(all, 20);
}

static bool all_ended(void *arg)
{
    return in_flight(arg) == 0;
}

static void many_at_once_all_arrive_once(void **state)
{
    enum { N = 1000 };
    struct fixture *f = fixture_new(&(struct fixture_options){.connections_max = 50});
    struct attempt *all = attempts_new(f, N, "/");

    (void)state;
    for (size_t i = 0; i < N; i++)
        attempt_start(&all[i]);
    assert_true(poll_reactor_run(f->reactor, all_ended, f, LONG_US));
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(all[i].ended, 1);
        assert_true(all[i].delivery.result.ok);
    }
    assert_int_equal(http_server_requests(f->server), N);
    assert_true(http_server_connections(f->server) <= 50);
    assert_idle(f);
    attempts_free(all, N);
    fixture_free(f);
}

static void connections_to_one_host_are_bounded_and_others_go_on(void **state)
{
    enum { N = 10 };
    struct fixture *f = fixture_new(&(struct fixture_options){.per_host_max = 3});
    struct http_server *other = http_server_new(NULL);
    struct attempt *all = attempts_new(f, N, "/");
    struct attempt b;

    (void)state;
    http_server_answer(f->server, &stall);
    for (size_t i = 0; i < N; i++) {
        static const char *const spelled[] = {"127.0.0.1:", "127.1:0", "0x7f000001:", "%31%32%37.0.0.1:"};

        /* By userinfo, letters or another way to write its address it is no other host. */
        if (i % 2 == 1)
            (void)snprintf(all[i].url, sizeof(all[i].url), "HTTP://u%zu:p@%s%d/x?y", i,
                           spelled[i / 2 % COUNT_OF(spelled)], http_server_port(f->server));
        all[i].schedule.task.host = (struct str){all[i].url, strlen(all[i].url)};
        attempt_start(&all[i]);
    }
    wait_requests(f, 3);
    /* Three stall; a host that answers is not held up by them. */
    attempt_init(&b, f, http_server_url(other, "/"));
    attempt_run(&b);
    assert_true(b.delivery.result.ok);
    assert_int_equal(http_server_requests(f->server), 3);
    assert_int_equal(http_server_connections(f->server), 3);

    http_server_answer(f->server, &usual);
    for (size_t i = 0; i < 3; i++)
        attempt_abort(&all[i]);
    for (size_t i = 0; i < N; i++)
        attempt_wait(&all[i]);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(all[i].delivery.result.ok, i >= 3);
    assert_int_equal(http_server_requests(f->server), N);
    assert_idle(f);
    attempt_free(&b);
    attempts_free(all, N);
    http_server_free(other);
    fixture_free(f);
}

static void waiting_for_a_place_does_not_use_up_the_timeout(void **state)
{
    struct fixture *f = fixture_new(&(struct fixture_options){.connections_max = 1});
    struct attempt *all = attempts_new(f, 3, "/");
    struct mono start = clock_mono();

    (void)state;
    http_server_answer(f->server, &stall);
    for (size_t i = 0; i < 3; i++) {
        all[i].schedule.task.timeout_us = 100 * US_PER_MS;
        attempt_start(&all[i]);
    }
    for (size_t i = 0; i < 3; i++)
        attempt_wait(&all[i]);
    /* One after the other, each with its own time, each sent. */
    assert_true(clock_mono().us - start.us >= 300 * US_PER_MS);
    assert_int_equal(http_server_requests(f->server), 3);
    assert_idle(f);
    attempts_free(all, 3);
    fixture_free(f);
}

static void an_attempt_in_flight_is_given_up_with_its_connection(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    http_server_answer(f->server, &stall);
    attempt_init(&a, f, "/");
    attempt_start(&a);
    wait_requests(f, 1);
    attempt_abort(&a);
    attempt_abort(&a);
    assert_int_equal(a.ended, 0);
    attempt_wait(&a);
    assert_false(a.delivery.result.ok);
    assert_string_equal(a.delivery.result.error, "given up before it ended");
    assert_idle(f);
    attempt_free(&a);
}

static void what_waits_can_be_given_up_in_every_place(void **state)
{
    struct fixture *f = fixture_new(&(struct fixture_options){.connections_max = 2, .per_host_max = 1});
    struct http_server *second = http_server_new(NULL);
    struct http_server *third = http_server_new(NULL);
    struct attempt all[5];
    /* wire, host's queue, wire, queue for the wire, host's queue of that one */
    struct http_server *servers[5] = {f->server, f->server, second, third, third};

    (void)state;
    for (size_t order = 0; order < 5; order++) {
        http_server_answer(f->server, &stall);
        http_server_answer(second, &stall);
        http_server_answer(third, &stall);
        for (size_t i = 0; i < 5; i++) {
            attempt_init(&all[i], f, http_server_url(servers[i], "/"));
            attempt_start(&all[i]);
        }
        assert_int_equal(in_flight(f), 5);
        for (size_t i = 0; i < 5; i++)
            attempt_abort(&all[(i + order) % 5]);
        for (size_t i = 0; i < 5; i++) {
            attempt_wait(&all[i]);
            assert_string_equal(all[i].delivery.result.error, "given up before it ended");
        }
        assert_idle(f);
        for (size_t i = 0; i < 5; i++)
            attempt_free(&all[i]);
    }
    http_server_free(second);
    http_server_free(third);
    fixture_free(f);
}

/* done() that starts the next attempt and gives up another one: both are allowed there. */
struct chain {
    struct attempt a;
    struct attempt victim;
    size_t left;
};

static void on_chain_done(struct delivery *d)
{
    struct attempt *a = CONTAINER_OF(d, struct attempt, delivery);
    struct chain *c = CONTAINER_OF(a, struct chain, a);

    a->ended++;
    deliver_abort(a->fixture->rest, &c->victim.delivery);
    if (c->left > 0) {
        c->left--;
        deliver_start(a->fixture->rest, d);
    }
}

static void done_may_start_and_give_up(void **state)
{
    struct fixture *f = *state;
    struct chain c = {.left = 4};

    attempt_init(&c.a, f, "/");
    attempt_init(&c.victim, f, "/");
    c.a.delivery.done = on_chain_done;
    attempt_start(&c.a);
    attempt_start(&c.victim);
    assert_true(poll_reactor_run(f->reactor, all_ended, f, LONG_US));
    assert_int_equal(c.a.ended, 5);
    assert_int_equal(c.victim.ended, 1);
    assert_idle(f);
    attempt_free(&c.a);
    attempt_free(&c.victim);
}

static void a_done_that_always_starts_what_fails_at_once_does_not_hold_the_loop(void **state)
{
    struct fixture *f = *state;
    struct chain c = {.left = 1000};
    uint64_t turns = poll_reactor_turns(f->reactor);

    attempt_init(&c.a, f, "/");
    attempt_init(&c.victim, f, "/");
    attempt_header(&c.a, "bad name", "x");
    c.a.delivery.done = on_chain_done;
    attempt_start(&c.a);
    assert_true(poll_reactor_run(f->reactor, all_ended, f, LONG_US));
    assert_int_equal(c.a.ended, 1001);
    assert_true(poll_reactor_turns(f->reactor) - turns >= 1001);
    attempt_free(&c.a);
    attempt_free(&c.victim);
}

static void a_socket_that_cannot_be_watched_puts_off_its_attempt_only(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    attempt_init(&a, f, "/");
    poll_reactor_fail_watch(f->reactor, 1);
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_true(a.delivery.result.not_sent);
    assert_string_equal(a.delivery.result.error, "the connection's socket cannot be watched");
    attempt_run(&a);
    assert_true(a.delivery.result.ok);
    assert_idle(f);
    attempt_free(&a);
}

static void timeouts_come_in_the_order_of_their_deadlines(void **state)
{
    struct fixture *f = *state;
    struct attempt *all = attempts_new(f, 3, "/");

    http_server_answer(f->server, &stall);
    all[0].schedule.task.timeout_us = 400 * US_PER_MS;
    all[1].schedule.task.timeout_us = 60 * US_PER_MS;
    all[2].schedule.task.timeout_us = 200 * US_PER_MS;
    for (size_t i = 0; i < 3; i++)
        attempt_start(&all[i]);
    attempt_wait(&all[1]);
    assert_int_equal(all[0].ended + all[2].ended, 0);
    attempt_wait(&all[2]);
    assert_int_equal(all[0].ended, 0);
    attempt_wait(&all[0]);
    assert_idle(f);
    attempts_free(all, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_connection_serves_many_requests),
        CASE(an_answer_with_an_error_keeps_its_connection_too),
        CASE(a_kept_connection_that_the_server_closed_is_replaced),
        cmocka_unit_test(an_attempt_is_sent_twice_at_most_however_many_kept_connections_break),
        cmocka_unit_test(a_new_connection_that_breaks_is_not_replaced),
        CASE(nothing_is_watched_or_armed_when_nothing_is_in_flight),
        cmocka_unit_test(many_at_once_all_arrive_once),
        cmocka_unit_test(connections_to_one_host_are_bounded_and_others_go_on),
        cmocka_unit_test(waiting_for_a_place_does_not_use_up_the_timeout),
        CASE(an_attempt_in_flight_is_given_up_with_its_connection),
        cmocka_unit_test(what_waits_can_be_given_up_in_every_place),
        CASE(done_may_start_and_give_up),
        CASE(a_done_that_always_starts_what_fails_at_once_does_not_hold_the_loop),
        CASE(a_socket_that_cannot_be_watched_puts_off_its_attempt_only),
        CASE(timeouts_come_in_the_order_of_their_deadlines),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
