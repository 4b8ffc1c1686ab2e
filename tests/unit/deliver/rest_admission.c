/*
 * rest_admission.c: what of an attempt's end says that its target is down, and what does not.
 */
#include "rest_fixture.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "deliver/guard.h"

enum { FAILURES = 3 };

static const struct fixture_options options = {.circuit_failures = FAILURES};

static int circuit_setup(void **state)
{
    *state = fixture_new(&options);
    return 0;
}

static struct deliver_stats stats_of(const struct fixture *f)
{
    struct deliver_stats s;

    f->rest->ops->stats(f->rest, &s);
    return s;
}

/* For how long an attempt at the schedule's target is refused; 0: it may begin. */
static int64_t refused_us(struct fixture *f, const struct attempt *a)
{
    struct mono now = clock_mono();
    int64_t us = deliver_admit(f->rest, &a->schedule, now).us - now.us;

    return us > 0 ? us : 0;
}

static void a_target_that_answers_is_well_whatever_it_answers(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", /* cut off */
        "SSH-2.0-OpenSSH_9.2\r\n",
    };
    struct fixture *f = *state;
    struct attempt a;

    attempt_init(&a, f, "/");
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        http_server_answer(f->server, &(struct http_answer){.raw = answers[i], .close = true});
        for (int k = 0; k < 2 * FAILURES; k++) {
            attempt_run(&a);
            assert_false(a.delivery.result.ok);
        }
        assert_int_equal(refused_us(f, &a), 0);
    }
    assert_int_equal(stats_of(f).circuits_opened, 0);
    attempt_free(&a);
}

static void a_target_that_cuts_every_connection_is_down(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    http_server_answer(f->server, &(struct http_answer){.close = true});
    attempt_init(&a, f, "/");
    for (int k = 0; k < FAILURES; k++) {
        assert_int_equal(refused_us(f, &a), 0);
        attempt_run(&a);
    }
    assert_in_range(refused_us(f, &a), 1, US_PER_S);
    assert_int_equal(stats_of(f).circuits_open, 1);
    attempt_free(&a);
}

static void a_target_that_lets_time_run_out_or_is_not_there_is_down(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    struct fixture *f = *state;
    struct attempt slow;
    struct attempt gone;
    char url[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(at.sin_port));
    http_server_answer(f->server, &(struct http_answer){.stall = true});
    attempt_init(&slow, f, "/");
    attempt_init(&gone, f, url);
    slow.schedule.task.timeout_us = 30 * US_PER_MS;
    for (int k = 0; k < FAILURES; k++) {
        attempt_run(&slow);
        attempt_run(&gone);
    }
    assert_int_equal(stats_of(f).circuits_open, 2);
    assert_true(refused_us(f, &slow) > 0);
    assert_true(refused_us(f, &gone) > 0);
    /* When it answers again, one attempt is enough. */
    http_server_answer(f->server, &(struct http_answer){.raw = NULL});
    slow.schedule.task.timeout_us = 5 * US_PER_S;
    attempt_run(&slow);
    assert_true(slow.delivery.result.ok);
    assert_int_equal(refused_us(f, &slow), 0);
    assert_true(refused_us(f, &gone) > 0);
    attempt_free(&slow);
    attempt_free(&gone);
    assert_int_equal(close(fd), 0);
}

static void what_we_do_ourselves_says_nothing_of_the_target(void **state)
{
    const struct str deny[] = {STR("10.0.0.0/8")};
    struct guard *guard = NULL;
    struct fixture *f;
    struct attempt stuck;
    struct attempt denied;
    struct attempt wrong;

    (void)state;
    assert_int_equal(guard_new(&(struct guard_lists){.deny = deny, .deny_n = 1}, &guard, NULL), ERR_NONE);
    f = fixture_new(&(struct fixture_options){.circuit_failures = FAILURES, .guard = guard});
    guard_unref(guard);
    http_server_answer(f->server, &(struct http_answer){.stall = true});
    attempt_init(&stuck, f, "/");
    attempt_init(&denied, f, "http://10.1.2.3/");
    attempt_init(&wrong, f, "http://127.0.0.1:99999/");
    for (int k = 0; k < 2 * FAILURES; k++) {
        attempt_start(&stuck);
        attempt_abort(&stuck);
        attempt_wait(&stuck);
        attempt_run(&denied);
        attempt_run(&wrong);
        poll_reactor_fail_watch(f->reactor, 1); /* no descriptor to watch */
        attempt_run(&stuck);
        assert_true(stuck.delivery.result.not_sent);
    }
    assert_int_equal(stats_of(f).circuits_opened, 0);
    attempt_free(&stuck);
    attempt_free(&denied);
    attempt_free(&wrong);
    fixture_free(f);
}

static void a_rate_is_a_hosts_whatever_the_path(void **state)
{
    struct fixture *f = fixture_new(&(struct fixture_options){.per_host_rate = 1});
    struct attempt a;
    struct attempt b;
    struct attempt other;

    (void)state;
    attempt_init(&a, f, "/a");
    attempt_init(&b, f, "/b");
    attempt_init(&other, f, "http://other.example/");
    assert_int_equal(refused_us(f, &a), 0);
    assert_true(refused_us(f, &b) > 0);
    assert_int_equal(refused_us(f, &other), 0);
    attempt_free(&a);
    attempt_free(&b);
    attempt_free(&other);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_target_that_answers_is_well_whatever_it_answers, circuit_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_target_that_cuts_every_connection_is_down, circuit_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_target_that_lets_time_run_out_or_is_not_there_is_down,
                                        circuit_setup, fixture_teardown),
        cmocka_unit_test(what_we_do_ourselves_says_nothing_of_the_target),
        cmocka_unit_test(a_rate_is_a_hosts_whatever_the_path),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
