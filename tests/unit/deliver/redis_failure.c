/*
 * redis_failure.c: Redis servers that refuse, stall, cut off and lie, and how many connections there are.
 */
#include "target_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/guard.h"
#include "deliver/redis.h"
#include "descriptors.h"
#include "redis_server.h"

struct fixture {
    struct target target;
    struct liar *liar;
    char host[64];
};

static int setup_with(void **state, size_t connections_max)
{
    struct fixture *f = alloc_new(struct fixture);

    target_open(&f->target, redis_open, connections_max);
    f->liar = liar_start(f->target.reactor);
    (void)snprintf(f->host, sizeof(f->host), "127.0.0.1:%d", liar_port(f->liar));
    liar_answers(f->liar, ":1\r\n");
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, 8);
}

static int setup_of_one(void **state)
{
    return setup_with(state, 1);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    liar_stop(f->liar);
    target_close(&f->target);
    alloc_free(f);
    return 0;
}

static void trial_redis(struct trial *a, struct fixture *f, const char *host)
{
    trial_init(a, &f->target, TASK_REDIS, host, "t");
}

static void run_one(struct fixture *f, const char *host, int64_t timeout_us, const char *error)
{
    struct trial a;

    trial_redis(&a, f, host);
    a.schedule.task.timeout_us = timeout_us;
    trial_run(&a);
    if (error)
        assert_failed(&a, error);
    else
        assert_ok(&a);
    assert_null(strstr(a.delivery.result.error, "MARKER"));
    trial_free(&a);
}

static bool is_commands(void *arg)
{
    const struct fixture *f = arg;

    return liar_commands(f->liar) > 0;
}

static void await_command(struct fixture *f)
{
    assert_true(poll_reactor_run(f->target.reactor, is_commands, f, LONG_US));
}

static void a_server_that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    char host[64];
    char expected[128];
    int fd;
    int port = closed_port(&fd);

    (void)snprintf(host, sizeof(host), "redis://u:MARKER@127.0.0.1:%d", port);
    (void)snprintf(expected, sizeof(expected), "cannot connect to 127.0.0.1:%d: Connection refused", port);
    run_one(f, host, 5 * US_PER_S, expected);
    assert_int_equal(close(fd), 0);
    run_one(f, "no-such-name.invalid:6379", 5 * US_PER_S, "cannot resolve the name of no-such-name.invalid");
}

/* The second try at a dead server waits for its pause, within the attempt's own time. */
static void tries_to_connect_keep_a_growing_pause(void **state)
{
    struct fixture *f = *state;
    char host[64];
    int fd;
    struct mono begun;

    (void)snprintf(host, sizeof(host), "127.0.0.1:%d", closed_port(&fd));
    run_one(f, host, 5 * US_PER_S, "Connection refused");
    begun = clock_mono();
    run_one(f, host, 5 * US_PER_S, "Connection refused"); /* 75 to 100 ms */
    run_one(f, host, 5 * US_PER_S, "Connection refused"); /* 150 to 200 ms */
    assert_true(clock_mono().us - begun.us >= 225 * US_PER_MS);
    begun = clock_mono();
    run_one(f, host, 50 * US_PER_MS, "timeout after 0.05 s: no connection to 127.0.0.1:");
    assert_true(clock_mono().us - begun.us >= 50 * US_PER_MS);
    assert_int_equal(close(fd), 0);
}

static void a_server_that_does_not_answer_costs_the_attempts_time(void **state)
{
    struct fixture *f = *state;

    liar_answers(f->liar, NULL);
    run_one(f, f->host, 100 * US_PER_MS, "timeout after 0.1 s: no answer from 127.0.0.1:");
    /* The late answer is nobody's, and the next one's own is its own. */
    liar_answers(f->liar, ":1\r\n:1\r\n");
    run_one(f, f->host, 5 * US_PER_S, NULL);
    assert_int_equal(liar_connections(f->liar), 1);
}

static void a_server_that_says_nothing_for_long_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct trial patient;

    liar_answers(f->liar, NULL);
    trial_redis(&patient, f, f->host);
    patient.schedule.task.timeout_us = LONG_US;
    trial_start(&patient);
    await_command(f);
    run_one(f, f->host, 5200 * US_PER_MS, "timeout after 5.2 s: no answer");
    trial_wait(&patient);
    assert_failed(&patient, "for 5 s; the connection was given up");
    trial_free(&patient);
    liar_answers(f->liar, ":1\r\n");
    run_one(f, f->host, 5 * US_PER_S, NULL);
    assert_int_equal(liar_connections(f->liar), 2);
}

