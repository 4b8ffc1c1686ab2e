/*
 * kafka_gate.c: for how long a broker that must not be called explains what fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "deliver/kafka_internal.h"

/* 127.0.0.2 is denied; 127.0.0.1 listens. */
struct ground {
    struct kafka_gate *gate;
    struct sockaddr_in open;
    struct sockaddr_in denied;
    int listener;
};

static struct ground ground_open(void)
{
    const struct str deny[] = {STR("127.0.0.2")};
    const struct guard_lists lists = {.deny = deny, .deny_n = COUNT_OF(deny)};
    struct ground g = {.open = {.sin_family = AF_INET}};
    socklen_t n = sizeof(g.open);
    struct guard *guard = NULL;

    assert_int_equal(guard_new(&lists, &guard, NULL), ERR_NONE);
    g.gate = kafka_gate_new(guard);
    guard_unref(guard);
    g.open.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(g.listener >= 0);
    assert_int_equal(bind(g.listener, (struct sockaddr *)&g.open, n), 0);
    assert_int_equal(listen(g.listener, 8), 0);
    assert_int_equal(getsockname(g.listener, (struct sockaddr *)&g.open, &n), 0);
    g.denied = g.open;
    g.denied.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    return g;
}

static void ground_close(struct ground *g)
{
    kafka_gate_unref(g->gate);
    assert_int_equal(close(g->listener), 0);
}

static int call(const struct ground *g, const struct sockaddr_in *to, const char *broker)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int number;

    assert_true(fd >= 0);
    number = kafka_gate_connect(g->gate, fd, (const struct sockaddr *)to, sizeof(*to), broker);
    assert_int_equal(close(fd), 0);
    return number;
}

/* Of an attempt that began so long after now. */
static bool explains(const struct ground *g, int64_t later_us)
{
    char text[ATTEMPT_TEXT_MAX];
    bool told = kafka_gate_refusal(g->gate, mono_add(clock_mono(), later_us), text);

    assert_int_equal(told, text[0] != '\0');
    if (told)
        assert_string_equal(text, "must not call k (127.0.0.2): denied by delivery.deny: 127.0.0.2");
    return told;
}

static void a_refusal_explains_what_it_may_have_kept_from_its_broker(void **state)
{
    struct ground g = ground_open();

    (void)state;
    assert_false(explains(&g, 0));
    assert_int_equal(call(&g, &g.denied, "plaintext://k:9092/bootstrap"), EACCES);
    assert_true(explains(&g, -600 * US_PER_S));
    assert_true(explains(&g, 0));
    ground_close(&g);
}

static void a_refusal_of_long_ago_explains_nothing(void **state)
{
    struct ground g = ground_open();

    (void)state;
    assert_int_equal(call(&g, &g.denied, "plaintext://k:9092/bootstrap"), EACCES);
    assert_false(explains(&g, 60 * US_PER_S));
    ground_close(&g);
}

static void a_broker_that_is_called_by_another_address_is_not_refused_any_more(void **state)
{
    struct ground g = ground_open();

    (void)state;
    assert_int_equal(call(&g, &g.denied, "plaintext://k:9092/bootstrap"), EACCES);
    assert_int_equal(call(&g, &g.open, "plaintext://other:9092/2"), 0);
    assert_true(explains(&g, 0));
    assert_int_equal(call(&g, &g.open, "plaintext://k:9092/bootstrap"), 0);
    assert_false(explains(&g, 0));
    ground_close(&g);
}

static void nothing_is_refused_any_more_when_a_record_arrived(void **state)
{
    struct ground g = ground_open();

    (void)state;
    assert_int_equal(call(&g, &g.denied, "plaintext://k:9092/bootstrap"), EACCES);
    kafka_gate_forget(g.gate);
    assert_false(explains(&g, 0));
    assert_int_equal(call(&g, &g.denied, "plaintext://k:9092/bootstrap"), EACCES);
    assert_true(explains(&g, 0));
    ground_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_explains_what_it_may_have_kept_from_its_broker),
        cmocka_unit_test(a_refusal_of_long_ago_explains_nothing),
        cmocka_unit_test(a_broker_that_is_called_by_another_address_is_not_refused_any_more),
        cmocka_unit_test(nothing_is_refused_any_more_when_a_record_arrived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
