/*
 * target_fixture.c: see target_fixture.h.
 */
#include "target_fixture.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/str.h"

void target_open(struct target *t, deliver_open_fn open, size_t connections_max)
{
    target_open_with(t, open, (struct deliver_options){.connections_max = connections_max});
}

void target_open_with(struct target *t, deliver_open_fn open, struct deliver_options options)
{
    options.user_agent = "carillon/test";
    *t = (struct target){.reactor = poll_reactor_new()};
    assert_int_equal(open(poll_reactor_base(t->reactor), &options, &t->deliverer, NULL), ERR_NONE);
}

size_t target_circuits_open(const struct target *t)
{
    struct deliver_stats s;

    t->deliverer->ops->stats(t->deliverer, &s);
    return s.circuits_open;
}

void target_close(struct target *t)
{
    assert_int_equal(t->deliverer->ops->in_flight(t->deliverer), 0);
    t->deliverer->ops->close(t->deliverer);
    poll_reactor_free(t->reactor);
}

static void on_done(struct delivery *d)
{
    struct trial *a = CONTAINER_OF(d, struct trial, delivery);

    assert_false(a->target->calling);
    a->ended++;
}

void trial_init(struct trial *a, struct target *t, enum task_type type, const char *host, const char *topic)
{
    struct run *run = &a->delivery.run;

    memset(a, 0, sizeof(*a));
    a->target = t;
    (void)snprintf(a->host, sizeof(a->host), "%s", host);
    (void)snprintf(a->topic, sizeof(a->topic), "%s", topic);
    a->schedule.client.key = STR("key 1");
    a->schedule.task = (struct task){
        .type = type,
        .host = str_of(a->host),
        .topic = str_of(a->topic),
        .method = STR("POST"),
        .data = json_pack("{s:i}", "a", 1),
        .body = BODY_DATA,
        .timeout_us = 10 * US_PER_S,
    };
    run->id = uuid_v7(clock_wall());
    run->schedule_id = uuid_v7(clock_wall());
    run->scheduled_at = (struct wall){INT64_C(1795424400) * US_PER_S};
    run->attempt = 1;
    a->delivery.schedule = &a->schedule;
    a->delivery.done = on_done;
}

void trial_free(struct trial *a)
{
    json_decref(a->schedule.task.headers);
    json_decref(a->schedule.task.config);
    json_decref(a->schedule.task.data);
}

void trial_data(struct trial *a, json_t *data)
{
    json_decref(a->schedule.task.data);
    a->schedule.task.data = data;
}

void trial_start(struct trial *a)
{
    a->ended = 0;
    a->target->calling = true;
    deliver_start(a->target->deliverer, &a->delivery);
    a->target->calling = false;
}

void trial_abort(struct trial *a)
{
    a->target->calling = true;
    deliver_abort(a->target->deliverer, &a->delivery);
    a->target->calling = false;
}

static bool has_ended(void *arg)
{
    const struct trial *a = arg;

    return a->ended > 0;
}

void trial_wait(struct trial *a)
{
    assert_true(poll_reactor_run(a->target->reactor, has_ended, a, LONG_US));
    assert_int_equal(a->ended, 1);
}

void trial_run(struct trial *a)
{
    trial_start(a);
    trial_wait(a);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

void target_turn(struct target *t, int64_t us)
{
    assert_false(poll_reactor_run(t->reactor, never, NULL, us));
}

void assert_ok(const struct trial *a)
{
    assert_string_equal(a->delivery.result.error, "");
    assert_true(a->delivery.result.ok);
    assert_int_equal(a->delivery.result.status, 0);
    assert_int_equal(a->delivery.result.retry_after_us, -1);
}

void assert_failed(const struct trial *a, const char *part)
{
    assert_false(a->delivery.result.ok);
    if (!strstr(a->delivery.result.error, part))
        fail_msg("\"%s\" does not hold \"%s\"", a->delivery.result.error, part);
}

int closed_port(int *ret_fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*ret_fd >= 0);
    assert_int_equal(bind(*ret_fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&at, &n), 0);
    return ntohs(at.sin_port);
}