static void a_connection_that_breaks_fails_what_is_unanswered(void **state)
{
    struct fixture *f = *state;
    struct trial a[3];

    liar_answers(f->liar, NULL);
    liar_closes_after(f->liar, COUNT_OF(a));
    for (size_t i = 0; i < COUNT_OF(a); i++) {
        trial_redis(&a[i], f, f->host);
        trial_start(&a[i]);
    }
    for (size_t i = 0; i < COUNT_OF(a); i++) {
        trial_wait(&a[i]);
        assert_failed(&a[i], "closed the connection");
        trial_free(&a[i]);
    }
    assert_int_equal(liar_commands(f->liar), COUNT_OF(a));
    liar_closes_after(f->liar, 0);
    liar_answers(f->liar, "+OK\r\n");
    run_one(f, f->host, 5 * US_PER_S, NULL);
}

static void what_is_no_redis_is_told_apart(void **state)
{
    static const struct {
        const char *answer;
        const char *error;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak the protocol of Redis"},
        {"-ERR unknown command 'PUBLISH', with args beginning with: 'MARKER'\r\n",
         "answered: ERR unknown command 'PUBLISH'"},
        {"-ERR is your password MARKER?\r\n", "is your password ******?"},
        {"-OOM command not allowed\r\n", "answered: OOM command not allowed"},
        {"+fine\r\n", NULL},
        {"$-1\r\n", NULL},
        {"*2\r\n$1\r\na\r\n*1\r\n-inner\r\n", NULL},
        {"$3\r\nabc\r\n", NULL},
    };
    struct fixture *f = *state;
    char host[96];

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* Each on a connection of its own; the first of its two answers is to AUTH. */
        (void)snprintf(host, sizeof(host), "redis://u%zu:MARKER@%s", i, f->host);
        liar_answers(f->liar, "+OK\r\n");
        run_one(f, host, 5 * US_PER_S, NULL);
        liar_answers(f->liar, cases[i].answer);
        run_one(f, host, 5 * US_PER_S, cases[i].error);
    }
}

/* hiredis' own client would end the process here. */
static void an_answer_to_no_question_harms_nobody_else(void **state)
{
    struct fixture *f = *state;
    char host[96];

    liar_answers(f->liar, ":1\r\n:2\r\n:3\r\n");
    run_one(f, f->host, 5 * US_PER_S, NULL);
    /* Before AUTH could be answered: whatever it is taken for, it lets nobody in. */
    (void)snprintf(host, sizeof(host), "redis://:x@%s", f->host);
    liar_greets(f->liar, "+hello\r\n*1\r\n$3\r\nabc\r\n");
    run_one(f, host, 5 * US_PER_S, "answered what it was not asked");
    liar_greets(f->liar, NULL);
    liar_answers(f->liar, ":1\r\n");
    run_one(f, f->host, 5 * US_PER_S, NULL);
}

static void an_answer_without_end_is_not_read_to_its_end(void **state)
{
    struct fixture *f = *state;
    enum { PIECE = 8000 };
    static char piece[PIECE];

    memset(piece, 'x', sizeof(piece) - 1);
    memcpy(piece, "$500000000\r\n", 12);
    liar_answers(f->liar, piece);
    for (size_t i = 0; i < 3; i++) {
        struct trial a[20];

        for (size_t n = 0; n < COUNT_OF(a); n++) {
            trial_redis(&a[n], f, f->host);
            trial_start(&a[n]);
        }
        for (size_t n = 0; n < COUNT_OF(a); n++) {
            trial_wait(&a[n]);
            assert_failed(&a[n], "sent an answer without end");
            trial_free(&a[n]);
        }
    }
}

static void a_password_quoted_by_the_server_stays_secret(void **state)
{
    struct fixture *f = *state;
    char host[96];

    (void)snprintf(host, sizeof(host), "redis://u:MARKER@%s", f->host);
    liar_answers(f->liar, "-ERR unknown command 'AUTH', with args beginning with: 'u' 'MARKER'\r\n");
    run_one(f, host, 5 * US_PER_S, "refused the user or the password (ERR)");
    liar_answers(f->liar, "-MARKER\r\n");
    run_one(f, host, 5 * US_PER_S, "refused the user or the password");
}

