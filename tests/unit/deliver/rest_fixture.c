/*
 * rest_fixture.c: see rest_fixture.h.
 */
#include "rest_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

int libraries_setup(void **state)
{
    (void)state;
    return deliver_setup(NULL) == ERR_NONE ? 0 : -1;
}

int libraries_teardown(void **state)
{
    (void)state;
    deliver_teardown();
    return 0;
}

static void on_server_event(void *arg, int fd, int events)
{
    struct fixture *f = arg;

    (void)fd;
    (void)events;
    http_server_clear_event(f->server);
}

static void write_ca_file(struct fixture *f)
{
    const char *pem = http_server_certificate(f->server);
    int fd;

    (void)snprintf(f->ca_file, sizeof(f->ca_file), "/tmp/carillon-test-ca-XXXXXX");
    fd = mkstemp(f->ca_file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, pem, strlen(pem)), strlen(pem));
    assert_int_equal(close(fd), 0);
}

struct fixture *fixture_new(const struct fixture_options *options)
{
    struct fixture *f = alloc_new(struct fixture);
    struct reactor *reactor;
    struct deliver_options d = {
        .user_agent = "carillon/test",
        .connections_max = options->connections_max > 0 ? options->connections_max : 100,
        .per_host_max = options->per_host_max,
        .tls_insecure_allowed = options->tls_insecure_allowed,
        .guard = options->guard,
        .signer = options->signer,
        .per_host_rate = options->per_host_rate,
        .circuit_failures = options->circuit_failures,
    };

    f->reactor = poll_reactor_new();
    reactor = poll_reactor_base(f->reactor);
    f->server = http_server_new(&options->server);
    if (options->trust) {
        write_ca_file(f);
        d.ca_file = f->ca_file;
    }
    assert_int_equal(rest_open(reactor, &d, &f->rest, NULL), ERR_NONE);
    assert_int_equal(reactor->ops->watch(reactor, http_server_event_fd(f->server), REACTOR_READ,
                                         on_server_event, f, &f->server_watch, NULL),
                     ERR_NONE);
    return f;
}

void fixture_free(struct fixture *f)
{
    struct reactor *reactor = poll_reactor_base(f->reactor);

    assert_int_equal(f->rest->ops->in_flight(f->rest), 0);
    f->rest->ops->close(f->rest);
    reactor->ops->unwatch(reactor, f->server_watch);
    http_server_free(f->server);
    poll_reactor_free(f->reactor);
    if (f->ca_file[0] != '\0')
        assert_int_equal(unlink(f->ca_file), 0);
    alloc_free(f);
}

int fixture_setup(void **state)
{
    *state = fixture_new(&(struct fixture_options){0});
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static void on_done(struct delivery *d)
{
    struct attempt *a = CONTAINER_OF(d, struct attempt, delivery);

    assert_false(a->fixture->calling);
    a->ended++;
}

void attempt_init(struct attempt *a, struct fixture *f, const char *path)
{
    struct run *run = &a->delivery.run;

    memset(a, 0, sizeof(*a));
    a->fixture = f;
    (void)snprintf(a->url, sizeof(a->url), "%s", path[0] == '/' ? http_server_url(f->server, path) : path);
    a->schedule.task = (struct task){
        .type = TASK_REST,
        .host = str_of(a->url),
        .headers = json_object(),
        .method = STR("POST"),
        .data = json_pack("{s:i}", "a", 1),
        .body = BODY_DATA,
        .timeout_us = 5 * US_PER_S,
    };
    run->id = uuid_v7(clock_wall());
    run->schedule_id = uuid_v7(clock_wall());
    run->scheduled_at = (struct wall){INT64_C(1795424400) * US_PER_S};
    run->attempt = 1;
    a->delivery.schedule = &a->schedule;
    a->delivery.done = on_done;
}

void attempt_free(struct attempt *a)
{
    json_decref(a->schedule.task.headers);
    json_decref(a->schedule.task.data);
}

void attempt_header(struct attempt *a, const char *name, const char *value)
{
    assert_int_equal(json_object_set_new(a->schedule.task.headers, name, json_string(value)), 0);
}

void attempt_start(struct attempt *a)
{
    a->ended = 0;
    a->fixture->calling = true;
    deliver_start(a->fixture->rest, &a->delivery);
    a->fixture->calling = false;
}

void attempt_abort(struct attempt *a)
{
    a->fixture->calling = true;
    deliver_abort(a->fixture->rest, &a->delivery);
    a->fixture->calling = false;
}

static bool has_ended(void *arg)
{
    const struct attempt *a = arg;

    return a->ended > 0;
}

void attempt_wait(struct attempt *a)
{
    assert_true(poll_reactor_run(a->fixture->reactor, has_ended, a, LONG_US));
    assert_int_equal(a->ended, 1);
}

void attempt_run(struct attempt *a)
{
    attempt_start(a);
    attempt_wait(a);
}

struct awaited {
    struct fixture *f;
    size_t (*count)(struct http_server *s);
    size_t n;
};

static bool is_there(void *arg)
{
    const struct awaited *w = arg;

    return w->count(w->f->server) >= w->n;
}

void wait_requests(struct fixture *f, size_t n)
{
    struct awaited w = {f, http_server_requests, n};

    assert_true(poll_reactor_run(f->reactor, is_there, &w, LONG_US));
}

void wait_connections(struct fixture *f, size_t n)
{
    struct awaited w = {f, http_server_connections, n};

    assert_true(poll_reactor_run(f->reactor, is_there, &w, LONG_US));
}
