/*
 * rest_dns.c: a resolver that hangs holds up its own attempt and nothing else.
 *
 * This program's own getaddrinfo() takes the place of the C library's, so that names under .test hang for as
 * long as a test wants.
 */
#include "rest_fixture.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool open;      /* names under .test are answered */
    size_t hanging; /* calls that wait */
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

__attribute__((visibility("default"))) int getaddrinfo(const char *restrict node,
                                                       const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict ret)
{
    getaddrinfo_fn real;

    if (node && str_ends(str_of(node), STR(".test"))) {
        MUST(pthread_mutex_lock(&gate.lock) == 0);
        gate.hanging++;
        MUST(pthread_cond_broadcast(&gate.moved) == 0);
        while (!gate.open)
            MUST(pthread_cond_wait(&gate.moved, &gate.lock) == 0);
        gate.hanging--;
        MUST(pthread_cond_broadcast(&gate.moved) == 0);
        MUST(pthread_mutex_unlock(&gate.lock) == 0);
        return EAI_NONAME;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    MUST(real);
    return real(node, service, hints, ret);
}

static void gate_close(void)
{
    MUST(pthread_mutex_lock(&gate.lock) == 0);
    gate.open = false;
    MUST(pthread_mutex_unlock(&gate.lock) == 0);
}

/* Lets all calls go and waits until they went. */
static void gate_open(void)
{
    MUST(pthread_mutex_lock(&gate.lock) == 0);
    gate.open = true;
    MUST(pthread_cond_broadcast(&gate.moved) == 0);
    while (gate.hanging > 0)
        MUST(pthread_cond_wait(&gate.moved, &gate.lock) == 0);
    MUST(pthread_mutex_unlock(&gate.lock) == 0);
}

static bool gate_is_hit(void *arg)
{
    size_t n;

    MUST(pthread_mutex_lock(&gate.lock) == 0);
    n = gate.hanging;
    MUST(pthread_mutex_unlock(&gate.lock) == 0);
    return n >= *(const size_t *)arg;
}

static void a_resolver_that_hangs_holds_up_neither_the_loop_nor_the_timeout(void **state)
{
    struct fixture *f = *state;
    struct attempt stuck;
    struct attempt other;
    const char *expected = "timeout after 0.3 s: no address for stuck.test:8080";

    gate_close();
    attempt_init(&stuck, f, "http://stuck.test:8080/");
    stuck.schedule.task.timeout_us = 300 * US_PER_MS;
    attempt_start(&stuck);
    attempt_init(&other, f, "/");
    for (size_t i = 0; i < 3; i++) {
        attempt_run(&other);
        assert_true(other.delivery.result.ok);
    }
    assert_int_equal(stuck.ended, 0);
    attempt_wait(&stuck);
    assert_string_equal(stuck.delivery.result.error, expected);
    /* The gate is still shut: had anything waited for it, we would not be here. */
    gate_open();
    attempt_free(&stuck);
    attempt_free(&other);
}

static void an_attempt_that_is_being_resolved_can_be_given_up(void **state)
{
    struct fixture *f = *state;
    struct attempt stuck;
    size_t one = 1;

    gate_close();
    attempt_init(&stuck, f, "http://stuck2.test/");
    attempt_start(&stuck);
    assert_true(poll_reactor_run(f->reactor, gate_is_hit, &one, LONG_US));
    attempt_abort(&stuck);
    attempt_wait(&stuck);
    assert_string_equal(stuck.delivery.result.error, "given up before it ended");
    gate_open();
    attempt_free(&stuck);
}

static void an_unknown_name_is_told(void **state)
{
    struct fixture *f = *state;
    struct attempt a;

    gate_open();
    attempt_init(&a, f, "http://user:s3cret@unknown.test/p?k=s3cret");
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_string_equal(a.delivery.result.error, "cannot resolve the name of unknown.test:80");
    attempt_free(&a);
}

static void a_name_is_resolved_and_both_families_are_tried(void **state)
{
    struct fixture *f = *state;
    struct attempt a;
    char url[64];

    /* The server listens on 127.0.0.1 only; localhost may be ::1 first. */
    (void)snprintf(url, sizeof(url), "http://localhost:%d/", http_server_port(f->server));
    attempt_init(&a, f, url);
    attempt_run(&a);
    assert_string_equal(a.delivery.result.error, "");
    assert_true(a.delivery.result.ok);
    attempt_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_resolver_that_hangs_holds_up_neither_the_loop_nor_the_timeout),
        CASE(an_attempt_that_is_being_resolved_can_be_given_up),
        CASE(an_unknown_name_is_told),
        CASE(a_name_is_resolved_and_both_families_are_tried),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