static void one_given_up_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct trial a;
    struct trial b;

    liar_answers(f->liar, NULL);
    trial_redis(&a, f, f->host);
    trial_redis(&b, f, f->host);
    trial_start(&a);
    trial_abort(&a);
    trial_wait(&a);
    assert_failed(&a, "given up");
    trial_start(&b);
    await_command(f);
    trial_abort(&b);
    trial_abort(&b);
    trial_wait(&b);
    assert_failed(&b, "given up");
    /* Its answer is still owed when the deliverer closes. */
    trial_free(&a);
    trial_free(&b);
}

static void schedules_share_a_connection_for_each_server_user_and_database(void **state)
{
    struct fixture *f = *state;
    char other[96];

    (void)snprintf(other, sizeof(other), "redis://%s/0", f->host);
    run_one(f, f->host, 5 * US_PER_S, NULL);
    run_one(f, other, 5 * US_PER_S, NULL);
    assert_int_equal(liar_connections(f->liar), 1);
    (void)snprintf(other, sizeof(other), "redis://%s/1", f->host);
    run_one(f, other, 5 * US_PER_S, NULL);
    assert_int_equal(liar_connections(f->liar), 2);
    (void)snprintf(other, sizeof(other), "redis://u:p@%s", f->host);
    run_one(f, other, 5 * US_PER_S, NULL);
    assert_int_equal(liar_connections(f->liar), 3);
}

static void connections_in_use_are_waited_for_and_idle_ones_make_room(void **state)
{
    struct fixture *f = *state;
    struct trial first;
    struct trial second;
    char other[96];

    run_one(f, f->host, 5 * US_PER_S, NULL);
    (void)snprintf(other, sizeof(other), "redis://%s/1", f->host);
    run_one(f, other, 5 * US_PER_S, NULL);
    assert_int_equal(liar_connections(f->liar), 2);

    liar_answers(f->liar, NULL);
    trial_redis(&first, f, other);
    trial_redis(&second, f, f->host);
    first.schedule.task.timeout_us = 300 * US_PER_MS;
    trial_start(&first);
    trial_start(&second);
    run_one(f, f->host, 100 * US_PER_MS, "all connections to Redis servers are in use");
    assert_int_equal(liar_connections(f->liar), 2);
    trial_wait(&first);
    trial_abort(&second);
    trial_wait(&second);
    trial_free(&first);
    trial_free(&second);
}

static void a_socket_that_cannot_be_watched_fails_its_attempts(void **state)
{
    struct fixture *f = *state;

    poll_reactor_fail_watch(f->target.reactor, 1);
    run_one(f, f->host, 5 * US_PER_S, "cannot be watched");
    run_one(f, f->host, 5 * US_PER_S, NULL);
}

static void attempts_without_a_descriptor_for_their_connection_are_put_off(void **state)
{
    struct fixture *f = *state;
    struct trial a;
    struct trial by_name;
    char host[64];
    rlim_t limit;

    (void)snprintf(host, sizeof(host), "localhost:%d", liar_port(f->liar));
    trial_redis(&a, f, f->host);
    trial_redis(&by_name, f, host);
    limit = descriptors_exhaust();
    trial_run(&a);
    trial_run(&by_name);
    descriptors_restore(limit);
    assert_true(a.delivery.result.not_sent);
    assert_string_equal(a.delivery.result.error, "cannot make a connection: Too many open files");
    assert_true(by_name.delivery.result.not_sent);
    trial_run(&a);
    assert_ok(&a);
    assert_false(a.delivery.result.not_sent);
    trial_free(&a);
    trial_free(&by_name);
}

static void a_server_that_must_not_be_called_is_not(void **state)
{
    const struct str deny[] = {STR("127.0.0.0/8"), STR("::1"), STR("*.denied.example")};
    const struct guard_lists lists = {.deny = deny, .deny_n = COUNT_OF(deny)};
    struct fixture *f = *state;
    struct fixture guarded = {0};
    struct guard *guard = NULL;
    char host[64];

    assert_int_equal(guard_new(&lists, &guard, NULL), ERR_NONE);
    target_open_with(&guarded.target, redis_open,
                     (struct deliver_options){.connections_max = 4, .guard = guard});
    guard_unref(guard);
    run_one(&guarded, f->host, 5 * US_PER_S, "must not call 127.0.0.1: denied by delivery.deny: 127.0.0.0/8");
    (void)snprintf(host, sizeof(host), "redis://u:p@localhost:%d/1", liar_port(f->liar));
    run_one(&guarded, host, 5 * US_PER_S, "must not call localhost (");
    run_one(&guarded, "redis://a.denied.example", 5 * US_PER_S,
            "must not call a.denied.example: denied by delivery.deny: *.denied.example");
    target_turn(&f->target, 20 * US_PER_MS); /* the server's own turns */
    assert_int_equal(liar_connections(f->liar), 0);
    target_close(&guarded.target);
}

