/*
 * rest_fixture.h: what the tests of the rest deliverer share: a reactor, a server, a deliverer, attempts.
 */
#ifndef TESTS_REST_FIXTURE_H
#define TESTS_REST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/rest.h"
#include "http_server.h"
#include "poll_reactor.h"

/* Longer than any sound machine needs: only a failing test waits for it. */
#define LONG_US (INT64_C(30) * US_PER_S)

struct fixture {
    struct poll_reactor *reactor;
    struct http_server *server;
    struct deliverer *rest;
    bool calling; /* inside start() or abort(): done() must not come */
    struct reactor_watch *server_watch;
    char ca_file[64];
};

struct fixture_options {
    size_t connections_max; /* 0: 100 */
    size_t per_host_max;    /* 0: no limit */
    struct http_server_options server;
    bool trust; /* the server's certificate is in ca_file */
    bool tls_insecure_allowed;
    struct guard *guard;
    const struct signer *signer;
    int64_t per_host_rate;
    unsigned circuit_failures;
};

/* One delivery with a schedule of its own. */
struct attempt {
    struct fixture *fixture;
    struct delivery delivery;
    struct schedule schedule;
    char url[512];
    size_t ended; /* calls of done() */
};

/* For the group: deliver_setup() and its undoing. */
int libraries_setup(void **state);
int libraries_teardown(void **state);
/* As cmocka's setup: plain HTTP, no limits. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
struct fixture *fixture_new(const struct fixture_options *options);
void fixture_free(struct fixture *f);

/* POST of {"a":1} with 5 s of time to the server's `path`, or to `path` itself when it is a URL. */
void attempt_init(struct attempt *a, struct fixture *f, const char *path);
void attempt_free(struct attempt *a);
void attempt_header(struct attempt *a, const char *name, const char *value);
void attempt_start(struct attempt *a);
void attempt_abort(struct attempt *a);
/* Turns until it ended. */
void attempt_wait(struct attempt *a);
/* The same three in a row. */
void attempt_run(struct attempt *a);
/* Turns until the server has read `n` requests, accepted `n` connections. */
void wait_requests(struct fixture *f, size_t n);
void wait_connections(struct fixture *f, size_t n);

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define assert_contains(text, part) assert_non_null(strstr((text), (part)))

#endif