static void a_server_that_does_not_answer_opens_its_circuit_and_one_that_refuses_does_not(void **state)
{
    const struct deliver_options options = {.connections_max = 4, .circuit_failures = 3};
    struct fixture f = {0};
    struct trial a;
    char host[64];
    int fd;

    (void)state;
    target_open_with(&f.target, redis_open, options);
    f.liar = liar_start(f.target.reactor);
    liar_answers(f.liar, "-ERR no\r\n");
    (void)snprintf(f.host, sizeof(f.host), "127.0.0.1:%d", liar_port(f.liar));
    for (int i = 0; i < 5; i++)
        run_one(&f, f.host, 5 * US_PER_S, "answered: ERR no");
    liar_answers(f.liar, "-NOAUTH no\r\n");
    (void)snprintf(host, sizeof(host), "redis://u:p@127.0.0.1:%d", liar_port(f.liar));
    for (int i = 0; i < 5; i++)
        run_one(&f, host, 5 * US_PER_S, "refused the user or the password");
    assert_int_equal(target_circuits_open(&f.target), 0);
    (void)snprintf(host, sizeof(host), "127.0.0.1:%d", closed_port(&fd));
    for (int i = 0; i < 3; i++)
        run_one(&f, host, 5 * US_PER_S, "cannot connect");
    assert_int_equal(target_circuits_open(&f.target), 1);
    trial_redis(&a, &f, host);
    assert_true(deliver_admit(f.target.deliverer, &a.schedule, clock_mono()).us > clock_mono().us);
    trial_free(&a);
    trial_redis(&a, &f, f.host);
    assert_true(deliver_admit(f.target.deliverer, &a.schedule, clock_mono()).us <= clock_mono().us);
    trial_free(&a);
    liar_answers(f.liar, "");
    for (int i = 0; i < 3; i++)
        run_one(&f, f.host, 50 * US_PER_MS, "no answer from");
    assert_int_equal(target_circuits_open(&f.target), 2);
    liar_stop(f.liar);
    target_close(&f.target);
    assert_int_equal(close(fd), 0);
}

static void when_all_is_idle_nothing_wakes(void **state)
{
    struct fixture *f = *state;
    uint64_t turns;

    run_one(f, f->host, 100 * US_PER_MS, NULL);
    target_turn(&f->target, 200 * US_PER_MS);
    turns = poll_reactor_turns(f->target.reactor);
    target_turn(&f->target, 200 * US_PER_MS);
    assert_in_range(poll_reactor_turns(f->target.reactor) - turns, 0, 1);
}

static void tls_is_refused_where_there_is_none(void **state)
{
    struct fixture *f = *state;

    run_one(f, "rediss://u:MARKER@h", 5 * US_PER_S, "has no TLS");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_server_that_is_not_there_is_named),
        CASE(tries_to_connect_keep_a_growing_pause),
        CASE(a_server_that_does_not_answer_costs_the_attempts_time),
        CASE(a_server_that_says_nothing_for_long_is_given_up),
        CASE(a_connection_that_breaks_fails_what_is_unanswered),
        CASE(what_is_no_redis_is_told_apart),
        CASE(an_answer_to_no_question_harms_nobody_else),
        CASE(an_answer_without_end_is_not_read_to_its_end),
        CASE(a_password_quoted_by_the_server_stays_secret),
        CASE(one_given_up_ends_at_once),
        CASE(schedules_share_a_connection_for_each_server_user_and_database),
        cmocka_unit_test_setup_teardown(connections_in_use_are_waited_for_and_idle_ones_make_room,
                                        setup_of_one, teardown),
        CASE(a_socket_that_cannot_be_watched_fails_its_attempts),
        CASE(attempts_without_a_descriptor_for_their_connection_are_put_off),
        CASE(a_server_that_must_not_be_called_is_not),
        cmocka_unit_test(a_server_that_does_not_answer_opens_its_circuit_and_one_that_refuses_does_not),
        CASE(when_all_is_idle_nothing_wakes),
        CASE(tls_is_refused_where_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
